"""A model of any graph as the data of its page: equations over letters, computed by the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any

import sympy

from derive.graph import Block, Derivation, Equation, Quantity, Role, adjoint_name, blocks
from derive.interactive.mathml import hole, mathml
from derive.interactive.network import number_format
from derive.interactive.trees import Tree, tree
from derive.interactive.worked import Worked
from derive.notation import UPDATED, with_mark
from derive.numbers import literal
from derive.problem import Problem, Tensor
from derive.render.blocks import Page
from derive.render.index_writer import ROOM
from derive.render.model_backward import Backward
from derive.render.model_form import ModelForm
from derive.render.model_update import moves, stages_of, trained, update_blocks
from derive.render.pieces import width
from derive.render.tensor_values import asked, places
from derive.render.weights import ALPHA_NAME
from derive.render.whole_update import EVERY, RATE, below, state_of, whole_lines
from derive.scalar import positions
from derive.symbols import symbol

BREAK = " \\\\\n  &\\quad "
COUNT = sympy.Symbol("k", real=True)
COUNTED = "number of the update"  # no quantity can be called like this


@dataclass(frozen=True)
class Model:
    """A model with the numbers of its quantities; what an update makes has names of its own."""

    problem: Problem
    derivation: Derivation

    @cached_property
    def form(self) -> ModelForm:
        """Writes its equations; pages without numbers have them in index form."""
        return ModelForm(replace(self.problem, values={}), self.derivation)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of everything that has a number on the page, in the order of computation."""
        graph, optimizer = self.problem.graph, self.problem.training.optimizer
        own = {q.name: q.shape for q in graph.given} | {RATE: (), COUNTED: ()}
        for quantity in self.trained:
            own |= {state_of(s, quantity.name): quantity.shape for s in optimizer.states}
        both = (*graph.equations, *self.derivation.backward.equations)
        own |= {e.quantity.name: e.quantity.shape for e in both}
        own |= {e.quantity.name: e.quantity.shape for _, e in self.moves(self.trained)}
        return own

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each of them."""
        return {name: k for k, name in enumerate(self.shapes)}

    @cached_property
    def trained(self) -> list[Quantity]:
        return trained(self.form) if self.problem.graph.of_role(Role.LOSS) else []

    def leaf(self, key: sympy.Expr) -> Tree:
        """An entry of a quantity, or the number of the update."""
        if key == COUNT:
            return ["@", self.numbers[COUNTED]]
        return ["@", self.numbers[key.name], *(tree(place, self.leaf) for place in key.indices)]

    def moves(self, moving: Sequence[Quantity]) -> Iterator[tuple[str | None, Equation]]:
        """The lines of an update of parameters, each with the parameter that it is of."""
        if self.problem.training.optimizer.looks_around:
            lines = whole_lines(self.problem, moving, COUNT) if moving else ()
            yield from ((line.of, line.equation) for line in lines)
            return
        for quantity in moving:
            letters = self.form.letters(quantity.name)
            for (name, at), step in moves(self.problem, (quantity.name, letters), COUNT):
                target = replace(quantity, name=name + UPDATED)
                yield quantity.name, Equation(target, at, step)


def model_data(model: Model) -> dict[str, Any]:
    """All that drives the page of a model."""
    problem = model.problem
    return {
        "quantities": [_quantity(model, name, shape) for name, shape in model.shapes.items()],
        "program": {
            "forward": _blocks(model, problem.graph.blocks),
            "backward": _blocks(model, model.derivation.backward.blocks),
            "stages": list(_stages(model)),
        },
        "lines": {
            "forward": [_line(model, e) for e in problem.graph.equations],
            "gradients": list(_gradients(model)),
            "update": list(_update(model)),
        },
        "worked": [w for w in _worked(model) if w["w"] is not None],
        "rate": model.numbers[RATE],
        "count": model.numbers[COUNTED],
        "loss": [model.numbers[q.name] for q in problem.graph.of_role(Role.LOSS)],
        "steps": problem.training.steps if model.trained else 0,
        "samples": [
            [
                [model.numbers[name], [literal(Fraction(v)) for v in _flat(t)]]
                for name, t in sample.items()
            ]
            for sample in problem.samples
        ],
        "format": number_format(problem.numbers),
    }


def _flat(tensor: Tensor) -> list[str]:
    return [literal(tensor[place]) for place in sorted(tensor)]


# --- quantities -------------------------------------------------------------------------------


def _quantity(model: Model, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """A quantity: its name, its symbol, its shape, what it is, and its values if they are given.

    `ex` and `em` are an entry, with a hole for its place. For a derivative `of` is what it is by;
    `d` is the derivative by a quantity, `a` what it is after the update, `e` what reads it.
    """
    tex = _symbol(model, name)
    found: dict[str, Any] = {"n": _report(model, name), "x": tex, "m": mathml(tex), "s": shape}
    if shape:
        entry = _symbol(model, name, (hole(0),))
        found |= {"ex": entry, "em": mathml(entry)}
    given = _given(model, name)
    if given is not None:
        found["v"] = [literal(Fraction(value)) for value in given]
    quantity = model.problem.graph.quantities.get(name)
    if quantity is not None:
        found |= {"r": quantity.role.value, "whole": quantity.integer}
        backward = model.derivation.backward.quantities
        adjoint = adjoint_name(name)
        found["d"] = model.numbers[adjoint] if adjoint in backward else None
        found["a"] = model.numbers.get(name + UPDATED)
        found["e"] = [model.numbers[e.quantity.name] for e in model.problem.graph.readers(name)]
    elif name.startswith(adjoint_name("")):
        found["of"] = model.numbers[name.removeprefix(adjoint_name(""))]
    return found


def _given(model: Model, name: str) -> list[Any] | None:
    """The values that a quantity starts with."""
    training = model.problem.training
    if name in (RATE, COUNTED):
        return [training.learning_rate if name == RATE else 1]
    if name in model.problem.values:
        quantity = model.problem.graph.quantities[name]
        return [model.problem.values[name][place] for place in places(quantity)]
    for quantity in model.trained:
        for state in training.optimizer.states:
            if state_of(state, quantity.name) == name:
                first = training.states.get((state, quantity.name), {})
                return [first.get(place, 0) for place in positions(quantity.axes)]
    return None


def _symbol(model: Model, name: str, place: tuple[str, ...] = ()) -> str:
    """The symbol of a quantity, or of an entry of it."""
    if name in (RATE, COUNTED):
        return ALPHA_NAME.tex if name == RATE else "k"
    base = name.removesuffix(UPDATED)
    state, of, parameter = base.partition(" of ")
    if not of:
        return model.form.symbol(name, place)
    known = [] if parameter == EVERY else [model.form.symbol(parameter)]
    marks = ",".join((*known, *place))
    if not marks:
        return ALPHA_NAME.tex + "_{k}" if state == "alpha" else symbol(state, 0)
    tex = below(symbol(state, 0), marks.split(","))
    return tex if base == name else with_mark(tex, UPDATED)


def _report(model: Model, name: str) -> str:
    """A quantity in plain text."""
    inner = name.removeprefix(adjoint_name(""))
    if inner != name and inner in model.problem.graph.quantities:
        return f"d{model.form.names.loss().report}/d{inner}"
    return "alpha" if name == RATE else name


# --- the program ------------------------------------------------------------------------------


def _blocks(model: Model, found: Iterable[Block]) -> list[dict[str, Any]]:
    return [
        {
            "e": [_equation(model, equation) for equation in block.equations],
            "walks": [{"step": walk.step, "along": list(walk.along)} for walk in block.walks],
        }
        for block in found
    ]


def _equation(model: Model, equation: Equation) -> dict[str, Any]:
    return {
        "q": model.numbers[equation.quantity.name],
        "at": [[i.name, i.axis.length] for i in equation.indices],
        "f": tree(asked(equation), model.leaf),
    }


def _stages(model: Model) -> Iterator[dict[str, Any]]:
    """The update: what is computed anew before parameters move, and how they do."""
    if not model.trained:
        return
    for number, stage in enumerate(stages_of(model.form, model.trained)):
        moving = [q for q in model.trained if q.name in stage.parameters]
        yield {
            "blocks": _blocks(model, blocks(stage.equations)) if number else [],
            "moves": [
                _equation(model, equation)
                | {
                    "of": model.numbers[of] if of is not None else None,
                    "old": model.numbers.get(equation.quantity.name.removesuffix(UPDATED)),
                }
                for of, equation in model.moves(moving)
            ],
        }


# --- what is shown ----------------------------------------------------------------------------


def _rows(tex: str) -> list[dict[str, str]]:
    """A formula, a row for each of its lines."""
    return [{"m": mathml(line, "block"), "x": line} for line in tex.split(BREAK)]


def _shown(lhs: str, rows: Iterable[str]) -> dict[str, Any]:
    return {"m": mathml(lhs), "x": lhs, "rows": [_rows(row) for row in rows]}


def _line(model: Model, equation: Equation) -> dict[str, Any]:
    """The equation of a quantity in index form."""
    lhs = model.form.lhs(equation)
    rows = [model.form.rows(equation.rhs, ROOM - width(lhs))]
    return {"q": model.numbers[equation.quantity.name], "shown": [_shown(lhs, rows)]}


def _gradients(model: Model) -> Iterator[dict[str, Any]]:
    """The derivation of each adjoint: local derivatives, then the chain rule down to its result."""
    if model.problem.forward_only:
        return
    told = tuple(Backward(model.form, None).blocks())
    by_label = {d.label: d for d in Page({}, told, {}).displays()}
    for equation in model.derivation.backward.equations:
        name = equation.quantity.name.removeprefix(adjoint_name(""))
        labels = [f"eq:d-{of}-{name}" for of in model.form.problem.graph.quantities]
        found = [by_label[each] for each in (*labels, f"eq:d-{name}") if each in by_label]
        shown = [_shown(display.lhs, display.rows) for display in found]
        if not shown:
            shown = list(_line(model, equation)["shown"])
        yield {"q": model.numbers[equation.quantity.name], "shown": shown}


def _update(model: Model) -> Iterator[dict[str, Any]]:
    """The lines of the optimizer, with a letter for any parameter."""
    for block in update_blocks(model.form, None):
        for line in block.fields.get("lines", ()):
            yield {"q": None, "shown": [_shown(line["left"], [line["right"]])]}


def _worked(model: Model) -> Iterator[dict[str, Any]]:
    """How an entry of each computed quantity is written with its numbers."""
    writer = Worked(model.form, model.leaf)
    both = (*model.problem.graph.equations, *model.derivation.backward.equations)
    moved = [equation for _, equation in model.moves(model.trained)]
    for equation in (*both, *moved):
        yield {
            "q": model.numbers[equation.quantity.name],
            "at": [index.name for index in equation.indices],
            "w": writer.template(equation.rhs, equation in moved),
        }


def entries(model: Model) -> int:
    """How many numbers a page computes."""
    return sum(map(prod, model.shapes.values()))
