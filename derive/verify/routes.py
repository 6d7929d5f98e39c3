"""The routes that judge a derivation itself: SymPy, differences, steps.

None of them uses the calculus: all they take from the program is the forward graph and what is to
be judged.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, TypeVar

import sympy
from mpmath import mp

from derive.functions import ROWS
from derive.graph import (
    Derivation,
    Equation,
    Graph,
    GraphError,
    Quantity,
    Role,
    adjoint_name,
    check,
)
from derive.verify.algebra import DIGITS, EXACT, Algebra, exact_function
from derive.verify.bench import Bench, places
from derive.verify.interpreter import Key, Values, element_slope, run, value
from derive.verify.report import Comparison, Route, Status

EXACT_TOLERANCE = 1e-16  # a central difference is good to 1e-24 and, across a bend, to its step
DOUBLE_TOLERANCE = 1e-9
FLOOR = mp.mpf("1e-6")
DOUBLE_FLOOR = mp.mpf("1e-4")  # terms of size 1 that add up to zero leave about 1e-15
MOST_SYMPY = 8
SEED = 1
BUDGET = 60_000  # multiplications that a route may take
FEW = 24
MOST_PLACES = 80  # of one local derivative, or of one step

Item = TypeVar("Item")


def relative(found: Any, expected: Any, floor: Any = FLOOR) -> float:
    """The distance of two values over their size; absolute below the floor, so zeros compare."""
    try:
        distance = abs(found - expected)
        size = max(abs(expected), floor)
        result = float(distance / size)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return result if math.isfinite(result) else math.nan


def well_formed(derivation: Derivation, wanted: Iterable[str] | None = None) -> Route:
    """Route 1: both graphs pass the static check, and nothing `wanted` is missing.

    All parameters are wanted if nothing is said.
    """
    try:
        check(derivation.forward)
        check(derivation.backward)
    except GraphError as error:
        return Route("graph check", Status.DISAGREES, 0, math.nan, str(error))
    count = len(derivation.forward.equations) + len(derivation.backward.equations)
    parameters = [q.name for q in derivation.forward.of_role(Role.PARAMETER)]
    fault = _incomplete(derivation, parameters if wanted is None else wanted)
    if fault:
        return Route("graph check", Status.DISAGREES, count, math.nan, fault)
    return Route("graph check", Status.AGREES, count, 0.0)


def _incomplete(derivation: Derivation, wanted: Iterable[str]) -> str:
    """What a derivation lacks, in words."""
    if not derivation.backward.equations or not derivation.steps or not derivation.locals:
        return "the derivation is empty"
    found = derivation.backward.quantities
    for name in wanted:
        if adjoint_name(name) not in found:
            return f"the derivative by '{name}' is missing"
    for name in derivation.forward.quantities:
        told = any(step.quantity == name for step in derivation.steps)
        if adjoint_name(name) in found and not told and _reaches(derivation.forward, name):
            return f"no step leads to the derivative by '{name}'"
    return ""


def _reaches(graph: Graph, name: str) -> bool:
    """Whether the loss depends on a quantity, directly or through others."""
    known = {name}
    while more := {q for each in known for q in _made_of(graph, each)} - known:
        known |= more
    return graph.loss.name in known


def _made_of(graph: Graph, name: str) -> set[str]:
    return {equation.quantity.name for equation in graph.readers(name)}


def some(items: Sequence[Item], most: int) -> list[Item]:
    """All items, or a seeded choice if they are too many."""
    if len(items) <= most:
        return list(items)
    return random.Random(f"{SEED}/{len(items)}").sample(list(items), most)


def differences(bench: Bench, most: int = BUDGET) -> Iterator[Comparison]:
    """Route 3: adjoints against central differences with 50 digits.

    Of a quantity with many elements a choice, and a line on which all of them move.
    """
    quantities = differentiated(bench.derivation)
    share = most // (3 * max(1, len(quantities)))
    for quantity in quantities:
        for key in some(places(quantity), share):
            yield Comparison(f"∂E/∂{key}", relative(bench.adjoint(key), bench.by(key)))
    many = [quantity for quantity in quantities if len(places(quantity)) > share]
    for together in _parts(many, min(most, FEW)):
        way, expected = bench.line(together)
        names = ", ".join(quantity.name for quantity in together)
        yield Comparison(f"∂E/∂({names}) on a line", relative(bench.adjoint_on(way), expected))


def _parts(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Items in order, in at most so many parts."""
    size = max(1, math.ceil(len(items) / most))
    return [items[k : k + size] for k in range(0, len(items), size)]


def differentiated(derivation: Derivation) -> list[Quantity]:
    """Everything that the loss was differentiated by."""
    found = derivation.backward.quantities
    return [q for q in derivation.forward.quantities.values() if adjoint_name(q.name) in found]


