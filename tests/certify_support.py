"""Specs to certify, and changes that make a derivation or a page wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest
import sympy

from derive import load
from derive.build import build
from derive.certify import Certificate, certify, check, checker
from derive.certify.run import QUESTION
from derive.expression import Element, Index
from derive.graph import Derivation, Equation, Graph, Local
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.render.blocks import Page
from derive.spec import parse_spec

PROGRAM = checker() or ""
needs_coq = pytest.mark.skipif(not PROGRAM, reason="Coq is not installed")
SECONDS = 300
GRANTED = re.compile(r"\b(?:Admitted|admit|Axiom|Axioms|Parameter|Conjecture)\b")


def check_theorems(found: Certificate) -> None:
    """Have all theorems of a certificate checked. Raises CheckError.

    What they take for granted is that of the libraries, and asking for it takes most of the time:
    the tests of the kernel ask; here it is only seen that nothing says that it takes something.
    """
    assert not GRANTED.search(found.text)
    assert QUESTION.search(found.text)
    check(QUESTION.sub("", found.text), PROGRAM, SECONDS)


SOFTMAX = """\
title: Softmax with cross-entropy
inputs: {x: [0.5, -0.2]}
parameters: {W: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]], b: [0.1, 0.2, 0.3]}
targets: {t: [0, 1, 0]}
model:
  - "z[k] = sum(i, W[k,i]*x[i]) + b[k]"
  - {layer: softmax, name: y, inputs: z, output: y}
loss: [{loss: categorical_cross_entropy, inputs: [y, t], name: E}]
"""
RNN = """\
title: A recurrent network of two steps
inputs: {x: [[0.6, -0.2], [0.3, 0.8]]}
parameters: {y_W: [[-0.5, 0.7], [-0.2, 0.8]], y_U: [[0.6, -0.5], [0.3, 0.2]], y_b: [0.1, 0.9]}
model: [{layer: rnn, name: y, inputs: x, output: y}]
loss: "E = sum(t, k, y[t,k]**2)/2"
"""
LAYER_NORM = """\
title: Layer norm
inputs: {x: [[-0.7, 0.2, -0.6]]}
parameters: {y_gamma: [0.9, 0.4, 0.7], y_beta: [0.8, -0.1, 0.1]}
model: [{layer: layer_norm, name: y, inputs: x, output: y}]
upstream: {y: [[0.5, 0.1, -0.8]]}
"""
CONV1D = """\
title: A convolution
inputs: {x: [[-0.7, 0.9, -0.3, 0.5], [-0.2, 0.8, 0.7, 0.4]]}
parameters: {y_K: [[[-0.9, -0.2], [0.6, -0.5]], [[0.5, 0.9], [-0.1, 0.4]]], y_b: [0.9, -0.6]}
model: [{layer: conv1d, name: y, inputs: x, output: y}]
loss: "E = sum(c, p, y[c,p]**2)/2"
"""
ATTENTION = """\
title: Attention over three tokens
inputs:
  Q: [[-0.2, -0.9], [0.6, 0.4], [0.3, 0.1]]
  K: [[-0.8, -0.3], [-0.7, 0.9], [-0.5, -0.4]]
  V: [[-0.9, -0.6], [0.3, 0.8], [0.6, 0.1]]
