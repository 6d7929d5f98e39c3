"""What a graph means: a slow nested-loop interpreter over any kind of number.

It is the oracle of the routes, so it shares no code with the calculus, the scalar view or the
emitters. Numbers may be `mpf`, `Dual`, SymPy expressions, or scalars of a tensor library.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.expression import (
    Chosen,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Slope,
    Total,
)
from derive.functions import BY_SYMBOL, maximum, minimum
from derive.graph import Equation, Graph

Key = tuple[str, tuple[int, ...]]
Values = dict[Key, Any]
DIGITS = 50
_CONSTANTS = {sympy.pi: mp.pi, sympy.E: mp.e}
STEP = 18  # a central difference with h = 10^-18 is good to about 10^-30
STILL = 1e-12  # a difference below it may be all error, one above its inverse a jump
SMOOTH = 1e-9  # how far apart the slopes from the left and from the right may be


@dataclass(frozen=True)
class Algebra:
    """A kind of number: how constants enter, and the functions by their name in the language."""

    number: Callable[[Fraction], Any]
    functions: Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, eq=False)
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
    return number.slope if isinstance(number, Dual) else mp.mpf(0)


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A smooth function that also takes duals, its slopes found by differences."""

    def lifted(*arguments: Any) -> Any:
        if not any(isinstance(argument, Dual) for argument in arguments):
            return function(*arguments)
        still = [_still(argument) for argument in arguments]
        slope = mp.mpf(0)
        for k, argument in enumerate(arguments):
            if isinstance(argument, Dual):
                slope += argument.slope * _partial(function, still, k)
        return Dual(function(*still), slope)

    return lifted


