"""The end of the page: all updates, second pass, training curve, table of all values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import sympy

from derive.expression import Element
from derive.graph import Kind, Role
from derive.notation import UPDATED, Name
from derive.numbers import NumberFormat, Zeros
from derive.render.blocks import Block
from derive.render.drawings import Drawings
from derive.render.loss import Relabel, loss_display, relabel
from derive.render.order import path_view, weights_in_order
from derive.render.sheet import Display
from derive.render.weights import ALPHA, Story

UNROUNDED = NumberFormat(significant_digits=10, zeros=Zeros.PAD)
DECREASE = sympy.Symbol("decrease", real=True)


@dataclass(frozen=True)
class Change:
    """One line of the table of updates."""

    name: str
    old: str
    gradient: str
    new: str


def ending_blocks(story: Story, drawings: Drawings, too_many: bool) -> Iterator[Block]:
    """What follows once every gradient is known."""
    problem = story.problem
    if problem.symbolic:
        yield Block("symbolic_end", {"too_many": too_many})
        return
    yield from _updated_network(story)
    yield _comparison(story)
    if drawings.training:
        yield Block(
            "training",
            {
                "tikz": drawings.training,
                "steps": problem.training.steps,
                "last": drawings.last_loss,
                "batch": problem.batch,
            },
        )
    if path_view(problem):
        rows = _table(story)
        half = (len(rows) + 1) // 2
        pairs = list(zip_longest(rows[:half], rows[half:]))
        yield Block("table", {"pairs": pairs, "chained": problem.numbers.chained})
    yield Block("closing", {"path_view": path_view(problem)})


def _updated_network(story: Story) -> Iterator[Block]:
    """The second pass; in path view it is shown, otherwise only its numbers are needed."""
    if path_view(story.problem):
        yield Block(
            "updates",
            {
                "changes": _changes(story),
                "frozen": bool(story.problem.training.frozen),
                "hidden": len(story.problem.layers) > 1,
            },
        )
        yield Block("second_pass", {"displays": _second_pass(story)})
        return
    at = updated_elements(story)
    for left, right in story.network.equations.items():
        if story.network.kind(left) is not Kind.ERROR:
            story.sheet.enter(at(left), relabel(right, at))


def _comparison(story: Story) -> Block:
    """The new error beside the old one."""
    sheet = story.sheet
    loss, new = Element("E"), Element("E" + UPDATED)
    display = loss_display(story, new, updated_elements(story))
    sheet.symbols[DECREASE] = Name("decrease", r"\Delta E", "decrease")
    difference = sheet.define(DECREASE, loss - new)
    entry = sheet.entries[DECREASE]
    return Block(
        "comparison",
        {
            "display": display,
            "old": sheet.text(loss),
            "new": sheet.text(new),
            "difference": difference,
            "smaller": entry.exact is not None and entry.exact > 0,
            "path_view": path_view(story.problem),
        },
    )


def updated_elements(story: Story) -> Relabel:
    """Elements at the updated weights: what does not change keeps its name."""
    quantities = story.problem.graph.quantities
    frozen = story.problem.training.frozen

    def at(element: Element) -> Element:
        quantity = quantities[element.name]
        fixed = quantity.role in (Role.INPUT, Role.TARGET, Role.CONSTANT)
        if fixed or element.name in frozen:
            return element
        return Element(element.name + UPDATED, *element.indices)

    return at


def _second_pass(story: Story) -> list[Display]:
    at = updated_elements(story)
    return [
        story.sheet.define(at(left), relabel(right, at))
        for left, right in story.network.equations.items()
        if story.network.kind(left) is not Kind.ERROR
    ]


def _changes(story: Story) -> list[Change]:
    sheet = story.sheet
    changes = []
    for weight in sorted(weights_in_order(story.problem), key=sheet.rank):
        new = Element(weight.name + UPDATED, *weight.indices)
        if new in sheet.entries:
            changes.append(
                Change(
                    sheet.name(weight).tex,
                    sheet.text(weight) or "",
                    sheet.text(story.total(weight)) or "",
                    sheet.text(new) or "",
                )
            )
    return changes


@dataclass(frozen=True)
class Row:
    """One line of the table of all values."""

    name: str
    page: str
    exact: str


def _table(story: Story) -> list[Row]:
    """Every computed number as on the page and with ten digits."""
    rows = []
    given = set(story.problem.values)
    for key, entry in story.sheet.entries.items():
        known = isinstance(key, Element) and key.name in given
        if entry.exact is None or entry.text is None or known or key == ALPHA:
            continue
        exact = UNROUNDED.text(entry.exact) if entry.exact != 0 else "0"
        written = map(story.sheet.written, (entry.text, exact))
        rows.append(Row(entry.name.inline, *written))
    return rows
