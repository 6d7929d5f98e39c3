"""The library as a terminal shows it: what there is, and the equations of one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.backprop import differentiate
from derive.errors import InputError
from derive.examples import example
from derive.expression import Element, total
from derive.graph import Equation, Graph, Kind, Quantity, Role
from derive.library.activations import ACTIVATIONS
from derive.library.aliases import nearest_row
from derive.library.instantiate import Instance
from derive.library.layers import LAYERS
from derive.library.losses import loss_layer, loss_names
from derive.library.optimizers import OPTIMIZERS
from derive.library.row import Layer
from derive.text import line, shape, slopes

WIDTH = 26


def listing() -> Iterator[str]:
    """Every row of the library, with what it is."""
    groups: dict[str, list[Layer]] = {}
    for row in LAYERS.values():
        groups.setdefault(row.group, []).append(row)
    for group, rows in groups.items():
        yield f"{group} layers"
        yield from (f"  {row.name:<{WIDTH}} {row.summary}" for row in rows)
    yield "losses"
    yield from (f"  {name:<{WIDTH}} {loss_layer(name)[0].summary}" for name in loss_names())
    yield "optimizers"
    yield from (f"  {row.name:<{WIDTH}} {row.summary}" for row in OPTIMIZERS.values())


def shown(name: str) -> Iterator[str]:
    """One row: its equations, and those of its derivatives. Raises InputError."""
    if name in LAYERS:
        return _layer(LAYERS[name])
    if name in loss_names():
        return _layer(loss_layer(name)[0])
    if name in OPTIMIZERS:
        return _optimizer(name)
    known = {*LAYERS, *loss_names(), *OPTIMIZERS, *ACTIVATIONS}
    raise InputError(f"the library has no '{name}'; {nearest_row(name, known)}")


def _optimizer(name: str) -> Iterator[str]:
    row = OPTIMIZERS[name]
    yield f"{row.name}: {row.summary}"
    yield from (f"  {each}" for each in row.equations.splitlines())
    for state in row.states:
        yield f"  {state} starts at 0"
    for setting, value in row.settings.items():
        yield f"  {setting} = {float(value):g}"


def _layer(row: Layer) -> Iterator[str]:
    """Forward as it is written; backward as it is derived, for small sizes."""
    inputs, made = example(row)
    yield f"{row.name}: {row.summary}"
    if row.notes:
        yield f"  {row.notes}"
    yield f"reads       {', '.join(row.inputs)}"
    if row.parameters:
        yield f"parameters  {', '.join(row.parameters)}"
    if row.constants:
        yield f"constants   {', '.join(row.constants)}"
    for setting, value in row.settings.items():
        yield f"setting     {setting} = {float(value):g}"
    for letter, formula in row.sizes.items():
        yield f"size        {letter}: {formula}"
    yield "forward"
    yield from (f"  {text.strip()}" for text in row.equations.splitlines() if text.strip())
    yield f"backward, where g comes from above (here: {_shapes(inputs.values(), made)})"
    yield from (f"  {text}" for text in _backward(inputs.values(), made))


def _shapes(inputs: Iterable[Quantity], made: Instance) -> str:
    quantities = [*inputs, *made.given, made.output]
    return ", ".join(f"{q.name} {shape(q)}" for q in quantities)


def _backward(inputs: Iterable[Quantity], made: Instance) -> Iterator[str]:
    """The adjoints of a layer, given that of its output."""
    output = next(e for e in made.equations if e.quantity.name == made.output.name)
    upstream = Quantity("g", "g", made.output.axes, Role.CONSTANT, Kind.DATA)
    letters = output.indices
    seen = Element("g", *letters) * Element(made.output.name, *letters)
    loss = Quantity("E", "E", (), Role.LOSS, Kind.ERROR)
    given = (*inputs, *made.given, upstream)
    graph = Graph(given, (*made.equations, Equation(loss, (), total(seen, letters))))
    wanted = [q.name for q in given if not q.integer and q is not upstream]
    reached = [name for name in wanted if graph.readers(name)]
    derivation = differentiate(graph, reached)
    for equation in derivation.backward.equations:
        yield line(equation, slopes("E"))