model: [{layer: attention, name: y, inputs: [Q, K, V], output: y}]
upstream: {y: [[0.1, -0.8], [0.8, -0.7], [0.2, 0.5]]}
"""
KINKED = """\
title: Rectified
inputs: {x: [0.5, -0.2]}
parameters: {w: [0.3, 0.4]}
model: ["a = relu(sum(i, w[i]*x[i]))", "s = sqrt(a + w[0])"]
loss: "E = s**2/2 + abs(a - 1)"
"""
OWN = {
    "softmax": SOFTMAX,
    "rnn": RNN,
    "layer_norm": LAYER_NORM,
    "conv1d": CONV1D,
    "attention": ATTENTION,
    "kinked": KINKED,
}
BUILTIN = ("article", "biases", "tanh", "deep", "neuron")
ALL = (*BUILTIN, *OWN)


@cache
def made(name: str) -> Made:
    """What is made of a spec, built in or of those above."""
    if name in OWN:
        return make(build(parse_spec(OWN[name], f"{name}.yaml", name)))
    return make(load(name))


def told(name: str) -> tuple[Problem, Page]:
    """The problem of a page as it was told, and the page."""
    return made(name)._written


def certificate(name: str, derivation: Derivation, numbers: bool = False) -> Certificate:
    """The certificate of a derivation that was changed; without numbers if not asked for."""
    problem, page = told(name)
    return certify(problem, derivation, page if numbers else replace(page, numbers={}))


# --- faults ---------------------------------------------------------------------------------


def negated(expr: sympy.Expr) -> sympy.Expr:
    """The wrong sign."""
    return -expr


def doubled(expr: sympy.Expr) -> sympy.Expr:
    """A factor too much."""
    return 2 * expr


def shifted(expr: sympy.Expr) -> sympy.Expr:
    """The wrong index: the first letter that something is read at is the place before it."""
    if any(power.exp.could_extract_minus_sign() for power in expr.atoms(sympy.Pow)):
        return expr  # outside the range it would divide by zero
    for node in sympy.preorder_traversal(expr):
        if isinstance(node, Element) and any(isinstance(i, Index) for i in node.indices):
            places = list(node.indices)
            k = next(k for k, i in enumerate(places) if isinstance(i, Index))
            places[k] = places[k] - 1
            return expr.xreplace({node: Element(node.name, *places)})
    return expr


def dropped(expr: sympy.Expr) -> sympy.Expr:
    """A factor, or a term, too few."""
    parts = [a for a in expr.args if a.atoms(Element)]
    if isinstance(expr, sympy.Mul | sympy.Add) and len(parts) > 1:
        return expr.func(*[a for a in expr.args if a != parts[0]])
    return expr


CHANGES: dict[str, Callable[[sympy.Expr], sympy.Expr]] = {
    "sign": negated,
    "factor": doubled,
    "index": shifted,
    "left out": dropped,
}


def with_adjoint(derivation: Derivation, name: str, rhs: sympy.Expr) -> Derivation:
    """A derivation with another right side for one adjoint."""
    equations = tuple(
        Equation(e.quantity, e.indices, rhs) if e.quantity.name == name else e
        for e in derivation.backward.equations
    )
    return replace(derivation, backward=Graph(derivation.backward.given, equations))


def with_local(derivation: Derivation, local: Local, value: sympy.Expr) -> Derivation:
    """A derivation with another value of one local derivative."""
    locals_ = tuple(replace(x, value=value) if x is local else x for x in derivation.locals)
    return replace(derivation, locals=locals_)


def wrong_adjoints(name: str) -> Iterator[tuple[str, str, Derivation]]:
    """Each adjoint with each change that changes it: the kind, the adjoint, the derivation."""
    derivation = made(name).derivation
    for equation in derivation.backward.equations:
        for kind, change in CHANGES.items():
            rhs = change(equation.rhs)
            if rhs != equation.rhs and rhs != 0:
                own = equation.quantity.name
                yield kind, own, with_adjoint(derivation, own, rhs)


def wrong_locals(name: str) -> Iterator[tuple[str, str, Derivation]]:
    """Each local derivative with the wrong sign or factor: the kind, whose, the derivation."""
    derivation = made(name).derivation
    for local in derivation.locals:
        for kind in ("sign", "factor"):
            yield kind, local.of, with_local(derivation, local, CHANGES[kind](local.value))


def wrong_digits(name: str) -> Iterator[tuple[str, Page]]:
    """Each printed number with its last digit one off: its name, and the page."""
    problem, page = told(name)
    given = {q.name for q in problem.graph.given}
    for report, entry in page.numbers.items():
        if entry.text is not None and entry.formula is not None and report not in given:
            number = Decimal(entry.text)
            digits = problem.numbers.significant_digits or 4
            unit = Decimal(1).scaleb(number.adjusted() - digits + 1)
            text = f"{number + 2 * unit:f}"
            wrong = replace(entry, text=text, page=Fraction(text))
            yield report, replace(page, numbers={**page.numbers, report: wrong})
