"""Two arithmetics with one interface: exact (50 digits) and as printed (rounded like by hand).

Values are `Fraction` while they are rational, so that ties are decided truly, and `mpf` once a
transcendental function has been applied.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from decimal import ROUND_05UP, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import partial
from typing import Any, TypeAlias

import sympy
from mpmath import mp, mpf
from sympy import integer_nthroot

from derive.exactly import raised
from derive.expression import Chosen, Delta, Element, Inside, Total
from derive.functions import BY_SYMBOL, Row, where
from derive.limits import LONGEST_PRINT
from derive.worn import NO_NOISE, as_sure, noise, worn

DIGITS = 50
SURE = 40  # of them; what differs from a tie by less does so by the noise of the last digits
FAR = 1000  # for the argument of a sine
SPARE = 20  # of them may cancel in a sum; the rest is still more than a page prints
MANY_DIGITS = 16 * DIGITS
MOST_DIGITS = 2 * MANY_DIGITS
FEW_BITS = 64  # a result of so few binary digits is that number, as exp(0) is 1
NOTHING = 4000  # what has more zeros behind the point is printed as 0
MOST_BITS = 4000  # of a rational; a tie has fewer, and through layers they multiply
LONGEST_BITS = 40_000  # of what is far from 1, and has few digits
SMALLEST, LARGEST, SHORT = 6, 9, 5  # from 10^-6 and 10^9 on a number is shown as a power of ten
POWER, SHORT_POWER = r"{} \cdot 10^{{{}}}", "{}e{}"  # in TeX and in plain text
LEAST = 4  # significant digits in place of decimals
Number: TypeAlias = Fraction | mpf


class LogOfZero(ValueError):
    """A logarithm without a value, which does not matter where it is multiplied by 0."""


class MoreDigits(Exception):
    """A sum of which so much cancels that it must be computed with more digits."""


class Astray(StrEnum):
    """Where rounded numbers lead and unrounded ones do not."""

    NO_VALUE = "no_value"
    NO_STEP = "no_step"  # an update that comes of the rounding alone


class MustBeUnrounded(Exception):
    """Rounded numbers lead astray."""

    def __init__(self, astray: Astray = Astray.NO_VALUE) -> None:
        super().__init__(astray)
        self.astray = astray


class Rounding(StrEnum):
    """What happens to a tie."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


class Zeros(StrEnum):
    """What happens to trailing zeros."""

    STRIP = "strip"
    PAD = "pad"


_MODES = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN}


@dataclass(frozen=True)
class NumberFormat:
    """How results are written: significant digits or decimals, rounding, zeros, chained or not.

    Chained means that a displayed result is what the next display is computed from. `gave_up` says
    that they were to be chained, and where this led. `working` is with
    how many digits numbers are carried that are not rounded.
    """

    significant_digits: int | None = 4
    decimals: int | None = None
    rounding: Rounding = Rounding.HALF_UP
    zeros: Zeros = Zeros.STRIP
    chained: bool = True
    gave_up: Astray | None = None
    working: int = DIGITS

    def given_up(self, astray: Astray = Astray.NO_VALUE) -> NumberFormat:
        """The format where going on with rounded numbers leads astray.

        It has significant digits, for decimals show nothing of what is small: 0/0 = 1.
        """
        few = self.significant_digits or max(self.decimals or 0, LEAST)
        return replace(self, significant_digits=few, decimals=None, chained=False, gave_up=astray)

    def round(self, value: Number) -> Fraction:
        """The value as it is printed. Raises ValueError if it is not a finite real number."""
        return Fraction(self._quantised(value))

    def text(self, value: Number) -> str:
        """The value as a decimal literal; never in scientific notation."""
        quantised = self._quantised(value)
        if quantised == 0:
            quantised = abs(quantised)
        written = f"{quantised:f}"
        if self.zeros is Zeros.STRIP and "." in written:
            written = written.rstrip("0").rstrip(".")
        return written

    def shown(self, text: str) -> str:
        """A decimal literal as the page has it: far from 1 as a power of ten."""
        return text if self.decimals is not None else shown(text)

    def plain(self, text: str) -> str:
        """The same in plain text: 5.611e-144."""
        return text if self.decimals is not None else shown(text, SHORT_POWER)

    def last_place(self, number: Decimal) -> int:
        """The power of ten of the last digit with which a number is printed."""
        if self.decimals is not None or number == 0:
            return -(self.decimals or 0)
        return number.adjusted() - (self.significant_digits or LEAST) + 1

    def _quantised(self, value: Number) -> Decimal:
        number = decimal(value)
        if number.adjusted() < -NOTHING:
            number = Decimal(0)
        if number.adjusted() > NOTHING:
            raise ValueError(f"this is about 10^{number.adjusted()}, more than a page can print")
        exponent = self.last_place(number)
        if number.adjusted() - exponent >= LONGEST_PRINT:
            raise ValueError(f"this has more than {LONGEST_PRINT} digits")
        quantum = Decimal(1).scaleb(exponent)
        context = Context(prec=LONGEST_PRINT + 1, rounding=_MODES[self.rounding])
        rounded = number.quantize(quantum, context=context)
        if self.decimals is None and rounded != 0 and rounded.adjusted() != number.adjusted():
            rounded = rounded.quantize(quantum.scaleb(1), context=context)
        return rounded


