"""h[-1] = h0 is said where every reading before the first step is of that form, else not."""

from __future__ import annotations

import pytest

from derive.expression import Element
from derive.render.edges import Edge, edges_of
from tests.render.model_support import told

MODEL = """
inputs: {x: [1, 2, 3]}
parameters: {a: 0.5}
constants: {h0: 2}
model:
  - h[t] = x[t] + a*h[t-1]
  - h[-1] = h0
  - y[t] = READING
loss: E = sum(t, h[t]**2 + y[t])
"""
FIRST = Edge(Element("h", -1), Element("h0"))
EDGES = {
    "3*h[t]": (FIRST,),
    "3*h[t+1]": (FIRST,),
    "h[t-1]*x[t]": (FIRST,),
    "h[t-2]*x[t]": (FIRST,),
    "3*h[t-1]": None,  # is 3*h[t-1] + 3*δ(t,0)*h0: with h[-1] = h0 the first value counted twice
    "h[t-1]/2 + x[t]": None,
}


@pytest.mark.parametrize("reading", EDGES)
def test_a_first_value_is_told_unless_something_else_reads_zero_there(reading: str) -> None:
    whole = told(f"edge {reading}", MODEL.replace("READING", reading))
    assert edges_of(whole.derivation).get("h") == EDGES[reading]
    assert ("h_{-1}" in whole.texts["en"]) == (EDGES[reading] is not None)
