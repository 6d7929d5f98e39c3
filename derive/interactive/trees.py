"""Expressions as nested lists: the program of the page, which is the derivation itself.

A leaf is the number of a key or a literal such as "1/2"; any other node is a list of its head and
what is below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import sympy

from derive.errors import InputError
from derive.expression import Element
from derive.functions import BY_SYMBOL

Tree: TypeAlias = "int | str | list[Tree]"
HEADS = {sympy.Add: "+", sympy.Mul: "*", sympy.Pow: "^"}


def tree(expr: sympy.Expr, keys: Mapping[sympy.Expr, int]) -> Tree:
    """An expression in keys of a sheet. Raises InputError for a node that no page computes."""
    if isinstance(expr, Element | sympy.Symbol):
        return keys[expr]
    if isinstance(expr, sympy.Rational):
        return f"{expr.p}/{expr.q}" if expr.q != 1 else f"{expr.p}"
    if expr in (sympy.pi, sympy.E):
        return ["pi" if expr == sympy.pi else "e"]
    below = [tree(argument, keys) for argument in expr.args]
    if expr.func in HEADS:
        return [HEADS[expr.func], *below]
    if expr.func not in BY_SYMBOL:
        raise InputError(f"an interactive page cannot compute {expr.func.__name__}")
    return [BY_SYMBOL[expr.func].name, *below]
