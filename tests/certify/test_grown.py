"""Equations with rules of their own: the largest of several, whole numbers, `grad`, rounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest
import sympy

from derive.build import build
from derive.certify import CheckError, certify, check
from derive.certify.certificate import AT_THE_EDGE, OF_MODEL, Certificate
from derive.expression import Chosen
from derive.graph import Derivation, Equation, Graph
from derive.pipeline import Made, make
from derive.render.carried import with_digits
from derive.spec import parse_spec
from tests.certify_support import PROGRAM, SECONDS, check_theorems, needs_coq, negated, with_adjoint
from tests.coq_text import stray
from tests.sampled import sampled

LARGEST = """\
title: The largest of three, two of which are equal
inputs: {{x: [0.5, 0.2, {third}]}}
parameters: {{w: 0.3}}
model: ["y = max(i, tanh(w*x[i]))"]
loss: "E = y**2/2"
training: {{learning_rate: 0.1, steps: 3}}
"""
WHOLE = """\
title: Rows of a table
integers: [token]
inputs: {token: [2, 0]}
parameters: {T: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]}
model: ["y[n,k] = tanh(T[token[n],k])"]
loss: "E = sum(n, k, y[n,k]**2)/2"
"""
WITHIN = """\
title: A slope within a model, and its slope
inputs: {x: [0.5, -0.2]}
parameters: {w: 0.4, v: 0.7}
model:
  - "h[n] = tanh(w*x[n])"
  - "u[n] = v*h[n]**2"
  - "g[n] = grad(u[n], x[n])"
  - "c[n] = grad(g[n], x[n])"
loss: "E = sum(n, (g[n] + c[n])**2)"
"""
SAMPLES = """\
title: Two samples in turn
inputs: {x: 0.5}
targets: {t: 0.2}
samples: [{x: 0.5, t: 0.2}, {x: -0.4, t: 0.1}]
parameters: {w: 0.4}
model: ["y = tanh(w*x)"]
loss: "E = (y - t)**2/2"
training: {learning_rate: 0.1, steps: 3, optimizer: adam}
"""
OWN = {
    "largest": LARGEST.format(third="0.2"),
    "tie": LARGEST.format(third="0.5"),
    "whole": WHOLE,
    "within": WITHIN,
    "samples": SAMPLES,
}


@cache
def grown(name: str) -> Made:
    """What is made of a spec of these."""
    return make(build(parse_spec(OWN[name], f"{name}.yaml", name)))


def abouts(found: Certificate) -> set[str]:
    return {theorem.about for theorem in (*found.derivatives, *found.prints)}


@pytest.mark.parametrize("name", ["largest", "whole", "within", "samples"])
def test_nothing_is_without_a_theorem(name: str) -> None:
    found = grown(name).certificate
    assert not found.without
    assert not stray(found.text)


def test_of_equal_ones_the_largest_has_no_derivative() -> None:
    whys = [why for _, why in grown("tie").certificate.without]
    assert whys == [AT_THE_EDGE]


def test_a_slope_of_a_model_is_proven_to_be_one() -> None:
    known = abouts(grown("within").certificate)
    assert {"g[0] is the derivative of u[0] by x[0]", "c[1] is the derivative of g[1] by x[1]"} <= (
        known
    )


def test_where_sums_stay_sums_a_slope_is_said_to_be_taken_as_it_is() -> None:
    text = "inputs: {x: {shape: [200]}}\nparameters: {w: {shape: []}}\n"
    text += "model: ['y[n] = tanh(w*x[n])', 'g[n] = grad(y[n], x[n])']\nloss: E = sum(n, g[n]**2)\n"
    found = make(build(parse_spec(text, "s.yaml", "s"))).certificate
    assert found.without == (("g, the derivative of y by x", OF_MODEL),)
    assert "No theorem: g, the derivative of y by x" in found.text


def test_the_whole_numbers_of_the_spec_are_said_and_must_be_there() -> None:
    assert "A whole number, as the spec has it: token[0] = 2" in grown("whole").certificate.text


def test_every_number_of_every_round_has_a_theorem() -> None:
    known = abouts(grown("largest").certificate)
    assert {f"the printed {each}" for each in ("E@2", "w@2", "E@3", "w@3")} <= known


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(["largest", "whole", "within", "samples"], 4))
def test_they_are_checked(name: str) -> None:
    check_theorems(grown(name).certificate)


# --- faults ---------------------------------------------------------------------------------


def with_forward(derivation: Derivation, name: str, rhs: sympy.Expr) -> Derivation:
    """A derivation with another right side for one equation of the model."""
    equations = tuple(
        Equation(e.quantity, e.indices, rhs) if e.quantity.name == name else e
        for e in derivation.forward.equations
    )
    return replace(derivation, forward=Graph(derivation.forward.given, equations))


def wrong() -> Iterator[tuple[str, str, str]]:
    """Which spec, what is wrong, and what the theorem is about that must be refused."""
    yield "within", "g", "g[0] from those of the readers of x[0]"
    yield "largest", "place", "the derivatives of y by what it reads"
    yield "largest", "w@3", "the printed w@3"
    yield "largest", "E@2", "the printed E@2"
    yield "whole", "adj_T", "dE/dT[0,0] from those of its readers"
    yield "within", "c", "c[0] from those of the readers of x[0]"


def another_place(expr: sympy.Expr) -> sympy.Expr:
    """The largest taken at the place after the one at which it is."""
    change = {c: Chosen(c.largest, *(p + 1 for p in c.positions)) for c in expr.atoms(Chosen)}
    return expr.xreplace(change)


def faulty(name: str, what: str) -> Certificate:
    """The certificate of a spec with one fault."""
    made = grown(name)
    problem, page = made._written
    derivation, found = made.derivation, replace(page, numbers={})
    if "@" in what:
        entry = page.numbers[what]
        number = Decimal(entry.text or "")
        text = f"{number + Decimal(2).scaleb(number.adjusted() - 3):f}"
        numbers = {**page.numbers, what: replace(entry, text=text, page=Fraction(text))}
        found = replace(page, numbers=numbers)
    elif what == "place":
        locals_ = tuple(replace(x, value=another_place(x.value)) for x in derivation.locals)
        derivation = replace(derivation, locals=locals_)
    elif what.startswith("adj_"):
        rhs = next(e.rhs for e in derivation.backward.equations if e.quantity.name == what)
        derivation = with_adjoint(derivation, what, negated(rhs))
    else:
        rhs = next(e.rhs for e in derivation.forward.equations if e.quantity.name == what)
        derivation = with_forward(derivation, what, 2 * rhs)
    return with_digits(problem, lambda told: certify(told, derivation, found))


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "what", "about"), sampled(wrong(), 6))
def test_a_fault_is_refused_where_it_is(name: str, what: str, about: str) -> None:
    found = faulty(name, what)
    with pytest.raises(CheckError) as refusal:
        check(found.text, PROGRAM, SECONDS)
    assert found.about(refusal.value.theorem) == about
