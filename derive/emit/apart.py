"""Products of matrices that stand inside other expressions, as assignments of their own.

`tanh(sum(j, U[k,j]*h[t-1,j]) + known[t,k])` is a sum that gets a name, and the hyperbolic tangent
of that. In a recurrence a table that stands still is turned before the first step if the product
goes along its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import sympy

from derive.emit.contractions import Contraction, contraction
from derive.emit.loops import grouped
from derive.emit.names import code_name
from derive.emit.program import Assignment, Walked, fresh, names_in
from derive.emit.tree import (
    Apply,
    Fold,
    Loop,
    Node,
    Pick,
    Read,
    Reduce,
    Sum,
    rebuilt,
    replaced,
    signed_terms,
    walk,
)
from derive.emit.windows import is_radix, spread, used_in
from derive.expression import Index
from derive.graph import Quantity, Role

Terms = tuple[tuple[int, Node], ...]
Products = tuple[tuple[int, Contraction], ...]


def set_apart(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The same values, with every product of matrices a term of an assignment."""
    assignments = tuple(assignments)
    taken = names_in(assignments)
    found: list[Assignment] = []
    for group in grouped(assignments):
        moved: list[Assignment] = []
        for each in group:
            own = _Apart(each, taken)
            changed = replace(each, value=own.outermost(each.value))
            moved += [*own.made, changed]
        found += _turned(moved, taken) if group[0].walks else moved
    return tuple(found)


def terms_of(assignment: Assignment) -> tuple[Terms, Products]:
    """The terms of an assignment that are no products of matrices, and those that are."""
    plain, products = [], []
    for sign, term in signed_terms(assignment.value):
        product = product_of(term, assignment)
        if product is None:
            plain.append((sign, term))
        else:
            products.append((sign, product))
    return tuple(plain), tuple(products)


def product_of(term: Node, assignment: Assignment) -> Contraction | None:
    """A term of an assignment as a product of matrices, if it is one.

    One whose letters meet every place of an axis once is laid there.
    """
    quantity, loops = assignment.quantity, assignment.loops
    fixed = frozenset(loop.index for loop in assignment.walked)
    places: dict[sympy.Basic, sympy.Expr] = {}
    if not any(isinstance(node, Reduce) for node in walk(term)):
        return None
    found = spread(term)
    if isinstance(found, Fold):
        if not all(is_radix(laid) and laid.index not in fixed for laid in found.places):
            return None
        for laid in found.places:
            places[laid.index] = sum(step * loop.index for loop, step in laid.terms)
        term = found.body
    indices = tuple(loop.index.xreplace(places) for loop in loops)
    result = Read(quantity.name, indices, quantity.axes)
    return contraction(term, result, fixed, [q.name for q in assignment.whole])


@dataclass
class _Apart:
    """One assignment, and what was taken out of it so far."""

    assignment: Assignment
    taken: set[str]

    def __post_init__(self) -> None:
        self.made: list[Assignment] = []

    def outermost(self, node: Node) -> Node:
        """The value of the assignment: products of matrices may be its terms."""
        changed = tuple((sign, self._term(term)) for sign, term in signed_terms(node))
        return Sum(changed) if isinstance(node, Sum) else changed[0][1]

    def _term(self, node: Node) -> Node:
        return node if product_of(node, self.assignment) is not None else self.inside(node)

    def inside(self, node: Node) -> Node:
        """A tree in which products of matrices are read; branches of a choice stay."""
        if product_of(node, self.assignment) is not None:
            return self._made(node)
        inner = any(isinstance(part, Reduce) for part in walk(node))
        if not inner or isinstance(node, Reduce | Pick | Fold):
            return node
        if isinstance(node, Sum) and any(
            product_of(term, self.assignment) is not None for _, term in node.terms
        ):
            return self._made(self.outermost(node))
        if isinstance(node, Apply) and node.head == "where":
            return replace(node, arguments=(self.inside(node.arguments[0]), *node.arguments[1:]))
        return rebuilt(node, self.inside, lambda position: position)

    def _made(self, node: Node) -> Node:
        each = self.assignment
        name = fresh(f"{code_name(each.quantity.name)}_sum", self.taken)
        loops = [loop for loop in each.loops if used_in(loop.index, node)]
        if not {loop.index for loop in each.walked} <= {loop.index for loop in loops}:
            return node
        walks = tuple(
            Walked(walk.step, loops.index(loop))
            for walk, loop in zip(each.walks, each.walked, strict=True)
        )
        axes = tuple(loop.axis for loop in loops)
        quantity = Quantity(name, name, axes, Role.HIDDEN)
        self.made.append(Assignment(quantity, tuple(loops), node, walks, each.group, each.whole))
        return Read(name, tuple(loop.index for loop in loops), axes)


def _turned(group: list[Assignment], taken: set[str]) -> Iterator[Assignment]:
    """A recurrence, behind the tables that it reads turned."""
    moving = {each.quantity.name for each in group}
    turned: dict[str, Quantity] = {}
    changed = []
    for each in group:
        products = terms_of(each)[1]
        for read in (product.right.read for _, product in products if _goes_across(product)):
            if read.name not in moving and len(read.axes) == 2 and _is_plain(read):
                if read.name not in turned:
                    name = fresh(f"{code_name(read.name)}_turned", taken)
                    quantity = Quantity(name, name, read.axes[::-1], Role.HIDDEN)
                    turned[read.name] = quantity
                    yield _turning(read, quantity, each)
                own = turned[read.name]
                reading = Read(own.name, read.indices[::-1], own.axes)
                each = replace(each, value=replaced(each.value, read, reading))
        changed.append(each)
    yield from changed


def _goes_across(product: Contraction) -> bool:
    return product.columns.step(product.right) != 1


def _is_plain(read: Read) -> bool:
    return all(isinstance(i, Index) for i in read.indices) and len({*read.indices}) == 2


def _turning(read: Read, quantity: Quantity, beside: Assignment) -> Assignment:
    letters = [i for i in reversed(read.indices) if isinstance(i, Index)]
    loops = tuple(map(Loop, letters, quantity.axes))
    return Assignment(quantity, loops, read, whole=beside.whole)
