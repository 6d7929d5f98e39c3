"""A model while it is trained: the value of any name before, and after any number of updates.

    W[0,1]   dE/dW[0,1]   dh[1]/dW[0,1]   W[0,1]+   y@3   m_W[0,1]@1

`@k` is after k updates, `+` is short for `@1`; `m_W` is the state m of the optimizer for W.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.errors import InputError, nearest
from derive.graph import Derivation, Role, adjoint_name
from derive.library.optimizers import OPTIMIZERS, parse_update
from derive.problem import Problem
from derive.verify.algebra import DIGITS, EXACT, exact_function, slope
from derive.verify.interpreter import Key, Values, Watched, element_slope, run, value

ITEM = r"([A-Za-z][A-Za-z0-9_]*)(?:\[([\d,\s]*)\])?"
NAME = re.compile(rf"\s*(?:d{ITEM}\s*/\s*d{ITEM}|{ITEM})\s*(\+|@\s*\d+)?\s*")
MOST_EXACT = 25  # later updates are computed with fewer digits
FEW_DIGITS = 20


class UnknownName(InputError):
    """A name of which the model has no value."""


@dataclass
class Trajectory:
    """The values of a problem with all its numbers, computed as far as they are asked for."""

    problem: Problem
    derivation: Derivation
    given: Values
    states: Values = field(default_factory=dict)
    _parameters: list[tuple[Values, Values]] = field(default_factory=list)
    _values: dict[int, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trained = self._trained()
        with mp.workdps(DIGITS):
            for state in OPTIMIZERS[self.problem.training.optimizer].states:
                for name, place in trained:
                    first = self.problem.training.states.get((state, name), {}).get(place, 0)
                    self.states[f"{state}_{name}", place] = EXACT.number(Fraction(first))
        parameters = {key: self.given[key] for key in self._parameter_keys()}
        self._parameters.append((parameters, self.states))

    def value(self, name: str) -> Any:
        """The value of a name. Raises UnknownName."""
        match = NAME.fullmatch(name)
        if match is None:
            raise UnknownName("a name is written like W[0,1], dE/dW[0,1], or W[0,1]@1")
        of, of_place, by, by_place, item, place, mark = match.groups()
        update = 0 if mark is None else 1 if mark == "+" else int(mark[1:])
        self._check_trained(update)
        with mp.workdps(DIGITS):
            if item is not None:
                return self._plain(item, _place(place), update)
            return self._slope((of, _place(of_place)), (by, _place(by_place)), update)

    def at(self, update: int) -> Values:
        """Every value, the adjoints included, after a number of updates."""
        if update not in self._values:
            with mp.workdps(DIGITS):
                forward = run(self.derivation.forward, self._given(update))
                self._values[update] = run(self.derivation.backward, forward)
        return self._values[update]

    def _check_trained(self, update: int) -> None:
        if update and not self._trained() and not self.problem.samples:
            raise UnknownName("nothing is updated; say how in 'training:'")

    def _plain(self, name: str, place: tuple[int, ...], update: int) -> Any:
        if name == "E" and name not in self.derivation.forward.quantities:
            name = self.derivation.forward.loss.name
        states = self._after(update)[1]
        table = states if (name, place) in states else self.at(update)
        if (name, place) not in table:
            raise UnknownName(self._missing(name, place))
        return table[name, place]

    def _slope(self, of: Key, by: Key, update: int) -> Any:
        """∂of/∂by: for the loss from the backward pass.

        Otherwise of the equation of `of` alone if it reads `by`, and else of all between the two.
        """
        graph, values = self.derivation.forward, self.at(update)
        if by not in values:
            raise UnknownName(self._missing(*by))
        if of[0] == graph.loss.name or (of[0] == "E" and "E" not in graph.quantities):
            if (adjoint_name(by[0]), by[1]) not in values:
                raise UnknownName(f"the loss is not differentiated by '{by[0]}'")
            return values[adjoint_name(by[0]), by[1]]
        if of not in values:
            raise UnknownName(self._missing(*of))
        if graph.quantities[of[0]].given:
            raise UnknownName(f"'{of[0]}' is given, so it has no derivative")
        equation = graph.equation(of[0])
        binding = dict(zip(equation.indices, of[1], strict=True))
        read = Watched(values)
        value(equation.rhs, read, binding, EXACT)
        if by in read.asked:
            return element_slope(equation.rhs, values, binding, by)
        given = self._given(update)
        return slope(lambda shift: run(graph, given, moved={by: shift})[of])

    def _missing(self, name: str, place: tuple[int, ...]) -> str:
        quantity = self.derivation.forward.quantities.get(name)
        if quantity is None:
            return f"there is no '{name}'; {nearest(name, self.derivation.forward.quantities)}"
        shape = " x ".join(map(str, quantity.shape)) or "a single number"
        return f"'{name}' has no entry {list(place)}: its shape is {shape}, counted from 0"

    def _after(self, update: int) -> tuple[Values, Values]:
        """Parameters and states after a number of updates."""
        rules = _rules(self.problem)
        rate = EXACT.number(self.problem.training.learning_rate)
        while len(self._parameters) <= update:
            k = len(self._parameters)
            digits = DIGITS if k <= MOST_EXACT else FEW_DIGITS
            with mp.workdps(digits):
                parameters, states = self._parameters[-1]
                given = {**self._sample(k - 1), **parameters}
                slopes = run(self.derivation.backward, run(self.derivation.forward, given))
                after = dict(self._moved(rules, rate, k, parameters, states, slopes))
            moved = {key: after.get(key, v) for key, v in parameters.items()}
            self._parameters.append((moved, {key: after[key] for key in states}))
        return self._parameters[update]

    def _moved(
        self,
        rules: Mapping[str, Callable[..., Any]],
        rate: Any,
        k: int,
        parameters: Values,
        states: Values,
        slopes: Values,
    ) -> Iterator[tuple[Key, Any]]:
        """The parameters that are trained, and all states, after one update."""
        for name, place in self._trained():
            slope = slopes.get((adjoint_name(name), place), mp.mpf(0))
            own = [states[f"{state}_{name}", place] for state in rules if state != "w"]
            for target, rule in rules.items():
                key = (name, place) if target == "w" else (f"{target}_{name}", place)
                yield key, rule(parameters[name, place], slope, rate, mp.mpf(k), *own)

    def _given(self, update: int) -> Values:
        return {**self._sample(update), **self._after(update)[0]}

    def _sample(self, update: int) -> Values:
        samples = self.problem.samples
        if not samples:
            return self.given
        changed = samples[update % len(samples)]
        return self.given | {
            (name, place): EXACT.number(v)
            for name, tensor in changed.items()
            for place, v in tensor.items()
        }

    def _parameter_keys(self) -> list[Key]:
        parameters = self.derivation.forward.of_role(Role.PARAMETER)
        return [(q.name, p) for q in parameters for p in product(*map(range, q.shape))]

    def _trained(self) -> list[Key]:
        return [k for k in self._parameter_keys() if k[0] not in self.problem.training.frozen]


def _rules(problem: Problem) -> dict[str, Callable[..., Any]]:
    """How w and each state are updated, as functions of w, g, alpha, k and the states."""
    row = OPTIMIZERS[problem.training.optimizer]
    names = ("w", "g", "alpha", "k", *row.states)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    found = parse_update(row, problem.training.settings)
    return {name: exact_function(symbols, found[name]) for name in ("w", *row.states)}


def _place(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (text or "").split(",") if part.strip())
