"""The wrong prints of a spec together: which are errors of their own, and why they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from derive.problem import Published
from derive.verify.consequences import Print, follows, key_of, printed_keys, value_from
from derive.verify.prints import fraction, rounded
from derive.verify.published import PRINT
from derive.verify.reasons import is_cut
from derive.verify.report import NumberRow, Status, Verdict
from derive.verify.trajectory import Trajectory
from derive.verify.why.elsewhere import spot
from derive.verify.why.question import Question
from derive.verify.why.search import Explanation, search

MOST_ASKED = 60  # wrong prints whose reason is looked for
ROUNDED = "it is right for the numbers printed before it, rounded as they are"


def judged(
    rows: Sequence[NumberRow], published: Sequence[Published], trajectory: Trajectory
) -> list[NumberRow]:
    """The rows with their verdicts, and what is known of the reasons of wrong ones."""
    off = [row.status is Status.DISAGREES and row.exact is not None for row in rows]
    if not any(off):
        return list(rows)
    prints = printed_keys(published, off, trajectory)
    origins = {id(p.published): roots for p, roots in follows(prints, trajectory).items()}
    found = [
        _verdict(row, each, origins.get(id(each)), trajectory) if wrong else row
        for row, each, wrong in zip(rows, published, off, strict=True)
    ]
    return _explained(found, published, prints, trajectory)


def _verdict(
    row: NumberRow,
    published: Published,
    roots: Sequence[Print] | None,
    trajectory: Trajectory,
) -> NumberRow:
    """A wrong print as an error of its own, or as one that follows."""
    if roots is not None:
        names = tuple(dict.fromkeys(root.published.name for root in roots))
        words = f"it is right for what is printed for {_listed(names)}" if names else ROUNDED
        explanation = f"{row.explanation}; {words}"
        return replace(row, verdict=Verdict.FOLLOWS, explanation=explanation, follows_from=names)
    cut = is_cut(published.printed, _exact(published, trajectory))
    return replace(row, verdict=Verdict.DIGITS if cut else Verdict.WRONG)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _exact(published: Published, trajectory: Trajectory) -> Fraction:
    """The value of a print that is known to have one."""
    found = fraction(trajectory.value(published.name))
    assert found is not None
    return found


def _explained(
    rows: list[NumberRow],
    published: Sequence[Published],
    prints: Sequence[Print],
    trajectory: Trajectory,
) -> list[NumberRow]:
    """The rows, with what explains errors of their own."""
    found = explanations(rows, published, prints, trajectory)
    explained = list(rows)
    for k, told in found.items():
        words = f"{rows[k].explanation}; {told.words}"
        explained[k] = replace(rows[k], explanation=words, causes=told.causes)
    return explained


def explanations(
    rows: Sequence[NumberRow],
    published: Sequence[Published],
    prints: Sequence[Print],
    trajectory: Trajectory,
) -> dict[int, Explanation]:
    """What explains the errors of their own, by their place among the prints."""
    wrong = [k for k, row in enumerate(rows) if row.verdict is Verdict.WRONG]
    if not wrong:
        return {}
    asked = {
        k: _question(each, prints, trajectory)
        for k, each in enumerate(published)
        if rows[k].exact is not None and PRINT.fullmatch(each.printed)
    }
    own = {asked[k]: k for k in wrong[:MOST_ASKED]}
    rest = [question for question in asked.values() if question not in own]
    return {own[question]: told for question, told in search(list(own), rest, trajectory).items()}


def _question(published: Published, prints: Sequence[Print], trajectory: Trajectory) -> Question:
    target, place = key_of(published.name, trajectory), spot(published.name)
    assert place is not None
    exact, others = _exact(published, trajectory), []
    if target is not None:
        others = [each for each in prints if each.target != target]
        found = fraction(value_from(target, others, trajectory))
        finer = f"{published.printed}0" if "." in published.printed else f"{published.printed}.0"
        if found is not None and rounded(finer, found) == rounded(finer, exact):
            others = []
    return Question(published, exact, place, target, others)
