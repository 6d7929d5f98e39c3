"""How factors are written: in which order, and with what between them."""

from __future__ import annotations

import pytest

from tests.render.model_support import told

MODEL = """
inputs: {{x: [[1, 0.5], [0.25, -0.5]]}}
parameters: {{W: [[0.5, -1], [0.25, 1]], b: 2}}
model: ["z[n,h] = {0} + b"]
loss: E = sum(n, h, z[n,h]**2)/2
"""
ORDERS = {
    "sum(i, x[n,i]*W[i,h])": r"\sum_{i} x_{n,i}\,W_{i,h} + b",
    "sum(i, W[i,h]*x[n,i])": r"\sum_{i} x_{n,i}\,W_{i,h} + b",
    "sum(i, W[h,i]*x[n,i])": r"\sum_{i} W_{h,i}\,x_{n,i} + b",
    "sum(i, x[n,i]*W[h,i])": r"\sum_{i} W_{h,i}\,x_{n,i} + b",
}


@pytest.mark.parametrize("formula", ORDERS)
def test_the_order_of_weights_and_data(formula: str) -> None:
    page = told(f"order {formula}", MODEL.format(formula)).page
    (found,) = (d for d in page.displays() if d.label == "eq:z")
    assert found.rows == (ORDERS[formula],)


CALLED = {
    "sigma*(1 + x[n])": r"\sigma\cdot (1 + x_{n})",
    "exp_*where(x[n] > 0, x[n], 0)": r"\mathrm{exp}\cdot [x_{n} > 0]\,x_{n}",
    "H*sigma*(1 + x[n])": r"\sigma\,H\cdot (1 + x_{n})",
    "b*(1 + x[n])": r"b\,(1 + x_{n})",
    "exp_*sum(k, x[k])*x[n]": r"\mathrm{exp}\,x_{n}\,\sum_{k} x_{k}",
    "x[n]*(1 + sigma)": r"x_{n}\,(1 + \sigma)",
}


@pytest.mark.parametrize("formula", CALLED)
def test_a_name_before_a_bracket_is_no_function(formula: str) -> None:
    text = (
        "inputs: {x: [1, 0.5]}\nparameters: {sigma: 2, exp_: 0.5, H: 3, b: -1}\n"
        f'model: ["y[n] = {formula}", "z = sum(n, y[n])*b + exp_ + H + sigma"]\nloss: E = z**2\n'
    )
    (found,) = (d for d in told(formula, text).page.displays() if d.label == "eq:y")
    assert found.rows == (CALLED[formula],)
