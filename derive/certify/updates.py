"""What a model's page computes beyond its first pass: updates, and the passes after them.

A number that the page does not print, as the state of an optimizer or a derivative of a later pass,
has a formula too: it lies on the way to one that is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from derive.certify.scalars import Scalars, adjoint_of
from derive.expression import Element
from derive.graph import Role
from derive.notation import UPDATED, Names
from derive.problem import Problem
from derive.render.model_update import moves
from derive.render.weights import ALPHA
from derive.render.whole_update import RATE, state_of
from derive.sequence import Stage, stages

Formulas = dict[sympy.Expr, sympy.Expr]
MOST_FORMULAS = 20_000  # of all passes of a training together


def formulas_of_model(problem: Problem, scalars: Scalars, names: Names, last: int) -> Formulas:
    """The formulas of both passes, of an update, of the pass after it, up to update `last`."""
    first = {e: e for e in (*scalars.given, *scalars.forward, *scalars.adjoints)}
    training = _Training(problem, scalars, names)
    found: Formulas = {**scalars.forward, **scalars.adjoints}
    if problem.training.optimizer.looks_around:
        return found  # a line may read entries of all parameters, of which nothing is printed
    now: Mapping[sympy.Expr, sympy.Expr] = {**first, **training.first_states}
    for number in range(1, max(last, 1) + 1):
        moved = training.update(now, number)
        found |= moved.formulas
        now, later = training.next_pass(moved.now, number, number < last)
        found |= later
        if len(found) > MOST_FORMULAS or not now:
            break
    return found


def updated(scalar: Element) -> Element:
    """A scalar after the update."""
    return Element(scalar.name + UPDATED, *scalar.indices)


@dataclass(frozen=True)
class _Moved:
    """What an update made: formulas, and what stands for each scalar and state after it."""

    now: Formulas
    formulas: Formulas = field(default_factory=dict)


@dataclass(frozen=True)
class _Training:
    """A training, update by update. What stands for a scalar is its key on the page, if any."""

    problem: Problem
    scalars: Scalars
    names: Names

    @cached_property
    def order(self) -> tuple[Stage, ...]:
        parameters = [q.name for q in self.problem.graph.of_role(Role.PARAMETER)]
        training = self.problem.training
        trained = [name for name in parameters if name not in training.frozen]
        return stages(self.scalars.derivation.backward, trained, training.order)

    def trained(self, stage: Stage) -> Iterator[Element]:
        """The scalars that change at a stage of an update."""
        for scalar in self.scalars.given:
            if scalar.name in stage.parameters and adjoint_of(scalar) in self.scalars.adjoints:
                yield scalar

    @cached_property
    def first_states(self) -> Formulas:
        """The states of the optimizer before the first update."""
        training = self.problem.training
        return {
            Element(state_of(state, scalar.name), *scalar.indices): sympy.Rational(
                training.states.get((state, scalar.name), {}).get(_place(scalar), 0)
            )
            for stage in self.order
            for scalar in self.trained(stage)
            for state in training.optimizer.states
        }

    def update(self, before: Mapping[sympy.Expr, sympy.Expr], number: int) -> _Moved:
        """One update, stage by stage."""
        made = _Moved(dict(before))
        for position, stage in enumerate(self.order):
            if position:
                made.formulas.update(self._again(stage, before, made.now, number))
            changed: Formulas = {}
            for scalar in self.trained(stage):
                made.formulas.update(self._moved(scalar, made.now, changed, number))
            made.now.update(changed)
        return made

    def _again(
        self, stage: Stage, before: Mapping[sympy.Expr, sympy.Expr], now: Formulas, number: int
    ) -> Formulas:
        """The adjoints that a later stage computes with what has changed; enters them."""
        names = {equation.quantity.name for equation in stage.equations}
        found: Formulas = {}
        for adjoint, rhs in self.scalars.adjoints.items():
            formula = rhs.xreplace(now)
            if adjoint.name in names and formula != rhs.xreplace(before):
                later = f" of update {number}" if number > 1 else ""
                now[adjoint] = sympy.Symbol(f"{_told(adjoint)} by then{later}", real=True)
                found[now[adjoint]] = formula
        return found

    def _moved(
        self, scalar: Element, now: Formulas, changed: Formulas, number: int
    ) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
        """One parameter, line by line: a line reads what those before it came to."""
        known: Formulas = {**now, Element(RATE): ALPHA}
        found: Formulas = {}
        mark = UPDATED if number == 1 else f"@{number}"
        for (name, at), step in moves(self.problem, (scalar.name, _place(scalar)), number):
            element, new = Element(name, *at), updated(Element(name, *at))
            state = sympy.Symbol(f"{_told(element)}{mark}", real=True)
            key = self.after(element, number) if name == scalar.name else state
            if key in found:
                return  # of a line that a later one overwrites nothing is printed
            found[key] = step.xreplace(known)
            known[new] = changed[element] = key
        yield from found.items()

    def after(self, scalar: Element, number: int) -> sympy.Expr:
        """The key of a scalar after an update."""
        if number == 1:
            return updated(scalar)
        return sympy.Symbol(self.names.name(scalar).after(number).report, real=True)

    def next_pass(
        self, moved: Formulas, number: int, backward: bool
    ) -> tuple[Mapping[sympy.Expr, sympy.Expr], Formulas]:
        """The pass after an update, and what stands for each scalar in it; the way back too."""
        now = dict(moved)
        samples = self.problem.samples
        if samples:
            sample = samples[number % len(samples)]
            for scalar in self.scalars.given:
                if scalar.name in sample:
                    now[scalar] = sympy.Rational(sample[scalar.name][_place(scalar)])
            if any(scalar.name in sample for scalar in self.scalars.whole):
                return {}, {}  # it reads at other places, so it has other equations
        found: Formulas = {}
        groups: Sequence[Mapping[Element, sympy.Expr]] = [self.scalars.forward]
        groups = [*groups, self.scalars.adjoints] if backward else groups
        for formulas in groups:
            keys = {scalar: self._passed(scalar, number, bool(samples)) for scalar in formulas}
            now |= keys
            found |= {keys[scalar]: rhs.xreplace(now) for scalar, rhs in formulas.items()}
        return now, found

    def _passed(self, scalar: Element, number: int, samples: bool) -> sympy.Expr:
        """The key of what a pass computes; of another sample the page has no `E+`."""
        if number == 1 and not samples and scalar in self.scalars.forward:
            return updated(scalar)
        return sympy.Symbol(self.names.name(scalar).after(number).report, real=True)


def _place(scalar: Element) -> tuple[int, ...]:
    return tuple(map(int, scalar.indices))


def _told(element: Element) -> str:
    """A number on the way in words."""
    places = ",".join(map(str, element.indices))
    return f"{element.name}[{places}]" if places else element.name
