"""A wrong print as a question, and what may answer it: another number, or one made otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mpmath import mp

from derive.problem import Published
from derive.verify.consequences import Print, Target, value_from
from derive.verify.prints import digits, fraction, rounded, unit
from derive.verify.trajectory import Trajectory, UnknownName
from derive.verify.why.elsewhere import Spot


@dataclass(frozen=True, eq=False)
class Question:
    """A print, the value that it should be, and the prints that may have been its operands.

    There are none where they would give the same.
    """

    published: Published
    exact: Fraction
    spot: Spot
    target: Target | None
    operands: Sequence[Print]

    @property
    def evidence(self) -> int:
        """The digits that an answer must meet; zeros at the end are what many numbers have."""
        mantissa = self.published.printed.lower().partition("e")[0]
        return digits(mantissa.rstrip("0") if "." in mantissa else mantissa)

    def printed_as(self, value: Any) -> bool:
        """Whether a value is what is printed, at all of its digits."""
        text = self.published.printed
        if not mp.isfinite(value) or abs(float(value) - float(Fraction(text))) > float(unit(text)):
            return False
        found = fraction(value)
        return found is not None and Fraction(rounded(text, found)) == Fraction(text) != 0


@dataclass(frozen=True)
class Convention:
    """What may have been printed instead: a cause for machines, and words that go on from "it is".

    The likely ones have the lowest rank. `whole` is what would be said of a table and not of one
    number.
    """

    cause: str
    words: str
    rank: int
    whole: bool = False


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
