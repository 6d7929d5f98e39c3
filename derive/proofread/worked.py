"""Lines that work a formula out in numbers: which number is written for each of its names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from derive.proofread.align import Atom, aligned, beside_dots
from derive.proofread.claim import Claim, Kind
from derive.proofread.formula import parse_formula
from derive.proofread.judge import judge_item
from derive.proofread.policy import printed_exponent
from derive.proofread.reading import Reading, Remark, Verdict
from derive.proofread.values import decimal_text, exact_value


def in_names(claim: Claim, formula: str) -> Claim:
    """A claim with nothing but a formula in names."""
    return replace(claim, forms=(parse_formula(formula),), form_tex=(formula,))


def _rounds_to(value: Fraction, written: str) -> bool:
    """Whether a number is another one with fewer or with more digits."""
    gap = abs(value - exact_value(written))
    return gap < max(Fraction(10) ** printed_exponent(t) for t in (written, decimal_text(value)))


def miscopied(reading: Reading, place: int, claim: Claim, worked: Worked) -> bool:
    """Whether a print is that of the formula at the known values, and an operand is miswritten."""
    others = [pair for pair in worked.pairs if changed(reading, *pair)]
    numeric = claim.in_numbers()
    if claim.printed is None or len(others) != 1 or len(numeric.forms) != 1:
        return False
    operand, written = others[0]
    there = judge_item(numeric, reading.policy, reading.printed)
    here = judge_item(in_names(claim, worked.formula), reading.policy, reading.printed)
    may_be_new = str(claim.lhs) in reading.printed or operand in reading.moving
    if here.kind is not Kind.AGREES or (may_be_new and there.kind is not Kind.DISAGREES):
        return False
    if _rounds_to(reading.printed[operand].value, written.text):
        return False
    known = decimal_text(reading.printed[operand].value)
    reason = f"{operand} is {known} where it is worked out, and the result is that of {known}"
    reading.remarks.append(
        Remark(place, claim, Verdict.WRONG, operand, written.text, known, reason)
    )
    return True


def miswritten_beside_dots(reading: Reading, place: int, claim: Claim) -> None:
    """Find the one number wrong that a sum which is not written out has for a name."""
    off = {
        (name, written.text)
        for name, written in beside_dots(claim.sides)
        if name not in reading.moving
        and changed(reading, name, written)
        and not _rounds_to(reading.printed[name].value, written.text)
    }
    if len(off) == 1:
        ((name, text),) = off
        known = decimal_text(reading.printed[name].value)
        reason = f"{name} is {known} where it is worked out"
        reading.remarks.append(Remark(place, claim, Verdict.WRONG, name, text, known, reason))


@dataclass(frozen=True)
class Worked:
    """The formula that a line works out in numbers, and the number written for each name."""

    formula: str
    pairs: tuple[tuple[str, Atom], ...]


def worked_out(reading: Reading, name: str, claim: Claim) -> Worked | None:
    """The last formula of a name that a line is in numbers; None if it is none of them."""
    numeric = [tex for form, tex in claim.sides if not form.free_symbols]
    for formula in reversed(reading.formulas.get(name, [])):
        for worked in numeric:
            pairs = aligned(formula, worked)
            if pairs is not None:
                return Worked(formula, tuple(pairs))
    return None


def changed(reading: Reading, operand: str, written: Atom) -> bool:
    """Whether a name has another number here than before."""
    known = reading.printed.get(operand)
    return known is not None and known.value != written.value
