"""Graphs written by hand and a second meaning for them, to judge the calculus and the interpreter.

The oracle turns a graph into nested closures over 50-digit numbers. It shares no code with the
interpreter of the package, so that each can be judged by the other.
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any

import sympy
from mpmath import mp, mpf

from derive.expression import (
    Axis,
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
from derive.graph import Derivation, Graph, Quantity, Role, adjoint_name
from derive.language import parse_equations

DIGITS = 50
STEP = "1e-18"
Place = tuple[str, tuple[int, ...]]
Values = dict[Place, Any]
Bound = dict[Index, int]
Closure = Callable[[Values, Bound], Any]

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": mp.exp,
    "log": mp.log,
    "tanh": mp.tanh,
    "sin": mp.sin,
    "cos": mp.cos,
    "erf": mp.erf,
    "logistic": lambda x: (1 + mp.tanh(x / 2)) / 2,
    "softplus": lambda x: max(x, 0) + mp.log(1 + mp.exp(-abs(x))),
    "maximum": max,
    "minimum": min,
    "absolute": abs,
    "sign": mp.sign,
    "greater": lambda a, b: mpf(int(a > b)),
    "at_least": lambda a, b: mpf(int(a >= b)),
    "where": lambda c, a, b: a if c == 1 else b,
}


def axis(name: str, size: int) -> Axis:
    return Axis(name, sympy.Integer(size))


@dataclass(frozen=True)
class Case:
    """A graph as text. `given` lists `name[letters] role`, a letter is an axis of `sizes`.

    `same` says which letters run over the axis of another one; the last equation is the loss.
    """

    text: str
    given: str
    sizes: str = ""
    same: str = ""
    distributions: tuple[str, ...] = ()

    @property
    def letters(self) -> dict[str, Axis]:
        pairs = [word.split("=") for word in self.sizes.split()]
        letters = {letter: axis(letter, int(size)) for letter, size in pairs}
        for word in self.same.split():
            letter, other = word.split("=")
            letters[letter] = letters[other]
        return letters

    @property
    def quantities(self) -> dict[str, Quantity]:
        letters, made = self.letters, {}
        for word in filter(str.strip, self.given.split(";")):
            head, role = word.split()
            name, _, places = head.partition("[")
            axes = tuple(letters[place] for place in places.rstrip("]").split(",") if place)
            made[name] = Quantity(
                name, name, axes, Role(role), sums_to_one=name in self.distributions
            )
        return made

    def graph(self) -> Graph:
        lines = [line for line in self.text.replace("\n", ";").split(";") if line.strip()]
        last = lines[-1].partition("=")[0].partition("[")[0].strip()

        def describe(name: str, axes: tuple[Axis, ...]) -> Quantity:
            return Quantity(name, name, axes, Role.LOSS if name == last else Role.HIDDEN)

        given = self.quantities
        return Graph(
            tuple(given.values()), parse_equations(self.text, given, self.letters, describe)
        )


def places(quantity: Quantity) -> Iterator[Place]:
    for position in product(*map(range, quantity.shape)):
        yield quantity.name, position


def whole(expr: sympy.Expr) -> Callable[[Bound], int]:
    """An index expression as a function of the bound indices."""
    if isinstance(expr, Index):
        return lambda bound: bound[expr]
    if expr.is_Integer:
        number = int(expr)
        return lambda bound: number
    join = {sympy.Add: operator.add, sympy.Mul: operator.mul, sympy.Pow: operator.pow}[expr.func]
    below = [whole(argument) for argument in expr.args]
    return lambda bound: reduce(join, [each(bound) for each in below])


def closure(expr: sympy.Expr) -> Closure:
    """A scalar expression as a function of the values and of the bound indices."""
    if isinstance(expr, Element):
        name, at = expr.name, [whole(index) for index in expr.indices]
        zero = mpf(0)
        return lambda values, bound: values.get((name, tuple(f(bound) for f in at)), zero)
    if isinstance(expr, Index):
        return lambda values, bound: mpf(bound[expr])
    if isinstance(expr, Delta):
        left, right = map(whole, expr.args)
        return lambda values, bound: mpf(int(left(bound) == right(bound)))
    if isinstance(expr, Inside):
        place, size = map(whole, expr.args)
        return lambda values, bound: mpf(int(0 <= place(bound) < size(bound)))
    if isinstance(expr, Slope):
        return _slope(expr)
    if isinstance(expr, Total | LogTotalExp | Largest | Chosen):
        return _binding(expr)
    if expr.is_Rational:
        numerator, denominator = int(expr.p), int(expr.q)
        return lambda values, bound: mpf(numerator) / denominator
    if expr == sympy.E:
        return lambda values, bound: +mp.e
    if expr == sympy.pi:
        return lambda values, bound: +mp.pi
    below = [closure(argument) for argument in expr.args]
    join = _joined(expr)
    return lambda values, bound: join(*[each(values, bound) for each in below])


def _joined(expr: sympy.Expr) -> Callable[..., Any]:
    if isinstance(expr, sympy.Add):
        return lambda *terms: mp.fsum(terms)
    if isinstance(expr, sympy.Mul):
        return lambda *factors: mp.fprod(factors)
    if isinstance(expr, sympy.Pow):
        return lambda base, exponent: base**exponent
    return FUNCTIONS[expr.func.__name__]


def _slope(expr: Slope) -> Closure:
    body, name = closure(expr.body), expr.element.name
    at = [whole(index) for index in expr.element.indices]

    def difference(values: Values, bound: Bound) -> Any:
        key, step = (name, tuple(f(bound) for f in at)), mpf(STEP)
        above = body({**values, key: values[key] + step}, bound)
        return (above - body({**values, key: values[key] - step}, bound)) / (2 * step)

    return difference


def _binding(expr: Total | LogTotalExp | Largest | Chosen) -> Closure:
    if isinstance(expr, Chosen):
        largest, asked = expr.largest, [whole(place) for place in expr.positions]
        indices, body = largest.bound, closure(largest.body)
    else:
        indices = expr.bound if isinstance(expr, Largest) else (expr.index,)
        body = closure(expr.body)
    ranges = [range(index.axis.length) for index in indices]

    def every(values: Values, bound: Bound) -> dict[tuple[int, ...], Any]:
        return {
            at: body(values, {**bound, **dict(zip(indices, at, strict=True))})
            for at in product(*ranges)
        }

    if isinstance(expr, Total):
        return lambda values, bound: mp.fsum(every(values, bound).values())
    if isinstance(expr, LogTotalExp):
        return lambda values, bound: mp.log(mp.fsum(map(mp.exp, every(values, bound).values())))
    if isinstance(expr, Largest):
        return lambda values, bound: max(every(values, bound).values())

    def chosen(values: Values, bound: Bound) -> Any:
        table = every(values, bound)
        first = max(table, key=lambda at: table[at])
        return mpf(int(first == tuple(place(bound) for place in asked)))

    return chosen


class Oracle:
    """The meaning of a graph, compiled once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.compiled = [(e, closure(e.rhs)) for e in graph.equations]

    def run(self, given: Values) -> Values:
        values = dict(given)
        with mp.workdps(DIGITS):
            for equation, rhs in self.compiled:
                computed = {}
                for name, position in places(equation.quantity):
                    bound = dict(zip(equation.indices, position, strict=True))
                    computed[name, position] = rhs(values, bound)
                values.update(computed)
        return values

    def slope(self, given: Values, key: Place) -> Any:
        """∂loss/∂key as a central difference, good to about 30 digits."""
        loss = (self.graph.loss.name, ())
        with mp.workdps(DIGITS):
            step = mpf(STEP)
            above = self.run({**given, key: given[key] + step})[loss]
            return (above - self.run({**given, key: given[key] - step})[loss]) / (2 * step)


