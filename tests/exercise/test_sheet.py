"""Sheets: what is asked, that numbers are those of the page, and that they read back as right."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derive.api import load
from derive.build import build
from derive.errors import InputError
from derive.exercise.fit import faults
from derive.exercise.lines import Line, Status
from derive.exercise.paper import paper
from derive.exercise.sheet import Blanks, Question, series_of, sheet_of
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.pipeline import make
from derive.proofread.reading import Verdict
from derive.proofread.report import checked
from derive.scaffold import scaffold
from derive.spec import parse_spec
from tests.exercise.exercise_support import SEED, SPECS, series, sheet
from tests.sampled import sampled

LANGUAGES = ("en", "ko")


@pytest.mark.parametrize("spec", SPECS)
def test_a_sheet_is_the_same_whoever_makes_it(spec: str) -> None:
    again = series_of(load(spec), SEED)
    sheet_of(again, 3)
    assert paper(sheet_of(again, 2), "en", True) == paper(sheet(spec, 2), "en", True)


@pytest.mark.parametrize("spec", SPECS)
def test_sheets_and_seeds_differ(spec: str) -> None:
    told = {sheet(spec, k).told.given for k in range(1, 6)}
    told |= {sheet_of(series_of(load(spec), seed), 1).told.given for seed in (8, 9)}
    assert len(told) == 7


@pytest.mark.parametrize("spec", SPECS)
def test_values_of_a_sheet_make_an_exercise(spec: str) -> None:
    for number in range(1, 6):
        found = faults(sheet(spec, number).problem, series(spec).derivation)
        assert not found - series(spec).usual


@pytest.mark.parametrize("spec", SPECS)
def test_results_have_few_digits(spec: str) -> None:
    for question in sheet(spec).questions:
        digits = question.line.text.lstrip("-").replace(".", "").strip("0")
        assert len(digits) <= 5, question.line  # of 3 decimals beside a number above 10
        assert "e" not in question.line.text


@pytest.mark.parametrize("spec", SPECS)
def test_numbers_are_those_of_the_page(spec: str) -> None:
    page = make(sheet(spec).problem, ["en"]).page
    for item in sheet(spec).items:
        line = item.line if isinstance(item, Question) else item
        assert page.numbers[line.name].text == line.text, line.name


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS)
def test_the_drawn_problem_is_verified(spec: str) -> None:
    assert make(sheet(spec).problem, ["en"]).verify().agree


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("spec", SPECS)
def test_a_solution_reads_back_without_a_finding(spec: str, language: str) -> None:
    found = checked("solution.tex", paper(sheet(spec), language, solved=True))
    assert not found.own
    links = [i for i in sheet(spec).items if isinstance(i, Line) and i.status is Status.LINK]
    assert found.count(Verdict.RIGHT) == len(sheet(spec).questions) + len(links)


def test_a_wrong_digit_in_a_solution_is_found() -> None:
    text = paper(sheet("article"), "en", solved=True)
    line = sheet("article").questions[4].line
    wrong = text.replace(
        f"= {line.shown}", f"= {line.shown[:-1]}{(int(line.shown[-1]) + 5) % 10}", 1
    )
    assert wrong != text
    assert checked("solution.tex", wrong).own


@pytest.mark.parametrize("spec", SPECS)
def test_a_sheet_does_not_have_its_answers(spec: str) -> None:
    text = paper(sheet(spec), "en", solved=False)
    given = {each.shown for each in sheet(spec).told.given}
    told = {i.shown for i in sheet(spec).items if not isinstance(i, Question) and not i.formula}
    for question in sheet(spec).questions:
        if question.line.shown not in given | told and len(question.line.shown) > 4:
            assert question.line.shown not in text, question.line.name


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("blanks", Blanks)
def test_points_are_for_what_is_left_out(spec: str, blanks: Blanks) -> None:
    questions = sheet(spec, 1, blanks).questions
    assert [q.points for q in questions] == [1 if q.formula else 2 for q in questions]
    shown = [q.formula for q in questions]
    assert all(shown) if blanks is Blanks.RESULTS else not all(shown) or spec == "neuron"
    assert any(shown) is not (blanks is Blanks.STEPS)
    assert [q.number for q in questions] == list(range(1, len(questions) + 1))
    assert sheet(spec, 1, blanks).points == sum(q.points for q in questions)


@pytest.mark.parametrize("spec", SPECS)
def test_one_who_does_not_round_is_within_the_tolerance(spec: str) -> None:
    for question in sheet(spec).questions:
        exact = Fraction(str(question.line.exact)) if question.line.exact else Fraction(0)
        assert abs(exact - question.line.page) <= question.tolerance
        assert question.tolerance <= max(abs(question.line.page) / 50, Fraction(1, 100))


@pytest.mark.parametrize("blanks", Blanks)
def test_a_sheet_speaks_of_formulas_only_where_one_is_missing(blanks: Blanks) -> None:
    found = sheet("article", 1, blanks)
    asks = "Where no formula is given" in paper(found, "en", solved=False)
    assert asks is not all(question.formula for question in found.questions)


def test_a_copy_of_an_answer_is_told_without_its_number() -> None:
    links = [i for i in sheet("tiny_rnn").items if getattr(i, "status", "") is Status.LINK]
    assert links
    text = paper(sheet("tiny_rnn"), "en", solved=False)
    for link in links:
        assert f"{link.lhs} = {link.formula[0]}" in text
        assert f"{link.lhs} = {link.formula[0]} = {link.shown}" not in text


def test_a_solution_has_every_term_of_a_long_sum() -> None:
    problem = build(parse_spec(scaffold("conv2d", False), "conv2d", "conv2d"))
    found = sheet_of(series_of(problem, SEED), 1)
    assert any(len(q.line.formula[0]) > 200 for q in found.questions)
    assert r"\cdots" not in paper(found, "en", solved=True)


def test_every_sample_has_the_connections_of_the_network() -> None:
    setting = sheet("deep").told.setting
    assert setting.samples == 2
    first, last = setting.connections[0], setting.connections[-1]
    assert first.ways == (("i_{1}", "w_1"), ("i_{2}", "w_2"))
    assert (last.node, last.bias) == (r"\mathrm{net}_{o2}", "b_{11}")
    assert last.ways[-1] == (r"\mathrm{out}_{h3}^{(3)}", "w_{30}")


@pytest.mark.parametrize("most", [6, 12, 24])
def test_a_model_has_no_more_questions_than_asked(most: int) -> None:
    found = sheet_of(series_of(load("tiny_rnn"), SEED, questions=most), 1)
    assert 0 < len(found.questions) <= most


def test_digits_can_be_asked_for() -> None:
    found = sheet_of(series_of(load("article"), SEED, digits=2), 1)
    assert {len(q.line.text.lstrip("-0.").replace(".", "")) <= 2 for q in found.questions} == {True}
    assert checked("a.tex", paper(found, "en", True)).own == []


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(InputError, match="by hand"):
        sheet_of(
            series_of(build(parse_spec(scaffold("transformer_encoder_block", False), "a", "a")), 1),
            1,
        )


def test_where_nothing_is_computed_nothing_is_asked() -> None:
    with pytest.raises(InputError, match="nothing in it to be computed"):
        sheet_of(series_of(build(parse_spec(scaffold("identity", False), "a", "a")), 1), 1)


@pytest.mark.slow
@pytest.mark.parametrize("row", sampled([*LAYERS, *loss_names()], 8))
def test_every_row_of_the_library_has_a_sheet_or_is_refused_in_words(row: str) -> None:
    problem = build(parse_spec(scaffold(row, False), row, row))
    try:
        found = sheet_of(series_of(problem, SEED), 1)
    except InputError as error:
        assert "by hand" in str(error) or "nothing in it" in str(error)
        return
    told = checked("solution.tex", paper(found, "en", solved=True))
    assert not told.own
    assert told.count(Verdict.RIGHT) >= len(found.questions)
