"""Values that are there already are read and not computed again.

Stable forms are written from the ground up: the largest net input of a softmax stands there as the
largest of sums of products. Where the net inputs have been computed, it is the largest of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from derive.emit.program import Assignment
from derive.emit.tree import (
    Apply,
    Constant,
    Node,
    Number,
    Position,
    Power,
    Product,
    Read,
    Reduce,
    Sum,
    names_read,
    rebuilt,
    walk,
)
from derive.expression import Index

Letters = Mapping[Index, sympy.Expr]


@dataclass(frozen=True)
class _Known:
    """A value that has been computed, and what it reads."""

    assignment: Assignment
    reads: frozenset[str]


def reusing(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The same values, each computed once."""
    known: list[_Known] = []
    found = []
    same: dict[str, str] = {}
    for assignment in assignments:
        each = replace(assignment, value=_reading(_renamed(assignment.value, same), known))
        found.append(each)
        if _is_whole(each):
            assert isinstance(each.value, Read)
            same[each.quantity.name] = each.value.name
        elif not each.walks and any(isinstance(node, Reduce) for node in walk(each.value)):
            known.append(_Known(each, names_read(each.value)))
    return tuple(found)


def _is_whole(assignment: Assignment) -> bool:
    """Whether an assignment says that two quantities are the same, and as large."""
    read, loops = assignment.value, assignment.loops
    if not isinstance(read, Read) or read.indices != tuple(loop.index for loop in loops):
        return False
    return [axis.size for axis in read.axes] == [loop.index.axis.size for loop in loops]


def _renamed(node: Node, same: Mapping[str, str]) -> Node:
    """A tree that reads the first of quantities that are the same."""
    if isinstance(node, Read):
        return replace(node, name=same.get(node.name, node.name))
    return rebuilt(node, lambda child: _renamed(child, same), lambda position: position)


def _reading(node: Node, known: Sequence[_Known]) -> Node:
    """A tree in which everything known is read."""
    if isinstance(node, Read | Number | Constant | Position) or not known:
        return node
    names = names_read(node)
    for each in known:
        if each.reads <= names:
            found = _as_part(node, each.assignment)
            if found is not None:
                return _reading(found, known)
    return rebuilt(node, lambda child: _reading(child, known), lambda position: position)


def _as_part(node: Node, known: Assignment) -> Node | None:
    """A node that reads a known value: in place of itself, or of some of its terms."""
    letters = {loop.index for loop in known.loops}
    for place, rest, part in _parts(node, known.value):
        found = next(_matches(known.value, part, {}), None)
        if found is not None and letters <= found.keys():
            places = tuple(found[loop.index] for loop in known.loops)
            read = Read(known.quantity.name, places, known.quantity.axes)
            return Sum((*rest[:place], (1, read), *rest[place:])) if rest else read
    return None


def _parts(node: Node, known: Node) -> Iterator[tuple[int, tuple[tuple[int, Node], ...], Node]]:
    """The node, or those of its terms that may be known, and the others around a place."""
    if not isinstance(node, Sum) or not isinstance(known, Sum):
        yield 0, (), node
        return
    names = names_read(known)
    near = [term for term in node.terms if names_read(term[1]) and names_read(term[1]) <= names]
    if len(near) == len(known.terms):
        rest = tuple(term for term in node.terms if term not in near)
        yield node.terms.index(near[0]), rest, Sum(tuple(near))


def _matches(known: Node, node: Node, letters: Letters) -> Iterator[Letters]:
    """What the letters of a known tree stand for, where the other one is the same for them."""
    if type(known) is not type(node):
        return
    match known, node:
        case Read(), Read():
            if known.name == node.name:
                yield from _bound(known.indices, node.indices, letters)
        case Reduce(), Reduce():
            sizes = [[loop.axis.size for loop in each.loops] for each in (known, node)]
            if known.how is node.how and sizes[0] == sizes[1]:
                own = {k.index: n.index for k, n in zip(known.loops, node.loops, strict=True)}
                yield from _matches(known.body, node.body, {**letters, **own})
        case Sum(), Sum():
            yield from _in_any_order(known.terms, node.terms, letters)
        case Product(), Product():
            below = [(1, each) for each in known.below], [(1, each) for each in node.below]
            above = [(1, each) for each in known.above], [(1, each) for each in node.above]
            for found in _in_any_order(*above, letters):
                yield from _in_any_order(*below, found)
        case Power(), Power():
            if known.exponent == node.exponent:
                yield from _matches(known.base, node.base, letters)
        case Apply(), Apply():
            if known.head == node.head and len(known.arguments) == len(node.arguments):
                pairs = list(zip(known.arguments, node.arguments, strict=True))
                yield from _all_match(pairs, letters)
        case (Number(), Number()) | (Constant(), Constant()):
            if known == node:
                yield letters


def _all_match(pairs: Sequence[tuple[Node, Node]], letters: Letters) -> Iterator[Letters]:
    if not pairs:
        yield letters
        return
    for found in _matches(*pairs[0], letters):
        yield from _all_match(pairs[1:], found)


def _in_any_order(
    known: Sequence[tuple[int, Node]], nodes: Sequence[tuple[int, Node]], letters: Letters
) -> Iterator[Letters]:
    """Terms or factors, whatever order they stand in."""
    if len(known) != len(nodes):
        return
    if not known:
        yield letters
        return
    (sign, first), *rest = known
    for k, (other, node) in enumerate(nodes):
        if sign == other:
            for found in _matches(first, node, letters):
                yield from _in_any_order(rest, [*nodes[:k], *nodes[k + 1 :]], found)


def _bound(
    known: Sequence[sympy.Expr], places: Sequence[sympy.Expr], letters: Letters
) -> Iterator[Letters]:
    """Letters of positions as what stands in their place: each a letter of the same length."""
    found = dict(letters)
    for position, place in zip(known, places, strict=True):
        if not isinstance(position, Index):
            if position.xreplace(found) != place:
                return
        elif position in found:
            if found[position] != place:
                return
        elif (
            not isinstance(place, Index)
            or place.axis.size != position.axis.size
            or place in found.values()
        ):
            return
        else:
            found[position] = place
    yield found
