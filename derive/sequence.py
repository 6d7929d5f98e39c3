"""The order of updates: which parameters change when, on the way back.

    simultaneous     all derivatives first, then all parameters
    layer by layer   each parameter as soon as the derivative by it is known

What is computed after a parameter has changed reads its new value. The values of the forward pass
stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from derive.expression import reads
from derive.graph import Block, Equation, Graph, adjoint_name, blocks, needed


class Order(StrEnum):
    """When a parameter takes its new value."""

    SIMULTANEOUS = "simultaneous"
    LAYER_BY_LAYER = "layer_by_layer"


@dataclass(frozen=True)
class Stage:
    """Adjoints that are computed, and the parameters that change after them, all at once."""

    equations: tuple[Equation, ...]
    parameters: tuple[str, ...]


def stages(backward: Graph, trained: Sequence[str], order: Order) -> tuple[Stage, ...]:
    """One update, as it is carried out.

    Layer by layer, the adjoints that a trained parameter needs are computed from the last equation
    of the forward pass to the first, a recurrence as a whole. After each of them, those parameters
    change whose own adjoints read nothing that is still unknown.
    """
    if order is Order.SIMULTANEOUS:
        return (Stage(backward.equations, tuple(trained)),)
    own = [adjoint_name(name) for name in trained]
    equations = needed(backward.equations, own)
    adjoints = {equation.quantity.name: equation for equation in equations}
    unknown, waiting = set(adjoints), list(trained)
    found: list[Stage] = []
    computed: list[Equation] = []
    rest = tuple(e for e in equations if e.quantity.name not in own)
    for block in (Block(()), *blocks(rest)):
        computed += block.equations
        unknown -= {equation.quantity.name for equation in block.equations}
        ready = [name for name in waiting if not unknown & _read(name, adjoints)]
        if ready:
            last = [adjoints[a] for a in map(adjoint_name, ready) if a in adjoints]
            found.append(Stage((*computed, *last), tuple(ready)))
            waiting = [name for name in waiting if name not in ready]
            computed = []
    return tuple(found)


def _read(name: str, adjoints: dict[str, Equation]) -> set[str]:
    """What the adjoint of a parameter reads; nothing if the loss does not depend on it."""
    equation = adjoints.get(adjoint_name(name))
    return set(reads(equation.rhs)) if equation is not None else set()
