"""What the proof-reader reads and says: claims, unread places and findings, as frozen data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import sympy


@dataclass(frozen=True)
class Where:
    """The place in the source text: the line a statement starts on (from 1) and its environment.

    `start` is the offset of the statement, `end` that behind all the mathematics it stands in.
    """

    line: int
    environment: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Claim:
    """One displayed chain `lhs = form = form = printed`.

    `printed` is the closing bare number in the syntax of `decimal.Decimal`, with the digits of
    the page ("0.0275", "-0.04441", "0.000012", "1.2E+5"), or None where the chain ends in a
    formula.  `lhs_tex` and `form_tex` are the texts of the sides: decimals keep their digit
    count there, while in `lhs` and `forms` they are exact rationals.
    """

    lhs: sympy.Expr
    forms: tuple[sympy.Expr, ...]
    printed: str | None
    where: Where
    source: str
    lhs_tex: str
    form_tex: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.forms) != len(self.form_tex):
            raise ValueError("every form needs its text")

    @property
    def names(self) -> set[str]:
        """The names that it is about."""
        return {symbol.name for side in (self.lhs, *self.forms) for symbol in side.free_symbols}

    @property
    def sides(self) -> Iterator[tuple[sympy.Expr, str]]:
        """The sides but the first, with their texts."""
        return zip(self.forms, self.form_tex, strict=True)

    def in_numbers(self) -> Claim:
        """The same without its forms in names."""
        kept = [(form, tex) for form, tex in self.sides if not form.free_symbols]
        return replace(
            self, forms=tuple(form for form, _ in kept), form_tex=tuple(tex for _, tex in kept)
        )


@dataclass(frozen=True)
class Unread:
    """Mathematics the reader could not turn into a claim, and why."""

    where: Where
    source: str
    reason: str


Item = Claim | Unread


class Kind(StrEnum):
    """What judging one item came to."""

    AGREES = "agrees"
    SYMBOLIC = "symbolic"
    GIVEN = "given"
    RESTATED = "restated"
    DISAGREES = "disagrees"
    UNREAD = "unread"


@dataclass(frozen=True)
class Finding:
    """The verdict on one item; `expected` is the number that should have been printed."""

    item: Item
    kind: Kind
    expected: str | None
    message: str
