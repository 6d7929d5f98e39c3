"""A derivation written out in scalars: what each is computed from, its derivatives, its readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from derive.backprop import differentiate
from derive.certify.largest import written_out
from derive.certify.terms import Condition, conditions, elements_in, sure
from derive.expression import Element
from derive.graph import Derivation, Equation, Local, Quantity, Role, SlopeOf, adjoint_name
from derive.inner import way_to
from derive.problem import Problem
from derive.rules import Rule
from derive.scalar import Whole, local_slope, positions, scalar_equations, shapes_of

Formulas = Mapping[Element, sympy.Expr]


def adjoint_of(scalar: Element) -> Element:
    """∂E/∂scalar as an element."""
    return Element(adjoint_name(scalar.name), *scalar.indices)


@dataclass(frozen=True)
class Scalars:
    """All scalars of a derivation, each after those that it is computed from.

    `forward` are the equations, `adjoints` what the derivation says of the derivatives by all
    scalars on which the loss depends and that are asked for, or lie on the way (`moving`).
    """

    derivation: Derivation
    given: tuple[Element, ...]
    forward: Formulas
    adjoints: Formulas
    shapes: Mapping[str, tuple[int, ...]]
    whole: Whole

    @property
    def loss(self) -> Element:
        """The scalar that is differentiated."""
        return Element(self.derivation.forward.loss.name)

    @cached_property
    def moving(self) -> tuple[Element, ...]:
        """The scalars by which the loss is differentiated, itself among them, in order."""
        every = (*self.given, *self.forward)
        return tuple(s for s in every if s == self.loss or adjoint_of(s) in self.adjoints)

    @cached_property
    def operands(self) -> Mapping[Element, tuple[Element, ...]]:
        """What each moving scalar reads of the others that move."""
        moving = set(self.moving)
        return {
            scalar: tuple(e for e in elements_in([self.forward[scalar]]) if e in moving)
            if scalar in self.forward
            else ()
            for scalar in self.moving
        }

    @cached_property
    def readers(self) -> Mapping[Element, tuple[Element, ...]]:
        """The moving scalars that read each of them."""
        found: dict[Element, list[Element]] = {scalar: [] for scalar in self.moving}
        for scalar, read in self.operands.items():
            for operand in read:
                found[operand].append(scalar)
        return {scalar: tuple(by) for scalar, by in found.items()}

    def slope(self, of: Element, by: Element) -> sympy.Expr:
        """∂of/∂by as the derivation has it."""
        local = self._local(of.name, by.name)
        return local_slope(local, of, by, self.shapes, self.whole)

    def _local(self, of: str, by: str) -> Local:
        if (of, by) not in self._locals:
            local = self.derivation.local(of, by)
            self._locals[of, by] = replace(local, value=written_out(local.value))
        return self._locals[of, by]

    @cached_property
    def _locals(self) -> dict[tuple[str, str], Local]:
        return {}

    @cached_property
    def distributions(self) -> tuple[tuple[Element, ...], ...]:
        """Rows of given scalars that add up to one, where the derivation makes use of it."""
        if not any(step.rule is Rule.NORMALISED for step in self.derivation.steps):
            return ()
        rows: dict[tuple[sympy.Basic, ...], list[Element]] = {}
        for scalar in self.given:
            if self.derivation.forward.quantities[scalar.name].sums_to_one:
                rows.setdefault((scalar.args[0], *scalar.indices[:-1]), []).append(scalar)
        return tuple(map(tuple, rows.values()))

    @cached_property
    def needs(self) -> Mapping[Element, tuple[Condition, ...]]:
        """What each equation needs to have a derivative and does not surely have."""
        return {
            scalar: tuple(
                dict.fromkeys(
                    c for c in conditions(self.forward[scalar]) if not sure(c, self.forward)
                )
            )
            for scalar in self.moving
            if scalar in self.forward
        }

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """All that equations need, each once."""
        graphs = (self, *self.within)
        every = (c for graph in graphs for needed in graph.needs.values() for c in needed)
        return tuple(dict.fromkeys(every))

    @cached_property
    def within(self) -> tuple[Within, ...]:
        """The graphs that are differentiated within a model, where all of the way is told."""
        return all_within(self)


@dataclass(frozen=True)
class Within(Scalars):
    """The scalars that lead to one entry which is differentiated within a model.

    `entries` are the derivatives of that entry by them, as the model has them.
    """

    of: Element
    entries: Mapping[Element, Element]

    @property
    def loss(self) -> Element:
        """The entry that is differentiated."""
        return self.of

    @cached_property
    def within(self) -> tuple[Within, ...]:
        """What is differentiated within it has a graph of its own."""
        return ()


def scalars_of(problem: Problem, derivation: Derivation) -> Scalars:
    """Write a derivation out, with the whole numbers of the spec."""
    graph = derivation.forward
    shapes = shapes_of(graph) | shapes_of(derivation.backward)
    entries = (Element(q.name, *at) for q in graph.given for at in positions(q.axes))
    whole = whole_numbers(problem)
    given = tuple(entry for entry in entries if entry not in whole)
    forward = _in_order(_written(graph.equations, shapes, whole))
    backward = _in_order(_written(derivation.backward.equations, shapes, whole))
    return Scalars(derivation, given, forward, backward, shapes, whole)


def whole_numbers(problem: Problem) -> Whole:
    """The given whole numbers, which say where something is read; none without values."""
    told = (q for q in problem.graph.given if q.integer and q.name in problem.values)
    return {Element(q.name, *at): int(n) for q in told for at, n in problem.values[q.name].items()}


def _written(
    equations: Iterable[Equation], shapes: Mapping[str, tuple[int, ...]], whole: Whole
) -> dict[Element, sympy.Expr]:
    plain = (replace(equation, rhs=written_out(equation.rhs)) for equation in equations)
    return {left: right for e in plain for left, right in scalar_equations(e, shapes, whole)}


def _in_order(formulas: Mapping[Element, sympy.Expr]) -> dict[Element, sympy.Expr]:
    """Formulas sorted so that each stands after those that it reads, as a recurrence needs."""
    done: dict[Element, sympy.Expr] = {}
    waiting = [(left, False) for left in reversed(tuple(formulas))]
    while waiting:
        left, ready = waiting.pop()
        if left in done:
            continue
        if ready:
            done[left] = formulas[left]
            continue
        waiting.append((left, True))
        read = (e for e in elements_in([formulas[left]]) if e in formulas and e not in done)
        waiting += [(each, False) for each in read]
    return done


# --- derivatives within a model ----------------------------------------------------------------


def all_within(scalars: Scalars) -> tuple[Within, ...]:
    """The graphs that are differentiated within a model, where all of the way is told."""
    quantities = scalars.derivation.forward.quantities
    slopes = [q for q in quantities.values() if q.slope is not None]
    entries: dict[Element, dict[Element, Element]] = {}
    for entry in scalars.forward:
        slope = quantities[entry.name].slope
        if slope is not None:
            of, by = _ends(slope, entry)
            entries.setdefault(of, {})[by] = entry
    parts = {q.slope.of: _part(scalars, q.slope.of, slopes) for q in slopes if q.slope}
    found = (_within(scalars, parts[of.name], of, known) for of, known in entries.items())
    return tuple(each for each in found if each is not None)


def _ends(slope: SlopeOf, entry: Element) -> tuple[Element, Element]:
    """What is differentiated by what."""
    places = entry.indices
    of = Element(slope.of, *(places[k] for k in slope.at))
    return of, Element(slope.by, *places[slope.before :])


def _part(scalars: Scalars, of: str, slopes: Sequence[Quantity]) -> Derivation:
    by = [q.slope.by for q in slopes if q.slope is not None and q.slope.of == of]
    return differentiate(way_to(scalars.derivation.forward, of, by), by)


def _within(
    scalars: Scalars, part: Derivation, of: Element, entries: Mapping[Element, Element]
) -> Within | None:
    """One graph; None if something on the way has no derivative in the model."""
    way = _way(scalars, of)
    moving = {*(by for by in entries if by in way), of}
    forward = {s: rhs for s, rhs in scalars.forward.items() if s in way}
    read = ((s, e) for s, rhs in forward.items() for e in elements_in([rhs]))
    if any(e in moving and s not in moving for s, e in read):
        return None
    adjoints = {adjoint_of(by): scalars.forward[entries[by]] for by in moving if by != of}
    given = tuple(s for s in scalars.given if s in moving)
    return Within(part, given, forward, adjoints, scalars.shapes, scalars.whole, of, entries)


def _way(scalars: Scalars, of: Element) -> set[Element]:
    """What an entry is computed from, with itself."""
    found, waiting = {of}, [of]
    while waiting:
        for each in elements_in([scalars.forward.get(waiting.pop(), sympy.S.Zero)]):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def count(derivation: Derivation) -> int:
    """How many scalars a derivation has, both passes together."""
    shapes = (*derivation.forward.quantities.values(), *derivation.backward.quantities.values())
    return sum(_size(q.shape) for q in shapes if q.role is not Role.CONSTANT)


def _size(shape: tuple[int, ...]) -> int:
    found = 1
    for length in shape:
        found *= length
    return found
