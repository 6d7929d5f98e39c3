"""Route 8 for a model: published numbers of any name, each at the digits it was printed with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mpmath import mp

from derive.numbers import Rounding
from derive.problem import Problem, Published
from derive.render.blocks import Page
from derive.verify.algebra import working
from derive.verify.doubles import UNIT, Double
from derive.verify.judgement import judged
from derive.verify.prints import digits, fraction, rounded, unit
from derive.verify.published import AS_DOUBLE, DOUBLE_DIGITS, FULL, PRINT, row_of
from derive.verify.reasons import reasons
from derive.verify.report import NumberRow, Status, Verdict
from derive.verify.trajectory import Trajectory, UnknownName, in_doubles


def model_rows(
    problem: Problem, page: Page, code: Mapping[str, Any], trajectory: Trajectory | None
) -> tuple[NumberRow, ...]:
    """A row for each number of the page and one for each published number."""
    told = [
        row_of(name, entry, code, problem, None)
        for name, entry in page.numbers.items()
        if entry.text is not None
    ]
    if trajectory is None:
        words = "the spec leaves values out, so there is nothing to compare with"
        if not problem.symbolic:
            words = "the model is too large for its numbers to be computed digit by digit"
        return (*told, *(_unknown(each, words) for each in problem.published))
    rows = [_published(each, page, trajectory) for each in problem.published]
    rows = list(judged(rows, problem.published, trajectory))
    return (*told, *_excused(rows, problem.published))


def _unknown(published: Published, words: str) -> NumberRow:
    return NumberRow(
        published.name,
        None,
        None,
        None,
        published.printed,
        Status.DISAGREES,
        words,
        published.where,
        Verdict.UNREAD,
    )


def _published(published: Published, page: Page, trajectory: Trajectory) -> NumberRow:
    """One published number beside the exact value and the page's."""
    try:
        value = trajectory.value(published.name)
    except UnknownName as error:
        return _unknown(published, str(error))
    if not PRINT.fullmatch(published.printed):
        return _unknown(published, f"'{published.printed}' is not a plain decimal number")
    exact = fraction(value)
    entry = page.numbers.get(_on_page(published.name, trajectory))
    shown = entry.text if entry is not None else None
    text = FULL.text(exact) if exact is not None else None
    row = NumberRow(
        published.name,
        text,
        shown or (rounded(published.printed, exact) if exact is not None else None),
        None,
        published.printed,
        Status.AGREES,
        "",
        published.where,
    )
    if exact is None:
        words = "the value is not finite"
        return replace(row, status=Status.DISAGREES, explanation=words, verdict=Verdict.UNREAD)
    if _equal(published, exact, shown):
        return row
    if _is_double(published, exact, trajectory):
        return replace(row, explanation=AS_DOUBLE)
    found = "; ".join(reasons(published, exact, trajectory, shown))
    return replace(row, status=Status.DISAGREES, explanation=found)


def _on_page(name: str, trajectory: Trajectory) -> str:
    """A name as reports have it: `dE/…` for any loss, and `@1` for `+`."""
    loss = trajectory.loss
    plain = re.sub(r"@\s*1$", "+", "".join(name.split()))
    return f"d{loss}/{plain[3:]}" if plain.startswith("dE/") else plain


def _equal(published: Published, exact: Fraction, shown: str | None) -> bool:
    """Whether a print is the value, rounded either way at a tie, or what the page has."""
    printed = Fraction(published.printed)
    if shown is not None and printed == Fraction(shown):
        return True
    for rounding in Rounding:
        nearest = Fraction(rounded(published.printed, exact, rounding))
        if abs(nearest - printed) <= published.slack * unit(published.printed):
            return True
    return False


def _is_double(published: Published, exact: Fraction, trajectory: Trajectory) -> bool:
    """Whether a print with all digits of a double is what doubles may have made of the value."""
    if digits(published.printed) < DOUBLE_DIGITS:
        return False
    again = in_doubles(trajectory.problem, trajectory.derivation, trajectory.given)
    with working():
        try:
            value = again.value(published.name)
        except TypeError:  # a derivative that no equation gives is found by differences
            value = None
        error = value.error if isinstance(value, Double) else mp.zero
        allowed = fraction(max(error, abs(mp.mpf(float(exact))) * UNIT))
    gap = abs(Fraction(published.printed) - exact)
    return allowed is not None and gap <= allowed + unit(published.printed) / 2


def _excused(rows: list[NumberRow], published: tuple[Published, ...]) -> Iterator[NumberRow]:
    """Known misprints as such. One that is no misprint, nor in a table with one, is a finding."""
    wrong = {
        (p.misprint, p.where, p.name.partition("[")[0])
        for p, row in zip(published, rows, strict=True)
        if p.misprint is not None and row.status is Status.DISAGREES
    }
    for each, row in zip(published, rows, strict=True):
        if each.misprint is None:
            yield row
        elif row.status is Status.DISAGREES:
            words = f"{row.explanation}; {each.misprint}"
            yield replace(row, status=Status.MISPRINT, explanation=words)
        elif (each.misprint, each.where, each.name.partition("[")[0]) in wrong:
            yield row
        else:
            words = "this is no misprint: it is what comes out"
            yield replace(row, status=Status.DISAGREES, explanation=words)
