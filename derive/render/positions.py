"""Positions on the page: index letters, and what is computed from them in a subscript."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from derive.expression import Index
from derive.places import Division, Quotient
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
        alone = term == expr
        factors = [_place_factor(f, leaf, alone) for f in sympy.Mul.make_args(rest) if f != 1]
        text = "".join(factors)
        size = "" if abs(count) == 1 and text else str(abs(count))
        digit = -abs(count) if text and expr.has(Division) else 0  # the highest digit first
        terms.append((not text, bool(count < 0), digit, size + text))
    terms.sort(key=lambda term: term[:3])
    tex = "".join(f"{'-' if minus else '+'}{text}" for _, minus, _, text in terms)
    return tex.removeprefix("+")


def is_position(expr: sympy.Expr) -> bool:
    """Whether an expression is a computed place: a polynomial of index letters."""
    nodes = Index | sympy.Integer | sympy.Add | sympy.Mul | sympy.Pow | Division
    inside = all(isinstance(node, nodes) for node in sympy.preorder_traversal(expr))
    return inside and bool(expr.atoms(Index))


def _place_factor(
    factor: sympy.Expr, leaf: Callable[[sympy.Expr], Piece], alone: bool = False
) -> str:
    if isinstance(factor, Index):
        return letter(factor.name)
    if isinstance(factor, Division):
        tex = division(factor, leaf)
        return tex if alone or isinstance(factor, Quotient) else f"({tex})"
    if isinstance(factor, sympy.Pow):
        return f"{_place_factor(factor.base, leaf)}^{{{factor.exp}}}"
    return leaf(factor).tex


def division(expr: Division, leaf: Callable[[sympy.Expr], Piece]) -> str:
    """A quotient, rounded down, or what remains."""
    place = position(expr.position, leaf)
    place = f"({place})" if isinstance(expr.position, sympy.Add) else place
    if isinstance(expr, Quotient):
        return rf"\lfloor {place}/{expr.divisor} \rfloor"
    return rf"{place} \bmod {expr.divisor}"
