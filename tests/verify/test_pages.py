"""The route of the page: its text is read, its formulas are held to the true values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

import derive
from derive.notation import Name
from derive.render.blocks import Block, Page
from derive.render.sheet import Display
from derive.verify import Route, Status
from derive.verify.oracle import true_values
from derive.verify.pages import numbers_route, text_route
from derive.verify.sampling import drawn_values, spec_values
from tests.verify_support import NEURON, SOFT, changed, made, problem


@cache
def truth(name: str) -> dict[Name, Any]:
    values = spec_values(made(name).problem)
    assert values is not None
    return true_values(made(name).problem, values)


def reading(name: str, text: str, page: Page | None = None) -> Route:
    whole = made(name)
    return text_route("en", text, page or whole.page, whole.problem, truth(name))


@pytest.mark.parametrize("name", ["article", "soft", "biases", "neuron, short"])
def test_every_number_of_a_page_has_a_true_value(name: str) -> None:
    known = {each.report for each in truth(name)}
    assert set(made(name).page.numbers) <= known
    route = numbers_route(made(name).page, truth(name))
    assert route.status is Status.AGREES
    assert route.compared == 2 * len(made(name).page.numbers)


def with_number(name: str, **changes: Any) -> Page:
    page = made("article").page
    return replace(page, numbers={**page.numbers, name: replace(page.numbers[name], **changes)})


NUMBERS = [
    ("sign", "dE_total/dw5", {"exact": Fraction(-7140620479, 10**11)}),
    ("no value", "dE_total/dw5", {"exact": None}),
    ("text that is not the number", "w5+", {"text": "0.3144"}),
    ("number that is not the text", "w5+", {"page": Fraction(3144, 10000)}),
    ("given", "w1", {"exact": Fraction(16, 100)}),
]


@pytest.mark.parametrize(("name", "changes"), [r[1:] for r in NUMBERS], ids=[r[0] for r in NUMBERS])
def test_a_wrong_number_behind_the_page(name: str, changes: dict[str, Any]) -> None:
    assert numbers_route(with_number(name, **changes), truth("article")).status is Status.DISAGREES


def test_a_number_of_an_unknown_name() -> None:
    page = made("article").page
    page = replace(page, numbers={**page.numbers, "dE_total/dw9": page.numbers["dE_total/dw5"]})
    assert numbers_route(page, truth("article")).status is Status.DISAGREES


def with_display(label: str, change: Callable[[Display], Display]) -> Page:
    """The page with one display told differently."""
    page = made("article").page

    def block(old: Block) -> Block:
        fields = {
            key: change(value) if isinstance(value, Display) and value.label == label else value
            for key, value in old.fields.items()
        }
        return replace(old, fields=fields)

    return replace(page, blocks=tuple(map(block, page.blocks)))


def test_a_wrong_formula_with_consistently_wrong_numbers() -> None:
    """t - y for y - t: formula, operands and result fit each other and the page that was told."""
    label = "eq:dE_dout_o1"
    (old,) = (d for d in made("article").page.displays() if d.label == label)
    text = made("article").texts["en"]
    start = text.index(rf"\label{{{label}}}")
    end = text.index(r"\end{equation}", start)
    wrong = changed(
        text[start:end], r"(\\mathrm\{out\}_\{o1\}) - (\\mathrm\{target\}_\{o1\})", r"\2 - \1"
    )
    wrong = changed(wrong, r"0\.5943 - 0\.01 = 0\.5843", "0.01 - 0.5943 = -0.5843")
    rows = (r"\mathrm{target}_{o1} - \mathrm{out}_{o1}", "0.01 - 0.5943 = -0.5843")
    page = with_display(label, lambda d: replace(d, rows=rows, result="-0.5843"))
    name = "dE_total/dout_o1"
    numbers = {**page.numbers, name: replace(page.numbers[name], text="-0.5843")}
    route = reading("article", text[:start] + wrong + text[end:], replace(page, numbers=numbers))
    assert len(old.rows) == 2
    assert route.status is Status.DISAGREES


def test_a_wrong_formula_of_a_page_that_was_told_like_that() -> None:
    """The numbers are right; the names above them are not, on the page as in its text."""
    label = "eq:dnet_o1_dw5"
    text = made("article").texts["en"]
    start = text.index(rf"\label{{{label}}}")
    end = text.index(r"\end{equation}", start)
    wrong = changed(text[start:end], r"= \\mathrm\{out\}_\{h1\}", r"= \\mathrm{out}_{h2}")
    page = with_display(label, lambda d: replace(d, rows=(r"\mathrm{out}_{h2}", *d.rows[1:])))
    route = reading("article", text[:start] + wrong + text[end:], page)
    assert route.status is Status.DISAGREES


SYMBOLIC = NEURON.partition("parameters:")[0] + "languages: [en]\n"
CHANGES = [
    ("sign", r"(\\mathrm\{out\}_\{y1\}) - (\\mathrm\{target\})", r"\1 + \2"),
    ("bias", r" \+ b_1", ""),
    ("factor", r"(x_1)( *\\cdot *w_1)", r"2\2"),
    ("name", r"(\\cdot *)w_2", r"\1w_1"),
    ("display", r"\\begin\{equation\}\\label\{eq:net_y1\}.*?\\end\{equation\}", ""),
]


def symbolic(text: str | None = None, old: str = "") -> Route:
    whole = derive.make(problem(SYMBOLIC))
    values = true_values(whole.problem, drawn_values(whole.problem.graph, 1))
    source = whole.texts["en"]
    if text is not None:
        head, begin, body = source.partition(r"\begin{document}")
        source = head + begin + changed(body, old, text)
    return text_route("en", source, whole.page, whole.problem, values)


def test_the_formulas_of_a_symbolic_page_are_held_to_drawn_values() -> None:
    route = symbolic()
    assert route.status is Status.AGREES
    assert route.worst > 0
    assert route.compared > 10


@pytest.mark.parametrize(("old", "new"), [r[1:] for r in CHANGES], ids=[r[0] for r in CHANGES])
def test_a_wrong_formula_of_a_symbolic_page(old: str, new: str) -> None:
    assert symbolic(new, old).status is Status.DISAGREES


def test_a_symbolic_page_in_index_form_is_read() -> None:
    text = SOFT.partition("parameters:")[0]
    report = derive.make(problem(text)).verify()
    (route,) = (r for r in report.routes if r.name == "page en")
    assert (route.status, route.worst) == (Status.AGREES, 0.0)
    assert route.detail == "no numbers; every line was read"


FORMATS = [
    "{significant_digits: 3}",
    "{significant_digits: 6, rounding: half_even, zeros: pad}",
    "{significant_digits: 4, chained: false}",
    "{decimals: 5, chained: false, zeros: pad}",
    "{decimals: 8}",
]


@pytest.mark.parametrize("numbers", FORMATS)
def test_givens_with_more_digits_than_the_page_are_right(numbers: str) -> None:
    text = NEURON.replace("0.7", "0.712345678912") + f"numbers: {numbers}\n"
    report = derive.make(problem(text)).verify()
    assert report.agree, [route for route in report.routes if route.status is Status.DISAGREES]


def test_an_empty_page_is_not_right() -> None:
    assert reading("article", "$a = b$").status is Status.DISAGREES
    with pytest.raises(ValueError, match="nothing to judge"):
        reading("article", "")


def test_a_name_that_the_reader_cannot_read_is_a_disagreement() -> None:
    page = made("article").page
    entry = page.numbers["w5"]
    name = replace(entry.name, tex=r"\mathrm{w^")
    page = replace(page, numbers={**page.numbers, "w5": replace(entry, name=name)})
    route = reading("article", made("article").texts["en"], page)
    assert route.status is Status.DISAGREES
    assert "cannot be read" in route.detail
