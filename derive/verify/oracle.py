"""The true value of every name that may stand on a page, found without the calculus.

Forward values come from the interpreter, derivatives from differences, and the updated network from
a second run at the moved parameters.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.errors import InputError
from derive.expression import Element, elements
from derive.graph import Equation, Graph, Role, adjoint_name
from derive.library.optimizers import Optimizer, parse_update, plain_step
from derive.library.row import Number
from derive.notation import Name, Names, derivative, names_of
from derive.problem import Problem
from derive.verify.algebra import EXACT, exact_function, working
from derive.verify.doubles import DOUBLES, NAMED, Double, as_double, double
from derive.verify.interpreter import element_slope, run
from derive.verify.meaning import Key, Values
from derive.verify.tape import all_slopes
from derive.verify.whole_update import WholeUpdate

MOST_SCALARS = 400
ALPHA = Name("learning_rate", r"\alpha", "alpha")
DECREASE = Name("decrease", r"\Delta E", "decrease")


def true_values(problem: Problem, given: Values) -> dict[Name, Any]:
    """Values by name; the derivative of one scalar by another only where they are few."""
    graph, names = problem.graph, names_of(problem)
    with working():
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


def check_range(truth: Iterable[tuple[str, Any]]) -> None:
    """Raises InputError for a value, not a slope, that is too large for the doubles of a module."""
    for name, number in truth:
        if "/" not in name and abs(number) > sys.float_info.max:
            raise InputError(
                f"{name} is {mp.nstr(number, 3)} at these values, and code holds numbers up "
                "to 1.8e+308 only; take smaller values or a smaller learning rate"
            )


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


Rule = Callable[[Key, Any, Any, Any, int, Sequence[Any]], Iterator[tuple[Key, Double]]]


def entry_rule(problem: Problem) -> Rule:
    """One update of one entry in doubles: the parameter and the optimizer's states for it.

    It starts from the entry, its gradient, the learning rate, the number of the update, and states.
    """
    row, settings = problem.training.optimizer, problem.training.settings
    rules = _rules(row.equations, row.states, tuple({**row.settings, **settings}.items()))

    def update(
        key: Key, value: Any, slope: Any, rate: Any, step: int, states: Sequence[Any]
    ) -> Iterator[tuple[Key, Double]]:
        name, place = key
        arguments = (double(value), double(slope), rate, mp.mpf(step), *states)
        for target, rule in rules:
            after = (name if target == "w" else f"{target}_{name}", place)
            yield after, as_double(rule(*arguments))

    return update


@lru_cache(maxsize=100)
def _rules(
    equations: str, states: tuple[str, ...], settings: tuple[tuple[str, Number], ...]
) -> tuple[tuple[str, Callable[..., Any]], ...]:
    """What the lines of an optimizer make of w and its states, from w, g, alpha, k and states."""
    names = ("w", "g", "alpha", "k", *states)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    found = parse_update(Optimizer("", "", equations, states), dict(settings))
    return tuple((name, exact_function(symbols, found[name], NAMED)) for name in ("w", *states))


def first_update(
    problem: Problem,
) -> Callable[[Key, Any, Any], Iterator[tuple[Key, Double]]]:
    """The first update of one entry in doubles: the parameter and the optimizer's states for it."""
    rate = DOUBLES.number(problem.training.learning_rate)
    rule = entry_rule(problem)

    def update(key: Key, value: Any, slope: Any) -> Iterator[tuple[Key, Double]]:
        name, place = key
        training = problem.training
        first = [
            DOUBLES.number(Fraction(training.states.get((state, name), {}).get(place, 0)))
            for state in training.optimizer.states
        ]
        yield from rule(key, value, slope, rate, 1, first)

    return update


def whole_update(
    problem: Problem, values: Values, slopes: Mapping[Key, Any], rate: Any, number: int
) -> Mapping[Key, Double]:
    """What becomes of parameters and states where an optimizer looks at more than one entry.

    Nothing, if that is too much to be computed digit by digit.
    """
    update = WholeUpdate(problem, tuple(sorted(_trained(problem))), DOUBLES)
    if not update.affordable:
        return {}
    before = {key: as_double(v) for key, v in values.items()}
    by = {(adjoint_name(name), place): double(v) for (name, place), v in slopes.items()}
    kept = {f"{s}_{name}" for s in problem.training.optimizer.states for name in update.names}
    found = update.moved(before, by, rate, number)
    return {key: as_double(v) for key, v in found if key[0] in kept or key in values}


def first_whole_update(
    problem: Problem, values: Values, slopes: Mapping[Key, Any]
) -> Mapping[Key, Double]:
    """The same for the first update, from the first values of the states."""
    training = problem.training
    states = {
        (f"{state}_{name}", place): DOUBLES.number(
            Fraction(training.states.get((state, name), {}).get(place, 0))
        )
        for state in training.optimizer.states
        for name, place in values
        if name in _trained(problem)
    }
    own = {key: double(v) for key, v in values.items() if key[0] in _trained(problem)}
    return whole_update(problem, own | states, slopes, DOUBLES.number(training.learning_rate), 1)


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
