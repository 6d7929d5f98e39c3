"""The page of a model: setting, given values, forward pass, backward pass, update.

It grows with the number of equations, never with the number of entries of a tensor.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from fractions import Fraction
from math import prod

import sympy

from derive.expression import Element, Largest, elements, on_axis
from derive.functions import absolute, maximum, minimum, where
from derive.graph import Block as Computed
from derive.graph import Derivation, Equation, Graph, Role
from derive.problem import Problem
from derive.render.blocks import Block, Page
from derive.render.deltas import TableRow
from derive.render.formula import width
from derive.render.index_writer import ROOM, letter
from derive.render.matrix_form import matrix_form
from derive.render.model_backward import Backward
from derive.render.model_form import ModelForm, letters_in, ranges
from derive.render.model_update import trained, update_blocks
from derive.render.sheet import Display, Entry
from derive.render.tensor_values import Values, places
from derive.render.tensors import packed, tensor
from derive.render.weights import ALPHA_NAME
from derive.render.worked import Bench
from derive.repeats import renamed as under_names
from derive.scalar import shapes_of

MOST_NUMBERS = 2000
KINKS = (maximum, minimum, absolute, where)


def tell_model(problem: Problem, derivation: Derivation) -> Page:
    """The page of a problem of any graph."""
    form = ModelForm(problem, derivation)
    bench = _bench(form)
    told = [
        *_forward(form, bench),
        *Backward(form, bench).blocks(),
        *update_blocks(form, bench),
        Block("model_end", {}),
    ]
    displays = Page({}, tuple(told), {}).displays()
    shown = "\n".join(row for display in displays for row in display.rows)
    blocks = (*_setting(form, bench, shown), *told)
    return Page(problem.title, blocks, _entries(form, bench) if bench else {})


def _bench(form: ModelForm) -> Bench | None:
    """All numbers before the update; None if values are missing or too many."""
    problem, derivation = form.problem, form.derivation
    count = sum(prod(q.shape) for q in problem.graph.quantities.values())
    if problem.symbolic or count > MOST_NUMBERS:
        return None
    values = Values(problem.numbers)
    for quantity in problem.graph.given:
        for place in places(quantity):
            values.give((quantity.name, place), problem.values[quantity.name][place])
    values.run(problem.graph.blocks)
    values.run(derivation.backward.blocks)
    shapes = shapes_of(derivation.forward) | shapes_of(derivation.backward)
    return Bench(form, values, shapes)


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


def _setting(form: ModelForm, bench: Bench | None, shown: str) -> Iterator[Block]:
    problem, graph = form.problem, form.problem.graph
    wanted = problem.wanted or [q.name for q in graph.of_role(Role.PARAMETER)]
    known = form.derivation.backward.quantities
    yield Block(
        "model_setting",
        {
            "loss": form.names.loss().tex,
            "wanted": [form.symbol(n) for n in wanted if f"adj_{n}" in known],
            "upstream": [form.symbol(name) for name in problem.upstream],
            "equations": len(graph.equations),
            "rows": list(_quantities(form)),
        },
    )
    yield Block("model_conventions", _conventions(form, bench, shown))
    if bench is None:
        return
    tensors = [t for q in graph.given for t in tensor(form, bench.values, q.name)]
    large = [form.symbol(q.name) for q in graph.given if not tensor(form, bench.values, q.name)]
    yield Block("model_given", {"lines": packed(tensors), "large": large})


def _quantities(form: ModelForm) -> Iterator[dict[str, object]]:
    """The table of quantities; the role is said by the phrase book."""
    for name, quantity in form.problem.graph.quantities.items():
        sizes = r" \times ".join(str(axis.size) for axis in quantity.axes) or "1"
        upstream = name in form.problem.upstream.values()
        yield {
            "cells": TableRow(form.leaf(Element(name, *form.letters(name))).tex, (sizes,)),
            "role": "upstream" if upstream else quantity.role.value,
            "integer": quantity.integer,
        }


def _conventions(form: ModelForm, bench: Bench | None, shown: str) -> dict[str, object]:
    """What a reader of these rows has to know."""
    both = (form.derivation.forward, form.derivation.backward)
    equations = [e for graph in both for e in graph.equations]
    numbers = form.problem.numbers
    letters = [i for e in equations for i in letters_in(e) if i.name not in form.bounds]
    return {
        "indices": bool(letters) or bool(form.bounds),
        "ranges": ranges(letters),
        "outside": any(_leaves(form, e) for e in equations),
        "kinks": _has(form.derivation.forward, KINKS),
        "tie": _has(form.derivation.forward, (Largest,)),
        "condition": "[" in shown,
        "delta": form.writer.delta and r"\delta_{" in shown,
        "gather": any(q.integer for q in form.problem.graph.given),
        "numeric": bench is not None,
        "too_many": bench is None and not form.problem.symbolic,
        "format": {
            "digits": numbers.significant_digits,
            "decimals": numbers.decimals,
            "chained": numbers.chained,
            "half_up": numbers.rounding.value == "half_up",
        },
    }


def _has(graph: Graph, kinds: tuple[type[sympy.Basic], ...]) -> bool:
    return any(equation.rhs.has(*kinds) for equation in graph.equations)


def _leaves(form: ModelForm, equation: Equation) -> bool:
    """Whether something is read at a position that may lie outside its range."""
    quantities = form.problem.graph.quantities
    for element in elements(equation.rhs):
        axes = quantities[element.name.removeprefix("adj_")].axes
        for position, axis in zip(element.indices, axes, strict=True):
            if not position.has(Element) and not on_axis(position, axis.size):
                return True
    return False


# --- forward --------------------------------------------------------------------------------


def _forward(form: ModelForm, bench: Bench | None) -> Iterator[Block]:
    problem = form.problem
    node_of = {name: node for node in problem.nodes for name in node.defined}
    told: dict[Hashable, str] = {}
    before = None
    yield Block("model_forward", {"numeric": bench is not None})
    for block in problem.graph.blocks:
        node = node_of.get(block.equations[0].quantity.name)
        if node is not None and node.row and node is not before:
            yield Block("model_node", {"name": _words(node.name), "row": _words(node.row)})
        elif before is not None and before.row:
            yield Block("model_node", {"name": "", "row": ""})
        before = node
        if block.step:
            yield _recurrence(form, block)
        for equation in block.equations:
            key = _shape_of(equation)
            again = key in told
            told.setdefault(key, equation.quantity.name)
            yield _equation(form, bench, equation, again)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _recurrence(form: ModelForm, block: Computed) -> Block:
    first, along = block.equations[0], block.along[0]
    index = first.indices[along]
    return Block(
        "model_recurrence",
        {
            "names": [form.lhs(e) for e in block.equations],
            "letter": letter(index.name),
            "last": str(index.axis.size - 1),
            "up": block.step > 0,
        },
    )


def _equation(form: ModelForm, bench: Bench | None, equation: Equation, again: bool) -> Block:
    """One equation: index form, matrix form, a worked entry, all values."""
    problem, name = form.problem, equation.quantity.name
    given = name == problem.graph.loss.name and bool(problem.upstream)
    lhs = form.lhs(equation)
    display = Display(f"eq:{name}", lhs, (form.rows(equation.rhs, ROOM - width(lhs)),), None)
    single = bench is not None and not equation.indices and not given
    if bench is not None and single:
        display = bench.completed(display.label, equation, list(display.rows))
    numeric = bench is not None and bool(equation.indices)
    return Block(
        "model_equation",
        {
            "display": display,
            "ranges": ranges(i for i in letters_in(equation) if i.name in form.bounds),
            "matrix": {"tex": "" if again else matrix_form(form, problem.graph, equation)},
            "worked": bench.worked(equation) if bench and numeric and not again else None,
            "lines": packed(tensor(form, bench.values, name)) if bench and numeric else [],
            "loss": name == problem.graph.loss.name,
            "numeric": single,
            "upstream": given,
        },
    )


def _shape_of(equation: Equation) -> Hashable:
    """An equation with every name replaced by the number of its appearance."""
    names = [equation.quantity.name, *(e.name for e in elements(equation.rhs))]
    numbers = {name: str(k) for k, name in enumerate(dict.fromkeys(names))}
    return equation.indices, under_names(equation.rhs, numbers)
