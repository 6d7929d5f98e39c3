"""Tables of the δ view: what a layer has, unit by unit, and its parameters as matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sympy

from derive.expression import Element, Index, elements
from derive.notation import ADJOINT, UPDATED
from derive.problem import LayerUse
from derive.render.index_form import IndexForm
from derive.render.sheet import Key
from derive.render.weights import Story

MOST_COLUMNS = 8
MOST_ROWS = 12


@dataclass(frozen=True)
class TableRow:
    """A line of a table: its head and its cells."""

    head: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of numbers; `more` tells that only its beginning is shown."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    more: bool


def unit_table(story: Story, use: LayerUse, names: Sequence[str]) -> Table:
    """One column for each unit, one row for each quantity (and sample)."""
    shown = use.units[:MOST_COLUMNS]
    rows = []
    samples = min(story.problem.batch, MOST_ROWS // len(names))
    for name in names:
        for sample in range(samples):
            cells = [
                story.sheet.text(_key(story, Element(name, sample, k))) or ""
                for k in range(len(shown))
            ]
            head = IndexForm(story.problem).lhs(_any_unit(story, name, sample))
            rows.append(TableRow(head, tuple(cells)))
    more = len(use.units) > len(shown) or samples < story.problem.batch
    return Table("", tuple(rf"\mathrm{{{u.tex}}}" for u in shown), tuple(rows), more)


def _any_unit(story: Story, name: str, sample: int) -> Element:
    """The quantity of one sample, with a letter for the unit."""
    base = story.problem.graph.equation(name.removeprefix(ADJOINT))
    first = base.indices[0] if story.problem.batch == 1 else sympy.Integer(sample + 1)
    return Element(name, first, *base.indices[1:])


def _key(story: Story, element: Element) -> Key:
    if element.name.startswith(ADJOINT):
        return story.total(Element(element.name.removeprefix(ADJOINT), *element.indices))
    return element


def sample_table(story: Story, name: str, units: Sequence[str]) -> Table:
    """The inputs or the targets: one column for each unit, one row for each sample."""
    problem, form = story.problem, IndexForm(story.problem)
    read = next(e for each in problem.graph.equations for e in elements(each.rhs) if e.name == name)
    shown, samples = units[:MOST_COLUMNS], min(problem.batch, MOST_ROWS)
    rows = []
    for n in range(samples):
        first = read.indices[0] if problem.batch == 1 else sympy.Integer(n + 1)
        cells = [story.sheet.text(Element(name, n, k)) or "" for k in range(len(shown))]
        rows.append(TableRow(form.lhs(Element(name, first, *read.indices[1:])), tuple(cells)))
    more = len(units) > len(shown) or samples < problem.batch
    return Table("", tuple(rf"\mathrm{{{unit}}}" for unit in shown), tuple(rows), more)


def given_tables(story: Story) -> Iterator[Table]:
    """The parameters as they are given."""
    for use in story.problem.layers:
        for name in use.parameters:
            yield _parameter_table(story, name, _lhs(story, name), lambda weight: weight)


def gradient_table(story: Story, name: str) -> Table:
    """∂E/∂ of every entry of a parameter."""
    lhs = IndexForm(story.problem).lhs(story.network.derivation.adjoint(name).lhs)
    return _parameter_table(story, name, lhs, story.total)


def updated_table(story: Story, name: str) -> Table:
    """The new value of every entry of a parameter."""
    mark, _, below = _lhs(story, name).partition("_")
    above = mark.replace(")}", ")+}") if mark.endswith(")}") else f"{mark}^{{+}}"

    def new(weight: Element) -> Key:
        return Element(weight.name + UPDATED, *weight.indices)

    return _parameter_table(story, name, f"{above}_{below}" if below else above, new)


def _letters(story: Story, name: str) -> tuple[Index, ...]:
    """The letters of a parameter in the equation of its gradient."""
    return story.network.derivation.adjoint(name).indices


def _lhs(story: Story, name: str) -> str:
    return IndexForm(story.problem).lhs(Element(name, *_letters(story, name)))


def _parameter_table(story: Story, name: str, lhs: str, key: Callable[[Element], Key]) -> Table:
    """Weights as a matrix, biases as a row, and a bias that all units share as a single number."""
    shape = story.problem.graph.quantities[name].shape
    letters = [index.name for index in _letters(story, name)]

    def text(*place: int) -> str:
        return story.sheet.text(key(Element(name, *place))) or ""

    if len(shape) < 2:
        count = min(*shape, MOST_COLUMNS) if shape else 1
        cells = tuple(text(k) for k in range(count)) if shape else (text(),)
        heads = tuple(f"{letters[0]}={k + 1}" for k in range(count)) if shape else (r"\forall h",)
        return Table("", heads, (TableRow(lhs, cells),), bool(shape) and count < shape[0])
    rows, columns = min(shape[0], MOST_ROWS), min(shape[1], MOST_COLUMNS)
    lines = tuple(
        TableRow(f"{letters[0]}={r + 1}", tuple(text(r, c) for c in range(columns)))
        for r in range(rows)
    )
    heads = tuple(f"{letters[1]}={c + 1}" for c in range(columns))
    return Table(f"${lhs}$", heads, lines, (rows, columns) != shape)
