"""Named rewrites: they find what has the form, nothing else, and never change a value."""

from __future__ import annotations

import random

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from derive.backprop import differentiate
from derive.calculus import same, slopes_of
from derive.expression import Element, Index, Total
from derive.functions import BY_NAME, absolute, logistic, maximum, minimum, sign, softplus
from derive.language import Scope, parse_expression
from derive.rules import Rule, in_output, match, recognise, slope_in_output
from tests.core_support import DIGITS, Case, axis, closure, distance, relaxed

V = sympy.Symbol("v", real=True)
U, W = Element("u"), Element("w")
exp, log, tanh = sympy.exp, sympy.log, sympy.tanh
σ = logistic

IN_OUTPUT: list[tuple[sympy.Expr, sympy.Expr, sympy.Expr]] = [
    (σ(V), σ(V) * σ(-V), σ(V) * (1 - σ(V))),
    (tanh(V), 1 - tanh(V) ** 2, 1 - tanh(V) ** 2),
    (exp(V), exp(V), exp(V)),
    (exp(3 * V), 3 * exp(3 * V), 3 * exp(3 * V)),
    (2 * σ(V) - 1, 2 * σ(V) * σ(-V), (1 - (2 * σ(V) - 1) ** 2) / 2),
    (5 * V + 2, sympy.Integer(5), sympy.Integer(5)),
    (1 / (2 + exp(-V)), exp(-V) / (2 + exp(-V)) ** 2, (1 - 2 / (2 + exp(-V))) / (2 + exp(-V))),
]


@pytest.mark.parametrize(
    ("output", "slope", "expected"), IN_OUTPUT, ids=[str(o) for o, *_ in IN_OUTPUT]
)
def test_a_slope_is_written_in_the_output(
    output: sympy.Expr, slope: sympy.Expr, expected: sympy.Expr
) -> None:
    found = slope_in_output(output, slope, V)
    name = sympy.Symbol("y")
    assert sympy.expand(found.subs(output, name) - expected.subs(output, name)) == 0
    assert V not in found.subs(output, name).free_symbols


NOT_IN_OUTPUT = [
    (sympy.sin(V), sympy.cos(V)),
    (sympy.erf(V), sympy.diff(sympy.erf(V), V)),
    (softplus(V), σ(V)),
    (V * tanh(V), tanh(V) + V * (1 - tanh(V) ** 2)),
    (log(V), 1 / V),
    (tanh(V), 1 - tanh(V) ** 2 + sympy.Rational(1, 10**12)),
]


@pytest.mark.parametrize(("output", "slope"), NOT_IN_OUTPUT, ids=[str(o) for o, _ in NOT_IN_OUTPUT])
def test_other_slopes_stay_as_they_are(output: sympy.Expr, slope: sympy.Expr) -> None:
    assert slope_in_output(output, slope, V) == slope


@pytest.mark.parametrize("name", ["logistic", "tanh", "exp"])
def test_the_heads_of_the_language_are_found(name: str) -> None:
    head = BY_NAME[name].symbol
    (slope,) = slopes_of(head(V))
    assert V not in slope.subs(head(V), sympy.Symbol("y")).free_symbols


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_slope_is_a_difference(name: str) -> None:
    row = BY_NAME[name]
    point = [mpf(1) if name == "where" else mpf("0.37"), mpf("-0.21"), mpf("0.83")][: row.arity]
    elements = [Element(f"p{k}") for k in range(row.arity)]
    values = {(f"p{k}", ()): v for k, v in enumerate(point)}
    with mp.workdps(DIGITS):
        step = mpf("1e-18")
        for k, slope in enumerate(slopes_of(row.symbol(*elements))):
            if name == "where" and k == 0:
                continue  # an indicator is 0 or 1
            if name == "stop_gradient":
                continue  # it has the slope 0, whatever its values do
            found = closure(slope)(values, {})
            above, below = list(point), list(point)
            above[k] += step
            below[k] -= step
            expected = (row.exact(*above) - row.exact(*below)) / (2 * step)
            assert distance(found, expected) < 1e-20


