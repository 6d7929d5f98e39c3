"""The error: its display in either view, at the given and at the updated values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from derive.expression import Element
from derive.render.blocks import Block
from derive.render.index_form import IndexForm, inlined
from derive.render.order import path_view
from derive.render.sheet import Display
from derive.render.weights import Story

Relabel = Callable[[Element], Element]


def loss_blocks(story: Story) -> Iterator[Block]:
    """How far the output is from the target."""
    display = loss_display(story, Element("E"), lambda element: element)
    last = story.problem.layers[-1].out
    outputs = [
        f"{story.sheet.symbol(out)} = {story.sheet.text(out)}"
        for out in story.network.equations
        if out.name == last and story.sheet.text(out)
    ]
    yield Block(
        "loss",
        {
            "display": display,
            "loss": story.problem.loss,
            "batch": story.problem.batch,
            "reduction": story.problem.reduction.value,
            "value": display.result,
            "outputs": outputs if path_view(story.problem) else [],
        },
    )


def loss_display(story: Story, key: Element, at: Relabel) -> Display:
    """The loss at the given or at the updated values.

    In path view `E = E_o1 + E_o2 = ½(…)² + ½(…)² = number`, otherwise in index form.
    """
    network, sheet = story.network, story.sheet
    whole = network.equations.get(Element("E"))
    errors = {e: network.equations[e] for e in network.equations if e.name == "E_each"}
    for error, expr in errors.items():
        sheet.enter(at(error), relabel(expr, at))
    if path_view(story.problem) and whole is not None:
        shown = [sheet.formula(relabel(whole, at))]
        return sheet.define(key, relabel(whole.xreplace(errors), at), shown)
    if whole is not None:
        sheet.enter(key, relabel(whole.xreplace(errors), at))
    form, graph = IndexForm(story.problem), story.problem.graph
    full = inlined(graph.equation("E").rhs, graph.equation("E_each"))
    rows = [form.tex(graph.equation("E").rhs), form.tex(full)] if key.name == "E" else []
    result = sheet.text(key)
    rows += [result] if result is not None else []
    return Display(sheet.label(key), sheet.symbol(key), tuple(rows), result)


def relabel(expr: sympy.Expr, at: Relabel) -> sympy.Expr:
    """Rename every element of an expression."""
    return expr.xreplace({element: at(element) for element in expr.atoms(Element)})
