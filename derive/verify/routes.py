"""The routes that judge a derivation itself: SymPy, differences, steps.

None of them uses the calculus: all they take from the program is the forward graph and what is to
be judged.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, TypeVar

import sympy
from mpmath import mp

from derive.expression import Index
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
from derive.verify.algebra import EXACT, TIES, Algebra, Choice, lazy_function, working
from derive.verify.bench import MOST_DIGITS, Bench, places
from derive.verify.interpreter import element_slope, run, value
from derive.verify.meaning import Key
from derive.verify.report import Comparison, Route, Status, entry, telling

EXACT_TOLERANCE = 1e-16
DOUBLE_TOLERANCE = 1e-9
FLOOR = mp.mpf("1e-20")  # times the tolerance: across a bend a difference is good to its step
MOST_SYMPY = 8
SEED = 1
BUDGET = 60_000  # multiplications that a route may take
FEW = 24
NO_GIVEN = "no derivative by anything given is asked for"
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


def compared(what: str, found: Any, expected: Any, floor: Any = FLOOR) -> Comparison:
    """A comparison of two values; the floor is that of `relative`."""
    return Comparison(what, relative(found, expected, floor), found, expected)


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
    fault = _incomplete(derivation, parameters if wanted is None else [*wanted])
    if fault:
        return Route("graph check", Status.DISAGREES, count, math.nan, fault)
    return Route("graph check", Status.AGREES, count, 0.0)


def _incomplete(derivation: Derivation, wanted: Sequence[str]) -> str:
    """What a derivation lacks, in words."""
    moved = any(_reaches(derivation.forward, name) for name in wanted)
    if moved and not (derivation.backward.equations and derivation.steps and derivation.locals):
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


def some(sizes: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """All places on axes of these sizes, or a seeded choice if they are too many."""
    count = math.prod(sizes)
    if count <= most:
        yield from product(*map(range, sizes))
        return
    for number in random.Random(f"{SEED}/{count}").sample(range(count), most):
        place, rest = [], number
        for size in reversed(sizes):
            rest, position = divmod(rest, size)
            place.append(position)
        yield tuple(reversed(place))


def lengths(letters: Iterable[Index]) -> tuple[int, ...]:
    """How many values each letter takes."""
    return tuple(letter.axis.length for letter in letters)


def differences(bench: Bench, most: int = BUDGET) -> Iterator[Comparison]:
    """Route 3: adjoints against central differences with 50 digits.

    Of a quantity with many elements a choice, and a line on which all of them move.
    """
    quantities = differentiated(bench.derivation)
    share = most // (3 * max(1, len(quantities)))
    for quantity in quantities:
        for place in some(quantity.shape, share):
            key = (quantity.name, place)
            yield compared(f"∂E/∂{entry(*key)}", bench.adjoint(key), bench.by(key), bench.floor)
    many = [quantity for quantity in quantities if math.prod(quantity.shape) > share]
    for together in _parts(many, min(most, FEW)):
        way, expected = bench.line(together)
        names = ", ".join(quantity.name for quantity in together)
        what = f"∂E/∂({names}) on a line"
        yield compared(what, bench.adjoint_on(way), expected, bench.floor)


def _parts(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Items in order, in at most so many parts."""
    size = max(1, math.ceil(len(items) / most))
    return [items[k : k + size] for k in range(0, len(items), size)]


def telling_bends(route: Route, benches: Iterable[Bench]) -> Route:
    """The route of the differences, saying what it did where there is no two-sided slope."""
    count = sum(len(bench.bent) for bench in benches)
    words = f"{count} at a kink, a step or an end: there the slope is that of the branch taken"
    return telling(route, words if count else "")


def differentiated(derivation: Derivation) -> list[Quantity]:
    """Everything that the loss was differentiated by."""
    found = derivation.backward.quantities
    return [q for q in derivation.forward.quantities.values() if adjoint_name(q.name) in found]


