"""Every row of the library at extremes, in every target: finite, without a warning, and right."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import cycle

import numpy as np
import pytest
from mpmath import mp

from derive.build import build
from derive.emit import USUAL, emit, load
from derive.emit.run import Module
from derive.graph import adjoint_name
from derive.spec import parse_spec
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from tests.library_support import POSITIVE, ROWS, Use, fixed_use, places

DIGITS = 900  # 1 - tanh(1000) lacks 10^-868 to 0
GOOD = 1e-12
FLAT = 1e-13  # times the largest operand: a difference of numbers of size 1 has this error
EXTREMES: Mapping[str, tuple[float, ...]] = {
    "far": (1e3, -1e3, 0.0, 2.5, 1e3),
    "near": (1e-8, -1e-8, 1e-12, 0.0),
    "alike": (-2.75,),
    "zero": (0.0,),
    "tiny": (1e-308, -1e-308, 0.0),
}
STEEP = {"cosine": 1e8}  # slopes are differences of numbers of size 1/|y|
ELIMINATED = ("det", "logdet", "solve", "solve_many", "inv")
NO_VALUE = {  # the squares of 1e-308 are 0 in floating point; no angle has a vector of length 0
    ("cosine", "tiny"),
    ("cosine", "zero"),
    ("poisson", "far"),  # e^1000 is beyond all doubles
    ("gaussian_kl", "far"),
    # pivots of 0, or of which a square is 0; and what is not positive definite
    *((name, word) for name in ELIMINATED for word in ("alike", "zero", "tiny")),
    *(("cholesky", word) for word in EXTREMES),
}
BASE = build(parse_spec("parameters: {x: 1}\nloss: E = x\n", "test", "test"))


def given(use: Use, extremes: tuple[float, ...]) -> dict[tuple[str, tuple[int, ...]], float]:
    """The values of a use with its real inputs at the extremes; probabilities stay as they are."""
    values = use.floats()
    for quantity in use.wires.values():
        name = use.local(quantity)
        if not quantity.integer and name not in POSITIVE.get(use.row.name, ()):
            for place, extreme in zip(places(quantity), cycle(extremes), strict=False):
                values[quantity.name, place] = extreme
    return values


def truths(use: Use, values: Mapping[tuple[str, tuple[int, ...]], float]) -> Values:
    """All values and derivatives, with enough digits for every difference."""
    with mp.workdps(DIGITS):
        whole = {quantity.name for quantity in use.graph.given if quantity.integer}
        start = {k: int(v) if k[0] in whole else mp.mpf(v) for k, v in values.items()}
        forward = run(use.graph, start)
        return {**forward, **run(use.derivation.backward, forward)}


@cache
def modules(name: str) -> tuple[Use, Mapping[str, Module]]:
    """A use of a row, and its modules by target."""
    use = fixed_use(ROWS[name], 1)
    tables: dict[str, dict[tuple[int, ...], Fraction]] = {}
    for (quantity, place), value in use.values.items():
        tables.setdefault(quantity, {})[place] = value
    wanted = tuple(quantity.name for quantity in use.real)
    problem = replace(BASE, graph=use.graph, values=tables, wanted=wanted)
    sources = {target: emit(problem, use.derivation, target) for target in USUAL}
    return use, {target: load(problem, text, target) for target, text in sources.items()}


def faults(
    module: Module,
    values: Mapping[tuple[str, tuple[int, ...]], float],
    expected: Values,
    flat: float,
) -> list[str]:
    """What a module gets wrong; a warning is an error."""
    tables: dict[str, dict[tuple[int, ...], float]] = {}
    for (name, place), value in values.items():
        tables.setdefault(name, {})[place] = value
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        done = module.run(tables)
    found = {**done.forward, **{(adjoint_name(q), p): v for (q, p), v in done.gradients.items()}}
    with mp.workdps(DIGITS):
        return [
            f"{key}: {number} for {mp.nstr(expected[key], 17)}"
            for key, number in found.items()
            if not abs(mp.mpf(number) - expected[key]) <= GOOD * abs(expected[key]) + flat
        ]


@pytest.mark.parametrize(
    ("name", "extremes"),
    [(name, word) for name in ROWS for word in EXTREMES if (name, word) not in NO_VALUE],
)
def test_a_row_of_the_library_at_its_extremes(name: str, extremes: str) -> None:
    use, targets = modules(name)
    values = given(use, EXTREMES[extremes])
    try:
        expected = truths(use, values)
    except ZeroDivisionError:  # a distance of 0 has no slope
        return
    flat = FLAT * max(STEEP.get(name, 1.0), *map(abs, values.values()))
    for target, module in targets.items():
        assert not faults(module, values, expected, flat), target
