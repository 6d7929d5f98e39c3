"""Signs that hold whatever the values are: what surely is positive, or at least not negative.

Only what equations and functions promise counts, so that a guard against zero stands where zero can
come and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sympy

from derive.expression import Axis, Delta, Element, Inside, Largest, Total, rebuild
from derive.functions import (
    absolute,
    at_least,
    greater,
    logistic,
    maximum,
    minimum,
    softplus,
    where,
)
from derive.graph import Graph
from derive.places import on_axis

POSITIVE = (sympy.exp, logistic, softplus)
NOT_NEGATIVE = (*POSITIVE, absolute, greater, at_least, Delta, Inside)


@dataclass(frozen=True)
class Signs:
    """The quantities of a graph that surely are above zero, with their axes; those not below it."""

    above: Mapping[str, tuple[Axis, ...]] = field(default_factory=dict)
    not_below: frozenset[str] = frozenset()

    def positive(self, expr: sympy.Expr) -> bool:
        """Whether an expression surely is above zero."""
        match expr:
            case Element():
                axes = self.above.get(expr.name)
                return axes is not None and all(
                    on_axis(place, axis.size)
                    for place, axis in zip(expr.indices, axes, strict=True)
                )
            case sympy.Add():
                return all(map(self.at_least_zero, expr.args)) and any(
                    map(self.positive, expr.args)
                )
            case sympy.Mul() | minimum():
                return all(map(self.positive, expr.args))
            case sympy.Pow():
                return self.positive(expr.base)
            case Total() | Largest():
                return self.positive(expr.body)
            case maximum():
                return any(map(self.positive, expr.args))
            case where():
                return all(map(self.positive, expr.args[1:]))
        return isinstance(expr, POSITIVE) or bool(expr.is_number and expr.is_positive)

    def at_least_zero(self, expr: sympy.Expr) -> bool:
        """Whether an expression surely is not below zero."""
        match expr:
            case Element():
                return expr.name in self.not_below
            case sympy.Add() | sympy.Mul() | minimum():
                return all(map(self.at_least_zero, expr.args))
            case sympy.Pow():
                even = bool(expr.exp.is_Integer and expr.exp % 2 == 0)
                return even or not expr.exp.is_Integer or self.at_least_zero(expr.base)
            case Total() | Largest():
                return self.at_least_zero(expr.body)
            case maximum():
                return any(map(self.at_least_zero, expr.args))
            case where():
                return all(map(self.at_least_zero, expr.args[1:]))
        return isinstance(expr, NOT_NEGATIVE) or bool(expr.is_number and expr.is_nonnegative)

    def settled(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression without the choices of which the condition surely holds."""
        return rebuild(expr, self._decided) if expr.has(greater) else expr

    def _decided(self, node: sympy.Expr) -> sympy.Expr:
        if isinstance(node, where) and isinstance(node.args[0], greater):
            left, right = node.args[0].args
            if right == 0 and self.positive(left):
                return node.args[1]
        return node


def signs_of(graph: Graph) -> Signs:
    """What the equations of a graph promise, each from what those before it do.

    Beyond its range an entry is zero, so only one that is surely read within it is above zero.
    """
    signs = Signs(not_below=frozenset(q.name for q in graph.given if q.sums_to_one))
    for equation in graph.equations:
        quantity = equation.quantity
        if signs.positive(equation.rhs):
            signs = replace(signs, above={**signs.above, quantity.name: quantity.axes})
        if signs.at_least_zero(equation.rhs):
            signs = replace(signs, not_below=signs.not_below | {quantity.name})
    return signs
