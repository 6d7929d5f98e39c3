"""The interpreter is what a graph means: judged by hand and by a second, unrelated evaluation."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from mpmath import mp, mpf

from derive.backprop import differentiate
from derive.expression import Chosen, Delta, Element, Index, Inside, Largest, LogTotalExp, Total
from derive.functions import BY_NAME, greater, where
from derive.graph import Graph
from derive.verify.algebra import DIGITS, EXACT
from derive.verify.interpreter import run, value
from tests.core_support import CASES, TOLERANCE, Case, Oracle, axis, distance, draw

N = Index("n", axis("n", 3))
K = Index("k", axis("k", 3))
X = {("x", (k,)): mpf(v) for k, v in enumerate((2, -1, 2))}
x = lambda place: Element("x", place)  # noqa: E731

BY_HAND: list[tuple[sympy.Expr, dict[Index, int], Any]] = [
    (x(N), {N: 1}, -1),
    (x(N + 1), {N: 2}, 0),
    (x(N - 1), {N: 0}, 0),
    (x(2 * N - 2), {N: 2}, 2),
    (Total(x(N), N), {}, 3),
    (Total(x(N) * x(2 - N), N), {}, 9),
    (Total(Total(x(N) * x(K), N), K), {}, 9),
    (Total(sympy.Integer(5), N), {}, 15),
    (Total(N * x(N), N), {}, 3),
    (Largest(x(N), N), {}, 2),
    (Largest(x(N) * x(K), N, K), {}, 4),
    (Largest(-x(N), N), {}, 1),
    (Chosen(Largest(x(N), N), K), {K: 0}, 1),
    (Chosen(Largest(x(N), N), K), {K: 2}, 0),
    (Chosen(Largest(x(N), N), K - 1), {K: 1}, 1),
    (Delta(N, K), {N: 1, K: 1}, 1),
    (Delta(N, K + 1), {N: 1, K: 1}, 0),
    (Inside(N - 1, sympy.Integer(2)), {N: 0}, 0),
    (Inside(N - 1, sympy.Integer(2)), {N: 2}, 1),
    (Inside(N, sympy.Integer(2)), {N: 2}, 0),
    (sympy.sqrt(x(N) + 2), {N: 0}, 2),
    (x(N) ** -2, {N: 0}, mpf(1) / 4),
    (where(greater(x(N), 0), x(N), 7), {N: 1}, 7),
    (sympy.Rational(1, 4) + x(N), {N: 0}, mpf(9) / 4),
]


@pytest.mark.parametrize(("expr", "bound", "expected"), BY_HAND, ids=lambda part: str(part))
def test_values_known_by_hand(expr: sympy.Expr, bound: dict[Index, int], expected: Any) -> None:
    with mp.workdps(DIGITS):
        assert value(expr, X, bound, EXACT) == expected


@pytest.mark.parametrize("digits", [DIGITS, 4 * DIGITS])
@pytest.mark.parametrize("number", [sympy.pi, sympy.E, sympy.Rational(1, 3)], ids=str)
def test_a_number_has_as_many_digits_as_are_computed_with(number: sympy.Expr, digits: int) -> None:
    with mp.workdps(digits):
        expected = {sympy.pi: +mp.pi, sympy.E: +mp.e}.get(number, mpf(1) / 3)
        found = value(number * x(N), X, {N: 0}, EXACT)
        assert abs(found - 2 * expected) < mpf(10) ** (3 - digits)


def test_the_logarithm_of_a_sum_of_exponentials() -> None:
    with mp.workdps(DIGITS):
        expected = mp.log(2 * mp.exp(2) + mp.exp(-1))
        assert distance(value(LogTotalExp(x(N), N), X, {}, EXACT), expected) < TOLERANCE


@pytest.mark.parametrize("position", [N / 2, sympy.exp(N)], ids=str)
def test_an_index_that_is_not_whole_is_refused(position: sympy.Expr) -> None:
    with pytest.raises(ValueError, match="is not whole"):
        value(x(position), X, {N: 1}, EXACT)


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_agrees_with_the_oracle_forward_and_backward(name: str) -> None:
    case = CASES[name]
    graph = case.graph()
    backward = differentiate(graph).backward
    given = draw(graph)
    expected = Oracle(backward).run(Oracle(graph).run(given))
    with mp.workdps(DIGITS):
        found = run(backward, run(graph, given))
    assert found.keys() == expected.keys()
    assert max(distance(found[key], expected[key]) for key in expected) < 1e-40


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_function_has_its_exact_value(name: str) -> None:
    row = BY_NAME[name]
    reads = [Element("x", k) for k in range(row.arity)]
    if name == "where":
        reads[0] = greater(reads[0], 0)
    given = {("x", (k,)): mpf(v) for k, v in enumerate(("0.7", "-0.3", "0.2"))}
    expr = row.symbol(*reads)
    with mp.workdps(DIGITS):
        by_hand = {
            "exp": mp.exp("0.7"), "log": mp.log("0.7"), "tanh": mp.tanh("0.7"),
            "sinh": mp.sinh("0.7"), "cosh": mp.cosh("0.7"), "atan": mp.atan("0.7"),
            "asin": mp.asin("0.7"), "acos": mp.acos("0.7"),
            "sin": mp.sin("0.7"), "cos": mp.cos("0.7"), "erf": mp.erf("0.7"),
            "logistic": mp.exp("0.7") / (1 + mp.exp("0.7")),
            "softplus": mp.log(1 + mp.exp("0.7")),
            "max": "0.7", "min": "-0.3", "abs": "0.7", "sign": 1, "greater": 1, "at_least": 1,
            "where": "-0.3", "stop_gradient": "0.7", "floor": 0,
            "atan2": mp.atan2("0.7", "-0.3"), "lgamma": mp.loggamma("0.7"),
            "digamma": mp.digamma("0.7"),
        }  # fmt: skip
        given = {key: mpf(str(v)) for key, v in zip(given, ("0.7", "-0.3", "0.2"), strict=True)}
        assert distance(value(expr, given, {}, EXACT), mpf(by_hand[name])) < 1e-30


def test_a_recurrence_within_one_equation_is_never_reached() -> None:
    """Each quantity is defined before it is read, so the values of one pass are complete."""
    graph = Case("y[n] = x[n]+1; E = sum(n, y[n]*y[n-1])", "x[n] input", "n=3").graph()
    assert isinstance(graph, Graph)
    with mp.workdps(DIGITS):
        values = run(graph, X)
    assert [values["y", (k,)] for k in range(3)] == [3, 0, 3]
    assert values["E", ()] == 0
