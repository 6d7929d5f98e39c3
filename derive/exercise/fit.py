"""Whether values make an exercise: nothing saturated, no gradient that is nothing, no odd sizes.

What is wrong with all values alike belongs to the model, as the zeros of a mask do, and no other
values would mend it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod
from typing import TypeAlias

import sympy

from derive.expression import Index
from derive.functions import logistic, softplus
from derive.graph import Derivation, Equation, Graph
from derive.numbers import MoreDigits, MustBeUnrounded, NumberFormat, decimal, real
from derive.problem import Problem
from derive.render.carried import with_digits
from derive.render.tensor_values import Values, compiled, places, values_of

Fault: TypeAlias = tuple[str, str]
SATURATING = (sympy.exp, sympy.tanh, sympy.erf, sympy.sinh, sympy.cosh, logistic, softplus)
FLAT = 3.5  # beyond it a logistic has less than a ninth of its greatest slope
SMALLEST, LARGEST = 0.0002, 10_000
MOST_PLACES = 500  # of an argument that are looked at
MOST_DRIFT = 6  # units of the last digit between a number as printed and the unrounded one
BROKEN: Fault = ("no number", "")


def faults(problem: Problem, derivation: Derivation) -> frozenset[Fault]:
    """What is wrong with the values of a problem as those of an exercise."""
    try:
        return with_digits(problem, lambda told: _faults(told, derivation))
    except (ArithmeticError, ValueError, MoreDigits, MustBeUnrounded):
        return frozenset({BROKEN})


def _faults(problem: Problem, derivation: Derivation) -> frozenset[Fault]:
    """The same. Raises ValueError, ArithmeticError or MustBeUnrounded where there is no value."""
    values = values_of(problem, derivation)
    found = set(_saturated(problem.graph, values))
    for graph in (problem.graph, derivation.backward):
        for equation in graph.equations:
            found |= set(_sizes(equation, values, problem.numbers))
    return frozenset(found)


def _saturated(graph: Graph, values: Values) -> Iterator[Fault]:
    """Activations that are asked for far out, where they are flat or steep."""
    for equation in graph.equations:
        for argument in _arguments(equation.rhs):
            letters = sorted(argument.atoms(Index), key=str)
            if prod(letter.axis.length for letter in letters) > MOST_PLACES:
                continue
            value = compiled(argument)
            for at in product(*[range(letter.axis.length) for letter in letters]):
                found = value(values.exact, dict(zip(letters, at, strict=True)))
                if abs(real(found)) > FLAT:
                    yield "saturated", equation.quantity.name
                    break


@cache
def _arguments(expr: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """What the functions of an expression are taken of that saturate."""
    return tuple(node.args[0] for node in expr.atoms(*SATURATING))


def _sizes(equation: Equation, values: Values, numbers: NumberFormat) -> Iterator[Fault]:
    """Tables that are mostly nothing, entries far from 1, and results that rounding has moved."""
    name = equation.quantity.name
    keys = [(name, place) for place in places(equation.quantity)]
    sizes = [abs(real(values.exact[key])) for key in keys]
    if 2 * sum(not size for size in sizes) > len(sizes):
        yield "nothing", name
    if any(size and not SMALLEST <= size <= LARGEST for size in sizes):
        yield "size", name
    for key in keys:
        page = values.page[key]
        if abs(real(values.exact[key]) - real(page)) > MOST_DRIFT * real(last_unit(numbers, page)):
            yield "rounding", name
            break


def last_unit(numbers: NumberFormat, value: Fraction) -> Fraction:
    """One unit of the last digit that a value is printed with."""
    if numbers.decimals is not None:
        return Fraction(1, 10**numbers.decimals)
    if not value:
        return Fraction(0)
    return Fraction(10) ** (decimal(value).adjusted() - (numbers.significant_digits or 4) + 1)
