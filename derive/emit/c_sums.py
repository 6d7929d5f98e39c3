"""Sums that are added to entries, in loops that run along the rows of what is read.

An entry begins with the terms that are no such sums; windows laid on their places are added like
that, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from derive.emit.apart import Terms
from derive.emit.program import Assignment
from derive.emit.tree import (
    Constant,
    Fold,
    How,
    Loop,
    Node,
    Number,
    Product,
    Read,
    Reduce,
    Sum,
    walk,
)
from derive.emit.windows import spread
from derive.expression import Index


@dataclass(frozen=True)
class Added:
    """Terms that are added to the entries of an assignment, in these loops.

    A fold adds to the entries at `places`, which may lie outside.
    """

    sign: int
    body: Node
    loops: tuple[Loop, ...]
    places: Mapping[Index, sympy.Expr] = field(default_factory=dict)


def total_of(terms: Terms) -> Node:
    """Terms as one value; none of them are nothing."""
    if not terms:
        return Number(0)
    return terms[0][1] if len(terms) == 1 and terms[0][0] > 0 else Sum(terms)


def parted(assignment: Assignment) -> tuple[Node, list[Added]]:
    """The value that entries begin with, and what is added to them after that."""
    value = assignment.value
    terms = value.terms if isinstance(value, Sum) else ((1, value),)
    plain, added = [], []
    for sign, each in terms:
        term = spread(each)
        if isinstance(term, Fold):
            added.append(_laid(assignment, sign, term))
        elif (loops := _by_rows(term, assignment.loops)) is not None:
            added.append(Added(sign, _inside(term), loops))
        else:
            plain.append((sign, term))
    inner = [*(term for _, term in plain), *(part.body for part in added)]
    if any(isinstance(node, Fold) for part in inner for node in walk(part)):
        return value, []
    return total_of(tuple(plain)), added


def _laid(assignment: Assignment, sign: int, fold: Fold) -> Added:
    places = {
        laid.index: laid.start + sum(step * loop.index for loop, step in laid.terms)
        for laid in fold.places
    }
    terms = {laid.index: [loop for loop, _ in laid.terms] for laid in fold.places}
    loops = tuple(each for loop in assignment.loops for each in terms.get(loop.index, [loop]))
    rows = _by_rows(fold.body, loops)
    return Added(sign, fold.body if rows is None else _inside(fold.body), rows or loops, places)


def _by_rows(term: Node, loops: Sequence[Loop]) -> tuple[Loop, ...] | None:
    """The loops in which a sum is better added row by row: it runs over the rows of what it reads.

    A sum that stands among others than numbers is not added like that.
    """
    found = _sum_in(term)
    if found is None or not loops:
        return None
    inner, body = _nest(found)
    ends = [n.indices[-1] for n in walk(body) if isinstance(n, Read) and n.indices]
    if loops[-1].index not in ends or any(end.has(inner[-1].index) for end in ends):
        return None
    return (*loops[:-1], *inner, loops[-1])


def _inside(term: Node) -> Node:
    """What a sum adds up, with the numbers that it is multiplied by."""
    found = _sum_in(term)
    assert found is not None
    body = _nest(found)[1]
    if not isinstance(term, Product):
        return body
    return Product((*(f for f in term.above if f is not found), body), term.below)


def _sum_in(term: Node) -> Reduce | None:
    """The sum that a term is, up to numbers."""
    factors = (*term.above, *term.below) if isinstance(term, Product) else (term,)
    sums = [each for each in factors if isinstance(each, Reduce) and each.how is How.TOTAL]
    others = [each for each in factors if not isinstance(each, Number | Constant)]
    return sums[0] if len(others) == 1 and others == sums else None


def _nest(node: Reduce) -> tuple[list[Loop], Node]:
    """All loops of sums of sums, and what is added up."""
    loops, body = [*node.loops], node.body
    while isinstance(body, Reduce) and body.how is How.TOTAL:
        loops, body = [*loops, *body.loops], body.body
    return loops, body
