"""Values of expressions: exact while rational, otherwise to 45 digits; and decimal rounding."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import partial, reduce
from types import MappingProxyType
from typing import Any

import mpmath
import sympy

_WORKING_DIGITS = 60  # and twice as many as often as too few of them are left
_MOST_DIGITS = 32 * _WORKING_DIGITS
_NOISE = 1580  # by so many powers of ten less than what it is the rest of, it is nothing on a page
# Inexact values are cut here, so that a value on a tie but for working noise counts as a tie.
_KEPT_DIGITS = 45
_SPARE_DIGITS = _WORKING_DIGITS - _KEPT_DIGITS
_NOTHING = Fraction(1, 10**4000)  # what is smaller is printed as 0
_MOST_BITS = 13_300  # before the point: beyond 10^4001, up to which a page prints
_MAX_MAGNITUDE = 100_000
_MAX_BITS = 200  # of an argument: masks reach 1e30, towers of exponentials do not end
_MAX_POWER_BITS = 200_000

_SLIGHT = mpmath.mpf(10) ** -30
_context: Any = mpmath.MPContext()
_context.dps = _WORKING_DIGITS


class ValueFailure(ArithmeticError):
    """An expression without a finite real value."""


FAILURES = (ValueFailure, ZeroDivisionError, OverflowError)  # of a value


class _MoreDigits(Exception):
    """A value of which too few digits are left."""


class Rounding(StrEnum):
    """What happens to a value exactly between two decimals, or to every value."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"


def exact_value(text: str | Decimal | int) -> Fraction:
    """The rational that a decimal text denotes."""
    return Fraction(Decimal(text))


def about(value: Fraction) -> str:
    """A value of any size for a message, with six digits."""
    return f"{Decimal(value.numerator) / Decimal(value.denominator):.6g}"


def unknown_names(expression: sympy.Expr, known: Mapping[str, Fraction]) -> tuple[str, ...]:
    """Names and opaque functions of an expression that have no known value, sorted."""
    names = {symbol.name for symbol in expression.free_symbols if symbol.name not in known}
    opaque = expression.atoms(sympy.core.function.AppliedUndef)
    return tuple(sorted(names | {str(application.func) for application in opaque}))


def value_of(expression: sympy.Expr, known: Mapping[str, Fraction]) -> Fraction:
    """The real value of an expression whose names are all known."""
    digits = _WORKING_DIGITS
    while True:
        try:
            with _context.workdps(digits):
                value = _walk(expression, known)
                found = value if isinstance(value, Fraction) else _cut(value)
                if found.numerator.bit_length() - found.denominator.bit_length() > _MOST_BITS:
                    raise ValueFailure("the value is larger than a page can print")
                return found if abs(found) >= _NOTHING else Fraction(0)
        except _MoreDigits:
            digits *= 2


def _walk(expression: sympy.Expr, known: Mapping[str, Fraction]) -> Any:
    if expression.is_Symbol:
        return known[expression.name]
    if expression.is_Rational:
        return Fraction(int(expression.p), int(expression.q))
    if expression is sympy.E:
        return _context.e + 0
    rule = _RULES.get(expression.func)
    if rule is None:
        raise ValueFailure(f"{expression} is not a finite real number")
    if expression.is_Mul:
        return _product(expression, known)
    if expression.func is sympy.log and expression.args[0].as_coeff_Add()[0] == 1:
        beside_one = _walk(expression.args[0] - 1, known)
        if (
            0 < abs(_inexact(beside_one)) < _SLIGHT
        ):  # which no number of digits tells from 1 in the sum
            return _real(_call(_context.log1p)(beside_one))
    return _real(rule(*(_walk(argument, known) for argument in expression.args)))


def _product(expression: Any, known: Mapping[str, Fraction]) -> Any:
    """A product: a factor 0, as of a condition that does not hold, makes it 0 whatever follows."""
    found, failure = [], None
    for factor in expression.args:
        try:
            found.append(_walk(factor, known))
        except ValueFailure as error:
            failure = error
    if any(value == 0 for value in found):
        return Fraction(0)
    if failure is not None:
        raise failure
    return _real(_combine(operator.mul)(*found))


def _real(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, _context.mpc) or not _context.isfinite(value):
        raise ValueFailure("the value is not a finite real number")
    return value


def _inexact(value: Any) -> Any:
    if isinstance(value, Fraction):
        return _context.mpf(value.numerator) / value.denominator
    return value


def _kept(value: Any, size: Any) -> Any:
    """A value that what has a size was rounded for; nothing if it is only the noise of that.

    Raises _MoreDigits if few digits of it are left.
    """
    if isinstance(value, Fraction) or abs(value) >= size * _context.mpf(10) ** -_SPARE_DIGITS:
        return value
    if _context.dps < _MOST_DIGITS:
        raise _MoreDigits
    return value if abs(value) >= size * _context.mpf(10) ** -_NOISE else Fraction(0)


def _added(*terms: Any) -> Any:
    """A sum; where its large terms cancel to mere noise, that of the small ones is left."""
    size = max(abs(_inexact(term)) for term in terms)
    total = _kept(_combine(operator.add)(*terms), size)
    if total or not size:
        return total
    small = [term for term in terms if abs(_inexact(term)) < size * _context.mpf(10) ** -_NOISE]
    return _added(*small) if small else total


def _log(argument: Any) -> Any:
    if argument == 1 and isinstance(argument, Fraction):
        return Fraction(0)
    return _kept(_call(_context.log)(argument), 1)


