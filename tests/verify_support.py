"""Problems that the tests of the verifier share, and what it says about a changed part of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import sympy

import derive
from derive import Made, Problem
from derive.graph import Derivation, Graph, adjoint_name
from derive.spec import parse_spec
from derive.verify import Report, Status, verify
from tests import render_support

SOFT = """
network:
  inputs: 2
  layers:
    - {dense: 3, activation: tanh}
    - {dense: 2, activation: softmax}
  loss: categorical_cross_entropy
parameters:
  W1: [[0.5, -0.3], [0.2, 0.8], [-0.6, 0.4]]
  b1: [0.1, 0.2, -0.1]
  W2: [[0.6, -0.4, 0.2], [-0.5, 0.3, 0.7]]
  b2: [0.1, -0.1]
data:
  inputs: [0.5, 0.8]
  targets: [1, 0]
training: {learning_rate: 0.3, steps: 5}
"""
NEURON = """
title: A neuron
network:
  inputs: [x1, x2]
  layers:
    - {dense: [y1], activation: logistic}
  loss: binary_cross_entropy
parameters:
  W1: [[0.7, -0.4]]
  b1: [0.2]
data:
  inputs: [1.5, 2]
  targets: [1]
training: {learning_rate: 0.5, steps: 20}
languages: [en]
"""


def problem(text: str, name: str = "problem") -> Problem:
    """The problem that the text of a spec describes."""
    return derive.build(parse_spec(text, f"{name}.yaml", name))


@cache
def made(name: str) -> Made:
    """A built-in problem or one of the texts above, made once for all tests of a process."""
    texts = {"soft": SOFT, "neuron, short": NEURON}
    return derive.make(problem(texts[name], name)) if name in texts else render_support.made(name)


def disagreeing(report: Report) -> set[str]:
    """The names of the routes that disagree."""
    return {route.name for route in report.routes if route.status is Status.DISAGREES}


def of_derivation(whole: Made, derivation: Derivation) -> Report:
    """The report on a changed derivation, without its pages and modules."""
    return verify(whole.problem, derivation, whole.page, {}, {})


def with_adjoint(
    derivation: Derivation, name: str, change: Callable[[sympy.Expr], sympy.Expr]
) -> Derivation:
    """The derivation with another right-hand side in the equation of ∂E/∂name."""
    equations = tuple(
        replace(e, rhs=change(e.rhs)) if e.quantity.name == adjoint_name(name) else e
        for e in derivation.backward.equations
    )
    assert equations != derivation.backward.equations
    return replace(derivation, backward=Graph(derivation.backward.given, equations))


def changed(text: str, old: str, new: str) -> str:
    """The text with the first match of a pattern replaced; fails if there is none."""
    result, count = re.subn(old, lambda match: match.expand(new), text, count=1, flags=re.DOTALL)
    assert count == 1, f"{old} is not there"
    assert result != text
    return result
