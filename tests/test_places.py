"""Whole-number division in positions: what it is worth, how it is turned round, who reads it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import sympy

from derive.backprop import differentiate
from derive.emit import TARGETS
from derive.emit.operations import costs
from derive.emit.program import lower
from derive.errors import InputError
from derive.expression import Axis, Element, Index
from derive.graph import GraphError
from derive.pipeline import make
from derive.places import Quotient, Remainder, linear_range
from derive.text import text
from derive.verify.report import Status
from tests.emit_support import made, source_of

SIZES = {"i": 5, "j": 2, "q": 3}
I, J, Q = (Index(name, Axis(name, sympy.Integer(size))) for name, size in SIZES.items())
POSITIONS = (I, I - 1, 3 - I, 6 * Q + 2 * I + J, 4 * Q + 2 * J - 3, 3 * I + 2, I * Q - J)

GROUPED = """
inputs: {x: {shape: [2, 3], values: 0.3}, q: {shape: [4, 3], values: 0.2}}
parameters: {W: {shape: [2, 3], values: 0.1}}
model:
  - k[g,d] = tanh(W[g,d]*x[g,d])
  - y[h] = sum(d, q[h,d]*k[h//2,d])*(h%2 + 1)*exp(-(h//2))
loss: E = sum(h, y[h]**2)
"""
SHUFFLED = """
inputs: {x: {shape: [4, 2, 2], values: 0.3}, t: {shape: [4, 4], values: 0.2}}
parameters: {w: [0.1, 0.2, 0.3, 0.4]}
sizes: {c: 1}
model:
  - z[k,a,b] = tanh(w[k]*x[k,a,b])
  - y[c,i,j] = z[4*c + 2*(i%2) + j%2, i//2, j//2]*t[i,j]
loss: E = sum(c, i, j, y[c,i,j]**2)
"""

TREE = """
inputs: {x: [1, 0.5, 0.2, -1, 0.3]}
constants: {parent: [0, 0, 0, 1, 2]}
integers: [parent]
sizes: {s: 4}
parameters: {w: 0.4, u: -0.3}
model: ['h[i] = tanh(w*x[i] + u*sum(s, (parent[i] == i-1-s)*h[i-1-s]))']
loss: E = sum(i, h[i]**2)
"""


@pytest.mark.parametrize("divisor", [1, 2, 3, 4, 6])
def test_what_is_taken_out_of_a_division_leaves_its_value(divisor: int) -> None:
    for position in POSITIONS:
        often, left = Quotient(position, divisor), Remainder(position, divisor)
        nested = (
            Remainder(Quotient(position, divisor), 2),
            Quotient(Remainder(position, 4), divisor),
        )
        for i, j, q in product(range(5), range(2), range(3)):
            at = {I: sympy.Integer(i), J: sympy.Integer(j), Q: sympy.Integer(q)}
            number = int(position.xreplace(at))
            assert (often.xreplace(at), left.xreplace(at)) == divmod(number, divisor)
            assert nested[0].xreplace(at) == number // divisor % 2
            assert nested[1].xreplace(at) == number % 4 // divisor
            for expr in (often, left):
                ends = linear_range(expr)
                assert ends is None or ends[0] <= expr.xreplace(at) <= ends[1]


@pytest.mark.parametrize("text", [GROUPED, SHUFFLED])
def test_a_read_at_a_division_costs_no_search_on_the_way_back(text: str) -> None:
    problem = made(text)
    found = costs(lower(problem, differentiate(problem.graph, problem.wanted), sympy.Integer(1)))
    assert found.gradients.all <= 3 * found.forward.all


def test_a_place_that_does_not_tell_its_letters_is_refused() -> None:
    text = "parameters: {w: [1, 2, 3]}\nsizes: {i: 4}\nmodel: ['y[i] = w[3*i//4]']\n"
    problem = made(text + "loss: E = sum(i, y[i]**2)\n")
    with pytest.raises(GraphError, match=r"by 'w' cannot be told: from a place of w\[3\*i//4\]"):
        differentiate(problem.graph, problem.wanted)


def test_a_minus_and_a_factor_stand_before_brackets() -> None:
    x = Element("x", I)
    assert text(-Quotient(I, 2)) == "-(i // 2)"
    assert text(-x * Remainder(I, 2)) == "-x[i]*(i % 2)"
    assert text(Element("x", 3 - 3 * Quotient(2 * I, 3))) == "x[3-3*((2*i)//3)]"


def test_values_with_a_shape_may_be_one_list() -> None:
    flat = GROUPED.replace(
        "[4, 3], values: 0.2", "[4, 3], values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]"
    )
    assert made(flat).values["q"][1, 2] == 6


def test_arrays_take_the_rows_of_a_divided_letter() -> None:
    source = source_of(made(GROUPED), "numpy")
    assert ".take(np.arange(4) // 2, axis=0)" in source
    assert "ogrid" not in source


def test_a_parent_that_is_read_is_told_how_to_be_written() -> None:
    words = r"if it is always an earlier one, write sum\(s, \(parent\[i\] == i-1-s\)\*h\[i-1-s\]\)"
    with pytest.raises(InputError, match=words):
        made(TREE.replace("sum(s, (parent[i] == i-1-s)*h[i-1-s])", "h[parent[i]]"))


@pytest.mark.slow
@pytest.mark.parametrize("text", [GROUPED, SHUFFLED, TREE])
def test_all_targets_and_both_pages_read_divisions(text: str) -> None:
    targets = [name for name in ("python", "numpy", "c", "jax") if not TARGETS[name].missing()]
    report = replace(make(made(text)), targets=tuple(targets)).verify()
    assert report.agree
    status = {route.name: route.status for route in report.routes}
    assert all(status[f"module {name}"] is Status.AGREES for name in targets)
    assert status["page en"] is status["page ko"] is Status.AGREES
