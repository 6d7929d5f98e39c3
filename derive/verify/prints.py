"""What is printed: its digits, and values rounded to as many."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mpmath import mp

from derive.numbers import NumberFormat, Rounding, Zeros
from derive.verify.algebra import working

FINE = NumberFormat(significant_digits=40)


def fraction(value: Any) -> Fraction | None:
    """A value as a fraction, good to 40 digits; None if it is not finite."""
    if not isinstance(value, mp.mpf) or not mp.isfinite(value):
        return None
    with working():
        return FINE.round(value)


def unit(printed: str) -> Fraction:
    """One unit of the last digit of a print."""
    return Fraction(10) ** -places(printed)


def places(printed: str) -> int:
    """How many decimals a print has."""
    mantissa, _, exponent = printed.lower().partition("e")
    return len(mantissa.partition(".")[2]) - int(exponent or 0)


def rounded(printed: str, value: Fraction, rounding: Rounding = Rounding.HALF_UP) -> str:
    """A value with as many decimals as a print."""
    decimals = places(printed)
    scale = Fraction(10) ** min(decimals, 0)
    plain = NumberFormat(None, max(decimals, 0), rounding, Zeros.PAD, False)
    text = plain.text(value * scale)
    return text if decimals >= 0 else str(int(Fraction(text) / scale))


def gives(value: Fraction | None, printed: str) -> bool:
    """Whether a value is what is printed, at all of its digits."""
    return value is not None and Fraction(rounded(printed, value)) == Fraction(printed)


def digits(printed: str) -> int:
    """How many significant digits a print has."""
    mantissa = printed.lower().partition("e")[0]
    return len(re.sub(r"\D", "", mantissa).lstrip("0"))
