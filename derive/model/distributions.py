"""Which targets of a model are distributions, so that a whole one sums to one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from derive.expression import reads
from derive.graph import Graph, Quantity, Role
from derive.library.losses import BY_NAME
from derive.problem import NodeUse, Tensor


def with_distributions(
    graph: Graph,
    nodes: Iterable[NodeUse],
    values: Mapping[str, Tensor],
    samples: Sequence[Mapping[str, Tensor]],
) -> Graph:
    """The graph that knows of every target whether it sums to one over its last axis.

    The values tell; where there are none, the loss that reads the target does.
    """
    tables: dict[str, list[Tensor]] = {}
    for each in (values, *samples):
        for name, tensor in each.items():
            tables.setdefault(name, []).append(tensor)
    meant = _meant(graph, nodes)

    def told(quantity: Quantity) -> Quantity:
        if quantity.role is not Role.TARGET or not quantity.axes or quantity.shape[-1] < 2:
            return quantity
        own = tables.get(quantity.name)
        sums = all(map(_sums_to_one, own)) if own else quantity.name in meant
        return replace(quantity, sums_to_one=sums)

    return Graph(tuple(map(told, graph.given)), graph.equations)


def _sums_to_one(tensor: Tensor) -> bool:
    return all(total == 1 for total in totals(tensor).values())


def totals(tensor: Tensor) -> Mapping[tuple[int, ...], Fraction]:
    """The sums over the last axis, by the place on all others."""
    found: dict[tuple[int, ...], Fraction] = {}
    for place, value in tensor.items():
        found[place[:-1]] = found.get(place[:-1], Fraction(0)) + value
    return found


def _meant(graph: Graph, nodes: Iterable[NodeUse]) -> set[str]:
    """What is read as a distribution by a loss of the library."""
    losses = [n for n in nodes if n.row in BY_NAME and BY_NAME[n.row].distribution]
    return {
        name for node in losses for made in node.defined for name in reads(graph.equation(made).rhs)
    }
