"""h[-1] = h0 is said where every reading before the first step is of that form, else not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derive.backprop import differentiate
from derive.expression import Element
from derive.graph import Graph
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
    "3*h[t-1]": (FIRST,),  # is 3*h[t-1] + 3*δ(t,0)*h0
    "h[t-1]/2 + x[t]": (FIRST,),
    "x[t] - h[t-1]": (FIRST,),
    "h[t-1] + h[t-2]": None,  # of which of the two a summand is the first value, nobody can tell
    "sin(h[t-1] - h[t-2])": None,
    "h[t-1] + 5*(t == 0)": None,  # something else is added where the first value is
}


TWO = """
inputs: {x: [[1, 2], [0.5, -1]]}
parameters: {a: 0.5, b: 0.25}
constants: {c: [1, 2]}
model:
  - D[i,j] = x[i,j] - READING
  - D[-1,j] = c[j]
  - D[i,-1] = 3
  - CORNER
loss: E = D[1,1]**2
"""
BESIDE = {
    ("a*D[i-1,j] + b*D[i,j-1]", ""): ["D_{-1,j} = c_{j}", "D_{i,-1} = 3"],
    ("a*D[i-1,j] + b*D[i-1,j-1]", "D[-1,-1] = 0"): ["D_{-1,j} = c_{j}", "D_{i,-1} = 3"],
    ("tanh(-D[i-1,j-1])", "D[-1,-1] = 7"): ["D_{-1,j} = c_{j}", "D_{i,-1} = 3", "D_{-1,-1} = 7"],
}


@pytest.mark.parametrize(("reading", "corner"), BESIDE)
def test_both_sides_and_the_corner_of_two_indices_are_told(reading: str, corner: str) -> None:
    text = TWO.replace("READING", reading).replace(
        "  - CORNER\n", f"  - {corner}\n" if corner else ""
    )
    whole = told(f"sides {reading}", text)
    assert whole.report().agree
    for edge in BESIDE[reading, corner]:
        assert f"${edge}$" in whole.texts["en"]


@pytest.mark.parametrize("reading", EDGES)
def test_a_first_value_is_told_unless_something_else_reads_zero_there(reading: str) -> None:
    whole = told(f"edge {reading}", MODEL.replace("READING", reading))
    assert edges_of(whole.derivation).get("h") == EDGES[reading]
    assert ("h_{-1}" in whole.texts["en"]) == (EDGES[reading] is not None)


def test_a_graph_that_reads_zero_before_the_first_step_has_no_first_value_there() -> None:
    graph = told("edge 3*h[t]", MODEL.replace("READING", "3*h[t]")).problem.graph
    y = graph.equation("y")
    bare = replace(y, rhs=Element("h", y.indices[0] - 1))
    changed = Graph(graph.given, tuple(bare if e is y else e for e in graph.equations))
    assert "h" not in edges_of(differentiate(changed, ["a"]))
