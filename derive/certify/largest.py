"""The largest of several values, written out place by place.

y = max(r, x[r])      the largest of the values at all places of r
∂y/∂x[1]              1 if the value at 1 is the first of the largest, else 0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce

import sympy

from derive.expression import (
    Chosen,
    Delta,
    Fresh,
    Greatest,
    Index,
    Largest,
    Picked,
    rebuild,
    substitute,
)
from derive.functions import at_least, greater, maximum
from derive.numbers import Number, evaluate
from derive.scalar import positions


def written_out(expr: sympy.Expr) -> sympy.Expr:
    """An expression with the values of which it takes the largest, one after the other."""
    return rebuild(expr, _written) if expr.has(Largest) else expr


def _written(node: sympy.Expr) -> sympy.Expr:
    if isinstance(node, Largest):
        values = tuple(_values(node))
        return Greatest(*values) if len(values) > 1 else values[0]
    if isinstance(node, Chosen):
        values = tuple(map(written_out, _values(node.largest)))
        return sympy.Add(*_choices(node, values)) if len(values) > 1 else sympy.S.One
    return node


def _choices(node: Chosen, values: Sequence[sympy.Expr]) -> Iterator[sympy.Expr]:
    for number, spot in enumerate(_spots(node.largest)):
        here = [Delta(place, k) for place, k in zip(node.positions, spot, strict=True)]
        yield sympy.Mul(*here, Picked(number, *values))


def _spots(largest: Largest) -> Iterator[tuple[int, ...]]:
    return positions(tuple(index.axis for index in largest.bound))


def _values(largest: Largest) -> Iterator[sympy.Expr]:
    for spot in _spots(largest):
        at: dict[Index, sympy.Expr] = {
            index: sympy.Integer(k) for index, k in zip(largest.bound, spot, strict=True)
        }
        yield substitute(largest.body, at, Fresh())


def value(expr: sympy.Expr, value_of: Callable[[sympy.Expr], Number]) -> Number:
    """The number that an expression comes to, which may take the largest of several values."""
    plain = rebuild(expr, _compared) if expr.has(Greatest, Picked) else expr
    return evaluate(plain, value_of)


def _compared(node: sympy.Expr) -> sympy.Expr:
    """By comparing two values at a time."""
    if isinstance(node, Greatest):
        return reduce(maximum, node.args)
    if isinstance(node, Picked):
        own = node.values[node.place]
        before = [greater(own, other) for other in node.values[: node.place]]
        return sympy.Mul(*before, *(at_least(own, x) for x in node.values[node.place + 1 :]))
    return node


def place_of_largest(values: Sequence[sympy.Expr], side: Callable[[sympy.Expr], Number]) -> int:
    """The place of the first of the largest values."""
    numbers = [side(each) for each in values]
    return max(range(len(numbers)), key=lambda k: numbers[k])
