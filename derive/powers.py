"""Powers that are refused before SymPy writes them out."""

from __future__ import annotations

import sympy


def explodes(base: sympy.Expr, exponent: sympy.Expr) -> bool:
    """Whether SymPy would write this power out as a number of thousands of digits."""
    if not exponent.is_Rational:
        return vast(exponent)
    if not base.is_Rational:
        return bool(abs(exponent) > 1000)
    return bool(abs(exponent) * max(base.p.bit_length(), base.q.bit_length()) > 4096)


def vast(exponent: sympy.Expr) -> bool:
    """Whether a constant is too large to be an exponent: SymPy could not tell its sign in time."""
    number = exponent.evalf(5) if exponent.is_number else exponent
    return bool((number.is_Float or number.is_Rational) and abs(number) > 1000)


def imaginary(base: sympy.Expr, exponent: sympy.Expr) -> bool:
    """Whether this is a negative number to a power that is not whole."""
    return bool(base.is_Rational and base < 0 and not exponent.is_Integer)
