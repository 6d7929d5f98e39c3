"""Stable forms: equal to the original everywhere, finite at the extremes."""

from __future__ import annotations

import math

import pytest
import sympy
from emit_reference import evaluator, sample, spec, tables

from derive.backprop import differentiate
from derive.emit import USUAL, emit, execute, load
from derive.emit.program import stable_form
from derive.emit.stable import stable
from derive.expression import Axis, Element, Index, LogTotalExp, Total
from tests.core_support import derived

AXIS = Axis("units", sympy.Integer(3))
H, K = Index("h", AXIS), Index("k", AXIS)


def test_a_quotient_becomes_a_difference_of_logarithms() -> None:
    u_h, u_k = Element("u", H), Element("u", K)
    share = sympy.exp(u_h) / Total(sympy.exp(u_k), K)
    assert stable(share) == sympy.exp(u_h - LogTotalExp(u_k, K))


@pytest.mark.parametrize("loss", ["categorical_cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("activation", ["logistic", "softmax"])
def test_the_stable_graph_agrees_with_the_original(activation: str, loss: str) -> None:
    problem = spec((activation, activation), loss, batch=2, units=3)
    given = sample(problem)
    before = evaluator(problem.graph)(given)
    steady = stable_form(problem, differentiate(problem.graph))
    after = evaluator(steady.forward)(given)
    for place, value in before.items():
        assert math.isclose(after[place], value, rel_tol=1e-12), place


FINITE = [
    ("softmax", "categorical_cross_entropy"),
    ("logistic", "categorical_cross_entropy"),
    ("logistic", "binary_cross_entropy"),
    ("softmax", "binary_cross_entropy"),
    *[
        (activation, "half_squared_error")
        for activation in (
            "softmax",
            "logistic",
            "tanh",
            "f(x) = log(1 + exp(x))",
            "f(x) = x*tanh(log(1+exp(x)))",
            "f(x) = where(x > 0, x, exp(x) - 1)",
            "f(x) = where(x < 0, 0, log(1 + x))",
            "f(x) = x/(1 + exp(-x))",
        )
    ],
]


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(("activation", "loss"), FINITE)
def test_extremes_are_finite(activation: str, loss: str, batch: int, target: str) -> None:
    """Net inputs of ±1000 with hard targets; warnings are errors."""
    problem = spec((activation,), loss, "none", batch, units=3, inputs=1)
    module = load(problem, emit(problem, derived(problem.graph), target), target)
    for hit in range(3):
        values = tables(sample(problem))
        values["W1"] = {(0, 0): 1000.0, (1, 0): 0.0, (2, 0): -1000.0}
        for n in range(batch):
            values["x"][n, 0] = 1.0
            values["t"] |= {(n, o): float(o == hit) for o in range(3)}
        found = module.run(values)
        for numbers in (found.forward, found.gradients, found.updated):
            assert all(map(math.isfinite, numbers.values()))


def test_a_wrong_and_certain_class_costs_its_margin() -> None:
    problem = spec(("softmax",), "categorical_cross_entropy", "none", units=3, inputs=1)
    values = {
        "W1": {(0, 0): 1000.0, (1, 0): 0.0, (2, 0): -1000.0},
        "x": {(0, 0): 1.0},
        "t": {(0, 0): 0.0, (0, 1): 0.0, (0, 2): 1.0},
    }
    for target in USUAL:
        found = execute(
            problem, emit(problem, differentiate(problem.graph), target), target, values
        )
        assert found.loss == 2000
        assert [found.gradients["W1", (k, 0)] for k in range(3)] == [1, 0, -1]
        assert [found.forward["out1", (0, k)] for k in range(3)] == [1, 0, 0]


def test_helpers_at_the_extremes() -> None:
    text = "f(x) = logistic(x) + log(1 + exp(x))"
    problem = spec((text,), "half_squared_error", "none", units=1, inputs=1)
    for target in USUAL:
        source = emit(problem, differentiate(problem.graph), target)
        for net, logistic_, softplus_ in ((1000.0, 1, 1000), (-1000.0, 0, 0)):
            values = {"W1": {(0, 0): net}, "x": {(0, 0): 1.0}, "t": {(0, 0): 0.0}}
            found = execute(problem, source, target, values)
            assert found.forward["out1", (0, 0)] == logistic_ + softplus_
