"""The wrong prints of a spec together: which are errors of their own, and why they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from derive.graph import needed
from derive.problem import Published
from derive.verify.consequences import (
    Print,
    Target,
    follows,
    goes_on_rounded,
    key_of,
    printed_keys,
    value_from,
)
from derive.verify.prints import fraction, rounded
from derive.verify.published import FULL, PRINT
from derive.verify.reasons import is_cut
from derive.verify.report import NumberRow, Status, Verdict
from derive.verify.trajectory import Trajectory
from derive.verify.why.elsewhere import spot
from derive.verify.why.question import Question
from derive.verify.why.search import Explanation, search

MOST_ASKED = 60  # wrong prints whose reason is looked for
ROUNDED = "it is right for the numbers printed before it, rounded as they are"


def judged(
    rows: Sequence[NumberRow],
    published: Sequence[Published],
    trajectory: Trajectory,
    to_page: bool = False,
) -> list[NumberRow]:
    """The rows with their verdicts, and what is known of the reasons of wrong ones.

    Prints are compared with the page and its way of rounding (`to_page`), or with exact numbers;
    then they may be right for rounded ones.
    """
    off = [
        row.status is Status.DISAGREES
        and row.exact is not None
        and PRINT.fullmatch(each.printed) is not None
        for row, each in zip(rows, published, strict=True)
    ]
    if not any(off):
        return list(rows)
    prints = printed_keys(published, off, trajectory)
    origins = follows(prints, trajectory)
    words = ROUNDED if to_page else f"{ROUNDED}, and others are not computed from those"
    if not to_page and goes_on_rounded(prints, origins, trajectory):
        words = ""
    roots = {id(each.published): found for each, found in origins.items()}
    found = [
        _verdict(row, each, roots.get(id(each)), trajectory, words) if wrong else row
        for row, each, wrong in zip(rows, published, off, strict=True)
    ]
    return _explained(found, published, prints, trajectory)


def _verdict(
    row: NumberRow,
    published: Published,
    roots: Sequence[Print] | None,
    trajectory: Trajectory,
    if_rounded: str,
) -> NumberRow:
    """A wrong print as an error of its own, as one that follows, or as right for rounded ones.

    `if_rounded` says what is wrong with the last; nothing if others are computed so, too.
    """
    if roots:
        names = tuple(dict.fromkeys(root.published.name for root in roots))
        words = f"{row.explanation}; it is right for what is printed for {_listed(names)}"
        return replace(row, verdict=Verdict.FOLLOWS, explanation=words, follows_from=names)
    if roots is not None and not if_rounded:
        return replace(row, status=Status.AGREES, verdict=Verdict.RIGHT, explanation=ROUNDED)
    if roots is not None:
        words = f"{row.explanation}; {if_rounded}"
        return replace(row, verdict=Verdict.DIGITS, explanation=words)
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
    found = _explanations(rows, published, prints, trajectory)
    explained = list(rows)
    for k, told in found.items():
        by_it = fraction(told.value)
        explained[k] = replace(
            rows[k],
            explanation=f"{rows[k].explanation}; {told.words}{_others(told)}",
            causes=told.causes,
            explained=None if by_it is None else FULL.text(by_it),
        )
    return explained


def _others(told: Explanation) -> str:
    """Out of how many values it was found, and how many other prints are explained by the same."""
    count = len(told.others)
    also = f"; it explains {count} {'other' if count == 1 else 'others'}, too" if count else ""
    return f" ({told.tried} {'value' if told.tried == 1 else 'values'} tried{also})"


def _explanations(
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
    exact, value = _exact(published, trajectory), trajectory.value(published.name)
    others = [each for each in prints if each.target != target] if target is not None else []
    found = value_from(target, others, trajectory) if target is not None else None
    by_prints = fraction(found)
    finer = f"{published.printed}0" if "." in published.printed else f"{published.printed}.0"
    values: tuple[Any, ...] = (value, found)
    if by_prints is None or rounded(finer, by_prints) == rounded(finer, exact):
        others, values = [], (value,)
    if target is not None and target.of is not None:
        target = None
    others = [each for each in others if each.target.of is None]
    known, depends = _known(target, prints, trajectory), _depends(target, trajectory)
    return Question(published, exact, place, target, others, known, values, depends)


def _depends(target: Target | None, trajectory: Trajectory) -> frozenset[str] | None:
    """The equations that a value depends on, itself among them; None where it is of an update."""
    if target is None or target.update:
        return None
    derivation = trajectory.derivation
    equations = (*derivation.forward.equations, *derivation.backward.equations)
    return frozenset(e.quantity.name for e in needed(equations, [target.key[0]]))


def _known(
    target: Target | None, prints: Sequence[Print], trajectory: Trajectory
) -> frozenset[str]:
    """The other quantities that are printed whenever a value is made of them.

    What comes after an update is made of what was before it as well.
    """
    if target is None:
        return frozenset()
    times = {target.update, max(target.update - 1, 0)}
    if target.is_updated(trajectory):
        times = {target.update - 1}
    names = [
        {each.target.key[0] for each in prints
         if each.target.update == time and each.target.of is None}
        for time in times
    ]  # fmt: skip
    return frozenset(set.intersection(*names) - {target.key[0]})
