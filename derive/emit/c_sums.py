"""Sums that are added to entries, in loops that run along the rows of what is read.

An entry begins with the terms that are no such sums; windows laid on their places are added like
that, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import sympy

from derive.emit.apart import Terms, product_of
from derive.emit.names import code_name
from derive.emit.program import Assignment, fresh, names_in
from derive.emit.tree import (
    Constant,
    Fold,
    How,
    Loop,
    Node,
    Number,
    Pick,
    Product,
    Read,
    Reduce,
    Sum,
    signed_terms,
    walk,
)
from derive.emit.windows import is_radix, spread
from derive.expression import Index
from derive.graph import Quantity, Role

FEWEST, MOST = 8, 4096  # places that are worth sums of their own, and that stay near


@dataclass(frozen=True)
class Added:
    """Terms that are added to the entries of an assignment, in these loops.

    A fold adds to the entries at `places`, which may lie outside. What stands `alone` is all that
    each entry gets.
    """

    sign: int
    body: Node
    loops: tuple[Loop, ...]
    places: Mapping[Index, sympy.Expr] = field(default_factory=dict)
    alone: bool = False


def total_of(terms: Terms) -> Node:
    """Terms as one value; none of them are nothing."""
    if not terms:
        return Number(0)
    return terms[0][1] if len(terms) == 1 and terms[0][0] > 0 else Sum(terms)


def parted(assignment: Assignment) -> tuple[Node, list[Added]]:
    """The value that entries begin with, and what is added to them after that."""
    value = assignment.value
    terms = signed_terms(value)
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
    if len(terms) == 1 and isinstance(term, Fold) and terms[0][0] > 0:
        once = all(map(is_radix, term.places)) and added[0].body is term.body
        added = [replace(added[0], alone=once)]
    return total_of(tuple(plain)), added


def _laid(assignment: Assignment, sign: int, fold: Fold) -> Added:
    places = {
        laid.index: laid.start + sum(step * loop.index for loop, step in laid.terms)
        for laid in fold.places
    }
    terms = {laid.index: [loop for loop, _ in laid.terms] for laid in fold.places}
    loops = tuple(each for loop in assignment.loops for each in terms.get(loop.index, [loop]))
    rows = _by_rows(fold.body, loops)
    if rows is None and any(isinstance(node, Pick) for node in walk(fold.body)):
        within = {loop.index for laid in fold.places for loop, _ in laid.terms[1:]}
        loops = tuple(sorted(loops, key=lambda loop: loop.index in within))  # one pick a window
    return Added(sign, fold.body if rows is None else _inside(fold.body), rows or loops, places)


def _by_rows(term: Node, loops: Sequence[Loop]) -> tuple[Loop, ...] | None:
    """The loops in which a sum is better added row by row: it runs over the rows of what it reads.

    A sum that stands among others than numbers is not added like that.
    """
    found = _sum_in(term)
    if found is None or not loops:
        return None
    inner, body = nest_of(found)
    nodes = [node for node in walk(body) if isinstance(node, Read) and node.indices]
    ends = [node.indices[-1] for node in nodes]
    if loops[-1].index not in ends or any(end.has(inner[-1].index) for end in ends):
        return None
    return _ordered(loops, inner, nodes)


def _ordered(
    loops: Sequence[Loop], inner: Sequence[Loop], nodes: Sequence[Read]
) -> tuple[Loop, ...]:
    """The loops of a sum by rows: what a small result is added up from is gone through once.

    Places in a window come after those of the window, which then are read while they are near.
    """
    own, last = loops[:-1], loops[-1]
    bound = [loop.index for loop in (*inner, last)]
    windows = [
        loop
        for loop in own
        if any(p.has(loop.index) and p.has(*bound) for node in nodes for p in node.indices)
    ]
    first = []
    if prod(loop.axis.length for loop in loops) <= MOST:
        starts = [node.indices[0] for node in nodes if len(node.indices) > 1]
        first = [loop for loop in inner if loop.index in starts]
    rest = [loop for loop in inner if loop not in first]
    return (*first, *(each for each in own if each not in windows), *rest, *windows, last)


def _inside(term: Node) -> Node:
    """What a sum adds up, with the numbers that it is multiplied by."""
    found = _sum_in(term)
    assert found is not None
    body = nest_of(found)[1]
    if not isinstance(term, Product):
        return body
    return Product((*(f for f in term.above if f is not found), body), term.below)


def _sum_in(term: Node) -> Reduce | None:
    """The sum that a term is, up to numbers."""
    factors = (*term.above, *term.below) if isinstance(term, Product) else (term,)
    sums = [each for each in factors if isinstance(each, Reduce) and each.how is How.TOTAL]
    others = [each for each in factors if not isinstance(each, Number | Constant)]
    return sums[0] if len(others) == 1 and others == sums else None


def nest_of(node: Reduce) -> tuple[list[Loop], Node]:
    """All loops of sums of sums, and what is added up."""
    loops, body = [*node.loops], node.body
    while isinstance(body, Reduce) and body.how is How.TOTAL:
        loops, body = [*loops, *body.loops], body.body
    return loops, body


def with_rows(assignments: Iterable[Assignment]) -> Iterator[Assignment]:
    """The same values, where a sum that runs along rows has a sum for each place of a row.

    Those are vectors; they are added up at the end.
    """
    assignments = tuple(assignments)
    taken = names_in(assignments)
    for each in assignments:
        made: list[Assignment] = []
        if not each.walks:
            value = each.value
            terms = signed_terms(value)
            found = tuple((sign, _along_rows(term, each, made, taken)) for sign, term in terms)
            each = replace(each, value=Sum(found) if isinstance(value, Sum) else found[0][1])
        yield from made
        yield each


def _along_rows(
    term: Node, assignment: Assignment, made: list[Assignment], taken: set[str]
) -> Node:
    """A term that reads a sum for each place of a row, if it is one that runs along rows."""
    plain = spread(term)
    found = _sum_in(plain)
    if found is None or product_of(term, assignment) is not None:
        return term
    loops, body = nest_of(found)
    ends = [n.indices[-1] for n in walk(body) if isinstance(n, Read) and n.indices]
    beside = [loop for loop in loops if any(end.has(loop.index) for end in ends)]
    own = assignment.loops
    if len(loops) < 2 or len(beside) != 1 or not FEWEST <= beside[0].axis.length <= MOST:
        return term
    row, others = beside[0], tuple(loop for loop in loops if loop is not beside[0])
    if prod(loop.axis.length for loop in (*own, row)) > MOST:
        return term
    name = fresh(f"{code_name(assignment.quantity.name)}_at", taken)
    axes = (*assignment.quantity.axes, row.axis)
    quantity = Quantity(name, name, axes, Role.HIDDEN)
    value = Reduce(How.TOTAL, body, others)
    made.append(Assignment(quantity, (*own, row), value, whole=assignment.whole))
    places = tuple(loop.index for loop in (*own, row))
    total = Reduce(How.TOTAL, Read(name, places, axes), (row,))
    if not isinstance(plain, Product):
        return total
    return Product(tuple(total if each is found else each for each in plain.above), plain.below)
