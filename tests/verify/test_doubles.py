"""How far off doubles may be: bounds that hold, and no bound where doubles are exact."""

from __future__ import annotations

import math

import pytest
from mpmath import mp

from derive.verify.algebra import partial
from derive.verify.doubles import DOUBLES, UNIT, Double, double

FUNCTIONS = DOUBLES.functions


@pytest.mark.parametrize("name", ["exp", "logistic"])
def test_what_looks_exact_may_come_from_another_formula(name: str) -> None:
    found = FUNCTIONS[name](double(0))
    assert found.error >= abs(found.value) * UNIT


@pytest.mark.parametrize("name", ["tanh", "sin"])
def test_nothing_of_nothing_is_exact(name: str) -> None:
    assert not FUNCTIONS[name](double(0))


def test_sums_and_products_of_short_numbers_are_exact() -> None:
    assert (double(0.5) * double(3) - double(1.5)).error == 0


def test_whatever_is_far_off_has_any_value_of_a_function() -> None:
    lost = Double(mp.mpf(1), mp.ldexp(1, 10**13))  # more than a tangent could be computed of
    assert FUNCTIONS["tanh"](lost).error >= 1


@pytest.mark.parametrize("x", [0.1, -0.7, 3.3, 40.0])
def test_the_bound_holds(x: float) -> None:
    with mp.workdps(60):
        bound = FUNCTIONS["exp"](double(mp.mpf(x)))
        assert abs(mp.mpf(math.exp(x)) - mp.exp(mp.mpf(x))) <= bound.error


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize("turns", range(1, 40, 4))
def test_a_wave_of_what_is_off_by_turns_may_be_anything(name: str, turns: int) -> None:
    """Also where both ends of the argument happen to have the value of its middle."""
    found = DOUBLES.functions[name](Double(mp.mpf(turns), 2 * mp.pi * turns))
    assert found.value - found.error <= -1
    assert found.value + found.error >= 1


def test_what_is_exact_has_a_sign_however_small() -> None:
    tiny = double(mp.mpf("2e-80"))
    assert DOUBLES.functions["sign"](tiny).value == 1
    assert not DOUBLES.functions["sign"](tiny).error
    doubtful = DOUBLES.functions["sign"](Double(tiny.value, mp.mpf("1e-79")))
    assert doubtful.error == 2


@pytest.mark.parametrize("end", [mp.inf, -mp.inf, mp.nan], ids=str)
def test_where_there_is_no_number_there_is_no_slope(end: object) -> None:
    assert mp.isnan(partial(mp.tanh, [end], 0))
