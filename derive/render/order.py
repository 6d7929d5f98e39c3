"""Which view a page takes, and the order in which it tells of the weights."""

from __future__ import annotations

from math import prod

from derive.expression import Element
from derive.graph import Role
from derive.problem import Problem
from derive.scalar import positions

MOST_PATH_WEIGHTS = 12
MOST_NUMBERS = 3000


def path_view(problem: Problem) -> bool:
    """Whether every weight is told path by path; larger networks are told layer by layer."""
    count = sum(prod(q.shape) for q in problem.graph.of_role(Role.PARAMETER))
    return problem.batch == 1 and len(problem.layers) <= 2 and count <= MOST_PATH_WEIGHTS


def in_numbers(problem: Problem) -> bool:
    """Whether a page puts numbers in: not where nobody would read them, unless some were printed.

    A page has at most one number for each entry, and for parameters a gradient and a new value.
    """
    entries = sum(prod(quantity.shape) for quantity in problem.graph.quantities.values())
    return not problem.symbolic and (entries <= MOST_NUMBERS or bool(problem.published))


def first_weight(problem: Problem) -> Element:
    """The scalar that is trained first in the order below."""
    name = problem.layers[-1].parameters[0]
    return Element(name, *(0 for _ in problem.graph.quantities[name].axes))


def weights_in_order(problem: Problem) -> list[Element]:
    """All scalars to be trained: the last layer first, within a layer unit by unit."""
    return [
        Element(name, *place)
        for use in reversed(problem.layers)
        for name in use.parameters
        for place in positions(problem.graph.quantities[name].axes)
    ]
