"""Numbers as they are printed: ties, zeros, carries, and nothing lost on the way."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from mpmath import mp, mpf

from derive.expression import Delta, Element, Index, Total
from derive.functions import logistic
from derive.numbers import (
    DIGITS,
    MOST_DIGITS,
    MoreDigits,
    NumberFormat,
    Rounding,
    Zeros,
    compare,
    decimal,
    evaluate,
    literal,
    plus,
    power,
    real,
    shown,
    summed,
    times,
)
from tests.core_support import axis, relaxed

X = sympy.Symbol("x", real=True)
UP, EVEN = Rounding.HALF_UP, Rounding.HALF_EVEN
FOUR, FOUR_EVEN = NumberFormat(4), NumberFormat(4, rounding=EVEN)
PADDED = NumberFormat(4, zeros=Zeros.PAD)
TWO_DECIMALS = NumberFormat(None, 2)
TWO_PADDED = NumberFormat(None, 2, zeros=Zeros.PAD)

PRINTED: list[tuple[NumberFormat, str, str]] = [
    (FOUR, "0.027485", "0.02749"),
    (FOUR_EVEN, "0.027485", "0.02748"),
    (FOUR, "0.042475", "0.04248"),
    (FOUR_EVEN, "0.042475", "0.04248"),
    (FOUR, "-0.027485", "-0.02749"),
    (FOUR_EVEN, "-0.027485", "-0.02748"),
    (FOUR_EVEN, "0.0274850000000000000000000000001", "0.02749"),
    (FOUR, "0.0274849999999999999999999999999", "0.02748"),
    (FOUR, "0.001234567", "0.001235"),
    (FOUR, "1234.5", "1235"),
    (FOUR_EVEN, "1234.5", "1234"),
    (FOUR, "123456", "123500"),
    (FOUR, "9.9996", "10"),
    (PADDED, "9.9996", "10.00"),
    (FOUR, "0.99996", "1"),
    (PADDED, "0.99996", "1.000"),
    (FOUR, "99996", "100000"),
    (FOUR, "0.5", "0.5"),
    (PADDED, "0.5", "0.5000"),
    (FOUR, "0", "0"),
    (PADDED, "0", "0"),
    (FOUR, "-3", "-3"),
    (FOUR, "100", "100"),
    (FOUR, "0.000000000001", "0.000000000001"),
    (FOUR, "1.23456e-12", "0.000000000001235"),
    (PADDED, "1.2e-12", "0.000000000001200"),
    (FOUR, "1e40", "1" + "0" * 40),
    (NumberFormat(1), "0.95", "1"),
    (TWO_DECIMALS, "0.125", "0.13"),
    (NumberFormat(None, 2, EVEN), "0.125", "0.12"),
    (TWO_DECIMALS, "1.999", "2"),
    (TWO_PADDED, "1.999", "2.00"),
    (TWO_PADDED, "-0.001", "0.00"),
    (TWO_DECIMALS, "-0.001", "0"),
    (TWO_DECIMALS, "1234567.891", "1234567.89"),
    (NumberFormat(None, 0), "2.5", "3"),
    (NumberFormat(None, 0, EVEN), "2.5", "2"),
]


@pytest.mark.parametrize(("how", "value", "expected"), PRINTED)
def test_how_a_number_is_printed(how: NumberFormat, value: str, expected: str) -> None:
    assert how.text(Fraction(value)) == expected
    assert how.round(Fraction(value)) == Fraction(expected)


def test_a_rational_does_not_grow_without_end() -> None:
    """Through layers denominators multiply; what has so many digits is no tie anyway."""
    value = Fraction(2**1580 - 1, 3**1000)
    assert isinstance(times(value, Fraction(2)), Fraction)
    large = (times(value, value**2), plus(value, Fraction(1, 7**1000)), power(value, Fraction(3)))
    assert all(isinstance(each, mpf) for each in large)


def test_a_number_too_large_for_a_page_is_refused() -> None:
    assert FOUR.text(Fraction(1, 10**4500)) == "0"
    assert FOUR.text(Fraction(10) ** 3900) == "1" + "0" * 3900
    with pytest.raises(ValueError, match=r"about 10\^4500, more than a page can print"):
        FOUR.text(Fraction(10) ** 4500)


def test_a_third_is_rounded_from_its_exact_value() -> None:
    assert FOUR.text(Fraction(1, 3)) == "0.3333"
    assert FOUR.text(Fraction(2, 3)) == "0.6667"


@pytest.mark.parametrize("value", [mpf("inf"), mpf("nan"), mp.mpc(1, 1), "1"])
def test_what_is_no_real_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a finite real number"):
        FOUR.text(value)  # type: ignore[arg-type]


FORMATS = st.builds(
    lambda digits, decimals, rounding, zeros: NumberFormat(
        None if decimals is not None else digits, decimals, rounding, zeros
    ),
    st.integers(1, 12),
    st.none() | st.integers(0, 12),
    st.sampled_from(Rounding),
    st.sampled_from(Zeros),
)
VALUES = st.builds(
    lambda digits, power: Fraction(digits) * Fraction(10) ** power,
    st.integers(-(10**9), 10**9),
    st.integers(-20, 10),
) | st.fractions(max_denominator=10**6)


def unit(how: NumberFormat, value: Fraction) -> Fraction:
    """One unit of the last place that is printed."""
    if how.decimals is not None:
        return Fraction(1, 10**how.decimals)
    power = 0
    while abs(value) >= Fraction(10) ** (power + 1):
        power += 1
    while abs(value) < Fraction(10) ** power:
        power -= 1
    return Fraction(10) ** (power - (how.significant_digits or 4) + 1)


@relaxed(300)
@given(FORMATS, VALUES)
def test_the_text_is_the_rounded_value(how: NumberFormat, value: Fraction) -> None:
    text = how.text(value)
    assert "e" not in text.lower()
    assert Fraction(text) == how.round(value)
    assert not text.startswith("-") or Fraction(text) < 0
    if how.zeros is Zeros.STRIP and "." in text:
        assert not text.endswith(("0", "."))


@relaxed(300)
@given(FORMATS, VALUES)
def test_rounding_moves_by_half_a_unit_at_most_and_once(how: NumberFormat, value: Fraction) -> None:
    rounded = how.round(value)
    assert how.round(rounded) == rounded
    if value != 0:
        assert abs(rounded - value) <= unit(how, value) / 2
    assert how.round(-value) == -rounded


@relaxed(200)
@given(FORMATS, VALUES, VALUES)
def test_rounding_keeps_the_order(how: NumberFormat, a: Fraction, b: Fraction) -> None:
    assume(a <= b)
    assert how.round(a) <= how.round(b)


@relaxed(200)
@given(st.integers(1, 8), VALUES)
def test_a_number_other_than_zero_is_never_printed_as_zero(digits: int, value: Fraction) -> None:
    assume(value != 0)
    assert Fraction(NumberFormat(digits).text(value)) != 0


@relaxed(200)
@given(VALUES)
def test_a_transcendental_and_a_rational_value_print_alike(value: Fraction) -> None:
    with mp.workdps(DIGITS):
        real = mpf(value.numerator) / value.denominator
    away_from_a_tie = abs(FOUR.round(value) - value) * 2 < unit(FOUR, value or Fraction(1))
    assume(value != 0 and away_from_a_tie)
    assert FOUR.text(real) == FOUR.text(value)


LITERALS = [("0.05", "0.05"), ("3", "3"), ("1/3", "1/3"), ("-0.10", "-0.1"), ("100", "100"),
            ("0", "0"), ("1/8", "0.125"), ("-7/6", "-7/6")]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), LITERALS)
def test_a_given_value_is_written_as_it_was(value: str, expected: str) -> None:
    assert literal(Fraction(value)) == expected


@relaxed(100)
@given(st.fractions())
def test_a_literal_reads_back(value: Fraction) -> None:
    assert Fraction(literal(value)) == value


def test_a_decimal_is_exact() -> None:
    assert str(decimal(Fraction("0.1"))) == "0.1"


A, B = Element("a"), Element("b")
TABLE = {A: Fraction(1, 4), B: Fraction(-3)}
EVALUATED: list[tuple[sympy.Expr, Fraction]] = [
    (A + B, Fraction(-11, 4)),
    (A * B, Fraction(-3, 4)),
    (A**-2, Fraction(16)),
    (sympy.Rational(1, 3) * B, Fraction(-1)),
    (A / B, Fraction(-1, 12)),
]


@pytest.mark.parametrize(("expr", "expected"), EVALUATED, ids=str)
def test_rational_values_stay_exact(expr: sympy.Expr, expected: Fraction) -> None:
    found = evaluate(expr, TABLE.__getitem__)
    assert isinstance(found, Fraction)
    assert found == expected


TRANSCENDENTAL = [
    (logistic(A), lambda: 1 / (1 + mp.exp(mpf(-1) / 4))),
    (sympy.pi * A, lambda: mp.pi / 4),
    (sympy.exp(1) * A, lambda: mp.e / 4),
    (sympy.sqrt(A + 2), lambda: mp.sqrt(mpf(9) / 4)),
    (sympy.tanh(A) - B, lambda: mp.tanh(mpf(1) / 4) + 3),
]


@pytest.mark.parametrize(
    ("expr", "expected"), TRANSCENDENTAL, ids=[str(e) for e, _ in TRANSCENDENTAL]
)
def test_other_values_have_fifty_digits(expr: sympy.Expr, expected) -> None:  # type: ignore[no-untyped-def]
    found = evaluate(expr, TABLE.__getitem__)
    with mp.workdps(DIGITS):
        assert abs(real(found) - expected()) < mpf(10) ** -45


@pytest.mark.parametrize("make", [lambda i: Total(Element("x", i), i), lambda i: Delta(i, 0)])
def test_an_expression_with_indices_must_be_expanded_first(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="must be expanded"):
        evaluate(make(Index("i", axis("i", 2))), TABLE.__getitem__)


@pytest.mark.parametrize(("a", "b", "expected"), [("1/3", "1/3", 0), ("1", "2", -1), ("2", "1", 1)])
def test_comparison(a: str, b: str, expected: int) -> None:
    assert compare(Fraction(a), Fraction(b)) == expected
    with mp.workdps(MOST_DIGITS):
        assert compare(real(Fraction(a)), Fraction(b)) == expected


with mp.workdps(2 * MOST_DIGITS):
    LITTLE = mpf(10) ** -300
    BELOW = -LITTLE
LOST = [  # of which fifty digits leave nothing
    (lambda: evaluate(sympy.log(logistic(X)), lambda _: -mp.log(LITTLE)), BELOW),
    (lambda: evaluate(sympy.log(X), lambda _: 1 + LITTLE), LITTLE),
    (lambda: evaluate(sympy.sin(X), lambda _: 2 * mp.pi), 0),
    (lambda: evaluate(sympy.cos(X), lambda _: mp.pi / 2), 0),
    (lambda: compare(1 + LITTLE, mpf(1)), 1),
    (lambda: compare(mp.sqrt(2) * mp.sqrt(3), mp.sqrt(6)), 0),
]


@pytest.mark.parametrize("case", range(len(LOST)))
def test_what_has_lost_its_digits_asks_for_more(case: int) -> None:
    compute, expected = LOST[case]
    with mp.workdps(DIGITS), pytest.raises(MoreDigits):
        compute()
    with mp.workdps(MOST_DIGITS):
        assert abs(real(compute()) - expected) <= mpf(10) ** -590


@pytest.mark.parametrize("function", [sympy.sin, sympy.tanh, sympy.exp])
def test_small_arguments_keep_their_digits(function) -> None:  # type: ignore[no-untyped-def]
    assert evaluate(function(X), lambda _: LITTLE) > 0


FAR = [
    ("0.00000012345", r"1.2345 \cdot 10^{-7}"),
    ("-1200000000000", r"-1.2 \cdot 10^{12}"),
    ("1000000000", r"1 \cdot 10^{9}"),
    ("999999999", "999999999"),
    ("123456000000", "123456000000"),
    ("123456" + 300 * "0", r"1.23456 \cdot 10^{305}"),
    ("1/3000000000", "1/3000000000"),
    ("0.00000000012345678901234567890123456789012345678", # as many digits as may be asked for
     r"1.2345678901234567890123456789012345678 \cdot 10^{-10}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tex"), FAR)
def test_a_number_far_from_one_is_a_power_of_ten(text: str, tex: str) -> None:
    assert shown(text) == tex


@pytest.mark.parametrize(("side", "printed"), [(-1, "6.772"), (0, "6.773"), (1, "6.773")])
def test_what_is_next_to_a_tie_is_no_tie(side: int, printed: str) -> None:
    tie = Fraction("6.7725") + side * Fraction(10) ** -900
    assert FOUR.text(tie) == printed


def test_what_is_far_from_one_stays_rational() -> None:
    tiny = times(Fraction(9, 10**1006), Fraction(9, 10**1006))
    assert plus(Fraction(1, 10**1006), tiny) == Fraction(10**1006 + 81, 10**2012)


@pytest.mark.parametrize("power", [2600, 3000, 3100])
def test_what_is_left_of_what_was_left_of_a_sum_is_nothing(power: int) -> None:
    with mp.workdps(MOST_DIGITS):
        little = mp.exp(-power) / 3
        left = summed((Fraction(1), -(1 - little)))
        assert abs(real(left) / little - 1) < mp.mpf(10) ** -200
        assert summed((times(Fraction(7, 3), left), -7 * little / 3)) == 0
        assert compare(left, little) == 0
        assert compare(left, little * (1 + mp.mpf(10) ** -100)) == -1
