"""Common parts of assignments computed once: the same function of the same, the same product.

The adjoint of a net input often has no name of its own: `dE_dout * out * (1 - out)` then stands in
the gradient by each weight, and in what goes further back. What stands in several places becomes
an assignment of its own, which they read; in a recurrence it is computed at each of its steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import sympy

from derive.emit.program import Assignment, Walked
from derive.emit.tree import (
    Apply,
    Constant,
    Loop,
    Node,
    Number,
    Power,
    Product,
    Read,
    Sum,
    children,
    moved,
    names_read,
    positions_of,
    rebuilt,
    walk,
)
from derive.expression import Axis, Index
from derive.graph import Quantity, Role
from derive.places import on_axis

CHEAP = frozenset({"greater", "at_least", "where", "max", "min", "abs", "sign", "stop_gradient"})
Places = tuple[tuple[sympy.Expr, Axis], ...]


@dataclass(frozen=True)
class _Part:
    """What may stand in several places: its form without letters, and where it is read."""

    form: str
    places: Places
    node: Node


Parts = Callable[[Node], Iterator[_Part]]


def shared(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The same values with everything that several places need computed once, functions first."""
    found = tuple(assignments)
    for parts in (_functions, _products):
        found = _with_helpers(found, parts)
    return found


def _with_helpers(assignments: tuple[Assignment, ...], parts: Parts) -> tuple[Assignment, ...]:
    first: dict[str, _Part] = {}
    counts: Counter[str] = Counter()
    for each in assignments:
        for node in _outside_choices(each.value):
            for part in parts(node):
                first.setdefault(part.form, part)
                counts[part.form] += 1
    reads = {each.quantity.name: names_read(each.value) for each in assignments}
    taken = set(reads).union(*reads.values())
    names = (name for k in count(1) if (name := f"shared{k}") not in taken)
    for form, part in first.items():
        if counts[form] > 1:
            name = next(names)
            assignments = _placed(assignments, part, name, parts, reads) or assignments
    return assignments


def _outside_choices(node: Node) -> Iterator[Node]:
    """A tree without the branches of choices: what is not taken there may have no value."""
    yield node
    below = node.arguments[:1] if isinstance(node, Apply) and node.head == "where" else None
    for child in children(node) if below is None else below:
        yield from _outside_choices(child)


def _functions(node: Node) -> Iterator[_Part]:
    """A function that costs more than arithmetic, of values at whole places of their axes."""
    if isinstance(node, Apply) and node.head not in CHEAP:
        part = _part((node,))
        if part is not None and all(on_axis(p, axis.size) for p, axis in part.places):
            yield part


def _products(node: Node) -> Iterator[_Part]:
    """The factors of a product that are read at the same places.

    Such a product is zero where one of its factors is, so it may be read beyond its axes.
    """
    if not isinstance(node, Product):
        return
    groups: dict[frozenset[sympy.Expr], list[Node]] = {}
    for factor in node.above:
        if not isinstance(factor, Number | Constant):
            places = {p for n in walk(factor) for p in positions_of(n)}
            groups.setdefault(frozenset(places), []).append(factor)
    for read, factors in groups.items():
        plain = [f for f in factors if isinstance(f, Read) and set(f.indices) == read]
        if len(factors) > 1 and plain and read:
            part = _part(tuple(factors))
            if part is not None:
                yield part


def _part(factors: tuple[Node, ...]) -> _Part | None:
    """Factors in an order of their own, with their places numbered; None if they hold others."""
    nodes = [node for factor in factors for node in walk(factor)]
    if not all(
        isinstance(n, Read | Sum | Product | Power | Apply | Number | Constant) for n in nodes
    ):
        return None
    ordered = sorted(factors, key=lambda factor: repr(_without_places(factor)))
    found: dict[sympy.Expr, Axis] = {}
    for factor in ordered:
        for node in walk(factor):
            if isinstance(node, Read):
                for position, axis in zip(node.indices, node.axes, strict=True):
                    if found.setdefault(position, axis).size != axis.size:
                        return None
    letters = [position.free_symbols for position in found]
    if any(len(each) != 1 or not _is_shift(p) for p, each in zip(found, letters, strict=True)):
        return None
    if len(set.union(set(), *letters)) < len(letters) or not found:
        return None
    numbered = {position: Index(f"#{k}", axis) for k, (position, axis) in enumerate(found.items())}
    form = repr([_moved(factor, numbered) for factor in ordered])
    node = ordered[0] if len(ordered) == 1 else Product(tuple(ordered))
    return _Part(form, tuple(found.items()), node)


