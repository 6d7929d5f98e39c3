"""Route 8: the numbers that somebody published, each beside the page's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from derive.errors import nearest
from derive.numbers import Number, NumberFormat, Rounding, Zeros, real
from derive.problem import Problem, Published
from derive.render.blocks import Page
from derive.render.sheet import Entry
from derive.verify.prints import digits, fraction, places, rounded, unit
from derive.verify.report import NumberRow, Route, Status, Verdict

NOBODY: list[Published | None] = [None]
PRINT = re.compile(r"[-+]?\d{1,60}(\.\d{0,60})?([eE][-+]?\d{1,2})?")
DOUBLE_DIGITS = 15  # a print with so many may be that of a double
AS_DOUBLE = "equal as a double"
FULL = NumberFormat(significant_digits=16, zeros=Zeros.STRIP)


def number_rows(problem: Problem, page: Page, code: Mapping[str, Any]) -> tuple[NumberRow, ...]:
    """A row for each number of the page and one for each published number."""
    by_name: dict[str, list[Published]] = {}
    for each in problem.published:
        by_name.setdefault(canonical(each.name), []).append(each)
    rows: list[NumberRow] = []
    for name, entry in page.numbers.items():
        if entry.text is not None:
            published: list[Published | None] = [*by_name.pop(name, [])]
            rows += [row_of(name, entry, code, problem, p) for p in published or NOBODY]
    for name, left in by_name.items():
        rows += [_unknown(name, each, page) for each in left]
    return tuple(rows)


def canonical(name: str) -> str:
    """`dE/dw5` is short for `dE_total/dw5`."""
    return f"dE_total/{name.removeprefix('dE/')}" if name.startswith("dE/") else name


def published_route(problem: Problem, rows: tuple[NumberRow, ...]) -> Route | None:
    """All published numbers as one route; None if the spec has none."""
    if not problem.published:
        return None
    compared = [row for row in rows if row.published is not None]
    wrong = [row for row in compared if row.status is Status.DISAGREES]
    misprints = sum(row.status is Status.MISPRINT for row in compared)
    detail = f"{len(compared) - misprints - len(wrong)} equal, {misprints} known misprints"
    follow = sum(row.verdict is Verdict.FOLLOWS for row in wrong)
    if wrong:
        detail += f", {len(wrong) - follow} unexplained"
    if follow:
        detail += f", {follow} following from others"
    status = Status.DISAGREES if wrong else Status.AGREES
    return Route("published numbers", status, len(compared), None, detail)


def row_of(
    name: str, entry: Entry, code: Mapping[str, Any], problem: Problem, published: Published | None
) -> NumberRow:
    """A number of the page beside its exact value, the code's, and a published one."""
    exact = FULL.text(entry.exact) if entry.exact is not None else None
    in_code = repr(float(code[name])) if name in code else None
    row = NumberRow(name, exact, entry.text, in_code, None, Status.AGREES)
    if published is None:
        return row
    equal = _equal(published.printed, entry, problem.numbers)
    shorter = not equal and _shorter(published.printed, entry)
    row = replace(row, published=published.printed, where=published.where)
    if published.misprint is not None:
        if equal:
            words = "this is no misprint: it is what the page has"
            return replace(row, status=Status.DISAGREES, explanation=words)
        words = f"the page has {entry.text}: {published.misprint}"
        wrong = Verdict.DIGITS if shorter else Verdict.WRONG
        return replace(row, status=Status.MISPRINT, explanation=words, verdict=wrong)
    if equal or shorter:
        return replace(row, verdict=Verdict.RIGHT if equal else Verdict.DIGITS)
    if _is_double(published.printed, entry, code.get(name)):
        return replace(row, explanation=AS_DOUBLE)
    words = "; ".join(_explanations(published, entry))
    read = PRINT.fullmatch(published.printed) is not None
    verdict = Verdict.WRONG if read else Verdict.UNREAD
    return replace(row, status=Status.DISAGREES, explanation=words, verdict=verdict)


def _equal(printed: str, entry: Entry, numbers: NumberFormat) -> bool:
    """Whether a print is the page's number; unrounded texts are judged at the print's digits."""
    if not PRINT.fullmatch(printed) or entry.text is None:
        return False
    value = Fraction(printed)
    if value == Fraction(entry.text):
        return True
    if numbers.chained or entry.exact is None:
        return False
    return value == Fraction(_to_digits(printed, entry.exact, numbers))


def _shorter(printed: str, entry: Entry) -> bool:
    """Whether a print is the number, rounded either way at a tie, to fewer digits than the page's.

    Who calls such a print a misprint, as digits are missing, is not contradicted.
    """
    if not PRINT.fullmatch(printed) or entry.text is None or entry.exact is None:
        return False
    if places(printed) >= places(entry.text):
        return False
    values = [fraction(real(entry.exact)), Fraction(entry.text)]
    near = {Fraction(rounded(printed, v, r)) for v in values if v is not None for r in Rounding}
    return Fraction(printed) in near


def _is_double(printed: str, entry: Entry, found: Any) -> bool:
    """Whether a print with all digits of a double is as near to the value as the code's number."""
    if not PRINT.fullmatch(printed) or digits(printed) < DOUBLE_DIGITS:
        return False
    exact = None if entry.exact is None else fraction(real(entry.exact))
    if exact is None or found is None:
        return False
    allowed = max(abs(Fraction(float(found)) - exact), abs(exact) * Fraction(1, 2**53))
    return abs(Fraction(printed) - exact) <= 8 * allowed + unit(printed) / 2


def _to_digits(printed: str, value: Number, numbers: NumberFormat) -> str:
    """A value rounded to as many decimals as the print has."""
    mantissa, _, exponent = printed.lower().partition("e")
    decimals = max(0, len(mantissa.partition(".")[2]) - int(exponent or 0))
    return NumberFormat(None, decimals, numbers.rounding, Zeros.PAD, False).text(value)


def _explanations(published: Published, entry: Entry) -> Iterator[str]:
    """What would explain a print that differs."""
    yield f"the page has {entry.text}"
    if not PRINT.fullmatch(published.printed):
        yield f"'{published.printed}' is not a plain decimal number"
        return
    if entry.exact is None or entry.page is None:
        return
    value = Fraction(published.printed)
    plain = NumberFormat()
    if value == Fraction(_to_digits(published.printed, entry.exact, plain)):
        yield "it is the unrounded value at the digits printed"
    elif value == Fraction(_to_digits(published.printed, entry.page, plain)):
        yield "it is the same number with fewer digits"
    elif value == -entry.page:
        yield "it has the opposite sign"


def _unknown(name: str, published: Published, page: Page) -> NumberRow:
    known = [other for other, entry in page.numbers.items() if entry.text is not None]
    return NumberRow(
        name,
        None,
        None,
        None,
        published.printed,
        Status.DISAGREES,
        f"the page has no number of this name; {nearest(name, known)}",
        published.where,
        Verdict.UNREAD,
    )
