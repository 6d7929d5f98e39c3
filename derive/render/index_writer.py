r"""Expressions of any graph in index form: sums, maxima, deltas and conditions as TeX.

A condition is written in Iverson's bracket, `[k \le q]`, which is 1 where it holds and 0 elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy

from derive.expression import (
    Chosen,
    Delta,
    Element,
    Greatest,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
    rebuild,
)
from derive.functions import at_least, greater, logistic, where
from derive.graph import adjoint_name
from derive.numbers import literal
from derive.places import Quotient, Remainder
from derive.render.formula import Writer
from derive.render.pieces import (
    GAP,
    TEX,
    Piece,
    Tightness,
    bracket,
    join_product,
    join_sum,
    looks_called,
    number_piece,
    width,
)
from derive.render.positions import division, is_position, letter, position

THIN = replace(TEX, dot=r"\,", opening=r"\,")
ROOM = 72
SPACED = 6  # by how much the signs of a sum widen a row of numbers
MOST_TERMS = 8
FIRST_TERMS = 3
SMALL_DENOMINATOR = 12
LAST = 10**9
MOST_MULTIPLE = 9
HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class IndexWriter(Writer):
    """A writer that also knows the nodes of index form.

    `bounds` are letters that run over axes of several sizes, so a sum states its range; `shorten`
    is whether a long sum is written with dots; `delta` and `sigma` whether these letters are free
    for Kronecker's and for the logistic function; `literals` are the decimals of the author;
    `summand` ranks terms of a sum, if not `rank`.
    """

    bounds: frozenset[str] = frozenset()
    shorten: bool = False
    delta: bool = True
    sigma: bool = True
    literals: frozenset[sympy.Rational] = frozenset()
    summand: Callable[[sympy.Expr], tuple[int, ...]] | None = None

    def written(self, expr: sympy.Expr) -> Piece:
        """A piece of index form, or what any writer makes of it."""
        write = _NODES.get(expr.func)
        if write is not None:
            return write(self, expr)
        if isinstance(expr, sympy.Rational) and expr.q > SMALL_DENOMINATOR:
            multiple = self._multiple(expr)
            if multiple is not None:
                return multiple
            return number_piece(literal(Fraction(int(expr.p), int(expr.q))), self.script)
        return super().written(expr)

    def _multiple(self, number: sympy.Rational) -> Piece | None:
        """`3 · 0.044715` for what is no number of the author but a multiple of one."""
        if number in self.literals:
            return None
        for count in range(2, MOST_MULTIPLE + 1):
            own = number / count
            text = literal(Fraction(int(own.p), int(own.q))) if own in self.literals else "/"
            if "/" not in text:  # a decimal; of a fraction, the multiple is a fraction, too
                return Piece(rf"{count} \cdot {text}", Tightness.PRODUCT)
        return None

    def summands(self, expr: sympy.Expr) -> list[tuple[bool, str]]:
        """The summands in writing order; of a very long sum the first, dots and the last."""
        parts = super().summands(expr)
        if not self.shorten or len(parts) <= MOST_TERMS:
            return parts
        return [*parts[:FIRST_TERMS], (False, r"\cdots"), parts[-1]]

    def _place(self, expr: sympy.Expr) -> tuple[int, ...]:
        """A decimal such as the ε of a root stands last in a sum."""
        return (LAST,) if expr.is_Rational and expr.q > SMALL_DENOMINATOR else super()._place(expr)

    def _term_rank(self, leaf: sympy.Expr) -> tuple[int, ...]:
        return (self.summand or self.rank)(leaf)

    def _sum(self, expr: sympy.Add) -> Piece:
        """A sum; a whole number common to all terms is taken out: 2(a - b)."""
        share, rest = expr.primitive()
        if share == 1 or share.q != 1 or not all(abs(a.as_coeff_Mul()[0]) == 1 for a in rest.args):
            return super()._sum(expr)
        inside = bracket(join_sum(self.summands(rest)))
        opening = self.script.opening
        return Piece(f"{self.piece(share).tex}{opening}{inside}", Tightness.PRODUCT)

    def _product(self, expr: sympy.Mul) -> Piece:
        """A product; derivatives of the loss stand before a fraction rather than in it."""
        coefficient, rest = expr.as_coeff_Mul()
        factors = sympy.Mul.make_args(rest)
        root = _reduced_root(coefficient, factors)
        if root is not None and not coefficient.is_negative:
            return self._over_root(coefficient, root, [f for f in factors if f != root])
        below = [f for f in factors if isinstance(f, sympy.Pow) and f.exp.is_negative]
        outside = [f for f in factors if f not in below and _tall(f)]
        if coefficient.is_negative or not below or not outside:
            return super()._product(expr)
        fraction = sympy.Mul(coefficient, *[f for f in factors if f not in outside])
        front = [self.piece(f) for f in outside if not isinstance(f, Total)]
        series = [self.piece(f) for f in outside if isinstance(f, Total)]
        pieces = [*front, self.piece(fraction), *series]
        script = self.script
        tex = join_product(pieces, script.dot, script.beside, script.opening)
        return Piece(tex, Tightness.PRODUCT)

    def _over_root(
        self, coefficient: sympy.Rational, root: sympy.Expr, rest: list[sympy.Expr]
    ) -> Piece:
        """`1/√2` for what SymPy makes of it, `√2/2`."""
        left = sympy.Integer(coefficient.q // root.base)
        under = self.piece(root)
        if left != 1:
            under = Piece(f"{self.piece(left).tex}{self.script.dot}{under.tex}", Tightness.PRODUCT)
        front = self.script.fraction(self.piece(sympy.Integer(coefficient.p)), under)
        if not rest:
            return front
        pieces = [front, self.piece(sympy.Mul(*rest))]
        script = self.script
        tex = join_product(pieces, script.dot, script.beside, script.opening)
        return Piece(tex, Tightness.PRODUCT)

    def condition(self, test: sympy.Expr, holds: bool = True) -> str:
        """What stands within Iverson's bracket."""
        if isinstance(test, Inside):
            place, size = map(self._side, test.args)
            return rf"0 \le {place} < {size}"
        signs = {greater: (">", r"\le"), at_least: (r"\ge", "<"), Delta: ("=", r"\ne")}[test.func]
        left, right = map(self._side, test.args)
        return f"{left} {signs[0 if holds else 1]} {right}"

    def _side(self, expr: sympy.Expr) -> str:
        """A side of a condition: a position is written like one."""
        return position(expr, self.leaf) if is_position(expr) else self.tex(expr)

    def within(self, expr: sympy.Expr, room: int = ROOM) -> str:
        """An expression on one line or, where that is too long, broken at its plus signs."""
        tex = self.tex(expr)
        if width(tex) <= room:
            return tex
        if isinstance(expr, sympy.Add):
            return self._broken_sum(expr, room)
        if isinstance(expr, Total):
            sign, body = _opened(self, expr)
            return f"{sign} {self._held(body, room - width(sign))}"
        if isinstance(expr, sympy.Mul) and expr.as_coeff_Mul()[0].is_negative:
            return f"-{self.within(-expr, room - 1)}"
        if isinstance(expr, sympy.Mul):
            return self._broken_product(expr, room) or self._broken_factors(expr, room) or tex
        return tex

    def _broken_factors(self, expr: sympy.Mul, room: int) -> str:
        """A product that goes on in the next row; nothing if it is a fraction."""
        factors = sorted(expr.args, key=self._factor_place)
        if any(isinstance(f, sympy.Pow) and f.exp.is_negative for f in factors):
            return ""
        lines = [""]
        for factor in factors:
            tex = self.piece(factor).within(Tightness.POWER)
            if lines[-1] and width(lines[-1]) + width(tex) > room:
                lines.append("")
            lines[-1] += f"{self.script.dot}{tex}" if lines[-1] else tex
        return self.script.break_line.join([lines[0], *(rf"\cdot {each}" for each in lines[1:])])

    def _held(self, body: sympy.Expr, room: int) -> str:
        if isinstance(body, sympy.Add):
            return rf"\Bigl({self._broken_sum(body, room - 2)}\Bigr)"
        return self.within(body, room)

    def _broken_sum(self, expr: sympy.Add, room: int) -> str:
        lines: list[list[tuple[bool, str]]] = [[]]
        used = 0
        for negative, tex, term in self._signed(expr):
            wide = tex if width(tex) <= room else self._term(term, room - 2)
            size = width(wide.rpartition("\\\\")[2]) + 3
            if lines[-1] and used + width(wide.partition("\\\\")[0]) + 3 > room:
                lines.append([])
                used = 2
            lines[-1].append((negative, wide))
            used = size if "\\\\" in wide else used + size
        rest = [
            f"{'-' if line[0][0] else '+'} {join_sum([(False, line[0][1]), *line[1:]])}"
            for line in lines[1:]
        ]
        return self.script.break_line.join([join_sum(lines[0]), *rest])

    def _term(self, term: sympy.Expr | None, room: int) -> str:
        return r"\cdots" if term is None else self.within(term, room)

    def _signed(self, expr: sympy.Add) -> list[tuple[bool, str, sympy.Expr | None]]:
        """The summands in writing order, each with its sign, its text and what it is."""
        terms: dict[str, sympy.Expr] = {}
        for argument in expr.args:
            negative = bool(argument.as_coeff_Mul()[0].is_negative)
            body = -argument if negative else argument
            piece = self.piece(body)
            terms |= {piece.within(Tightness.SERIES): body, piece.tex: body}
        return [(minus, tex, terms.get(tex)) for minus, tex in self.summands(expr)]

    def _broken_product(self, expr: sympy.Mul, room: int) -> str:
        """`front (a + b + …)`, broken within its longest bracket; nothing if there is none."""
        held = [f for f in expr.args if isinstance(f, sympy.Add | Total)]
        if not held:
            return ""
        longest = max(held, key=lambda f: width(self.tex(f)))
        front = self.piece(sympy.Mul(*[f for f in expr.args if f is not longest])).within(
            Tightness.PRODUCT
        )
        left = max(room - width(front), 2 * room // 3)
        whole = isinstance(longest, Total)
        behind = self.within(longest, left) if whole else self._held(longest, left)
        return f"{front}{TEX.dot if looks_called(front, behind) else GAP}{behind}"


def outside_first(expr: sympy.Expr) -> sympy.Expr:
    """An expression with its numbers in front: before a sum, and before a bracket."""

    def change(node: sympy.Expr) -> sympy.Expr:
        if isinstance(node, sympy.Mul):
            shares = [_whole_share(f) for f in node.args]
            return sympy.Mul(*[s for s, _ in shares], *[f for _, f in shares])
        if isinstance(node, where) and 0 in node.args[1:]:
            return _number_first(node)
        if not isinstance(node, Total):
            return node
        share, body = _whole_share(node.body)
        factors = sympy.Mul.make_args(body)
        numbers = [f for f in factors if f.is_number]
        rest = [f for f in factors if not f.is_number]
        if not rest:
            return node
        return sympy.Mul(share, *numbers, _merged(sympy.Mul(*rest), node.index))

    return rebuild(expr, change)


def _number_first(choice: where) -> sympy.Expr:
    """`2 [c] x` for a choice between 2x and nothing, so that no number stands behind a factor."""
    test, yes, no = choice.args
    number, rest = (yes + no).as_coeff_Mul()
    return number * (where(test, rest, no) if no == 0 else where(test, yes, rest))


def _whole_share(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """The whole number common to all terms of a sum, and what it leaves."""
    share, rest = expr.primitive() if isinstance(expr, sympy.Add) else (sympy.S.One, expr)
    return (share, rest) if share.is_Integer else (sympy.S.One, expr)


def _merged(body: sympy.Expr, index: Index) -> sympy.Expr:
    """A sum of a sum behind nothing but conditions is one sum over both letters."""
    factors = sympy.Mul.make_args(body)
    inner = [f for f in factors if isinstance(f, Total)]
    others = [f for f in factors if not isinstance(f, Total)]
    if len(inner) != 1 or not all(isinstance(f, Delta | Inside) for f in others):
        return Total(body, index)
    return Total(Total(sympy.Mul(*others, inner[0].body), inner[0].index), index)


def _reduced_root(coefficient: sympy.Rational, factors: tuple[sympy.Expr, ...]) -> Any:
    """The factor √n of a product whose coefficient has n below."""
    for factor in factors:
        whole = factor.is_Pow and factor.exp == HALF and factor.base.is_Integer
        if whole and coefficient.q % factor.base == 0:
            return factor
    return None


def _tall(factor: sympy.Expr) -> bool:
    """Whether a factor is a derivative of the loss, or a sum with one."""
    prefix = adjoint_name("")
    if isinstance(factor, Element):
        return factor.name.startswith(prefix)
    return isinstance(factor, Total | sympy.Add) and any(
        e.name.startswith(prefix) for e in factor.atoms(Element)
    )


def _opened(writer: IndexWriter, expr: Total) -> tuple[str, sympy.Expr]:
    r"""The sum signs of nested sums as one, `\sum_{i,j}`, and what is summed."""
    plain: list[str] = []
    signs = []
    body: sympy.Expr = expr
    while isinstance(body, Total):
        index, body = body.index, body.body
        if index.name in writer.bounds:
            last = index.axis.size - 1
            signs.append(rf"\sum_{{{letter(index.name)}=0}}^{{{last}}}")
        else:
            plain.append(letter(index.name))
    if plain:
        signs.insert(0, rf"\sum_{{{','.join(plain)}}}")
    return " ".join(signs), body


def _total(writer: IndexWriter, expr: Total) -> Piece:
    sign, body = _opened(writer, expr)
    return Piece(f"{sign} {writer.piece(body).within(Tightness.SERIES)}", Tightness.SERIES)


def _log_total(writer: IndexWriter, expr: LogTotalExp) -> Piece:
    return writer.piece(sympy.log(Total(sympy.exp(expr.body), expr.index)))


def _largest(writer: IndexWriter, expr: Largest) -> Piece:
    letters = ",".join(letter(index.name) for index in expr.bound)
    body = writer.piece(expr.body).within(Tightness.POWER)
    return Piece(rf"\max_{{{letters}}} {body}", Tightness.SERIES)


def _greatest(writer: IndexWriter, expr: Greatest) -> Piece:
    return Piece(rf"\max{bracket(', '.join(map(writer.tex, expr.args)))}", Tightness.POWER)


def _chosen(writer: IndexWriter, expr: Chosen) -> Piece:
    bound = ",".join(letter(index.name) for index in expr.largest.bound)
    places = ",".join(position(place, writer.leaf) for place in expr.positions)
    places = f"({places})" if len(expr.positions) > 1 else places
    body = writer.piece(expr.largest.body).within(Tightness.POWER)
    inside = rf"{places} = \operatorname*{{arg\,max}}_{{{bound}}} {body}"
    return Piece(rf"\bigl[{inside}\bigr]", Tightness.ATOM)


def _delta(writer: IndexWriter, expr: Delta) -> Piece:
    plain = all(isinstance(side, Index) or side.is_Integer for side in expr.args)
    if plain and writer.delta:
        sides = ",".join(position(side, writer.leaf) for side in expr.args)
        return Piece(rf"\delta_{{{sides}}}", Tightness.ATOM)
    return _indicator(writer, expr)


def _logistic(writer: IndexWriter, expr: logistic) -> Piece:
    """The logistic function of a name is written out, of anything longer as σ."""
    value = expr.args[0]
    if not writer.sigma or isinstance(value, Element | sympy.Symbol):
        return Writer.written(writer, expr)
    return Piece(rf"\sigma{bracket(writer.tex(value))}", Tightness.POWER)


def _indicator(writer: IndexWriter, test: sympy.Expr, holds: bool = True) -> Piece:
    inside = writer.condition(test, holds)
    tall = r"\sum" in inside or r"\frac" in inside
    return Piece(rf"\Bigl[{inside}\Bigr]" if tall else f"[{inside}]", Tightness.ATOM)


def _where(writer: IndexWriter, expr: where) -> Piece:
    """A choice as a sum of both branches, each behind its condition."""
    test, yes, no = expr.args
    known = test.func in (greater, at_least, Delta, Inside)
    if not known or isinstance(test, Inside):
        return writer.piece(test * yes + (1 - test) * no)
    parts = []
    for branch, holds in ((yes, True), (no, False)):
        if branch == 0:
            continue
        share, body = _whole_share(branch)
        number, rest = (share, body) if share != 1 else branch.as_coeff_Mul()
        sign = -1 if number < 0 and 0 not in (yes, no) else 1
        front = [writer.piece(sign * number)] if sign * number != 1 else []
        behind = [writer.piece(rest)] if rest != 1 else []
        pieces = [*front, _indicator(writer, test, holds), *behind]
        script = writer.script
        parts.append((sign < 0, join_product(pieces, script.dot, script.beside, script.opening)))
    if len(parts) == 1:
        one = sum(branch == 1 for branch in (yes, no))
        return Piece(parts[0][1], Tightness.ATOM if one else Tightness.PRODUCT)
    return Piece(join_sum(parts) or "0", Tightness.SUM)


_NODES: Mapping[type[sympy.Basic], Callable[..., Piece]] = {
    Quotient: lambda writer, expr: Piece(division(expr, writer.leaf), Tightness.ATOM),
    Remainder: lambda writer, expr: Piece(division(expr, writer.leaf), Tightness.SUM),
    Total: _total,
    LogTotalExp: _log_total,
    Largest: _largest,
    Greatest: _greatest,
    Chosen: _chosen,
    Delta: _delta,
    Inside: _indicator,
    greater: _indicator,
    at_least: _indicator,
    logistic: _logistic,
    where: _where,
}
