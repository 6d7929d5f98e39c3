"""What a graph means: a slow nested-loop interpreter over any kind of number.

It is the oracle of the routes, so it shares no code with the calculus, the scalar view or the
emitters. Numbers may be `mpf`, SymPy expressions, or scalars of a tensor library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.expression import (
    Chosen,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Slope,
    Total,
)
from derive.functions import BY_SYMBOL
from derive.graph import Graph

Key = tuple[str, tuple[int, ...]]
Values = dict[Key, Any]
DIGITS = 50
STEP = 18  # a central difference with h = 10^-18 is good to about 10^-30


@dataclass(frozen=True)
class Algebra:
    """A kind of number: how constants enter, and the functions by their name in the language."""

    number: Callable[[Fraction], Any]
    functions: Mapping[str, Callable[..., Any]]


EXACT = Algebra(
    lambda value: mp.mpf(value.numerator) / value.denominator,
    {row.name: row.exact for row in BY_SYMBOL.values()},
)


def run(
    graph: Graph, given: Values, algebra: Algebra = EXACT, moved: Mapping[Key, Any] | None = None
) -> Values:
    """The value of every element of the graph; `moved` adds to an element once it is known."""
    shifts = moved or {}
    values = {key: v + shifts[key] if key in shifts else v for key, v in given.items()}
    for equation in graph.equations:
        computed = {}
        for position in product(*[range(axis.length) for axis in equation.quantity.axes]):
            binding = dict(zip(equation.indices, position, strict=True))
            key = (equation.quantity.name, position)
            computed[key] = value(equation.rhs, values, binding, algebra)
            if key in shifts:
                computed[key] = computed[key] + shifts[key]
        values.update(computed)
    return values


def value(expr: sympy.Expr, values: Values, binding: dict[Index, int], algebra: Algebra) -> Any:
    """The value of an expression with its free indices bound."""

    def again(node: sympy.Expr, more: Mapping[Index, int] | None = None) -> Any:
        return value(node, values, {**binding, **(more or {})}, algebra)

    match expr:
        case Element():
            place = tuple(_position(index, binding) for index in expr.indices)
            return values.get((expr.name, place), algebra.number(Fraction(0)))
        case Index():
            return algebra.number(Fraction(binding[expr]))
        case sympy.Rational():
            return algebra.number(Fraction(int(expr.p), int(expr.q)))
        case Total():
            total = algebra.number(Fraction(0))
            for k in range(expr.index.axis.length):
                total = total + again(expr.body, {expr.index: k})
            return total
        case LogTotalExp():
            return algebra.functions["log"](again(Total(sympy.exp(expr.body), expr.index)))
        case Largest():
            return _largest(expr, values, binding, algebra)[0]
        case Chosen():
            winner = _largest(expr.largest, values, binding, algebra)[1]
            asked = tuple(_position(place, binding) for place in expr.positions)
            return algebra.number(Fraction(int(winner == asked)))
        case Delta():
            left, right = (_position(side, binding) for side in expr.args)
            return algebra.number(Fraction(int(left == right)))
        case Inside():
            position, size = (_position(side, binding) for side in expr.args)
            return algebra.number(Fraction(int(0 <= position < size)))
        case Slope():
            return _slope(expr, values, binding, algebra)
        case sympy.Add():
            total = again(expr.args[0])
            for argument in expr.args[1:]:
                total = total + again(argument)
            return total
        case sympy.Mul():
            result = again(expr.args[0])
            for argument in expr.args[1:]:
                result = result * again(argument)
            return result
        case sympy.Pow():
            return _power(expr, again, algebra)
    if expr == sympy.pi:
        return algebra.number(Fraction(str(mp.nstr(mp.pi, DIGITS))))
    name = BY_SYMBOL[expr.func].name
    return algebra.functions[name](*[again(argument) for argument in expr.args])


def _power(expr: sympy.Pow, again: Callable[..., Any], algebra: Algebra) -> Any:
    base, exponent = expr.args
    if exponent == sympy.Rational(1, 2):
        return again(base) ** 0.5
    if exponent.is_Integer:
        whole = again(base) ** abs(int(exponent))
        return whole if exponent > 0 else algebra.number(Fraction(1)) / whole
    return again(base) ** again(exponent)


def _position(expr: sympy.Expr, binding: Mapping[Index, int]) -> int:
    """An index expression as a number; it must come out whole."""
    if isinstance(expr, Index):
        return binding[expr]
    if expr.is_Integer:
        return int(expr)
    result = expr.subs(dict(binding), simultaneous=True)
    if not result.is_Integer:
        raise ValueError(f"the index {expr} is not whole")
    return int(result)


def _largest(
    expr: Largest, values: Values, binding: dict[Index, int], algebra: Algebra
) -> tuple[Any, tuple[int, ...]]:
    best: tuple[Any, tuple[int, ...]] | None = None
    for place in product(*[range(index.axis.length) for index in expr.bound]):
        below = {**binding, **dict(zip(expr.bound, place, strict=True))}
        current = value(expr.body, values, below, algebra)
        if best is None or current > best[0]:
            best = (current, place)
    if best is None:
        raise ValueError("the largest of no values")
    return best


def _slope(expr: Slope, values: Values, binding: dict[Index, int], algebra: Algebra) -> Any:
    """A central difference in the one element that is varied."""
    place = tuple(_position(index, binding) for index in expr.element.indices)
    key = (expr.element.name, place)
    step = mp.mpf(10) ** -STEP
    above = value(expr.body, {**values, key: values[key] + step}, binding, algebra)
    below = value(expr.body, {**values, key: values[key] - step}, binding, algebra)
    return (above - below) / (2 * step)
