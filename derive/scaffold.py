"""A spec to start from: a network, a model, or a model of one row of the library."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TypeAlias

from derive.errors import InputError
from derive.examples import CHOSEN, Numbers, example
from derive.graph import Quantity, Role
from derive.library.aliases import nearest_row
from derive.library.layers import LAYERS
from derive.library.losses import loss_layer, loss_names
from derive.library.row import Layer, signature
from derive.library.titles import title

NETWORK = """\
# A chain of dense layers. `derive build THIS` writes the derivation, the code and the report.
title: {en: My network, ko: 나의 신경망}
network:
  inputs: [x1, x2]              # names, or how many
  layers:
    - {dense: [h1, h2], activation: tanh}
    - {dense: [o1], activation: logistic}
  loss: half_squared_error      # derive reference lists the others
parameters:                     # a row of weights for each unit; leave all of it out for symbols
  W1: [[0.1, -0.2], [0.3, 0.4]]
  b1: [0.0, 0.1]
  W2: [[0.5, -0.6]]
  b2: [0.2]
data: {inputs: [1, 0.5], targets: [1]}
training: {learning_rate: 0.1, steps: 100}
"""
MODEL = """\
# A model of any graph: equations, in any order that can be computed. Indices count from 0.
title: {en: My model, ko: 나의 모델}
inputs: {x: [1, 0.5]}
targets: {t: [1, 0]}
parameters:
  W: [[0.1, -0.2], [0.3, 0.4]]
  b: [0.0, 0.1]
model:
  - net[h] = sum(i, W[h,i]*x[i]) + b[h]
  - y[h] = tanh(net[h])
loss: E = sum(h, (y[h] - t[h])**2)/2
training: {learning_rate: 0.1, steps: 100}
# published:                    # numbers from elsewhere, to be checked digit by digit
#   - {name: "dE/dW[0,1]", printed: "0.0123"}
"""
LINE = 88
Nested: TypeAlias = "str | Sequence[Nested]"


def scaffold(name: str | None, network: bool) -> str:
    """The text of a spec to start from. Raises InputError for an unknown layer or loss."""
    if name is None:
        return NETWORK if network else MODEL
    if name in LAYERS:
        return "\n".join(_layer(LAYERS[name])) + "\n"
    if name in loss_names():
        return "\n".join(_loss(loss_layer(name)[0])) + "\n"
    hint = nearest_row(name, (*LAYERS, *loss_names()))
    raise InputError(f"no layer or loss is called '{name}'; {hint}")


def _head(row: Layer) -> Iterator[str]:
    yield from (f"# {line}" for line in wrap(f"{row.name}: {row.summary}.", LINE))
    yield "title: {{en: {en}, ko: {ko}}}".format(**title(row.name))


# --- layers ---------------------------------------------------------------------------------


def _layer(row: Layer) -> Iterator[str]:
    """The text of a spec in which one layer is used."""
    inputs, made = example(row, "y", samples=False)
    numbers = Numbers(row, random.Random(row.name))
    yield from _head(row)
    given = {
        "inputs": list(inputs.values()),
        "parameters": [q for q in made.given if q.role is Role.PARAMETER],
        "constants": [q for q in made.given if q.role is Role.CONSTANT],
    }
    for section, quantities in given.items():
        if quantities:
            yield f"{section}:"
        for q in quantities:
            yield from _values(q, numbers.of(q.name.removeprefix("y_"), q))
    whole = [q.name for q in inputs.values() if q.integer]
    if whole:
        yield f"integers: [{', '.join(whole)}]"
    names = ", ".join(inputs)
    wired = names if len(inputs) == 1 else f"[{names}]"
    chosen = ", ".join(f"{key}: {value}" for key, value in CHOSEN.get(row.name, {}).items())
    settings = f", settings: {{{chosen}}}" if chosen else ""
    yield "model:"
    yield f"  - {{layer: {row.name}, name: y, inputs: {wired}, output: y{settings}}}"
    yield "upstream:                       # the gradient by y, from above; or say instead a loss:"
    yield from _values(made.output, numbers.of("", made.output))
    letters = ",".join("abcdefgh"[: len(made.output.axes)])
    squares = f"sum({letters.replace(',', ', ')}, y[{letters}]**2)" if letters else "y**2"
    yield f"# loss: E = {squares}/2"


def _values(quantity: Quantity, numbers: Sequence[object]) -> Iterator[str]:
    """A quantity with its numbers as nested lists."""
    parts: list[Nested] = [str(number) for number in numbers]
    for size in reversed(quantity.shape):
        parts = [parts[k : k + size] for k in range(0, len(parts), size)]
    flat = f"  {quantity.name}: {_flow(parts[0])}"
    if len(flat) <= LINE:
        yield flat
    else:
        yield f"  {quantity.name}:"
        yield from (f"    {line}" for line in _block(parts[0]))


def _flow(value: Nested) -> str:
    return value if isinstance(value, str) else f"[{', '.join(map(_flow, value))}]"


def _block(value: Nested) -> Iterator[str]:
    """A list with a line for each part, and again for the parts of a part that is long."""
    for part in value:
        flat = _flow(part)
        first, *rest = [flat] if len(flat) <= LINE else _block(part)
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)


# --- losses ---------------------------------------------------------------------------------

DENSE = """\
inputs:
  x: [[1, 0.5], [-0.5, 2]]        # two samples
{data}parameters:
  W: [[0.2, -0.3], [0.4, 0.1], [-0.5, 0.6]]
  b: [0.1, 0.2, -0.2]
{trained}model:
  - {{layer: dense, inputs: x, output: {net}, operands: {{W: W, b: b}}}}
