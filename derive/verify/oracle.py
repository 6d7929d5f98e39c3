"""The true value of every name that may stand on a page, found without the calculus.

Forward values come from the interpreter, derivatives from differences, and the updated network from
a second run at the moved parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.expression import Element, elements
from derive.graph import Equation, Graph, Role
from derive.library.optimizers import parse_update, plain_step
from derive.notation import Name, Names, derivative, names_of
from derive.problem import Problem
from derive.verify.algebra import DIGITS, EXACT, exact_function
from derive.verify.interpreter import Key, Values, element_slope, run
from derive.verify.tape import all_slopes

MOST_SCALARS = 400
ALPHA = Name("learning_rate", r"\alpha", "alpha")
DECREASE = Name("decrease", r"\Delta E", "decrease")


def true_values(problem: Problem, given: Values) -> dict[Name, Any]:
    """Values by name; the derivative of one scalar by another only where they are few."""
    graph, names = problem.graph, names_of(problem)
    with mp.workdps(DIGITS):
        before, slopes = run(graph, given), all_slopes(graph, given)
        known = {key: _name(names, key) for key in before}
        found = {known[key]: v for key, v in before.items()}
        found[ALPHA] = EXACT.number(problem.training.learning_rate)
        loss = names.loss()
        found |= {derivative(loss, known[key]): slopes[key] for key in before if key[0] != "E"}
        if len(before) <= MOST_SCALARS:
            found |= _local_slopes(graph, before, names)
        rule, moving = update_rule(problem), _trained(problem)
        moved = {key: rule(v, slopes[key]) for key, v in given.items() if key[0] in moving}
        after = run(graph, {**given, **moved})
        found |= {known[key].updated(): v for key, v in after.items()}
        found[DECREASE] = before["E", ()] - after["E", ()]
    return found


def _name(names: Names, key: Key) -> Name:
    return names.name(Element(key[0], *key[1]))


def trained(problem: Problem, key: Key) -> bool:
    """Whether an update changes this element."""
    return key[0] in _trained(problem)


def _trained(problem: Problem) -> frozenset[str]:
    parameters = {quantity.name for quantity in problem.graph.of_role(Role.PARAMETER)}
    return frozenset(parameters - problem.training.frozen)


def update_rule(problem: Problem) -> Callable[[Any, Any], Any]:
    """One update of a parameter from its value and its gradient."""
    w, alpha, g = sympy.symbols("w alpha g", real=True)
    step = plain_step(problem.training.optimizer, problem.training.settings)(w, alpha, g)
    rule = exact_function([w, alpha, g], step)
    rate = EXACT.number(problem.training.learning_rate)
    return lambda value, gradient: rule(value, rate, gradient)


def first_update(
    problem: Problem,
) -> Callable[[Key, Any, Any], Iterator[tuple[Key, Any]]]:
    """The first update of one entry: the parameter and the optimizer's states for it."""
    row = problem.training.optimizer
    names = ("w", "g", "alpha", "k", *row.states)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    found = parse_update(row, problem.training.settings)
    rules = [exact_function(symbols, found[n]) for n in ("w", *row.states)]
    rate = EXACT.number(problem.training.learning_rate)

    def update(key: Key, value: Any, slope: Any) -> Iterator[tuple[Key, Any]]:
        name, place = key
        first = [problem.training.states.get((s, name), {}).get(place, 0) for s in row.states]
        arguments = (
            value,
            mp.mpf(slope),
            rate,
            mp.mpf(1),
            *map(EXACT.number, map(Fraction, first)),
        )
        for target, rule in zip(("w", *row.states), rules, strict=True):
            yield (name if target == "w" else f"{target}_{name}", place), rule(*arguments)

    return update


def _local_slopes(graph: Graph, values: Values, names: Names) -> dict[Name, Any]:
    """∂of/∂by for every scalar and every scalar that its equation reads."""
    found = {}
    for equation in graph.equations:
        for place in product(*map(range, equation.quantity.shape)):
            binding = dict(zip(equation.indices, place, strict=True))
            of = _name(names, (equation.quantity.name, place))
            for by in _read(equation, values):
                slope = element_slope(equation.rhs, values, binding, by)
                found[derivative(of, _name(names, by))] = slope
    return found


def _read(equation: Equation, values: Values) -> Iterator[Key]:
    read = {element.name for element in elements(equation.rhs)}
    yield from (key for key in values if key[0] in read)
