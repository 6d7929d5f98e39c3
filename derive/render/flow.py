"""The computation of a model as a graph of boxes: forward with shapes, backward with gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from derive.expression import Element, elements
from derive.graph import Block, Derivation, Quantity, Role, adjoint_name
from derive.render.layered import depths
from derive.render.model_form import ModelForm
from derive.render.positions import position

GIVEN = (Role.INPUT, Role.TARGET, Role.CONSTANT)


@dataclass(frozen=True)
class Vertex:
    """A quantity: its symbol and shape, the derivative by it, the parameters its equation reads.

    All but the name is finished TeX; a `symbol` with a step, as h_{t-1}, is what another step made.
    What is `repeated` stands at the end of the line above, too.
    """

    name: str
    symbol: str
    shape: str = ""
    gradient: str = ""
    parameters: tuple[str, ...] = ()
    role: Role = Role.HIDDEN
    earlier: bool = False
    repeated: bool = False


@dataclass(frozen=True)
class Arrow:
    """One quantity is read by the equation of another; the derivative goes `back` or not."""

    source: str
    target: str
    back: bool


@dataclass(frozen=True)
class Flow:
    """Vertices in an order that every arrow follows."""

    vertices: tuple[Vertex, ...]
    arrows: tuple[Arrow, ...]

    @cached_property
    def depth(self) -> dict[str, int]:
        """The layer of every vertex."""
        ways = [(arrow.source, arrow.target) for arrow in self.arrows]
        return depths([vertex.name for vertex in self.vertices], ways)

    def joints(self) -> Iterator[tuple[int, str]]:
        """After which layers a single vertex is all that is read later, and which that is."""
        for layer in range(max(self.depth.values(), default=0)):
            read = {
                arrow.source
                for arrow in self.arrows
                if self.depth[arrow.source] <= layer < self.depth[arrow.target]
            }
            if len(read) == 1:
                yield layer, read.pop()

    def between(self, first: int, last: int, joint: str = "") -> Flow:
        """The layers after one up to another, behind a vertex that stands before them again."""
        here = [v for v in self.vertices if first < self.depth[v.name] <= last]
        names = {v.name for v in here} | {joint}
        before = [v for v in self.vertices if v.name == joint]
        repeated = [replace(v, gradient="", parameters=(), repeated=True) for v in before]
        arrows = [a for a in self.arrows if a.target in names - {joint} and a.source in names]
        return Flow((*repeated, *here), tuple(arrows))


def flow_of(form: ModelForm) -> Flow:
    """The graph of a model. Parameters stand with the equations that read them."""
    graph, derivation = form.problem.graph, form.derivation
    vertices = {q.name: _vertex(form, q) for q in graph.given if q.role in GIVEN}
    arrows: dict[tuple[str, str], Arrow] = {}
    for block in graph.blocks:
        for k, equation in enumerate(block.equations):
            name = equation.quantity.name
            for element in _read_by(form, equation.rhs):
                source = _source(form, block, k, element)
                if source.name in form.order and _is_parameter(form, source.name):
                    continue
                vertices.setdefault(source.name, source)
                back = _has_gradient(derivation, element.name)
                back = back and _has_gradient(derivation, name)
                arrows[source.name, name] = Arrow(source.name, name, back)
            vertices[name] = _vertex(form, equation.quantity)
    joined = {name for way in arrows for name in way}
    drawn = [vertex for vertex in vertices.values() if vertex.name in joined]
    return Flow(tuple(drawn), tuple(arrows.values()))


def _read_by(form: ModelForm, rhs: sympy.Expr) -> list[Element]:
    """What a right side reads, in the order of computation."""
    return sorted(elements(rhs), key=lambda element: (form.order[element.name], str(element)))


def _is_parameter(form: ModelForm, name: str) -> bool:
    return form.problem.graph.quantities[name].role is Role.PARAMETER


def _has_gradient(derivation: Derivation, name: str) -> bool:
    """Whether the loss is differentiated by a quantity; the loss itself has the derivative 1."""
    loss = derivation.forward.of_role(Role.LOSS)
    return adjoint_name(name) in derivation.backward.quantities or name in {q.name for q in loss}


def _source(form: ModelForm, block: Block, at: int, element: Element) -> Vertex:
    """What is read: a quantity, or its value of another step of the same recurrence."""
    place = {e.quantity.name: k for k, e in enumerate(block.equations)}
    quantity = form.problem.graph.quantities[element.name]
    if not block.step or element.name not in place:
        return _vertex(form, quantity)
    steps = tuple(element.indices[walk.along[place[element.name]]] for walk in block.walks)
    if steps == block.walked(at):
        return _vertex(form, quantity)
    symbol = form.symbol(element.name, [position(step, form.leaf) for step in steps])
    return Vertex(f"{element.name}[{','.join(map(str, steps))}]", symbol, earlier=True)


def _vertex(form: ModelForm, quantity: Quantity) -> Vertex:
    adjoint = adjoint_name(quantity.name)
    known = adjoint in form.derivation.backward.quantities
    return Vertex(
        quantity.name,
        form.symbol(quantity.name),
        r" \times ".join(str(axis.size) for axis in quantity.axes),
        form.symbol(adjoint) if known else "",
        tuple(_parameters(form, quantity)),
        quantity.role,
    )


def _parameters(form: ModelForm, quantity: Quantity) -> Iterator[str]:
    """The symbols of the parameters that an equation reads, each once."""
    if quantity.given:
        return
    read = _read_by(form, form.problem.graph.equation(quantity.name).rhs)
    names = dict.fromkeys(element.name for element in read)
    yield from (form.symbol(name) for name in names if _is_parameter(form, name))
