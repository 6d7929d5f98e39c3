"""The scalar view: index equations written out element by element, with numbers for indices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from types import MappingProxyType

import sympy

from derive.expression import (
    Axis,
    Element,
    Index,
    Largest,
    LogTotalExp,
    Total,
)
from derive.functions import absolute, maximum, where
from derive.graph import Equation, Graph, Local

# What letters are, and entries of given whole numbers where positions read them.
Binding = Mapping[Index | Element, int]
Whole = Mapping[Element, int]
NO_NUMBERS: Whole = MappingProxyType({})


def positions(axes: tuple[Axis, ...]) -> Iterator[tuple[int, ...]]:
    """All index values of a quantity, last index fastest."""
    return product(*[range(axis.length) for axis in axes])


def expand(expr: sympy.Expr, binding: Binding, shapes: Mapping[str, tuple[int, ...]]) -> sympy.Expr:
    """An expression for fixed index values: sums written out, deltas decided.

    Elements outside their range become zero.
    """
    if isinstance(expr, Index):
        return sympy.Integer(binding[expr])
    if isinstance(expr, Element):
        indices = [expand(position, binding, shapes) for position in expr.indices]
        inside = zip(indices, shapes[expr.name], strict=True)
        if all(0 <= index < size for index, size in inside):
            found = Element(expr.name, *indices)
            return sympy.Integer(binding[found]) if found in binding else found
        return sympy.Integer(0)
    if isinstance(expr, Total | LogTotalExp):
        bodies = [
            expand(expr.body, {**binding, expr.index: k}, shapes)
            for k in range(expr.index.axis.length)
        ]
        if isinstance(expr, Total):
            return sympy.Add(*bodies)
        return sympy.log(sympy.Add(*map(sympy.exp, bodies)))
    if isinstance(expr, Largest):
        return _largest(expr, binding, shapes)
    if not expr.args:
        return expr
    if isinstance(expr, where):
        return _choice(expr, binding, shapes)
    made = expr.func(*[expand(argument, binding, shapes) for argument in expr.args])
    return made.replace(sympy.Abs, absolute) if isinstance(expr, sympy.Pow) else made


def _choice(expr: where, binding: Binding, shapes: Mapping[str, tuple[int, ...]]) -> sympy.Expr:
    """A choice; where the indices decide it, it is the branch taken, and the other is not read."""
    test, yes, no = expr.args
    holds = expand(test, binding, shapes)
    if holds.is_Integer:
        return expand(yes if holds == 1 else no, binding, shapes)
    return where(holds, expand(yes, binding, shapes), expand(no, binding, shapes))


def _largest(expr: Largest, binding: Binding, shapes: Mapping[str, tuple[int, ...]]) -> sympy.Expr:
    """The first of the largest values, as nested `max`."""
    result: sympy.Expr | None = None
    for values in positions(tuple(index.axis for index in expr.bound)):
        below = {**binding, **dict(zip(expr.bound, values, strict=True))}
        value = expand(expr.body, below, shapes)
        result = value if result is None else maximum(result, value)
    if result is None:
        raise ValueError("the largest of no values")
    return result


def shapes_of(graph: Graph) -> dict[str, tuple[int, ...]]:
    """The shape of every quantity."""
    return {name: quantity.shape for name, quantity in graph.quantities.items()}


def scalar_equations(
    equation: Equation, shapes: Mapping[str, tuple[int, ...]], whole: Whole = NO_NUMBERS
) -> Iterator[tuple[Element, sympy.Expr]]:
    """One equation as scalar equations, in index order."""
    for values in positions(equation.quantity.axes):
        binding: dict[Index | Element, int] = {**whole}
        binding |= zip(equation.indices, values, strict=True)
        yield (
            Element(equation.quantity.name, *values),
            expand(equation.rhs, binding, shapes),
        )


def local_slope(
    local: Local,
    of: Element,
    by: Element,
    shapes: Mapping[str, tuple[int, ...]],
    whole: Whole = NO_NUMBERS,
) -> sympy.Expr:
    """∂of/∂by for two scalars, from the local derivative of their equation."""
    letters, places = (*local.indices, *local.at), (*of.indices, *by.indices)
    binding: dict[Index | Element, int] = {**whole}
    binding |= zip(letters, map(int, places), strict=True)
    return expand(local.value, binding, shapes)
