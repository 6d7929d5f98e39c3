"""The update by an optimizer that looks at more than one entry: its rule, and one entry of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import sympy

from derive.expression import Axis, Element, Index
from derive.functions import where
from derive.graph import Equation, Quantity, Role, adjoint_name
from derive.library.lines import PARAMETERS, Kind, words_of
from derive.library.optimizers import Optimizer
from derive.library.update import Called, LineEquation, Moved, line_equations
from derive.notation import UPDATED, with_mark
from derive.numbers import literal
from derive.problem import Problem
from derive.render.index_writer import ROOM, THIN, IndexWriter
from derive.render.model_form import ModelForm
from derive.render.pieces import Piece, Tightness, number_piece, width
from derive.render.positions import letter
from derive.render.sheet import Display
from derive.render.tensor_values import Values
from derive.render.weights import ALPHA_NAME
from derive.render.worked import Bench, TooLong, rows_of, widest

RATE = "learning rate"
SETTING = "setting "
ANY, EVERY = "any parameter", "every parameter"
LAST = 9
MOST_ROWS = 3  # of the numbers of a line
SPARE = 8  # by how much a row may be wider than one that is broken
Number: TypeAlias = int | sympy.Symbol


def state_of(state: str, parameter: str) -> str:
    """Under what name the numbers of a state are kept; no quantity can be called like this."""
    return f"{state} of {parameter}"


def called(number: Number) -> Called:
    """What an update makes has names that no quantity can have."""
    return Called(
        state_of,
        lambda word, of: state_of(word, of) + UPDATED,
        lambda word: state_of(word, EVERY) + UPDATED,
        lambda name: name + UPDATED,
        Element(RATE),
        number if isinstance(number, sympy.Symbol) else sympy.Integer(number),
    )


def whole_lines(
    problem: Problem, parameters: Sequence[Quantity], number: Number, named: bool = False
) -> tuple[LineEquation, ...]:
    """The lines of the optimizer for some parameters, in the order in which they are computed.

    Settings are numbers, or `named`.
    """
    training = problem.training
    row = training.optimizer
    moving = [Moved.of(quantity) for quantity in parameters]
    settings = {name: Element(SETTING + name) for name in row.settings} if named else {}
    names = replace(called(number), settings=settings)
    return line_equations(row.equations, row.states, training.settings, moving, names)


# --- the rule -----------------------------------------------------------------------------------


def rule(form: ModelForm, own: Callable[[str], str], parameter: str) -> Iterator[tuple[str, str]]:
    """Both sides of the lines for any parameter: its entries have one letter, of a matrix two."""
    training = form.problem.training
    row = training.optimizer
    words = {name: Element(SETTING + name) for name in row.settings}
    names = replace(called(sympy.Symbol(own("k"), real=True)), settings=words)
    tex = _Symbols(form, own, parameter)
    moving = [_any(form, parameter)]
    for line in line_equations(row.equations, row.states, training.settings, moving, names):
        equation = line.equation
        left = tex.of(equation.lhs)
        writer = _RuleWriter(tex.leaf, _rank, THIN, summand=_summand)
        yield left, writer.within(equation.rhs, ROOM - width(left))


def entries(form: ModelForm, parameter: str) -> str:
    """An entry of any parameter, as the rule writes it."""
    training = form.problem.training
    row, moving = training.optimizer, [_any(form, parameter)]
    lines = line_equations(row.equations, row.states, training.settings, moving, called(1))
    last = next(e.equation for e in lines if e.equation.quantity.name == ANY + UPDATED)
    return below(parameter, [letter(index.name) for index in last.indices])


def sums_over_all(row: Optimizer) -> bool:
    """Whether a line goes over all parameters."""
    return any(re.search(rf"\b{PARAMETERS}\b", line.text) for line in row.written)


def own_rate(row: Optimizer) -> str:
    """Under what name the numbers of a learning rate are kept that a line computes; or nothing."""
    named = zip(row.written, words_of(row.written, row.states), strict=True)
    words = [
        word for line, (word, _) in named if line.target == "alpha" and line.kind is Kind.COMMON
    ]
    return state_of(words[-1], EVERY) + UPDATED if words else ""


def _any(form: ModelForm, parameter: str) -> Moved:
    """Any parameter: a row of entries, or a matrix where lines speak of matrices."""
    tables = any(line.letters for line in form.problem.training.optimizer.written)
    sizes = {"entries": f"|{parameter}|"}
    if tables:
        sizes = {name: rf"\mathrm{{{name}}}" for name in ("rows", "columns")}
    axes = tuple(Axis(name, sympy.Symbol(tex, positive=True)) for name, tex in sizes.items())
    quantity = Quantity(ANY, parameter, axes, Role.PARAMETER)
    each = Index(parameter, Axis("parameters", sympy.Symbol("N", positive=True)))
    return Moved.of(quantity, each)


@dataclass(frozen=True)
class _Symbols:
    """Symbols of what an update makes, for any parameter or for one."""

    form: ModelForm
    own: Callable[[str], str]
    parameter: str

    def of(self, key: Element) -> str:
        """An entry as it is written: with the letters or numbers of its place."""
        places = [letter(str(each)) for each in key.indices]
        name, new = key.name.removesuffix(UPDATED), key.name.endswith(UPDATED)
        word, of, _ = name.partition(" of ")
        if name == RATE or name.startswith(SETTING):
            return ALPHA_NAME.tex if name == RATE else self.own(name.removeprefix(SETTING))
        if name == adjoint_name(ANY):
            by = below(self.parameter, places)
            return rf"\frac{{\partial {self.form.names.loss().tex}}}{{\partial {by}}}"
        if not of:
            found = below(self.parameter, places)
            return with_mark(found, UPDATED) if new else found
        parameter = below(self.parameter, places)
        return made(self.form.problem, self.own, word, places, parameter, self.own("k"), new)

    def leaf(self, key: sympy.Expr) -> Piece:
        if not isinstance(key, Element):
            return Piece(letter(str(key)), Tightness.ATOM)
        tall = key.name.startswith(adjoint_name(""))
        return Piece(self.of(key), Tightness.PRODUCT if tall else Tightness.ATOM)


def made(
    problem: Problem,
    own: Callable[[str], str],
    word: str,
    places: Sequence[str],
    parameter: str,
    number: str,
    new: bool,
) -> str:
    """The symbol of what a line makes at some places, or of a state, there of a `new` one.

    `parameter` is what the parameter is called there, and `number` the number of the update.
    """
    word, stars = told_of(word, problem)
    if word == "w":
        found = parameter
    elif word == "alpha":
        found = below(ALPHA_NAME.tex, [number])
    else:
        found = below(own(word), places)
    kept = word in problem.training.optimizer.states
    mark = stars or (UPDATED if new and kept else "")
    return with_mark(found, mark) if mark else found


def told_of(word: str, problem: Problem) -> tuple[str, str]:
    """The name that a line gives a value to, and a star for each value that it had before.

    A parameter or a state between its old and its new value has one, too.
    """
    row = problem.training.optimizer
    words = words_of(row.written, row.states)
    if (word, False) not in words:
        return word, ""
    targets = [line.target for line in row.written]
    place = words.index((word, False))
    target = targets[place]
    return target, "*" * (targets[:place].count(target) + (target in ("w", *row.states)))


def below(tex: str, places: Sequence[str]) -> str:
    """A symbol with places behind the marks that it has below."""
    if not places:
        return tex
    joined = ",".join(places)
    if tex.endswith("}") and "_{" in tex:
        return f"{tex[:-1]},{joined}}}"
    return f"{tex}_{{{joined}}}"


class _RuleWriter(IndexWriter):
    """Writes the lines of an optimizer, with the gradient behind its factors."""

    def within(self, expr: sympy.Expr, room: int = ROOM) -> str:
        """A choice that is too long has a row for each of its branches."""
        tex = super().within(expr, room)
        if not isinstance(expr, where) or width(tex) <= room:
            return tex
        test, yes, no = expr.args
        first, last = self.tex(where(test, yes, 0)), self.tex(where(test, 0, no))
        return self.script.break_line.join([first, last if last[0] == "-" else f"+ {last}"])

    def _factor_place(self, factor: sympy.Expr) -> tuple[int, ...]:
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        if isinstance(base, Element) and base.name.startswith(adjoint_name("")):
            return (3, 0)
        return super()._factor_place(factor)


# --- one entry ----------------------------------------------------------------------------------


def worked_entry(
    form: ModelForm,
    bench: Bench,
    parameters: Sequence[Quantity],
    of: str,
    place: tuple[int, ...],
    own: Callable[[str], str],
    start: Values,
) -> list[Display]:
    """The lines of the first update for one entry, each with its numbers where they are few.

    Without the lines of a matrix, of which an entry takes many numbers.
    """
    training = form.problem.training
    every = whole_lines(form.problem, parameters, 1, named=True)
    lines = [line for line in every if line.of in (None, of)]
    shapes = {**bench.shapes, **{q.name: q.shape for q in _quantities(every)}, RATE: ()}
    for state in training.optimizer.states:
        for quantity in parameters:
            shapes[state_of(state, quantity.name)] = quantity.shape
    for name, value in {**training.optimizer.settings, **training.settings}.items():
        shapes[SETTING + name] = ()
        start.give((SETTING + name, ()), Fraction(value))
    at = _Entry(form, replace(bench, values=start, shapes=shapes), own, of)
    told = [line for line in lines if not line.line.letters]
    return [at.display(line, place) for line in told]


def _quantities(lines: Sequence[LineEquation]) -> Iterator[Quantity]:
    for line in lines:
        yield line.equation.quantity


@dataclass(frozen=True)
class _Entry:
    """Writes lines of an update with the places of one entry."""

    form: ModelForm
    bench: Bench
    own: Callable[[str], str]
    parameter: str

    def display(self, line: LineEquation, place: tuple[int, ...]) -> Display:
        """A line at a place."""
        equation = line.equation
        at = place if line.line.kind is Kind.ENTRY else ()
        element = Element(equation.quantity.name, *at)
        tex, final = self.tex(element), not equation.quantity.name.count(" of ")
        rows = list(self._rows(equation, at, width(tex)))
        label = f"eq:line-{equation.quantity.name.partition(' of ')[0]}"
        if final:
            return self.bench.display(element, rows)
        return Display(label, tex, tuple(dict.fromkeys((*rows, self.text(element)))), None)

    def _rows(self, equation: Equation, at: tuple[int, ...], used: int) -> Iterator[str]:
        """In names if that is short, and with the numbers put in."""
        bound = dict(zip(equation.indices, at, strict=True))
        try:
            expr = self.bench.written(equation.rhs, bound)
        except TooLong:
            return
        own = replace(self.form.writer, rank=_rank, summand=_summand)
        names = replace(own, leaf=self._name, shorten=True)
        script = self.form.numbers(self.text).script
        numbers = replace(names, leaf=self._number, script=script)
        for row in (names.within(expr, ROOM - used), numbers.within(expr, ROOM - used)):
            if rows_of(row) <= MOST_ROWS and widest(row) <= ROOM - used + SPARE:
                yield row

    def tex(self, key: Element) -> str:
        """An entry by the symbols of its parameter; what is of another one has its name below."""
        name = key.name.removesuffix(UPDATED)
        if name == RATE or name.startswith(SETTING):
            return ALPHA_NAME.tex if name == RATE else self.own(name.removeprefix(SETTING))
        if " of " not in name:
            return self.form.leaf(key).tex
        places = [str(each) for each in key.indices]
        word, _, of = name.partition(" of ")
        parameter = self.form.leaf(Element(of, *key.indices)).tex if of != EVERY else ""
        if of not in (self.parameter, EVERY):
            places = [parameter]
        new = key.name != name
        return made(self.form.problem, self.own, word, places, parameter, "1", new)

    def text(self, key: Element) -> str:
        """A number as it is printed."""
        values = self.bench.values
        if key.name == RATE:
            return literal(self.form.problem.training.learning_rate)
        place = (key.name, tuple(int(each) for each in key.indices))
        if place in values.texts:
            return values.tex(place)
        return values.format.shown(values.format.text(values.page[place]))

    def _name(self, key: sympy.Expr) -> Piece:
        tall = isinstance(key, Element) and key.name.startswith(adjoint_name(""))
        tex = self.tex(key) if isinstance(key, Element) else str(key)
        return Piece(tex, Tightness.PRODUCT if tall else Tightness.ATOM)

    def _number(self, key: sympy.Expr) -> Piece:
        if isinstance(key, Element):
            return number_piece(self.text(key))
        return Piece(str(key), Tightness.ATOM)


def _rank(key: sympy.Expr) -> tuple[int, ...]:
    """Settings and the rate, then the parameter, then what is made, then the gradient."""
    if not isinstance(key, Element):
        return (1,)
    if key.name == RATE or key.name.startswith(SETTING):
        return (0,)
    places = [int(each) for each in key.indices if each.is_Integer]
    if key.name.startswith(adjoint_name("")):
        return (4, *places)
    return (2 if " of " not in key.name or not key.indices else 3, *places)


def _summand(key: sympy.Expr) -> tuple[int, ...]:
    """In a sum a setting stands last."""
    place = _rank(key)
    return place if place[0] else (LAST,)
