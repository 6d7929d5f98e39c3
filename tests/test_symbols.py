"""Symbols from names: what a name looks like on the page."""

from __future__ import annotations

import pytest

import derive
from derive.notation import IndexNotation
from derive.proofread import symbol_name
from derive.spec import parse_spec
from derive.symbols import distinct, symbol

SYMBOLS = [
    ("w1", 0, "w_{1}"),
    ("W_xh", 2, r"W^{(\mathrm{xh})}"),
    ("gamma1_out", 1, r"\gamma^{(1,\mathrm{out})}"),
    ("mu", 1, r"\mu"),
    ("beta_y", 1, r"\beta^{(y)}"),
    ("bmu_y", 1, r"b^{(\mu,y)}"),
    ("xhat", 1, r"\hat{x}"),
    ("Wq", 2, "W^{(q)}"),
    ("lambda_", 0, r"\lambda"),
    ("update", 0, r"\mathrm{update}"),
    # e^{(1)} is a power of Euler's number
    ("e", 1, "e"),
    ("e1", 0, "e_{1}"),
    ("e1", 1, r"\mathrm{e1}"),
    ("e_out", 1, r"\mathrm{e,out}"),
]


@pytest.mark.parametrize(("name", "axes", "tex"), SYMBOLS)
def test_the_symbol_of_a_name(name: str, axes: int, tex: str) -> None:
    assert symbol(name, axes) == tex
    assert symbol_name(tex)


def test_no_two_quantities_have_one_symbol() -> None:
    axes = {"W1": 2, "W_1": 2, "e1": 1, "e_1": 1, "a_W": 2, "b_W": 2}
    assert len(set(distinct(axes, ["a", "b"]).values())) == len(axes)


WHOLE = [
    ({"g": 1, "y_g": 1}, ["y"], {"g": "g", "y_g": "g^{(y)}"}),
    ({"y_g": 1, "g": 1}, ["y"], {"g": "g", "y_g": "g^{(y)}"}),
    ({"a_W": 2, "b_W": 2, "W": 2}, ["a", "b"], {"W": "W", "a_W": "W^{(a)}", "b_W": "W^{(b)}"}),
    ({"a_W": 2, "b_W": 2}, ["a", "b"], {"a_W": "W^{(a)}", "b_W": "W^{(b)}"}),
    ({"a_W": 2}, ["a"], {"a_W": "W"}),
]


@pytest.mark.parametrize(("axes", "nodes", "found"), WHOLE)
def test_a_quantity_keeps_the_symbol_that_is_its_name(
    axes: dict[str, int], nodes: list[str], found: dict[str, str]
) -> None:
    assert distinct(axes, nodes) == found


RULES = [  # a quantity, the optimizer, and what the rule then calls its own
    ("k", "adam", r"1 - \beta_{1}^{k_{\mathrm{opt}}}"),
    ("k", "adam", r"$k_{\mathrm{opt}}$ counts the updates"),
    ("beta1", "adam", r"m_{\theta}^{+} = \beta_{1,\mathrm{opt}}\,m_{\theta}"),
    ("beta1", "adam", r"$\beta_{1,\mathrm{opt}}$ & $0.9$"),
    ("mu", "momentum", r"v_{\theta}^{+} = \mu_{\mathrm{opt}}\,v_{\theta}"),
    ("nothing", "adam", r"$k$ counts the updates"),
]


@pytest.mark.parametrize(("name", "optimizer", "words"), RULES)
def test_a_letter_of_the_optimizer_is_no_quantity(name: str, optimizer: str, words: str) -> None:
    text = f"parameters: {{w: 2}}\nconstants: {{{name}: 3}}\nloss: E = (w*{name})**2\n"
    training = f"training: {{optimizer: {optimizer}, learning_rate: 0.1}}\nlanguages: [en]\n"
    whole = derive.make(derive.build(parse_spec(text + training, "a.yaml", "a")))
    assert words in whole.texts["en"]
    assert whole.verify().agree


def test_a_letter_of_the_optimizer_is_no_entry_of_a_table() -> None:
    text = (
        "parameters: {beta: [2, 0.5, 3]}\nloss: E = sum(i, beta[i]**2)\nlanguages: [en]\n"
        "training: {optimizer: adam, learning_rate: 0.1}\nnumbers: {chained: false}\n"
    )
    whole = derive.make(derive.build(parse_spec(text, "a.yaml", "a")))
    assert r"1 - \beta_{1,\mathrm{opt}}^{k}" in whole.texts["en"]
    assert whole.verify().agree


MARKED = [("h", r"h^{(0)}"), ("e", r"\mathrm{e0}")]


@pytest.mark.parametrize(("name", "tex"), MARKED)
def test_a_number_beside_a_table_of_its_letter(name: str, tex: str) -> None:
    text = f"parameters: {{{name}0: 2, {name}: [1, 3]}}\nloss: E = {name}0*{name}[0]\n"
    problem = derive.build(parse_spec(text, "a.yaml", "a"))
    assert IndexNotation(problem.graph.quantities).symbol(f"{name}0") == tex
