"""A wrong print as a question, and what may answer it: another number, or one made otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import log10
from typing import Any

from mpmath import mp

from derive.problem import Published
from derive.verify.consequences import Print, Target, value_from
from derive.verify.prints import digits, fraction, gives, unit
from derive.verify.trajectory import Trajectory, UnknownName
from derive.verify.why.elsewhere import OPPOSITE, Spot


@dataclass(frozen=True)
class Convention:
    """What may have been printed instead: a cause for machines, and words that go on from "it is".

    The likely ones have the lowest rank. `whole` is what would be said of a table and not of one
    number.
    """

    cause: str
    words: str
    rank: float
    whole: bool = False


SIGN = Convention(OPPOSITE.cause, OPPOSITE.words.format("the value"), OPPOSITE.rank)


@dataclass(frozen=True, eq=False)
class Question:
    """A print, the value that it should be, and the prints that may have been its operands.

    There are none where they would give the same. `known` are the quantities that are printed, too:
    who went on with those did not calculate them otherwise. `values` are what would be right:
    exactly, and from the operands. `depends` is what the print depends on, all if it is None.
    """

    published: Published
    exact: Fraction
    spot: Spot
    target: Target | None
    operands: Sequence[Print]
    known: frozenset[str]
    values: tuple[Any, ...]
    depends: frozenset[str] | None

    def may_change(self, equation: str, anew: bool) -> bool:
        """Whether another equation may change the print, and what is printed beside it allows it.

        If it is read `anew` by a gradient, that may differ from what is printed forward.
        """
        if anew and self.spot.of:
            return True
        return equation not in self.known and (self.depends is None or equation in self.depends)

    @cached_property
    def evidence(self) -> float:
        """How many digits an answer must meet. A simple fraction, as 0.333, is what many make."""
        text = self.published.printed
        value, half = abs(Fraction(text)), unit(text) / 2
        if value <= half:
            return 0.0
        simplest = simplest_between(value - half, value + half)
        return min(float(digits(text)), log10(simplest.numerator * simplest.denominator))

    def evidence_of(self, convention: Convention) -> float:
        """The same; but that the opposite of a simple fraction is printed is no chance."""
        return float(digits(self.published.printed)) if convention == SIGN else self.evidence

    def reads(self, value: Fraction) -> bool:
        """Whether an exact value is what is printed, be it 0."""
        return gives(value, self.published.printed)

    def printed_as(self, value: Any) -> bool:
        """Whether a value is what is printed, at all of its digits."""
        text = self.published.printed
        if not mp.isfinite(value) or abs(float(value) - float(Fraction(text))) > float(unit(text)):
            return False
        return Fraction(text) != 0 and gives(fraction(value), text)


Offer = tuple[Convention, Any]


@dataclass(frozen=True, eq=False)
class Answer:
    """What some convention offers for a print, and how many multiplications that takes."""

    offers: Callable[[Question], Iterator[Offer]]
    cost: int = 0


def read(question: Question, trajectory: Trajectory) -> Iterator[Any]:
    """The value of a print in a training: exact, and from what is printed for its operands."""
    yield from read_at(question.spot, trajectory)
    if question.target is not None and question.operands:
        found = value_from(question.target, question.operands, trajectory)
        if isinstance(found, mp.mpf) and mp.isfinite(found):
            yield found


def read_at(spot: Spot, trajectory: Trajectory) -> Iterator[Any]:
    """The exact value of a number, if it has one in this training."""
    try:
        found = trajectory.value(spot.name)
    except (ArithmeticError, ValueError, TypeError, UnknownName):
        return  # calculated in that way there is no such number, or only a complex one
    if isinstance(found, mp.mpf) and mp.isfinite(found):
        yield found


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction with the least numerator and denominator in an interval of positive numbers."""
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    below = whole - 1
    return below + 1 / simplest_between(1 / (high - below), 1 / (low - below))
