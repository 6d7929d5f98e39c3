"""Attention: weights that add up to one and with which something is summed, as equations say."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from derive.expression import Element, Index, Total, alike, elements
from derive.graph import Equation, Graph, Role


@dataclass(frozen=True)
class Attention:
    """Weights over the last axis of a table; `scores` are what they are computed of.

    `mask` says by the letters of the equation where there is a weight; None if everywhere.
    """

    equation: Equation
    scores: str
    mask: sympy.Expr | None


def attention_of(graph: Graph, equation: Equation) -> Attention | None:
    """The weights of an equation; None if it has none, or nothing is summed with them.

    Weights are a positive number divided by the sum of all such numbers over the last letter.
    """
    if len(equation.indices) < 2 or not _are_weights(graph, equation):
        return None
    over = equation.indices[-1]
    above = [f for f in sympy.Mul.make_args(equation.rhs) if not _below(f)]
    below = [f.base for f in sympy.Mul.make_args(equation.rhs) if _below(f)]
    whole = sympy.Mul(*above)
    if len(below) != 1 or not isinstance(below[0], Total):
        return None
    total = below[0]
    if not alike(total.body, whole, {total.index: over}):
        return None
    factors = sympy.Mul.make_args(whole)
    masks = [f for f in factors if not f.has(Element) and f.free_symbols]
    score = sympy.Mul(*[f for f in factors if f not in masks])
    read = {e.name for e in elements(score)} if isinstance(score, sympy.exp) else set()
    scores = [n for n in sorted(read) if _stands_alike(n, score, equation.indices)]
    if len(scores) != 1:
        return None
    return Attention(equation, scores[0], sympy.Mul(*masks) if masks else None)


def _below(factor: sympy.Expr) -> bool:
    return isinstance(factor, sympy.Pow) and factor.exp == -1


def _stands_alike(name: str, expr: sympy.Expr, indices: tuple[Index, ...]) -> bool:
    """Whether a table is read with the letters of the result only."""
    return any(e.name == name and e.indices == indices for e in elements(expr))


def _are_weights(graph: Graph, equation: Equation) -> bool:
    """Whether something is summed over the last axis with them, on the way to the loss."""
    name = equation.quantity.name
    readers = graph.readers(name)
    return any(
        isinstance(node, Total)
        and reader.quantity.role is not Role.LOSS
        and any(_reads(factor, name, node.index) for factor in sympy.Mul.make_args(node.body))
        for reader in readers
        for node in sympy.preorder_traversal(reader.rhs)
    )


def _reads(factor: sympy.Expr, name: str, letter: Index) -> bool:
    """Whether a factor is an entry of a table, its last place a letter."""
    return isinstance(factor, Element) and factor.name == name and factor.indices[-1] == letter
