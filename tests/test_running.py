"""`prod`, `cumsum` and `cumprod`: recurrences of their own, whose derivatives divide by nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from mpmath import mp

from derive import InputError, build
from derive.graph import adjoint_name
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.spec import parse_spec
from derive.verify.algebra import EXACT, working
from derive.verify.interpreter import run

SPEC = "inputs: {{x: {x}}}\nparameters: {{w: [0.5, 2, -1]}}\nmodel:\n{lines}\n"
FACTORS = {
    "ordinary": "[[0.5, 3, 2], [1, -1.5, 0.5]]",
    "one factor 0": "[[0.5, 0, 2], [1, -1.5, 0]]",
    "two factors 0": "[[0, 0, 2], [0, 0, 0]]",
    "large": "[[1e40, 3e40, -2e40], [1, 1e60, 1e-60]]",
}
MODELS = {
    "prod": ["y[n] = prod(i, w[i]*x[n,i])", "E = sum(n, (y[n] - 1)**2)"],
    "prod of all": ["E = prod(n, i, w[i]*x[n,i])"],
    "prod within": ["E = sum(n, tanh(prod(i, 1 + w[i]*x[n,i])*prod(i, w[i]*x[n,i])))"],
    "prod of a prod": ["E = prod(i, 1 + w[i]*prod(n, x[n,i]))"],
    "cumsum": ["y[n,i] = cumsum(i, w[i]*x[n,i])", "E = sum(n, sum(i, y[n,i]**2))"],
    "cumsum within": ["E = sum(n, sum(i, tanh(cumsum(i, w[i]*x[n,i]))*x[n,i]))"],
    "cumprod": ["y[i] = cumprod(i, w[i]*x[0,i])", "E = sum(i, (y[i] - x[1,i])**2)"],
    "cumprod within": ["y[n,i] = 2*cumprod(n, w[i]*x[n,i])", "E = sum(n, sum(i, y[n,i]))"],
}


def problem(lines: Iterable[str], x: str = FACTORS["ordinary"]) -> Problem:
    text = SPEC.format(x=x, lines="\n".join(f"  - {line}" for line in lines))
    return build(parse_spec(text, "my.yaml", "my"))


def given(whole: Problem) -> dict[tuple[str, tuple[int, ...]], Any]:
    """The values of a problem as exact numbers."""
    return {
        (name, place): mp.mpf(number.numerator) / number.denominator
        for name, tensor in whole.values.items()
        for place, number in tensor.items()
    }


def made(name: str, factors: str) -> Made:
    return make(problem(MODELS[name], FACTORS[factors]))


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("name", MODELS)
def test_every_route_agrees(name: str, factors: str) -> None:
    report = made(name, factors).verify()
    assert report.agree, str(report)


@pytest.mark.parametrize("case", FACTORS)
def test_the_slope_of_a_product_is_the_product_of_the_others(case: str) -> None:
    whole = make(problem(["E = prod(n, i, x[n,i])"], FACTORS[case]))
    derivation = whole.derivation
    with working():
        factors = {at: x for (name, at), x in given(whole.problem).items() if name == "x"}
        values = run(derivation.forward, given(whole.problem), EXACT)
        slopes = run(derivation.backward, values, EXACT)
        for at in factors:
            others = mp.fprod(factor for place, factor in factors.items() if place != at)
            found = slopes[adjoint_name("x"), at]
            assert abs(found - others) <= abs(others) * mp.mpf("1e-40")


BY_HAND = {
    "prod(i, x[0,i])": [3, 3, 3],
    "cumsum(i, x[0,i])": [0.5, 3.5, 5.5],
    "cumprod(i, x[0,i])": [0.5, 1.5, 3],
    "x[0,i] - x[0,i]*cumprod(i, x[0,i])": [0.25, -1.5, -4],
}


@pytest.mark.parametrize("call", BY_HAND)
def test_the_values_are_those_by_hand(call: str) -> None:
    whole = problem([f"y[i] = {call}", "z[i] = w[i]"])
    with working():
        values = run(whole.graph, given(whole), EXACT)
        assert [float(values["y", (k,)]) for k in range(3)] == BY_HAND[call]


def test_an_equation_that_is_a_running_sum_is_the_recurrence_itself() -> None:
    graph = problem(MODELS["cumsum"]).graph
    assert [equation.quantity.name for equation in graph.equations] == ["y", "E"]


def test_the_same_product_stands_once() -> None:
    graph = problem(["y[n] = prod(i, x[n,i])", "E = prod(i, w[i])*sum(n, y[n]*prod(i, x[n,i]))"])
    names = [equation.quantity.name for equation in graph.graph.equations]
    assert names == ["y_prod", "y", "E_prod", "E"]


def test_a_recurrence_may_hold_a_running_sum_along_its_own_index() -> None:
    spec = "inputs: {x: [0.5, 0, 2]}\nparameters: {w: 0.6}\nmodel:\n"
    lines = "  - h[t] = tanh(1 + w*cumsum(t, x[t]*h[t-1]))\n  - E = sum(t, h[t])\n"
    assert make(build(parse_spec(spec + lines, "my.yaml", "my"))).verify().agree


WRONG = [
    ("y = prod(w[i])", r"written like prod\(i, x\[i\]\)"),
    ("y = prod(i, i, w[i])", "the same index twice"),
    ("y[n,i] = cumsum(n, i, x[n,i])", "cumsum runs along one index"),
    ("y[n] = cumsum(i, x[n,i])", "'i' is not bound"),
    ("y = product(i, w[i])", "did you mean 'prod'"),
    ("h[n] = prod(i, x[n,i]*h[n-1])", "cannot stand in a recurrence that goes on"),
]


@pytest.mark.parametrize(("line", "words"), WRONG, ids=[line for line, _ in WRONG])
def test_what_cannot_run_is_refused_where_it_stands(line: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        problem([line])
    assert "my.yaml:4" in str(refused.value)
    assert line.split("= ")[1] in str(refused.value)


def test_a_formula_that_was_printed_names_the_quantity() -> None:
    lines = "model: ['E = prod(i, w[i])']\nparameters: {w: [1, 2]}\n"
    good = "claims: [{formula: 'dE/dw[0] = w[1]*E_prod[0]/w[0]'}]\n"
    assert make(build(parse_spec(lines + good, "my.yaml", "my"))).verify().agree
    with pytest.raises(InputError, match="prod is a quantity of the model"):
        build(parse_spec(lines + "claims: [{formula: 'E = prod(i, w[i])'}]\n", "my.yaml", "my"))


def test_a_network_with_one_is_told_as_a_model() -> None:
    text = (
        "network: {inputs: 2, layers: [{dense: 2}], loss: mine}\n"
        "define: {losses: {mine: 'e[n] = prod(o, y[n,o] - t[n,o])'}}\n"
        "parameters: {W1: [[0.5, -1], [2, 0.25]], b1: [0.1, -0.2]}\n"
        "data: {inputs: [1, 2], targets: [0.5, 1]}\n"
    )
    whole = make(build(parse_spec(text, "my.yaml", "my")))
    assert whole.problem.is_model and whole.verify().agree


def test_a_layer_of_the_spec_may_hold_it() -> None:
    text = (
        "inputs: {x: [[0.5, 0, 2], [1, -1.5, 0.5]]}\nparameters: {g_w: [1, 2, 3]}\n"
        "define:\n  layers:\n    gate:\n      inputs: ['x[...,i]']\n      parameters: ['w[i]']\n"
        "      equations: 'y[...] = 1 - prod(i, 1 - w[i]*x[...,i])'\n"
        "model:\n  - {layer: gate, name: g, inputs: x}\n  - E = sum(n, g[n]**2)\n"
    )
    whole = make(build(parse_spec(text, "my.yaml", "my")))
    assert "g_y_prod" in whole.problem.graph.quantities
    assert whole.verify().agree
