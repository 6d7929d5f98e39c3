r"""First values of recurrences on the page: h_{-1} = h^{(0)} instead of h_{t-1} + δ_{t,0} h^{(0)}.

To the calculus a tensor is zero outside its range, and what is read before the first step is added
where it is read. A reader expects it the other way round: what is read is h_{t-1}, and h_{-1} is
given. The page says so where every reading of the quantity outside its range has that form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sympy

from derive.expression import Delta, Element, elements, linear_range, rebuild, stays_on_axis
from derive.graph import Derivation, Graph, Quantity


@dataclass(frozen=True)
class Edge:
    """`of = value` for a position outside the range of a quantity."""

    of: Element
    value: sympy.Expr


def edges_of(derivation: Derivation) -> dict[str, tuple[Edge, ...]]:
    """The edges by quantity, of those whose edges can be told apart from all else."""
    found: dict[str, dict[sympy.Expr, Edge]] = {}
    for equation in derivation.forward.equations:
        for node in sympy.preorder_traversal(equation.rhs):
            for _, _, edge in _readings(node, derivation.forward):
                found.setdefault(edge.of.name, {}).setdefault(edge.of, edge)
    return {
        name: tuple(edges.values())
        for name, edges in found.items()
        if not any(
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
    """`h[t-1] + δ(t,0)·h0` taken apart: what is read, the other summand, and the edge."""
    if not isinstance(node, sympy.Add):
        return
    for read in (a for a in node.args if isinstance(a, Element)):
        quantity = graph.quantities.get(read.name)
        if quantity is None:
            continue
        for part in node.args:
            edge = _edge(read, part, quantity)
            if edge is not None:
                yield read, part, edge


def _edge(read: Element, part: sympy.Expr, quantity: Quantity) -> Edge | None:
    for factor in sympy.Mul.make_args(part):
        if isinstance(factor, Delta):
            offset = factor.args[0] - factor.args[1]
            for k, (position, axis) in enumerate(zip(read.indices, quantity.axes, strict=True)):
                place = sympy.expand(position - offset)
                back = sympy.expand(position + offset)
                for at in (place, back):
                    if at.is_Integer and not stays_on_axis(at, axis.size):
                        places = [*read.indices[:k], at, *read.indices[k + 1 :]]
                        return Edge(Element(read.name, *places), part / factor)
    return None


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
