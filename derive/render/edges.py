r"""First values of recurrences on the page: h_{-1} = h^{(0)} instead of h_{t-1} + δ_{t,0} h^{(0)}.

To the calculus a tensor is zero outside its range, and what is read before the first step is added
where it is read. A reader expects it the other way round: what is read is h_{t-1}, and h_{-1} is
given. The page says so where every reading of the quantity outside its range has that form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import sympy

from derive.expression import Delta, Element, Fresh, Index, elements, rebuild, substitute
from derive.graph import Derivation, Graph
from derive.places import linear_range, stays_on_axis


@dataclass(frozen=True)
class Edge:
    """`of = value` for a position outside the range of a quantity."""

    of: Element
    value: sympy.Expr


def edges_of(derivation: Derivation) -> dict[str, tuple[Edge, ...]]:
    """The edges by quantity, of those whose edges can be told apart from all else."""
    found: dict[str, dict[sympy.Expr, Edge]] = {}
    several: set[str] = set()
    for equation in derivation.forward.equations:
        for node in sympy.preorder_traversal(equation.rhs):
            whose: dict[tuple[str, sympy.Expr], Element] = {}
            for read, part, edge in _readings(node, derivation.forward):
                known = found.setdefault(edge.of.name, {}).setdefault(edge.of, edge)
                if known.value != edge.value or whose.setdefault((read.name, part), read) != read:
                    several.add(edge.of.name)
    return {
        name: tuple(edges.values())
        for name, edges in found.items()
        if name not in several
        and not any(
            _loose(expr, edge.of, derivation.forward)
            for expr in _shown(derivation)
            for edge in edges.values()
        )
    }


def without_edges(expr: sympy.Expr, names: Iterable[str], graph: Graph) -> sympy.Expr:
    """An expression in which readings before the first step stand alone."""
    chosen = frozenset(names)
    if not chosen:
        return expr

    def change(node: sympy.Expr) -> sympy.Expr:
        dropped = [part for read, part, _ in _readings(node, graph) if read.name in chosen]
        return sympy.Add(*[a for a in node.args if a not in dropped]) if dropped else node

    return rebuild(expr, change)


def _shown(derivation: Derivation) -> Iterator[sympy.Expr]:
    """Every expression that a page may show."""
    for graph in (derivation.forward, derivation.backward):
        yield from (equation.rhs for equation in graph.equations)
    for step in derivation.steps:
        yield step.after
    yield from (local.value for local in derivation.locals)


def _readings(node: sympy.Basic, graph: Graph) -> Iterator[tuple[Element, sympy.Expr, Edge]]:
    """`h[t-1] + δ(t,0)·h0` taken apart: what is read, the other summand, and the edge.

    A factor of the whole may stand in both, as in `-h[t-1] - δ(t,0)·h0`.
    """
    if not isinstance(node, sympy.Add):
        return
    for share, read in (argument.as_coeff_Mul() for argument in node.args):
        if not isinstance(read, Element) or read.name not in graph.quantities:
            continue
        for part in node.args:
            edge = _edge(read, part / share, graph)
            if edge is not None:
                yield read, part, edge


def _edge(read: Element, part: sympy.Expr, graph: Graph) -> Edge | None:
    """The edge that a summand stands for: deltas where it is met, and none in its corners."""
    at: dict[int, sympy.Expr] = {}
    guarded: set[int] = set()
    rest, value = [], []
    for factor in sympy.Mul.make_args(part):
        met = _outside(read, factor, graph)
        if met is not None and met[0] not in at:
            at[met[0]] = met[1]
        else:
            rest.append(factor)
    for factor in rest:
        met = _outside(read, 1 - factor, graph)
        if met is not None and met[0] not in at:
            guarded.add(met[0])
        else:
            value.append(factor)
    return _in_own_letters(read, at, guarded, sympy.Mul(*value), graph) if at else None


def _outside(read: Element, delta: sympy.Expr, graph: Graph) -> tuple[int, sympy.Expr] | None:
    """At which place of a reading a delta says that it lies outside, and where."""
    if not isinstance(delta, Delta):
        return None
    offset, axes = delta.args[0] - delta.args[1], graph.quantities[read.name].axes
    for k, (position, axis) in enumerate(zip(read.indices, axes, strict=True)):
        for at in (sympy.expand(position - offset), sympy.expand(position + offset)):
            if at.is_Integer and not stays_on_axis(at, axis.size):
                return k, at
    return None


def _in_own_letters(
    read: Element,
    at: Mapping[int, sympy.Expr],
    guarded: Collection[int],
    value: sympy.Expr,
    graph: Graph,
) -> Edge:
    """An edge in the letters in which the quantity is defined, wherever it is read.

    What is said of a place beside the letter itself, and not kept from its corner, stays as it is.
    """
    places = []
    change: dict[Index, sympy.Expr] = {}
    for k, (position, own) in enumerate(
        zip(read.indices, graph.equation(read.name).indices, strict=True)
    ):
        distance, letter = position.as_coeff_Add()
        if k not in at and isinstance(letter, Index) and (distance == 0 or k in guarded):
            change[letter] = own - distance
            position = own
        places.append(at.get(k, position))
    moved = {letter: new for letter, new in change.items() if letter != new}
    if moved and value.free_symbols & moved.keys():
        value = substitute(value, change, Fresh())
    return Edge(Element(read.name, *places), value)


def _loose(expr: sympy.Expr, edge: Element, graph: Graph) -> bool:
    """Whether an edge may be read without what stands for its value."""
    axes = graph.quantities[edge.name].axes

    def meets(read: Element) -> bool:
        triples = zip(read.indices, edge.indices, axes, strict=True)
        return any(
            _within(at, place) for at, place, axis in triples if not stays_on_axis(place, axis.size)
        )

    held = sum(
        len({read for read, _, found in _readings(node, graph) if found.of.name == edge.name})
        for node in sympy.preorder_traversal(expr)
    )
    return sum(meets(read) for read in elements(expr) if read.name == edge.name) > held


def _within(position: sympy.Expr, place: sympy.Expr) -> bool:
    """Whether a position may be this place."""
    ends = linear_range(position)
    return ends is None or not place.is_Integer or ends[0] <= place <= ends[1]
