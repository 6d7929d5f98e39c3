"""Doubles that may be moved: functions of numbers of which some go on by an imaginary step.

The imaginary part of a number is how fast it moves, and so small that its square is nothing, so
that formulas carry it on as the rules of differentiation would.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence

import sympy

from derive.proofread.functions import LogOfZero

STEP = 1e-170  # its square is nothing in doubles
TIE = 1e-9  # so near to each other, numbers of which one moves may come to meet


class Kink(ArithmeticError):
    """A moved number at a place where a formula has no derivative."""


def total(values: Sequence[complex]) -> complex:
    """The sum."""
    real = math.fsum(value.real for value in values)
    moved = math.fsum(value.imag for value in values)
    return complex(real, moved) if moved else real


def multiplied(values: Sequence[complex]) -> complex:
    """The product."""
    found: complex = 1.0
    for value in values:
        found *= value
    return found


def largest(values: Sequence[complex]) -> complex:
    """The largest. Raises Kink where that is not one of them alone."""
    best = max(values, key=lambda value: value.real)
    for value in values:
        if value.imag != best.imag and abs(value.real - best.real) < TIE:
            raise Kink
    return best


def smallest(values: Sequence[complex]) -> complex:
    """The smallest. Raises Kink."""
    return -largest([-value for value in values])


def _side(value: complex) -> float:
    """The sign of a number."""
    if value.imag and abs(value.real) < TIE:
        raise Kink
    return float((value.real > 0) - (value.real < 0))


def _power(base: complex, exponent: complex) -> complex:
    a, c = base.real, exponent.real
    if (not a and c < 0) or (a < 0 and (c != int(c) or exponent.imag)):
        raise ZeroDivisionError
    value = a**c
    moved = base.imag and base.imag * c * a ** (c - 1) if a or c >= 1 or not c else math.inf
    if exponent.imag and a:
        moved += exponent.imag * value * math.log(a)
    if not math.isfinite(value) or not math.isfinite(moved):
        raise ZeroDivisionError
    return complex(value, moved) if moved else value


def _log(value: complex) -> complex:
    if value.real <= 0:
        raise ZeroDivisionError
    return _with(math.log, cmath.log)(value)


def _with(
    real: Callable[[float], float], moved: Callable[[complex], complex]
) -> Callable[[complex], complex]:
    """A function of a number that may be moved. Outside its domain that raises ArithmeticError."""

    def run(value: complex) -> complex:
        try:
            return moved(value) if value.imag else real(value.real)
        except ValueError:
            raise ZeroDivisionError from None

    return run


def _moved_erf(value: complex) -> complex:
    slope = 2 / math.sqrt(math.pi) * math.exp(-(value.real**2))
    return complex(math.erf(value.real), slope * value.imag)


def _stepped(step: Callable[[float], int]) -> Callable[[complex], complex]:
    def run(value: complex) -> complex:
        if value.imag and abs(value.real - round(value.real)) < TIE:
            raise Kink
        return float(step(value.real))

    return run


FUNCTIONS: Mapping[object, Callable[..., complex]] = {
    sympy.Pow: _power,
    sympy.Max: lambda *values: largest(values),
    sympy.Min: lambda *values: smallest(values),
    sympy.Abs: lambda value: value * _side(value),
    sympy.exp: _with(math.exp, cmath.exp),
    sympy.log: _log,
    LogOfZero: _log,
    sympy.tanh: _with(math.tanh, cmath.tanh),
    sympy.sinh: _with(math.sinh, cmath.sinh),
    sympy.cosh: _with(math.cosh, cmath.cosh),
    sympy.atan: _with(math.atan, cmath.atan),
    sympy.asin: _with(math.asin, cmath.asin),
    sympy.acos: _with(math.acos, cmath.acos),
    sympy.sin: _with(math.sin, cmath.sin),
    sympy.cos: _with(math.cos, cmath.cos),
    sympy.floor: _stepped(math.floor),
    sympy.ceiling: _stepped(math.ceil),
    sympy.erf: _with(math.erf, _moved_erf),
    sympy.sign: _side,
    sympy.Heaviside: lambda value, _at_zero=0.0: float(_side(value) > 0),
}
