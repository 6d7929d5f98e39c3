"""The page: what is told, in which order, and that everything it refers to is there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import derive
from derive.errors import InputError
from derive.render.blocks import Block, Page
from derive.templating import environment
from tests.render_support import (
    BIASES,
    BUILTIN,
    LANGUAGES,
    OUTPUTS,
    Small,
    faults,
    labels,
    made,
)
from tests.verify_support import problem

WEIGHT = "factor_input gradient update"
ARTICLE = f"""
    setting network_figure given weights_figure
    forward net out net out net out net out loss descent
    weight path_figure factor_error factor_slope {WEIGHT}
    weight {WEIGHT}
    weight factor_error factor_slope {WEIGHT}
    weight {WEIGHT}
    interlude
    weight path_figure factor_slope factor_paths {WEIGHT}
    weight {WEIGHT}
    weight factor_slope factor_paths {WEIGHT}
    weight {WEIGHT}
    updates second_pass comparison training table closing
"""
SOURCES = Path(derive.__file__).parent / "render"


def kinds(page: Page) -> list[str]:
    return [block.kind for block in page.blocks]


def of_kind(page: Page, kind: str) -> list[Block]:
    return [block for block in page.blocks if block.kind == kind]


# --- the built-in problems ------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_pages_are_sound(name: str, language: str) -> None:
    assert faults(made(name).texts[language]) == []


@pytest.mark.parametrize("name", BUILTIN)
def test_every_display_stands_once(name: str) -> None:
    displays = made(name).page.displays()
    assert [d for d, n in Counter(d.label for d in displays).items() if n > 1] == []
    for language in LANGUAGES:
        on_page = set(labels(made(name).texts[language]))
        assert {display.label for display in displays} <= on_page


def test_the_article_in_reading_order() -> None:
    page = made("article").page
    assert kinds(page) == ARTICLE.split()
    names = [block["name"] for block in of_kind(page, "weight")]
    assert names == [f"w_{k}" for k in (5, 6, 7, 8, 1, 2, 3, 4)]


def test_a_factor_is_shown_once_and_then_referred_to() -> None:
    known = {
        block["name"]: [factor["ref"] for factor in block["known"]]
        for block in of_kind(made("article").page, "weight")
    }
    assert known == {
        "w_5": [],
        "w_6": ["eq:dE_dout_o1", "eq:dout_o1_dnet_o1"],
        "w_7": [],
        "w_8": ["eq:dE_dout_o2", "eq:dout_o2_dnet_o2"],
        "w_1": [],
        "w_2": ["eq:dE_dout_h1", "eq:dout_h1_dnet_h1"],
        "w_3": [],
        "w_4": ["eq:dE_dout_h2", "eq:dout_h2_dnet_h2"],
    }


def test_both_ways_of_a_hidden_weight_are_added() -> None:
    first, second = of_kind(made("article").page, "factor_paths")
    assert first["node"] == r"\mathrm{out}_{h1}"
    assert first["readers"] == [r"\mathrm{net}_{o1}", r"\mathrm{net}_{o2}"]
    assert [copy["tex"].rpartition(" = ")[2] for copy in first["copies"]] == ["0.35", "0.45"]
    assert first["display"].result == "0.00988"
    assert first["signs"] == "opposed"
    assert second["display"].label == "eq:dE_dout_h2"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("net_h1", "0.0275"),
        ("E_total", "0.2397"),
        ("dE_total/dw5", "0.07141"),
        ("w5+", "0.3143"),
        ("dE_total/dout_h1", "0.00988"),
        ("w1+", "0.1499"),
        ("E_total+", "0.2326"),
    ],
)
def test_numbers_of_the_article(name: str, printed: str) -> None:
    assert made("article").page.numbers[name].text == printed


def test_a_shared_bias_acts_on_all_units_and_may_be_frozen() -> None:
    page = made("biases").page
    bias = of_kind(page, "weight")[4]
    assert (bias["name"], bias["shared"], len(bias["readers"])) == ("b_2", True, 2)
    assert [block["name"] for block in of_kind(page, "frozen")] == ["b_2", "b_1"]
    gradient = next(d for d in page.displays() if d.label == "eq:dE_db2")
    assert gradient.rows[0].count(" + ") == 1
    assert "eq:b2_new" not in {display.label for display in page.displays()}


def test_an_activation_that_fits_the_loss_is_told_once() -> None:
    small = Small((1, 3), ("softmax",), "categorical_cross_entropy", ("none",))
    blocks = of_kind(derive.make(small.problem(), ["en"]).page, "factor_fused")
    assert [bool(block["fusion"]) for block in blocks] == [True, False, False]


def test_a_coupled_output_has_no_figure_of_ways() -> None:
    small = Small((1, 2), ("softmax",), "categorical_cross_entropy", ("none",))
    assert "path_figure" not in kinds(derive.make(small.problem(), ["en"]).page)


# --- a page of some weights -----------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "weight"),
    [
        *[("article", f"w{k}") for k in (1, 4, 5, 8)],
        *[("biases", weight) for weight in ("w1", "b1", "b2")],
        ("neuron", "b1"),
    ],
)
def test_one_weight_alone(name: str, weight: str, language: str) -> None:
    result = made(name, (weight,))
    assert faults(result.texts[language]) == []
    told = of_kind(result.page, "weight")
    assert [block["label"] for block in told] == [f"sec:{weight}"]
    assert not {"interlude", "updates", "second_pass", "closing"} & set(kinds(result.page))


def test_two_weights_in_the_order_of_the_page() -> None:
    page = made("article", ("w1", "w6")).page
    assert [block["name"] for block in of_kind(page, "weight")] == ["w_6", "w_1"]
    assert kinds(page).count("interlude") == 1


# --- any small problem ----------------------------------------------------------------------------


@st.composite
def smalls(draw: st.DrawFn) -> Small:
    depth = draw(st.integers(1, 3))
    loss = draw(st.sampled_from(sorted(OUTPUTS)))
    hidden = st.sampled_from(["identity", "logistic", "tanh", "relu", "softmax"])
    activations = (*draw(st.tuples(*[hidden] * (depth - 1))), draw(st.sampled_from(OUTPUTS[loss])))
    units = [draw(st.integers(1 + (a == "softmax"), 3)) for a in activations]
    return Small(
        sizes=(draw(st.integers(1, 3)), *units),
        activations=activations,
        loss=loss,
        biases=draw(st.tuples(*[st.sampled_from(BIASES)] * depth)),
        batch=draw(st.integers(1, 2)),
        seed=draw(st.one_of(st.none(), st.integers(1, 99))),
        numbers=draw(st.sampled_from(["{significant_digits: 4}", "{decimals: 6, chained: false}"])),
        reduction=draw(st.sampled_from(["sum", "mean"])),
    )


@pytest.mark.slow
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(smalls())
def test_any_small_problem_has_sound_pages(small: Small) -> None:
    try:
        problem = small.problem()
    except InputError:
        assume(False)
    result = derive.make(problem, LANGUAGES)
    for language in LANGUAGES:
        assert faults(result.texts[language]) == [], small.text
        on_page = Counter(labels(result.texts[language]))
        assert all(on_page[display.label] == 1 for display in result.page.displays())
    assert problem.symbolic or "E_total+" in result.page.numbers
    shown = {display.result for display in result.page.displays()}
    assert not problem.symbolic or shown <= {None, "1"}  # a bias has the factor 1


# --- phrases --------------------------------------------------------------------------------------


def phrases(language: str) -> set[str]:
    """The macros of both phrase books that say a block."""
    loader = environment("latex").loader
    assert loader is not None
    books = [f"latex/{language}.tex.j2", f"latex/model_{language}.tex.j2"]
    texts = [loader.get_source(environment("latex"), book)[0] for book in books]
    return {macro for text in texts for macro in re.findall(r"<% macro (\w+)\(b\)", text)}


def told_kinds() -> set[str]:
    """Every kind of block that the program makes."""
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.parent.rglob("*.py"))
    quoted = re.findall(r'Block\(\s*"(\w+)"(?: if \w+ else "(\w+)")?', text)
    return {kind for pair in quoted for kind in pair if kind}


def test_every_kind_of_block_has_a_phrase_in_every_language() -> None:
    found = told_kinds()
    assert {"setting", "weight", "layer_backward", "factor_error", "closing"} <= found
    for language in LANGUAGES:
        assert phrases(language) == found


# --- networks with more numbers than anyone would read --------------------------------------

MANY = (
    "network: {inputs: 60, layers: [{dense: 50}], loss: half_squared_error}\n"
    f"parameters: {{W1: {[[0.1] * 60] * 50}, b1: {[0.2] * 50}}}\n"
    f"data: {{inputs: {[0.3] * 60}, targets: {[0.4] * 50}}}\n"
)


@pytest.mark.slow
def test_a_page_says_that_there_are_too_many_numbers_and_puts_none_in() -> None:
    whole = derive.make(problem(MANY))
    assert whole.page.numbers == {}
    assert "more numbers than anyone would read" in whole.texts["en"]
    assert "No values were given" not in whole.texts["en"]
    assert "대입하지 않고" in whole.texts["ko"]
    assert "follow in tables" not in whole.texts["en"]
    assert len(whole.texts["en"]) < 20_000
    assert whole.verify().agree


@pytest.mark.slow
def test_a_number_that_was_published_brings_the_numbers_back() -> None:
    printed = "published: [{name: dE/dw1, printed: '1'}]\n"
    assert "dE_total/dw1" in derive.make(problem(MANY + printed)).page.numbers
