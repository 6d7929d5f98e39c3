"""An update by an optimizer that looks at more than one entry, by the interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mpmath import mp

from derive.amount import work
from derive.expression import Element
from derive.graph import Graph, Quantity, Role
from derive.library.update import Called, LineEquation, Moved, line_equations
from derive.limits import MOST_WORK
from derive.problem import Problem
from derive.verify.algebra import Algebra
from derive.verify.bench import places
from derive.verify.interpreter import run
from derive.verify.meaning import Key, Values

RATE, NUMBER = "learning rate", "number of the update"
NEW = " after it"
CALLED = Called(
    "{}_{}".format, "{}_{}".format, "{}_now".format, f"{{}}{NEW}".format, Element(RATE),
    Element(NUMBER),
)  # fmt: skip


@dataclass(frozen=True)
class WholeUpdate:
    """The update of some parameters, all at once; values are by the names of a trajectory."""

    problem: Problem
    names: tuple[str, ...]
    algebra: Algebra

    @cached_property
    def lines(self) -> tuple[LineEquation, ...]:
        """The lines of the optimizer as equations."""
        training = self.problem.training
        row = training.optimizer
        return line_equations(row.equations, row.states, training.settings, self._moving, CALLED)

    @cached_property
    def _moving(self) -> Sequence[Moved]:
        parameters = self.problem.graph.of_role(Role.PARAMETER)
        return [Moved.of(quantity) for quantity in parameters if quantity.name in self.names]

    @cached_property
    def graph(self) -> Graph:
        """What is given before the update, and what it computes."""
        given = [Quantity(name, "", (), Role.CONSTANT) for name in (RATE, NUMBER)]
        states = self.problem.training.optimizer.states
        for each in self._moving:
            given += filter(None, [each.quantity, each.slope])
            given += (replace(each.quantity, name=f"{s}_{each.quantity.name}") for s in states)
        return Graph(tuple(given), tuple(each.equation for each in self.lines))

    @property
    def affordable(self) -> bool:
        """Whether it can be computed digit by digit."""
        return work(self.graph) <= MOST_WORK

    def moved(
        self, values: Values, slopes: Mapping[Key, Any], rate: Any, number: int
    ) -> Iterator[tuple[Key, Any]]:
        """All that the lines make, from parameters, states, and the gradients by adjoint names."""
        zero = 0 * rate
        given: dict[Key, Any] = {(RATE, ()): rate, (NUMBER, ()): mp.mpf(number)}
        for quantity in self.graph.given:
            for key in places(quantity):
                if key not in given:
                    source = slopes if quantity.role is Role.ADJOINT else values
                    given[key] = source.get(key, zero) if source is slopes else source[key]
        found = run(self.graph, given, self.algebra)
        for each in self.lines:
            for key in places(each.equation.quantity):
                yield (key[0].removesuffix(NEW), key[1]), found[key]
