"""A slow evaluation of forward graphs in plain floats, and problems to try it on.

It shares no code with what it judges: a graph becomes nested closures over dictionaries, its slope
is a central difference.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import product

import sympy
from mpmath import mp

from derive.build import build
from derive.expression import Delta, Element, Index, Largest, LogTotalExp, Total
from derive.functions import BY_SYMBOL
from derive.graph import Graph, Role
from derive.problem import Problem
from derive.spec import parse_spec

Place = tuple[str, tuple[int, ...]]
Values = dict[Place, float]
Closure = Callable[[Values, dict[str, int]], float]

FLOAT: Mapping[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "sin": math.sin,
    "cos": math.cos,
    "erf": math.erf,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "atan": math.atan,
    "asin": math.asin,
    "acos": math.acos,
    "stop_gradient": lambda x: x,
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "max": max,
    "min": min,
    "abs": abs,
    "floor": math.floor,
    "atan2": math.atan2,
    "lgamma": math.lgamma,
    "digamma": lambda x: float(mp.digamma(x)),
    "polygamma": lambda n, x: float(mp.polygamma(int(n), x)),
    "sign": lambda x: math.copysign(1.0, x) if x else 0.0,
    "greater": lambda a, b: float(a > b),
    "at_least": lambda a, b: float(a >= b),
    "where": lambda c, a, b: a if c == 1 else b,
}


def closure(expr: sympy.Expr, sizes: Mapping[str, tuple[int, ...]]) -> Closure:
    """An expression as a function of the values read and of the indices bound."""
    if isinstance(expr, Index):
        letter = expr.name
        return lambda values, at: at[letter]
    if isinstance(expr, Element):
        return _element(expr, sizes)
    if isinstance(expr, Total | LogTotalExp | Largest):
        return _reduction(expr, sizes)
    if expr.is_number:
        constant = float(expr)
        return lambda values, at: constant
    below = [closure(argument, sizes) for argument in expr.args]
    join = _joined(expr)
    return lambda values, at: join(*[each(values, at) for each in below])


def _joined(expr: sympy.Expr) -> Callable[..., float]:
    match expr:
        case sympy.Add():
            return lambda *parts: math.fsum(parts)
        case sympy.Mul():
            return lambda *parts: math.prod(parts)
        case sympy.Pow():
            return lambda base, exponent: base**exponent
        case Delta():
            return lambda left, right: float(left == right)
    return FLOAT[BY_SYMBOL[expr.func].name]


def _element(expr: Element, sizes: Mapping[str, tuple[int, ...]]) -> Closure:
    indices = [closure(index, sizes) for index in expr.indices]

    def read(values: Values, at: dict[str, int]) -> float:
        place = tuple(int(index(values, at)) for index in indices)
        inside = all(0 <= k < size for k, size in zip(place, sizes[expr.name], strict=True))
        return values[expr.name, place] if inside else 0.0

    return read


def _reduction(expr: sympy.Expr, sizes: Mapping[str, tuple[int, ...]]) -> Closure:
    body = closure(expr.body, sizes)
    bound = expr.bound if isinstance(expr, Largest) else (expr.index,)
    letters = [index.name for index in bound]
    ranges = [range(index.axis.length) for index in bound]

    def reduce(values: Values, at: dict[str, int]) -> float:
        each = [body(values, at | dict(zip(letters, k, strict=True))) for k in product(*ranges)]
        if isinstance(expr, Largest):
            return max(each)
        if isinstance(expr, LogTotalExp):
            return math.log(math.fsum(map(math.exp, each)))
        return math.fsum(each)

    return reduce


def evaluator(graph: Graph) -> Callable[[Values], Values]:
    """A function from the given values to all values of a graph."""
    sizes = {name: quantity.shape for name, quantity in graph.quantities.items()}
    steps = [
        (e.quantity.name, [str(i) for i in e.indices], closure(e.rhs, sizes), e.quantity.shape)
        for e in graph.equations
    ]

    def run(given: Values) -> Values:
        values = dict(given)
        for name, indices, rhs, shape in steps:
            for place in product(*map(range, shape)):
                values[name, place] = rhs(values, dict(zip(indices, place, strict=True)))
        return values

    return run


def slopes(graph: Graph, given: Values, names: set[str]) -> Iterator[tuple[Place, float]]:
    """The central difference of the loss by every entry of some quantities."""
    run, loss, step = evaluator(graph), (graph.loss.name, ()), 1e-5
    for place in given:
        if place[0] in names:
            up, down = (run(given | {place: given[place] + s})[loss] for s in (step, -step))
            yield place, (up - down) / (2 * step)


def spec(
    activations: tuple[str, ...] = ("logistic", "logistic"),
    loss: str = "half_squared_error",
    bias: str = "each",
    batch: int = 1,
    units: int = 2,
    inputs: int = 2,
    extra: str = "",
) -> Problem:
    """A problem without values, from the words of a spec."""
    layers = "".join(
        f"    - {{dense: {units}, bias: {bias}, activation: {text!r}}}\n" for text in activations
    )
    return build(
        parse_spec(
            f"network:\n  inputs: {inputs}\n  layers:\n{layers}  loss: {loss}\n"
            f"data: {{batch: {batch}}}\n{extra}",
            "test",
            "test",
        )
    )


def sample(problem: Problem, seed: int = 0, low: float = 0.1, high: float = 0.9) -> Values:
    """Random values for all that is given; distributions sum to one."""
    generator = random.Random(seed)
    values: Values = {}
    for quantity in problem.graph.given:
        for place in product(*map(range, quantity.shape)):
            wide = quantity.role is Role.PARAMETER
            values[quantity.name, place] = generator.uniform(low, high) * (0.6 if wide else 1.0)
        if quantity.sums_to_one:
            rows, columns = quantity.shape
            for n in range(rows):
                total = sum(values[quantity.name, (n, o)] for o in range(columns))
                for o in range(columns):
                    values[quantity.name, (n, o)] /= total
    return values


def tables(values: Values) -> dict[str, dict[tuple[int, ...], float]]:
    """The same values, one table for each quantity."""
    result: dict[str, dict[tuple[int, ...], float]] = {}
    for (name, place), value in values.items():
        result.setdefault(name, {})[place] = value
    return result
