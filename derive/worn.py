"""Numbers of which cancelling has left few digits, and how many of them are sure.

    (1 + x) - 1     has as many digits as x still had in 1 + x

A sum of such numbers in which these digits cancel is nothing, though something is left of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mpmath import mp, mpf

NO_NOISE = float("-inf")


class Worn(mpf):
    """A number of which only some binary digits are sure: `sure` of them."""

    sure: int

    def __neg__(self) -> Worn:
        return worn(mpf.__neg__(self), self.sure)

    def __abs__(self) -> Worn:
        return worn(mpf.__abs__(self), self.sure)


def worn(value: mpf, sure: int) -> Worn:
    """A number with so many sure binary digits."""
    found = Worn(value)
    found.sure = sure
    return found


def as_sure(found: Any, operands: Iterable[Any]) -> Any:
    """A product or power, of which as many digits are sure as of the least sure operand."""
    sure = [each.sure for each in operands if isinstance(each, Worn)]
    return worn(found, min(sure)) if sure and isinstance(found, mpf) else found


def noise(term: Any) -> float:
    """The power of two below which no digit of a worn number is sure."""
    return float(mp.mag(term)) - term.sure if isinstance(term, Worn) else NO_NOISE
