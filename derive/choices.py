"""Choices by a condition, as they enter the graph."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import sympy

from derive.expression import elements
from derive.functions import greater, where


def compared(
    sign: ast.cmpop, a: sympy.Expr, b: sympy.Expr, yes: sympy.Expr, no: sympy.Expr
) -> sympy.Expr:
    """One thing where a comparison holds, and another where it does not."""
    match sign:
        case ast.Gt():
            return _chosen(greater(a, b), yes, no)
        case ast.Lt():
            return _chosen(greater(b, a), yes, no)
        case ast.GtE():
            return _chosen(greater(b, a), no, yes)
    return _chosen(greater(a, b), no, yes)


def decided(signs: Sequence[ast.cmpop], sides: Sequence[sympy.Rational]) -> bool:
    """Whether a comparison of numbers holds, all of it."""
    pairs = zip(signs, sides, sides[1:], strict=False)
    return all(compared(sign, a, b, sympy.S.One, sympy.S.Zero) == 1 for sign, a, b in pairs)


def _chosen(test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    """A choice; a masked exponential becomes a product, so that a masked softmax is recognised."""
    if not any(True for _ in elements(test)):
        if yes == 0 and isinstance(no, sympy.exp):
            return where(test, sympy.S.Zero, sympy.S.One) * no
        if no == 0 and isinstance(yes, sympy.exp):
            return where(test, sympy.S.One, sympy.S.Zero) * yes
    return where(test, yes, no)
