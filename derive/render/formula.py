"""Expressions as TeX or plain text: one walker, and an order in which a person would write.

Factors: numbers, then data and activations, then weights, brackets, functions, and a sum over an
index last, where it needs no brackets of its own.
Summands: positive before negative, then in the order of the network. The same walker writes the
formula (leaves are names) and the substitution (leaves are numbers), so both have one shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy

from derive.errors import InputError
from derive.expression import Element, Index, LogTotalExp, Total
from derive.functions import (
    BY_SYMBOL,
    absolute,
    at_least,
    floored,
    greater,
    held,
    logistic,
    maximum,
    minimum,
    sign,
    softplus,
    where,
)
from derive.render.pieces import (
    TEX,
    Piece,
    Script,
    Tightness,
    bracket,
    join_product,
    join_sum,
    number_piece,
)


@dataclass(frozen=True)
class Writer:
    """Writes expressions; `leaf` gives the TeX of an element or symbol, `rank` its place."""

    leaf: Callable[[sympy.Expr], Piece]
    rank: Callable[[sympy.Expr], tuple[int, ...]]
    script: Script = TEX
    _pieces: dict[sympy.Expr, Piece] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def tex(self, expr: sympy.Expr) -> str:
        return self.piece(expr).tex

    def piece(self, expr: sympy.Expr) -> Piece:
        """An expression as a piece of a line; written once, though breaking a line asks often."""
        if expr not in self._pieces:
            self._pieces[expr] = self.written(expr)
        return self._pieces[expr]

    def written(self, expr: sympy.Expr) -> Piece:
        """An expression as a piece of a line."""
        match expr:
            case Element() | sympy.Symbol():
                return self.leaf(expr)
            case sympy.Rational():
                text = str(expr.p) if expr.q == 1 else f"{expr.p}/{expr.q}"
                return number_piece(text, self.script)
            case sympy.Add():
                return self._sum(expr)
            case sympy.Mul():
                return self._product(expr)
            case sympy.Pow():
                return self._power(expr)
            case Total():
                return self.script.total(str(expr.index.name), self.piece(expr.body))
            case LogTotalExp():
                whole = sympy.log(Total(sympy.exp(expr.body), expr.index))
                return self.piece(whole)
        if expr == sympy.pi:
            return Piece(self.script.command("pi"), Tightness.ATOM)
        if expr == sympy.E:
            return self.script.exponential(Piece("1", Tightness.ATOM))
        if expr.func not in _FUNCTIONS:
            raise InputError(
                f"the page has no notation yet for the derivative that contains {expr}; "
                "'derive code' does not need one"
            )
        return _FUNCTIONS[expr.func](self, *expr.args)

    def _sum(self, expr: sympy.Add) -> Piece:
        """A sum; a common fraction of plain summands is taken out: (a - b)/2."""
        share, rest = expr.primitive()
        plain = all(
            abs(count) == 1 and (term.is_Atom or isinstance(term, Element))
            for count, term in (argument.as_coeff_Mul() for argument in rest.args)
        )
        if share.q == 1 or not plain:
            return Piece(join_sum(self.summands(expr)), Tightness.SUM)
        bracketed = bracket(join_sum(self.summands(rest)))
        opened = f"{self.piece(share).tex}{self.script.opening}{bracketed}"
        return Piece(opened, Tightness.PRODUCT)

    def summands(self, expr: sympy.Expr) -> list[tuple[bool, str]]:
        """The summands in writing order, each with whether it is subtracted."""
        parts = []
        for argument in sympy.Add.make_args(expr):
            negative = bool(argument.as_coeff_Mul()[0].is_negative)
            parts.append((negative, -argument if negative else argument))
        parts.sort(key=lambda part: (part[0], self._place(part[1]), _size(part[1])))
        pieces = [(negative, self.piece(body)) for negative, body in parts]
        written = [(negative, piece.within(Tightness.SERIES)) for negative, piece in pieces]
        negative, first = pieces[0]
        return [(False, first.tex), *written[1:]] if first.number and not negative else written

    def _place(self, expr: sympy.Expr) -> tuple[int, ...]:
        leaves = [self._term_rank(e) for e in expr.atoms(Element, sympy.Symbol) if not _index(e)]
        return min(leaves, default=(-1,))

    def _term_rank(self, leaf: sympy.Expr) -> tuple[int, ...]:
        """The place that a leaf gives to a term of a sum."""
        return self.rank(leaf)

    def _product(self, expr: sympy.Mul) -> Piece:
        coefficient, rest = expr.as_coeff_Mul()
        if coefficient.is_negative:
            return Piece(f"-{self.piece(-expr).within(Tightness.SERIES)}", Tightness.SUM)
        above, below = [], []
        for factor in sympy.Mul.make_args(rest):
            if isinstance(factor, sympy.Pow) and factor.exp.is_negative:
                below.append(factor.base**-factor.exp)
            else:
                above.append(factor)
        if below:
            if coefficient.p != 1:
                above.append(sympy.Integer(coefficient.p))
            if coefficient.q != 1:
                below.append(sympy.Integer(coefficient.q))
            return self.script.fraction(self._factors(above), self._factors(below))
        if coefficient != 1:
            above.append(coefficient)
        return self._factors(above)

    def _factors(self, factors: list[sympy.Expr]) -> Piece:
        """A product in writing order."""
        if not factors:
            return Piece("1", Tightness.ATOM)
        ordered = sorted(factors, key=self._factor_place)
        if len(ordered) == 1:
            return self.piece(ordered[0])
        pieces = [self.piece(factor) for factor in ordered]
        script = self.script
        written = join_product(pieces, script.dot, script.beside, script.opening)
        return Piece(written, Tightness.PRODUCT)

    def _factor_place(self, factor: sympy.Expr) -> tuple[int, ...]:
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        if base.is_number:
            return (0, int(not factor.is_Rational))
        if isinstance(base, Element | sympy.Symbol):
            return (1, *self.rank(base))
        kind = {sympy.Add: 2, Total: 4}.get(base.func, 3)
        return (kind, *self._place(base))

    def _power(self, expr: sympy.Pow) -> Piece:
        base, exponent = expr.args
        if exponent == sympy.Rational(1, 2):
            return self.script.root(self.piece(base))
        if exponent.is_negative:
            one = Piece("1", Tightness.ATOM)
            return self.script.fraction(one, self.piece(base**-exponent))
        held = self.piece(base)
        inner = held.within(Tightness.ATOM)
        if not held.number and held.hold is Tightness.ATOM and "^" in inner:
            inner = bracket(inner)
        return self.script.power(inner, self.piece(exponent))


def _index(expr: sympy.Basic) -> bool:
    return isinstance(expr, Index)


def _size(expr: sympy.Expr) -> int:
    return sum(1 for _ in sympy.preorder_traversal(expr))


def _call(name: str) -> Callable[..., Piece]:
    def write(writer: Writer, *arguments: sympy.Expr) -> Piece:
        inside = ", ".join(writer.tex(argument) for argument in arguments)
        return Piece(f"{writer.script.command(name)}{bracket(inside)}", Tightness.POWER)

    return write


def _exp(writer: Writer, exponent: sympy.Expr) -> Piece:
    return writer.script.exponential(writer.piece(exponent))


def _logistic(writer: Writer, value: sympy.Expr) -> Piece:
    exponent = Piece(f"-{writer.piece(value).within(Tightness.PRODUCT)}", Tightness.SUM)
    below = Piece(f"1 + {writer.script.exponential(exponent).tex}", Tightness.SUM)
    return writer.script.fraction(Piece("1", Tightness.ATOM), below)


def _softplus(writer: Writer, value: sympy.Expr) -> Piece:
    inside = f"1 + {writer.script.exponential(writer.piece(value)).tex}"
    return Piece(f"{writer.script.command('ln')}{bracket(inside)}", Tightness.POWER)


def _absolute(writer: Writer, value: sympy.Expr) -> Piece:
    return writer.script.absolute(writer.piece(value))


def _floor(writer: Writer, value: sympy.Expr) -> Piece:
    return writer.script.floor(writer.piece(value))


def _step(writer: Writer, a: sympy.Expr, b: sympy.Expr) -> Piece:
    """The unit step, 0 at 0."""
    inside = "" if a == 0 else f"{writer.tex(a)} - "
    inside = (
        writer.tex(a) if b == 0 else f"{inside or '-'}{writer.piece(b).within(Tightness.SERIES)}"
    )
    return Piece(f"{writer.script.command('H')}({inside})", Tightness.POWER)


def _closed_step(writer: Writer, a: sympy.Expr, b: sympy.Expr) -> Piece:
    return Piece(f"1 - {_step(writer, b, a).tex}", Tightness.SUM)


def _where(writer: Writer, test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> Piece:
    """A choice as a sum over the indicator and its complement."""
    return writer.piece(test * yes + (1 - test) * no)


_FUNCTIONS: Mapping[type[sympy.Function], Callable[..., Piece]] = {
    sympy.exp: _exp,
    **{row.symbol: _call(row.tex) for row in BY_SYMBOL.values() if row.tex},
    logistic: _logistic,
    softplus: _softplus,
    maximum: _call("max"),
    minimum: _call("min"),
    absolute: _absolute,
    sign: _call("sgn"),
    floored: _floor,
    held: _call("sg"),
    greater: _step,
    at_least: _closed_step,
    where: _where,
}