def local_slopes(bench: Bench, most: int = BUDGET) -> Iterator[Comparison]:
    """Route 3, too: local derivatives against differences of the equation they belong to."""
    derivation, values = bench.derivation, bench.forward
    share = max(4, min(MOST_PLACES, 20 * most // max(1, len(derivation.locals))))
    with mp.workdps(bench.digits):
        for local in derivation.locals:
            equation = derivation.forward.equation(local.of)
            own = len(local.indices)
            free = (*local.indices, *local.at)
            for place in some(lengths(free), share):
                found = value(local.value, values, dict(zip(free, place, strict=True)), EXACT)
                binding = dict(zip(equation.indices, place[:own], strict=True))
                by = (local.by, place[own:])
                expected = element_slope(equation.rhs, values, binding, by)
                what = f"∂{entry(local.of, place[:own])}/∂{entry(*by)}"
                yield compared(what, found, expected, bench.floor)


def gradient_keys(derivation: Derivation) -> list[Key]:
    """Every element of everything given that was differentiated by."""
    return [key for q in differentiated(derivation) if q.given for key in places(q)]


def of_hidden_alone(derivation: Derivation) -> bool:
    """Whether it was differentiated, and by nothing that is given."""
    return bool(derivation.backward.equations) and not gradient_keys(derivation)


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


class Raised(sympy.Function):
    """A power whose exponent is no plain number; SymPy's own slope divides by the base."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        base, exponent = self.args
        if argindex == 1:
            return exponent * Raised(base, exponent - 1)
        return Raised(base, exponent) * sympy.log(base)


def _raised(expr: sympy.Expr) -> sympy.Expr:
    return expr.replace(lambda e: e.is_Pow and e.exp.free_symbols, lambda e: Raised(*e.args))


class Fixed(sympy.Function):
    """A value that is held fixed."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class Sign(sympy.Function):
    """-1, 0 or 1; SymPy's own has an impulse for a slope."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class Whole(sympy.Function):
    """The largest whole number that is not above a value; SymPy does not differentiate its own."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class Size(sympy.Function):
    """The absolute value, with the slope 0 at 0."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return Sign(self.args[0])


class Root(sympy.Function):
    """A power between 0 and 1, with the slope 0 at 0."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        base, exponent = self.args
        return Choice(Above(base, 0), exponent * self / base, 0)


def _angle(y: Any, x: Any) -> sympy.Expr:
    """The angle of a point, side by side, so that its slope is that of an arctangent."""
    quarter = sympy.pi / 2
    left = Choice(Above(0, x), sympy.pi + sympy.atan(y / x), 0)
    below = Choice(Above(0, y), -quarter - sympy.atan(x / y), left)
    return Choice(
        Above(x, 0), sympy.atan(y / x), Choice(Above(y, 0), quarter - sympy.atan(x / y), below)
    )


def _power(base: Any, exponent: Any) -> sympy.Expr:
    between = isinstance(exponent, sympy.Rational) and 0 < exponent < 1
    return Root(base, exponent) if between and base.free_symbols else base**exponent


def _either(test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    """A choice by a test that is 1 or 0; one without symbols is decided."""
    if test.free_symbols:
        return Choice(test, yes, no)
    with working():
        return yes if lazy_function([], test, KINKS)() == 1 else no


KINKS: Mapping[str, Callable[..., Any]] = {
    "Above": TIES["greater"],
    "Larger": TIES["max"],
    "Sign": TIES["sign"],
    "Whole": TIES["floor"],
    "Fixed": lambda x: x,
    "Size": TIES["abs"],
    "Root": lambda base, exponent: base**exponent,
    "Raised": lambda base, exponent: base**exponent,
}

SYMBOLIC = Algebra(
    lambda number: sympy.Rational(number.numerator, number.denominator),
    {
        **{row.name: row.definition or row.symbol for row in ROWS},
        "max": Larger,
        "min": lambda a, b: -Larger(-a, -b),
        "abs": Size,
        "sign": Sign,
        "floor": Whole,
        "atan2": _angle,
        "lgamma": sympy.loggamma,
        "digamma": sympy.digamma,
        "stop_gradient": Fixed,
        "greater": Above,
        "at_least": lambda a, b: 1 - Above(b, a),
        "where": _either,
    },
    decided=lambda test: None if test.free_symbols else bool(_either(test, 1, 0) == 1),
    power=_power,
    symbols=True,
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
    loss = _raised(run(graph, {**symbols, **whole}, SYMBOLIC)[graph.loss.name, ()])
    keys = gradient_keys(derivation)
    keys = keys[:: max(1, math.ceil(len(keys) / MOST_SYMPY))]
    slopes = lazy_function(
        list(symbols.values()), [sympy.diff(loss, symbols[key]) for key in keys], KINKS
    )
    for bench in benches:
        here = partial(slopes, *[bench.given[key] for key in symbols])
        yield from _enough(bench, keys, here)


def _enough(bench: Bench, keys: Sequence[Key], slopes: Callable[[], Any]) -> list[Comparison]:
    """Slopes beside those that were derived, with more digits where they disagree.

    Written out, log(1 + exp(x)) is log(1) with a hundred digits where its value is 1e-252.
    """
    digits = bench.digits
    while True:
        with mp.workdps(digits):
            found = [
                compared(f"∂E/∂{entry(*key)}", bench.adjoint(key), slope, bench.floor)
                for key, slope in zip(keys, slopes(), strict=True)
            ]
        agree = all(each.error <= EXACT_TOLERANCE for each in found)
        if agree or digits >= MOST_DIGITS:
            return found
        digits = min(4 * digits, MOST_DIGITS)


def steps(bench: Bench, most: int = BUDGET) -> Iterator[Comparison]:
    """Route 4: both sides of every step, for a choice of values of its free indices."""
    derivation, values = bench.derivation, bench.derived
    share = max(2, min(MOST_PLACES, 20 * most // max(1, len(derivation.steps))))
    with mp.workdps(bench.digits):
        for step in derivation.steps:
            for place in some(lengths(step.indices), share):
                binding = dict(zip(step.indices, place, strict=True))
                before = value(step.before, values, binding, EXACT)
                after = value(step.after, values, binding, EXACT)
                what = f"{step.rule} of {entry(step.quantity, place)}"
                yield compared(what, after, before, bench.floor)
        for equation in derivation.backward.equations:
            yield from arrivals(bench, equation, share)


def arrivals(bench: Bench, equation: Equation, share: int) -> Iterator[Comparison]:
    """The last step of a quantity against the equation it arrives at."""
    steps = bench.derivation.steps
    last = [s for s in steps if adjoint_name(s.quantity) == equation.quantity.name][-1:]
    for step in last:
        for place in some(equation.quantity.shape, share):
            binding = dict(zip(step.indices, place, strict=True))
            found = bench.derived[equation.quantity.name, place]
            expected = value(step.after, bench.derived, binding, EXACT)
            what = f"last step of {entry(step.quantity, place)}"
            yield compared(what, found, expected, bench.floor)
