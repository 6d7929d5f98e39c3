"""Positions on the page: index letters, and what is computed from them in a subscript."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from derive.expression import Index
from derive.render.pieces import Piece


def letter(name: str) -> str:
    """An index letter; a number behind it becomes a subscript."""
    head = name.rstrip("0123456789")
    return f"{head}_{{{name[len(head) :]}}}" if head and head != name else name


def position(expr: sympy.Expr, leaf: Callable[[sympy.Expr], Piece]) -> str:
    """What stands in a place of a subscript: letters first, numbers last, no spaces."""
    terms = []
    for term in sympy.Add.make_args(sympy.expand(expr)):
        count, rest = term.as_coeff_Mul()
        factors = [_place_factor(f, leaf) for f in sympy.Mul.make_args(rest) if f != 1]
        text = "".join(factors)
        size = "" if abs(count) == 1 and text else str(abs(count))
        terms.append((not text, bool(count < 0), size + text))
    terms.sort(key=lambda term: (term[0], term[1]))
    tex = "".join(f"{'-' if minus else '+'}{text}" for _, minus, text in terms)
    return tex.removeprefix("+")


def is_position(expr: sympy.Expr) -> bool:
    """Whether an expression is a computed place: a polynomial of index letters."""
    nodes = Index | sympy.Integer | sympy.Add | sympy.Mul | sympy.Pow
    inside = all(isinstance(node, nodes) for node in sympy.preorder_traversal(expr))
    return inside and bool(expr.atoms(Index))


def _place_factor(factor: sympy.Expr, leaf: Callable[[sympy.Expr], Piece]) -> str:
    if isinstance(factor, Index):
        return letter(factor.name)
    if isinstance(factor, sympy.Pow):
        return f"{_place_factor(factor.base, leaf)}^{{{factor.exp}}}"
    return leaf(factor).tex
