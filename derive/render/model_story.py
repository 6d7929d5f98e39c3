"""The page of a model: setting, given values, forward pass, backward pass, update.

It grows with the number of equations, never with the number of entries of a tensor; pictures are
drawn up to a size.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from derive.expression import Element, elements
from derive.graph import Block as Computed
from derive.graph import Derivation, Equation, Graph, Role
from derive.library.titles import title
from derive.problem import NodeUse, Problem
from derive.render.blocks import Block, Page
from derive.render.conventions import conventions
from derive.render.document import escape
from derive.render.drawings import NO_DRAWINGS, Drawings
from derive.render.flowfigure import flow_blocks
from derive.render.index_writer import ROOM
from derive.render.inner import gradient_block, shown
from derive.render.matrix_form import matrix_form
from derive.render.model_backward import Backward
from derive.render.model_form import ModelForm, open_letters, ranges
from derive.render.model_rounds import round_blocks, round_entries, told_rounds, training_blocks
from derive.render.model_update import trained, update_blocks
from derive.render.pictures.of_model import step_blocks, window_blocks
from derive.render.pieces import width
from derive.render.sheet import Display, Entry
from derive.render.tensor_values import Values
from derive.render.tensors import packed, tensor
from derive.render.unit_tables import TableRow
from derive.render.walked import walked
from derive.render.weights import ALPHA_NAME
from derive.render.worked import NOTHING, Bench, bench_of
from derive.repeats import renamed as under_names

MOST_ROWS = 24  # a longer table is set in two columns


def tell_model(
    problem: Problem,
    derivation: Derivation,
    drawings: Drawings = NO_DRAWINGS,
    shown: Mapping[str, tuple[int, ...]] = NOTHING,
) -> Page:
    """The page of a problem of any graph, with these entries of quantities worked out."""
    form = ModelForm(problem, derivation)
    bench = bench_of(form, shown)
    told = [
        *_forward(form, bench),
        *(() if problem.forward_only else Backward(form, bench).blocks()),
        *update_blocks(form, bench),
    ]
    later = told_rounds(form, bench) if bench else []
    told += round_blocks(form, later)
    told += training_blocks(form, drawings)
    displays = Page({}, tuple(told), {}).displays()
    blocks = (*_setting(form, bench, displays), *told)
    numbers = _entries(form, bench) | round_entries(form, later) if bench else {}
    return Page(problem.title, blocks, numbers)


def _entries(form: ModelForm, bench: Bench) -> dict[str, Entry]:
    """Every number under its name in reports."""
    found = {}
    for name, place in bench.values.texts:
        known = form.names.name(Element(name, *place))
        found[known.report] = bench.values.entry((name, place), known)
    if trained(form):
        rate = form.problem.training.learning_rate
        given = Values(form.problem.numbers)
        given.give(("", ()), Fraction(rate))
        found[ALPHA_NAME.report] = given.entry(("", ()), ALPHA_NAME)
    return found


# --- setting --------------------------------------------------------------------------------


def _setting(form: ModelForm, bench: Bench | None, displays: Sequence[Display]) -> Iterator[Block]:
    problem, graph = form.problem, form.problem.graph
    wanted = problem.wanted or [q.name for q in graph.of_role(Role.PARAMETER)]
    known = form.derivation.backward.quantities
    yield Block(
        "model_setting",
        {
            "loss": form.names.loss().tex,
            "results": [form.whole(e.quantity.name) for e in _ends(graph)],
            "wanted": [form.whole(n) for n in wanted if f"adj_{n}" in known],
            "upstream": [form.symbol(name) for name in problem.upstream],
            "equations": len(graph.equations),
            "rows": list(_side_by_side(list(_quantities(form)))),
        },
    )
    yield from flow_blocks(form)
    yield Block("model_conventions", conventions(form, bench, displays))
    if bench is None:
        return
    tensors = [t for q in graph.given for t in tensor(form, bench.values, q.name)]
    large = [form.symbol(q.name) for q in graph.given if not tensor(form, bench.values, q.name)]
    yield Block("model_given", {"lines": packed(tensors), "large": large})


def _ends(graph: Graph) -> list[Equation]:
    """The equations of the spec whose results no other equation reads.

    A derivative that was a step on the way to another one is no result, though none may read it.
    """
    return [
        e
        for e in graph.equations
        if (e.quantity.tex or e.quantity.slope is None)
        and not {*graph.readers(e.quantity.name)} - {e}
    ]


def _side_by_side(rows: list[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    """The rows of a table, two in one where there are many."""
    if len(rows) <= MOST_ROWS:
        yield from ([row] for row in rows)
        return
    half = (len(rows) + 1) // 2
    yield from ([rows[k], *rows[half + k : half + k + 1]] for k in range(half))


def _quantities(form: ModelForm) -> Iterator[dict[str, object]]:
    """The table of quantities; the role is said by the phrase book."""
    for name, quantity in form.problem.graph.quantities.items():
        sizes = r" \times ".join(str(axis.size) for axis in quantity.axes)
        upstream = name in form.problem.upstream.values()
        yield {
            "cells": TableRow(
                form.said(Element(name, *form.letters(name))), (sizes,) if sizes else ()
            ),
            "role": "upstream" if upstream else quantity.role.value,
            "integer": quantity.integer,
        }


# --- forward --------------------------------------------------------------------------------


def _forward(form: ModelForm, bench: Bench | None) -> Iterator[Block]:
    """Layer by layer; one that differs from an earlier one in nothing but names refers to it."""
    told: dict[Hashable, str] = {}
    kinds: list[_Station] = []
    gradients: set[str] = set()
    after_layer = False
    yield Block("model_forward", {"numeric": bench is not None})
    for station in _stations(form.problem):
        earlier = next((each for each in kinds if each.stands_for(station)), None)
        if earlier is not None:
            yield _alike(form, bench, station, earlier)
            continue
        if station.layer:
            kinds.append(station)
        if station.layer or after_layer:
            yield _heading(form, station)
        after_layer = station.layer is not None
        said = ""
        for block in station.blocks:
            if block.step:
                yield _recurrence(form, block)
                yield from step_blocks(form, block)
            walk = frozenset(e.quantity.name for e in block.equations if block.step)
            for equation in block.equations:
                key = _shape_of(equation)
                again = key in told
                told.setdefault(key, equation.quantity.name)
                yield from gradient_block(form, equation, gradients)
                limits = ranges(i for i in open_letters(equation) if i.name in form.bounds)
                yield _equation(
                    form, bench, equation, again, walk, limits if limits != said else ""
                )
                if not again:
                    yield from window_blocks(form, bench, equation)
                said = limits or said


@dataclass(frozen=True)
class _Station:
    """What is computed together: a layer, or equations that stand side by side."""

    layer: NodeUse | None
    blocks: tuple[Computed, ...]

    @property
    def equations(self) -> list[Equation]:
        return [equation for block in self.blocks for equation in block.equations]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a layer reads and makes, in the order of its row."""
        assert self.layer is not None
        return (*self.layer.operands, *self.layer.defined)

    def stands_for(self, other: _Station) -> bool:
        """Whether another layer has the same equations for other names."""
        if not self.layer or not other.layer or self.layer.row != other.layer.row:
            return False
        names = dict(zip(self.names, other.names, strict=False))
        pairs = list(zip(self.equations, other.equations, strict=False))
        return len(self.equations) == len(other.equations) and all(
            mine.indices == yours.indices and under_names(mine.rhs, names) == yours.rhs
            for mine, yours in pairs
        )


