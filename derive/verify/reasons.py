"""What is said of a print that differs: the value, and how far off its last digit is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction

from derive.numbers import decimal
from derive.problem import Published
from derive.verify.prints import digits, places, rounded, unit
from derive.verify.trajectory import Trajectory

NEAR = 3  # units of the last digit; what is so near has no reason that could be found


def reasons(
    published: Published, exact: Fraction, trajectory: Trajectory, shown: str | None
) -> Iterator[str]:
    """The value; and if a print is off in its last digit only, how."""
    printed, text = Fraction(published.printed), published.printed
    yield _value(text, exact)
    if shown is not None and Fraction(shown) != Fraction(rounded(shown, exact)):
        yield f"the page, which goes on with rounded numbers, has {shown}"
    last = unit(text)
    if is_cut(text, exact):
        yield "it is the value cut or rounded the other way, one unit off in its last digit"
    elif abs(printed - exact) <= NEAR * last and digits(text) > 1:
        yield _off_by(round(abs(printed - exact) / last))


def is_cut(printed: str, exact: Fraction) -> bool:
    """Whether a print is the value with its last digit cut, or rounded the other way.

    A value that ends where the print does is not off by rounding, and a single digit is not rounded
    away from zero.
    """
    value, last = Fraction(printed), unit(printed)
    if exact % last == 0 or abs(value - exact) >= last:
        return False
    return abs(value) < abs(exact) or digits(printed) > 1


def _off_by(units: int) -> str:
    word = "one unit" if units <= 1 else f"{units} units"
    return f"it is off by {word} of its last digit"


def _value(printed: str, exact: Fraction) -> str:
    """The value in a few more digits than were printed, and at those that were."""
    expected = rounded(printed, exact)
    number = decimal(exact)
    least = min(-places(printed) - 2, number.adjusted() - 4 if exact else 0)
    with localcontext(prec=400):
        cut = number.quantize(Decimal(1).scaleb(min(least, 0)), ROUND_DOWN)
    words = f"{cut:f}".rstrip("0").rstrip(".") if "." in f"{cut:f}" else f"{cut:f}"
    if Fraction(cut) != exact:
        words += "…"
    if Fraction(expected) == exact:
        return f"the value is {words}"
    return f"the value is {words}, so {expected} at the printed digits"
