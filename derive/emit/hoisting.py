"""What the steps of a recurrence need and do not change is computed before them, for all at once.

The product of the inputs with their weights is one product of matrices instead of one at each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import prod

from derive.emit.loops import grouped
from derive.emit.names import code_name
from derive.emit.program import Assignment, fresh, names_in
from derive.emit.tree import (
    Apply,
    Constant,
    Loop,
    Node,
    Number,
    Position,
    Product,
    Read,
    Reduce,
    Same,
    Sum,
    Within,
    positions_of,
    rebuilt,
    walk,
)
from derive.expression import Index
from derive.graph import Quantity, Role

LEAVES = (Number, Constant, Position, Read, Same, Within)


def hoisted(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The same values with what does not depend on the steps of a recurrence ahead of it."""
    assignments = tuple(assignments)
    taken = names_in(assignments)
    found: list[Assignment] = []
    for group in grouped(assignments):
        if group[0].walks:
            moving = frozenset(each.quantity.name for each in group)
            lifts = [_Lift(each, moving, taken) for each in group]
            changed = [lift.changed() for lift in lifts]
            found += [made for lift in lifts for made in lift.made]
            found += changed
        else:
            found += group
    return tuple(found)


@dataclass(frozen=True)
class _Lift:
    """One assignment of a recurrence, and what was lifted out of it so far."""

    assignment: Assignment
    moving: frozenset[str]
    taken: set[str]
    made: list[Assignment] = field(default_factory=list)

    def changed(self) -> Assignment:
        return replace(self.assignment, value=self.lifted(self.assignment.value))

    def lifted(self, node: Node) -> Node:
        """A tree that reads what was lifted; branches of a choice stay, with what guards them."""
        if self._stands(node) and not isinstance(node, LEAVES):
            return self._made(node)
        match node:
            case Sum():
                return self._split_sum(node)
            case Product():
                return self._split_product(node)
            case Apply(head="where"):
                return node
        return rebuilt(node, self.lifted, lambda position: position)

    def _split_sum(self, node: Sum) -> Node:
        standing = tuple(term for term in node.terms if self._stands(term[1]))
        whole = Sum(standing)
        if len(standing) < 2 or not self._stands(whole):
            return rebuilt(node, self.lifted, lambda position: position)
        rest = (term for term in node.terms if term not in standing)
        kept = tuple((sign, self.lifted(term)) for sign, term in rest)
        return Sum((*kept, (1, self._made(whole))))

    def _split_product(self, node: Product) -> Node:
        standing = tuple(factor for factor in node.above if self._stands(factor))
        plain = [each for each in standing if isinstance(each, Number | Constant)]
        whole = Product(standing)
        if len(standing) - len(plain) < 2 or not self._stands(whole):
            return rebuilt(node, self.lifted, lambda position: position)
        rest = tuple(self.lifted(each) for each in node.above if each not in standing)
        return Product((*rest, self._made(whole)), tuple(map(self.lifted, node.below)))

    def _stands(self, node: Node) -> bool:
        """Whether a tree reads nothing that moves, and is no larger than what it is made for."""
        nodes = tuple(walk(node))
        read = [each for each in nodes if isinstance(each, Read)]
        if any(each.name in self.moving for each in read):
            return False
        sizes = [prod(axis.length for axis in each.axes) for each in read]
        most = max([prod(self.assignment.quantity.shape), *sizes])
        return prod(index.axis.length for index in _free(nodes)) <= most

    def _made(self, node: Node) -> Node:
        """A quantity of its own for a tree, and how it is read here."""
        name = fresh(f"{code_name(self.assignment.quantity.name)}_known", self.taken)
        order = [loop.index for loop in self.assignment.loops]
        free = list(_free(tuple(walk(node))))
        letters = (*(i for i in order if i in free), *(i for i in free if i not in order))
        axes = tuple(letter.axis for letter in letters)
        quantity = Quantity(name, name, axes, Role.HIDDEN)
        loops = tuple(map(Loop, letters, axes))
        self.made.append(Assignment(quantity, loops, node, whole=self.assignment.whole))
        return Read(name, letters, axes)


def _free(nodes: tuple[Node, ...]) -> Iterator[Index]:
    """The letters of a tree that no reduction in it binds, each once."""
    bound = {loop.index for node in nodes if isinstance(node, Reduce) for loop in node.loops}
    letters = (
        letter
        for node in nodes
        for position in positions_of(node)
        for letter in sorted(position.free_symbols, key=str)
    )
    yield from (each for each in dict.fromkeys(letters) if each not in bound)
