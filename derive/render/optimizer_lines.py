"""The lines of an optimizer worked out for one entry: first its states, then the parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy

from derive.expression import Element
from derive.graph import adjoint_name
from derive.language import Scope, parse_expression
from derive.notation import UPDATED, with_mark
from derive.numbers import Number, evaluate, literal, working
from derive.render.index_writer import ROOM
from derive.render.model_form import ModelForm
from derive.render.pieces import Piece, Tightness, number_piece, width
from derive.render.sheet import Display
from derive.render.weights import ALPHA_NAME
from derive.render.worked import Bench
from derive.symbols import symbol

LAST = 9


@dataclass(frozen=True)
class _Known:
    """What a name of the lines stands for: its symbol, its number as printed, and its value.

    `place` is where it stands in a product; in a sum, settings stand last.
    """

    tex: str
    text: str
    value: Number
    place: int = 2


def worked_lines(form: ModelForm, bench: Bench, name: str, place: tuple[int, ...]) -> list[Display]:
    """Every line with its formula, with numbers put in, and with its result."""
    return list(_lines(form, bench, Element(name, *place), name, place))


def _lines(
    form: ModelForm, bench: Bench, entry: Element, name: str, place: tuple[int, ...]
) -> Iterator[Display]:
    row, numbers = form.problem.training.optimizer, form.problem.numbers
    after = Element(name + UPDATED, *place)
    start = _start(form, bench, entry, place)
    names = {each: sympy.Symbol(each, real=True) for each in start}
    known = {names[each]: found for each, found in start.items()}
    targets = [target for target, _ in row.lines]
    for number, (target, text) in enumerate(row.lines):
        right = parse_expression(text, Scope({}, {}, names))
        with working():
            value = evaluate(right, lambda key: known[key].value)
        printed = numbers.text(value)
        if target == "w" and "w" not in targets[number + 1 :]:
            tex = form.leaf(after).tex
            yield bench.display(after, _rows(form, right, known, width(tex)))
        else:
            plain = own_symbol(form, target)
            tex = with_mark(plain, "+") if target in (*row.states, "w") else plain
            rows = (*_rows(form, right, known, width(tex)), numbers.shown(printed))
            yield Display(f"eq:line-{number}", tex, tuple(dict.fromkeys(rows)), None)
        names[target] = sympy.Symbol(f"{target}+{number}", real=True)
        going_on = Fraction(printed) if numbers.chained else value
        known[names[target]] = _Known(tex, numbers.shown(printed), going_on)


def _start(
    form: ModelForm, bench: Bench, entry: Element, place: tuple[int, ...]
) -> dict[str, _Known]:
    """What the lines may read before any of them is carried out."""
    training, values = form.problem.training, bench.values
    slope = Element(adjoint_name(entry.name), *place)

    def read(key: Element, at: int) -> _Known:
        return _Known(form.leaf(key).tex, bench.text(key), values.page[key.name, place], at)

    def number(tex: str, value: Fraction | int, at: int = 0) -> _Known:
        return _Known(tex, literal(Fraction(value)), Fraction(value), at)

    found = {
        "w": read(entry, 1),
        "g": read(slope, 3),
        "alpha": number(ALPHA_NAME.tex, training.learning_rate),
        "k": number(own_symbol(form, "k"), 1),
    }
    found |= {each: number(own_symbol(form, each), v) for each, v in training.settings.items()}
    for state in training.optimizer.states:
        first = training.states.get((state, entry.name), {}).get(place, Fraction(0))
        found[state] = number(own_symbol(form, state), first, 2)
    return found


def own_symbol(form: ModelForm, name: str) -> str:
    r"""A letter of the optimizer; it says so if a quantity of the model has the same.

    Beside a table \beta the letter \beta_{1} would be an entry of it.
    """
    tex = symbol(name, 0)
    tables = {q.tex for q in form.problem.graph.quantities.values() if q.axes}
    is_free = tex not in form.taken and tex.partition("_{")[0] not in tables
    return tex if is_free else symbol(f"{name}_opt", 0)


def _rows(
    form: ModelForm, expr: sympy.Expr, known: dict[sympy.Symbol, _Known], used: int
) -> list[str]:
    """An expression in names, and with numbers for the names."""

    def written(leaf: Callable[[_Known], Piece], numbers: bool) -> str:
        writer = form.numbers(lambda _: "") if numbers else form.writer
        own = replace(
            writer,
            leaf=lambda key: leaf(known[key]),
            rank=lambda key: (known[key].place,),
            summand=lambda key: (known[key].place or LAST,),
        )
        return own.within(expr, ROOM - used)

    def name(each: _Known) -> Piece:
        tall = r"\frac" in each.tex
        return Piece(each.tex, Tightness.PRODUCT if tall else Tightness.ATOM)

    return [written(name, False), written(lambda each: number_piece(each.text), True)]
