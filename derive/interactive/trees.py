"""Expressions as nested lists: the program of the page, which is the derivation itself.

A leaf is a literal such as "1/2" or what stands for a quantity; any other node is a list of its
head and what is below it. A letter is ["i", name], and a sum names the letter that it binds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import sympy

from derive.errors import InputError
from derive.expression import (
    Chosen,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
)
from derive.functions import BY_SYMBOL
from derive.places import Quotient, Remainder
from derive.render.tensor_values import Arriving

Tree: TypeAlias = "int | str | list[Tree]"
HEADS = {
    sympy.Add: "+",
    sympy.Mul: "*",
    sympy.Pow: "^",
    Arriving: "arriving",
    Delta: "same",
    Inside: "inside",
    Quotient: "quotient",
    Remainder: "remainder",
}
SUMS = {Total: "sum", LogTotalExp: "log_sum"}


def tree(expr: sympy.Expr, leaf: Callable[[sympy.Expr], Tree]) -> Tree:
    """An expression; `leaf` is asked for elements and symbols.

    Raises InputError for a node that no page computes.
    """
    if isinstance(expr, Index):
        return ["i", expr.name]
    if isinstance(expr, Element | sympy.Symbol):
        return leaf(expr)
    if isinstance(expr, sympy.Rational):
        return f"{expr.p}/{expr.q}" if expr.q != 1 else f"{expr.p}"
    if expr in (sympy.pi, sympy.E):
        return ["pi" if expr == sympy.pi else "e"]
    if isinstance(expr, Largest):
        return ["largest", [_bound(index) for index in expr.bound], tree(expr.body, leaf)]
    if isinstance(expr, Chosen):
        return ["chosen", tree(expr.largest, leaf), *(tree(p, leaf) for p in expr.positions)]
    if expr.func in SUMS:
        return [SUMS[expr.func], _bound(expr.index), tree(expr.body, leaf)]
    below = [tree(argument, leaf) for argument in expr.args]
    if expr.func in HEADS:
        return [HEADS[expr.func], *below]
    if expr.func not in BY_SYMBOL:
        raise InputError(f"an interactive page cannot compute {expr.func.__name__}")
    return [BY_SYMBOL[expr.func].name, *below]


def _bound(index: Index) -> Tree:
    """A letter with the length of its axis."""
    return [index.name, index.axis.length]
