"""The report: what counts as agreement, and what it looks like as data and as lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest

from derive.verify.report import (
    Comparison,
    NumberRow,
    Report,
    Route,
    Status,
    judged,
    lines,
    skipped,
)

GOOD = Route("good", Status.AGREES, 3, 1e-30)
BAD = Route("bad", Status.DISAGREES, 3, 0.5, "worst at w1")
SKIPPED = skipped("torch", "not installed")
ROW = NumberRow("w1", "0.15", "0.15", "0.15", None, Status.AGREES)
WRONG = NumberRow(
    "w1", "0.15", "0.15", None, "0.16", Status.DISAGREES, "the page has 0.15", "table"
)
MISPRINT = NumberRow(
    "w2", "0.2", "0.2", None, "0.21", Status.MISPRINT, "the page has 0.2: a slip", "text"
)

JUDGED = [
    ("nothing compared", [], Status.DISAGREES),
    ("within", [1e-12, 0.0], Status.AGREES),
    ("at the tolerance", [1e-9], Status.AGREES),
    ("beyond", [0.0, 1.1e-9, 0.0], Status.DISAGREES),
    ("not a number", [0.0, math.nan, 0.0], Status.DISAGREES),
    ("infinite", [math.inf], Status.DISAGREES),
]


@pytest.mark.parametrize(
    ("errors", "status"), [(e, s) for _, e, s in JUDGED], ids=[what for what, *_ in JUDGED]
)
def test_a_route_is_judged_by_its_worst_comparison(errors: list[float], status: Status) -> None:
    route = judged("route", [Comparison(f"number {k}", e) for k, e in enumerate(errors)], 1e-9)
    assert route.status is status


def test_the_worst_comparison_is_named() -> None:
    comparisons = [Comparison("a", 0.1), Comparison("b", 0.3), Comparison("c", 0.2)]
    route = judged("route", comparisons, 1e-9)
    assert (route.compared, route.worst, route.detail) == (3, 0.3, "worst at b")


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), ValueError("no value")])
def test_what_cannot_be_computed_is_a_disagreement(error: Exception) -> None:
    def comparisons() -> Iterator[Comparison]:
        yield Comparison("a", 0.0)
        raise error

    route = judged("route", comparisons(), 1e-9)
    assert route.status is Status.DISAGREES
    assert math.isnan(route.worst)
    assert str(error) in route.detail


AGREEMENT = [
    ("nothing at all", (), (), False),
    ("only skipped", (SKIPPED,), (), False),
    ("only numbers", (), (ROW,), False),
    ("good", (GOOD,), (ROW,), True),
    ("good and skipped", (GOOD, SKIPPED), (), True),
    ("one bad route", (GOOD, BAD), (ROW,), False),
    ("one wrong number", (GOOD,), (ROW, WRONG), False),
    ("a known misprint", (GOOD,), (ROW, MISPRINT), True),
]


@pytest.mark.parametrize(
    ("routes", "rows", "agree"), [row[1:] for row in AGREEMENT], ids=[row[0] for row in AGREEMENT]
)
def test_agreement(routes: tuple[Route, ...], rows: tuple[NumberRow, ...], agree: bool) -> None:
    assert Report(routes, rows).agree is agree


def test_the_report_as_data_is_json_without_nan() -> None:
    broken = judged("broken", [Comparison("a", math.nan)], 1e-9)
    data = Report((GOOD, broken, SKIPPED), (ROW, MISPRINT)).as_json()
    again = json.loads(json.dumps(data, allow_nan=False))
    assert again == data
    assert list(data) == ["agree", "routes", "numbers"]
    assert [list(route) for route in data["routes"]] == [
        ["name", "status", "compared", "worst", "detail"]
    ] * 3
    assert [list(row) for row in data["numbers"]] == [
        [
            "name",
            "exact",
            "page",
            "code",
            "published",
            "status",
            "explanation",
            "where",
            "verdict",
            "causes",
            "explained",
            "follows_from",
        ]
    ] * 2
    assert data["routes"][1]["worst"] is None
    assert data["routes"][2]["status"] == "skipped"


def test_the_report_as_lines_tells_of_skipped_routes_and_of_wrong_numbers() -> None:
    text = "\n".join(lines(Report((GOOD, BAD, SKIPPED), (ROW, WRONG, MISPRINT))))
    assert "torch" in text
    assert "not installed" in text
    assert "worst at w1" in text
    assert "disagrees: w1 (table) is printed 0.16, but the page has 0.15" in text
    assert "known misprint: w2 (text) is printed 0.21, but the page has 0.2: a slip" in text
    assert text.count("w1 (table)") == 1


def test_what_follows_stands_under_what_it_follows_from() -> None:
    own = replace(WRONG, name="w", where="")
    first = replace(own, name="net", follows_from=("w",))
    second = replace(own, name="out", follows_from=("w", "b"))
    other = replace(own, name="b")
    found = list(lines(Report((), (first, own, other, second))))
    assert found == [
        "  disagrees: w is printed 0.16, but the page has 0.15",
        "    from it follows: disagrees: net is printed 0.16, but the page has 0.15",
        "    from it follows: disagrees: out is printed 0.16, but the page has 0.15",
        "  disagrees: b is printed 0.16, but the page has 0.15",
    ]


def test_what_follows_from_something_right_stands_by_itself() -> None:
    alone = replace(WRONG, name="net", where="", follows_from=("w",))
    assert len(list(lines(Report((), (alone,))))) == 1
