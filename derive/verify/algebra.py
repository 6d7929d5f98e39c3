"""The numbers of the interpreter: exact ones, duals, and slopes by differences."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy
from mpmath import mp
from sympy.printing.pycode import MpmathPrinter

from derive.exactly import raised
from derive.functions import BY_NAME, BY_SYMBOL

DIGITS = 100
STEP = 40  # a central difference with h = 10^-40 is good to about 60 digits, and to 40 at a bend
MOST_ZEROS = 300  # more of them after the point would cost too many digits
TINY, SPARE = -200, 60  # bits: of a sum that may be noise, and how many of its terms may cancel
STILL, STEEP = 1e-12, 1e25  # a difference below it may be all error, one above it a jump
LEAP = 1e-12  # by what share a jump changes what jumps; a steep slope changes it by less
BENT = 1e-20  # a smooth function bends less within a step
SMOOTH = 1e-20  # how far apart the slopes from the left and from the right may be
NOISE = (-30, 20)  # what computing with n digits leaves of equal values is of such powers, less n


def working(digits: int = DIGITS) -> AbstractContextManager[object]:
    """The working precision: `DIGITS`, or more where a page or a caller has asked for more."""
    context: AbstractContextManager[object] = mp.workdps(max(DIGITS, digits, mp.dps))
    return context


LOG = BY_NAME["log"].exact
Pairs = Sequence[tuple[Any, Any]]


def _one_by_one(terms: Sequence[Any]) -> Any:
    return reduce(operator.add, terms)


@dataclass(frozen=True, eq=False)
class Algebra:
    """A kind of number: constants, the functions by their name in the language, sums and powers.

    With `symbols` π and e stay what they are: of sin(π) there is not even noise.

    `decided` tells whether an indicator is 1, where that can be told; then the branch not taken is
    not evaluated. `dot` is a sum of products of two numbers where there is a faster way to it.
    `divisor` is what is divided by, checked where a quotient is not to be trusted with any.
    """

    number: Callable[[Fraction], Any]
    functions: Mapping[str, Callable[..., Any]]
    total: Callable[[Sequence[Any]], Any] = _one_by_one
    decided: Callable[[Any], bool | None] = lambda indicator: None
    power: Callable[[Any, Any], Any] = operator.pow
    dot: Callable[[Pairs], Any] | None = None
    divisor: Callable[[Any], Any] = lambda value: value
    symbols: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Dual:
    """A number and how fast it moves; at a kink it moves as the branch that is taken.

    What is multiplied by nothing is nothing, and a root does not move at 0.
    """

    value: Any
    slope: Any

    def __add__(self, other: Any) -> Dual:
        return Dual(self.value + _still(other), self.slope + _slope_of(other))

    def __sub__(self, other: Any) -> Dual:
        return self + -1 * other

    def __rsub__(self, other: Any) -> Dual:
        return other + -1 * self

    def __mul__(self, other: Any) -> Dual:
        moving = _times(self.slope, _still(other)) + _times(self.value, _slope_of(other))
        return Dual(_times(self.value, _still(other)), moving)

    def __truediv__(self, other: Any) -> Dual:
        return self * other**-1

    def __rtruediv__(self, other: Any) -> Dual:
        return self**-1 * other

    def __pow__(self, other: Any) -> Dual:
        if self.value == 0 and _still(other) >= 0:
            moving = self.slope if _still(other) == 1 else mp.zero
            return Dual(self.value ** _still(other), moving)
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


def _times(a: Any, b: Any) -> Any:
    return a * b if a and b else mp.zero


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

    The step scales with a large argument and with a power's base; and with an argument that is all
    but zero, where a function like the logarithm ends there.
    """
    if not mp.isfinite(at[k]):
        return mp.nan  # in a branch that is not taken; one that is taken says that it has no value
    zeros = max(0, -mp.mag(at[k]) // 3) if at[k] else 0
    scale = mp.mpf(10) ** -zeros
    if at[k] and (mp.mag(at[k]) > 0 or (function is operator.pow and k == 0)):
        zeros, scale = 0, at[k]
    elif zeros > MOST_ZEROS:
        zeros, scale = 0, at[k] if _ends_at_zero(function, at, k) else mp.one
    if function is LOG and at[k]:  # e^1000 ± 10^-18 would need 450 digits
        zeros, scale = 0, at[k]
    step = scale * mp.mpf(10) ** -STEP
    with mp.workdps(max(DIGITS, mp.dps) + DIGITS + zeros):  # of a step as of a value
        high = function(*at[:k], at[k] + step, *at[k + 1 :])
        low = function(*at[:k], at[k] - step, *at[k + 1 :])
        return (high - low) / (2 * step)


def _ends_at_zero(function: Callable[..., Any], at: Sequence[Any], k: int) -> bool:
    """Whether a function has no value where one argument is zero."""
    try:
        return not mp.isfinite(function(*at[:k], mp.zero, *at[k + 1 :]))
    except (ArithmeticError, ValueError):
        return True


def _rounded_once(terms: Sequence[Any]) -> Any:
    """A sum that mpmath rounds once, which is faster than term by term; it knows no duals."""
    try:
        return summed(terms)
    except TypeError:
        if not all(isinstance(term, mp.mpf | Dual) for term in terms):
            return _one_by_one(terms)
        return Dual(summed([_still(term) for term in terms]), mp.fsum(map(_slope_of, terms)))


def summed(terms: Sequence[Any]) -> Any:
    """A sum of numbers; nothing where only the noise of the last digits is left of it."""
    total = mp.fsum(terms)
    if total and mp.mag(total) < TINY:
        size = max(mp.mag(term) for term in terms if term)
        if mp.mag(total) < size - mp.prec + SPARE:
            return mp.zero
    return total


def _dot(pairs: Pairs) -> Any:
    return _rounded_once([a * b for a, b in pairs])


def order(a: Any, b: Any) -> int:
    """1, 0 or -1 as a is above, equal to or below b; what only noise tells apart is equal."""
    gap = _still(a) - _still(b)
    if gap == 0:
        return 0
    size = max(0, *(mp.mag(_still(each)) for each in (a, b) if each))
    low, high = ((power - max(DIGITS, mp.dps)) * 10 // 3 for power in NOISE)
    if low < mp.mag(gap) < high + size:
        return 0
    return 1 if gap > 0 else -1


def _comparing(order: Callable[[Any, Any], int]) -> dict[str, Callable[..., Any]]:
    """What compares, by its name in the language."""
    return {
        "max": lambda a, b: b if order(b, a) > 0 else a,
        "min": lambda a, b: b if order(b, a) < 0 else a,
        "greater": lambda a, b: mp.mpf(order(a, b) > 0),
        "at_least": lambda a, b: mp.mpf(order(a, b) >= 0),
        "sign": lambda x: mp.mpf(order(x, 0)),
        "abs": lambda x: order(x, 0) * x,
        "floor": lambda x: _floor(x, order),
        "atan2": lambda y, x: angle(y, x, order, ATAN),
    }


def _floor(x: Any, order: Callable[[Any, Any], int]) -> Any:
    """The largest whole number not above x; what only noise tells from a whole number is one."""
    near = mp.nint(_still(x))
    return near - 1 if order(x, near) < 0 else near


def angle(y: Any, x: Any, order: Callable[[Any, Any], int], atan: Callable[[Any], Any]) -> Any:
    """The angle of a point as what its side gives it: there is no jump within a side."""
    if order(x, 0) > 0:
        return atan(y / x)
    if side := order(y, 0):
        return side * (mp.pi / 2) - atan(x / y)
    return mp.pi + atan(y / x) if order(x, 0) < 0 else mp.zero


ATAN = _lifted(BY_NAME["atan"].exact)
TIES = _comparing(order)
EXACT = Algebra(
    lambda value: mp.mpf(value.numerator) / value.denominator,
    {r.name: r.exact if r.chooses else _lifted(r.exact) for r in BY_SYMBOL.values()}
    | TIES
    | {"stop_gradient": _still},
    _rounded_once,
    lambda indicator: bool(_still(indicator) == 1),
    power=raised,
    dot=_dot,
)


def noting(found: list[int]) -> Algebra:
    """The same numbers; how every comparison came out is noted."""

    def noted(a: Any, b: Any) -> int:
        found.append(order(a, b))
        return found[-1]

    return replace(EXACT, functions={**EXACT.functions, **_comparing(noted)})


class _Printer(MpmathPrinter):
    """Whole numbers as numbers of mpmath: Python's `6**-2` is a float with 16 digits."""

    def _print_Integer(self, expr: sympy.Integer) -> str:
        return f"mpf({expr.p})"

    def _print_ComplexInfinity(self, expr: sympy.Expr) -> str:
        return "nan"


FUNCTIONS = {
    **{row.symbol.__name__: TIES.get(row.name, row.exact) for row in BY_SYMBOL.values()},
    "Heaviside": lambda x, at_zero: (at_zero, mp.one, mp.zero)[order(x, 0)],
    "sign": TIES["sign"],
}
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


def lazy_function(
    arguments: Sequence[sympy.Symbol],
    expr: Any,
    functions: Mapping[str, Callable[..., Any]] = FUNCTIONS,
) -> Callable[..., Any]:
    """The same, but a choice asks the branch it takes only, and a factor 0 makes a product 0."""

    def computed(*values: Any) -> Any:
        known = dict(zip(arguments, values, strict=True))
        walk = _Walk(known, functions)
        return [walk(e) for e in expr] if isinstance(expr, list) else walk(expr)

    return computed


class Choice(sympy.Function):
    """A choice by a test that is 1 or 0, differentiated branch by branch; SymPy's own tests it."""

    nargs = 3
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        shares = [int(argindex == k) for k in (2, 3)]
        return Choice(self.args[0], *shares) if argindex > 1 else sympy.Integer(0)


class _Walk:
    """The values of expressions at one point; each node is looked at once, and only if asked."""

    def __init__(self, known: Mapping[Any, Any], functions: Mapping[str, Any]) -> None:
        self.found: dict[Any, Any] = dict(known)
        self.functions = functions

    def __call__(self, expr: Any) -> Any:
        if expr not in self.found:
            self.found[expr] = self._value(expr)
        return self.found[expr]

    def _value(self, expr: Any) -> Any:
        match expr:
            case sympy.Rational():
                return mp.mpf(expr.p) / expr.q
            case sympy.Add():
                return mp.fsum(map(self, expr.args))
            case sympy.Mul():
                return self._product(expr)
            case sympy.Pow():
                return self(expr.base) ** self(expr.exp)
            case Choice():
                test, yes, no = expr.args
                return self(yes if self(test) == 1 else no)
        if not expr.args:
            if expr.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
                raise ZeroDivisionError(f"{expr} is no number")
            return mp.mpf(expr.evalf(DIGITS))
        name = expr.func.__name__
        own: Any = self.functions.get(name) or _OWN.get(name)
        function: Any = own or getattr(mp, name)
        return function(*map(self, expr.args))

    def _product(self, expr: sympy.Mul) -> Any:
        result, missing = mp.one, None
        for factor in expr.args:
            try:
                value = self(factor)
            except (ZeroDivisionError, ValueError) as error:
                missing = error
                continue
            if value == 0:
                return mp.zero
            result *= value
        if missing is not None:
            raise missing
        return result


_OWN = {
    "Abs": abs,
    "Max": max,
    "Min": min,
    "Heaviside": lambda x, at_zero: mp.mpf(x > 0) if x != 0 else at_zero,
}


def slope(function: Callable[[Any], Any], here: Any = None, holds: bool = False) -> Any:
    """How fast a function of a small shift moves at 0; `here` is its value there, if it is known.

    A central difference; where it has a kink, or hardly moves, or has values on one side only, the
    slope of the branch taken. What a function `holds` fixed would move in a difference; a dual
    number leaves it where it is.
    """
    return slope_and_bend(function, here, holds)[0]


def slope_and_bend(
    function: Callable[[Any], Any], here: Any = None, holds: bool = False
) -> tuple[Any, bool]:
    """The slope, and whether the function has a kink, a step or an end there."""
    if holds:
        return _branch_slope(function), False
    step = mp.mpf(10) ** -STEP
    here = function(mp.mpf(0)) if here is None else here
    try:
        above, below = function(step), function(-step)
    except (ValueError, ZeroDivisionError):
        above = below = None
    if not isinstance(above, mp.mpf) or not isinstance(below, mp.mpf):
        return _branch_slope(function), True
    central, bend = (above - below) / (2 * step), abs(above - 2 * here + below) / step
    smooth = bend <= SMOOTH * abs(central)
    jumps = abs(central) > STEEP and abs(above - below) > LEAP * max(abs(above), abs(below))
    if smooth and abs(central) > STILL and not jumps:
        return central, False
    bent = jumps or (bend > BENT and not smooth)
    return _branch_slope(function), bool(bent)


def _branch_slope(function: Callable[[Any], Any]) -> Any:
    return _slope_of(function(Dual(mp.mpf(0), mp.mpf(1))))
