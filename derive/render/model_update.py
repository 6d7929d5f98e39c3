"""The update of a model's parameters: the lines of the optimizer, and the parameters after it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any, TypeVar

import sympy
from mpmath import mp

from derive.expression import Element
from derive.functions import absolute
from derive.graph import Quantity, Role, adjoint_name, blocks
from derive.language import Scope, parse_expression
from derive.library.lines import GIVEN
from derive.notation import UPDATED, with_mark
from derive.numbers import (
    Astray,
    MustBeUnrounded,
    Number,
    compare,
    decimal,
    literal,
    real,
)
from derive.problem import Problem
from derive.render.blocks import Block
from derive.render.document import escape
from derive.render.index_writer import ROOM, THIN, IndexWriter
from derive.render.model_form import ModelForm
from derive.render.optimizer_lines import own_symbol, worked_lines
from derive.render.pieces import Piece, Tightness, width
from derive.render.sheet import Display
from derive.render.tensor_values import Bound, Place, Table, Value, Values, compiled, places
from derive.render.tensors import packed, tensor
from derive.render.unit_tables import TableRow
from derive.render.weights import ALPHA_NAME
from derive.render.whole_update import (
    RATE,
    below,
    entries,
    own_rate,
    rule,
    state_of,
    sums_over_all,
    whole_lines,
    worked_entry,
)
from derive.render.worked import Bench, rows_of
from derive.sequence import Order, Stage, stages
from derive.symbols import symbol

PARAMETERS = (r"\theta", r"\vartheta", r"\omega")
SLOPE = r"\frac"
FEW_UNITS = 10  # of its last printed digit, by which rounding may move anything
At = TypeVar("At", bound=tuple[Any, ...])  # numbers or letters


def trained(form: ModelForm) -> list[Quantity]:
    """The parameters that are updated; none if the gradient of one of them is not asked for."""
    problem = form.problem
    chosen = [
        q for q in problem.graph.of_role(Role.PARAMETER) if q.name not in problem.training.frozen
    ]
    known = form.derivation.backward.quantities
    return chosen if all(adjoint_name(q.name) in known for q in chosen) else []


def update_blocks(form: ModelForm, bench: Bench | None) -> Iterator[Block]:
    """The rule of the optimizer, the new parameters, and the loss that they give."""
    parameters = trained(form)
    if not parameters:
        return
    row = form.problem.training.optimizer
    loss, parameter = form.names.loss().tex, _parameter(form)
    settings = [
        TableRow(own_symbol(form, name), (literal(Fraction(value)),))
        for name, value in form.problem.training.settings.items()
        if bench is not None
    ]
    rate = literal(form.problem.training.learning_rate) if bench is not None else ""
    yield Block(
        "model_update",
        {
            "loss": loss,
            "optimizer": row.name,
            "words": escape(row.summary or row.name.replace("_", " ")),
            "parameter": parameter,
            "lines": list(_lines(form, loss, parameter)),
            "whole": row.looks_around,
            "entries": entries(form, parameter) if row.looks_around else "",
            "of_all": rf"\sum_{{{parameter}}}" if sums_over_all(row) else "",
            "settings": settings,
            "alpha": {"tex": f"{ALPHA_NAME.tex} = {rate}"} if rate else None,
            "states": [
                own_symbol(form, state) if row.looks_around else _of(state, parameter)
                for state in row.states
            ],
            "zero": not form.problem.training.states,
            "counts": own_symbol(form, "k") if re.search(r"\bk\b", row.equations) else "",
            "parts": [part for part in row.parts if part != "schedule"],
            "rate": below(ALPHA_NAME.tex, [own_symbol(form, "k")]) if own_rate(row) else "",
            "samples": len(form.problem.samples),
            "interleaved": form.problem.training.order is Order.LAYER_BY_LAYER,
        },
    )
    if bench is None:
        return
    update(form, bench.values)
    first = stages_of(form, parameters)[0].parameters  # they change by the derivatives told above
    told = [q for q in parameters if q.name in first]
    quantity = next((q for q in told if q.name in bench.shown), told[0])
    place = _place(bench, quantity)
    several = row.states or len(row.lines) > 1
    if row.looks_around:
        moving = [q for q in parameters if q.name in first]
        own = partial(own_symbol, form)
        started = _started(form, bench.values)
        steps = worked_entry(form, bench, moving, quantity.name, place, own, started)
    else:
        steps = worked_lines(form, bench, quantity.name, place) if several else []
    worked = None if steps else updated_entry(form, bench, quantity, place)
    tensors = [part for q in parameters for part in tensor(form, bench.values, q.name + UPDATED)]
    entry = form.leaf(Element(quantity.name, *place)).tex
    fields = {"worked": worked, "steps": steps, "entry": entry, "lines": packed(tensors)}
    yield Block("model_updated", fields)
    yield from _closing(form, bench)


def _closing(form: ModelForm, bench: Bench) -> Iterator[Block]:
    """The loss before and after, if both are taken on the same data."""
    problem = form.problem
    if problem.samples or problem.upstream:
        return
    _again(form, bench.values)
    loss = Element(problem.graph.loss.name)
    after = Element(loss.name + UPDATED)
    old, new = bench.values.exact[loss.name, ()], bench.values.exact[after.name, ()]
    yield Block(
        "model_closing",
        {
            "loss": form.names.loss().tex,
            "old": bench.text(loss),
            "display": bench.display(after, []),
            "smaller": compare(new, old) < 0,
        },
    )


# --- numbers --------------------------------------------------------------------------------


def update(form: ModelForm, values: Values, number: int = 1) -> None:
    """Enter every parameter after an update; what changes a parameter later reads those before it.

    The states of the optimizer move with their parameter; they have no texts, for the page works
    them out line by line.
    """
    parameters = trained(form)
    now = Values(values.format, _with_states(form, values.exact), _with_states(form, values.page))
    for place_in_order, stage in enumerate(stages_of(form, parameters)):
        if place_in_order:
            now.run(blocks(stage.equations))
        if form.problem.training.optimizer.looks_around:
            _move_together(form, now, values, stage, number)
            continue
        chosen = [(q.name, p) for q in parameters if q.name in stage.parameters for p in places(q)]
        moved = [each for entry in chosen for each in moves(form.problem, entry, number)]
        for (name, place), step in moved:
            key = (name + UPDATED, place)
            now.enter(key, partial(_at, compiled(step), {}))
            values.exact[key], values.page[key] = now.exact[key], now.page[key]
            if name in form.problem.graph.quantities:
                values.texts[key] = now.texts[key]
        for (name, place), _ in moved:
            key = (name + UPDATED, place)
            now.exact[name, place], now.page[name, place] = now.exact[key], now.page[key]
    _must_move_rightly(values, [(q.name, place) for q in parameters for place in places(q)])


def _must_move_rightly(values: Values, moving: list[Place]) -> None:
    """Raise MustBeUnrounded if some parameter goes where only the rounding sends it.

    Of a derivative that is zero the last digits of its terms may be left; and an optimizer that
    goes by signs, or divides by how large derivatives are, makes a whole step of them.
    """
    if not values.format.chained:
        return
    after = [(name + UPDATED, place) for name, place in moving]
    steps = [
        real(values.exact[new]) - real(values.exact[old])
        for old, new in zip(moving, after, strict=True)
    ]
    large = max(map(abs, steps), default=0) / 2
    for old, new, step in zip(moving, after, steps, strict=True):
        off = abs(real(values.page[new]) - real(values.page[old]) - step)
        last = max(
            map(values.format.last_place, map(decimal, (values.exact[new], values.page[new])))
        )
        if off > max(large, abs(step), FEW_UNITS * mp.mpf(10) ** last):
            raise MustBeUnrounded(Astray.NO_STEP)


def _move_together(form: ModelForm, now: Values, values: Values, stage: Stage, number: int) -> None:
    """The same where a line may read all entries: line after line, each for all of them."""
    moving = [q for q in trained(form) if q.name in stage.parameters]
    for line in whole_lines(form.problem, moving, number):
        equation = line.equation
        formula = compiled(equation.rhs)
        for place in places(equation.quantity):
            bound = dict(zip(equation.indices, place, strict=True))
            key = (equation.quantity.name, place)
            now.enter(key, partial(_at, formula, bound))
            values.exact[key], values.page[key] = now.exact[key], now.page[key]
            if line.of is not None and equation.quantity.name == line.of + UPDATED:
                values.texts[key] = now.texts[key]
    for quantity in moving:
        own = [quantity.name]
        own += [state_of(s, quantity.name) for s in form.problem.training.optimizer.states]
        for name in own:
            for place in places(quantity):
                key = (name + UPDATED, place)
                now.exact[name, place], now.page[name, place] = now.exact[key], now.page[key]


def _started(form: ModelForm, values: Values) -> Values:
    """The numbers of a page with the states before the first update."""
    exact, page = (_with_states(form, table) for table in (values.exact, values.page))
    return Values(values.format, exact, page, dict(values.texts))


def _at(rule: Value, bound: Bound, table: Table) -> Number:
    return rule(table, bound)


def _with_states(form: ModelForm, table: Table) -> Table:
    """Numbers with the learning rate, and with first values of states that have none yet."""
    training = form.problem.training
    found: Table = {(RATE, ()): training.learning_rate}
    for quantity in trained(form):
        for state in training.optimizer.states:
            first = training.states.get((state, quantity.name), {})
            name = state_of(state, quantity.name)
            found |= {(name, p): Fraction(first.get(p, 0)) for p in places(quantity)}
    return found | table


def moves(
    problem: Problem, entry: tuple[str, At], number: int | sympy.Symbol
) -> Iterator[tuple[tuple[str, At], sympy.Expr]]:
    """What an update makes of one entry of a parameter, of its states, and of names on the way.

    Each line reads what the lines before it came to, so that what is printed follows from prints.
    The entry may be at letters, and the number of the update a symbol.
    """
    training = problem.training
    name, place = entry
    settings = {**training.optimizer.settings, **training.settings}
    known: dict[str, sympy.Expr] = {
        **{each: sympy.Rational(value) for each, value in settings.items()},
        "w": Element(name, *place),
        "g": Element(adjoint_name(name), *place),
        "alpha": Element(RATE),
        "k": number if isinstance(number, sympy.Symbol) else sympy.Integer(number),
    }
    for state in training.optimizer.states:
        known[state] = Element(state_of(state, name), *place)
    for target, text in training.optimizer.lines:
        key = name if target == "w" else state_of(target, name)
        step = parse_expression(text, Scope({}, {}, known))
        yield (key, place), step.replace(sympy.Abs, absolute)
        known[target] = Element(key + UPDATED, *place)


def stages_of(form: ModelForm, parameters: list[Quantity]) -> tuple[Stage, ...]:
    """The update in stages: what is computed anew, and which parameters then move."""
    names = [quantity.name for quantity in parameters]
    return stages(form.derivation.backward, names, form.problem.training.order)


def _again(form: ModelForm, values: Values) -> None:
    """The forward pass with the new parameters, every changed number under its updated name."""
    graph = form.problem.graph
    new = Values(values.format)
    for quantity in graph.given:
        for place in places(quantity):
            key = (quantity.name, place)
            moved = (quantity.name + UPDATED, place)
            source = moved if moved in values.exact else key
            new.exact[key], new.page[key] = values.exact[source], values.page[source]
    new.run(graph.blocks)
    for name, place in new.texts:
        key, mark = (name, place), (name + UPDATED, place)
        values.exact[mark], values.page[mark] = new.exact[key], new.page[key]
        values.texts[mark] = new.texts[key]


def _place(bench: Bench, quantity: Quantity) -> tuple[int, ...]:
    """The entry asked for, or the first whose gradient is not zero."""
    if quantity.name in bench.shown:
        return bench.shown[quantity.name]
    slopes, name = bench.values.exact, adjoint_name(quantity.name)
    every = list(places(quantity))
    return next((place for place in every if slopes[name, place] != 0), every[-1])


def updated_entry(
    form: ModelForm, bench: Bench, quantity: Quantity, place: tuple[int, ...]
) -> Display:
    """One updated entry, in names and in numbers."""
    expr = dict(moves(form.problem, (quantity.name, place), 1))[quantity.name, place]
    element = Element(quantity.name + UPDATED, *place)
    rate = literal(form.problem.training.learning_rate)

    def named(key: sympy.Expr) -> Piece:
        own = isinstance(key, Element) and key.name == RATE
        return Piece(ALPHA_NAME.tex, Tightness.ATOM) if own else form.leaf(key)

    def number(key: Element) -> str:
        return rate if key.name == RATE else bench.text(key)

    def rank(key: sympy.Expr) -> tuple[int, ...]:
        if isinstance(key, Element) and key.name == RATE:
            return (-2, 0)
        return (-3, 0) if key == Element(quantity.name, *place) else form.rank(key)

    writers = (
        replace(form.writer, leaf=named, rank=rank, summand=rank),
        replace(form.numbers(number), rank=rank, summand=rank),
    )
    room = ROOM - width(form.leaf(element).tex)
    formula, numbers = [writer.within(expr, room) for writer in writers]
    return replace(bench.display(element, [formula, numbers]), formula=(formula,))


# --- the rule -------------------------------------------------------------------------------


def _lines(form: ModelForm, loss: str, parameter: str) -> Iterator[dict[str, str]]:
    """The lines of an optimizer, with θ for the parameter and a plus for what is new."""
    row = form.problem.training.optimizer
    if row.looks_around:
        yield from (_line(*both) for both in rule(form, partial(own_symbol, form), parameter))
        return
    names = {name: _real(_of(name, parameter)) for name in row.states}
    names |= {name: _real(own_symbol(form, name)) for name in (*row.settings, "k")}
    names |= {"w": _real(parameter), "alpha": _real(ALPHA_NAME.tex)}
    names["g"] = _real(rf"\frac{{\partial {loss}}}{{\partial {parameter}}}")
    fixed = {ALPHA_NAME.tex, *(own_symbol(form, name) for name in row.settings)}
    targets = [target for target, _ in row.lines]
    order = [*GIVEN, *row.states, *row.settings]
    for number, (target, text) in enumerate(row.lines):
        right = parse_expression(text, Scope({}, {}, names))
        last = target not in targets[number + 1 :]
        mark = UPDATED if last else "*"
        own = target in order
        base = str(names[target]) if own else _of(target, parameter)
        left = with_mark(base, mark) if own else base
        names[target] = _real(left)
        yield _line(left, _writer(fixed, parameter).tex(right))


def _line(left: str, right: str) -> dict[str, str]:
    whole = f"{left} = {right}"
    if rows_of(right) > 1:
        whole = f"\\begin{{aligned}}\n{left} &= {right}\n\\end{{aligned}}"
    return {"left": left, "right": right, "tex": whole}


class _RuleWriter(IndexWriter):
    """Writes the lines of an optimizer, with the gradient behind its factors."""

    def _factor_place(self, factor: sympy.Expr) -> tuple[int, ...]:
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        if base.is_Symbol:
            return (3, 0) if str(base).startswith(SLOPE) else (1, *self.rank(base))
        return super()._factor_place(factor)


def _writer(settings: Container[str], parameter: str) -> IndexWriter:
    """Settings and the learning rate, then the parameter and its states, then the gradient."""

    def leaf(key: sympy.Expr) -> Piece:
        tall = str(key).startswith(SLOPE)
        return Piece(str(key), Tightness.PRODUCT if tall else Tightness.ATOM)

    def rank(key: sympy.Expr) -> tuple[int, ...]:
        name = str(key)
        if name.startswith(parameter):
            return (0,)
        return (1,) if name in settings else (3,) if name.startswith(SLOPE) else (2,)

    return _RuleWriter(leaf, rank, THIN)


def _parameter(form: ModelForm) -> str:
    """A symbol for any parameter that no quantity has."""
    return next(
        (each for each in PARAMETERS if not any(s.startswith(each) for s in form.symbols)), "p"
    )


def _of(state: str, parameter: str) -> str:
    """A state, which belongs to its parameter."""
    return f"{symbol(state, 0)}_{{{parameter}}}"


def _real(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)