def shown(text: str, power: str = POWER) -> str:
    """A decimal literal as TeX; one with many zeros beside its digits as a power of ten."""
    number = Decimal(text) if "/" not in text else Decimal(0)
    if number == 0 or -SMALLEST < number.adjusted() < LARGEST:
        return text
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    if number.adjusted() > 0 and len(digits) > SHORT and number.adjusted() < 2 * LARGEST:
        return text
    mantissa = Decimal(f"{digits}E{1 - len(digits)}").copy_sign(number)
    return power.format(f"{mantissa:f}", number.adjusted())


def decimal(value: Number) -> Decimal:
    """A value with at least `SURE` significant digits; exact for a terminating decimal."""
    if isinstance(value, Fraction):
        # Of what is cut off something stays in the last digit: next to a tie is no tie.
        context = Context(prec=4 * DIGITS, rounding=ROUND_05UP)
        return context.divide(Decimal(value.numerator), Decimal(value.denominator))
    if not isinstance(value, mpf) or not mp.isfinite(value):
        raise ValueError(f"{value} is not a finite real number")
    if value and mp.mag(value) < -4 * NOTHING:
        return Decimal(0)
    if mp.mag(value) > 100 * NOTHING:
        raise ValueError("this is far more than a page can print")
    with working():
        return Decimal(mp.nstr(value, SURE, strip_zeros=False))


def literal(value: Fraction) -> str:
    """A given value as it was written: 0.05, 3, 1/3."""
    denominator = value.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    written = f"{decimal(value):f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def evaluate(expr: sympy.Expr, value_of: Callable[[sympy.Expr], Number]) -> Number:
    """An expression without free indices, with the values of its elements and symbols."""
    with working():
        return _evaluate(expr, value_of)


def working() -> AbstractContextManager[object]:
    """The working precision: `DIGITS`, or more where a caller has asked for more."""
    context: AbstractContextManager[object] = mp.workdps(max(DIGITS, mp.dps))
    return context


def _evaluate(expr: sympy.Expr, value_of: Callable[[sympy.Expr], Number]) -> Number:
    match expr:
        case sympy.Rational():
            return Fraction(int(expr.p), int(expr.q))
        case Element() | sympy.Symbol():
            return value_of(expr)
        case Total() | Delta() | Inside() | Chosen():
            raise ValueError(f"{type(expr).__name__} must be expanded before it is evaluated")
    if expr in (sympy.pi, sympy.E):
        return +mp.pi if expr == sympy.pi else +mp.e
    if isinstance(expr, where):
        test, yes, no = expr.args
        return _evaluate(yes if _evaluate(test, value_of) == 1 else no, value_of)
    if isinstance(expr, sympy.Mul):
        factors = (partial(_evaluate, factor, value_of) for factor in expr.args)
        return product(factors, times)
    values = [_evaluate(argument, value_of) for argument in expr.args]
    match expr:
        case sympy.Add():
            return summed(values)
        case sympy.Pow():
            return power(*values)
    return applied(BY_SYMBOL[expr.func], values)


def applied(row: Row, values: Sequence[Number]) -> Number:
    """A function of the language; rational where its result is known to be.

    Raises ValueError if that is no finite real number.
    """
    if row.name in _PIECES:
        return _PIECES[row.name](*values)
    if row.name == "log" and values[0] == 0:
        raise LogOfZero("log(0) is no finite real number")
    given = [real(value) for value in values]
    found = row.exact(*given)
    if not isinstance(found, mpf) or not mp.isfinite(found):
        shown = ", ".join(mp.nstr(number, 6) for number in given)
        raise ValueError(f"{row.name}({shown}) is no finite real number")
    if all(isinstance(value, Fraction) and value in (0, 1) for value in values):
        return _recognised(found)
    return _left(found, _LOSING[row.name](*given)) if row.name in _LOSING else found


_LOSING: Mapping[str, Callable[[mpf], mpf]] = {  # near zero: what the result was rounded for
    "log": lambda x: mpf(1),
    "sin": lambda x: _turns(x),
    "cos": lambda x: _turns(x),
}


def _turns(x: mpf) -> mpf:
    """How large what a wave is rounded for is taken to be.

    Far out, a training that goes through it again and again loses its digits each time anew.
    """
    return abs(x) if abs(x) < FAR else abs(x) * mpf(10) ** SPARE


def _recognised(found: mpf) -> Number:
    """A result at 0 and 1, where it may be rational; nowhere else it is, though it may look so."""
    sign, mantissa, exponent, bits = found._mpf_
    if bits > FEW_BITS or abs(exponent) > FEW_BITS:
        return found
    return Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)


def _floor(x: Number) -> Fraction:
    """The largest whole number not above x; what noise alone tells from a whole number is one."""
    near = Fraction(round(x)) if isinstance(x, Fraction) else Fraction(int(mp.nint(x)))
    return near - (compare(x, near) < 0)


