"""The true value of every name that may stand on a page, found without the calculus.

Forward values come from the interpreter, every derivative from a difference, and the updated
network from a second run at the moved parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.expression import Element, elements
from derive.graph import Equation, Graph, Role
from derive.language import parse_function
from derive.library.optimizers import OPTIMIZERS
from derive.notation import UPDATED, Notation, derivative, notation
from derive.problem import Problem
from derive.verify.interpreter import DIGITS, EXACT, STEP, Key, Values, run, value
from derive.verify.routes import by_difference

MOST_SCALARS = 400


def true_values(problem: Problem, given: Values) -> dict[str, Any]:
    """Values by report name. Large networks: forward values and the loss only."""
    graph, names = problem.graph, notation(problem)
    with mp.workdps(DIGITS):
        before = run(graph, given)
        found = {_report(names, key): v for key, v in before.items()}
        found["alpha"] = EXACT.number(problem.training.learning_rate)
        if len(before) > MOST_SCALARS:
            return found
        slopes = {key: by_difference(graph, given, key) for key in before if key[0] != "E"}
        for key, slope in slopes.items():
            found[_derivative(names, ("E", ()), key)] = slope
        found |= _local_slopes(graph, before, names)
        updated = _updated(problem, given, slopes)
        after = run(graph, updated)
        for key, v in after.items():
            found[_report(names, key) + "+"] = v
        found["decrease"] = before["E", ()] - after["E", ()]
    return found


def _report(names: Notation, key: Key) -> str:
    return names.name(Element(key[0], *key[1])).report


def _derivative(names: Notation, of: Key, by: Key) -> str:
    return derivative(names.name(Element(of[0], *of[1])), names.name(Element(by[0], *by[1]))).report


def _updated(problem: Problem, given: Values, slopes: Mapping[Key, Any]) -> Values:
    """The given values after one update of what is trained."""
    w, alpha, g = sympy.symbols("w alpha g", real=True)
    step = parse_function(OPTIMIZERS[problem.training.optimizer].equation, 3)(w, alpha, g)
    rule = sympy.lambdify([w, alpha, g], step, "mpmath")
    rate = EXACT.number(problem.training.learning_rate)
    trained = {q.name for q in problem.graph.of_role(Role.PARAMETER)} - problem.training.frozen
    return {key: rule(v, rate, slopes[key]) if key[0] in trained else v for key, v in given.items()}


def _local_slopes(graph: Graph, values: Values, names: Notation) -> dict[str, Any]:
    """∂of/∂by for every scalar and every scalar that its equation reads."""
    step = mp.mpf(10) ** -STEP
    found = {}
    for equation in graph.equations:
        for place in product(*map(range, equation.quantity.shape)):
            binding = dict(zip(equation.indices, place, strict=True))
            for by in _read(equation, values):
                high = value(equation.rhs, {**values, by: values[by] + step}, binding, EXACT)
                low = value(equation.rhs, {**values, by: values[by] - step}, binding, EXACT)
                name = _derivative(names, (equation.quantity.name, place), by)
                found[name] = (high - low) / (2 * step)
    return found


def _read(equation: Equation, values: Values) -> Iterator[Key]:
    read = {element.name for element in elements(equation.rhs)}
    yield from (key for key in values if key[0] in read and not key[0].endswith(UPDATED))
