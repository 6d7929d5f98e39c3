"""Each stable form has an example that its row alone saves: taken out, the example fails."""

from __future__ import annotations

import math
import warnings
from functools import lru_cache
from importlib import import_module

import pytest
import sympy
from mpmath import mp

from derive.build import build
from derive.emit import USUAL, emit, load
from derive.emit.program import stable_form
from derive.emit.run import Module
from derive.emit.stable_differences import selection
from derive.emit.stable_rows import ROWS
from derive.expression import Element
from derive.functions import greater, where
from derive.graph import Derivation, Graph
from derive.problem import Problem
from derive.spec import parse_spec
from derive.verify.bench import Bench
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from derive.verify.stable_forms import stable_steps
from tests.core_support import derived

ORACLE_DIGITS = 1200  # enough for 1 - logistic(1000), which lacks 10^-435 to 1
GOOD = 2e-12
UNDERFLOW = 1e-300
Given = tuple[tuple[str, tuple[int, ...], float], ...]


def one(formula: str, **values: str) -> str:
    """A spec of scalars."""
    given = ", ".join(f"{name}: {value}" for name, value in values.items())
    return f"parameters: {{{given}}}\nloss: E = {formula}\n"


def softmax(loss: str, z: str = "[1000, 0, -1000]", more: str = "") -> str:
    """A spec with the shares p of three scores z."""
    model = "  - p[i] = exp(z[i])/sum(k, exp(z[k]))\n"
    return f"parameters: {{z: {z}{more}}}\nmodel:\n{model}loss: E = {loss}\n"


def scores(loss: str, z: str = "[1000, 0, -1000]", v: str = "[2, 3, -4]") -> str:
    return f"parameters: {{z: {z}, v: {v}}}\nloss: E = {loss}\n"


SAVES = {
    "selection": one("where(x < 0, 1, 0)*exp(x)", x="1000"),
    "one choice": one("where(x > 0, exp(x), 0) - where(x > 0, 1, 0)", x="1.0e-12"),
    "no choice": one("where(x > 0, exp(x), exp(x)) - 1", x="1.0e-12"),
    "complement": one("1 - logistic(x)", x="50"),
    "tail": one("1 - erf(x)", x="8"),
    "one less tanh": one("1 - tanh(x)", x="30"),
    "slope of tanh": one("log(1 - tanh(x)**2)", x="100"),
    "log of a total": scores("log(sum(i, exp(z[i]))) + v[0]"),
    "log of a sum": one("log(exp(x) + exp(2*x))", x="1000"),
    "log of a product": one("log(x*exp(x))", x="1000"),
    "log of a choice": one("log(where(x > 0, exp(x), 1))", x="1000"),
    "log of the others": softmax("-log(1 - p[0])"),
    "log of logistic": one("log(logistic(x))", x="-1000"),
    "log of a tail": one("log(1 - erf(x))", x="30"),
    "product of exponentials": one("exp(x)*exp(y)", x="1000", y="-999"),
    "quotient of sums": scores("sum(i, v[i]*exp(z[i]))/sum(i, exp(z[i]))"),
    "weighted divisor": scores("exp(z[0])/sum(i, v[i]*exp(z[i]))", v="[2, 3, 4]"),
    "log of weighted": scores("log(sum(i, v[i]*exp(z[i])))", v="[2, 3, 4]"),
    "quotient": softmax("p[0]"),
    "exp times logistic": one("exp(x)*logistic(y)", x="1000", y="-999"),
    "expm1 times logistic": one("(exp(2*x) - 1)*logistic(-2*x)", x="1000"),
    "quotient by a tail": one("exp(-x**2)/(1 - erf(x))", x="30"),
    "centred logistic": one("2*logistic(x) - 1", x="1.0e-12"),
    "difference of softplus": one("log(logistic(x)/(1 - logistic(x)))", x="1.0e-12"),
    "exp less one": one("exp(x) - 1", x="1.0e-12"),
    "one less cosine": one("1 - cos(x)", x="1.0e-8"),
    "root less number": one("sqrt(1 + x) - 1", x="1.0e-12"),
    "log near one": one("log(1 + x)", x="1.0e-12"),
    "log of a ratio": one("log((1 + x)/(1 - x))", x="1.0e-12"),
}


def made(text: str) -> tuple[Problem, Derivation]:
    problem = build(parse_spec(text, "test", "test"))
    return problem, derived(problem.graph, problem.wanted)


