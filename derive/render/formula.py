"""Expressions to TeX: one walker, a leaf function, and an order in which a person would write.

Factors: numbers, then data and activations, then weights, then functions and brackets.
Summands: positive before negative, then in the order of the network. The same walker writes the
formula (leaves are names) and the substitution (leaves are numbers), so both have one shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import sympy

from derive.expression import Element, Index, LogTotalExp, Total
from derive.functions import (
    absolute,
    at_least,
    greater,
    logistic,
    maximum,
    minimum,
    sign,
    softplus,
    where,
)

DOT = r"\cdot "
TIMES = r" \times "


class Tightness(IntEnum):
    """How tightly a piece of TeX holds together."""

    SUM = 1
    PRODUCT = 2
    POWER = 3
    ATOM = 4


@dataclass(frozen=True)
class Piece:
    """TeX and how tightly it holds together; `number` if it is a written number."""

    tex: str
    hold: Tightness
    number: bool = False

    def within(self, least: Tightness) -> str:
        return self.tex if self.hold >= least else bracket(self.tex)


def bracket(tex: str) -> str:
    """Round brackets that grow where the content is tall."""
    tall = r"\frac" in tex or r"\sum" in tex
    return rf"\left({tex}\right)" if tall else f"({tex})"


def number_piece(text: str) -> Piece:
    """A decimal literal; a negative one is as loose as a sum, so that it gets brackets."""
    if "/" in text:
        over, under = text.lstrip("-").split("/")
        tex = rf"\frac{{{over}}}{{{under}}}"
        return (
            Piece(f"-{tex}", Tightness.SUM)
            if text.startswith("-")
            else Piece(tex, Tightness.PRODUCT)
        )
    return Piece(text, Tightness.SUM if text.startswith("-") else Tightness.ATOM, number=True)


@dataclass(frozen=True)
class Writer:
    """Writes expressions; `leaf` gives the TeX of an element or symbol, `rank` its place."""

    leaf: Callable[[sympy.Expr], Piece]
    rank: Callable[[sympy.Expr], tuple[int, ...]]

    def tex(self, expr: sympy.Expr) -> str:
        return self.piece(expr).tex

    def piece(self, expr: sympy.Expr) -> Piece:
        match expr:
            case Element() | sympy.Symbol():
                return self.leaf(expr)
            case sympy.Rational():
                text = str(expr.p) if expr.q == 1 else f"{expr.p}/{expr.q}"
                return number_piece(text)
            case sympy.Add():
                return Piece(join_sum(self.summands(expr)), Tightness.SUM)
            case sympy.Mul():
                return self._product(expr)
            case sympy.Pow():
                return self._power(expr)
            case Total():
                body = self.piece(expr.body).within(Tightness.PRODUCT)
                return Piece(rf"\sum_{{{index_tex(expr.index)}}} {body}", Tightness.SUM)
            case LogTotalExp():
                whole = sympy.log(Total(sympy.exp(expr.body), expr.index))
                return self.piece(whole)
        if expr == sympy.pi:
            return Piece(r"\pi", Tightness.ATOM)
        return _FUNCTIONS[expr.func](self, *expr.args)

    def summands(self, expr: sympy.Expr) -> list[tuple[bool, str]]:
        """The summands in writing order, each with whether it is subtracted."""
        parts = []
        for argument in sympy.Add.make_args(expr):
            coefficient = argument.as_coeff_Mul()[0]
            negative = bool(coefficient.is_negative)
            body = -argument if negative else argument
            parts.append((negative, self._place(body), self.piece(body).within(Tightness.PRODUCT)))
        parts.sort(key=lambda part: (part[0], part[1]))
        return [(negative, tex) for negative, _, tex in parts]

    def _place(self, expr: sympy.Expr) -> tuple[int, ...]:
        leaves = [self.rank(e) for e in expr.atoms(Element, sympy.Symbol) if not _index(e)]
        return min(leaves, default=(-1,))

    def _product(self, expr: sympy.Mul) -> Piece:
        coefficient, rest = expr.as_coeff_Mul()
        if coefficient.is_negative:
            body = self.piece(-expr).within(Tightness.PRODUCT)
            return Piece(f"-{body}", Tightness.SUM)
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
            over, under = (self._factors(part) for part in (above, below))
            return Piece(rf"\frac{{{over}}}{{{under}}}", Tightness.PRODUCT)
        if coefficient != 1:
            above.append(coefficient)
        return Piece(self._factors(above), Tightness.PRODUCT)

    def _factors(self, factors: list[sympy.Expr]) -> str:
        """A product in writing order."""
        if not factors:
            return "1"
        ordered = sorted(factors, key=self._factor_place)
        if len(ordered) == 1:
            return self.piece(ordered[0]).tex
        pieces = [self.piece(factor) for factor in ordered]
        return join_product(pieces)

    def _factor_place(self, factor: sympy.Expr) -> tuple[int, ...]:
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        if base.is_Rational:
            return (0,)
        if isinstance(base, Element | sympy.Symbol):
            return (1, *self.rank(base))
        return (3 if isinstance(base, sympy.Add) else 2, *self._place(base))

    def _power(self, expr: sympy.Pow) -> Piece:
        base, exponent = expr.args
        if exponent == sympy.Rational(1, 2):
            return Piece(rf"\sqrt{{{self.tex(base)}}}", Tightness.ATOM)
        if exponent.is_negative:
            return Piece(rf"\frac{{1}}{{{self.tex(base**-exponent)}}}", Tightness.PRODUCT)
        held = self.piece(base)
        inner = held.within(Tightness.ATOM)
        if not held.number and held.hold is Tightness.ATOM and "^" in inner:
            inner = bracket(inner)
        return Piece(f"{inner}^{{{self.tex(exponent)}}}", Tightness.POWER)


def _index(expr: sympy.Basic) -> bool:
    return isinstance(expr, Index)


def join_sum(parts: list[tuple[bool, str]]) -> str:
    """Signed summands in one line."""
    first = f"-{parts[0][1]}" if parts[0][0] else parts[0][1]
    return first + "".join(f" {'-' if minus else '+'} {tex}" for minus, tex in parts[1:])


def join_product(pieces: list[Piece], sign: str = DOT) -> str:
    """Factors in one line: a sign between plain ones, none before a bracket."""
    result = pieces[0].within(Tightness.PRODUCT)
    for before, piece in zip(pieces, pieces[1:], strict=False):
        tex = piece.within(Tightness.PRODUCT)
        opens = tex.startswith(("(", r"\left(")) and not piece.number
        both_names = not before.number and not piece.number
        if opens and not tex.startswith("(-"):
            result += tex
        elif both_names and sign is DOT and piece.hold is not Tightness.ATOM:
            result += rf"\,{tex}"
        else:
            result += f"{sign}{tex}"
    return result


def index_tex(index: Index) -> str:
    """The letter of an index."""
    return str(index.name)


def _call(name: str) -> Callable[..., Piece]:
    def write(writer: Writer, *arguments: sympy.Expr) -> Piece:
        inside = ", ".join(writer.tex(argument) for argument in arguments)
        return Piece(f"{name}{bracket(inside)}", Tightness.POWER)

    return write


def _exp(writer: Writer, exponent: sympy.Expr) -> Piece:
    return Piece(f"e^{{{writer.tex(exponent)}}}", Tightness.POWER)


def _logistic(writer: Writer, value: sympy.Expr) -> Piece:
    held = writer.piece(value)
    if held.number and held.tex.startswith("-"):
        exponent = f"-({held.tex})"
    else:
        exponent = f"-{held.within(Tightness.PRODUCT)}"
    return Piece(rf"\frac{{1}}{{1 + e^{{{exponent}}}}}", Tightness.PRODUCT)


def _softplus(writer: Writer, value: sympy.Expr) -> Piece:
    return Piece(rf"\ln\left(1 + e^{{{writer.tex(value)}}}\right)", Tightness.POWER)


def _absolute(writer: Writer, value: sympy.Expr) -> Piece:
    return Piece(rf"\left|{writer.tex(value)}\right|", Tightness.ATOM)


def _step(writer: Writer, a: sympy.Expr, b: sympy.Expr) -> Piece:
    """The unit step, 0 at 0."""
    return _difference(writer, r"\operatorname{H}", a, b)


def _closed_step(writer: Writer, a: sympy.Expr, b: sympy.Expr) -> Piece:
    inner = _difference(writer, r"\operatorname{H}", b, a)
    return Piece(f"1 - {inner.tex}", Tightness.SUM)


def _difference(writer: Writer, name: str, a: sympy.Expr, b: sympy.Expr) -> Piece:
    tex = writer.tex(a)
    if b != 0:
        tex += f" - {writer.piece(b).within(Tightness.PRODUCT)}"
    return Piece(f"{name}({tex})", Tightness.POWER)


def _where(writer: Writer, test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> Piece:
    """A choice as a sum over the indicator and its complement."""
    return writer.piece(test * yes + (1 - test) * no)


_FUNCTIONS: Mapping[type[sympy.Function], Callable[..., Piece]] = {
    sympy.exp: _exp,
    sympy.log: _call(r"\ln"),
    sympy.tanh: _call(r"\tanh"),
    sympy.sin: _call(r"\sin"),
    sympy.cos: _call(r"\cos"),
    sympy.erf: _call(r"\operatorname{erf}"),
    logistic: _logistic,
    softplus: _softplus,
    maximum: _call(r"\max"),
    minimum: _call(r"\min"),
    absolute: _absolute,
    sign: _call(r"\operatorname{sgn}"),
    greater: _step,
    at_least: _closed_step,
    where: _where,
}


def width(tex: str) -> int:
    """A rough width in characters; a fraction is as wide as its wider part."""
    return _width(tex, 0)[0]


def _width(tex: str, start: int) -> tuple[int, int]:
    """The width from `start` to the closing brace or the end, and where that is."""
    count, k = 0, start
    while k < len(tex) and tex[k] != "}":
        if tex.startswith(r"\frac{", k):
            over, k = _width(tex, k + 6)
            under, k = _width(tex, k + 2)
            count += max(over, under) + 1
            k += 1
        elif tex[k] == "{":
            inner, k = _width(tex, k + 1)
            count += inner
            k += 1
        elif tex[k] == "\\":
            command = re.match(r"\\([A-Za-z]+|.)", tex[k:])
            k += command.end() if command else 1
            wide = command is not None and command[1] in _WIDE
            count += len(command[1]) if command and wide else 1
        else:
            count += tex[k] not in "_^& "
            k += 1
    return count, k


_WIDE = ("tanh", "ln", "max", "min", "sin", "cos")
