r"""Index form as products of matrices, where it plainly is one: Σ_k δ[n,k] W[k,i] is δ W.

A vector is a column. In doubt there is no matrix form.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from derive.expression import Element, Index, Total, elements
from derive.functions import BY_SYMBOL, greater, where
from derive.graph import Equation, Graph
from derive.render.index_writer import IndexWriter, outside_first
from derive.render.model_form import ModelForm
from derive.render.pieces import Piece, Tightness, bracket, join_sum, width

LINE = 60
ONES = r"\mathbf{1}"
Letters = tuple[Index, ...]


@dataclass(frozen=True)
class Factor:
    """A matrix, vector or number of a product: how it is written and over which letters."""

    tex: str
    hold: Tightness
    letters: Letters

    def along(self, first: Index) -> str:
        """The factor with this letter as its row."""
        if len(self.letters) < 2 or self.letters[0] == first:
            return self.standing
        return self.turned

    @property
    def standing(self) -> str:
        """The factor as it stands in a product."""
        return self.tex if self.hold >= Tightness.PRODUCT else bracket(self.tex)

    @property
    def turned(self) -> str:
        """The factor transposed."""
        plain = self.hold is Tightness.ATOM and "^" not in self.tex
        return rf"{self.tex if plain else bracket(self.tex)}^{{\top}}"


class _Doubt(Exception):
    """No plain product of matrices."""


def matrix_form(form: ModelForm, graph: Graph, equation: Equation) -> str:
    """An equation in matrices, or nothing."""
    if len(equation.indices) not in (1, 2) or not equation.rhs.has(Element):
        return ""
    try:
        right = _Reading(form, graph).sum(outside_first(equation.rhs), equation.indices)
    except _Doubt:
        return ""
    left = form.symbol(equation.quantity.name)
    if "\\\\" in right:
        return rf"\begin{{aligned}} {left} &= {right} \end{{aligned}}"
    return f"{left} = {right}"


@dataclass(frozen=True)
class _Reading:
    """Reads products of one graph."""

    form: ModelForm
    graph: Graph

    def sum(self, expr: sympy.Expr, free: Letters) -> str:
        """Summands in the order in which index form has them."""
        parts = []
        for argument in sympy.Add.make_args(expr):
            negative = bool(argument.as_coeff_Mul()[0].is_negative)
            body = -argument if negative else argument
            parts.append((negative, self._place(body), self.term(body, free)))
        parts.sort(key=lambda part: part[:2])
        return self._fitted([(minus, tex) for minus, _, tex in parts])

    def _fitted(self, parts: list[tuple[bool, str]]) -> str:
        """The summands, over several rows if there are many."""
        lines: list[list[tuple[bool, str]]] = [[]]
        for part in parts:
            if lines[-1] and sum(width(tex) + 3 for _, tex in [*lines[-1], part]) > LINE:
                lines.append([])
            lines[-1].append(part)
        rest = [
            f"{'-' if line[0][0] else '+'} {join_sum([(False, line[0][1]), *line[1:]])}"
            for line in lines[1:]
        ]
        return self.form.script.break_line.join([join_sum(lines[0]), *rest])

    def _place(self, expr: sympy.Expr) -> tuple[int, ...]:
        return min((self.form.rank(e) for e in elements(expr)), default=(-1,))

    def term(self, expr: sympy.Expr, free: Letters) -> str:
        """One product, summed over its bound letters."""
        bound: list[Index] = []
        factors = list(sympy.Mul.make_args(expr))
        while any(isinstance(f, Total) for f in factors):
            held = [f for f in factors if isinstance(f, Total)]
            if len(held) > 1:
                raise _Doubt
            factors.remove(held[0])
            bound.append(held[0].index)
            factors += sympy.Mul.make_args(held[0].body)
        number = sympy.Mul(*[f for f in factors if f.is_number])
        others = sorted((f for f in factors if not f.is_number), key=self._place)
        read = [self.factor(f) for f in others]
        scalars = [f.standing for f in read if not f.letters]
        tensors = _elementwise([f for f in read if f.letters])
        if not tensors:
            raise _Doubt
        front = [] if number == 1 else [self.form.tex(number)]
        if not (front or scalars) and len(tensors) == 1 and tensors[0].letters == free:
            return tensors[0].tex  # a product entry by entry needs no brackets around it
        product = _chains(tensors, free, tuple(bound))
        return self.form.script.dot.join([*front, *scalars, product])

    def factor(self, expr: sympy.Expr) -> Factor:
        """An element, or the same function of the entries of tensors over the same letters."""
        found = list(elements(expr))
        letters = found[0].indices if found else ()
        for element in found:
            if element.indices != letters or not self._plain(element):
                raise _Doubt
        if len(letters) > 2 or any(isinstance(n, Total) for n in sympy.preorder_traversal(expr)):
            raise _Doubt
        if not isinstance(expr, Element) and not _pointwise(expr):
            raise _Doubt
        if _counts(expr):
            raise _Doubt
        piece = self._writer(bool(letters)).piece(expr)
        return Factor(piece.tex, piece.hold, letters)

    def _plain(self, element: Element) -> bool:
        """Whether an element is read at letters of its own axes, each once."""
        axes = self.graph.quantities[element.name].axes
        return len({*element.indices}) == len(element.indices) and all(
            isinstance(place, Index) and place.axis.size == axis.size
            for place, axis in zip(element.indices, axes, strict=True)
        )

    def _writer(self, tensor: bool) -> IndexWriter:
        def leaf(key: sympy.Expr) -> Piece:
            hold = Tightness.PRODUCT if self.form.is_quotient(key.name) else Tightness.ATOM
            return Piece(self.form.symbol(key.name), hold)

        return (
            _HadamardWriter(leaf, self.form.rank, self.form.script)
            if tensor
            else (IndexWriter(leaf, self.form.rank, self.form.script))
        )


def _counts(expr: sympy.Expr) -> bool:
    """Whether a letter stands in an expression as a number, outside the elements."""
    if isinstance(expr, Element):
        return False
    return isinstance(expr, Index) or any(map(_counts, expr.args))


class _HadamardWriter(IndexWriter):
    """Writes products entry by entry: ⊙ between factors."""

    def _factors(self, factors: list[sympy.Expr]) -> Piece:
        plain = [f for f in factors if f.is_number]
        others = sorted((f for f in factors if not f.is_number), key=self._factor_place)
        pieces = [self.piece(f).within(Tightness.PRODUCT) for f in others]
        front = "".join(self.piece(f).tex + self.script.dot for f in plain if others)
        if not others:
            return super()._factors(factors)
        return Piece(front + r" \odot ".join(pieces), Tightness.PRODUCT)

    def _power(self, expr: sympy.Pow) -> Piece:
        base, exponent = expr.args
        if exponent == 2:
            return self._factors([base, base])
        raise _Doubt


def _pointwise(expr: sympy.Expr) -> bool:
    """Whether an expression is made of functions that are usually applied entry by entry."""
    for node in sympy.preorder_traversal(expr):
        if isinstance(node, Element | Index) or not node.args:
            continue
        if isinstance(node, greater | where):
            return False
        if isinstance(node, sympy.Pow) and node.exp != 2:
            return False
        if not isinstance(node, sympy.Add | sympy.Mul | sympy.Pow) and node.func not in _NAMED:
            return False
    return True


_NAMED = frozenset(symbol for symbol in BY_SYMBOL if symbol in (sympy.tanh, sympy.sin, sympy.cos))


def _elementwise(factors: list[Factor]) -> list[Factor]:
    """Factors over the same letters as one, joined by ⊙."""
    groups: dict[frozenset[Index], list[Factor]] = {}
    for factor in factors:
        groups.setdefault(frozenset(factor.letters), []).append(factor)
    joined = []
    for same in groups.values():
        if len(same) == 1:
            joined.append(same[0])
            continue
        first = same[0].letters[0]
        tex = r" \odot ".join(factor.along(first) for factor in same)
        joined.append(Factor(tex, Tightness.SUM, same[0].letters))
    return joined


def _chains(tensors: list[Factor], free: Letters, bound: Letters) -> str:
    """The product as one chain, or as an outer product of two."""
    left = list(tensors)
    if not free:
        raise _Doubt
    row, end = _walk(free[0], left, bound)
    if len(free) == 1:
        if left or end is not None or not row:
            raise _Doubt
        return _joined(row)
    if end == free[1]:
        if left:
            raise _Doubt
        return _joined(row)
    if end is not None:
        raise _Doubt
    column, end = _walk(free[1], left, bound)
    if left or end is not None or not (row or column):
        raise _Doubt
    return rf"{_joined(row or [ONES])}\,{_transposed(column or [ONES])}"


def _walk(start: Index, left: list[Factor], bound: Letters) -> tuple[list[str], Index | None]:
    """From a letter through the factors: what is multiplied, and the free letter at the end."""
    parts: list[str] = []
    here = start
    while True:
        found = [f for f in left if here in f.letters]
        if not found:
            if parts and here in bound:
                return [*parts, ONES], None
            return parts, here if parts else None
        if len(found) > 1 or (parts and here not in bound):
            raise _Doubt
        factor = found[0]
        left.remove(factor)
        parts.append(factor.along(here))
        if len(factor.letters) == 1:
            return parts, None
        here = next(letter for letter in factor.letters if letter != here)


def _joined(parts: list[str]) -> str:
    return r"\,".join(parts)


def _transposed(parts: list[str]) -> str:
    """A product of matrices that ends in a vector, lying on its side."""
    if len(parts) > 1:
        return rf"{bracket(_joined(parts))}^{{\top}}"
    plain = "^" not in parts[0] and "frac" not in parts[0] and " " not in parts[0]
    return rf"{parts[0] if plain else bracket(parts[0])}^{{\top}}"
