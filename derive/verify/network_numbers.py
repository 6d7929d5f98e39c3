"""Published numbers of a network: what follows from what, and why one is wrong.

A network names its numbers by units and counted weights; the search knows entries of quantities. So
each name is translated, and what is found is told in the names of the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from derive.expression import Element
from derive.graph import Derivation, adjoint_name
from derive.names import PUBLISHED
from derive.notation import names_of
from derive.problem import Problem, Published
from derive.verify.judgement import judged
from derive.verify.meaning import Values
from derive.verify.report import NumberRow, Status, Verdict, entry
from derive.verify.trajectory import Trajectory

MARK = re.compile(r"(\+|@\d+)$")


def judged_network(
    rows: Sequence[NumberRow], problem: Problem, derivation: Derivation, given: Values
) -> tuple[NumberRow, ...]:
    """The rows of a network's numbers, with what is known of the reasons of wrong ones."""
    if all(row.status is Status.AGREES for row in rows):
        return tuple(rows)
    trajectory = Trajectory(problem, derivation, given)
    entries = _entries(problem, trajectory)
    asked = {k: name for k, row in enumerate(rows) if (name := _entry(row, entries))}
    published = [
        Published(name, rows[k].published or "", rows[k].where) for k, name in asked.items()
    ]
    plain = [replace(rows[k], status=_plain(rows[k])) for k in asked]
    found = list(rows)
    shown = {name: report for report, name in entries.items()}
    for k, row in zip(asked, judged(plain, published, trajectory, True), strict=True):
        found[k] = _told(rows[k], row, shown)
    return tuple(found)


def _plain(row: NumberRow) -> Status:
    """Others may follow from a known misprint, too, and from what has fewer digits."""
    off = row.status is Status.MISPRINT or row.verdict is Verdict.DIGITS
    return Status.DISAGREES if off else row.status


def _told(before: NumberRow, after: NumberRow, shown: Mapping[str, str]) -> NumberRow:
    """A row as it was, with what was found out about it, in the names of the page."""
    if before.status is Status.AGREES:
        return before
    names = tuple(_in_words(name, shown) for name in after.follows_from)
    more = _in_words(after.explanation.removeprefix(before.explanation), shown)
    known = before.status is Status.MISPRINT
    return replace(
        before,
        explanation=before.explanation if known else f"{before.explanation}{more}",
        verdict=after.verdict,
        causes=after.causes,
        explained=after.explained,
        follows_from=names,
    )


def _entries(problem: Problem, trajectory: Trajectory) -> Mapping[str, str]:
    """What each number of the page is called as an entry of a quantity."""
    names, loss = names_of(problem), problem.graph.loss.name
    found = {}
    for name, place in trajectory.at(0):
        plain = name.removeprefix(adjoint_name(""))
        whole = entry(plain, place)
        report = names.name(Element(name, *place)).report
        found[report] = whole if plain == name else f"d{loss}/d{whole}"
    return found


def _entry(row: NumberRow, entries: Mapping[str, str]) -> str | None:
    """The entry that a published row is of; None if it is not one."""
    if row.published is None or row.exact is None:
        return None
    mark = MARK.search(row.name)
    plain = MARK.sub("", row.name)
    found = entries.get(plain)
    if found is None and plain.startswith("d"):
        of, _, by = (entries.get(part.removeprefix("d")) for part in plain.partition("/"))
        found = f"d{of}/d{by}" if of and by else None
    name = f"{found}{mark[0] if mark else ''}"
    return name if found is not None and PUBLISHED.fullmatch(name) else None


def _in_words(text: str, shown: Mapping[str, str]) -> str:
    """A text with the entries in it named as on the page."""
    for name in sorted(shown, key=len, reverse=True):
        text = re.sub(rf"(?<![\w\]])(d?){re.escape(name)}(?![\w\[])", rf"\g<1>{shown[name]}", text)
    return text
