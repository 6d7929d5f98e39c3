"""Which tables of a model are shown as shades: attention, and parameters with their gradients."""

from __future__ import annotations

from collections.abc import Collection

from derive.graph import Role, adjoint_name
from derive.numbers import real
from derive.render.model_form import ModelForm
from derive.render.pictures.attention import Attention
from derive.render.pictures.shades import Cell, Shaded
from derive.render.placement import on_one_line
from derive.render.tensor_values import compiled
from derive.render.worked import Bench

Place = tuple[int, ...]
FEWEST = 2  # rows, and columns
MOST_SLICES = 4


def parameter_tables(form: ModelForm, bench: Bench) -> list[list[Shaded]]:
    """Every parameter with two axes, and the derivative by it."""
    found = []
    for quantity in form.problem.graph.of_role(Role.PARAMETER):
        adjoint = adjoint_name(quantity.name)
        known = adjoint in form.derivation.backward.quantities
        if known and len(quantity.axes) == 2 and min(quantity.shape) >= FEWEST:
            names = (quantity.name, adjoint)
            found.append([_table(form, bench, name, quantity.shape) for name in names])
    return found


def attention_tables(form: ModelForm, bench: Bench, attention: Attention) -> list[list[Shaded]]:
    """The weights and the derivatives by them and by the scores, for a few of several slices."""
    quantity = attention.equation.quantity
    known = form.derivation.backward.quantities
    adjoints = map(adjoint_name, (quantity.name, attention.scores))
    shown = [quantity.name, *(name for name in adjoints if name in known)]
    lead = quantity.shape[:-2]
    if min(quantity.shape[-2:]) < FEWEST:
        return []
    return [
        [
            _table(form, bench, name, quantity.shape, at, _masked(bench, attention, at))
            for name in shown
        ]
        for at in _slices(lead)
    ]


def _slices(lead: Place) -> list[Place]:
    """The first few slices along the last of the axes before a table; of others the first only."""
    if not lead:
        return [()]
    return [(*(0 for _ in lead[:-1]), k) for k in range(min(lead[-1], MOST_SLICES))]


def _table(
    form: ModelForm,
    bench: Bench,
    name: str,
    shape: Place,
    at: Place = (),
    masked: Collection[Place] = (),
) -> Shaded:
    """A table, or a slice of one with more axes."""

    def cell(*place: int) -> Cell | None:
        key = name, (*at, *place)
        if place in masked:
            return None
        return Cell(float(real(bench.values.page[key])), bench.values.tex(key))

    title = form.symbol(name, (*map(str, at), ":", ":")) if at else form.symbol(name)
    rows, columns = shape[-2:]
    cells = tuple(tuple(cell(i, j) for j in range(columns)) for i in range(rows))
    return Shaded(on_one_line(title), cells)


def _masked(bench: Bench, attention: Attention, at: Place) -> set[Place]:
    """Where there is no weight."""
    if attention.mask is None:
        return set()
    holds = compiled(attention.mask)
    *before, first, last = attention.equation.indices
    own = dict(zip(before, at, strict=True))
    return {
        (i, j)
        for i in range(first.axis.length)
        for j in range(last.axis.length)
        if holds(bench.values.exact, {**own, first: i, last: j}) == 0
    }
