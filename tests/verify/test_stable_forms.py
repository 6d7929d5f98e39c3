"""The route over stable forms: right ones agree, a wrong rewrite is found."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest
import sympy

from derive.backprop import differentiate
from derive.build import build
from derive.emit.stable_rows import ROWS
from derive.problem import Problem
from derive.spec import parse_spec
from derive.verify.bench import Bench
from derive.verify.report import Route, Status
from derive.verify.sampling import spec_values
from derive.verify.stable_forms import NAME, stable_route

LOGITS = "parameters: {x: 1.5}\nmodel:\n  - p = logistic(x)\nloss: E = -log(p)\n"
PLAIN = "parameters: {x: 1.5}\nloss: E = x**2\n"


def problem(text: str) -> Problem:
    return build(parse_spec(text, "test", "test"))


def routes(text: str) -> list[Route]:
    made = problem(text)
    derivation = differentiate(made.graph)
    values = spec_values(made)
    assert values is not None
    return list(stable_route(made, derivation, [Bench(derivation, values)]))


def test_every_move_of_a_module_is_compared() -> None:
    (route,) = routes(LOGITS)
    assert (route.name, route.status) == (NAME, Status.AGREES)
    assert route.compared > 3


def test_a_module_that_computes_what_the_page_says_has_no_such_route() -> None:
    assert not routes(PLAIN)


def test_a_wrong_rewrite_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    (right,) = [row for row in ROWS if row.name == "log of logistic"]

    def mistaken(node: sympy.Expr) -> sympy.Expr:
        found = right.rewrite(node)
        return found if found == node else -found

    wrong = replace(right, rewrite=mistaken)
    rows = tuple(wrong if row is right else row for row in ROWS)
    monkeypatch.setattr(import_module("derive.emit.stable"), "ROWS", rows)
    (route,) = routes(LOGITS)
    assert route.status is Status.DISAGREES
    assert right.name in route.detail
