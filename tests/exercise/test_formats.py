"""Sheets as HTML and for Moodle: what stands in them is read back, with its numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from derive.exercise.html import html
from derive.exercise.lines import Line, Status
from derive.exercise.moodle import joined, moodle, rounded_up
from derive.exercise.paper import paper
from derive.exercise.sheet import sheet_of
from derive.proofread.reading import Verdict
from derive.proofread.report import checked
from tests.exercise.exercise_support import SPECS, series, sheet

pytest.importorskip("latex2mathml")
LANGUAGES = ("en", "ko")
VOID = {"meta", "input", "br"}
BLANK = re.compile(r"\{(\d+):NUMERICAL:=([-\d.]+):([\d.]+)\}")


class Tree(HTMLParser):
    """Elements that are closed in the order in which they were opened, and what they are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tree(text: str) -> Tree:
    found = Tree()
    found.feed(text)
    found.close()
    assert not found.open
    return found


@pytest.mark.parametrize("solved", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("spec", SPECS)
def test_html_is_whole_and_needs_nothing_from_elsewhere(
    spec: str, language: str, solved: bool
) -> None:
    text = html(sheet(spec), language, solved)
    found = tree(text)
    assert ("html", {"lang": language}) in found.seen
    assert not [tag for tag, _ in found.seen if tag in ("link", "img", "iframe", "object")]
    assert not [a for _, a in found.seen if {"src", "href", "style", "onclick"} & a.keys()]
    assert {*re.findall(r"https?://[^\s\"'<]*", text)} == {"http://www.w3.org/1998/Math/MathML"}


@pytest.mark.parametrize("spec", SPECS)
def test_no_tex_is_left_in_the_mathml(spec: str) -> None:
    for solved in (False, True):
        text = re.sub(
            r"<annotation.*?</annotation>", "", html(sheet(spec), "en", solved), flags=re.S
        )
        body = text.partition("<body>")[2].partition("<script>")[0]
        assert "\\" not in body and "$" not in body
        assert "&" not in re.sub(r"&(?:#x?[0-9A-Fa-f]+|amp|lt|gt|quot);", "", body)


@pytest.mark.parametrize("spec", SPECS)
def test_a_blank_of_html_has_a_name_for_its_reader(spec: str) -> None:
    found = tree(html(sheet(spec), "en", False))
    boxes = [a for tag, a in found.seen if tag == "input" and "data-question" in a]
    assert [int(a["data-question"] or 0) for a in boxes] == [
        q.number for q in sheet(spec).questions
    ]
    assert all(a["aria-label"] for a in boxes)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("spec", SPECS)
def test_the_solution_in_html_reads_back_without_a_finding(spec: str, language: str) -> None:
    found = checked("solution.html", html(sheet(spec), language, True))
    links = [i for i in sheet(spec).items if isinstance(i, Line) and i.status is Status.LINK]
    assert not found.own
    assert found.count(Verdict.RIGHT) == len(sheet(spec).questions) + len(links)


def questions(text: str) -> list[ElementTree.Element]:
    return [q for q in ElementTree.fromstring(text) if q.get("type") == "cloze"]


def blanks(question: ElementTree.Element) -> list[tuple[int, str, str]]:
    body = question.findtext("questiontext/text") or ""
    return [(int(points), text, slack) for points, text, slack in BLANK.findall(body)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("spec", SPECS)
def test_moodle_has_every_answer_with_what_rounding_allows(spec: str, language: str) -> None:
    (question,) = questions(moodle(sheet(spec), language))
    found = blanks(question)
    assert len(found) == len(sheet(spec).questions)
    for (points, text, slack), asked in zip(found, sheet(spec).questions, strict=True):
        assert (points, text) == (asked.points, asked.line.text)
        assert asked.tolerance <= Fraction(slack) <= asked.tolerance * Fraction(11, 10)
    body = question.findtext("questiontext/text") or ""
    assert body.count("NUMERICAL") == len(found)
    tree(body)
    tree(question.findtext("generalfeedback/text") or "")


@pytest.mark.parametrize("spec", SPECS)
def test_the_feedback_of_moodle_has_the_solution(spec: str) -> None:
    (question,) = questions(moodle(sheet(spec), "en"))
    told = question.findtext("generalfeedback/text") or ""
    assert "NUMERICAL" not in told
    for asked in sheet(spec).questions:
        assert f"{asked.line.shown}\\)" in told


def test_all_sheets_are_joined_into_one_file() -> None:
    texts = [moodle(sheet("article", k), "en") for k in (1, 2, 3)]
    found = questions(joined(texts, sheet("article"), "en"))
    assert [blanks(q) for q in found] == [blanks(questions(text)[0]) for text in texts]
    assert len({q.findtext("name/text") for q in found}) == 3


@pytest.mark.parametrize(
    ("value", "text"), [("0.00012345", "0.00013"), ("0", "0"), ("0.5", "0.5"), ("12.1", "13")]
)
def test_a_tolerance_is_rounded_up(value: str, text: str) -> None:
    assert Decimal(rounded_up(Fraction(value))) == Decimal(text)


HOSTILE = "<b>\\input{x}</b> & $a$ {1:NUMERICAL:=1} ]]> 100%"


def test_a_title_is_text_in_every_format() -> None:
    own = series("article")
    found = sheet_of(replace(own, problem=replace(own.problem, title={"en": HOSTILE})), 1)
    assert r"\textless{}b\textgreater{}\textbackslash{}input\{x\}" in paper(found, "en", False)
    page = html(found, "en", False)
    assert not [tag for tag, _ in tree(page).seen if tag == "b" and HOSTILE in page]
    assert "&lt;b&gt;" in page
    (question,) = questions(moodle(found, "en"))
    assert (question.findtext("name/text") or "").startswith(HOSTILE)
    assert len(blanks(question)) == len(found.questions)
