"""Judges a document: each print against the truth, and against what was printed before it.

A print that does not follow from the prints before it is an error of its own; one that does, while
they are off, only follows. Both are found by going through the text with two ledgers: the numbers
as printed, and the numbers as they should be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from derive.proofread.align import Atom, Template, in_steps, template
from derive.proofread.claim import Claim, Finding, Item, Kind, Unread
from derive.proofread.constants import PI, is_circle
from derive.proofread.formula import parse_formula
from derive.proofread.judge import judge_item
from derive.proofread.omissions import namesake, omission
from derive.proofread.policy import Policy, agrees, expected_value, printed_exponent
from derive.proofread.reading import Reading, Remark, Verdict
from derive.proofread.slips import is_double, miswritten, slip, writing
from derive.proofread.spread import Known, rounded_copy, significant, spread
from derive.proofread.values import FAILURES, decimal_text, exact_value, unknown_names, value_of
from derive.proofread.worked import changed, in_names, miscopied, miswritten_beside_dots, worked_out

STEPS = 3  # units of the last digit, by which rounding on the way takes a number off at most
CHAINED_DIGITS = 4  # so many have numbers that were gone on with
CHAINED_UNITS = 5  # of the last digit, by which rounded operands mostly take a value off at most
FEW = 0.34  # of the names that are printed again may have another value by a slip


def check(
    items: Sequence[Item],
    policy: Policy,
    measure: bool = False,
) -> list[Remark]:
    """A remark on each item, and on each operand that is off where it is first written.

    With `measure`, each has the slack of its value.
    """
    return read_through(items, Reading(policy, measure=measure)).remarks


def read_through(items: Sequence[Item], reading: Reading) -> Reading:
    """Judge all items in their order, with what is known before the first."""
    reading.moving = _moving(items)
    if is_circle(items):  # texts of sides have its letter
        reading.learn("pi", PI, PI)
    for place, item in enumerate(items):
        if isinstance(item, Unread):
            reading.remark(Remark(place, item, Verdict.UNREAD, reason=item.reason))
        else:
            _read(reading, place, item)
    return reading


def _moving(items: Sequence[Item]) -> frozenset[str]:
    """The names that a text gives several values, as a training does.

    If nearly all names that are printed again have the same value again, the few others are slips.
    """
    prints: dict[str, list[str]] = {}
    for item in items:
        if isinstance(item, Claim) and item.lhs.is_Symbol and item.printed is not None:
            prints.setdefault(str(item.lhs), []).append(item.printed)
    again = {name: found for name, found in prints.items() if len(found) > 1}
    moving = {
        name
        for name, found in again.items()
        if any(exact_value(each) != exact_value(found[0]) for each in found)
    }
    return frozenset(moving if len(moving) > FEW * len(again) else ())


def _read(reading: Reading, place: int, claim: Claim) -> None:
    name = str(claim.lhs) if claim.lhs.is_Symbol else ""
    if place in reading.faults and not claim.forms and claim.printed is not None:
        words, known = reading.faults[place], rounded_copy(claim.printed, reading.policy)
        reading.remark(Remark(place, claim, Verdict.WRONG, name, claim.printed, reason=words))
        reading.learn(name, known, known)
        return
    if place in reading.faults:
        reading.remark(Remark(place, claim, Verdict.WRONG, reason=reading.faults[place]))
        if claim.printed is not None:
            _of_fault(reading, place, claim, claim.printed)
        return
    if name:
        claim = reading.completed(name, claim)
        reading.define(name, [tex for form, tex in claim.sides if form.free_symbols])
    miswritten_beside_dots(reading, place, claim)
    worked = worked_out(reading, name, claim)
    if worked is None:
        judged = claim
    elif any(changed(reading, *pair) for pair in worked.pairs):
        judged = claim.in_numbers()
        if miscopied(reading, place, claim, worked):
            judged, worked = in_names(claim, worked.formula), None
    else:
        judged = claim
        for operand, written in worked.pairs:
            if operand not in reading.printed:
                _first_written(reading, place, claim, operand, written)
    found = judge_item(judged, reading.policy, reading.printed)
    if judged.printed is None:
        reading.remark(_of_formulas(reading, place, judged, found))
        return
    formula = worked.formula if worked is not None and judged is claim else None
    _of_print(reading, place, judged, judged.printed, found, formula)
    if worked is not None and judged is not claim and found.kind is Kind.AGREES:
        for operand, written in worked.pairs:
            if changed(reading, operand, written):  # a new value, as after an update
                _misstated(reading, claim, operand, written.text)
                new = reading.given(written.text)
                reading.learn(operand, new, new)


def _misstated(reading: Reading, claim: Claim, operand: str, written: str) -> None:
    """Find a given number wrong that a line goes on with as it should have been written."""
    for number in reversed(range(len(reading.remarks))):
        remark = reading.remarks[number]
        if remark.name == operand and remark.printed:
            if remark.verdict is Verdict.GIVEN and miswritten(remark.printed, written):
                words = f"line {claim.where.line} goes on with {written}"
                found = replace(remark, verdict=Verdict.WRONG, expected=written, reason=words)
                reading.remarks[number] = found
            return


def _of_fault(reading: Reading, place: int, claim: Claim, printed: str) -> None:
    """A number that a wrong formula gave goes on with it."""
    name = str(claim.lhs) if claim.lhs.is_Symbol else claim.lhs_tex
    fault = len(reading.remarks) - 1
    made = Remark(place, claim, Verdict.FOLLOWS, name, printed, follows=fault)
    value, known = reading.by_network(name), rounded_copy(printed, reading.policy)
    if value is None:
        reading.remark(made)
        reading.learn(name, known, known)
        return
    right = expected_value(reading.policy, value, printed)
    reading.remark(replace(made, expected=decimal_text(right)))
    reading.learn(name, known, Known(right, known.half_unit))


def _first_written(reading: Reading, place: int, claim: Claim, operand: str, written: Atom) -> None:
    """An operand that was not shown before: given here, or worked out elsewhere in the text."""
    value, formula = reading.value_of(operand)
    if value is None or agrees(reading.policy, value, written.text):
        known = reading.given(written.text)
        reading.learn(operand, known, known)
        return
    expected = expected_value(reading.policy, value, written.text)
    reading.learn(operand, rounded_copy(written.text, reading.policy), Known(expected, Fraction(0)))
    verdict, reason = _why(reading, value, formula, written.text)
    text = decimal_text(expected)
    reading.remark(Remark(place, claim, verdict, operand, written.text, text, reason))


def _why(
    reading: Reading, value: Fraction, formula: Template | None, printed: str
) -> tuple[Verdict, str]:
    """Whether only the digits of a print are off, and why; no reason rather than a false one."""
    numbers = reading.printed.numbers
    stepwise = in_steps(formula, numbers, reading.policy) if formula else None
    right = expected_value(reading.policy, value, printed)
    near = abs(value - exact_value(printed)) <= STEPS * Fraction(10) ** printed_exponent(printed)
    if stepwise == exact_value(printed) and stepwise != right and near:
        return Verdict.WRONG, "it is what comes out if every product and sum is rounded on the way"
    if words := writing(value, printed):
        return Verdict.DIGITS, words
    words = slip(value, printed, reading.policy)
    if not words and formula is not None:
        words = omission(formula, numbers, printed, reading.policy)
    return Verdict.WRONG, words


def _of_formulas(reading: Reading, place: int, claim: Claim, found: Finding) -> Remark:
    if found.kind is Kind.DISAGREES and not claim.names & reading.moving:
        return Remark(place, claim, Verdict.WRONG, "", "", found.expected, found.message)
    verdict = Verdict.RIGHT if found.kind is Kind.AGREES else Verdict.FORMULA
    return Remark(place, claim, verdict, reason=found.message)


def _operands(claim: Claim, formula: str | None) -> set[str]:
    """The names that a claim is worked out from."""
    found = claim.names
    if formula is not None:
        found |= {symbol.name for symbol in parse_formula(formula).free_symbols}
    return found


def _of_print(
    reading: Reading, place: int, claim: Claim, printed: str, found: Finding, formula: str | None
) -> None:
    """Judge a print, and remember it with what it should have been."""
    name = str(claim.lhs) if claim.lhs.is_Symbol else claim.lhs_tex
    made = Remark(place, claim, Verdict.RIGHT, name, printed)
    if found.kind is Kind.DISAGREES:
        found = _mildly(reading, claim, printed, found)
    as_printed = rounded_copy(printed, reading.policy)
    before = reading.printed.get(name)
    stays_rounded = found.kind is Kind.RESTATED and before is not None and before.half_unit
    if found.kind in (Kind.GIVEN, Kind.RESTATED) and not stays_rounded:
        as_printed = reading.given(printed)
    if found.kind is Kind.DISAGREES and found.expected is None:
        reading.remark(replace(made, verdict=Verdict.WRONG, reason=found.message))
        reading.learn(name, as_printed, as_printed)
        return
    if found.kind in (Kind.GIVEN, Kind.SYMBOLIC):
        verdict = Verdict.GIVEN if found.kind is Kind.GIVEN else Verdict.FORMULA
        _of_given(reading, replace(made, verdict=verdict, reason=found.message), as_printed)
        return
    value, slack = _computed(reading, claim)
    made = replace(made, value=value, slack=slack)
    off = reading.off.keys() & _operands(claim, formula)
    true = _in_truth(reading, claim, formula) if off else found
    if found.kind is Kind.DISAGREES and off and _is_true(true, reading, claim, formula):
        pass  # it is right, and what is wrong before it is wrong there alone
    elif found.kind is Kind.DISAGREES:
        made = _own(reading, made, claim, found)
    elif off and true.kind is Kind.DISAGREES and true.expected is not None:
        origin = _origin(reading, claim, formula)
        if origin is not None:
            made = replace(made, verdict=Verdict.FOLLOWS, expected=true.expected, follows=origin)
    right = true.expected if off and true.kind is Kind.DISAGREES else made.expected
    reading.remark(made)
    truth = as_printed if right is None else Known(exact_value(right), as_printed.half_unit)
    reading.learn(name, as_printed, truth)


def _of_given(reading: Reading, made: Remark, as_printed: Known) -> None:
    """A number that the text does not work out; where the network is stated, it has its value."""
    value = reading.by_network(made.name) if reading.stated is not None else None
    if value is None or _near(reading.policy, value, made.printed):
        right = Verdict.RIGHT if value is not None else made.verdict
        reading.remark(replace(made, verdict=right))
        reading.learn(made.name, as_printed, as_printed)
        return
    if reading.stated is not None and made.name in reading.stated.values:
        made = replace(made, verdict=Verdict.WRONG, reason="the spec gives it another value")
        expected = value
    else:
        expected = expected_value(reading.policy, value, made.printed)
        verdict, reason = _why(reading, value, None, made.printed)
        made = replace(made, verdict=verdict, reason=reason)
    reading.remark(replace(made, expected=decimal_text(expected)))
    reading.learn(made.name, as_printed, Known(expected, as_printed.half_unit))


def _near(policy: Policy, value: Fraction, printed: str) -> bool:
    """Whether a print is a value, or may be it where rounded numbers were gone on with."""
    few = len(significant(printed)) < CHAINED_DIGITS
    slack = CHAINED_UNITS if policy.chained and not few else 0
    return agrees(replace(policy, tolerance_units=slack), value, printed)


def _mildly(reading: Reading, claim: Claim, printed: str, found: Finding) -> Finding:
    """A disagreement, unless a name may have got another value here."""
    known = reading.printed.get(str(claim.lhs))
    if claim.lhs.is_Symbol and not claim.forms and known is not None:
        if writing(known.value, printed):
            return replace(found, kind=Kind.RESTATED)
        moved = str(claim.lhs) in reading.moving
        slipped = not moved or slip(known.value, printed, reading.policy)
        return found if slipped else replace(found, kind=Kind.GIVEN, expected=None)
    in_names = all(form.free_symbols for form in claim.forms)
    if in_names and claim.names & reading.moving:
        return replace(found, kind=Kind.SYMBOLIC, message="a name here has several values")
    return found


def _own(reading: Reading, made: Remark, claim: Claim, found: Finding) -> Remark:
    """An error of its own, unless it is a double with all its bits."""
    value, tex = _failing(reading, claim)
    if value is None:
        return replace(made, verdict=Verdict.WRONG, expected=found.expected, reason=found.message)
    if is_double(value, made.printed):
        return made
    formula = template(tex) if claim.forms else None
    verdict, reason = _why(reading, value, formula, made.printed)
    if verdict is Verdict.WRONG and not reason:
        reason = namesake(made.name, reading.printed.numbers, made.printed)
    return replace(made, verdict=verdict, expected=found.expected, reason=reason)


def _failing(reading: Reading, claim: Claim) -> tuple[Fraction | None, str]:
    """The first side of a claim that does not give the print, and its text."""
    for value, tex in _values(reading, claim):
        if claim.printed is not None and not agrees(reading.policy, value, claim.printed):
            return value, tex
    return None, ""


def _computed(reading: Reading, claim: Claim) -> tuple[Fraction | None, Fraction]:
    """What the last side of a claim gives that has a value, and how far rounding may take it."""
    values = list(_values(reading, claim)) if claim.forms or not claim.lhs.is_Symbol else []
    if not values:
        return None, Fraction(0)
    value, tex = values[-1]
    slack = spread(tex, reading.printed, reading.policy) if reading.measure else Fraction(0)
    return value, slack


def _values(reading: Reading, claim: Claim) -> Iterator[tuple[Fraction, str]]:
    """The values of the sides of a claim, at the numbers as printed."""
    values = reading.printed.numbers
    sides = list(claim.sides)
    if not claim.lhs.is_Symbol or not sides:
        sides.insert(0, (claim.lhs, claim.lhs_tex))
    for form, tex in sides:
        if not unknown_names(form, values):
            with suppress(*FAILURES):
                yield value_of(form, values), tex


def _is_true(true: Finding, reading: Reading, claim: Claim, formula: str | None) -> bool:
    """Whether a print is right at the numbers as they should be, by rounded or unrounded ones."""
    unrounded = replace(reading.policy, chained=False)
    if true.kind is Kind.AGREES:
        return True
    return _in_truth(reading, claim, formula, unrounded).kind is Kind.AGREES


def _in_truth(
    reading: Reading, claim: Claim, formula: str | None, policy: Policy | None = None
) -> Finding:
    """The verdict at the numbers as they should be, by the formula where a line works one out."""
    values = reading.true.numbers
    texts = [tex for form, tex in claim.sides if form.free_symbols]
    if formula is not None:
        texts.append(formula)
    forms = [(parse_formula(tex), tex) for tex in dict.fromkeys(texts)]
    forms = [(form, tex) for form, tex in forms if not unknown_names(form, values)]
    if forms:
        made, written = zip(*forms, strict=True)
        claim = replace(claim, forms=made, form_tex=written)
    return judge_item(claim, policy or reading.policy, reading.true)


def _origin(reading: Reading, claim: Claim, formula: str | None) -> int | None:
    """The first error that an operand of a claim goes back to."""
    names = _operands(claim, formula)
    found = sorted(reading.off[name] for name in names if name in reading.off)
    for place in found:
        first = reading.remarks[place]
        return place if first.follows is None else first.follows
    return None
