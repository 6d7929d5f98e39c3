"""Updates in the place of what they change, and gradients added to parameters as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from derive.emit.program import Assignment, Program, updated
from derive.emit.tree import Node, Product, Read, Reduce, Sum, signed_terms, walk
from derive.graph import Quantity


def replaces(old: Quantity, assignments: Sequence[Assignment]) -> bool:
    """Whether the new value of a quantity may be written over the old one, entry by entry.

    Nothing after it may read the old one, and it may read no entry but its own.
    """
    name = updated(old).name
    place = next(k for k, each in enumerate(assignments) if each.quantity.name == name)
    own = assignments[place]
    here = tuple(loop.index for loop in own.loops)
    if any(read.indices != here for read in _reads(own.value, old.name)):
        return False
    if own.walks:
        return False
    return not any(next(_reads(each.value, old.name), None) for each in assignments[place + 1 :])


def fused(assignments: Iterable[Assignment], program: Program) -> tuple[Assignment, ...]:
    """An update that only adds a multiple of a sum adds that sum term by term.

    The derivative by a parameter then has no table of its own.
    """
    assignments = tuple(assignments)
    sums = {each.quantity.name: each for each in assignments if not each.walks and _is_sum(each)}
    wanted = [name for each in assignments for name in _names(each.value) if name in sums]
    once = {name for name in sums if wanted.count(name) == 1}
    new = {updated(q).name for q in program.trained}
    return tuple(
        _with_sum(each, {name: sums[name] for name in once}) if each.quantity.name in new else each
        for each in assignments
    )


def _is_sum(assignment: Assignment) -> bool:
    return all(isinstance(term, Reduce) for _, term in signed_terms(assignment.value))


def _with_sum(assignment: Assignment, sums: dict[str, Assignment]) -> Assignment:
    """An update with the terms of a gradient in the place of the gradient."""
    value, found = assignment.value, []
    if not isinstance(value, Sum):
        return assignment
    for sign, term in value.terms:
        factors = term.above if isinstance(term, Product) and not term.below else (term,)
        read = [f for f in factors if isinstance(f, Read) and f.name in sums]
        if len(read) != 1 or not _reads_its_own(read[0], assignment, sums[read[0].name]):
            found.append((sign, term))
            continue
        others = tuple(f for f in factors if f is not read[0])
        for own, part in signed_terms(sums[read[0].name].value):
            found.append((sign * own, Product((*others, part)) if others else part))
    return replace(assignment, value=Sum(tuple(found)))


def _reads_its_own(read: Read, assignment: Assignment, gradient: Assignment) -> bool:
    """Whether a gradient is read at the entry that is changed, with the letters it is told in."""
    here = tuple(loop.index for loop in assignment.loops)
    return read.indices == here == tuple(loop.index for loop in gradient.loops)


def _reads(node: Node, name: str) -> Iterator[Read]:
    return (part for part in walk(node) if isinstance(part, Read) and part.name == name)


def _names(node: Node) -> list[str]:
    return [part.name for part in walk(node) if isinstance(part, Read)]
