"""The trees in which right-hand sides are handed to the targets: plain data, one class a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import sympy

from derive.expression import Axis, Index


class EmitError(ValueError):
    """An equation that a target cannot write."""


class How(Enum):
    """What a reduction does with the values of its body."""

    TOTAL = "sum"
    LOG_TOTAL_EXP = "logsumexp"
    LARGEST = "max"


@dataclass(frozen=True)
class Loop:
    """An index and the axis it runs over."""

    index: Index
    axis: Axis


@dataclass(frozen=True)
class Number:
    """An exact rational number."""

    numerator: int
    denominator: int = 1


@dataclass(frozen=True)
class Constant:
    """A number with a name: pi, e, the size of the batch, the learning rate."""

    name: str


@dataclass(frozen=True)
class Position:
    """The value of an index, used as a number."""

    index: sympy.Expr


@dataclass(frozen=True)
class Divided:
    """A position divided by a whole number: how often it goes, or what remains.

    `low` is a number that the position is not below, if one is known.
    """

    position: Node
    divisor: int
    remains: bool
    low: int | None


@dataclass(frozen=True)
class Read:
    """One entry of a quantity; `axes` are those of the quantity."""

    name: str
    indices: tuple[sympy.Expr, ...]
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Sum:
    """Terms with their signs."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Product:
    """Factors above and below the fraction bar."""

    above: tuple[Node, ...]
    below: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Power:
    """A base to a whole number of at least 2."""

    base: Node
    exponent: int


@dataclass(frozen=True)
class Apply:
    """A function, by its name in the language, of its arguments."""

    head: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Reduce:
    """A reduction of the body over the values of one or more indices."""

    how: How
    body: Node
    loops: tuple[Loop, ...]


@dataclass(frozen=True)
class Pick:
    """1 where the positions are those of the first largest value, else 0."""

    largest: Reduce
    positions: tuple[sympy.Expr, ...]


@dataclass(frozen=True)
class Same:
    """1 if two positions are equal, else 0."""

    left: sympy.Expr
    right: sympy.Expr


@dataclass(frozen=True)
class Within:
    """1 if a position lies on an axis of this size, else 0."""

    position: sympy.Expr
    size: int


@dataclass(frozen=True)
class Laid:
    """An index of a result that is `start + step*letter + ...` of letters of the body."""

    index: Index
    start: int
    terms: tuple[tuple[Loop, int], ...]


@dataclass(frozen=True)
class Fold:
    """Sums of a body over all letters that are laid on the same places of the result."""

    body: Node
    places: tuple[Laid, ...]


Node = (
    Number
    | Constant
    | Position
    | Divided
    | Read
    | Sum
    | Product
    | Power
    | Apply
    | Reduce
    | Pick
    | Same
    | Within
    | Fold
)

Change = Callable[[sympy.Expr], sympy.Expr]


def walk(node: Node) -> Iterator[Node]:
    """A tree and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node."""
    match node:
        case Sum():
            yield from (term for _, term in node.terms)
        case Product():
            yield from (*node.above, *node.below)
        case Power():
            yield node.base
        case Apply():
            yield from node.arguments
        case Reduce() | Fold():
            yield node.body
        case Pick():
            yield node.largest


def positions_of(node: Node) -> tuple[sympy.Expr, ...]:
    """The index expressions that a node itself holds."""
    match node:
        case Read():
            return node.indices
        case Pick():
            return node.positions
        case Same():
            return node.left, node.right
        case Position():
            return (node.index,)
        case Within():
            return (node.position,)
    return ()


def rebuilt(node: Node, each: Callable[[Node], Node], change: Change) -> Node:
    """A node with its children and positions changed."""
    match node:
        case Sum():
            return Sum(tuple((sign, each(term)) for sign, term in node.terms))
        case Product():
            return Product(tuple(map(each, node.above)), tuple(map(each, node.below)))
        case Power():
            return replace(node, base=each(node.base))
        case Apply():
            return replace(node, arguments=tuple(map(each, node.arguments)))
        case Reduce() | Fold():
            return replace(node, body=each(node.body))
        case Pick():
            largest = replace(node.largest, body=each(node.largest.body))
            return Pick(largest, tuple(map(change, node.positions)))
        case Read():
            return replace(node, indices=tuple(map(change, node.indices)))
        case Same():
            return Same(change(node.left), change(node.right))
        case Within():
            return replace(node, position=change(node.position))
        case Position():
            return Position(change(node.index))
    return node


def moved(node: Node, change: Change) -> Node:
    """A tree with all its positions changed."""
    return rebuilt(node, lambda child: moved(child, change), change)


def replaced(node: Node, old: Node, new: Node) -> Node:
    """A tree with a part of it replaced, wherever that stands."""
    if node == old:
        return new
    return rebuilt(node, lambda child: replaced(child, old, new), lambda position: position)


def has_arrays(node: Node) -> bool:
    """Whether a tree reads an entry of an array, or has another value at another place."""
    return any(
        bool(part.axes)
        if isinstance(part, Read)
        else isinstance(part, Position | Same | Within | Pick | Fold)
        for part in walk(node)
    )


def names_read(node: Node) -> frozenset[str]:
    """The quantities that a tree reads, but for those in positions."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Read))


def signed_terms(node: Node) -> tuple[tuple[int, Node], ...]:
    """The terms of a sum with their signs; what is none is its only term."""
    return node.terms if isinstance(node, Sum) else ((1, node),)
