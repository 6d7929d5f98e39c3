"""A derivation written out in scalars: what each is computed from, its derivatives, its readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from derive.certify.terms import Condition, conditions, elements_in, sure
from derive.expression import Element
from derive.graph import Derivation, Equation, Role, adjoint_name
from derive.rules import Rule
from derive.scalar import local_slope, positions, scalar_equations, shapes_of

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
        return local_slope(self.derivation.local(of.name, by.name), of, by, self.shapes)

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
        return tuple(dict.fromkeys(c for needed in self.needs.values() for c in needed))


def scalars_of(derivation: Derivation) -> Scalars:
    """Write a derivation out."""
    graph = derivation.forward
    shapes = shapes_of(graph) | shapes_of(derivation.backward)
    given = tuple(Element(q.name, *place) for q in graph.given for place in positions(q.axes))
    forward = _in_order(_written(graph.equations, shapes))
    backward = _in_order(_written(derivation.backward.equations, shapes))
    return Scalars(derivation, given, forward, backward, shapes)


def _written(
    equations: Iterable[Equation], shapes: Mapping[str, tuple[int, ...]]
) -> dict[Element, sympy.Expr]:
    return {left: right for e in equations for left, right in scalar_equations(e, shapes)}


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


def count(derivation: Derivation) -> int:
    """How many scalars a derivation has, both passes together."""
    shapes = (*derivation.forward.quantities.values(), *derivation.backward.quantities.values())
    return sum(_size(q.shape) for q in shapes if q.role is not Role.CONSTANT)


def _size(shape: tuple[int, ...]) -> int:
    found = 1
    for length in shape:
        found *= length
    return found
