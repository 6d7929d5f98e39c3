"""How a document writes its numbers: with which digits, and from which it computes the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from derive.proofread.check import check
from derive.proofread.claim import Item
from derive.proofread.policy import Policy, agrees, coarsest_exponent, last_exponent
from derive.proofread.reading import Remark, Verdict
from derive.proofread.values import exact_value

ENOUGH = 5  # numbers, before digits that most of them have are taken for a rule
MOST = Fraction(9, 10)
MOST_DIGITS = 15  # a double has no more
MANY = 2_000  # statements tell the rule of a long document, too
SLIPS = 0.03  # of the numbers of an author who goes on with rounded ones miss what these give
SURE = math.log(100)
EXACT = 0.25  # of the operands with few digits, at least so many are no rounded numbers
TYPICAL = 0.5  # of the error that rounded operands can cause at most is what they mostly cause


def found_policy(items: Sequence[Item]) -> Policy:
    """The digits that nearly all prints have, and whether rounded numbers were gone on with."""
    items = items[:MANY]
    rule = _with_digits(check(items, Policy()))
    return replace(rule, chained=_goes_on_with_rounded(check(items, rule, measure=True), rule))


def _goes_on_with_rounded(remarks: Sequence[Remark], rule: Policy) -> bool:
    """Whether the numbers are sooner those of somebody who goes on with rounded ones.

    Somebody who does not meets what rounded operands give the more seldom, the more rounding
    matters. In doubt, what either of them would print is right.
    """
    score, missed = 0.0, False
    for remark in remarks:
        if remark.value is None:
            continue
        unit = Fraction(10) ** last_exponent(rule, remark.value, remark.printed)
        by_chance = 1 / (1 + TYPICAL * float(min(remark.slack / unit, Fraction(MANY))))
        by_chance = max(by_chance, EXACT)
        if agrees(rule, remark.value, remark.printed):
            score += math.log((1 - SLIPS) / by_chance)
        elif abs(remark.value - exact_value(remark.printed)) <= remark.slack + unit / 2:
            missed = True
            score += math.log(SLIPS / max(SLIPS, 1 - by_chance))
    return score > SURE or not missed


def _with_digits(plain: Sequence[Remark]) -> Policy:
    """The first rule that nearly all prints keep which have the digits of what they come from."""
    judged = [
        (remark.value, remark.printed)
        for remark in plain
        if remark.value is not None
        and (
            remark.verdict in (Verdict.RIGHT, Verdict.FOLLOWS)
            or coarsest_exponent(Policy(), remark.value, remark.printed) > 0
        )
    ]  # of a whole number with zeros at its end only a rule tells which of them are digits
    if len(judged) < ENOUGH:
        return Policy()
    rules = [Policy(digits=n) for n in range(2, MOST_DIGITS)]
    rules += [Policy(decimals=n) for n in range(1, MOST_DIGITS)]
    kept = [sum(agrees(rule, *pair) for pair in judged) for rule in rules]
    best = max(kept)
    return rules[kept.index(best)] if best >= MOST * len(judged) else Policy()