def local_slopes(bench: Bench, most: int = BUDGET) -> Iterator[Comparison]:
    """Route 3, too: local derivatives against differences of the equation they belong to."""
    derivation, values = bench.derivation, bench.forward
    share = max(4, min(MOST_PLACES, 20 * most // max(1, len(derivation.locals))))
    with mp.workdps(DIGITS):
        for local in derivation.locals:
            equation = derivation.forward.equation(local.of)
            own = len(local.indices)
            free = (*local.indices, *local.at)
            for place in some(list(product(*[range(i.axis.length) for i in free])), share):
                found = value(local.value, values, dict(zip(free, place, strict=True)), EXACT)
                binding = dict(zip(equation.indices, place[:own], strict=True))
                by = (local.by, place[own:])
                expected = element_slope(equation.rhs, values, binding, by)
                what = f"∂{local.of}{list(place[:own])}/∂{by}"
                yield Comparison(what, relative(found, expected))


def gradient_keys(derivation: Derivation) -> list[Key]:
    """Every element of everything given that was differentiated by."""
    return [key for q in differentiated(derivation) if q.given for key in places(q)]


class Above(sympy.Function):
    """1 if the first argument exceeds the second, else 0."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class Larger(sympy.Function):
    """The larger of two values, the first at a tie; SymPy's own gives a kink the slope 1/2."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        second = Above(self.args[1], self.args[0])
        return 1 - second if argindex == 1 else second


def _either(test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    """A choice by a test that is 1 or 0; one without symbols, which SymPy refuses, is decided."""
    if test.free_symbols:
        return sympy.Piecewise((yes, sympy.Eq(test, 1)), (no, True))
    with mp.workdps(DIGITS):
        return yes if exact_function([], test, KINKS)() == 1 else no


KINKS = {"Above": lambda a, b: mp.mpf(a > b), "Larger": lambda a, b: b if b > a else a}

SYMBOLIC = Algebra(
    lambda number: sympy.Rational(number.numerator, number.denominator),
    {
        **{row.name: row.definition or row.symbol for row in ROWS},
        "max": Larger,
        "min": lambda a, b: -Larger(-a, -b),
        "abs": sympy.Abs,
        "sign": sympy.sign,
        "greater": Above,
        "at_least": lambda a, b: 1 - Above(b, a),
        "where": _either,
    },
)


def by_sympy(benches: Sequence[Bench]) -> Iterator[Comparison]:
    """Route 2: the loss as one expanded formula, differentiated whole by SymPy."""
    derivation, graph = benches[0].derivation, benches[0].graph
    symbols = {
        (quantity.name, place): sympy.Symbol("_".join(map(str, (quantity.name, *place))), real=True)
        for quantity in graph.given
        if not quantity.integer
        for _, place in places(quantity)
    }
    whole = {key: v for key, v in benches[0].given.items() if graph.quantities[key[0]].integer}
    loss = run(graph, {**symbols, **whole}, SYMBOLIC)[graph.loss.name, ()]
    keys = gradient_keys(derivation)
    keys = keys[:: max(1, math.ceil(len(keys) / MOST_SYMPY))]
    slopes = exact_function(
        list(symbols.values()), [sympy.diff(loss, symbols[key]) for key in keys], KINKS
    )
    for bench in benches:
        with mp.workdps(DIGITS):
            expected = slopes(*[bench.given[key] for key in symbols])
            for key, slope in zip(keys, expected, strict=True):
                yield Comparison(f"∂E/∂{key}", relative(bench.adjoint(key), slope))


def steps(bench: Bench, most: int = BUDGET) -> Iterator[Comparison]:
    """Route 4: both sides of every step, for a choice of values of its free indices."""
    derivation, values = bench.derivation, bench.derived
    share = max(2, min(MOST_PLACES, 20 * most // max(1, len(derivation.steps))))
    with mp.workdps(DIGITS):
        for step in derivation.steps:
            for place in some(list(product(*[range(i.axis.length) for i in step.indices])), share):
                binding = dict(zip(step.indices, place, strict=True))
                before = value(step.before, values, binding, EXACT)
                after = value(step.after, values, binding, EXACT)
                what = f"{step.rule} of {step.quantity}{list(place)}"
                yield Comparison(what, relative(after, before))
        for equation in derivation.backward.equations:
            yield from arrivals(derivation, equation, values, share)


def arrivals(
    derivation: Derivation, equation: Equation, values: Values, share: int
) -> Iterator[Comparison]:
    """The last step of a quantity against the equation it arrives at."""
    last = [s for s in derivation.steps if adjoint_name(s.quantity) == equation.quantity.name][-1:]
    for step in last:
        for _, place in some(places(equation.quantity), share):
            binding = dict(zip(step.indices, place, strict=True))
            found = values[equation.quantity.name, place]
            error = relative(found, value(step.after, values, binding, EXACT))
            yield Comparison(f"last step of {step.quantity}{list(place)}", error)
