"""A recurrence as it is read from the graph: what a step reads, keeps for other steps and gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from derive.expression import Index, elements, reads
from derive.graph import Block, Derivation, Equation, Graph, Role, adjoint_name

MOST_STATES = 4


@dataclass(frozen=True)
class Carried:
    """A state that a step `late` steps later reads."""

    state: str
    late: int


@dataclass(frozen=True)
class Result:
    """What is computed of a state, and of which: at each step, at one step, or of all of them.

    `step` is -1 for each step, and None for all of them together.
    """

    name: str
    of: str
    step: int | None


@dataclass(frozen=True)
class Recurrence:
    """The steps of a recurrence, which come one after the other upwards or, `up` -1, downwards.

    `states` are read by other steps, `within` a step else is computed; `inner` are the states that
    another one reads in the same step.
    """

    letter: Index
    up: int
    states: tuple[str, ...]
    within: tuple[str, ...]
    carried: tuple[Carried, ...]
    inner: tuple[tuple[str, str], ...]
    inputs: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.letter.axis.length


def recurrence_of(graph: Graph, block: Block) -> Recurrence | None:
    """What a block of equations computes step by step; None if that is more than one can draw.

    It walks along one index, and what it reads of other steps is always as many steps before.
    """
    if len(block.walks) != 1 or not block.walked(0)[0].axis.size.is_Integer:
        return None
    along = {e.quantity.name: k for e, k in zip(block.equations, block.along, strict=True)}
    carried = _carried(block, along)
    if carried is None:
        return None
    states = tuple(name for name in along if any(each.state == name for each in carried))
    letter = block.walked(0)[0]
    if letter.axis.length < 2 or len(states) > MOST_STATES:
        return None
    return Recurrence(
        letter,
        block.step,
        states,
        tuple(name for name in along if name not in states),
        carried,
        tuple(_inner(block, states)),
        tuple(_inputs(graph, block, along)),
        tuple(dict.fromkeys(r for r in _results(graph, along) if r.of in states)),
    )


def has_gradient(derivation: Derivation, name: str) -> bool:
    """Whether the loss is differentiated by a quantity; the loss itself has the derivative 1."""
    loss = {q.name for q in derivation.forward.of_role(Role.LOSS)}
    return adjoint_name(name) in derivation.backward.quantities or name in loss


def _carried(block: Block, along: dict[str, int]) -> tuple[Carried, ...] | None:
    """What is read of other steps; None if one cannot say of which."""
    found: dict[Carried, None] = {}
    for number, equation in enumerate(block.equations):
        (own,) = block.walked(number)
        for read in elements(equation.rhs):
            if read.name in along:
                late = block.step * (own - read.indices[along[read.name]])
                if not late.is_Integer:
                    return None
                if late:
                    found[Carried(read.name, int(late))] = None
    return tuple(found)


def _inner(block: Block, states: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Which state goes into which in the same step, directly or through what is within."""
    before: dict[str, set[str]] = {}
    for number, equation in enumerate(block.equations):
        (own,) = block.walked(number)
        name = equation.quantity.name
        before[name] = set()
        for read in elements(equation.rhs):
            if read.name in before and read.name != name and own in read.indices:
                before[name] |= {read.name} if read.name in states else before[read.name]
        if name in states:
            yield from ((each, name) for each in states if each in before[name])


def _inputs(graph: Graph, block: Block, along: dict[str, int]) -> Iterator[str]:
    """What a step reads of the same step of quantities outside."""
    found: dict[str, None] = {}
    for number, equation in enumerate(block.equations):
        (own,) = block.walked(number)
        for read in elements(equation.rhs):
            if read.name not in along and own in read.indices:
                found[read.name] = None
    order = list(graph.quantities)
    yield from sorted(found, key=order.index)


def _results(graph: Graph, along: dict[str, int]) -> Iterator[Result]:
    """What reads a recurrence from outside."""
    for equation in graph.equations:
        if equation.quantity.name in along:
            continue
        for name in reads(equation.rhs):
            if name in along:
                yield from _of(equation, name, along[name])


def _of(equation: Equation, name: str, place: int) -> Iterator[Result]:
    for read in elements(equation.rhs):
        if read.name != name:
            continue
        position = read.indices[place]
        if position.is_Integer:
            yield Result(equation.quantity.name, name, int(position))
        elif isinstance(position, Index):
            step = -1 if position in equation.indices else None
            yield Result(equation.quantity.name, name, step)
