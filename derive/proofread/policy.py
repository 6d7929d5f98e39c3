"""Rounding policy of a text: how many digits it promises to print, and how it rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from derive.proofread.values import Rounding, leading_exponent, rounded


@dataclass(frozen=True)
class Policy:
    """Significant digits, or decimals, or neither (then each number's own digits are judged).

    `tolerance_units`: how many units of the last digit a print may be off.  `chained`: whether
    every value is computed from the printed predecessors; if not, the operands on the page are
    rounded copies, and a print is accepted inside the error they explain.  `exact`: for unchained
    texts, unrounded values by name; the print of such a name is judged against them as well.
    `computed`: names whose prints are rounded, even where no value of theirs is known.
    """

    digits: int | None = None
    decimals: int | None = None
    rounding: Rounding = Rounding.HALF_UP
    tolerance_units: int = 0
    chained: bool = True
    exact: Mapping[str, str | Decimal] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.digits is not None and self.decimals is not None:
            raise ValueError("give significant digits or decimals, not both")
        if self.digits is not None and self.digits < 1:
            raise ValueError("at least one significant digit is needed")
        if self.tolerance_units < 0:
            raise ValueError("a tolerance is not negative")
        if self.chained and self.exact:
            raise ValueError("a chained text has no unrounded values; set chained=False")
        object.__setattr__(self, "rounding", Rounding(self.rounding))

    @cached_property
    def rounded_prints(self) -> frozenset[Fraction]:
        """The sizes of the numbers that unrounded values are rounded to."""
        values = [Fraction(Decimal(text)) for text in self.exact.values()]
        pairs = [(value, expected_value(self, value, "0")) for value in values]
        return frozenset(abs(p) for value, p in pairs if p != value)


def last_exponent(policy: Policy, value: Fraction, printed: str) -> int:
    """Power of ten of the last digit that a value is to be printed with."""
    if policy.digits is not None:
        return leading_exponent(value) - policy.digits + 1 if value else 0
    if policy.decimals is not None:
        return -policy.decimals
    return printed_exponent(printed)


def coarsest_exponent(policy: Policy, value: Fraction, printed: str) -> int:
    """The same, where a text with no rule for its digits may have closing zeros that are none."""
    last = last_exponent(policy, value, printed)
    if policy.digits is not None or policy.decimals is not None or not value:
        return last
    size = abs(Decimal(printed).normalize())
    return max(last, printed_exponent(str(size)))


def printed_exponent(printed: str) -> int:
    """Power of ten of the last digit of a printed number."""
    exponent = Decimal(printed).as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{printed!r} is not a finite number")
    return exponent


def expected_value(policy: Policy, value: Fraction, printed: str) -> Fraction:
    """What the policy prints for a value."""
    return rounded(value, last_exponent(policy, value, printed), policy.rounding)


def agrees(policy: Policy, value: Fraction, printed: str) -> bool:
    """Whether a print is the value, rounded under the policy, within its tolerance."""
    exponent = last_exponent(policy, value, printed)
    gap = abs(Fraction(Decimal(printed)) - rounded(value, exponent, policy.rounding))
    return gap <= policy.tolerance_units * Fraction(10) ** exponent
