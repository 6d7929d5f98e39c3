"""Fresh values: what is drawn looks like what a spec has, and makes an exercise."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from derive.api import load
from derive.backprop import differentiate
from derive.build import build
from derive.exercise.draw import drawn
from derive.exercise.fit import BROKEN, faults, last_unit
from derive.numbers import NumberFormat
from derive.problem import Problem
from derive.spec import parse_spec

MODEL = """
inputs: {x: INPUTS}
parameters: {w: PARAMETERS}
targets: {t: TARGETS}
constants: {c: [3, 0.125]}
model: ["y[k] = c[k]*x[k]*w[k]"]
loss: E = sum(k, (y[k] - t[k])**2)
"""
DRAWS = 40


def problem(inputs: str = "[1, 2]", parameters: str = "[1, 2]", targets: str = "[1, 2]") -> Problem:
    text = MODEL.replace("INPUTS", inputs).replace("PARAMETERS", parameters)
    return build(parse_spec(text.replace("TARGETS", targets), "a.yaml", "a"))


def draws(given: Problem, name: str) -> list[list[Fraction]]:
    return [list(drawn(given, Random(k))[name].values()) for k in range(DRAWS)]


MANNERS = {
    "zeros and ones": ("[0, 1]", lambda row: sorted(row) == [0, 1]),
    "signs": ("[-1, 1]", lambda row: sorted(row) == [-1, 1]),
    "a distribution": ("[0.25, 0.75]", lambda row: sorted(row) == [Fraction(1, 4), Fraction(3, 4)]),
    "one decimal": ("[0.1, 9.8]", lambda row: all((10 * v).denominator == 1 for v in row)),
    "two decimals": ("[0.15, 0.8]", lambda row: all((100 * v).denominator == 1 for v in row)),
    "no more than two": ("[0.123, 0.8]", lambda row: all((100 * v).denominator == 1 for v in row)),
    "nothing below zero": ("[0.2, 0.9]", lambda row: min(row) > 0),
    "the sizes": ("[-0.2, 0.9]", lambda row: all(0.2 <= abs(v) <= 0.9 for v in row)),
    "nothing that is 0": ("[-0.2, 0.9]", lambda row: 0 not in row),
    "however far apart": ("[-0.01, 1e30]", lambda row: all(0.01 <= abs(v) <= 10**30 for v in row)),
    "different numbers": ("[0.2, 0.9]", lambda row: len({*row}) == 2),
}


@pytest.mark.parametrize("manner", MANNERS)
def test_values_are_drawn_in_the_manner_of_a_spec(manner: str) -> None:
    given, keeps = MANNERS[manner]
    found = draws(problem(inputs=given), "x")
    assert all(map(keeps, found))
    assert len({tuple(row) for row in found}) > 1


def test_signs_go_both_ways() -> None:
    assert {v > 0 for row in draws(problem("[-0.2, 0.9]"), "x") for v in row} == {True, False}


def test_constants_stay_and_gradients_from_above_do_not() -> None:
    assert {tuple(row) for row in draws(problem(), "c")} == {(3, Fraction(1, 8))}
    given = load("conv2d_by_hand")
    above = given.upstream["Y"]
    assert len({tuple(row) for row in draws(given, above)}) > DRAWS / 2


def test_what_has_no_values_gets_some() -> None:
    given = load("article")
    values = drawn(replace(given, values={}), Random(1))
    assert set(values) == {q.name for q in given.graph.given}
    assert all(0 < abs(v) <= 2 for row in values.values() for v in row.values())


FAULTY = {
    "saturated": ("[9, 0.5]", "[1, 1]"),
    "nothing": ("[0, 0]", "[0.5, 0.25]"),
    "size": ("[0.0001, 0.0001]", "[0.1, 0.1]"),
}


@pytest.mark.parametrize("kind", FAULTY)
def test_values_that_make_no_exercise_are_told(kind: str) -> None:
    inputs, parameters = FAULTY[kind]
    text = MODEL.replace("x[k]*w[k]", "tanh(x[k]*w[k])").replace("[3, 0.125]", "[1, 1]")
    text = text.replace("INPUTS", inputs).replace("PARAMETERS", parameters)
    found = build(parse_spec(text.replace("TARGETS", "[0.3, 0.2]"), "a.yaml", "a"))
    derivation = differentiate(found.graph, found.wanted)
    assert kind in {fault for fault, _ in faults(found, derivation)}
    sound = replace(found, values={**found.values, **_sound(found)})
    assert not faults(sound, derivation)


def _sound(given: Problem) -> dict[str, dict[tuple[int, ...], Fraction]]:
    """Values with nothing wrong in them."""
    half = {(0,): Fraction(1, 2), (1,): Fraction(3, 4)}
    return {"x": half, "w": half}


def test_rounding_that_has_moved_a_number_is_told() -> None:
    text = """
inputs: {a: 0.1234, b: 3}
parameters: {w: 1}
model: ["u = a*b + 100", "v = u - 100"]
loss: E = w*v
numbers: {significant_digits: 4, chained: true}
"""
    found = build(parse_spec(text, "a.yaml", "a"))
    told = faults(found, differentiate(found.graph, found.wanted))
    assert ("rounding", "v") in told


def test_numbers_without_a_value_are_told() -> None:
    text = "inputs: {a: 0}\nparameters: {w: 1}\nloss: E = w/a\n"
    found = build(parse_spec(text, "a.yaml", "a"))
    assert faults(found, differentiate(found.graph, found.wanted)) == {BROKEN}


@pytest.mark.parametrize(
    ("value", "unit"),
    [("0.001", "0.000001"), ("1234", "1"), ("9.999", "0.001"), ("-0.25", "0.0001")],
)
def test_the_last_unit_of_significant_digits(value: str, unit: str) -> None:
    assert last_unit(NumberFormat(4), Fraction(value)) == Fraction(unit)
