"""What a graph means to a library of tensors: each equation at once for all its entries.

It reads equations, as the interpreter does, but shares no code with it. In a scope of n letters
everything is an array of n axes, of length one where a letter is not used, so all of it broadcasts.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy

from derive.expression import Delta, Element, Index, Inside, Largest, LogTotalExp, Total
from derive.functions import BY_SYMBOL, maximum, minimum
from derive.graph import Graph
from derive.places import Division, Quotient, Remainder

Tables = Mapping[str, Any]
Scope = tuple[Index, ...]


class Unsupported(Exception):
    """A graph that is not computed one equation after the other."""


@dataclass(frozen=True)
class Library:
    """A library of tensors: its module with the names of NumPy, and what differs between them."""

    arrays: Any
    whole: Any  # the module for positions
    number: Callable[[float], Any]
    functions: Mapping[str, Callable[..., Any]]

    def divisor(self, value: Any) -> Any:
        """What is divided by; no number where its square overflows.

        The slope of a quotient divides by that square, and dividing by what overflowed makes it 0
        without a word.
        """
        arrays = self.arrays
        return arrays.where(arrays.isfinite(value * value), value, math.nan)


def loss_of(graph: Graph, given: Tables, library: Library) -> Any:
    """The loss as a tensor. Raises Unsupported for a recurrence."""
    if any(block.step for block in graph.blocks):
        raise Unsupported("a recurrence is not computed at once")
    tables = dict(given)
    for equation in graph.equations:
        found = _Reader(tables, library).value(equation.rhs, equation.indices)
        tables[equation.quantity.name] = library.arrays.broadcast_to(found, equation.quantity.shape)
    return tables[graph.loss.name]


@dataclass(frozen=True)
class _Reader:
    """Reads expressions, given the tensors so far."""

    tables: Tables
    library: Library

    def value(self, expr: sympy.Expr, scope: Scope) -> Any:
        """An expression as an array with an axis for each letter of the scope."""
        match expr:
            case Element():
                return self._element(expr, scope, self.library.arrays, 0.0)
            case Index() | Division() | Delta() | Inside():
                return self.library.number(1.0) * self._whole(expr, scope)
            case Total():
                return self._spread(expr.body, scope, (expr.index,)).sum(-1)
            case LogTotalExp():
                total = Total(sympy.exp(expr.body), expr.index)
                return self.library.functions["log"](self.value(total, scope))
            case Largest():
                return self._largest(expr, scope)
            case sympy.Add():
                return reduce(operator.add, [self.value(each, scope) for each in expr.args])
            case sympy.Mul():
                return self._product(expr, scope)
            case sympy.Pow():
                return self._power(expr, scope)
            case _ if expr.is_number and not expr.args:
                return self._constant(expr, scope)
        return self._applied(expr, scope)

    def _constant(self, expr: sympy.Expr, scope: Scope) -> Any:
        return self.library.number(float(expr)).reshape((1,) * len(scope))

    def _spread(self, body: sympy.Expr, scope: Scope, bound: Scope) -> Any:
        """A value for all places of the bound letters, which share the last axis."""
        found = self.value(body, (*scope, *bound))
        outer = found.shape[: len(scope)]
        full = (*outer, *(index.axis.length for index in bound))
        if found.shape != full:
            found = self.library.arrays.broadcast_to(found, full)
        return found if len(bound) == 1 else found.reshape((*outer, -1))

    def _largest(self, expr: Largest, scope: Scope) -> Any:
        """The first of the largest: a tie has the slope of one of them."""
        found = self._spread(expr.body, scope, expr.bound)
        arrays, first = self.library.arrays, found.argmax(-1)[..., None]
        here = arrays.arange(found.shape[-1]) == first
        return arrays.where(here, found, 0.0).sum(-1)

    def _product(self, expr: sympy.Mul, scope: Scope) -> Any:
        """A product, which is zero where a condition does not hold, whatever else is there."""
        tests = [each for each in expr.args if isinstance(each, Delta | Inside)]
        factors = [self.value(each, scope) for each in expr.args if each not in tests]
        found = reduce(operator.mul, factors or [self.library.number(1.0)])
        for each in tests:
            found = self.library.arrays.where(self._whole(each, scope), found, 0.0)
        return found

    def _power(self, expr: sympy.Pow, scope: Scope) -> Any:
        base = self.value(expr.base, scope)
        if expr.exp.is_negative and expr.exp.is_Integer:
            return self.library.divisor(base ** -int(expr.exp)) ** -1
        if expr.exp.is_Integer:
            return base ** int(expr.exp)
        return base ** self.value(expr.exp, scope)

    def _applied(self, expr: sympy.Expr, scope: Scope) -> Any:
        arguments = expr.args
        if isinstance(expr, maximum | minimum) and arguments[1].is_number:
            arguments = arguments[::-1]  # the first wins a tie, and a constant wins against all
        function = self.library.functions[BY_SYMBOL[expr.func].name]
        return function(*[self.value(argument, scope) for argument in arguments])

    def _element(self, expr: Element, scope: Scope, arrays: Any, zero: Any) -> Any:
        """Entries at computed places; outside its range a quantity is zero."""
        table = self.tables[expr.name]
        letters = [scope.index(i) if isinstance(i, Index) else -1 for i in expr.indices]
        if len(set(letters) - {-1}) == len(letters) and table.shape == _lengths(expr):
            return _laid_out(arrays, table, letters, len(scope))
        whole, inside, places = self.library.whole, True, []
        for position, length in zip(expr.indices, table.shape, strict=True):
            place = self._whole(position, scope)
            inside = inside & (place >= 0) & (place < length)
            places.append(whole.clip(place, 0, length - 1))
        return arrays.where(inside, table[tuple(places)], zero)

    def _whole(self, expr: sympy.Expr, scope: Scope) -> Any:
        """A position, or a condition on positions, in whole numbers."""
        whole = self.library.whole
        match expr:
            case Index():
                shape = [expr.axis.length if letter == expr else 1 for letter in scope]
                return whole.arange(expr.axis.length).reshape(shape)
            case sympy.Integer():
                return whole.full((1,) * len(scope), int(expr))
            case sympy.Add():
                return reduce(operator.add, [self._whole(each, scope) for each in expr.args])
            case sympy.Mul():
                return reduce(operator.mul, [self._whole(each, scope) for each in expr.args])
            case sympy.Pow():
                return self._whole(expr.base, scope) ** int(expr.exp)
            case Quotient():
                return self._whole(expr.position, scope) // expr.divisor
            case Remainder():
                return self._whole(expr.position, scope) % expr.divisor
            case Delta():
                left, right = (self._whole(side, scope) for side in expr.args)
                return left == right
            case Inside():
                place, size = (self._whole(side, scope) for side in expr.args)
                return (place >= 0) & (place < size)
            case Element():
                return self._element(expr, scope, whole, 0)
        raise Unsupported(f"the index {expr} is not whole")


def _lengths(expr: Element) -> tuple[int, ...]:
    """The lengths of the letters by which an element is read."""
    return tuple(i.axis.length for i in expr.indices if isinstance(i, Index))


def _laid_out(arrays: Any, table: Any, letters: list[int], count: int) -> Any:
    """A quantity that is read by plain letters: its axes in the order of the scope."""
    ranks = tuple(sorted(letters).index(letter) for letter in letters)
    if list(ranks) != sorted(ranks):
        table = arrays.moveaxis(table, tuple(range(len(letters))), ranks)
    shape = [1] * count
    for letter, length in zip(sorted(letters), table.shape, strict=True):
        shape[letter] = length
    return table if table.shape == tuple(shape) else table.reshape(tuple(shape))
