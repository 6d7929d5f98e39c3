"""A library judges a graph by tensors as it does entry by entry."""

from __future__ import annotations

import math

import pytest

from derive import build
from derive.backprop import differentiate
from derive.spec import parse_spec
from derive.verify.bench import Bench
from derive.verify.libraries import (
    Gradient,
    jax_scalars,
    jax_tensors,
    torch_scalars,
    torch_tensors,
)
from derive.verify.of_model import model_bench
from derive.verify.routes import gradient_keys
from derive.verify.tensors import Unsupported
from tests.emit.test_emit_models import ALL

RECURRENT = {"two steps back", "backward in time"}
WAYS = {"torch": (torch_tensors, torch_scalars), "jax": (jax_tensors, jax_scalars)}
FEW = ("gathers", "largest of a square", "part of an axis", "positions as numbers")


def check(text: str, fast: Gradient, slow: Gradient) -> None:
    problem = build(parse_spec(text, "model.yaml", "model"))
    derivation = differentiate(problem.graph, problem.wanted)
    bench, keys = model_bench(problem, derivation, 1), gradient_keys(derivation)
    found = fast(bench.graph, bench.given, keys)
    expected = slow(bench.graph, bench.given, keys)
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("name", [n for n in ALL if n != "masked softmax of large scores"])
def test_tensors_of_torch_are_its_scalars(name: str) -> None:
    pytest.importorskip("torch")
    try:
        check(ALL[name], *WAYS["torch"])
    except Unsupported:
        assert any(word in ALL[name] for word in ("t-1", "t+1", "layer:"))


@pytest.mark.parametrize("name", FEW)
def test_tensors_of_jax_are_its_scalars(name: str) -> None:
    pytest.importorskip("jax")
    check(ALL[name], *WAYS["jax"])


def large_softmax(shift: int) -> str:
    """A softmax by hand whose sum of exponentials is about e to the shift."""
    return f"""
parameters: {{z: [{shift}.25, {shift}.5, {shift}.125]}}
model:
  - p[k] = exp(z[k])/sum(j, exp(z[j]))
loss: E = sum(k, k*p[k])
"""


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("way", [0, 1])
def test_where_a_slope_would_be_lost_there_is_none(name: str, way: int) -> None:
    """The slope of a quotient divides by a square: 10^300 is a double, 10^450 is none."""
    pytest.importorskip(name)
    for shift, lost in ((300, False), (520, True)):
        problem = build(parse_spec(large_softmax(shift), "model.yaml", "model"))
        derivation = differentiate(problem.graph, problem.wanted)
        given = {("z", place): float(value) for place, value in problem.values["z"].items()}
        bench, keys = Bench(derivation, given), gradient_keys(derivation)
        found = WAYS[name][way](bench.graph, bench.given, keys)
        assert any(map(math.isnan, found.values())) == lost
        if not lost:
            assert found == pytest.approx({k: float(bench.adjoint(k)) for k in keys})


@pytest.mark.parametrize("name", sorted(RECURRENT))
def test_a_recurrence_goes_entry_by_entry(name: str) -> None:
    pytest.importorskip("torch")
    with pytest.raises(Unsupported):
        check(ALL[name], *WAYS["torch"])


@pytest.mark.parametrize("name", WAYS)
def test_what_is_small_is_not_lost_by_a_library(name: str) -> None:
    pytest.importorskip(name)
    text = "inputs: {x: 0.4}\nparameters: {w: [-0.75, 0], b: -580}\n"
    text += (
        "model: [s = softplus(b) + logistic(b), 'm = max(w[0]*s, w[1]*x)']\nloss: E = (m - 2)**2\n"
    )
    check_truth(text, *WAYS[name])


def check_truth(text: str, *ways: Gradient) -> None:
    problem = build(parse_spec(text, "model.yaml", "model"))
    derivation = differentiate(problem.graph, problem.wanted)
    bench, keys = model_bench(problem, derivation, 1), gradient_keys(derivation)
    expected = {key: float(bench.adjoint(key)) for key in keys}
    for way in ways:
        assert way(bench.graph, bench.given, keys) == pytest.approx(expected, rel=1e-10, abs=0)
