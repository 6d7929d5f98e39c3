"""How many operations a program takes: multiplications, additions, calls of functions.

Every part of an equation is counted once for each value of the letters that it depends on, as
whole arrays compute it, after everything that is computed once. Divisions count as multiplications;
comparisons, choices, the larger of two and signs as additions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from derive.emit.program import Assignment, Program, depended_on
from derive.emit.reuse import reusing
from derive.emit.sharing import shared
from derive.emit.tree import (
    Apply,
    Fold,
    How,
    Node,
    Number,
    Pick,
    Power,
    Product,
    Reduce,
    Sum,
    children,
    positions_of,
    walk,
)
from derive.emit.windows import without_grids
from derive.expression import Index

COMPARED = frozenset({"where", "greater", "at_least", "max", "min", "abs", "sign", "floor"})
FREE = frozenset({"stop_gradient"})
Letters = frozenset[Index]


@dataclass(frozen=True)
class Operations:
    """Counts of operations."""

    multiplications: int = 0
    additions: int = 0
    functions: int = 0

    @property
    def all(self) -> int:
        return self.multiplications + self.additions + self.functions

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.functions + other.functions,
        )

    def __sub__(self, other: Operations) -> Operations:
        return Operations(
            self.multiplications - other.multiplications,
            self.additions - other.additions,
            self.functions - other.functions,
        )


@dataclass(frozen=True)
class Costs:
    """What a forward pass takes, what the gradients take besides, and what the update takes."""

    forward: Operations
    gradients: Operations
    update: Operations


def costs(program: Program) -> Costs:
    """The operations of each pass; in an update in turns the gradients are part of the update."""
    forward = operations(_once(depended_on(program.forward, program.values)))
    if program.problem.forward_only:
        return Costs(forward, Operations(), Operations())
    results = (*program.values, *program.gradients)
    whole = operations(_once(depended_on(program.whole, results)))
    if program.interleaved:
        updates = operations(_once((*program.forward, *program.updates))) - forward
    else:
        updates = operations(_once(program.updates))
    return Costs(forward, whole - forward, updates)


def table(found: Costs) -> list[str]:
    """The counts in lines, each with its ratio to the forward pass."""
    rows = {"forward": found.forward, "gradients": found.gradients, "update": found.update}
    rows["forward and gradients"] = found.forward + found.gradients
    heads = ("multiplications", "additions", "functions", "all", "to forward")
    lines = [f"{'':21}" + "".join(f"{head:>17}" for head in heads)]
    for name, row in rows.items():
        cells = [f"{n:,}" for n in (row.multiplications, row.additions, row.functions, row.all)]
        cells.append(f"{row.all / found.forward.all:.2f}" if found.forward.all else "-")
        lines.append(f"{name:21}" + "".join(f"{cell:>17}" for cell in cells))
    return lines


def _once(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    return shared(reusing(assignments))


def operations(assignments: Iterable[Assignment]) -> Operations:
    """The operations of some assignments."""
    total = Operations()
    for each in assignments:
        value = each.value if each.walks else without_grids(each.value)
        for part in _parts(value):
            total += part
    return total


def _parts(node: Node) -> Iterator[Operations]:
    """The operations of each part of a tree."""
    many = _times(node)
    match node:
        case Sum():
            yield Operations(additions=many * (len(node.terms) - 1))
        case Product():
            yield from _factors(node)
        case Power():
            yield Operations(multiplications=many * (node.exponent - 1))
        case Apply() if node.head in COMPARED:
            yield Operations(additions=many)
        case Apply() if node.head not in FREE:
            yield Operations(functions=many)
        case Reduce():
            every = _size(_letters(node.body) | {loop.index for loop in node.loops})
            yield Operations(additions=every - many)
            if node.how is How.LOG_TOTAL_EXP:
                yield Operations(functions=every + many, additions=2 * every)
        case Pick():
            every = _size(_letters(node.largest.body))
            yield Operations(additions=every)
        case Fold():
            yield Operations(additions=_size(_letters(node.body)))
    for child in children(node):
        yield from _parts(child)


def _factors(node: Product) -> Iterator[Operations]:
    """Factors that depend on the same letters are multiplied first, the others with all of them."""
    groups: dict[Letters, int] = {}
    for factor in (*node.above, *node.below):
        if not (isinstance(factor, Number) and abs(factor.numerator) == factor.denominator):
            letters = _letters(factor)
            groups[letters] = groups.get(letters, 0) + 1
    met: Letters = frozenset()
    for k, (letters, count) in enumerate(sorted(groups.items(), key=lambda each: _size(each[0]))):
        met |= letters
        joins = _size(met) if k else 0
        yield Operations(multiplications=(count - 1) * _size(letters) + joins)


def _letters(node: Node) -> Letters:
    """The letters on which a tree depends."""
    nodes = tuple(walk(node))
    bound = {loop.index for part in nodes if isinstance(part, Reduce) for loop in part.loops}
    found = {
        letter
        for part in nodes
        for position in positions_of(part)
        for letter in position.free_symbols
        if isinstance(letter, Index)
    }
    return frozenset(found - bound)


def _times(node: Node) -> int:
    return _size(_letters(node))


def _size(letters: Iterable[Index]) -> int:
    return prod(letter.axis.length for letter in letters)
