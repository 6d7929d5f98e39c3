"""Floats as a page prints them: what the notebook computes with `rounded` and `units`."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation

from derive.numbers import NumberFormat, Rounding

CERTAIN = 14  # digits of a float; the others are noise


def rounded(value: float, numbers: NumberFormat) -> Decimal:
    """A float as the page prints it. Raises InvalidOperation if it has not so many digits."""
    if value == 0:
        return Decimal(0)
    mode = ROUND_HALF_UP if numbers.rounding is Rounding.HALF_UP else ROUND_HALF_EVEN
    number = Decimal(f"{value:.{CERTAIN - 1}e}")
    return number.quantize(unit(number, numbers), mode)


def units(value: float, printed: str, numbers: NumberFormat) -> float | None:
    """How far a print is from a value, in units of its last digit; None if a float cannot tell."""
    try:
        right = rounded(value, numbers)
    except InvalidOperation:
        return None
    if not right and numbers.decimals is None and Decimal(printed):
        return None
    return float((Decimal(printed) - right) / unit(right, numbers))


def unit(number: Decimal, numbers: NumberFormat) -> Decimal:
    """One unit of the last digit that the page prints of a number."""
    if numbers.decimals is not None:
        return Decimal(1).scaleb(-numbers.decimals)
    return Decimal(1).scaleb(number.adjusted() - (numbers.significant_digits or 4) + 1)
