"""The numbers of the interpreter: exact ones, duals, and slopes by differences."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy
from mpmath import mp
from sympy.printing.pycode import MpmathPrinter

from derive.functions import BY_SYMBOL

DIGITS = 50
STEP = 18  # a central difference with h = 10^-18 is good to about 10^-30
MOST_ZEROS = 300  # more of them after the point would cost too many digits
STILL = 1e-12  # a difference below it may be all error, one above its inverse a jump
SMOOTH = 1e-9  # how far apart the slopes from the left and from the right may be


def _one_by_one(terms: Sequence[Any]) -> Any:
    return reduce(operator.add, terms)


@dataclass(frozen=True, eq=False)
class Algebra:
    """A kind of number: constants, the functions by their name in the language, and sums."""

    number: Callable[[Fraction], Any]
    functions: Mapping[str, Callable[..., Any]]
    total: Callable[[Sequence[Any]], Any] = _one_by_one


@dataclass(frozen=True, eq=False, repr=False)
class Dual:
    """A number and how fast it moves; at a kink it moves as the branch that is taken."""

    value: Any
    slope: Any

    def __add__(self, other: Any) -> Dual:
        return Dual(self.value + _still(other), self.slope + _slope_of(other))

    def __sub__(self, other: Any) -> Dual:
        return self + -1 * other

    def __rsub__(self, other: Any) -> Dual:
        return other + -1 * self

    def __mul__(self, other: Any) -> Dual:
        moving = self.slope * _still(other) + self.value * _slope_of(other)
        return Dual(self.value * _still(other), moving)

    def __truediv__(self, other: Any) -> Dual:
        return self * other**-1

    def __rtruediv__(self, other: Any) -> Dual:
        return self**-1 * other

    def __pow__(self, other: Any) -> Dual:
        return _lifted(operator.pow)(self, other)

    def __rpow__(self, other: Any) -> Dual:
        return _lifted(operator.pow)(other, self)

    def __abs__(self) -> Dual:
        return Dual(abs(self.value), mp.sign(self.value) * self.slope)

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > _still(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < _still(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= _still(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= _still(other))

    __radd__, __rmul__ = __add__, __mul__


def _still(number: Any) -> Any:
    return number.value if isinstance(number, Dual) else number


def _slope_of(number: Any) -> Any:
    return number.slope if isinstance(number, Dual) else mp.zero


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A smooth function that also takes duals, its slopes found by differences."""

    def lifted(*arguments: Any) -> Any:
        if not any(isinstance(argument, Dual) for argument in arguments):
            return function(*arguments)
        still = [_still(argument) for argument in arguments]
        slope = mp.mpf(0)
        for k, argument in enumerate(arguments):
            if isinstance(argument, Dual):
                slope += argument.slope * partial(function, still, k)
        return Dual(function(*still), slope)

    return lifted


def partial(function: Callable[..., Any], at: Sequence[Any], k: int) -> Any:
    """A central difference by one argument, with a step that is small beside the argument.

    Beside an argument that is all but zero only a power needs such a step; it scales with it. The
    step is so fine that the slope is good to all digits: chains of slopes must not lose any.
    """
    zeros = max(0, -mp.mag(at[k]) // 3) if at[k] else 0
    scale = mp.mpf(10) ** -zeros
    if zeros > MOST_ZEROS:
        zeros, scale = 0, at[k] if function is operator.pow else mp.mpf(1)
    step = scale * mp.mpf(10) ** (-2 * STEP)
    before_the_point = max(0, mp.mag(at[k]) // 3) if at[k] else 0
    with mp.workdps(DIGITS + 3 * STEP + zeros + min(before_the_point, MOST_ZEROS)):
        high = function(*at[:k], at[k] + step, *at[k + 1 :])
        low = function(*at[:k], at[k] - step, *at[k + 1 :])
        return (high - low) / (2 * step)


def _rounded_once(terms: Sequence[Any]) -> Any:
    """A sum that mpmath rounds once, which is faster than term by term; it knows no duals."""
    try:
        return mp.fsum(terms)
    except TypeError:
        return _one_by_one(terms)


EXACT = Algebra(
    lambda value: mp.mpf(value.numerator) / value.denominator,
    {
        **{r.name: r.exact if r.slopes else _lifted(r.exact) for r in BY_SYMBOL.values()},
        "sign": lambda x: mp.sign(_still(x)),
    },
    _rounded_once,
)


class _Printer(MpmathPrinter):
    """Whole numbers as numbers of mpmath: Python's `6**-2` is a float with 16 digits."""

    def _print_Integer(self, expr: sympy.Integer) -> str:
        return f"mpf({expr.p})"

    def _print_ComplexInfinity(self, expr: sympy.Expr) -> str:
        return "nan"


FUNCTIONS = {row.symbol.__name__: row.exact for row in BY_SYMBOL.values()}
PRINTER = _Printer(
    {"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True}
)


def exact_function(
    arguments: Sequence[sympy.Symbol],
    expr: Any,
    functions: Mapping[str, Callable[..., Any]] = FUNCTIONS,
) -> Callable[..., Any]:
    """A function of mpmath's numbers that computes an expression, or a list of them."""
    return sympy.lambdify(arguments, expr, [functions, "mpmath"], printer=PRINTER, cse=True)


def slope(function: Callable[[Any], Any], here: Any = None) -> Any:
    """How fast a function of a small shift moves at 0; `here` is its value there, if it is known.

    A central difference; where it has a kink, or hardly moves, the slope of the branch taken.
    """
    step = mp.mpf(10) ** -STEP
    above, below = function(step), function(-step)
    here = function(mp.mpf(0)) if here is None else here
    central = (above - below) / (2 * step)
    steady = STILL < abs(central) < 1 / STILL
    if steady and abs(above - 2 * here + below) / step <= SMOOTH * abs(central):
        return central
    return _slope_of(function(Dual(mp.mpf(0), mp.mpf(1))))
