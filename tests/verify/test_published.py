"""Published numbers beside the page's: which prints are equal, and what explains the others."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from derive.notation import Name
from derive.numbers import NumberFormat
from derive.problem import Published
from derive.render.blocks import Page
from derive.render.sheet import Entry
from derive.verify import Status
from derive.verify.published import canonical, number_rows, published_route
from tests.verify_support import made

CHAINED = NumberFormat(significant_digits=4)
FULL = NumberFormat(significant_digits=None, decimals=9, chained=False)


def entry(exact: str, text: str) -> Entry:
    return Entry(Name("a", "a", "a"), Fraction(exact), Fraction(text), text)


ROWS = [
    ("as on the page", CHAINED, "0.07141", None, Status.AGREES, ""),
    ("padded", CHAINED, "0.071410", None, Status.AGREES, ""),
    ("as a power of ten", CHAINED, "7.141e-2", None, Status.AGREES, ""),
    ("one digit off", CHAINED, "0.07142", None, Status.DISAGREES, "the page has 0.07141"),
    ("opposite sign", CHAINED, "-0.07141", None, Status.DISAGREES, "opposite sign"),
    ("fewer digits", CHAINED, "0.07", None, Status.AGREES, ""),
    ("fewer digits, rounded wrong", CHAINED, "0.08", None, Status.DISAGREES, "the page has"),
    ("one digit fewer", CHAINED, "0.0714", None, Status.AGREES, ""),
    ("one digit fewer and one off", CHAINED, "0.0715", None, Status.DISAGREES, "the page has"),
    ("as a double", CHAINED, "0.07140620000000001", None, Status.AGREES, "as a double"),
    ("not as a double", CHAINED, "0.07140620000000901", None, Status.DISAGREES, "the page has"),
    ("unrounded", CHAINED, "0.071406", None, Status.DISAGREES, "the unrounded value"),
    ("misprint", CHAINED, "0.0714", "too short", Status.MISPRINT, "too short"),
    ("right after all", CHAINED, "0.07141", "wrong", Status.DISAGREES, "it is what the page has"),
    ("unchained, fewer digits", FULL, "0.0714", None, Status.AGREES, ""),
    ("unchained, rounded wrong", FULL, "0.0715", None, Status.DISAGREES, "the page has"),
    ("empty", CHAINED, "", None, Status.DISAGREES, "not a plain decimal number"),
    ("a word", CHAINED, "abc", None, Status.DISAGREES, "not a plain decimal number"),
    ("not a number", CHAINED, "nan", None, Status.DISAGREES, "not a plain decimal number"),
    ("a signalling one", CHAINED, "sNaN", None, Status.DISAGREES, "not a plain decimal number"),
    ("infinite", CHAINED, "Infinity", None, Status.DISAGREES, "not a plain decimal number"),
    ("very small", FULL, "1e-999999999", None, Status.DISAGREES, "not a plain decimal number"),
]


@pytest.mark.parametrize(
    ("numbers", "printed", "misprint", "status", "words"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_a_print(
    numbers: NumberFormat, printed: str, misprint: str | None, status: Status, words: str
) -> None:
    each = Published("a", printed, "somewhere", misprint)
    problem = replace(made("article").problem, numbers=numbers, published=(each,))
    page = Page({}, (), {"a": entry("0.0714062", "0.07141")})
    (row,) = number_rows(problem, page, {"a": 0.0714062})
    assert row.status is status
    assert words in row.explanation
    assert (row.published, row.where) == (printed, "somewhere")
    route = published_route(problem, (row,))
    assert route is not None
    assert (route.status is Status.DISAGREES) == (status is Status.DISAGREES)


def test_an_unknown_name_is_a_row_of_its_own() -> None:
    problem = replace(made("article").problem, published=(Published("b", "1", "here"),))
    rows = number_rows(problem, Page({}, (), {"a": entry("1", "1")}), {})
    assert [(row.name, row.status) for row in rows] == [
        ("a", Status.AGREES),
        ("b", Status.DISAGREES),
    ]


def test_without_published_numbers_there_is_no_route() -> None:
    problem = replace(made("article").problem, published=())
    assert published_route(problem, ()) is None


@pytest.mark.parametrize(
    ("name", "full"),
    [("dE/dw5", "dE_total/dw5"), ("dE_total/dw5", "dE_total/dw5"), ("w5+", "w5+"), ("dEx", "dEx")],
)
def test_short_names(name: str, full: str) -> None:
    assert canonical(name) == full
