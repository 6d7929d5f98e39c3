"""How far a number that is computed in double precision may be from the true one.

A number of this algebra knows its value, with all digits, and a bound of the error that doubles
make on the way to it: each operation passes on the errors of its operands and rounds. What doubles
hold exactly has no error. A comparison that the errors leave open has that of the other answer.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from mpmath import mp

from derive.functions import BY_NAME, BY_SYMBOL
from derive.verify.algebra import EXACT, Algebra, Pairs, order

BITS = 53  # binary digits of a double
UNIT = mp.mpf(2) ** -BITS
TINY = mp.mpf(2) ** -1022  # below it digits are lost; only a result can be blamed for its size
SMALLEST, LAST = -1021, -1074  # of the power of two of a full double, and of the last digit of all
UNDERFLOW = mp.mpf(2) ** (LAST - 1)
BEYOND = mp.mpf(2) ** 1100  # what is this far off may be any double
ALGEBRAIC = (operator.truediv, operator.pow, mp.sqrt)
MARGIN = 8  # the same value by other formulas: each rounds a little differently


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Double:
    """A value, and how far off it may come out."""

    value: Any
    error: Any

    def __add__(self, other: Any) -> Double:
        return _total((self, other))

    def __sub__(self, other: Any) -> Double:
        return _total((self, -1 * as_double(other)))

    def __rsub__(self, other: Any) -> Double:
        return _total((other, -1 * self))

    def __mul__(self, other: Any) -> Double:
        b = other if isinstance(other, Double) else double(other)
        if not (self and b):
            return Double(mp.zero, mp.zero)  # whatever the other factor is, also if it is nothing
        found = self.value * b.value
        passed = (abs(self.value) + self.error) * b.error + abs(b.value) * self.error
        return Double(found, passed + rounding(found))

    def __bool__(self) -> bool:
        """Whether it may be anything but zero."""
        return bool(self.value) or bool(self.error)

    def __truediv__(self, other: Any) -> Double:
        return _carried(operator.truediv)(self, other)

    def __rtruediv__(self, other: Any) -> Double:
        return _carried(operator.truediv)(other, self)

    def __pow__(self, other: Any) -> Double:
        return _carried(operator.pow)(self, other)

    def __rpow__(self, other: Any) -> Double:
        return _carried(operator.pow)(other, self)

    def __neg__(self) -> Double:
        return Double(-self.value, self.error)

    def __abs__(self) -> Double:
        return Double(abs(self.value), self.error)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == as_double(other).value)

    __radd__, __rmul__ = __add__, __mul__


NOWHERE = Double(mp.inf, mp.inf)  # no real number; of a branch that is not taken, or found out


def double(value: Any) -> Double:
    """A given number, rounded to a double."""
    exact = mp.mpf(value)
    return Double(exact, rounding(exact))


def as_double(number: Any) -> Double:
    """A number of this algebra as it is, any other rounded."""
    return number if isinstance(number, Double) else double(number)


def rounding(value: Any) -> Any:
    """How far a result may be rounded; nothing if it is a double."""
    _, _, exponent, bits = value._mpf_
    if value and bits + exponent < SMALLEST:
        return mp.zero if exponent >= LAST and bits <= BITS else UNDERFLOW
    return mp.zero if bits <= BITS else abs(value) * UNIT


def _total(terms: Sequence[Any]) -> Double:
    """A sum in any order; it rounds nothing if no partial sum has more digits than a double."""
    numbers = [as_double(term) for term in terms]
    return _summed([n.value for n in numbers], mp.fsum(n.error for n in numbers))


def _summed(values: Sequence[Any], passed: Any) -> Double:
    size = mp.fsum(values, absolute=True)
    finest = min((v._mpf_[2] for v in values if v), default=0)
    fits = size < mp.ldexp(1, finest + BITS)
    rounded = mp.zero if fits else size * UNIT * (len(values) - 1)
    return Double(mp.fsum(values), passed + rounded)


def _dot(pairs: Pairs) -> Double:
    """A sum of products, as the operators find it term by term."""
    if len(pairs) == 1:  # the gradient of a matrix, where there is one sample
        return as_double(pairs[0][0]) * as_double(pairs[0][1])
    values, passed = [], []
    for a, b in pairs:
        x, y = as_double(a), as_double(b)
        if not (x and y):
            values.append(mp.zero)
            continue
        values.append(x.value * y.value)
        passed += [x.value * y.error, y.value * x.error, x.error * y.error]
    rounded = mp.fsum(map(rounding, values))
    return _summed(values, mp.fsum(passed, absolute=True) + rounded)


def _carried(function: Callable[..., Any], least: Any = 0) -> Callable[..., Double]:
    """A function whose errors are those of the corners that its arguments may move to.

    `least` is what a sum of large terms leaves where the function is zero, as at lgamma(2).

    A quotient or a root that is a double is one; any other function only looks so, as tanh(160)
    does beside 1, and exp(0) where another formula has exp(log 2 - log 2).
    """
    algebraic = function in ALGEBRAIC

    def carried(*arguments: Any) -> Double:
        numbers = [as_double(argument) for argument in arguments]
        try:
            found = function(*[number.value for number in numbers])
        except (ArithmeticError, ValueError):
            return NOWHERE
        if not isinstance(found, mp.mpf):
            return NOWHERE
        rounded = rounding(found) if algebraic else max(abs(found) * UNIT, rounding(found))
        return Double(found, _spread(function, numbers, found) + 2 * max(rounded, least))

    return carried


def _spread(function: Callable[..., Any], numbers: Sequence[Double], found: Any) -> Any:
    """How far the corners are from the value; without bound if one of them has no value."""
    if not all(mp.isfinite(number.error) for number in numbers):
        return mp.inf
    errors = [min(n.error, BEYOND) for n in numbers]
    pairs = zip(numbers, errors, strict=True)
    ends = [(n.value - e, n.value + e) if e else (n.value,) for n, e in pairs]
    if function is operator.truediv and ends[1][0] <= 0 <= ends[1][-1]:
        return mp.inf
    try:
        corners = [function(*corner) for corner in product(*ends)]
    except (ArithmeticError, ValueError):
        return mp.inf
    if any(isinstance(corner, mp.mpc) for corner in corners):
        return mp.inf
    return max(abs(corner - found) for corner in corners)


def _open(a: Double, b: Double) -> bool:
    """Whether doubles may answer differently which of two is larger."""
    doubt = a.error + b.error
    return bool(doubt and not abs(a.value - b.value) > doubt)


def _compared(holds: Callable[[int], int], most: int = 1) -> Callable[..., Double]:
    def compared(x: Any, y: Any = 0) -> Double:
        a, b = as_double(x), as_double(y)
        if _open(a, b):
            return Double(mp.mpf(holds(order(a.value, b.value))), mp.mpf(most))
        # what is farther apart than doubles err is no noise, however small
        return Double(mp.mpf(holds(int(mp.sign(a.value - b.value)))), mp.zero)

    return compared


def _extreme(sign: int) -> Callable[..., Double]:
    def extreme(x: Any, y: Any) -> Double:
        a, b = as_double(x), as_double(y)
        taken = b if sign * (b.value - a.value) > 0 else a  # also where next to nothing tells them
        return Double(taken.value, max(a.error, b.error)) if _open(a, b) else taken

    return extreme


def _where(condition: Any, yes: Any, no: Any) -> Double:
    test, a, b = map(as_double, (condition, yes, no))
    taken, other = (a, b) if order(test.value, 1) == 0 else (b, a)
    if not test.error:
        return taken
    return Double(taken.value, taken.error + other.error + abs(a.value - b.value))


def _wave(function: Callable[..., Any]) -> Callable[..., Double]:
    """A sine or cosine: of an argument that is off by a good part of a turn it may be anything."""
    carried = _carried(function)

    def wave(x: Any) -> Double:
        found = carried(x)
        return found if as_double(x).error < 1 else Double(found.value, 1 + abs(found.value))

    return wave


_OWN: Mapping[str, Callable[..., Double]] = {
    "max": _extreme(1),
    "min": _extreme(-1),
    "greater": _compared(lambda sign: sign > 0),
    "at_least": _compared(lambda sign: sign >= 0),
    "sign": _compared(lambda sign: sign, 2),
    "abs": lambda x: abs(as_double(x)),
    "stop_gradient": as_double,
    "where": _where,
    "sin": _wave(BY_NAME["sin"].exact),
    "cos": _wave(BY_NAME["cos"].exact),
}


def _decided(indicator: Any) -> bool | None:
    """Whether a condition holds; None where doubles may answer otherwise."""
    test = as_double(indicator)
    return None if test.error else order(test.value, 1) == 0


def _number(value: Fraction) -> Double:
    return double(EXACT.number(value))


DOUBLES = Algebra(
    _number,
    {
        row.name: _OWN.get(row.name) or _carried(row.exact, UNIT if row.smooth else 0)
        for row in BY_SYMBOL.values()
    },
    _total,
    _decided,
    dot=_dot,
)
NAMED = {
    **{row.symbol.__name__: DOUBLES.functions[row.name] for row in BY_SYMBOL.values()},
    "sqrt": _carried(mp.sqrt),
    "Abs": _OWN["abs"],
    "Max": _OWN["max"],
    "Min": _OWN["min"],
}


def within(error: Any, tolerance: float) -> Any:
    """The size below which a relative tolerance is an absolute one: that of the error."""
    size = max(MARGIN * error, TINY) / tolerance
    return mp.inf if mp.isnan(size) else size
