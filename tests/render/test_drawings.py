"""What is drawn: the figures of a problem in the terms of the page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import derive
from derive.emit import emit
from derive.expression import Element
from derive.problem import Problem
from derive.render.curves import curves, training_curve
from derive.render.drawings import MOST_UNITS, Curves, Drawings, draw
from derive.spec import parse_spec
from tests.render_support import Small, made

CURVE = Curves(
    weight=Element("W2", 0, 0),
    slice=[(k / 10, (k / 10) ** 2) for k in range(-10, 11)],
    current=(0.5, 0.25),
    updated=(0.4, 0.16),
    slope=1.0,
    training=[(0, 0.25), (1, 0.16), (2, 0.0901234)],
)


def drawn(problem: Problem, given: Curves | None = CURVE) -> Drawings:
    return draw(problem, derive.differentiate(problem.graph), given)


def inside(tikz: str) -> set[str]:
    """The formulas of a figure."""
    return set(re.findall(r"\$(?:\\displaystyle )?([^$]*)\$", tikz))


def test_names_and_values_of_the_article() -> None:
    figures = drawn(made("article").problem)
    names = inside(figures.network)
    assert {f"w_{k}" for k in range(1, 9)} | {"i_1", "h2", "o1"} <= names
    assert {r"\mathrm{out}_{o1}", r"\mathrm{target}_{o2}"} <= names
    values = inside(figures.weights)
    assert {"0.15", "0.5", "0.05", "0.1", "0.01", "0.99"} <= values
    assert not {"w_1", "i_1"} & values


def test_ways_to_the_first_weight_of_each_layer() -> None:
    figures = drawn(made("article").problem)
    assert set(figures.paths) == {"w5", "w1"}
    output, hidden = inside(figures.paths["w5"]), inside(figures.paths["w1"])

    def slope(of: str, by: str) -> str:
        return rf"\frac{{\partial {of}}}{{\partial {by}}}"

    out_o1, net_o1, out_h1 = (rf"\mathrm{{{w}}}" for w in ("out}_{o1", "net}_{o1", "out}_{h1"))
    assert {slope("E_{o1}", out_o1), slope(out_o1, net_o1), slope(net_o1, "w_5")} <= output
    assert {slope(net_o1, out_h1), slope(out_o1, net_o1)} <= hidden
    assert not any("o2" in label and "frac" in label for label in output)
    assert any("o2" in label and "frac" in label for label in hidden)


def test_biases_are_drawn_with_their_names() -> None:
    assert {"b_1", "b_2", "1"} <= inside(drawn(made("biases").problem).network)
    assert "b_1" not in inside(drawn(made("article").problem).network)


@pytest.mark.parametrize(
    ("small", "paths"),
    [
        (Small((2, 2), ("softmax",), "categorical_cross_entropy", ("none",)), set()),
        (Small((2, 2, 1), ("tanh", "identity"), "half_squared_error", ("none",) * 2), {"w5", "w1"}),
        (Small((1, 2, 2, 2), ("tanh",) * 3, "half_squared_error", ("none",) * 3), set()),
        (Small((1, 2), ("tanh",), "half_squared_error", ("none",), batch=2), set()),
    ],
    ids=["coupled outputs", "one output", "delta view", "batch"],
)
def test_ways_are_drawn_only_where_they_are_told(small: Small, paths: set[str]) -> None:
    figures = drawn(small.problem(), None)
    assert set(figures.paths) == paths
    assert all(figures.paths.values())


def test_a_batch_has_no_single_sample_to_draw() -> None:
    figures = drawn(made("deep").problem)
    assert figures.weights == ""
    assert not any("target" in label or "out" in label for label in inside(figures.network))


def test_without_curves_only_the_network_is_drawn() -> None:
    figures = drawn(made("article").problem, None)
    assert figures.network and figures.paths
    assert (figures.weights, figures.descent, figures.training, figures.last_loss) == ("",) * 4
    assert figures.descent_weight is None


def test_a_wide_layer_is_not_drawn() -> None:
    def wide(units: int) -> Drawings:
        small = Small((units, 1), ("tanh",), "half_squared_error", ("none",), seed=None, batch=2)
        return drawn(small.problem(), None)

    assert wide(MOST_UNITS).network
    assert wide(MOST_UNITS + 1) == Drawings()
    assert made("digits").page.blocks[1].kind != "network_figure"


@pytest.mark.parametrize(
    ("last", "text"),
    [
        (0.0901234, "0.09012"),
        (12.5, "12.5"),
        (0.0, "0"),
        (6.163e-33, r"6.163 \times 10^{-33}"),
        (1.5004e-5, r"1.500 \times 10^{-5}"),
    ],
)
def test_the_last_error_is_mathematics(last: float, text: str) -> None:
    """No number on a page is written in the notation of a programming language."""
    curve = replace(CURVE, training=[(0, 1.0), (1, last)])
    found = drawn(made("article").problem, curve).last_loss
    assert found == text


def test_the_step_is_drawn_along_the_weight_it_belongs_to() -> None:
    figures = drawn(made("article").problem)
    assert figures.descent_weight == Element("W2", 0, 0)
    assert {"w_5", "w_5^{+}"} <= inside(figures.descent)
    assert inside(figures.training) == {r"E_{\mathrm{total}}"}


# --- curves ---------------------------------------------------------------------------------------


def test_curves_are_those_of_the_page() -> None:
    result = made("article")
    found = curves(result.problem, result.modules["python"])
    assert found is not None
    report = result.page.numbers
    (x, error), (moved, after) = found.current, found.updated
    assert x == 0.35 and error == pytest.approx(float(report["E_total"].exact))
    assert found.slope == pytest.approx(float(report["dE_total/dw5"].exact))
    assert moved == pytest.approx(0.35 - 0.5 * found.slope) and after < error
    xs = [point[0] for point in found.slice]
    assert xs == sorted(xs) and xs[0] < moved < x < xs[-1]
    steps = [step for step, _ in found.training]
    assert (steps[0], steps[-1]) == (0, 1000)
    assert found.training[0][1] == pytest.approx(error)
    assert found.training[1][1] < error


def test_a_symbolic_problem_has_no_curves() -> None:
    result = made("digits")
    assert curves(result.problem, result.modules["python"]) is None


def test_a_training_that_divides_by_zero_has_no_curve() -> None:
    text = """
network:
  inputs: 1
  layers: [{dense: 2, activation: softmax}]
  loss: label_smoothing_cross_entropy
parameters: {W1: [[1], [0]], b1: [410, -440]}
data: {inputs: [[1]], targets: [[1, 0]]}
training: {optimizer: adam, order: layer_by_layer}
"""
    problem = derive.build(parse_spec(text, "far.yaml", "far"))
    source = emit(problem, derive.differentiate(problem.graph, problem.wanted), "python")
    assert training_curve(problem, source) == []
