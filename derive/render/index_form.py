r"""Index form: equations as they stand in a graph, for all values of their indices.

    net2[n,o]  →  \mathrm{net}_{o}          adj_net2[n,o]  →  \delta_{o}

The batch index is not written when the batch is a single sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from derive.expression import Element, Fresh, Index, Total, elements, rebuild, substitute
from derive.graph import Equation, Kind, Role, letters_by_place
from derive.letters import tidy
from derive.notation import ADJOINT, LOSS_TEX
from derive.problem import Problem
from derive.render.formula import Writer
from derive.render.pieces import Piece, Tightness


@dataclass(frozen=True)
class IndexForm:
    """Writes equations of one problem in index form."""

    problem: Problem

    def lhs(self, element: Element) -> str:
        return self._leaf(element).tex

    def tex(self, expr: sympy.Expr) -> str:
        """An expression in index form."""
        plain = rebuild(self._without_batch(expr), _share_outside)
        return Writer(self._leaf, self._rank).tex(plain)

    def equation(self, equation: Equation) -> str:
        return f"{self.lhs(equation.lhs)} = {self.tex(equation.rhs)}"

    def _without_batch(self, expr: sympy.Expr) -> sympy.Expr:
        """A sum over a batch of one is its only term."""
        if self.problem.batch > 1:
            return expr
        of_samples = {index for each in elements(expr) for index in self._samples(each)}
        return rebuild(
            expr,
            lambda node: (
                node.body if isinstance(node, Total) and node.index in of_samples else node
            ),
        )

    def _samples(self, element: Element) -> Iterator[Index]:
        """The letters that stand in the place of the sample."""
        value = Element(element.name.removeprefix(ADJOINT), *element.indices)
        for index, axis in letters_by_place(value, self.problem.graph.quantities):
            if axis.name == "batch":
                yield index

    def _leaf(self, key: sympy.Expr) -> Piece:
        if not isinstance(key, Element):
            return Piece(str(key.name), Tightness.ATOM)
        if key.name.startswith(ADJOINT):
            return self._adjoint(Element(key.name.removeprefix(ADJOINT), *key.indices))
        return Piece(self._name(key), Tightness.ATOM)

    def _adjoint(self, element: Element) -> Piece:
        quantity = self.problem.graph.quantities[element.name]
        if quantity.kind is Kind.NET:
            mark = self._layer_mark(quantity.layer)
            return Piece(rf"\delta{mark}{self._indices(element)}", Tightness.ATOM)
        tex = rf"\frac{{\partial {LOSS_TEX}}}{{\partial {self._name(element)}}}"
        return Piece(tex, Tightness.PRODUCT)

    def _name(self, element: Element) -> str:
        quantity = self.problem.graph.quantities[element.name]
        if quantity.role is Role.LOSS:
            return LOSS_TEX
        symbol = quantity.tex
        if len(symbol) > 1:
            symbol = rf"\mathrm{{{symbol}}}"
        if quantity.role is Role.PARAMETER:
            mark = f"^{{({quantity.layer})}}" if len(self.problem.layers) > 1 else ""
        elif quantity.role is Role.TARGET or quantity.kind is Kind.ERROR:
            mark = ""
        else:
            mark = self._layer_mark(quantity.layer)
        return f"{symbol}{mark}{self._indices(element)}"

    def _layer_mark(self, layer: int) -> str:
        inner = 0 < layer < len(self.problem.layers)
        return f"^{{({layer})}}" if inner and len(self.problem.layers) > 2 else ""

    def _indices(self, element: Element) -> str:
        hidden = set(self._samples(element)) if self.problem.batch == 1 else ()
        shown = [str(index) for index in element.indices if index not in hidden]
        single = all(len(index) == 1 for index in shown)
        return f"_{{{('' if single else ',').join(shown)}}}" if shown else ""

    def _rank(self, key: sympy.Expr) -> tuple[int, ...]:
        if not isinstance(key, Element):
            return (3, 0)
        if key.name.startswith(ADJOINT):
            return (2, 0)
        names = list(self.problem.graph.quantities)
        quantity = self.problem.graph.quantities[key.name]
        parameter = quantity.role is Role.PARAMETER
        order = -1 if quantity.role is Role.TARGET else names.index(key.name)
        return (int(parameter), order)


def _share_outside(node: sympy.Expr) -> sympy.Expr:
    """A number common to all terms of a sum stands before it."""
    if isinstance(node, Total):
        share, rest = node.body.as_coeff_Mul()
        return share * Total(rest, node.index) if share != 1 else node
    return node


def inlined(expr: sympy.Expr, equation: Equation) -> sympy.Expr:
    """An expression with every element of a quantity replaced by its right-hand side."""
    fresh = Fresh()

    def change(node: sympy.Expr) -> sympy.Expr:
        if isinstance(node, Element) and node.name == equation.quantity.name:
            values = dict(zip(equation.indices, node.indices, strict=True))
            return substitute(equation.rhs, values, fresh)
        return node

    letters = frozenset(str(s) for s in expr.free_symbols)
    return tidy(rebuild(expr, change), letters)
