"""A spec to start from: a network, a model, or a model of one layer of the library."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction

import sympy

from derive.errors import InputError, nearest
from derive.expression import Axis
from derive.graph import Quantity, Role
from derive.library.instantiate import Instance, instantiate
from derive.library.layers import LAYERS
from derive.library.row import Layer

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
USUAL = {"h": 4, "w": 4, "d": 4, "r": 2, "s": 2, "q": 2}
SIZE = 2


def scaffold(layer: str | None, network: bool) -> str:
    """The text of a spec to start from. Raises InputError for an unknown layer."""
    if layer is None:
        return NETWORK if network else MODEL
    if layer not in LAYERS:
        raise InputError(f"unknown layer '{layer}'; {nearest(layer, LAYERS)}")
    return "\n".join(_lines(LAYERS[layer])) + "\n"


def example(row: Layer, name: str = "") -> tuple[Mapping[str, Quantity], Instance]:
    """A small use of a layer under a name: its inputs, and what it makes of them."""
    axes: dict[str, Axis] = {}
    inputs = {}
    for signature in row.inputs:
        own, _, rest = signature.partition("[")
        letters = [x.strip() for x in rest.rstrip("]").split(",") if x.strip() not in ("", "...")]
        if "..." in rest:
            letters.insert(0, "n")
        for letter in letters:
            size = sympy.Integer(USUAL.get(letter, SIZE))
            axes.setdefault(letter, Axis(letter, size))
        inputs[own] = Quantity(
            own,
            own,
            tuple(axes[letter] for letter in letters),
            Role.INPUT,
            integer=own in row.integers,
        )
    sizes = {}
    for signature in (*row.parameters, *row.constants):
        for letter in signature.partition("[")[2].rstrip("]").split(","):
            letter = letter.strip()
            if letter.isalpha() and letter not in axes and letter not in row.sizes:
                sizes[letter] = USUAL.get(letter, SIZE)
    made = instantiate(row, name, inputs, {}, sizes)
    return inputs, made


def _lines(row: Layer) -> Iterator[str]:
    """The text of a spec in which one layer is used."""
    inputs, made = example(row, "y")
    source = random.Random(row.name)
    yield f"# {row.name}: {row.summary}."
    yield f"title: {{en: {row.name}, ko: {row.name}}}"
    given = {
        "inputs": list(inputs.values()),
        "parameters": [q for q in made.given if q.role is Role.PARAMETER],
        "constants": [q for q in made.given if q.role is Role.CONSTANT],
    }
    for section, quantities in given.items():
        if quantities:
            yield f"{section}:"
            yield from (f"  {q.name}: {_values(q, source)}" for q in quantities)
    whole = [q.name for q in (*inputs.values(), *made.given) if q.integer]
    if whole:
        yield f"integers: [{', '.join(whole)}]"
    names = ", ".join(inputs)
    wired = names if len(inputs) == 1 else f"[{names}]"
    yield "model:"
    yield f"  - {{layer: {row.name}, name: y, inputs: {wired}, output: y}}"
    yield "upstream: {y: 1}               # the gradient by y; or a loss such as"
    letters = ",".join("abcdefgh"[: len(made.output.axes)])
    whole_y = f"y[{letters}]**2" if letters else "y**2"
    bound = f"{', '.join(letters.split(','))}, " if letters else ""
    yield f"# loss: E = {f'sum({bound}{whole_y})' if letters else whole_y}/2"


def _values(quantity: Quantity, source: random.Random) -> str:
    """Nested lists of small numbers."""

    def rows(depth: int) -> str:
        if depth == len(quantity.shape):
            if quantity.integer:
                return str(source.randrange(2))
            text = _number(source)
            return text.lstrip("-") if quantity.name.endswith("var0") else text
        return f"[{', '.join(rows(depth + 1) for _ in range(quantity.shape[depth]))}]"

    return rows(0)


def _number(source: random.Random) -> str:
    return f"{float(Fraction(source.randint(-9, 9) or 1, 10)):g}"
