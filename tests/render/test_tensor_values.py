"""The numbers of a page: zero where only noise is left of a sum, and kept where it is small."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import pytest
import sympy
from mpmath import mp, mpf

from derive.expression import Element
from derive.numbers import DIGITS, MOST_DIGITS, MoreDigits
from derive.render.tensor_values import compiled

X = Element("x")
ZEROS = [
    sympy.sin(X) ** 2 + sympy.cos(X) ** 2 - 1,
    sympy.exp(X) * sympy.exp(-X / 2) - sympy.exp(X / 2),
    sympy.tanh(X) + sympy.tanh(-X),
    2 / (1 + sympy.exp(-2 * X)) - 1 - sympy.tanh(X),
]


@pytest.mark.parametrize("expr", ZEROS, ids=str)
def test_noise_is_nothing_where_more_digits_leave_nothing(expr: sympy.Expr) -> None:
    for tenths in range(1, 30):
        given = {("x", ()): Fraction(tenths, 10)}
        with mp.workdps(MOST_DIGITS):
            assert compiled(expr)(given, {}) == 0
        with mp.workdps(DIGITS), suppress(MoreDigits):
            assert compiled(expr)(given, {}) == 0


def test_what_cancels_is_computed_with_more_digits() -> None:
    with mp.workdps(DIGITS), pytest.raises(MoreDigits):
        compiled(sympy.exp(X) - 1)({("x", ()): Fraction(1, 10**30)}, {})
    with mp.workdps(MOST_DIGITS):
        found = compiled(sympy.exp(X) - 1)({("x", ()): Fraction(1, 10**30)}, {})
        assert abs(found * 10**30 - 1) < mpf("1e-10")
    assert compiled(X - Fraction(1, 3))({("x", ()): Fraction(1, 3) + Fraction(1, 10**80)}, {}) > 0
