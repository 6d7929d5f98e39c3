"""Positions: where they may lie on an axis, and whole-number division in them."""

from __future__ import annotations

from math import gcd
from typing import Any, NamedTuple

import sympy
from sympy.printing.precedence import PRECEDENCE

from derive.expression import Index

MOST_PLACES = 4_000  # of a letter that are tried one by one
Linear = tuple[int, dict[Index, int]]


class Division(sympy.Expr):
    """A position that is divided by a whole number; the divisor is at least 1.

    What the divisor divides is taken out, and what the ranges of letters decide is decided.
    """

    precedence = PRECEDENCE["Add"]  # a minus or a factor before it needs brackets
    sign: str

    def _eval_is_integer(self) -> bool:
        return True

    @property
    def position(self) -> sympy.Expr:
        return self.args[0]

    @property
    def divisor(self) -> int:
        return int(self.args[1])

    def _sympystr(self, printer: Any) -> str:
        position = printer.parenthesize(self.position, PRECEDENCE["Mul"], strict=True)
        return f"{position} {self.sign} {self.divisor}"


class Quotient(Division):
    """`i // 2`: how often a number goes into a position, rounded down."""

    sign = "//"

    def __new__(cls, position: sympy.Expr, divisor: int | sympy.Integer) -> sympy.Expr:
        parts = _parts(position, int(divisor))
        if parts.divisor == 1:
            return parts.often + parts.rest
        rest, by = parts.rest, parts.divisor
        if isinstance(rest, Quotient):
            rest, by = rest.position, by * rest.divisor
        return parts.often + sympy.Expr.__new__(cls, rest, sympy.Integer(by))


class Remainder(Division):
    """`i % 2`: what is left of a position when a number is taken off as often as it goes."""

    sign = "%"

    def __new__(cls, position: sympy.Expr, divisor: int | sympy.Integer) -> sympy.Expr:
        number = position.as_coeff_Add()[0]
        parts = _parts(position - number if number % divisor == 0 else position, int(divisor))
        if parts.divisor == 1:
            return parts.beyond
        rest = parts.rest
        if isinstance(rest, Remainder) and rest.divisor % parts.divisor == 0:
            rest = rest.position
        left = sympy.Expr.__new__(cls, rest, sympy.Integer(parts.divisor))
        return parts.share * left + parts.beyond


class _Parts(NamedTuple):
    """A division without what is plain in it.

    The position is `often` times what it was divided by, `share` times `rest`, and `beyond`;
    `rest` is still to be divided by `divisor`, which is 1 where all is decided.
    """

    often: sympy.Expr
    share: int
    rest: sympy.Expr
    beyond: sympy.Expr
    divisor: int


def _parts(position: sympy.Expr, divisor: int) -> _Parts:
    often, rest = sympy.S.Zero, sympy.S.Zero
    for term in sympy.Add.make_args(sympy.expand(position)):
        share = term.as_coeff_Mul()[0]
        if share % divisor == 0 and term != share:
            often += term / divisor
        else:
            rest += term
    ends = linear_range(rest)
    if ends is not None and ends[0] // divisor == ends[1] // divisor:
        whole = sympy.Integer(ends[0] // divisor)
        return _Parts(often + whole, 1, sympy.S.Zero, rest - divisor * whole, 1)
    number, letters = rest.as_coeff_Add()
    shares = (int(term.as_coeff_Mul()[0]) for term in sympy.Add.make_args(letters))
    common = gcd(divisor, *shares)
    below = letters / common + number // common
    return _Parts(often, common, below, number % common, divisor // common)


def linear(position: sympy.Expr) -> Linear | None:
    """A position as its value at 0 and a step for each letter; None if it is not like that."""
    start, steps = 0, {}
    for term in sympy.Add.make_args(sympy.expand(position)):
        share, rest = term.as_coeff_Mul()
        if not share.is_Integer or not (rest == 1 or isinstance(rest, Index)):
            return None
        if rest == 1:
            start += int(share)
        else:
            steps[rest] = int(share)
    return start, steps


def on_axis(position: sympy.Expr, size: sympy.Expr) -> bool:
    """Whether a position is a letter of just this axis, or a place on it."""
    if isinstance(position, Index):
        return bool(position.axis.size == size)
    return bool(position.is_Integer and size.is_Integer and 0 <= position < size)


def stays_on_axis(position: sympy.Expr, size: sympy.Expr) -> bool:
    """Whether an index expression surely stays within an axis of this size."""
    if on_axis(position, size):
        return True
    ends = linear_range(position)
    return ends is not None and bool(size.is_Integer) and ends[0] >= 0 and ends[1] < size


def linear_range(position: sympy.Expr) -> tuple[int, int] | None:
    """The least and the largest value of a sum of letters and divisions; None if it is not one."""
    low = high = 0
    for term in sympy.Add.make_args(sympy.expand(position)):
        share, rest = term.as_coeff_Mul()
        reach = _range_of(rest)
        if reach is None or not share.is_Integer:
            return None
        ends = (int(share) * reach[0], int(share) * reach[1])
        low, high = low + min(ends), high + max(ends)
    return low, high


def exact_range(position: sympy.Expr) -> tuple[int, int] | None:
    """The same, for a division of one letter as near as can be: `(i - 1)//2 - i` is below 0."""
    letters = position.free_symbols
    if len(letters) == 1 and position.has(Division):
        (letter,) = letters
        if isinstance(letter, Index) and letter.axis.size.is_Integer:
            places = range(min(letter.axis.length, MOST_PLACES))
            found = [position.xreplace({letter: sympy.Integer(k)}) for k in places]
            if len(places) == letter.axis.length and all(k.is_Integer for k in found):
                return int(min(found)), int(max(found))
    return linear_range(position)


def _range_of(factor: sympy.Expr) -> tuple[int, int] | None:
    """The least and the largest value of a letter, a division or 1."""
    if factor == 1:
        return 1, 1
    if isinstance(factor, Remainder):
        return 0, factor.divisor - 1
    if isinstance(factor, Quotient) and (ends := linear_range(factor.position)) is not None:
        return ends[0] // factor.divisor, ends[1] // factor.divisor
    if isinstance(factor, Index) and factor.axis.size.is_Integer:
        return 0, factor.axis.length - 1
    return None
