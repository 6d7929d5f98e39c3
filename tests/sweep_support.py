"""Ordinary networks, drawn: any depth, width, batch, activation, loss, size of values, and kind.

python -m tests.sweep_support FIRST LAST      verifies those draws and prints what disagrees
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
from dataclasses import dataclass, replace

from mpmath import mp

import derive
from derive import InputError, Problem
from derive.library.activations import ACTIVATIONS
from derive.library.losses import LOSSES
from derive.spec import parse_spec
from derive.verify import Status
from derive.verify.interpreter import run
from derive.verify.sampling import spec_values

MAGNITUDES = ("0.001", "1", "10", "mixed", "none")
KINDS = ("network", "model")
ENTROPIES = {"binary_cross_entropy": "logistic", "categorical_cross_entropy": "softmax"}
MOST_WORK = 12_000  # multiplications of one forward pass, so that a sweep ends
PRINTED = 4  # digits of a page


@dataclass(frozen=True)
class Drawn:
    """One spec of the sweep, in words and as text, with the name of its outputs.

    `unit` says that its outputs are between 0 and 1, and that their logarithms are taken.
    """

    name: str
    text: str
    outputs: str = ""
    unit: bool = False


def drawn(number: int, calm: bool = False) -> Drawn:
    """The spec of a number; activations, losses, sizes of values and kinds take turns.

    A `calm` one has values that leave its outputs where a cross-entropy can be worked with: data
    of size 1, and weights divided by the units that they sum over, as initialisers draw them.
    """
    source = random.Random(f"sweep {number}")
    activation = list(ACTIVATIONS)[number % len(ACTIVATIONS)]
    loss = list(LOSSES)[number // len(ACTIVATIONS) % len(LOSSES)]
    magnitude = source.choice(MAGNITUDES)
    kind = KINDS[number % 2]
    while True:
        widths = [_size(source, 64) for _ in range(source.randint(2, 9))]
        batch = _size(source, 64)
        pairs = itertools.pairwise(widths)
        if batch * sum(a * b for a, b in pairs) <= MOST_WORK:
            break
    last = ENTROPIES.get(loss, activation)
    if "softmax" in (activation, last) or activation == "log_softmax":
        widths = [max(2, width) for width in widths]
    activations = [activation] * (len(widths) - 2) + [last]
    values = _Values(source, "calm" if calm else magnitude)
    write = _network if kind == "network" else _model
    name = f"{number}: {kind} {'-'.join(map(str, widths))} x {batch}, {activation}, {loss}, values"
    outputs = f"{'out' if kind == 'network' else 'a'}{len(widths) - 1}"
    text = write(widths, batch, activations, loss, values)
    return Drawn(f"{name} {values.magnitude}", text, outputs, loss in ENTROPIES)


def of_size(kind: str, widths: list[int], batch: int, magnitude: str) -> Drawn:
    """A network of these widths with tanh and a squared error."""
    values = _Values(random.Random(f"{widths}"), magnitude)
    activations = ["tanh"] * (len(widths) - 1)
    write = _network if kind == "network" else _model
    text = write(widths, batch, activations, "half_squared_error", values)
    return Drawn(f"{kind} {'-'.join(map(str, widths))} x {batch}", text)


def _size(source: random.Random, most: int) -> int:
    """Small sizes as often as large ones."""
    return min(most, round(2 ** source.uniform(0, 6.1)))


@dataclass(frozen=True)
class _Values:
    source: random.Random
    magnitude: str

    @property
    def given(self) -> bool:
        return self.magnitude != "none"

    def table(self, *shape: int) -> object:
        if shape:
            return [self.table(*shape[1:]) for _ in range(shape[0])]
        return self._number(1)

    def weights(self, after: int, before: int) -> list[list[float]]:
        share = before if self.magnitude == "calm" else 1
        return [[self._number(share) for _ in range(before)] for _ in range(after)]

    def _number(self, share: int) -> float:
        mixed = self.magnitude == "mixed"
        magnitude = self.source.choice(MAGNITUDES[:3]) if mixed else self.magnitude
        scale = 1.0 if magnitude == "calm" else float(magnitude)
        return float(f"{self.source.uniform(-1, 1) * scale / share:.3g}")

    def targets(self, batch: int, width: int, loss: str) -> list[list[float]]:
        """Rows that sum to one; they are good targets of every loss."""
        rows = []
        for _ in range(batch):
            chosen = self.source.randrange(width)
            rows.append([1.0 if k == chosen else 0.0 for k in range(width)])
        return rows


def _network(
    widths: list[int], batch: int, activations: list[str], loss: str, values: _Values
) -> str:
    layers = [
        f"{{dense: {w}, activation: {a}}}" for w, a in zip(widths[1:], activations, strict=True)
    ]
    lines = [
        f"network: {{inputs: {widths[0]}, layers: [{', '.join(layers)}], loss: {loss}}}",
        "training: {steps: 20, learning_rate: 0.01}",
    ]
    if not values.given:
        return "\n".join([*lines, f"data: {{batch: {batch}}}", ""])
    parameters = {}
    for k, (before, after) in enumerate(itertools.pairwise(widths), 1):
        parameters |= {f"W{k}": values.weights(after, before), f"b{k}": values.table(after)}
    data = {
        "inputs": values.table(batch, widths[0]),
        "targets": values.targets(batch, widths[-1], loss),
    }
    return "\n".join(
        [*lines, f"parameters: {json.dumps(parameters)}", f"data: {json.dumps(data)}", ""]
    )


def _model(
    widths: list[int], batch: int, activations: list[str], loss: str, values: _Values
) -> str:
    """The same network as a chain of layers of the library."""

    def given(*shape: int) -> object:
        return values.table(*shape) if values.given else {"shape": list(shape)}

    parameters, nodes, before = {}, [], "x"
    for k, ((wide, width), activation) in enumerate(
        zip(itertools.pairwise(widths), activations, strict=True), 1
    ):
        weights = values.weights(width, wide) if values.given else given(width, wide)
        parameters |= {f"W{k}": weights, f"b{k}": given(width)}
        operands = {"W": f"W{k}", "b": f"b{k}"}
        nodes += [
            {"layer": "dense", "inputs": before, "output": f"z{k}", "operands": operands},
            {"layer": activation, "inputs": f"z{k}", "output": f"a{k}"},
        ]
        before = f"a{k}"
    shape = [batch, widths[-1]]
    targets = values.targets(*shape, loss) if values.given else {"shape": shape}
    fields = {
        "inputs": {"x": given(batch, widths[0])},
        "targets": {"t": targets},
        "parameters": parameters,
        "model": nodes,
        "loss": {"loss": loss, "inputs": [before, "t"]},
        "training": {"steps": 20, "learning_rate": 0.01},
    }
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in fields.items()) + "\n"


def problem(spec: Drawn) -> Problem:
    return derive.build(parse_spec(spec.text, "sweep.yaml", "sweep"))


def faults(spec: Drawn) -> list[str]:
    """What `verify` finds wrong with a spec. Raises InputError if the spec is refused."""
    report = derive.make(problem(spec)).verify()
    found = [f"{r.name}: {r.detail}" for r in report.routes if r.status is Status.DISAGREES]
    return found if found or report.agree else ["nothing agrees"]


def faults_of_draw(number: int) -> list[str]:
    """What is wrong with a draw: it is verified, or refused for a reason and then drawn calmly.

    The reason is a cross-entropy of outputs that a page rounds to 0 or 1: its loss is no number,
    and nobody has such a spec to begin with.
    """
    spec = drawn(number)
    try:
        return faults(spec)
    except InputError as error:
        if "in the equation of " not in str(error) or not saturated(spec):
            return [f"refused: {error}"]
    return faults(drawn(number, calm=True))


def saturated(spec: Drawn) -> bool:
    """Whether logarithms are taken of outputs that are 0 or 1 as they are printed."""
    whole = problem(spec)
    given = spec_values(whole)
    if given is None or not spec.unit:
        return False
    with mp.workdps(15):
        values = run(replace(whole.graph, equations=whole.graph.equations[:-1]), given)
    outputs = [float(mp.nstr(v, PRINTED)) for key, v in values.items() if key[0] == spec.outputs]
    assert outputs
    return not all(0 < output < 1 for output in outputs)


if __name__ == "__main__":
    for n in range(int(sys.argv[1]), int(sys.argv[2])):
        each, start = drawn(n), time.process_time()
        try:
            wrong = faults_of_draw(n)
        except Exception as error:  # whatever happens is printed, and the sweep goes on
            wrong = [f"{type(error).__name__}: {error}"]
        print(
            f"{time.process_time() - start:6.1f} s  {each.name}", *wrong, sep="\n     ", flush=True
        )
