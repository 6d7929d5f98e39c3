"""Values of formulas have their digits, whatever cancels on the way."""

from __future__ import annotations

from fractions import Fraction

import pytest
from mpmath import mp

from derive.proofread import parse_formula
from derive.proofread.values import leading_exponent, value_of

CANCELLING = [
    (r"\ln(1 + e^{-4203})", lambda: mp.exp(-4203)),
    (r"\tanh(\ln(1 + \exp(-4203)))", lambda: mp.exp(-4203)),
    (r"\ln(1 + e^{-670})", lambda: mp.log1p(mp.exp(-670))),
    (r"-670\cdot \tanh(\ln(1 + e^{-670}))", lambda: -670 * mp.tanh(mp.log1p(mp.exp(-670)))),
    (r"1 - (\tanh(160))^{2}", lambda: mp.sech(160) ** 2),
    (r"(1 + e^{-300}) - 1", lambda: mp.exp(-300)),
    (r"\ln(e^{-1.83\cdot 10^{-339}})", lambda: mp.mpf("-1.83e-339")),
    (r"\sqrt{2}\sqrt{3} - \sqrt{6}", lambda: mp.zero),
    (r"\cos(\frac{\pi}{2})", lambda: mp.zero),
    (r"\ln(1)", lambda: mp.zero),
    (r"\operatorname{lgamma}(0.5)", lambda: mp.log(mp.pi) / 2),
    (r"\operatorname{digamma}(1)", lambda: -mp.euler),
    (r"\operatorname{polygamma}(1, 1)", lambda: mp.pi**2 / 6),
    (r"\operatorname{atan2}(0, -2)", lambda: +mp.pi),
    (r"\operatorname{atan2}(0, 0)", lambda: mp.zero),
    (r"\frac{e^{-200000}}{e^{-200000} + e^{-200001}}", lambda: 1 / (1 + mp.exp(-1))),
    (r"\frac{e^{-10^{30}}}{1 + e^{-10^{30}}}", lambda: mp.zero),
    (r"2.9\cdot 10^{-2678}\cdot 4.9\cdot 10^{-1624}", lambda: mp.zero),  # printed as 0, too
    (r"3 + 3\cdot\operatorname{erf}(-90) + e^{-8000}", lambda: mp.exp(-8000)),  # 3 - 3 is noise
    (r"1 - (\tanh(931))^{2}", lambda: mp.sech(931) ** 2),
    (r"1 - (\tanh(1900))^{2}", lambda: mp.zero),  # as on a page of at most 1,600 digits
]


@pytest.mark.parametrize(("tex", "expected"), CANCELLING, ids=[tex for tex, _ in CANCELLING])
def test_what_is_left_has_its_digits(tex: str, expected) -> None:  # type: ignore[no-untyped-def]
    with mp.workdps(1800):
        pi = Fraction(mp.nstr(+mp.pi, 1800))
    found = value_of(parse_formula(tex), {"pi": pi})
    with mp.workdps(1800):
        value = mp.mpf(found.numerator) / found.denominator
        assert abs(value - expected()) <= abs(expected()) * mp.mpf(10) ** -40


LEADING = [
    ("1", 0), ("9.99", 0), ("10", 1), ("-0.1", -1), ("0.0999", -2), ("1/3", -1), ("1e300", 300),
    ("1e-300", -300), ("9.9e-5001", -5001), ("1e5000", 5000),
]  # fmt: skip


@pytest.mark.parametrize(("value", "exponent"), LEADING)
def test_the_power_of_the_first_digit(value: str, exponent: int) -> None:
    assert leading_exponent(Fraction(value)) == exponent
