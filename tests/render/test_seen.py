"""What a notebook shows of equations, graphs, derivations and pages."""

from __future__ import annotations

import re

import pytest

import derive
from derive.proofread import parse_formula
from derive.render.markdown import markdown
from derive.render.model_form import ModelForm

ROW = re.compile(r" \\\\(?:\[1\.5ex\])? (?!\n)")
MODELS = ["gru_by_hand", "kalman_filter", "maml_step", "crf_chain"]


def lines(seen: str) -> list[tuple[str, str]]:
    """The left and right sides of what is shown."""
    assert seen.startswith(r"$$\begin{aligned} ") and seen.endswith(r" \end{aligned}$$")
    inner = seen.removeprefix(r"$$\begin{aligned} ").removesuffix(r" \end{aligned}$$")
    sides = (line.partition(" &= ")[::2] for line in ROW.split(inner))
    return [(left, right) for left, right in sides]


@pytest.mark.parametrize("name", MODELS)
def test_a_derivation_is_shown_as_the_page_has_it(name: str) -> None:
    problem = derive.load(name)
    derivation = derive.differentiate(problem.graph, problem.wanted)
    form = ModelForm(problem, derivation)
    shown = lines(derivation._repr_latex_())
    both = (*derivation.forward.equations, *derivation.backward.equations)
    assert [left for left, _ in shown] == [form.lhs(e) for e in both]
    assert [left for left, _ in lines(problem.graph._repr_latex_())] == [
        form.lhs(e) for e in problem.graph.equations
    ]
    page = derive.render(problem, "en")
    first = derivation.forward.equations[0]
    assert form.tex(first.rhs) in page and form.tex(first.rhs) in shown[0][1]


@pytest.mark.parametrize("name", ["article", "deep", *MODELS])
def test_each_equation_can_be_read(name: str) -> None:
    problem = derive.load(name)
    derivation = derive.differentiate(problem.graph, problem.wanted)
    for graph in (derivation.forward, derivation.backward):
        for equation in graph.equations:
            for left, _ in lines(equation._repr_latex_()):
                if not left.startswith(r"\frac{\partial }"):
                    assert parse_formula(left).is_Symbol


def test_the_layers_of_a_network_are_told_apart() -> None:
    problem = derive.load("article")
    shown = [left for left, _ in lines(problem.graph._repr_latex_())]
    assert len(set(shown)) == len(shown) == len(problem.graph.equations)
    assert r"\mathrm{net}^{(2)}_{n,o}" in shown


def test_a_page_is_shown_as_its_text() -> None:
    made = derive.make(derive.load("neuron"), ["ko"])
    assert made._repr_markdown_() == markdown(made.page, "ko")
    assert made.page._repr_markdown_() == markdown(made.page, "en")
