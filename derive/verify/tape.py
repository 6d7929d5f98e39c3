"""All slopes of a graph at once: numbers that remember what they were made of.

The interpreter is run once on such numbers and the way back is walked once, so that a thousand
slopes cost little more than one. Local slopes are differences in 50 digits; at a kink a number
moves as the branch that is taken. It shares nothing with the calculus, which works on equations.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mpmath import mp

from derive.functions import BY_NAME, BY_SYMBOL
from derive.graph import Graph
from derive.verify.algebra import (
    EXACT,
    TIES,
    Algebra,
    Pairs,
    angle,
    order,
    partial,
    summed,
    working,
)
from derive.verify.interpreter import Program
from derive.verify.meaning import Key, Values


@dataclass(frozen=True, eq=False, repr=False)
class Made:
    """A number with what it was made of, and how fast it moves with each of that."""

    value: Any
    parts: tuple[tuple[Made, Any], ...] = ()

    def __add__(self, other: Any) -> Made:
        return Made(self.value + _still(other), _parts((self, 1), (other, 1)))

    def __sub__(self, other: Any) -> Made:
        return Made(self.value - _still(other), _parts((self, 1), (other, -1)))

    def __rsub__(self, other: Any) -> Made:
        return Made(_still(other) - self.value, _parts((self, -1), (other, 1)))

    def __mul__(self, other: Any) -> Made:
        still = _still(other)
        return Made(self.value * still, _parts((self, still), (other, self.value)))

    def __truediv__(self, other: Any) -> Made:
        still = _still(other)
        made = self.value / still
        return Made(made, _parts((self, 1 / still), (other, -made / still)))

    def __rtruediv__(self, other: Any) -> Made:
        made = _still(other) / self.value
        return Made(made, _parts((self, -made / self.value), (other, 1 / self.value)))

    def __pow__(self, other: Any) -> Made:
        if self.value == 0 and _still(other) > 0 and _still(other) != 1:
            return Made(mp.zero)  # a power does not move at 0; of a root that is the convention
        return _lifted(operator.pow)(self, other)

    def __rpow__(self, other: Any) -> Made:
        return _lifted(operator.pow)(other, self)

    def __neg__(self) -> Made:
        return Made(-self.value, ((self, -1),))

    def __abs__(self) -> Made:
        return Made(abs(self.value), ((self, mp.sign(self.value)),))

    def __eq__(self, other: object) -> bool:
        return bool(self.value == _still(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > _still(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < _still(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= _still(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= _still(other))

    __radd__, __rmul__, __hash__ = __add__, __mul__, object.__hash__


def _still(number: Any) -> Any:
    return number.value if isinstance(number, Made) else number


def _parts(*pairs: tuple[Any, Any]) -> tuple[tuple[Made, Any], ...]:
    return tuple([pair for pair in pairs if isinstance(pair[0], Made)])


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A smooth function of such numbers."""

    def lifted(*arguments: Any) -> Any:
        still = [_still(argument) for argument in arguments]
        moving = [
            (argument, partial(function, still, k))
            for k, argument in enumerate(arguments)
            if isinstance(argument, Made)
        ]
        value = function(*still)
        return Made(value, tuple(moving)) if moving else value

    return lifted


def _total(terms: Sequence[Any]) -> Any:
    value = summed([_still(term) for term in terms])
    moving = _parts(*[(term, 1) for term in terms])
    return Made(value, moving) if moving else value


def _dot(pairs: Pairs) -> Any:
    value = summed([_still(a) * _still(b) for a, b in pairs])
    moving = _parts(*[p for a, b in pairs for p in ((a, _still(b)), (b, _still(a)))])
    return Made(value, moving) if moving else value


def _compared(sign: Callable[[int], bool]) -> Callable[[Any, Any], Any]:
    return lambda a, b: mp.mpf(sign(order(_still(a), _still(b))))


def _above(a: Any, b: Any) -> int:
    return order(_still(a), _still(b))


_BRANCHES: dict[str, Callable[..., Any]] = {  # what compares moves as the branch that is taken
    "max": lambda a, b: b if order(_still(b), _still(a)) > 0 else a,
    "min": lambda a, b: b if order(_still(b), _still(a)) < 0 else a,
    "greater": _compared(lambda sign: sign > 0),
    "at_least": _compared(lambda sign: sign >= 0),
    "sign": lambda x: mp.mpf(order(_still(x), 0)),
    "abs": lambda x: order(_still(x), 0) * x,
    "floor": lambda x: TIES["floor"](_still(x)),
    "atan2": lambda y, x: angle(y, x, _above, _lifted(BY_NAME["atan"].exact)),
    "stop_gradient": _still,
}
_ALGEBRA = Algebra(
    EXACT.number,
    {
        **{r.name: r.exact if r.chooses else _lifted(r.exact) for r in BY_SYMBOL.values()},
        **_BRANCHES,
    },
    _total,
    lambda indicator: bool(order(_still(indicator), 1) == 0),
    dot=_dot,
)


def all_slopes(graph: Graph, given: Values) -> dict[Key, Any]:
    """∂E/∂ of every element of a graph, a hidden one moved after it is computed.

    Whole numbers, which pick places, do not move.
    """
    loss = (graph.loss.name, ())
    with working():
        start = {
            key: value if graph.quantities[key[0]].integer else Made(value)
            for key, value in given.items()
        }
        program = Program(graph, _ALGEBRA)
        still = Made(mp.zero)  # added to a hidden element, so that each is a number by itself
        known = program.run(start, dict.fromkeys(program.order, still))
        end = known[loss]
        found = _backward(end) if isinstance(end, Made) else {}
        return {
            key: found.get(id(number), mp.zero)
            for key, number in known.items()
            if isinstance(number, Made)
        }


def _backward(end: Made) -> dict[int, Any]:
    """How fast the end moves with each number that it was made of."""
    slopes: dict[int, Any] = {id(end): mp.one}
    for number in reversed(_in_order(end)):
        slope = slopes[id(number)]
        for part, share in number.parts:
            slopes[id(part)] = slopes.get(id(part), 0) + slope * share
    return slopes


def _in_order(end: Made) -> list[Made]:
    """Every number, after all that it was made of."""
    order: list[Made] = []
    seen: set[int] = set()
    waiting: list[tuple[Made, bool]] = [(end, False)]
    while waiting:
        number, ready = waiting.pop()
        if ready:
            order.append(number)
        elif id(number) not in seen:
            seen.add(id(number))
            waiting.append((number, True))
            waiting += [(part, False) for part, _ in number.parts if id(part) not in seen]
    return order