def faults(text: str, target: str, flat: float = 0.0) -> list[str]:
    """What a module gets wrong at the values of its spec; the truth has 1200 digits.

    An error of `flat` is none: a difference of operands far larger than itself has one.
    """
    problem, derivation = made(text)
    return faults_at(problem, load(problem, emit(problem, derivation, target), target), flat)


def faults_at(problem: Problem, module: Module, flat: float = 0.0) -> list[str]:
    """What a module gets wrong at the values of a problem, which may be those of another spec."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            done = module.run(problem.values)
    except (ArithmeticError, ValueError, RuntimeWarning) as error:
        return [f"{type(error).__name__}: {error}"]
    given = tuple(
        (name, place, float(value))
        for name, table in problem.values.items()
        for place, value in table.items()
    )
    truth = truths(problem.graph, problem.wanted, given)
    with mp.workdps(ORACLE_DIGITS):
        pairs = [(key, found, truth[key]) for key, found in done.forward.items()]
        pairs += [
            (key, found, truth[f"adj_{key[0]}", key[1]]) for key, found in done.gradients.items()
        ]
        return [
            f"{key}: {found} for {mp.nstr(true, 17)}"
            for key, found, true in pairs
            if not math.isfinite(found)
            or abs(mp.mpf(found) - true) > GOOD * abs(true) + flat + UNDERFLOW
        ]


@lru_cache(maxsize=8)  # one target is judged after the other at a few places
def truths(graph: Graph, wanted: tuple[str, ...] | None, given: Given) -> Values:
    """All values and derivatives with as many digits as it takes."""
    with mp.workdps(ORACLE_DIGITS):
        start = {(name, place): mp.mpf(value) for name, place, value in given}
        forward = run(graph, start)
        return {**run(derived(graph, wanted).backward, forward), **forward}


def test_every_row_has_an_example() -> None:
    assert [row.name for row in ROWS] == list(SAVES)


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("name", SAVES)
def test_a_row_saves_its_example(name: str, target: str) -> None:
    assert not faults(SAVES[name], target)


@pytest.mark.parametrize("name", SAVES)
def test_without_its_row_an_example_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others = tuple(row for row in ROWS if row.name != name)
    monkeypatch.setattr(import_module("derive.emit.stable"), "ROWS", others)
    assert faults(SAVES[name], "python")


@pytest.mark.parametrize("name", SAVES)
def test_every_move_is_a_step_that_is_proven(name: str) -> None:
    problem, derivation = made(SAVES[name])
    steady = stable_form(problem, derivation)
    assert name in {step.rule for step in steady.steps}
    given = {(q.name, p): mp.mpf(3 + sum(p)) / 7 for q, p in places(problem)}
    compared = list(stable_steps(Bench(steady, given)))
    assert compared
    assert max(each.error for each in compared) < 1e-25  # some are differences


def places(problem: Problem) -> list[tuple[object, tuple[int, ...]]]:
    found = [(q, p) for q in problem.graph.given for p in problem.values[q.name]]
    assert found
    return found


def test_a_logarithm_sees_through_a_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "parameters: {x: 1000}\nmodel:\n  - p = logistic(x)\nloss: E = -log(1 - p)\n"
    assert not faults(text, "python")
    monkeypatch.setattr(import_module("derive.emit.stable_graph"), "DEEPEST", 0)
    assert faults(text, "python")


def test_shares_are_taken_relative_to_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    text = softmax("p[0]", z="[-1.0e9, -1.0e9, -1.0e9]")
    assert not faults(text, "python")
    monkeypatch.setattr(
        import_module("derive.emit.stable_graph")._Naming, "_split", lambda _, n, r: n
    )
    assert faults(text, "python")


def test_what_divides_by_an_output_is_derived_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    text = softmax("-(0.25*log(p[0]) + 0.75*log(p[2]))")
    assert not faults(text, "python")
    work = import_module("derive.emit.stable_graph")._Work
    monkeypatch.setattr(work, "breaks", lambda self, equation: False)
    assert faults(text, "python")


def test_an_indicator_is_a_choice() -> None:
    """[x > 0]·a is a where x > 0, and 0 elsewhere."""
    a, x = Element("a"), Element("x")
    test = greater(x, sympy.S.Zero)
    assert selection(test * a) == where(test, a, sympy.S.Zero)


@pytest.mark.parametrize("target", USUAL)
def test_a_logarithm_of_a_named_exponential_is_its_exponent(target: str) -> None:
    """p = exp(z) is 0 in floating point at -800, and its logarithm is still z."""
    text = "model: [p = exp(z), q = 3*p]\nparameters: {z: -800}\nloss: E = log(q/3)\n"
    assert not faults(text, target)
