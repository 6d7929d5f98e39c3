"""Branches that are not taken, in libraries of arrays, which compute both branches of a choice.

A library gives 1/0 some value, and the choice forgets it; but of plain numbers Python makes an
error of it, and of a power that is too large. So a choice between plain numbers is left to Python,
which computes one branch; and in other choices what is divided by, and what is raised, is an array.
"""

from __future__ import annotations

from collections.abc import Callable

from derive.emit.tree import Apply, Constant, Node, Power, Product, Read, has_arrays, rebuilt, walk

ARRAY = "array"  # the head of a number that is to be an array
FITS = 3  # a number of a spec is at most 10^100, and a double at most 10^308
NEVER_ZERO = frozenset({"pi", "e", "inf"})


def has_choice(node: Node) -> bool:
    """Whether there is a choice in a tree."""
    return any(isinstance(part, Apply) and part.head == "where" for part in walk(node))


def without_errors(node: Node) -> Node:
    """A tree of which no branch of a choice makes an error where it is not taken."""
    if not isinstance(node, Apply) or node.head != "where":
        return _rebuilt(node, without_errors)
    if not has_arrays(node):
        return node
    test, *branches = node.arguments
    return Apply("where", (without_errors(test), *map(_safe, branches)))


def _safe(node: Node) -> Node:
    match node:
        case Product():
            divides = _safe if any(map(has_arrays, node.above)) else _as_array
            return Product(tuple(map(_safe, node.above)), tuple(map(divides, node.below)))
        case Power() if not isinstance(node.base, Read) or node.exponent > FITS:
            return Power(_as_array(node.base), node.exponent)
    return _rebuilt(node, _safe)


def _as_array(node: Node) -> Node:
    """A tree whose value is an array; one that reads an array is one already."""
    return _safe(node) if has_arrays(node) else _of_arrays(node)


def _of_arrays(node: Node) -> Node:
    plain = isinstance(node, Read) or (isinstance(node, Constant) and node.name not in NEVER_ZERO)
    return Apply(ARRAY, (node,)) if plain else _rebuilt(node, _of_arrays)


def _rebuilt(node: Node, each: Callable[[Node], Node]) -> Node:
    return rebuilt(node, each, lambda position: position)