def draw(graph: Graph, seed: int = 1, low: int = -1000, high: int = 1000) -> Values:
    """Values for everything given, in general position; distributions sum to one."""
    source = random.Random(seed)
    values: Values = {}
    with mp.workdps(DIGITS):
        for quantity in graph.given:
            least = 100 if quantity.role is Role.TARGET else low
            most = 900 if quantity.role is Role.TARGET else high
            drawn = {key: mpf(source.randint(least, most)) / 1013 for key in places(quantity)}
            if quantity.sums_to_one:
                for key in drawn:
                    row = [k for k in drawn if k[1][:-1] == key[1][:-1]]
                    if key == row[-1]:
                        drawn[key] = 1 - mp.fsum(drawn[k] for k in row[:-1])
            values.update(drawn)
    return values


def distance(found: Any, expected: Any) -> float:
    """The relative distance of two numbers, infinite where one is not a finite real number."""
    with mp.workdps(DIGITS):
        if not all(isinstance(v, mpf) and mp.isfinite(v) for v in (found, expected)):
            return math.inf
        return float(abs(found - expected) / max(abs(expected), mpf("1e-6")))


def worst_gradient(derivation: Derivation, given: Values, values: Values) -> float:
    """The largest distance of `values[adj_q]` from a difference, over every parameter."""
    oracle = Oracle(derivation.forward)
    keys = [key for q in derivation.forward.of_role(Role.PARAMETER) for key in places(q)]
    assert keys
    return max(
        distance(values[adjoint_name(name), at], oracle.slope(given, (name, at)))
        for name, at in keys
        if adjoint_name(name) in derivation.backward.quantities
    )


def worst_step(derivation: Derivation, values: Values) -> float:
    """The largest distance between the two sides of a step, over all its free indices."""
    worst = 0.0
    with mp.workdps(DIGITS):
        for step in derivation.steps:
            before, after = closure(step.before), closure(step.after)
            for position in product(*[range(index.axis.length) for index in step.indices]):
                bound = dict(zip(step.indices, position, strict=True))
                worst = max(worst, distance(after(values, bound), before(values, bound)))
    return worst
