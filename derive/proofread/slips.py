"""Slips of the pen that explain a wrong print; nothing is said that could be chance."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from derive.proofread.policy import Policy, expected_value, printed_exponent
from derive.proofread.spread import significant
from derive.proofread.values import Rounding, decimal_text, exact_value, rounded

ENOUGH_DIGITS = 3  # two digits agree by chance once in a hundred times, and many slips are tried
LONG_DIGITS = 5  # two numbers of so many are not nearly the same by chance
DOUBLE_DIGITS = 15


def is_double(value: Fraction, printed: str) -> bool:
    """Whether a print has all digits of a double, and only its last bits are off."""
    gap = abs(exact_value(printed) - value)
    return len(significant(printed)) >= DOUBLE_DIGITS and gap <= 8 * abs(value) * Fraction(
        sys.float_info.epsilon
    )


def writing(value: Fraction, printed: str) -> str:
    """Why a print is the value and yet not written as the others are; empty if it is not."""
    exponent, target = printed_exponent(printed), exact_value(printed)
    if not target:
        return ""
    if rounded(value, exponent, Rounding.HALF_UP) == target:
        return "it is the value with fewer digits"
    if rounded(value, exponent, Rounding.DOWN) == target:
        return "it is the value cut off instead of rounded"
    if rounded(value, exponent, Rounding.HALF_EVEN) == target:
        return "it is the value with a tie rounded to the even digit"
    return ""


def miswritten(printed: str, right: str) -> bool:
    """Whether a number is another one but for a digit that is lost, added, wrong or exchanged."""
    here, there = (text.lstrip("-").replace(".", "") for text in (printed, right))
    if here == there or min(len(significant(printed)), len(significant(right))) < LONG_DIGITS:
        return False
    first = next((k for k, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), None)
    if first is None:
        return False  # fewer digits of the same number
    a, b = here[first:], there[first:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:])


def slip(value: Fraction, printed: str, policy: Policy) -> str:
    """The one slip that turns the value into the print; empty if there is none or several."""
    if len(significant(printed)) < ENOUGH_DIGITS:
        return ""
    found = list(dict.fromkeys(_slips(value, printed, policy)))
    return found[0] if len(found) == 1 else ""


def _slips(value: Fraction, printed: str, policy: Policy) -> Iterator[str]:
    target = exact_value(printed)
    right = expected_value(policy, value, printed)
    if right == -target:
        yield "the sign is the other one"
    for power in (1, 2, 3):
        moved = Fraction(10) ** power
        scaled = {
            expected_value(policy, value * moved, printed),
            expected_value(policy, value / moved, printed),
        }
        if target in scaled:
            yield f"the decimal point is {power} {'place' if power == 1 else 'places'} off"
    if _swapped(decimal_text(abs(right)), decimal_text(abs(target))):
        yield "two digits next to each other have changed places"


def _swapped(right: str, printed: str) -> bool:
    width = max(len(right), len(printed))
    left, other = (text.ljust(width, "0") if "." in text else text for text in (right, printed))
    if len(left) != len(other):
        return False
    apart = [k for k, (a, b) in enumerate(zip(left, other, strict=True)) if a != b]
    return (
        len(apart) == 2
        and apart[1] == apart[0] + 1
        and left[apart[0]] == other[apart[1]]
        and left[apart[1]] == other[apart[0]]
        and Decimal(left) != Decimal(other)
    )
