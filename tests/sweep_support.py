"""Ordinary networks, drawn: any depth, width, batch, activation, loss, size of values, and kind.

python -m tests.sweep_support FIRST LAST      verifies those draws and prints what disagrees
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
from dataclasses import dataclass

import derive
from derive.library.activations import ACTIVATIONS
from derive.library.losses import LOSSES
from derive.spec import parse_spec
from derive.verify import Status

MAGNITUDES = ("0.001", "1", "10", "mixed", "none")
KINDS = ("network", "model")
ENTROPIES = {"binary_cross_entropy": "logistic", "categorical_cross_entropy": "softmax"}
MOST_WORK = 12_000  # multiplications of one forward pass, so that a sweep ends


@dataclass(frozen=True)
class Drawn:
    """One spec of the sweep, in words and as text."""

    name: str
    text: str


def drawn(number: int) -> Drawn:
    """The spec of a number; activations, losses, sizes of values and kinds take turns."""
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
    values = _Values(source, magnitude)
    write = _network if kind == "network" else _model
    name = f"{number}: {kind} {'-'.join(map(str, widths))} x {batch}, {activation}, {loss}, values"
    return Drawn(f"{name} {magnitude}", write(widths, batch, activations, loss, values))


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
        scale = self.magnitude if self.magnitude != "mixed" else self.source.choice(MAGNITUDES[:3])
        return float(f"{self.source.uniform(-1, 1) * float(scale):.3g}")

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
        parameters |= {f"W{k}": values.table(after, before), f"b{k}": values.table(after)}
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
        parameters |= {f"W{k}": given(width, wide), f"b{k}": given(width)}
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


def faults(spec: Drawn) -> list[str]:
    """What `verify` finds wrong with a spec."""
    whole = derive.make(derive.build(parse_spec(spec.text, "sweep.yaml", "sweep")))
    report = whole.verify()
    found = [f"{r.name}: {r.detail}" for r in report.routes if r.status is Status.DISAGREES]
    return found if found or report.agree else ["nothing agrees"]


if __name__ == "__main__":
    for n in range(int(sys.argv[1]), int(sys.argv[2])):
        each, start = drawn(n), time.process_time()
        try:
            wrong = faults(each)
        except Exception as error:  # whatever happens is printed, and the sweep goes on
            wrong = [f"{type(error).__name__}: {error}"]
        print(
            f"{time.process_time() - start:6.1f} s  {each.name}", *wrong, sep="\n     ", flush=True
        )