def _is_shift(position: sympy.Expr) -> bool:
    """Whether a position is a letter, or a letter and a number."""
    return isinstance(position, Index) or any(
        isinstance(term, Index) and (position - term).is_Integer for term in position.args
    )


def _without_places(node: Node) -> Node:
    return rebuilt(node, _without_places, lambda position: sympy.S.Zero)


def _moved(node: Node, places: dict[sympy.Expr, Index]) -> Node:
    return moved(node, lambda place: places.get(place, place))


def _placed(
    assignments: tuple[Assignment, ...],
    part: _Part,
    name: str,
    parts: Parts,
    reads: dict[str, frozenset[str]],
) -> tuple[Assignment, ...] | None:
    """All assignments with a part of its own, behind what it reads; None where that cannot be.

    `reads` are the names that each one reads, so that only those are looked at that may have it.
    """
    axes = tuple(axis for _, axis in part.places)
    quantity = Quantity(name, name, axes, Role.HIDDEN)
    letters = _letters(part.places)
    own = {position: letter for (position, _), letter in zip(part.places, letters, strict=True)}
    helper = Assignment(
        quantity,
        tuple(map(Loop, letters, axes)),
        _moved(part.node, own),
        whole=assignments[0].whole,
    )
    read = names_read(helper.value)
    behind = [k for k, each in enumerate(assignments) if each.quantity.name in read]
    place = behind[-1] + 1 if behind else 0
    changed = tuple(
        replace(each, value=_reading(each.value, part.form, quantity, parts))
        if read <= reads[each.quantity.name]
        else each
        for each in assignments
    )
    users = [new for new, old in zip(changed, assignments, strict=True) if new is not old]
    if sum(_reads(each, name) for each in users) < 2:
        return None  # parts of a part that has become one
    found: tuple[Assignment, ...] | None = (*changed[:place], helper, *changed[place:])
    if behind and assignments[behind[-1]].walks:
        found = _in_recurrence(changed, helper, place, read)
    if found is not None:
        reads |= {each.quantity.name: names_read(each.value) for each in (*users, helper)}
    return found


def _in_recurrence(
    changed: tuple[Assignment, ...], helper: Assignment, place: int, read: frozenset[str]
) -> tuple[Assignment, ...] | None:
    """A part of what a recurrence computes: at each step, or after the last if that is enough."""
    last = changed[place - 1]
    group = [each for each in changed if each.walks and each.group == last.group]
    if not any(_reads(each, helper.quantity.name) for each in group):
        while place < len(changed) and changed[place] in group:
            place += 1
        return (*changed[:place], helper, *changed[place:])
    walks = {each.quantity.name: each.walks for each in group if each.quantity.name in read}
    walked = {
        tuple(node.indices[turn.place] for turn in walks[node.name])
        for node in walk(helper.value)
        if isinstance(node, Read) and node.name in walks
    }
    letters = [loop.index for loop in helper.loops]
    if len(walked) != 1 or not set(*walked) <= set(letters):
        return None
    turns = zip(last.walks, walked.pop(), strict=True)
    own = tuple(Walked(turn.step, letters.index(letter)) for turn, letter in turns)
    inner = replace(helper, walks=own, group=last.group)
    return (*changed[:place], inner, *changed[place:])


def _reads(assignment: Assignment, name: str) -> int:
    """How often an assignment reads a quantity."""
    nodes = walk(assignment.value)
    return sum(isinstance(node, Read) and node.name == name for node in nodes)


def _letters(places: Places) -> list[Index]:
    """A letter for each place: its own, of the axis that is read."""
    return [Index(next(iter(position.free_symbols)).name, axis) for position, axis in places]


def _reading(node: Node, form: str, quantity: Quantity, parts: Parts) -> Node:
    """A tree that reads a quantity in place of what it is."""
    for part in parts(node):
        if part.form == form:
            read = Read(quantity.name, tuple(p for p, _ in part.places), quantity.axes)
            node = _replaced(node, part, read)
            if isinstance(node, Read):
                return node
            break
    return rebuilt(
        node, lambda child: _reading(child, form, quantity, parts), lambda position: position
    )


def _replaced(node: Node, part: _Part, read: Read) -> Node:
    """A node with a part of it replaced: some factors of a product, or the whole."""
    if not isinstance(part.node, Product) or not isinstance(node, Product):
        return read
    rest = list(node.above)
    for factor in part.node.above:
        rest.remove(factor)
    if not rest and not node.below:
        return read
    return Product((*rest, read), node.below)