"""
REAL = "[[0.5, 1, 1], [-1, 0.5, 0]]"  # partly near to the outputs, partly far from them
LABELS = "[1, 2]"
DISTRIBUTION = "[[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]"
ONE_HOT = "[[0, 1, 0], [0, 0, 1]]"
COUNTS = "[[1, 0, 2], [3, 1, 0]]"
SIGNS = "[[1, -1, -1], [-1, 1, 1]]"


@dataclass(frozen=True)
class Fed:
    """What a loss wants to be fed: what makes `y` of the net inputs, and the values of the rest.

    What is `trained` stands among the parameters.
    """

    activation: str = ""
    values: Mapping[str, str] | str = REAL
    trained: tuple[str, ...] = ()


FED: Mapping[str, Fed] = {
    "binary_cross_entropy": Fed("logistic", ONE_HOT),
    "binary_cross_entropy_logits": Fed("", ONE_HOT),
    "categorical_cross_entropy": Fed("softmax", DISTRIBUTION),
    "categorical_cross_entropy_logits": Fed("", DISTRIBUTION),
    "label_cross_entropy": Fed("softmax", LABELS),
    "label_cross_entropy_logits": Fed("", LABELS),
    "negative_log_likelihood": Fed("log_softmax", LABELS),
    "kl_divergence": Fed("softmax", DISTRIBUTION),
    "label_smoothing_cross_entropy": Fed("softmax", ONE_HOT),
    "focal": Fed("logistic", ONE_HOT),
    "dice": Fed("logistic", ONE_HOT),
    "iou": Fed("logistic", ONE_HOT),
    "tversky": Fed("logistic", ONE_HOT),
    "poisson": Fed("", COUNTS),
    "negative_binomial": Fed("", {"t": COUNTS, "r": "[[0.5, 1, 2], [1, 4, 1]]"}),
    "gaussian": Fed("", {"t": REAL, "var": "[[0.5, 1, 2], [1, 0.5, 1]]"}),
    "hinge": Fed("", SIGNS),
    "squared_hinge": Fed("", SIGNS),
    "ctc": Fed("", "[1]"),
    "crf": Fed("", {"label": LABELS, "A": "[[0.5, 1, -1], [-0.5, 0.5, 0], [1, 0, -0.5]]"}, ("A",)),
    "soft_dtw": Fed("", "[[0.5, 1, 1], [0, 0.5, 1], [-1, 0.5, 0]]"),
    "mixture_density": Fed(
        "", {"t": "[0.5, -1]", "var": "[[1, 0.5, 2], [1, 0.5, 1]]", "logit": REAL}
    ),
    "cox": Fed("", {"time": "[[2, 1, 1], [1, 3, 2]]", "event": ONE_HOT}),
    "ppo_clip": Fed("", {"old": "[[0.2, -0.1, 0.4], [0.5, 1, 0.1]]", "advantage": REAL}),
    "td_error": Fed(
        "", {"label": LABELS, "reward": "[1, -0.5]", "next": "[[0.5, 0, 1], [0.2, -1, 0]]"}
    ),
    "triplet": Fed(
        "", {"like": "[[0.5, 0.5, 0], [-0.5, 0, 1]]", "other": "[[-0.5, 1, 0.5], [1, -1, 0]]"}
    ),
}


def _loss(row: Layer) -> Iterator[str]:
    """The text of a spec in which the outputs of a dense layer get a loss."""
    fed = FED.get(row.name, Fed())
    more = [signature(text).name for text in row.inputs[1:]]
    penalty = not more  # it reads a parameter, beside a loss that reads the outputs
    data = {
        name: fed.values if isinstance(fed.values, str) else fed.values[name]
        for name in more or ["t"]
    }
    lines = {name: f"  {name}: {value}\n" for name, value in data.items()}
    targets = "".join(line for name, line in lines.items() if name not in fed.trained)
    trained = "".join(lines[name] for name in fed.trained)
    whole = f"integers: [{', '.join(row.integers)}]\n" if row.integers else ""
    yield from _head(row)
    net = "z" if fed.activation else "y"
    yield DENSE.format(data=f"targets:\n{targets}{whole}", trained=trained, net=net).rstrip()
    if fed.activation:
        yield f"  - {{layer: {fed.activation}, inputs: z, output: y}}"
    if penalty:
        yield "loss:"
        yield "  - {loss: half_squared_error, inputs: [y, t]}"
        yield f"  - {{loss: {row.name}, inputs: W, weight: 0.1}}"
    else:
        yield f"loss: {{loss: {row.name}, inputs: [{', '.join(['y', *more])}]}}"
