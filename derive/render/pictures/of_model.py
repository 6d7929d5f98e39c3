"""The pictures of a model as blocks of its page, each with what its caption has to know."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from derive.graph import Block as Computed
from derive.graph import Equation, adjoint_name
from derive.render.blocks import Block
from derive.render.model_form import ModelForm
from derive.render.pictures.as_tikz import tikz
from derive.render.pictures.attention import attention_of
from derive.render.pictures.shades import Gallery, Shaded, gallery
from derive.render.pictures.stepfigure import Unrolled, unrolled
from derive.render.pictures.tables import attention_tables, parameter_tables
from derive.render.pictures.unrolled import recurrence_of
from derive.render.pictures.windowfigure import WindowFigure, won_by
from derive.render.pictures.windows import Window, window_of
from derive.render.positions import letter
from derive.render.worked import Bench


def step_blocks(form: ModelForm, block: Computed) -> Iterator[Block]:
    """The steps of a recurrence side by side; nothing if it would not be readable."""
    read = recurrence_of(form.problem.graph, block)
    found = unrolled(form, read) if read is not None else None
    if found is not None and read is not None:
        steps, ways = found.steps, found.steps.ways
        drawn = {way.target[1] for way in ways} | {way.source[1] for way in ways}
        yield Block(
            "model_steps",
            {
                "tikz": tikz(found.picture),
                "drawn": found.picture,
                "label": f"fig:steps-{read.states[0]}",
                "states": [form.symbol(name) for name in read.states],
                "left_out": None in steps.columns,
                "framed": steps.framed,
                "inputs": any(column.inputs for column in steps.drawn),
                "back": any(way.back for way in ways),
                "slopes": any(c.gradient for column in steps.drawn for c in column.states),
                "within": [form.symbol(name) for name in read.within if name not in drawn],
                "before": any(c.look == "before" for d in steps.drawn for c in d.states),
                "meeting": _meeting(found),
            },
        )


def window_blocks(form: ModelForm, bench: Bench | None, equation: Equation) -> Iterator[Block]:
    """One window of an equation; nothing if it moves none, or one that would not be readable."""
    window = window_of(form.problem.graph, equation)
    if window is not None:
        yield from _window(form, bench, window, equation.quantity.name, False)


def window_back_blocks(form: ModelForm, bench: Bench | None, name: str) -> Iterator[Block]:
    """Where the derivative by what a window moves over comes from, if only that reads it."""
    graph = form.problem.graph
    readers = graph.readers(name)
    window = window_of(graph, readers[0]) if len(readers) == 1 else None
    if window is None or not window.plain:
        return
    read = window.small if window.transposed else window.large
    above = adjoint_name(readers[0].quantity.name)
    if read.name == name and above in form.derivation.backward.quantities:
        yield from _window(form, bench, window, f"d-{name}", True)


def _window(
    form: ModelForm, bench: Bench | None, window: Window, label: str, back: bool
) -> Iterator[Block]:
    found = WindowFigure(form, bench, window, back, won_by(bench, window)).shown()
    if found is not None:
        fields = {
            "tikz": tikz(found.picture),
            "drawn": found.picture,
            "label": f"fig:window-{label}",
            "back": back,
            "left": found.left,
            "right": found.right,
            "kernel": found.kernel,
            "flipped": found.flipped,
            "partly": found.partly,
            "outside": found.outside,
            "guarded": window.guarded,
            "largest": window.largest is not None,
            "sent": found.sent,
            "winners": found.winners,
            "slices": found.slices,
            "summed": [letter(index.name) for index in found.summed],
        }
        yield Block("model_window", fields)


def attention_blocks(form: ModelForm, bench: Bench | None, name: str) -> Iterator[Block]:
    """The weights of an attention and the derivatives, once that by its scores is known."""
    graph = form.problem.graph
    for attention in map(partial(attention_of, graph), graph.equations):
        if bench is None or attention is None or attention.scores != name:
            continue
        tables = attention_tables(form, bench, attention)
        drawn = gallery(tables)
        if drawn is not None:
            axes = [letter(index.name) for index in attention.equation.indices[-2:]]
            fields = _of_shades(drawn, tables, f"fig:shades-{name}")
            yield Block("model_attention", {**fields, "axes": axes})


def parameter_blocks(form: ModelForm, bench: Bench | None) -> Iterator[Block]:
    """The parameters that are tables, each beside its gradient."""
    tables = parameter_tables(form, bench) if bench is not None else []
    drawn = gallery(tables)
    if drawn is not None:
        yield Block("model_parameters", _of_shades(drawn, tables, "fig:parameters"))


def _of_shades(drawn: Gallery, tables: list[list[Shaded]], label: str) -> dict[str, object]:
    every = [table for group in tables for table in group]
    return {
        "tikz": tikz(drawn.picture),
        "drawn": drawn.picture,
        "label": label,
        "titles": [table.title for table in every],
        "numbers": drawn.numbers,
        "below": any(table.below for table in every),
        "masked": any(cell is None for table in every for row in table.rows for cell in row),
        "scaled": all(table.most.value for table in every),
    }


def _meeting(found: Unrolled) -> dict[str, str]:
    """What meets at which state, in symbols."""
    if found.meeting is None:
        return {}
    place, above, later = found.meeting.at, found.meeting.above, found.meeting.later
    return {
        "at": found.symbol(place),
        "above": found.symbol((place[0], above)),
        "later": str(later),
    }