AT_A_KINK: list[tuple[sympy.Expr, tuple[int, ...]]] = [
    (maximum(U, 0), (0, 1)),
    (maximum(sympy.Integer(0), U), (1, 0)),
    (maximum(U, W), (1, 0)),
    (minimum(U, 0), (0, 1)),
    (minimum(U, W), (1, 0)),
    (absolute(U), (0,)),
    (sign(U), (0,)),
]


@pytest.mark.parametrize(("expr", "expected"), AT_A_KINK, ids=str)
def test_the_convention_at_a_kink(expr: sympy.Expr, expected: tuple[int, ...]) -> None:
    """A tie goes to the constant, otherwise to the first argument."""
    values = {("u", ()): mpf(0), ("w", ()): mpf(0)}
    found = [closure(slope)(values, {}) for slope in slopes_of(expr)]
    by_element = [k for k, argument in enumerate(expr.args) if isinstance(argument, Element)]
    assert [found[k] for k in by_element] == [expected[k] for k in by_element]


RECOGNISED: list[tuple[sympy.Expr, sympy.Expr]] = [
    (1 / (1 + exp(-U)), σ(U)),
    (1 / (1 + exp(U)), σ(-U)),
    (exp(U) / (1 + exp(U)), σ(U)),
    (exp(-U) / (1 + exp(-U)), σ(-U)),
    (exp(-U) / (1 + exp(-U)) ** 2, σ(-U) * σ(U)),
    (W / (1 + exp(-U)), W * σ(U)),
    (log(1 + exp(U)), softplus(U)),
    (log(1 + exp(-U * W)), softplus(-U * W)),
    (tanh(1 / (1 + exp(-U))) + 1, tanh(σ(U)) + 1),
    (1 / (2 + exp(-U)), 1 / (2 + exp(-U))),
    (1 + exp(-U), 1 + exp(-U)),
    (log(2 + exp(U)), log(2 + exp(U))),
]


@pytest.mark.parametrize(("written", "expected"), RECOGNISED, ids=[str(w) for w, _ in RECOGNISED])
def test_what_is_recognised(written: sympy.Expr, expected: sympy.Expr) -> None:
    assert recognise(written) == expected


@relaxed(150)
@given(st.integers(0, 2**32))
def test_recognising_keeps_the_value(seed: int) -> None:
    source = random.Random(seed)
    arguments = [U, -U, U * W, W + 1]
    expr: sympy.Expr = sympy.Integer(1)
    for _ in range(4):
        argument = source.choice(arguments)
        base = source.choice([1 + exp(argument), exp(argument), log(1 + exp(argument)), W])
        expr = expr * base ** source.choice([-3, -2, -1, 1, 2])
        if source.random() < 0.3:
            expr = expr + base
    values = {("u", ()): mpf("0.7"), ("w", ()): mpf("-0.4")}
    with mp.workdps(DIGITS):
        found, expected = (closure(e)(values, {}) for e in (recognise(expr), expr))
        assert distance(found, expected) < 1e-40


A3, A2 = axis("a", 3), axis("b", 2)
N, J, K = (Index(letter, A3) for letter in "ijk")
SHORT = Index("s", A2)
Z, LHS = (lambda place: Element("z", place)), Element("y", N)
SOFTMAX = exp(Z(N)) / Total(exp(Z(K)), K)


def test_a_whole_right_side_is_replaced_wherever_it_stands() -> None:
    total = Total(exp(Z(J)), J)
    factors = (exp(Z(N)), exp(Z(J)), total**-2, W)
    assert sympy.Mul(*in_output(factors, LHS, (N,), SOFTMAX)) == W * LHS * Element("y", J)


