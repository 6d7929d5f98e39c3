"""Layers that differ in names only share a derivation; those that differ otherwise do not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from mpmath import mp, mpf

from derive.backprop import differentiate
from derive.expression import elements
from derive.graph import adjoint_name
from derive.verify.interpreter import run
from tests.core_support import (
    DIGITS,
    TOLERANCE,
    Case,
    Oracle,
    draw,
    worst_gradient,
    worst_step,
)

PAIRS = {
    "equal": "a[i] = tanh(u[i]*x[i]); b[i] = tanh(v[i]*y[i]); E = sum(i, a[i]*b[i])",
    "of other formulas": "a[i] = tanh(u[i]*x[i]); b[i] = sin(v[i]*y[i]); E = sum(i, a[i]*b[i])",
    "of other constants": "a[i] = (2*u[i]+x[i])**2; b[i] = (3*v[i]+y[i])**2; E = sum(i, a[i]*b[i])",
    "read once and twice": "a[i] = u[i]*x[i]; b[i] = v[i]*y[i]; E = sum(i, a[i]**2 + b[i]*a[i])",
    "one after the other": "a[i] = tanh(u[i]*x[i]); b[i] = tanh(v[i]*a[i]); E = sum(i, y[i]*b[i])",
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_layers_have_right_gradients_and_steps_of_their_own(name: str) -> None:
    given = "u[i] parameter; v[i] parameter; x[i] input; y[i] input"
    graph = Case(PAIRS[name], given, "i=2").graph()
    derivation = differentiate(graph)
    drawn = draw(graph)
    with mp.workdps(DIGITS):
        values = run(derivation.backward, run(graph, drawn))
    assert worst_gradient(derivation, drawn, values) < TOLERANCE
    assert worst_step(derivation, values) < TOLERANCE
    for step in derivation.steps:
        if step.quantity == "v":
            read = {e.name for side in (step.before, step.after) for e in elements(side)}
            assert not read & {"u", "adj_u", "adj_a"}, step


ZERO = {(name, (k,)): mpf(0) for name in "zy" for k in range(3)}
EXPECTED = {  # by target, at p = 1/3: p - t if it is a distribution, p*sum(t) - t if it is not
    True: ((1, 0, 0), ("-2/3", "1/3", "1/3")),
    False: ((1, 2, 3), ("1", "0", "-1")),
}


@pytest.mark.parametrize("distribution", ["t", "s"])
def test_targets_of_another_nature_are_not_taken_for_a_distribution(distribution: str) -> None:
    """Two softmax cross-entropies of one shape, of which only one has targets that sum to 1."""
    graph = Case(
        """p[i] = softmax(i, z[i]); q[i] = softmax(i, y[i])
        a = -sum(i, t[i]*log(p[i])); b = -sum(i, s[i]*log(q[i])); E = a + b""",
        "z[i] parameter; y[i] parameter; t[i] target; s[i] target",
        "i=3",
        distributions=(distribution,),
    ).graph()
    targets = {name: EXPECTED[name == distribution][0] for name in "ts"}
    given = ZERO | {(n, (k,)): mpf(v) for n, row in targets.items() for k, v in enumerate(row)}
    values = Oracle(differentiate(graph).backward).run(Oracle(graph).run(given))
    for net, target in ("zt", "ys"):
        for k, value in enumerate(EXPECTED[target == distribution][1]):
            assert abs(values[adjoint_name(net), (k,)] - float(Fraction(value))) < mpf("1e-15")