def _stations(problem: Problem) -> Iterator[_Station]:
    """What is computed together, with the layer that it belongs to."""
    node_of = {name: node for node in problem.nodes for name in node.defined}

    def owner(block: Computed) -> NodeUse | None:
        return node_of.get(block.equations[0].quantity.name)

    for node, blocks in groupby(problem.graph.blocks, owner):
        yield _Station(node if node is not None and node.row else None, tuple(blocks))


def _title(row: str) -> dict[str, str]:
    return {language: escape(words) for language, words in title(row).items()}


def _heading(form: ModelForm, station: _Station) -> Block:
    """The title of a layer, or the names of what is computed without one."""
    layer = station.layer
    if layer is None:
        names = [form.said(equation.lhs) for equation in station.equations]
        return Block("model_node", {"title": None, "names": names})
    fields = {"title": _title(layer.row), "names": [form.symbol(layer.defined[-1])]}
    return Block("model_node", fields)


def _alike(form: ModelForm, bench: Bench | None, station: _Station, earlier: _Station) -> Block:
    """A layer of a kind that has been told: what stands for what, and its values."""
    assert station.layer is not None and earlier.layer is not None
    made = station.layer.defined
    known = form.problem.graph.quantities  # an operand may be a plain number
    pairs = {
        new: old
        for new, old in zip(station.names, earlier.names, strict=True)
        if new in known and old in known
    }
    first, last = earlier.equations[0].quantity.name, earlier.equations[-1].quantity.name
    lines = []
    if bench is not None:
        lines = packed(t for name in made for t in tensor(form, bench.values, name))

    def told(own: bool) -> list[dict[str, str]]:
        return [
            {"new": form.symbol(new), "old": form.symbol(old)}
            for new, old in pairs.items()
            if new != old and (new in made) is own
        ]

    return Block(
        "model_alike",
        {
            "title": _title(station.layer.row),
            "names": [form.symbol(made[-1])],
            "first": f"eq:{first}",
            "last": f"eq:{last}",
            "single": first == last,
            "reads": told(False),
            "makes": told(True),
            "lines": lines,
        },
    )


