"""Which view a page takes, and the order in which it tells of the weights."""

from __future__ import annotations

from derive.expression import Element
from derive.graph import Role
from derive.problem import Problem
from derive.scalar import positions

MOST_PATH_WEIGHTS = 12


def path_view(problem: Problem) -> bool:
    """Whether every weight is told path by path; larger networks are told layer by layer."""
    count = sum(len(list(positions(q.axes))) for q in problem.graph.of_role(Role.PARAMETER))
    return problem.batch == 1 and len(problem.layers) <= 2 and count <= MOST_PATH_WEIGHTS


def weights_in_order(problem: Problem) -> list[Element]:
    """All scalars to be trained: the last layer first, within a layer unit by unit."""
    return [
        Element(name, *place)
        for use in reversed(problem.layers)
        for name in use.parameters
        for place in positions(problem.graph.quantities[name].axes)
    ]