def _angle(y: Number, x: Number) -> Number:
    """The angle of a point; what noise alone tells from 0 has no side."""
    if compare(y, Fraction(0)) == 0:
        return Fraction(0) if compare(x, Fraction(0)) >= 0 else +mp.pi
    return mp.atan2(real(y), real(x))


_PIECES: Mapping[str, Callable[..., Number]] = {  # rational wherever their arguments are
    "max": lambda a, b: b if compare(b, a) > 0 else a,
    "min": lambda a, b: b if compare(b, a) < 0 else a,
    "abs": lambda x: abs(x),
    "stop_gradient": lambda x: x,
    "floor": lambda x: _floor(x),
    "atan2": lambda y, x: _angle(y, x),
    "sign": lambda x: Fraction(compare(x, Fraction(0))),
    "greater": lambda a, b: Fraction(compare(a, b) > 0),
    "at_least": lambda a, b: Fraction(compare(a, b) >= 0),
    "where": lambda c, a, b: a if c == 1 else b,
}


def product(
    factors: Iterable[Callable[[], Number]],
    times: Callable[[Number, Number], Number],
    excused: tuple[type[Exception], ...] = (LogOfZero,),
) -> Number:
    """The product of values that are asked one by one; 0·log 0 is 0, and what else is excused."""
    result: Number = Fraction(1)
    missing: Exception | None = None
    for factor in factors:
        try:
            result = times(result, factor())
        except excused as error:
            missing = error
    if missing is not None and result != 0:
        raise missing
    return result


def real(value: Number) -> mpf:
    """A value as an `mpf` of the working precision."""
    if isinstance(value, Fraction):
        return mp.mpf(value.numerator) / value.denominator
    return value


def summed(terms: Iterable[Number]) -> Number:
    """A sum; where only the noise of the last digits is left of it, nothing is left.

    Raises MoreDigits if there may be something left with more digits.
    """
    total: Number = Fraction(0)
    most: mpf | None = None
    unsure = NO_NOISE
    for term in terms:
        if isinstance(total, Fraction) and isinstance(term, Fraction):
            total = plus(total, term)
            continue
        most = max(most or mp.mpf(0), abs(real(total)), abs(real(term)))
        unsure = max(unsure, noise(term))
        total = real(total) + real(term)
    return total if most is None else _left(total, most, unsure)


def _left(found: Number, most: mpf, unsure: float = NO_NOISE) -> Number:
    """A result, of which few digits may be left beside what it was rounded for.

    Below the power of two `unsure` it has none. Raises MoreDigits if there may be more of them, as
    in a sum.
    """
    if abs(found) >= most * mpf(10) ** -SPARE and unsure == NO_NOISE:
        return found
    if mp.dps < MOST_DIGITS:
        raise MoreDigits
    sure = float(mp.mag(found)) - max(float(mp.mag(most)) - mp.prec, unsure)
    return worn(found, int(sure)) if sure > 10 * SPARE // 3 else Fraction(0)


def times(a: Number, b: Number) -> Number:
    """A product, rational if both are."""
    return _mixed(a, b, operator.mul)


def plus(a: Number, b: Number) -> Number:
    """A sum, rational if both are."""
    return _mixed(a, b, operator.add)


def _mixed(a: Number, b: Number, operation: Callable[[Any, Any], Any]) -> Number:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return kept(operation(a, b))
    return as_sure(operation(real(a), real(b)), (a, b))


def kept(value: Fraction) -> Number:
    """A rational number, unless it has grown beyond all use."""
    above, below = abs(value.numerator).bit_length(), value.denominator.bit_length()
    return value if min(above, below) < MOST_BITS and below < LONGEST_BITS else real(value)


def power(base: Number, exponent: Number) -> Number:
    """A power; rational where it is the root of a square or a whole power of a rational."""
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and abs(exponent) <= 64:
        root = base if exponent.denominator == 1 else _root(base, exponent.denominator)
        if root is not None:
            return kept(root**exponent.numerator)
    return as_sure(raised(real(base), real(exponent)), (base,))


def _root(base: Fraction, degree: int) -> Fraction | None:
    """The root of a fraction, if that is a fraction."""
    if base < 0 or degree > FEW_BITS:
        return None
    above, below = (integer_nthroot(int(part), degree) for part in base.as_integer_ratio())
    return Fraction(int(above[0]), int(below[0])) if above[1] and below[1] else None


def going_on(compute: Callable[[], Number]) -> Number:
    """A number computed from rounded ones, where unrounded ones give a number.

    Raises MustBeUnrounded if these give none.
    """
    try:
        return compute()
    except (ArithmeticError, ValueError) as error:
        raise MustBeUnrounded from error


def reason(error: Exception) -> str:
    """Why a number could not be computed, in words."""
    return "this divides by zero" if isinstance(error, ZeroDivisionError) else str(error)


def compare(a: Number, b: Number) -> int:
    """1, 0 or -1 as a is above, equal to or below b; what only noise tells apart is equal.

    Raises MoreDigits if more of them may tell.
    """
    gap = summed((a, -b))
    return (gap > 0) - (gap < 0)