def _shape_of(equation: Equation) -> Hashable:
    """An equation with every name replaced by the number of its appearance."""
    names = [equation.quantity.name, *(e.name for e in elements(equation.rhs))]
    numbers = {name: str(k) for k, name in enumerate(dict.fromkeys(names))}
    return equation.indices, under_names(equation.rhs, numbers)


def _recurrence(form: ModelForm, block: Computed) -> Block:
    edges = [edge for e in block.equations for edge in form.edges.get(e.quantity.name, ())]
    told = {
        "names": [form.said(e.lhs) for e in block.equations],
        "edges": [f"{form.leaf(edge.of).tex} = {form.tex(edge.value)}" for edge in edges],
    }
    single, fields = walked(block, told)
    return Block("model_recurrence" if single else "model_places", fields)


def _equation(
    form: ModelForm,
    bench: Bench | None,
    equation: Equation,
    again: bool,
    walk: frozenset[str],
    limits: str,
) -> Block:
    """One equation: index form, matrix form, a worked entry, all values."""
    problem, name = form.problem, equation.quantity.name
    loss = equation.quantity.role is Role.LOSS
    given = loss and bool(problem.upstream)
    lhs = form.lhs(equation)
    rows = (*shown(form, equation), form.rows(equation.rhs, ROOM - width(lhs)))
    display = Display(f"eq:{name}", lhs, rows, None)
    single = bench is not None and not equation.indices and not given
    if bench is not None and single:
        display = bench.completed(display.label, equation, list(display.rows))
    numeric = bench is not None and bool(equation.indices)
    return Block(
        "model_equation",
        {
            "display": display,
            "ranges": limits,
            "matrix": {"tex": "" if again else matrix_form(form, problem.graph, equation)},
            "worked": bench.worked(equation, walk, again) if bench and numeric else None,
            "lines": packed(tensor(form, bench.values, name)) if bench and numeric else [],
            "loss": loss,
            "numeric": single,
            "upstream": given,
        },
    )