def _partial(function: Callable[..., Any], at: list[Any], k: int) -> Any:
    """A central difference by one argument, with a step that is small beside the argument."""
    zeros = max(0, -mp.mag(at[k]) // 3) if at[k] else 0
    with mp.workdps(DIGITS + zeros):
        step = mp.mpf(10) ** -(STEP + zeros)
        high = function(*at[:k], at[k] + step, *at[k + 1 :])
        low = function(*at[:k], at[k] - step, *at[k + 1 :])
        return (high - low) / (2 * step)


EXACT = Algebra(
    lambda value: mp.mpf(value.numerator) / value.denominator,
    {
        **{r.name: r.exact if r.slopes else _lifted(r.exact) for r in BY_SYMBOL.values()},
        "sign": lambda x: mp.sign(_still(x)),
    },
)


LAMBDIFIED = [{row.symbol.__name__: row.exact for row in BY_SYMBOL.values()}, "mpmath"]


def slope(function: Callable[[Any], Any]) -> Any:
    """How fast a function of a small shift moves at 0.

    A central difference; where it has a kink, or hardly moves, the slope of the branch taken.
    """
    step = mp.mpf(10) ** -STEP
    here, above, below = (function(shift) for shift in (mp.mpf(0), step, -step))
    central = (above - below) / (2 * step)
    steady = STILL < abs(central) < 1 / STILL
    if steady and abs(above - 2 * here + below) / step <= SMOOTH * abs(central):
        return central
    return _slope_of(function(Dual(mp.mpf(0), mp.mpf(1))))


def element_slope(expr: sympy.Expr, values: Values, binding: Mapping[Index, int], key: Key) -> Any:
    """How fast an expression moves with one element that it reads."""

    def moved(shift: Any) -> Any:
        return value(expr, {**values, key: values[key] + shift}, dict(binding), EXACT)

    return slope(moved)


def run(
    graph: Graph, given: Values, algebra: Algebra = EXACT, moved: Mapping[Key, Any] | None = None
) -> Values:
    """The value of every element of the graph; `moved` adds to an element once it is known."""
    shifts = moved or {}
    values = _OnDemand(graph, algebra, shifts)
    values.update({key: v + shifts[key] if key in shifts else v for key, v in given.items()})
    for equation in graph.equations:
        places = list(product(*[range(axis.length) for axis in equation.quantity.axes]))
        for place in reversed(places) if _looks_ahead(equation) else places:
            values.compute((equation.quantity.name, place))
    return dict(values)


class _OnDemand(dict[Key, Any]):
    """Values that are computed when they are first asked for: that is all a recurrence needs."""

    def __init__(self, graph: Graph, algebra: Algebra, shifts: Mapping[Key, Any]) -> None:
        super().__init__()
        self.equations = {equation.quantity.name: equation for equation in graph.equations}
        self.shapes = {name: equation.quantity.shape for name, equation in self.equations.items()}
        self.algebra = algebra
        self.shifts = shifts
        self.busy: set[Key] = set()

    def get(self, key: Key, default: Any = None) -> Any:
        if key in self:
            return self[key]
        shape = self.shapes.get(key[0])
        if shape is None or not all(0 <= k < n for k, n in zip(key[1], shape, strict=True)):
            return default
        return self.compute(key)

    def compute(self, key: Key) -> Any:
        if key in self:
            return self[key]
        if key in self.busy:
            raise ValueError(f"{key[0]}{list(key[1])} depends on itself")
        self.busy.add(key)
        equation = self.equations[key[0]]
        binding = dict(zip(equation.indices, key[1], strict=True))
        result = value(equation.rhs, self, binding, self.algebra)
        self.busy.remove(key)
        self[key] = result + self.shifts[key] if key in self.shifts else result
        return self[key]


def _looks_ahead(equation: Equation) -> bool:
    """Whether an equation reads itself beyond the entry it defines; then the last comes first."""
    return any(
        (position - index).is_positive
        for element in equation.rhs.atoms(Element)
        if element.name == equation.quantity.name
        for position, index in zip(element.indices, equation.indices, strict=True)
    )


def value(expr: sympy.Expr, values: Values, binding: dict[Index, int], algebra: Algebra) -> Any:
    """The value of an expression with its free indices bound."""

    def again(node: sympy.Expr, more: Mapping[Index, int] | None = None) -> Any:
        return value(node, values, {**binding, **(more or {})}, algebra)

    match expr:
        case Element():
            place = tuple(_position(index, values, binding) for index in expr.indices)
            return values.get((expr.name, place), algebra.number(Fraction(0)))
        case Index():
            return algebra.number(Fraction(binding[expr]))
        case sympy.Rational():
            return algebra.number(Fraction(int(expr.p), int(expr.q)))
        case Total():
            total = algebra.number(Fraction(0))
            for k in range(expr.index.axis.length):
                total = total + again(expr.body, {expr.index: k})
            return total
        case LogTotalExp():
            return algebra.functions["log"](again(Total(sympy.exp(expr.body), expr.index)))
        case Largest():
            return reduce(
                algebra.functions["max"], _compared(expr, values, binding, algebra).values()
            )
        case Chosen():
            compared = _compared(expr.largest, values, binding, algebra)
            winner = max(compared, key=lambda place: compared[place])  # the first at a tie
            asked = tuple(_position(place, values, binding) for place in expr.positions)
            return algebra.number(Fraction(int(winner == asked)))
        case Delta():
            left, right = (_position(side, values, binding) for side in expr.args)
            return algebra.number(Fraction(int(left == right)))
        case Inside():
            position, size = (_position(side, values, binding) for side in expr.args)
            return algebra.number(Fraction(int(0 <= position < size)))
        case Slope():
            place = tuple(_position(index, values, binding) for index in expr.element.indices)
            return element_slope(expr.body, values, binding, (expr.element.name, place))
        case sympy.Add():
            total = again(expr.args[0])
            for argument in expr.args[1:]:
                total = total + again(argument)
            return total
        case sympy.Mul():
            result = again(expr.args[0])
            for argument in expr.args[1:]:
                result = result * again(argument)
            return result
        case sympy.Pow():
            return _power(expr, again, algebra)
    if expr in _CONSTANTS:
        with mp.workdps(DIGITS):
            return algebra.number(Fraction(mp.nstr(+_CONSTANTS[expr], DIGITS)))
    arguments = expr.args
    if isinstance(expr, maximum | minimum) and arguments[1].is_number:
        arguments = arguments[::-1]  # the first wins a tie, and a constant wins against all
    name = BY_SYMBOL[expr.func].name
    return algebra.functions[name](*[again(argument) for argument in arguments])


def _power(expr: sympy.Pow, again: Callable[..., Any], algebra: Algebra) -> Any:
    base, exponent = expr.args
    if exponent == sympy.Rational(1, 2):
        return again(base) ** algebra.number(Fraction(1, 2))
    if exponent.is_Integer:
        whole = again(base) ** abs(int(exponent))
        return whole if exponent > 0 else algebra.number(Fraction(1)) / whole
    return again(base) ** again(exponent)


def _position(expr: sympy.Expr, values: Values, binding: Mapping[Index, int]) -> int:
    """A position as a number; it must come out whole."""

    def again(node: sympy.Expr) -> int:
        return _position(node, values, binding)

    match expr:
        case Index():
            return binding[expr]
        case sympy.Integer():
            return int(expr)
        case sympy.Add():
            return sum(map(again, expr.args))
        case sympy.Mul():
            return math.prod(map(again, expr.args))
        case sympy.Pow(exp=sympy.Integer()) if expr.exp > 0:
            return again(expr.base) ** int(expr.exp)
        case Element():
            place = tuple(map(again, expr.indices))
            found = values.get((expr.name, place), 0)
            if int(found) == found:
                return int(found)
    raise ValueError(f"the index {expr} is not whole")


def _compared(
    expr: Largest, values: Values, binding: Mapping[Index, int], algebra: Algebra
) -> dict[tuple[int, ...], Any]:
    """What a maximum is taken over, by place."""
    found = {}
    for place in product(*[range(index.axis.length) for index in expr.bound]):
        below = {**binding, **dict(zip(expr.bound, place, strict=True))}
        found[place] = value(expr.body, values, below, algebra)
    return found