def test_a_part_of_a_right_side_is_left_alone() -> None:
    factors = (exp(Z(N)), W)
    assert in_output(factors, LHS, (N,), SOFTMAX) == factors


@pytest.mark.parametrize("place", [SHORT, N + 1, sympy.Integer(3)], ids=str)
def test_an_output_is_not_read_beyond_its_axis(place: sympy.Expr) -> None:
    total = Total(exp(Z(K)), K)
    factors = (exp(Z(place)), 1 / total)
    assert Element("y", place) not in in_output(factors, LHS, (N,), SOFTMAX)


MATCHES: list[tuple[sympy.Expr, sympy.Expr, bool]] = [
    (Z(N), Z(J), True),
    (Z(N), Z(sympy.Integer(2)), True),
    (Z(N), Z(SHORT), False),
    (Z(N), Element("x", J), False),
    (Z(N) * Z(N + 1), Z(J) * Z(J + 1), True),
    (Element("A", N, N), Element("A", J, K), False),
    (Total(Element("A", N, K), K), Total(Element("A", J, N), N), True),
    (Total(Z(K), K), Total(Z(SHORT), SHORT), False),
    (Total(Element("A", N, K), K), Total(Element("A", J, J), J), False),
]


@pytest.mark.parametrize(("pattern", "expr", "expected"), MATCHES, ids=str)
def test_matching_up_to_the_names_of_indices(
    pattern: sympy.Expr, expr: sympy.Expr, expected: bool
) -> None:
    assert match(pattern, expr, {N: None}) is expected


RULES: dict[Rule, tuple[str, str, str, str]] = {  # equations, what is given, by what, what is found
    Rule.LOCAL: ("y = w*x**3; E = y**2", "x parameter; w input", "x", "3*w*x**2"),
    Rule.OUTPUT: ("y = tanh(w*x); E = y**2", "w parameter; x input", "w", "x*(1 - y**2)"),
    Rule.CHAIN: (
        "y[n] = w*x[n]**3; E = sum(n, y[n]**2)",
        "w parameter; x[n] input",
        "w",
        "sum(n, adj_y[n]*x[n]**3)",
    ),
    Rule.CANCEL: (
        "y = logistic(z); E = -t*log(y) - (1-t)*log(1-y)",
        "z parameter; t target",
        "z",
        "y - t",
    ),
    Rule.NORMALISED: (
        "z[o] = w*x[o]; y[o] = softmax(o, z[o]); E = -sum(o, t[o]*log(y[o]))",
        "w parameter; x[o] input; t[o] target",
        "z",
        "y[o] - t[o]",
    ),
    Rule.COLLECTED: (
        """mu = mean(d, x[d]); var = mean(d, (x[d]-mu)**2)
        y[d] = (x[d]-mu)/sqrt(var); E = sum(d, c[d]*y[d])""",
        "x[d] parameter; c[d] constant",
        "mu",
        "-sum(d, adj_y[d])/sqrt(var)",
    ),
}
ELSEWHERE = {Rule.STABLE}  # tests/emit/test_emit_stable.py


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule not in ELSEWHERE])
def test_every_rule_leads_to_its_form(rule: Rule) -> None:
    equations, given, by, expected = RULES[rule]
    case = Case(equations, given, "n=2 o=3 d=3", distributions=("t",))
    graph = case.graph()
    derivation = differentiate(graph)
    moves = [s for s in derivation.steps if (s.rule, s.quantity) == (rule, by)]
    assert len(moves) == 1
    adjoints = [e.quantity for e in derivation.backward.equations]
    names = {q.name: q for q in (*graph.quantities.values(), *adjoints)}
    wanted = parse_expression(expected, Scope(names, case.letters, {}))
    assert same(sympy.expand(moves[0].after), sympy.expand(wanted))
    if rule not in (Rule.LOCAL, Rule.OUTPUT):  # the last move of its quantity
        assert derivation.adjoint(by).rhs == moves[0].after
