"""What verification found: a line for each route and one for each number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mpmath import mp

SHOWN = (6, 12, 17, 30)  # digits of the two values of a comparison, as many as tell them apart


class Status(StrEnum):
    """The outcome of a route, or of one number."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    SKIPPED = "skipped"
    MISPRINT = "known misprint"


class Verdict(StrEnum):
    """What is found of a published number.

    `follows` is right for what is printed before it; `digits` is the value, cut or rounded the
    other way; `unread` has no value to be compared with.
    """

    RIGHT = "right"
    FOLLOWS = "follows"
    WRONG = "wrong"
    DIGITS = "digits"
    UNREAD = "unread"


@dataclass(frozen=True)
class Comparison:
    """One comparison of a route: how far apart two values are, relative to their size."""

    what: str
    error: float
    found: Any = None
    expected: Any = None

    @property
    def words(self) -> str:
        """What is compared, with both values."""
        if self.found is None and self.expected is None:
            return self.what
        found, right = _shown(self.found, self.expected), _shown(self.expected, self.found)
        return f"{self.what} is {found} instead of {right}"


@dataclass(frozen=True)
class Route:
    """One independent way to check: how much it compared, and its worst relative error.

    The error is None where what is compared is equal or not, as digits are.
    """

    name: str
    status: Status
    compared: int
    worst: float | None
    detail: str = ""


@dataclass(frozen=True)
class NumberRow:
    """One number of the page beside its exact value, the code's, and a published one.

    A wrong print has the causes that explain it, with the value that they give, or follows from
    other prints.
    """

    name: str
    exact: str | None
    page: str | None
    code: str | None
    published: str | None
    status: Status
    explanation: str = ""
    where: str = ""
    verdict: Verdict = Verdict.RIGHT
    causes: tuple[str, ...] = ()
    explained: str | None = None
    follows_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """All routes and numbers; `agree` only if nothing disagrees and something was compared."""

    routes: tuple[Route, ...]
    numbers: tuple[NumberRow, ...]

    @property
    def agree(self) -> bool:
        routes = {route.status for route in self.routes}
        statuses = routes | {row.status for row in self.numbers}
        return Status.AGREES in routes and Status.DISAGREES not in statuses

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "agree": self.agree,
            "routes": [
                {
                    "name": route.name,
                    "status": route.status.value,
                    "compared": route.compared,
                    "worst": _finite(route.worst),
                    "detail": route.detail,
                }
                for route in self.routes
            ],
            "numbers": [
                {
                    "name": row.name,
                    "exact": row.exact,
                    "page": row.page,
                    "code": row.code,
                    "published": row.published,
                    "status": row.status.value,
                    "explanation": row.explanation,
                    "where": row.where,
                    "verdict": row.verdict.value if row.published is not None else None,
                    "causes": list(row.causes),
                    "explained": row.explained,
                    "follows_from": list(row.follows_from),
                }
                for row in self.numbers
            ],
        }


def _finite(error: float | None) -> float | None:
    return error if error is not None and math.isfinite(error) else None


def entry(name: str, place: Sequence[int]) -> str:
    """One entry of a quantity in words: `W[0,1]`."""
    return f"{name}[{','.join(map(str, place))}]" if place else name


def _shown(number: Any, other: Any) -> str:
    """A number, with as many digits as tell it from another."""
    if number is None:
        return "no value"
    digits = next((n for n in SHOWN if mp.nstr(number, n) != mp.nstr(other, n)), SHOWN[-1])
    return str(mp.nstr(mp.mpmathify(number), digits))


def judged(name: str, comparisons: Iterable[Comparison], tolerance: float) -> Route:
    """A route from its comparisons: none at all, a NaN or one too large is a disagreement.

    So is a comparison that cannot be made because a value does not exist.
    """
    worst, where, count = 0.0, Comparison("", 0.0), 0
    try:
        for comparison in comparisons:
            count += 1
            if math.isnan(comparison.error) or comparison.error > worst:
                worst, where = comparison.error, comparison
                if math.isnan(worst):
                    break
    except (ArithmeticError, ValueError) as error:
        return Route(name, Status.DISAGREES, count, math.nan, f"{type(error).__name__}: {error}")
    if count == 0:
        return Route(name, Status.DISAGREES, 0, math.nan, "nothing was compared")
    if math.isnan(worst) or worst > tolerance:
        return Route(name, Status.DISAGREES, count, worst, f"worst at {where.words}")
    return Route(name, Status.AGREES, count, worst)


def telling(route: Route, words: str) -> Route:
    """A route that agrees, saying what it did, beside what else it says."""
    if route.status is not Status.AGREES or not words:
        return route
    return replace(route, detail="; ".join(filter(None, (route.detail, words))))


def skipped(name: str, why: str) -> Route:
    """A route that could not be taken, listed as such."""
    return Route(name, Status.SKIPPED, 0, 0.0, why)


def lines(report: Report) -> Iterator[str]:
    """The report for a terminal."""
    for route in report.routes:
        if route.status is Status.SKIPPED:
            yield f"  {route.name:<28} skipped     {route.detail}"
            continue
        detail = f"  {route.detail}" if route.detail else ""
        worst = f", worst {route.worst:.1e}" if route.worst is not None else ""
        yield (
            f"  {route.name:<28} {route.status.value:<11} {route.compared:>5} compared"
            f"{worst}{detail}"
        )
    yield from _number_lines(report.numbers)


def _number_lines(rows: Sequence[NumberRow]) -> Iterator[str]:
    """The wrong prints, under each those that follow from it first."""
    told = [row for row in rows if row.status in (Status.MISPRINT, Status.DISAGREES)]
    roots = {row.name: row for row in reversed(told) if not row.follows_from}
    under: dict[int, list[NumberRow]] = {}
    for row in told:
        root = roots.get(row.follows_from[0]) if row.follows_from else None
        if root is not None:
            under.setdefault(id(root), []).append(row)
    nested = {id(row) for rows in under.values() for row in rows}
    for row in told:
        if id(row) not in nested:
            yield f"  {_line(row)}"
            yield from (f"    from it follows: {_line(each)}" for each in under.get(id(row), ()))


def _line(row: NumberRow) -> str:
    place = f" ({row.where})" if row.where else ""
    return (
        f"{row.status.value}: {row.name}{place} is printed {row.published}, but {row.explanation}"
    )
