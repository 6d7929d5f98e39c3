"""Marks: right, following from a wrong answer, wrong; and tables of answers that cannot be read.

What follows from a wrong answer is computed here once more, by hand, in plain Python.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from math import exp

import pytest

from derive.errors import InputError
from derive.exercise.answers import blank_answers, filled
from derive.exercise.marking import Mark, Verdict, marks
from derive.exercise.sheet import Sheet
from tests.exercise.exercise_support import SPECS, sheet

ROUND = Context(prec=4, rounding=ROUND_HALF_UP)


def right(found: Sheet) -> dict[int, str]:
    return {q.number: q.line.text for q in found.questions}


def rounded(value: float) -> str:
    return f"{ROUND.create_decimal(Decimal(repr(value))):f}"


def logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


def by_name(found: list[Mark]) -> dict[str, Mark]:
    return {mark.question.line.name: mark for mark in found}


@pytest.mark.parametrize("spec", SPECS)
def test_the_solution_has_all_points(spec: str) -> None:
    for number in (1, 2, 3):
        found = sheet(spec, number)
        assert {m.verdict for m in marks(found, right(found))} == {Verdict.RIGHT}
        assert sum(m.points for m in marks(found, right(found))) == found.points


@pytest.mark.parametrize("spec", SPECS)
def test_unrounded_answers_have_all_points(spec: str) -> None:
    found = sheet(spec)
    exact = {q.number: repr(float(q.line.exact)) for q in found.questions}
    assert {m.verdict for m in marks(found, exact)} == {Verdict.RIGHT}


@pytest.mark.parametrize("spec", SPECS)
def test_an_empty_sheet_has_none(spec: str) -> None:
    found = marks(sheet(spec), {})
    assert {m.verdict for m in found} == {Verdict.MISSING}
    assert sum(m.points for m in found) == 0


@pytest.mark.parametrize("spec", SPECS)
def test_each_answer_that_is_wrong_alone_costs_its_points(spec: str) -> None:
    """What reads it does not follow from it, but is right, so that counts too."""
    found = sheet(spec)
    for question in found.questions:
        wrong = right(found) | {question.number: rounded(abs(float(question.line.exact)) + 0.7)}
        told = marks(found, wrong)
        assert [m.question.number for m in told if m.verdict is not Verdict.RIGHT] == [
            question.number
        ], question.line.name
        assert sum(m.points for m in told) == found.points - question.points


def carried_on(found: Sheet, wrong: float) -> dict[str, str]:
    """The forward pass and the last weight of the article, gone on with from a wrong net input."""
    given = {g.lhs: float(g.shown) for g in found.told.given}
    w = [given[f"w_{k}"] for k in range(1, 9)]
    done = {"net_h1": rounded(wrong)}
    done["out_h1"] = rounded(logistic(float(done["net_h1"])))
    h1, h2 = float(done["out_h1"]), float(by(found, "out_h2"))
    for k, net in enumerate(("o1", "o2")):
        done[f"net_{net}"] = rounded(h1 * w[4 + 2 * k] + h2 * w[5 + 2 * k])
        done[f"out_{net}"] = rounded(logistic(float(done[f"net_{net}"])))
    o1, o2 = float(done["out_o1"]), float(done["out_o2"])
    t1, t2 = (given[rf"\mathrm{{target}}_{{o{k}}}"] for k in (1, 2))
    done["E_total"] = rounded(((t1 - o1) ** 2 + (t2 - o2) ** 2) / 2)
    return done


def by(found: Sheet, name: str) -> str:
    return next(q.line.text for q in found.questions if q.line.name == name)


def test_a_wrong_number_carried_on_rightly_costs_once() -> None:
    found = sheet("article")
    numbers = {q.line.name: q.number for q in found.questions}
    done = carried_on(found, 0.9)
    answers = right(found) | {numbers[name]: text for name, text in done.items()}
    told = by_name(marks(found, answers))
    assert told["net_h1"].verdict is Verdict.WRONG
    for name in ("out_h1", "net_o1", "out_o1", "net_o2", "out_o2", "E_total"):
        assert told[name].verdict is Verdict.FOLLOWS, name
        assert told[name].roots == (numbers["net_h1"],)
        assert told[name].points == told[name].question.points
    lost = found.points - sum(m.points for m in told.values())
    assert lost == told["net_h1"].question.points


def test_two_wrong_numbers_cost_twice() -> None:
    found = sheet("article")
    numbers = {q.line.name: q.number for q in found.questions}
    done = carried_on(found, 0.9) | {"out_o1": "0.1234"}
    answers = right(found) | {numbers[name]: text for name, text in done.items()}
    told = by_name(marks(found, answers))
    assert told["out_o1"].verdict is Verdict.WRONG
    assert told["out_o1"].expected == carried_on(found, 0.9)["out_o1"]
    assert told["E_total"].verdict is Verdict.WRONG  # it goes with the other number for out_o1
    assert told["out_o2"].verdict is Verdict.FOLLOWS


def test_a_copied_answer_carries_on_too() -> None:
    """What a sheet tells as a copy of an answer is the answer that was given."""
    found = sheet("tiny_rnn")
    numbers = {q.line.name: q.number for q in found.questions}
    given = {g.lhs: float(g.shown) for g in found.told.given}
    link = next(i for i in found.items if getattr(i, "status", "") == "link")
    source = next(q for q in found.questions if q.line.lhs == link.formula[0])
    step = next(q for q in found.questions if link.lhs in " ".join(q.line.formula))
    assert step.line.name.startswith("a[")
    place = step.line.name[2:-1]
    value = given[r"\mathrm{Wxh}"] * given[f"x_{{{place}}}"] + given[r"\mathrm{Whh}"] * -0.75
    answers = right(found) | {source.number: "-0.75", step.number: rounded(value)}
    told = by_name(marks(found, answers))
    assert told[step.line.name].verdict is Verdict.FOLLOWS
    assert told[step.line.name].roots == (numbers[source.line.name],)


@pytest.mark.parametrize("text", ["abc", "1/2", "0.5.5", r"\input{x}", "1e999", "nan", "--1"])
def test_what_is_no_number_is_wrong(text: str) -> None:
    found = sheet("article")
    told = marks(found, right(found) | {3: text})
    assert told[2].verdict is Verdict.WRONG
    assert [m.verdict for m in told if m.question.number != 3] == [Verdict.RIGHT] * (len(told) - 1)


def test_too_few_digits_are_wrong() -> None:
    found = sheet("article")
    told = marks(found, right(found) | {2: right(found)[2][:4]})
    assert told[1].verdict is Verdict.WRONG


# --- tables ---------------------------------------------------------------------------------


def test_the_table_of_a_sheet_is_read_as_empty() -> None:
    (found,) = filled("a.csv", blank_answers(sheet("article", 3)))
    assert found.sheet == 3
    assert set(found.answers.values()) == {""}
    assert list(found.answers) == [q.number for q in sheet("article", 3).questions]


TABLES = {
    "plain": "sheet,question,answer\n1,2,0.5\n",
    "names": "name,sheet,question,answer\nKim,1,2,0.5\n",
    "semicolons and commas": "sheet;question;answer\n1;2;0,5\n",
    "capitals and spaces": "Sheet, Question, Answer\n1, 2, 0.5\n",
    "quotes and empty lines": 'sheet,question,answer\r\n"1","2","0.5"\r\n\r\n',
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_are_understood(kind: str) -> None:
    (found,) = filled("a.csv", TABLES[kind])
    assert (found.sheet, found.answers) == (1, {2: "0.5"})


def test_a_minus_sign_of_print_is_one() -> None:
    (found,) = filled("a.csv", "sheet,question,answer\n1,2,\N{MINUS SIGN}0.5\n")
    assert found.answers == {2: "-0.5"}


def test_students_of_one_sheet_are_told_apart() -> None:
    text = "name,sheet,question,answer\nKim,1,2,0.5\nLee,1,2,0.6\nKim,1,3,0.7\n"
    found = filled("a.csv", text)
    assert [(f.name, f.answers) for f in found] == [
        ("Kim", {2: "0.5", 3: "0.7"}),
        ("Lee", {2: "0.6"}),
    ]


UNREADABLE = {
    "empty": ("", "a.csv:1: there is no column 'sheet'"),
    "no answers": ("sheet,question\n1,2\n", "a.csv:1: there is no column 'answer'"),
    "no number": (
        "sheet,question,answer\n1,two,0.5\n",
        "a.csv:2: the question must be a whole number",
    ),
    "too short": ("sheet,question,answer\n1,2\n", "a.csv:2: the table has 3 columns, this row 2"),
    "twice": (
        "sheet,question,answer\n1,2,1\n1,2,2\n",
        "a.csv:3: question 2 of sheet 1 is answered twice",
    ),
    "open quotes": ('sheet,question,answer\n1,2,"0.5\n', "a.csv:2: this is no table of answers"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_tables_that_cannot_be_read_are_refused_with_the_line(kind: str) -> None:
    text, words = UNREADABLE[kind]
    with pytest.raises(InputError) as caught:
        filled("a.csv", text)
    assert str(caught.value).startswith(words)
