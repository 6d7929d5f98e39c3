"""Looks for the slip that explains a wrong print."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.proofread.policy import Policy, last_exponent
from derive.proofread.spread import Ledger, spread
from derive.proofread.values import Rounding, ValueFailure, exact_value, rounded

_MODE_TEXT = {
    Rounding.HALF_UP: "ties rounded away from zero",
    Rounding.HALF_EVEN: "ties rounded to even",
    Rounding.DOWN: "truncated",
}
_FEWER_DIGITS = range(1, 4)


def explanation(value: Fraction, tex: str, printed: str, policy: Policy, ledger: Ledger) -> str:
    """The first slip that turns the value into the print, in brackets; empty if none does."""
    for slip in _slips(value, tex, printed, policy, ledger):
        return f" ({slip})"
    return ""


def _slips(
    value: Fraction, tex: str, printed: str, policy: Policy, ledger: Ledger
) -> Iterator[str]:
    target = exact_value(printed)
    exponent = last_exponent(policy, value, printed)
    if rounded(-value, exponent, policy.rounding) == target:
        yield "the sign is wrong"
    for mode in Rounding:
        if rounded(value, exponent, mode) == target:
            yield _MODE_TEXT[mode]
    for fewer in _FEWER_DIGITS:
        if target and rounded(value, exponent + fewer, policy.rounding) == target:
            yield f"printed with {fewer} digit{'s' if fewer > 1 else ''} fewer"
    if rounded(value, exponent - 1, policy.rounding) == target:
        yield "printed with one digit more"
    if _within_unrounded(value, tex, target, exponent, policy, ledger):
        yield "within the error of rounded operands"


def _within_unrounded(
    value: Fraction,
    tex: str,
    target: Fraction,
    exponent: int,
    policy: Policy,
    ledger: Ledger,
) -> bool:
    if not tex:
        return False
    try:
        slack = spread(tex, ledger, policy) + Fraction(10) ** exponent / 2
    except (ValueFailure, ZeroDivisionError):
        return False
    return abs(value - target) <= slack
