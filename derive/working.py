"""What stays the same during one differentiation: the graph, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from derive.calculus import Sizes
from derive.expression import Element, reads
from derive.functions import ROWS
from derive.graph import (
    Equation,
    Graph,
    GraphError,
    Quantity,
    Role,
    adjoint_name,
)
from derive.letters import Letters
from derive.repeats import Result
from derive.signs import Signs, signs_of

HOLDING = tuple(row.symbol for row in ROWS if row.holds)


@dataclass(frozen=True)
class Work:
    """What stays the same during one differentiation."""

    graph: Graph
    active: frozenset[str]
    sizes: Sizes
    together: Mapping[str, int]
    readers: Mapping[str, list[Equation]]
    found: dict[Hashable, tuple[tuple[str, ...], Result]]

    @cached_property
    def names(self) -> Mapping[str, Quantity]:
        """The quantities of the forward pass."""
        return self.graph.quantities

    @cached_property
    def taken(self) -> frozenset[str]:
        """What an index letter must not be called."""
        return self.graph.taken

    @cached_property
    def along(self) -> Mapping[str, int]:
        """The place of the index that a recurrence walks along, for each quantity of one."""
        return {
            equation.quantity.name: place
            for block in self.graph.blocks
            for equation, place in zip(block.equations, block.along, strict=False)
        }

    @cached_property
    def signs(self) -> Signs:
        """What is known of the signs of the quantities."""
        return signs_of(self.graph)

    @cached_property
    def letters(self) -> Letters:
        """The letters of the forward pass, and those that were chosen since."""
        return Letters.of(self.graph)

    def nature(self, name: str) -> Hashable:
        """All that a derivation asks of a quantity but its name."""
        forward = self.names.get(name)
        quantity = forward or self.names[name.removeprefix(adjoint_name(""))]
        sizes = tuple(axis.size for axis in quantity.axes)
        signs = name in self.signs.above, name in self.signs.not_below
        return forward is not None, sizes, quantity.sums_to_one, signs

    def recur(self, left: str, right: str) -> bool:
        """Whether two quantities belong to the same recurrence."""
        return left in self.together and self.together[left] == self.together.get(right)


def active_in(graph: Graph, wanted: tuple[str, ...]) -> frozenset[str]:
    """The quantities that move with a wanted one and with which the loss moves.

    What no loss moves with, but is wanted, is followed through all that reads it, to tell where it
    is held fixed.
    """
    unknown = [name for name in wanted if name not in graph.quantities]
    if unknown:
        raise GraphError(f"there is no quantity '{unknown[0]}'")
    moving = _between(graph, wanted, _moving)
    return moving | _between(graph, tuple(name for name in wanted if name not in moving), reads)


def _between(
    graph: Graph, first: tuple[str, ...], through: Callable[[sympy.Basic], Iterable[str]]
) -> frozenset[str]:
    """What lies on the ways from some quantities to the loss."""
    read = {equation.quantity.name: through(equation.rhs) for equation in graph.equations}
    forward = set(first)
    while more := {n for n, below in read.items() if n not in forward and forward & set(below)}:
        forward |= more
    backward = {graph.loss.name}
    while more := {below for n in backward for below in read.get(n, ())} - backward:
        backward |= more
    return frozenset(forward & backward)


def _moving(expr: sympy.Basic) -> frozenset[str]:
    """What an expression reads, but for conditions and whatever else is held fixed."""
    if isinstance(expr, HOLDING):
        return frozenset()
    own = {expr.name} if isinstance(expr, Element) else set[str]()
    return frozenset(own.union(*map(_moving, expr.args)))


def readers_in(graph: Graph, active: frozenset[str]) -> dict[str, list[Equation]]:
    """The equations on the way to the loss that read a quantity."""
    readers: dict[str, list[Equation]] = {}
    for equation in graph.equations:
        if equation.quantity.name in active or equation.quantity.role is Role.LOSS:
            for name in reads(equation.rhs):
                readers.setdefault(name, []).append(equation)
    return readers


def together_in(graph: Graph) -> dict[str, int]:
    """The number of the recurrence to which a quantity belongs."""
    return {
        equation.quantity.name: number
        for number, block in enumerate(graph.blocks)
        for equation in block.equations
        if block.step
    }
