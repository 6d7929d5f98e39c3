"""The numbers of one quantity of a model as plain text: an entry worked out, and a small table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice, product
from math import prod
from textwrap import wrap

import sympy

from derive.errors import InputError
from derive.expression import Element, Fresh, substitute
from derive.graph import Derivation, Equation, Quantity
from derive.letters import tidy
from derive.problem import Problem
from derive.render.model_form import ModelForm
from derive.render.model_rounds import rounds
from derive.render.model_story import tell_model
from derive.render.model_update import trained, update
from derive.render.tensor_values import places
from derive.render.worked import Bench, TooLong, bench_of
from derive.text import text, with_numbers

Place = tuple[int, ...]
LINE = 100
MOST_ROWS = 4
MOST_ENTRIES = 40
MOST_UPDATES = 1000


@dataclass(frozen=True)
class Shown:
    """Writes entries of a derivation; `bench` is missing where numbers are unknown or too many."""

    derivation: Derivation
    bench: Bench | None
    names: Callable[[str], str]

    def first(self, equation: Equation) -> Place:
        """The first entry that is not zero; simply the first if all are."""
        start = (0,) * len(equation.quantity.axes)
        if self.bench is None:
            return start
        exact, name = self.bench.values.exact, equation.quantity.name
        return next((p for p in places(equation.quantity) if exact[name, p] != 0), start)

    def entry(self, equation: Equation, place: Place) -> Iterator[str]:
        """`W[0,1] = formula = the same with numbers = result`, a row for each."""
        element = Element(equation.quantity.name, *place)
        rows = list(self._formulas(equation, place))
        if self.bench is not None:
            rows.append(self.bench.plain(element))
        lhs = text(element, self.names)
        for row in dict.fromkeys(rows):
            first, *more = _broken(row, LINE - len(lhs) - 5)
            yield f"  {lhs} = {first}"
            lhs = " " * len(lhs)
            yield from (f"  {lhs}   {line}" for line in more)

    def _formulas(self, equation: Equation, place: Place) -> Iterator[str]:
        """The entry in names and with numbers; one that is long keeps its sums, and its names."""
        if self.bench is not None:
            written = self._written(self.bench, equation, place)
            if written:
                yield from written
                return
        at = {i: sympy.Integer(k) for i, k in zip(equation.indices, place, strict=True)}
        taken = self.derivation.forward.taken
        yield text(tidy(substitute(equation.rhs, at, Fresh()), taken), self.names)

    def _written(self, bench: Bench, equation: Equation, place: Place) -> list[str]:
        """The entry with its sums written out, in names and with numbers; nothing if too long."""
        try:
            expr = bench.written(equation.rhs, dict(zip(equation.indices, place, strict=True)))
        except TooLong:
            return []
        rows = [text(expr, self.names), with_numbers(expr, bench.plain)]
        return rows if max(map(len, rows)) <= MOST_ROWS * LINE else []

    def value(self, name: str, place: Place) -> str:
        """`W[0,1] = 0.5`, a number that is given or has been updated."""
        element = Element(name, *place)
        assert self.bench is not None
        return f"{text(element, self.names)} = {self.bench.plain(element)}"

    def table(self, equation: Equation) -> Iterator[str]:
        """All entries, a matrix for each place on the leading axes; nothing for one number."""
        quantity = equation.quantity
        if self.bench is None or not quantity.axes:
            return
        count = prod(quantity.shape)
        if count > MOST_ENTRIES:
            last = Element(quantity.name, *(side - 1 for side in quantity.shape))
            yield f"  {count} entries; ask for any of them, up to {text(last, self.names)}"
            return
        *lead, side = [range(size) for size in quantity.shape]
        outer, rows = lead[:-1], lead[-1] if lead else None
        for at in product(*outer):
            free = ",".join([*map(str, at), ":", ":"])
            name = self.names(quantity.name) + (f"[{free}]" if at else "")
            lines = [(*at, r) for r in rows] if rows is not None else [()]
            written = [
                [self.bench.plain(Element(quantity.name, *line, k)) for k in side] for line in lines
            ]
            yield from _matrix(f"  {name} = ", written, bool(lead))


def shown(
    problem: Problem, derivation: Derivation, names: Callable[[str], str], number: int = 0
) -> Shown:
    """What the entries of a derivation are written with, after a number of updates.

    Raises InputError if there is no such update, and ValueError or ArithmeticError at values where
    some number is not finite and real.
    """
    _follow(problem, derivation)
    form = ModelForm(problem, derivation)
    bench = bench_of(form)
    if not number:
        return Shown(derivation, bench, names)
    if bench is None or not trained(form) or number > min(problem.training.steps, MOST_UPDATES):
        raise InputError(_no_update(problem, trained(form), bench, number))
    update(form, bench.values)
    values = next(islice(rounds(form, bench.values), number, None))
    return Shown(derivation, replace(bench, values=values), names)


def _follow(problem: Problem, derivation: Derivation) -> None:
    """Tell the page, which may find that rounded numbers or decimals lead astray.

    Then a terminal goes on like the page. A page that has no value somewhere is of no concern.
    """
    numbers = problem.numbers
    if not problem.symbolic and (numbers.chained or numbers.decimals is not None):
        with suppress(ArithmeticError, ValueError):
            tell_model(problem, derivation)


def _no_update(
    problem: Problem, parameters: list[Quantity], bench: Bench | None, number: int
) -> str:
    """Why there are no numbers of an update."""
    if not parameters:
        return "nothing is updated here; say how in 'training:'"
    if bench is None:
        return "there are no updates without numbers: values are missing, or they are too many"
    if number > problem.training.steps:
        return f"there is no update {number}; 'training: steps:' is {problem.training.steps}"
    return f"update {number} is too far away to be worked out; ask for at most {MOST_UPDATES}"


def fitted(line: str, width: int) -> list[str]:
    """A line of a terminal on as many as it needs; it goes on below where its formula begins."""
    if len(line) <= width:
        return [line]
    start = line.find(" = ") + len(" = ") if " = " in line[: width // 2] else 0
    start = start or len(line) - len(line.lstrip())
    first, *more = _broken(line[start:], width - start - 2)
    return [line[:start] + first, *(" " * (start + 2) + each for each in more)]


def _broken(row: str, room: int) -> list[str]:
    """A formula on lines that begin with a sign of its outermost sum; anywhere, if that fails."""
    room = max(room, 40)
    lines = [""]
    for term in _terms(row):
        if len(lines[-1]) + len(term) > room and lines[-1]:
            lines.append(term.lstrip())
        else:
            lines[-1] += term
    return [
        part
        for line in lines
        for part in wrap(line, room, break_long_words=False, break_on_hyphens=False)
    ]


def _terms(row: str) -> Iterator[str]:
    """The terms of the outermost sum, each but the first with its sign before it."""
    depth = start = 0
    for k, sign in enumerate(row):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and row[k : k + 3] in (" + ", " - "):
            yield row[start:k]
            start = k
    yield row[start:]


def _matrix(start: str, rows: list[list[str]], nested: bool) -> Iterator[str]:
    """Rows of numbers below each other, aligned at the right."""
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [", ".join(map(str.rjust, row, wide)) for row in rows]
    if not nested:
        yield f"{start}[{lines[0]}]"
        return
    for number, line in enumerate(lines):
        opening, closing = "[" if number == 0 else " ", "]" if line is lines[-1] else ","
        yield f"{start if number == 0 else ' ' * len(start)}{opening}[{line}]{closing}"