def _wave(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda angle: _kept(_call(function)(angle), abs(_inexact(angle)))


def _above_zero(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def applied(value: Any) -> Any:
        if value <= 0:
            raise ValueError("the gamma function has no value here")
        return function(value)

    return applied


def _angle(y: Any, x: Any) -> Any:
    return _context.atan2(_inexact(y), _inexact(x)) if y or x else Fraction(0)


def _whole(function: Callable[[Any], int], value: Any) -> Fraction:
    if _context.mag(_inexact(value)) > _MAX_BITS:
        raise ValueFailure("the argument of a function is out of range")
    return Fraction(function(value))


def _combine(operation: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def apply(*arguments: Any) -> Any:
        if not all(isinstance(argument, Fraction) for argument in arguments):
            arguments = tuple(_inexact(argument) for argument in arguments)
        return reduce(operation, arguments)

    return apply


def _call(function: Callable[[Any], Any]) -> Callable[..., Any]:
    def apply(argument: Any) -> Any:
        value = _inexact(argument)
        if function != _context.log and value and _context.mag(value) > _MAX_BITS:
            raise ValueFailure("the argument of a function is out of range")
        try:
            return function(value)
        except ValueError as error:
            raise ValueFailure(str(error)) from error

    return apply


def _bounded(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that far out is what it is at infinity, to all digits."""

    def apply(argument: Any) -> Any:
        value = _inexact(argument)
        if value and _context.mag(value) > _MAX_BITS:
            return _context.mpf(1) if value > 0 else _context.mpf(-1)
        return function(value)

    return apply


def _power(base: Any, exponent: Any) -> Any:
    if not base and exponent < 0:
        raise ValueFailure("division by zero")
    if abs(exponent) > _MAX_MAGNITUDE:
        raise ValueFailure("an exponent is out of range")
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = base.numerator.bit_length() + base.denominator.bit_length()
        if bits * abs(exponent) < _MAX_POWER_BITS:
            return base ** int(exponent)
    return _context.power(_inexact(base), _inexact(exponent))


_RULES: Mapping[Any, Callable[..., Any]] = MappingProxyType(
    {
        sympy.Add: _added,
        sympy.Mul: _combine(operator.mul),
        sympy.Pow: _power,
        sympy.Max: _combine(max),
        sympy.Min: _combine(min),
        sympy.Abs: abs,
        sympy.exp: _call(_context.exp),
        sympy.log: _log,
        sympy.tanh: _bounded(_context.tanh),
        sympy.sinh: _call(_context.sinh),
        sympy.cosh: _call(_context.cosh),
        sympy.atan: _call(_context.atan),
        sympy.asin: _call(_context.asin),
        sympy.acos: _call(_context.acos),
        sympy.sin: _wave(_context.sin),
        sympy.cos: _wave(_context.cos),
        sympy.tan: _wave(_context.tan),
        sympy.floor: lambda x: _whole(math.floor, x),
        sympy.ceiling: lambda x: _whole(math.ceil, x),
        sympy.erf: _bounded(_context.erf),
        sympy.loggamma: _call(_above_zero(_context.loggamma)),
        sympy.polygamma: lambda n, x: _call(_above_zero(partial(_context.psi, int(n))))(x),
        sympy.atan2: _angle,
        sympy.sign: lambda x: Fraction((x > 0) - (x < 0)),
        sympy.Heaviside: lambda x, _at_zero=0: Fraction(int(x > 0)),
    }
)


def _cut(value: Any) -> Fraction:
    size = _context.mag(value) if value else 0
    if size > _MAX_MAGNITUDE:
        raise ValueFailure("the value is out of range")
    if size < -_MAX_MAGNITUDE:
        return Fraction(0)
    sign, mantissa, exponent, _ = value._mpf_
    exact = Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)
    if exact == 0:
        return Fraction(0)
    return rounded(exact, leading_exponent(exact) - _KEPT_DIGITS + 1, Rounding.HALF_EVEN)


def leading_exponent(value: Fraction) -> int:
    """The power of ten of the first significant digit of a non-zero value."""
    magnitude = abs(value)
    bits = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    guess = math.floor((bits - 1) * math.log10(2))  # the power of ten, or one or two below it
    while magnitude >= Fraction(10) ** (guess + 1):
        guess += 1
    return guess


def rounded(value: Fraction, exponent: int, rounding: Rounding) -> Fraction:
    """The value as a multiple of ten to the exponent."""
    unit = Fraction(10) ** exponent
    steps, rest = divmod(abs(value) / unit, 1)
    if rounding is Rounding.HALF_UP:
        up = rest >= Fraction(1, 2)
    elif rounding is Rounding.HALF_EVEN:
        up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and steps % 2 == 1)
    else:
        up = False
    size = (steps + up) * unit
    return size if value >= 0 else -size


def decimal_text(value: Fraction) -> str:
    """Plain decimal notation of a rational that has one, without closing zeros."""
    rest = value.denominator
    twos = (rest & -rest).bit_length() - 1
    rest >>= twos
    fives = 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        raise ValueError(f"{value} is no decimal")
    places = max(twos, fives)
    digits = str(abs(int(value * Fraction(10) ** places))).rjust(places + 1, "0")
    whole = digits if not places else f"{digits[:-places]}.{digits[-places:]}"
    return f"-{whole}" if value < 0 else whole
