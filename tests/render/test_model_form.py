"""The order of factors: W x where a model multiplies columns, x W where it multiplies rows."""

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
