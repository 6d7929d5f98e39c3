"""δ view: one equation for each layer, one worked element, and tables for the rest.

δ = ∂E/∂net is named once for each unit and referred to, so the page grows with the number of
layers and not with the number of paths.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from derive.expression import Element
from derive.graph import Equation, Role, adjoint_name
from derive.library.optimizers import plain_step
from derive.notation import ADJOINT, UPDATED, Name
from derive.problem import LayerUse
from derive.render.blocks import Block
from derive.render.index_form import IndexForm, inlined
from derive.render.sheet import Display
from derive.render.unit_tables import (
    Table,
    given_tables,
    gradient_table,
    sample_table,
    unit_table,
    updated_table,
)
from derive.render.weights import ALPHA, ALPHA_NAME, Story
from derive.scalar import positions


def delta_given(story: Story) -> Iterator[Block]:
    """The samples and the parameters as tables."""
    problem = story.problem
    names = [q.name for role in (Role.INPUT, Role.TARGET) for q in problem.graph.of_role(role)]
    units = ([u.tex for u in problem.inputs], [u.tex for u in problem.layers[-1].units])
    yield Block(
        "given_tables",
        {
            "samples": [sample_table(story, *pair) for pair in zip(names, units, strict=True)],
            "parameters": list(given_tables(story)),
            "alpha": f"{ALPHA_NAME.tex} = {story.sheet.text(ALPHA)}",
            "batch": problem.batch,
        },
    )


def delta_forward(story: Story) -> Iterator[Block]:
    """The forward pass layer by layer: equations, one worked unit, a table of the rest."""
    form = IndexForm(story.problem)
    yield Block(
        "forward_layers", {"batch": story.problem.batch, "numeric": not story.problem.symbolic}
    )
    for use in story.problem.layers:
        net = story.problem.graph.equation(use.net)
        out = story.problem.graph.equation(use.out)
        worked, table = _forward_numbers(story, use)
        yield Block(
            "layer_forward",
            {
                "number": use.number,
                "last": use.number == len(story.problem.layers),
                "units": len(use.units),
                "activation": use.activation,
                "net": form.equation(net),
                "out": form.equation(out),
                "net_label": f"eq:net-{use.number}",
                "out_label": f"eq:out-{use.number}",
                "worked": worked,
                "table": table,
            },
        )


def _forward_numbers(story: Story, use: LayerUse) -> tuple[list[Display], Table | None]:
    """Every number of a layer enters the sheet; the first unit is shown in full."""
    if story.problem.symbolic:
        return [], None
    displays = []
    for name in (use.net, use.out):
        for place in positions(story.problem.graph.quantities[name].axes):
            node = Element(name, *place)
            expr = story.network.equations[node]
            if any(place):
                story.sheet.enter(node, expr)
            else:
                displays.append(story.sheet.define(node, expr))
    return displays, unit_table(story, use, (use.net, use.out))


def delta_blocks(story: Story) -> Iterator[Block]:
    """δ of every layer from the last to the first, with the gradients that follow from it."""
    form = IndexForm(story.problem)
    yield Block(
        "delta_rule", {"delta": form.lhs(_adjoint_of(story, story.problem.layers[-1].net).lhs)}
    )
    for use in reversed(story.problem.layers):
        if not story.problem.symbolic:
            _name_deltas(story, use)
        adjoint = _adjoint_of(story, use.net)
        out_name = adjoint_name(use.out)
        through = inlined(adjoint.rhs, story.network.derivation.adjoint(use.out))
        yield Block(
            "layer_backward",
            {
                "number": use.number,
                "last": use.number == len(story.problem.layers),
                "first": use.number == 1,
                "fused": use.net in story.network.fused,
                "chain": _chain_rows(story, use, form, adjoint, through),
                "label": f"eq:delta-{use.number}",
                "step": r"\operatorname{H}(" in form.tex(through),
                "uses_out": out_name in {e.name for e in adjoint.rhs.atoms(Element)},
                "gradients": [
                    {"tex": form.equation(_adjoint_of(story, name)), "label": f"eq:grad-{name}"}
                    for name in use.parameters
                ],
                **_backward_numbers(story, use),
            },
        )


def _adjoint_of(story: Story, name: str) -> Equation:
    return story.network.derivation.adjoint(name)


def _chain_rows(
    story: Story, use: LayerUse, form: IndexForm, adjoint: Equation, through: sympy.Expr
) -> Display:
    """δ = ∂E/∂net = … in index form."""
    loss = story.sheet.name(Element("E")).tex
    net = form.lhs(story.problem.graph.equation(use.net).lhs)
    rows = [rf"\frac{{\partial {loss}}}{{\partial {net}}}"]
    for expr in (adjoint.rhs, through):
        tex = form.tex(expr)
        if tex not in rows:
            rows.append(tex)
    return Display(f"eq:delta-{use.number}", form.lhs(adjoint.lhs), tuple(rows), None)


def _name_deltas(story: Story, use: LayerUse) -> None:
    """From here on ∂E/∂net of these units is written δ."""
    for place in positions(story.problem.graph.quantities[use.net].axes):
        node = Element(use.net, *place)
        key = story.total(node)
        name = story.sheet.symbols[key]
        own = story.sheet.name(node).tex.removeprefix(r"\mathrm{net}")
        story.sheet.symbols[key] = Name(name.code, rf"\delta{own}", name.report)


def _backward_numbers(story: Story, use: LayerUse) -> dict[str, object]:
    if story.problem.symbolic:
        return {"worked": [], "deltas": None, "gradient_tables": [], "update": None, "updated": []}
    worked = [_define_adjoints(story, use.net)]
    tables = []
    for name in use.parameters:
        worked.append(_define_adjoints(story, name))
        tables.append(gradient_table(story, name))
    update = _define_updates(story, use)
    trained = [name for name in use.parameters if name not in story.problem.training.frozen]
    return {
        "worked": worked,
        "deltas": unit_table(story, use, (adjoint_name(use.net),)),
        "gradient_tables": tables,
        "update": update,
        "updated": [updated_table(story, name) for name in trained],
    }


def _define_adjoints(story: Story, name: str) -> Display:
    """Enter ∂E/∂ of every element of a quantity; return the display of the first."""
    first, *others = (Element(name, *p) for p in _places(story, name))
    display = story.sheet.define(story.total(first), _scalar_adjoint(story, first))
    for node in others:
        story.sheet.enter(story.total(node), _scalar_adjoint(story, node))
    return display


def _places(story: Story, name: str) -> Iterator[tuple[int, ...]]:
    return positions(story.problem.graph.quantities[name].axes)


def _scalar_adjoint(story: Story, node: Element) -> sympy.Expr:
    """∂E/∂node in δ, with ∂E/∂out of the same unit put in."""
    expr = story.network.adjoint(node)
    outs = {use.out for use in story.problem.layers}
    change: dict[sympy.Expr, sympy.Expr] = {}
    for element in expr.atoms(Element):
        base = element.name.removeprefix(ADJOINT)
        if element.name.startswith(ADJOINT) and base in outs:
            inner = Element(base, *element.indices)
            if inner not in story.inner:  # a softmax reads all of them for each of its units
                story.inner[inner] = _scalar_adjoint(story, inner)
            change[element] = story.inner[inner]
    expr = expr.xreplace(change)
    deltas = {
        e: story.total(Element(e.name.removeprefix(ADJOINT), *e.indices))
        for e in expr.atoms(Element)
        if e.name.startswith(ADJOINT)
    }
    return expr.xreplace(deltas)


def _define_updates(story: Story, use: LayerUse) -> Display | None:
    step = plain_step(story.problem.training.optimizer, story.problem.training.settings)
    first: Display | None = None
    for name in use.parameters:
        if name in story.problem.training.frozen:
            continue
        for place in positions(story.problem.graph.quantities[name].axes):
            weight = Element(name, *place)
            new = Element(name + UPDATED, *place)
            expr = step(weight, ALPHA, story.total(weight))
            if first is None:
                first = story.sheet.define(new, expr)
            else:
                story.sheet.enter(new, expr)
    return first
