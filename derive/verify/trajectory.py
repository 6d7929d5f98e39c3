"""A model while it is trained: the value of any name before, and after any number of updates.

    W[0,1]   dE/dW[0,1]   dh[1]/dW[0,1]   W[0,1]+   y@3   m_W[0,1]@1

`@k` is after k updates, `+` is short for `@1`; `m_W` is what the optimizer's lines call m, for W.
`dE/dW` is the derivative of the loss itself, in whatever order the parameters change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.errors import InputError, nearest
from derive.graph import Derivation, Graph, Role, adjoint_name
from derive.library.optimizers import parse_update
from derive.names import PUBLISHED, place_of, update_of
from derive.problem import Problem
from derive.sequence import stages
from derive.verify.algebra import EXACT, FUNCTIONS, Algebra, exact_function, slope, working
from derive.verify.bench import holds
from derive.verify.doubles import DOUBLES, NAMED, double
from derive.verify.interpreter import Watched, element_slope, run, value, value_of
from derive.verify.meaning import Key, Values
from derive.verify.whole_update import WholeUpdate

MOST_EXACT = 25  # later updates are computed with fewer digits
FEW_DIGITS = 20


class UnknownName(InputError):
    """A name of which the model has no value."""


@dataclass
class Trajectory:
    """The values of a problem with all its numbers, computed as far as they are asked for.

    `first` is the number of the first update, for an optimizer that counts them. `lines` are other
    lines than the optimizer's own; with `late` the gradients after an update are computed with the
    parameters of the next one, as by who has changed them too early; `turn` is how many samples
    further on the values are taken, but not the updates.
    """

    problem: Problem
    derivation: Derivation
    given: Values
    algebra: Algebra = EXACT
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=lambda: FUNCTIONS)
    states: Values = field(default_factory=dict)
    first: int = 1
    lines: Mapping[str, sympy.Expr] | None = None
    late: bool = False
    turn: int = 0
    _parameters: list[tuple[Values, Values]] = field(default_factory=list)
    _values: dict[int, Values] = field(default_factory=dict)
    _farthest: list[dict[bool, tuple[Key, Any]]] = field(default_factory=list)
    _together: dict[tuple[str, ...], WholeUpdate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trained = self._trained()
        with working():
            for state in self.problem.training.optimizer.states:
                for name, place in trained:
                    first = self.problem.training.states.get((state, name), {}).get(place, 0)
                    self.states[f"{state}_{name}", place] = self.algebra.number(Fraction(first))
        parameters = {key: self.given[key] for key in self._parameter_keys()}
        self._parameters.append((parameters, self.states))

    def value(self, name: str) -> Any:
        """The value of a name. Raises UnknownName."""
        match = PUBLISHED.fullmatch(name)
        if match is None:
            raise UnknownName("a name is written like W[0,1], dE/dW[0,1], or W[0,1]@1")
        of, of_place, by, by_place, item, place, mark = match.groups()
        update = update_of(mark)
        self._check_trained(update)
        with working():
            if item is not None:
                return self._plain(item, place_of(place), update)
            return self._slope((of, place_of(of_place)), (by, place_of(by_place)), update)

    @property
    def loss(self) -> str:
        """The name of what is differentiated; nothing for a forward pass alone."""
        return "" if self.problem.forward_only else self.derivation.forward.loss.name

    def at(self, update: int) -> Values:
        """Every value, the adjoints included, after a number of updates."""
        if update not in self._values:
            # with as many digits as the page, for what they decide may be felt much later
            with working(self.problem.numbers.working):
                forward = run(self.derivation.forward, self._given(update), self.algebra)
                start = {**forward, **self.after(update + 1)[0]} if self.late else forward
                found = run(self.derivation.backward, start, self.algebra)
                self._values[update] = {**found, **forward}
        return self._values[update]

    def otherwise(self, **what: Any) -> Trajectory:
        """The same training with some of its fields changed, computed from its beginning."""
        own = {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if not each.name.startswith("_") and each.name != "states"
        }
        return Trajectory(**{**own, **what})

    def _check_trained(self, update: int) -> None:
        if update and not self._trained() and not self.problem.samples:
            raise UnknownName("nothing is updated; say how in 'training:'")

    def _plain(self, name: str, place: tuple[int, ...], update: int) -> Any:
        if name == "E" and name not in self.derivation.forward.quantities:
            name = self.loss
        states = self.after(update)[1]
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
        if of[0] == self.loss or (of[0] == "E" and "E" not in graph.quantities):
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
        fixed = holds(graph.equations)
        return slope(lambda shift: run(graph, given, moved={by: shift})[of], holds=fixed)

    def _missing(self, name: str, place: tuple[int, ...]) -> str:
        quantity = self.derivation.forward.quantities.get(name)
        if quantity is None:
            return f"there is no '{name}'; {nearest(name, self.derivation.forward.quantities)}"
        shape = " x ".join(map(str, quantity.shape)) or "a single number"
        return f"'{name}' has no entry {list(place)}: its shape is {shape}, counted from 0"

    def after(self, update: int) -> tuple[Values, Values]:
        """Parameters after a number of updates; and the states, with what is named on the way."""
        while len(self._parameters) <= update:
            k = len(self._parameters)
            few = mp.workdps(max(FEW_DIGITS, mp.dps))
            with working(self.problem.numbers.working) if k <= MOST_EXACT else few:
                parameters, states = self._parameters[-1]
                given = {**self._sample(k - 1), **parameters}
                values = run(self.derivation.forward, given, self.algebra)
                kept: Values = {}
                for graph, moving in self._stages:
                    values = run(graph, values, self.algebra)
                    after = dict(self._moved(moving, k - 1 + self.first, values, states))
                    values |= {key: v for key, v in after.items() if key in parameters}
                    kept |= {key: v for key, v in after.items() if key not in parameters}
            self._parameters.append(({key: values[key] for key in parameters}, kept))
            self._farthest.append(_farthest(values | kept))
        return self._parameters[update]

    def farthest(self, slopes: bool) -> list[tuple[Key, Any]]:
        """The largest number of each update so far, or of the derivatives on its way."""
        return [each[slopes] for each in self._farthest if slopes in each]

    @cached_property
    def _stages(self) -> list[tuple[Graph, list[Key]]]:
        """What an update computes, and the entries that change after that, in turn."""
        backward, trained = self.derivation.backward, self._trained()
        names = list(dict.fromkeys(name for name, _ in trained))
        known, found = backward.given, []
        for stage in stages(backward, names, self.problem.training.order):
            moving = [key for key in trained if key[0] in stage.parameters]
            found.append((Graph(known, stage.equations), moving))
            known = (*known, *(equation.quantity for equation in stage.equations))
        return found

    @cached_property
    def _rules(self) -> Mapping[str, Callable[..., Any]]:
        """What each line of the optimizer makes of w, g, alpha, k and the states."""
        training = self.problem.training
        lines = self.lines or parse_update(training.optimizer, training.settings)
        names = ("w", "g", "alpha", "k", *training.optimizer.states)
        if self.functions is FUNCTIONS:
            return _made_ready(names, tuple(lines.items()))
        symbols = [sympy.Symbol(name, real=True) for name in names]
        return {n: exact_function(symbols, rule, self.functions) for n, rule in lines.items()}

    def _moved(
        self, moving: Iterable[Key], k: int, values: Values, states: Values
    ) -> Iterator[tuple[Key, Any]]:
        """Some parameters, their states, and what is named on the way, after the update k."""
        rate = self.algebra.number(self.problem.training.learning_rate)
        if self.problem.training.optimizer.looks_around:
            yield from self._whole(moving).moved({**values, **states}, values, rate, k)
            return
        for name, place in moving:
            slope = values.get((adjoint_name(name), place), self.algebra.number(Fraction(0)))
            kept = self.problem.training.optimizer.states
            own = [states[f"{state}_{name}", place] for state in kept]
            for target, rule in self._rules.items():
                key = (name, place) if target == "w" else (f"{target}_{name}", place)
                yield key, rule(values[name, place], slope, rate, mp.mpf(k), *own)

    def _whole(self, moving: Iterable[Key]) -> WholeUpdate:
        """The update of all parameters that move with these."""
        names = tuple(dict.fromkeys(name for name, _ in moving))
        if names not in self._together:
            self._together[names] = WholeUpdate(self.problem, names, self.algebra)
        return self._together[names]

    def updated(self, key: Key, update: int, values: Values, states: Values | None = None) -> Any:
        """What an update makes of a parameter, a state or a name on the way, from given values.

        Raises UnknownName if there is no such entry.
        """
        before = self.after(update - 1)[1] | (states or {})
        around = self.problem.training.optimizer.looks_around
        moving = [each for each in self._trained() if around or each[1] == key[1]]
        with working():
            found = dict(self._moved(moving, update, values, before))
        if key not in found:
            raise UnknownName(f"nothing updates '{key[0]}'")
        return found[key]

    def updated_from(self, update: int, prints: Values) -> Values:
        """All parameters after an update, made of what is printed of the time before it."""
        graph = self.derivation
        with working():
            known = run(graph.backward, run(graph.forward, self._given(update - 1) | prints))
            states = self.after(update - 1)[1] | prints
            moved = dict(self._moved(self._trained(), update, known, states))
        return {key: value for key, value in moved.items() if key[0] in graph.forward.quantities}

    def from_prints(self, key: Key, update: int, prints: Values) -> Any:
        """An entry after some updates, where what is computed from prints is computed from them."""
        forward, backward = self.derivation.forward, self.derivation.backward
        plain = {k: v for k, v in prints.items() if k[0] in forward.quantities}
        known = self._given(update) | plain
        with working():
            if key[0] not in backward.quantities or key[0] in forward.quantities:
                return value_of(key, forward.equations, known)
            known |= {k: v for k, v in prints.items() if k[0] in backward.quantities}
            if not self.late:
                return value_of(key, (*forward.equations, *backward.equations), known)
            found = run(forward, known) | self.after(update + 1)[0]
            return value_of(key, backward.equations, found)

    def forward_from(self, update: int, prints: Values) -> Values:
        """Every value of the forward pass after some updates, where prints stand for their own."""
        forward = self.derivation.forward
        plain = {k: v for k, v in prints.items() if k[0] in forward.quantities}
        with working():
            return run(forward, self._given(update) | plain)

    def _given(self, update: int) -> Values:
        return {**self._sample(update + self.turn), **self.after(update)[0]}

    def _sample(self, update: int) -> Values:
        samples = self.problem.samples
        if not samples:
            return self.given
        changed = samples[update % len(samples)]
        whole = {q.name for q in self.problem.graph.given if q.integer}
        return self.given | {
            (name, place): (EXACT if name in whole else self.algebra).number(v)
            for name, tensor in changed.items()
            for place, v in tensor.items()
        }

    def _parameter_keys(self) -> list[Key]:
        parameters = self.derivation.forward.of_role(Role.PARAMETER)
        return [(q.name, p) for q in parameters for p in product(*map(range, q.shape))]

    def _trained(self) -> list[Key]:
        return [k for k in self._parameter_keys() if k[0] not in self.problem.training.frozen]


def _farthest(values: Values) -> dict[bool, tuple[Key, Any]]:
    """The largest of some numbers, and under True that of the derivatives among them."""
    found: dict[bool, tuple[Key, Any]] = {}
    for key, number in values.items():
        if isinstance(number, mp.mpf):
            is_slope = key[0].startswith(adjoint_name(""))
            if is_slope not in found or abs(number) > abs(found[is_slope][1]):
                found[is_slope] = key, number
    return found


@lru_cache(maxsize=200)
def _made_ready(
    names: tuple[str, ...], lines: tuple[tuple[str, sympy.Expr], ...]
) -> Mapping[str, Callable[..., Any]]:
    """The lines of an optimizer as functions, which take long to make."""
    symbols = [sympy.Symbol(name, real=True) for name in names]
    return {name: exact_function(symbols, rule) for name, rule in lines}


def in_doubles(
    problem: Problem, derivation: Derivation, given: Values, first: int = 1
) -> Trajectory:
    """A training as doubles compute it: each value with how far off it may be.

    `first` is the number of its first update.
    """
    whole = {q.name for q in problem.graph.given if q.integer}
    with working():
        start = {key: v if key[0] in whole else double(v) for key, v in given.items()}
    return Trajectory(problem, derivation, start, DOUBLES, NAMED, first=first)
