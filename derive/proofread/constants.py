r"""The number `\pi`, where a text means that by it; others call a policy or a probability so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import sympy

from derive.proofread.claim import Claim, Item
from derive.proofread.spread import Known

PI = Known(Fraction(31415926535897932384626433832795028841972, 10**40), Fraction(0))
_OF_A_CIRCLE = re.compile(r"(?:\d|\\sqrt\s*\{)(?:\s|\\[,;:!]|\\cdot\s)*\\pi(?![A-Za-z_^(])")


def with_circle(items: Sequence[Item]) -> list[Item]:
    """The claims with the number for its letter, where that is what the text means."""
    return [_with_number(item) for item in items] if is_circle(items) else list(items)


def _with_number(item: Item) -> Item:
    if not isinstance(item, Claim):
        return item
    number = {sympy.Symbol("pi", real=True): sympy.Rational(*PI.value.as_integer_ratio())}
    forms = tuple(form.xreplace(number) for form in item.forms)
    return replace(item, lhs=item.lhs.xreplace(number), forms=forms)


def is_circle(items: Sequence[Item]) -> bool:
    """Whether a text has the root or a multiple of the number, and says nothing else of it."""
    claims = [item for item in items if isinstance(item, Claim)]
    return not any(str(claim.lhs) == "pi" for claim in claims) and any(
        _OF_A_CIRCLE.search(claim.source) for claim in claims
    )
