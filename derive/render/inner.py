"""What a page says of the derivatives that belong to a model."""

from __future__ import annotations

from collections.abc import Iterator

from derive.graph import Equation, Graph, Quantity
from derive.notation import Name
from derive.render.blocks import Block
from derive.render.model_form import ModelForm
from derive.render.positions import letter


def gradient_block(form: ModelForm, equation: Equation, said: set[str]) -> Iterator[Block]:
    """Before the first of the derivatives of a quantity: what they are, and how they are found."""
    slope = equation.quantity.slope
    if slope is None or slope.of in said:
        return
    said.add(slope.of)
    graph = form.problem.graph
    of = graph.equation(slope.of)
    family = [e for e in graph.equations if e.quantity.slope and e.quantity.slope.of == slope.of]
    yield Block(
        "model_gradient",
        {
            "again": len(said) > 1,
            "of": form.whole(slope.of),
            "asked": [quotient(form, each) for each in family if _is_asked(graph, each)],
            "kept": [
                letter(index.name)
                for place, index in enumerate(of.indices)
                if any(_keeps(each.quantity, place) for each in family)
            ],
            "loss": not form.problem.forward_only,
        },
    )


def quotient(form: ModelForm, equation: Equation) -> str:
    """A derivative that belongs to the model, within a line of text."""
    return _quotient(form, equation).inline


def shown(form: ModelForm, equation: Equation) -> tuple[str, ...]:
    """The row that says which derivative a quantity with a name of its own is."""
    quantity = equation.quantity
    return (_quotient(form, equation).tex,) if quantity.slope and quantity.tex else ()


def _quotient(form: ModelForm, equation: Equation) -> Name:
    slope = equation.quantity.slope
    assert slope is not None
    return form.names.quotient(slope, [letter(index.name) for index in equation.indices])


def _keeps(quantity: Quantity, place: int) -> bool:
    """Whether a place of what is differentiated is one of what it is differentiated by."""
    slope = quantity.slope
    return slope is not None and slope.at[place] >= slope.before


def _is_asked(graph: Graph, equation: Equation) -> bool:
    """Whether a derivative is more than a step on the way to another one."""
    readers = graph.readers(equation.quantity.name)
    return not readers or any(reader.quantity.slope is None for reader in readers)
