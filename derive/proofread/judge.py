"""Judges claims: does every form, at the values printed earlier, round to the printed number?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sympy

from derive.proofread.claim import Claim, Finding, Item, Kind, Unread
from derive.proofread.explain import explanation
from derive.proofread.policy import Policy, agrees, expected_value, last_exponent
from derive.proofread.spread import Known, Ledger, rounded_copy, spread
from derive.proofread.values import FAILURES, decimal_text, exact_value, unknown_names, value_of

LONG = 40  # characters of a number in a message
_SIZE = re.compile(r"\s*\d+(?:\s*\\times\s*\d+)+\s*")


@dataclass(frozen=True)
class _Form:
    """A side of a claim that has a value; its text is empty for an unrounded value.

    `named` says that it stands there in names, without numbers put in.
    """

    tex: str
    value: Fraction
    named: bool = False


@dataclass(frozen=True)
class _Sides:
    """The sides of a claim, sorted into those with a value, those without, and failures."""

    valued: tuple[_Form, ...]
    unknown: tuple[str, ...]
    failures: tuple[str, ...]


def judge(
    items: Sequence[Item], policy: Policy, givens: Mapping[str, str | Decimal] | None = None
) -> list[Finding]:
    """One finding for each item, in order; values are those printed on the way, wrong or not.

    `givens` maps canonical names (see `symbol_name`) to values known before the text starts.
    """
    if not items:
        raise ValueError("nothing to judge: the text has no displayed mathematics")
    ledger = Ledger(
        {name: Known(exact_value(value), Fraction(0)) for name, value in (givens or {}).items()}
    )
    findings = []
    for item in items:
        finding = judge_item(item, policy, ledger)
        findings.append(finding)
        if isinstance(item, Claim) and item.lhs.is_Symbol and item.printed is not None:
            name = str(item.lhs)
            ledger[name] = _entry(name, finding, item.printed, ledger.get(name), policy)
    return findings


def _entry(
    name: str, finding: Finding, printed: str, before: Known | None, policy: Policy
) -> Known:
    # A given, and a given repeated, is exact; every other print is a rounded value.
    is_given = finding.kind is Kind.GIVEN and name not in policy.computed
    repeats = before is not None and not before.half_unit and before.value == exact_value(printed)
    if is_given or (finding.kind is Kind.RESTATED and repeats):
        return Known(exact_value(printed), Fraction(0))
    return rounded_copy(printed, policy)


def judge_item(item: Item, policy: Policy, ledger: Ledger) -> Finding:
    """The verdict on one item, at what is known before it."""
    if isinstance(item, Unread):
        return Finding(item, Kind.UNREAD, None, item.reason)
    sides = _sides(item, ledger)
    if sides.failures and (policy.chained or str(item.lhs) not in policy.computed):
        return Finding(item, Kind.DISAGREES, None, sides.failures[0])
    if item.printed is None:
        return _judge_formulas(item, sides, policy, ledger)
    is_bare = item.lhs.is_Symbol and not item.forms
    if is_bare and str(item.lhs) not in policy.exact:
        return _judge_bare(item, item.printed, policy, ledger)
    return _judge_printed(item, item.printed, sides, policy, ledger)


def _sides(claim: Claim, ledger: Ledger) -> _Sides:
    values = ledger.numbers
    valued: list[_Form] = []
    unknown: set[str] = set()
    failures: list[str] = []
    for expression, tex in _texts(claim):
        missing = unknown_names(expression, values)
        unknown.update(missing)
        if missing:
            continue
        try:
            named = bool(expression.free_symbols)
            valued.append(_Form(tex, value_of(expression, values), named))
        except FAILURES as error:
            failures.append(f"{tex} has no value: {error}")
    return _Sides(tuple(valued), tuple(sorted(unknown)), tuple(failures))


def _texts(claim: Claim) -> Iterator[tuple[sympy.Expr, str]]:
    if not claim.lhs.is_Symbol:
        yield claim.lhs, claim.lhs_tex
    yield from zip(claim.forms, claim.form_tex, strict=True)


def _judge_bare(claim: Claim, printed: str, policy: Policy, ledger: Ledger) -> Finding:
    known = ledger.get(str(claim.lhs))
    if known is None:
        return Finding(claim, Kind.GIVEN, None, f"{claim.lhs} is given as {printed}")
    if known.value == exact_value(printed) or agrees(policy, known.value, printed):
        return Finding(claim, Kind.RESTATED, decimal_text(known.value), "")
    expected = decimal_text(known.value)
    message = f"{claim.lhs} was {expected} before, now {printed}"
    return Finding(claim, Kind.DISAGREES, expected, message)


def _judge_printed(
    claim: Claim, printed: str, sides: _Sides, policy: Policy, ledger: Ledger
) -> Finding:
    forms = [*sides.valued, *_unrounded(claim, policy)]
    if not forms:
        return Finding(claim, Kind.SYMBOLIC, None, _without_value(sides.unknown))
    for form in forms:
        if not _accepts(form, printed, policy, ledger, forms[-1]):
            expected = decimal_text(expected_value(policy, form.value, printed))
            reason = explanation(form.value, form.tex, printed, policy, ledger)
            source = form.tex or "the unrounded value"
            message = f"{source} gives {_told(expected)}, printed is {_told(printed)}{reason}"
            return Finding(claim, Kind.DISAGREES, expected, message)
    expected = decimal_text(expected_value(policy, forms[-1].value, printed))
    return Finding(claim, Kind.AGREES, expected, _without_value(sides.unknown))


def _unrounded(claim: Claim, policy: Policy) -> list[_Form]:
    text = policy.exact.get(str(claim.lhs)) if claim.lhs.is_Symbol else None
    return [] if text is None else [_Form("", exact_value(text))]


def _accepts(form: _Form, printed: str, policy: Policy, ledger: Ledger, taken: _Form) -> bool:
    """Whether a form gives a print; by another road over rounded names it may miss it a little.

    The last road of a chained text is the one that was taken: what rounded names make of it takes
    the print away from all other roads, as that over `y` from the one over its net input. A whole
    number behind names only, as the 1 of `p/p`, comes from none of them.
    """
    if agrees(policy, form.value, printed):
        return True
    last = form is taken and not (form.named and exact_value(printed).denominator == 1)
    if (policy.chained and last) or not form.tex:
        return False
    unit = Fraction(10) ** last_exponent(policy, form.value, printed)
    slack = spread(form.tex, ledger, policy) + unit * (policy.tolerance_units + Fraction(1, 2))
    if policy.chained:
        slack += spread(taken.tex, ledger, policy)
    return abs(form.value - exact_value(printed)) <= slack


def _is_size(form: _Form, value: Fraction) -> bool:
    """Whether a side is the size of a table, as `4 × 4`, one side of which was computed."""
    return bool(_SIZE.fullmatch(form.tex)) and str(value) in re.findall(r"\d+", form.tex)


def _judge_formulas(claim: Claim, sides: _Sides, policy: Policy, ledger: Ledger) -> Finding:
    if len(sides.valued) < 2:
        return Finding(claim, Kind.SYMBOLIC, None, _without_value(sides.unknown))
    first, *others = sides.valued
    for other in others:
        if _is_size(other, first.value):
            continue
        if abs(first.value - other.value) > _formula_slack(first, other, policy, ledger):
            message = f"{first.tex} and {other.tex} have different values"
            return Finding(claim, Kind.DISAGREES, _short(first.value), message)
    return Finding(claim, Kind.AGREES, _short(first.value), _without_value(sides.unknown))


def _formula_slack(left: _Form, right: _Form, policy: Policy, ledger: Ledger) -> Fraction:
    """How far apart two forms may be: what rounded names make of them.

    Two roads over rounded values may end on neighbouring numbers.
    """
    slack = sum((spread(form.tex, ledger, policy) for form in (left, right)), Fraction(0))
    if not policy.chained or (policy.digits is None and policy.decimals is None):
        return slack
    unit = Fraction(10) ** last_exponent(policy, left.value or right.value, "0")
    return max(slack, unit * (1 + policy.tolerance_units))


def _told(text: str) -> str:
    """A number in a message, with a power of ten where it would fill lines."""
    return text if len(text) <= LONG else f"{Decimal(text).normalize():E}"


def _short(value: Fraction) -> str:
    return decimal_text(expected_value(Policy(digits=12), value, "0"))


def _without_value(unknown: Sequence[str]) -> str:
    return f"no value for {', '.join(unknown)}" if unknown else ""
