"""Shares of a total, `exp(x[r] - log(sum(o, exp(x[o]))))`, with each exponential computed once.

They are the exponentials without the largest, divided by their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from derive.emit.names import code_name
from derive.emit.program import Assignment, fresh, names_in
from derive.emit.tree import (
    Apply,
    Change,
    Constant,
    How,
    Loop,
    Node,
    Number,
    Read,
    Reduce,
    Sum,
    moved,
    replaced,
    walk,
)
from derive.expression import Index
from derive.graph import Quantity, Role

LEAST = Sum(((-1, Constant("inf")),))


def with_shares(assignments: Iterable[Assignment]) -> Iterator[Assignment]:
    """The same values, with the exponentials of shares as assignments of their own."""
    assignments = tuple(assignments)
    taken = names_in(assignments)
    for each in assignments:
        yield from _parted(each, taken) or [each]


def _parted(assignment: Assignment, taken: set[str]) -> list[Assignment]:
    """The exponentials and their shares; nothing if the values are no shares."""
    totals = [
        node
        for node in walk(assignment.value)
        if isinstance(node, Reduce) and node.how is How.LOG_TOTAL_EXP
    ]
    if assignment.walks or len(totals) != 1 or len(totals[0].loops) != 1:
        return []
    total, loops = totals[0], assignment.loops
    bound, size = total.loops[0].index, total.loops[0].axis.length
    logarithm = _logarithm(assignment.value, total)
    letters = [loop.index for loop in loops if loop.axis.length == size]
    found = [i for i in letters if logarithm == moved(total.body, _at(bound, i))]
    if not found:
        return []
    own = found[0]
    most = Reduce(How.LARGEST, total.body, total.loops)
    name = fresh(f"{code_name(assignment.quantity.name)}_each", taken)
    each = Quantity(name, name, assignment.quantity.axes, Role.HIDDEN)
    places = tuple(loop.index for loop in loops)
    others = tuple(bound if i == own else i for i in places)
    whole = Reduce(How.TOTAL, Read(name, others, each.axes), (Loop(bound, total.loops[0].axis),))
    return [
        replace(assignment, quantity=each, value=replaced(assignment.value, total, most)),
        replace(assignment, value=Apply("ratio", (Read(name, places, each.axes), whole))),
    ]


def _logarithm(node: Node, total: Reduce) -> Node | None:
    """What a share is the exponential of, without the logarithm of the total; None if it is none.

    A share of 0 that is chosen is the exponential of what is less than all numbers.
    """
    match node:
        case Apply("exp", (Sum(((1, x), (-1, last))),)) if last == total:
            return x
        case Apply("where", (test, Number(0), other)):
            inner = _logarithm(other, total)
            return None if inner is None else Apply("where", (test, LEAST, inner))
    return None


def _at(old: Index, new: Index) -> Change:
    """How positions change where one letter takes the place of another."""
    return lambda position: position.xreplace({old: new})
