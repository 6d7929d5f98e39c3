"""Claims of a spec: formulas that somebody printed are right, or wrong with a reason."""

from __future__ import annotations

from typing import Any

import pytest

import derive
from derive import InputError
from derive.spec import parse_spec
from derive.verify.claims import claims_route
from derive.verify.report import Route, Status

MODEL = """
inputs: {x: [0.3, 0.7]}
targets: {t: [0.2, 0.6, 0.1]}
parameters: {W: {shape: [3, 2]}, b: {shape: [3]}}
model:
  - z[k] = sum(i, W[k,i]*x[i]) + b[k]
  - y[k] = logistic(z[k])
loss: L = sum(k, (y[k] - t[k])**2)/2
"""
NETWORK = """
network:
  inputs: 2
  layers: [{dense: 2, activation: logistic}, {dense: 2, activation: logistic}]
  loss: half_squared_error
"""
ADAM = NETWORK + "training: {optimizer: adam}\n"
CHOICES = """
parameters: {w: [0.5, -2], c: [0.1, 0.2]}
model:
  - m = max(w[0], w[1])
  - h[i] = where(w[i] > 0, w[i]*c[i], 3*c[i])
loss: E = m**2 + sum(i, h[i])
"""
DELTA = "(out_o1 - target_o1)*out_o1*(1 - out_o1)"

CLAIMS = [
    (MODEL, "dE/dW[k,i] = (y[k] - t[k])*y[k]*(1 - y[k])*x[i]", ""),
    (MODEL, "dL/dW[2,1] = (y[2] - t[2])*y[2]*(1 - y[2])*x[1] = dL/dz[2]*x[1]", ""),
    (MODEL, "dE/dx[i] = sum(k, dE/dz[k]*W[k,i])", ""),
    (MODEL, "dy[k]/dz[k] = y[k]*(1 - y[k])", ""),
    (MODEL, "dE/dz[k] = sum(j, dE/dy[j]*dy[j]/dz[k])", ""),
    (MODEL, "y[k] = 1/(1 + exp(-z[k]))", ""),
    (MODEL, "dE/dW[k,i] = (y[k] - t[k])*x[i]",
     "the factor ∂y[0]/∂z[0] is missing, at i = 0, k = 0"),
    (MODEL, "dE/dz[k] = (t[k] - y[k])*y[k]*(1 - y[k])", "the sign is the other one, at k = 0"),
    (MODEL, "dE/dx[i] = dE/dz[0]*W[0,i] + dE/dz[1]*W[1,i]",
     "the path through z[2] is missing, at i = 0"),
    (MODEL, "dE/dW[1,0] = dE/dz[0]*x[1]",
     "it is right with x[0], ∂L/∂z[1] in place of x[1], ∂L/∂z[0]"),
    (MODEL, "dE/dy[k] = y[k]**2", "the two sides are not the same, at k = 0"),
    (CHOICES, "dE/dw[0] = where(w[0] > w[1], 2*m, 0) + where(w[0] > 0, c[0], 0)", ""),
    (NETWORK, f"dE/dw5 = {DELTA}*out_h1", ""),
    (NETWORK, f"dE/dw8 = {DELTA}*out_h2",
     "it is right with out_o2, target_o2 in place of out_o1, target_o1"),
    (NETWORK, "dE/dw1 = dE/dnet_o1*w5*out_h1*(1 - out_h1)*i1",
     "the path through net_o2 is missing"),
    (ADAM, "dE/dw1 = (dE/dnet_o1*w5 + dE/dnet_o2*w7)*out_h1*(1 - out_h1)*i1", ""),
    (ADAM, "dE/dout_o1 = 2*(out_o1 - target_o1)", "it is 2 times the derivative"),
]  # fmt: skip


def route(spec: str, formula: str, more: str = "") -> Route:
    text = f'{spec}claims: [{{formula: "{formula}"{more}}}]\n'
    found = claims_route(derive.build(parse_spec(text, "spec.yaml", "spec")))
    assert found is not None
    return found


@pytest.mark.parametrize(("spec", "formula", "words"), CLAIMS)
def test_a_claim_is_right_or_it_is_said_what_is_wrong(spec: str, formula: str, words: str) -> None:
    found = route(spec, formula)
    assert found.compared
    assert found.status is (Status.DISAGREES if words else Status.AGREES)
    assert found.detail.endswith(f": {words}" if words else "")


def test_the_place_of_a_claim_is_told() -> None:
    assert "x[i] (line 3): " in route(MODEL, "dE/dW[k,i] = y[k]*x[i]", ", where: line 3").detail


def test_a_known_misprint_is_excused_and_a_right_formula_is_none() -> None:
    excused = route(MODEL, "dE/dy[k] = t[k] - y[k]", ", misprint: the sign")
    assert (excused.status, excused.detail) == (Status.AGREES, "1 known misprints")
    called = route(MODEL, "dE/dy[k] = y[k] - t[k]", ", misprint: the sign")
    assert called.status is Status.DISAGREES
    assert "calls it a misprint" in called.detail


WRONG = [
    ("dE/dV[k] = 1", "there is no 'V'"),
    ("dE/dW[k] = y[k]", "needs"),
    ("y[k]", "formula with '='"),
    ("dE/dy[k] = __import__('os')", "claims.0.formula"),
    ("dE/dy[k] = ", "claims.0.formula"),
]


@pytest.mark.parametrize(("formula", "words"), WRONG)
def test_what_is_no_formula_is_refused_in_words(formula: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        route(MODEL, formula)
    assert "derivative_" not in str(error.value)


def test_claims_are_a_route_of_verify() -> None:
    spec: Any = f'{MODEL}claims: [{{formula: "dE/dy[k] = t[k] - y[k]"}}]\n'
    report = derive.verify(derive.build(parse_spec(spec, "spec.yaml", "spec")))
    assert not report.agree
    assert [r.name for r in report.routes if r.status is Status.DISAGREES] == ["claims"]
