"""One entry of an equation worked out: its formula in names, then with the numbers put in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from math import prod
from types import MappingProxyType
from typing import TypeVar

import sympy

from derive.amount import work
from derive.expression import (
    Chosen,
    Delta,
    Element,
    Fresh,
    Greatest,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
    reads,
    rebuild,
    substitute,
)
from derive.functions import absolute, at_least, greater, where
from derive.graph import Equation, adjoint_name
from derive.letters import tidy
from derive.limits import MOST_WORK
from derive.numbers import MustBeUnrounded
from derive.problem import Problem
from derive.render.index_writer import ROOM, SPACED, outside_first
from derive.render.model_form import ModelForm
from derive.render.pieces import width
from derive.render.sheet import Display
from derive.render.tensor_values import (
    Bound,
    Table,
    Values,
    compiled,
    places,
    ranked,
    values_of,
    whole,
)
from derive.scalar import shapes_of

MOST_TRIED = 60
NOTHING: Mapping[str, tuple[int, ...]] = MappingProxyType({})
MOST_NUMBERS = 2000
MOST_TERMS = 400
MOST_ROWS, MOST_NUMBER_ROWS = 4, 8  # of a formula written out, and of its numbers
Decision = TypeVar("Decision")
WIDEST = 84  # of a row that could not be broken
LONG = 8  # a longer sum is not written in full


class TooLong(Exception):
    """An entry that nobody would want to read in full, or that rounding takes to another branch."""


@dataclass(frozen=True)
class Bench:
    """What an entry is worked out with: the numbers, and how to write them.

    `shown` are the places that somebody asks for, of a quantity and of the derivative by it.
    """

    form: ModelForm
    values: Values
    shapes: Mapping[str, tuple[int, ...]]
    shown: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def worked(
        self, equation: Equation, walk: frozenset[str] = frozenset(), again: bool = False
    ) -> Display | None:
        """The entry asked for, or the first that is not trivial; None if every one is a number.

        Of what is told `again`, after the same for other names, only an entry asked for is worked
        out. Of a recurrence over the quantities of `walk` it is one that reads another step.
        """
        name = equation.quantity.name
        best: tuple[tuple[bool, int], tuple[int, ...], sympy.Expr] | None = None
        steps = any(read in walk for read in reads(equation.rhs))
        asked = self.shown.get(equation.quantity.name.removeprefix(adjoint_name("")))
        if again and asked is None:
            return None
        tried = islice(places(equation.quantity), MOST_TRIED) if asked is None else [asked]
        for place in tried:
            bound = dict(zip(equation.indices, place, strict=True))
            try:
                expr = self.written(equation.rhs, bound)
            except TooLong:
                return self._short(equation, place)
            if not expr.has(Element):
                continue
            score = (self.values.exact[name, place] != 0, len(walk.intersection(reads(expr))))
            if best is None or score > best[0]:
                best = score, place, expr
            if best[0][0] and not steps:
                break
        if best is None:
            return None
        _, place, expr = best
        found = self._in_full(equation, Element(name, *place), expr)
        return found if found is not None else self._short(equation, place)

    def entry(self, equation: Equation, place: tuple[int, ...]) -> Display | None:
        """One entry with all its terms; None if it is a given number, or too long for that."""
        try:
            expr = self.written(equation.rhs, dict(zip(equation.indices, place, strict=True)))
        except TooLong:
            return None
        element = Element(equation.quantity.name, *place)
        return self._in_full(equation, element, expr, False) if expr.has(Element) else None

    def _in_full(
        self, equation: Equation, element: Element, found: sympy.Expr, shorten: bool = True
    ) -> Display | None:
        """An entry worked out; of a long sum only some terms, if it may be shortened."""
        every = outside_first(found)
        expr = self._without_zeros(every) if shorten else every
        lhs = self.form.leaf(element).tex
        room = ROOM - width(lhs)
        formula = replace(self.form.writer, shorten=shorten).within(expr, room)
        writer = replace(self.form.numbers(self.text), shorten=shorten)
        in_prints = self._in_prints(expr)
        if self.form.problem.numbers.decimals is not None and self._divides_by_nothing(in_prints):
            raise MustBeUnrounded  # decimals show nothing of what is small
        numbers = writer.within(in_prints, room - SPACED)
        if rows_of(numbers) > MOST_NUMBER_ROWS or widest(numbers) > WIDEST:
            return None
        if rows_of(formula) > MOST_ROWS or widest(formula) > WIDEST:
            if not shorten:
                return None
            formula = self._at_place(equation, element)
        shown = self.display(element, [formula, numbers])
        return replace(shown, shortened=expr != every, formula=(formula,))

    def _without_zeros(self, expr: sympy.Expr) -> sympy.Expr:
        """A sum that is too long to be written in full, without the terms that are zero.

        They are zero as they are and as the page goes on, which may have rounded something away.
        """

        def change(node: sympy.Expr) -> sympy.Expr:
            if not isinstance(node, sympy.Add) or len(node.args) <= LONG:
                return node
            left = [a for a in node.args if not (self._is_zero(a) and self._is_zero_on_page(a))]
            return sympy.Add(*left) if left else node

        return rebuild(expr, change)

    def _in_prints(self, expr: sympy.Expr) -> sympy.Expr:
        """A sum without the terms that are nothing, and would be 0/0 in the numbers as printed."""
        terms = sympy.Add.make_args(expr)
        left = [t for t in terms if not (self._divides_by_nothing(t) and self._is_zero(t))]
        return sympy.Add(*left) if 0 < len(left) < len(terms) else expr

    def _divides_by_nothing(self, term: sympy.Expr) -> bool:
        """Whether a term divides by what is 0 in the numbers as they are printed."""
        below = [f.base for f in term.atoms(sympy.Pow) if f.exp.is_negative and f.has(Element)]
        prints = {key: Fraction(text) for key, text in self.values.texts.items()} if below else {}
        return any(compiled(base)(prints, {}) == 0 for base in below)

    def _is_zero(self, expr: sympy.Expr) -> bool:
        return compiled(expr)(self.values.exact, {}) == 0

    def _is_zero_on_page(self, expr: sympy.Expr) -> bool:
        try:
            return compiled(expr)(self.values.page, {}) == 0
        except ZeroDivisionError:  # of what is zero: the line with numbers goes without it
            return True

    def _short(self, equation: Equation, place: tuple[int, ...]) -> Display:
        """An entry that nobody would want to read in numbers."""
        element = Element(equation.quantity.name, *place)
        shown = self.display(element, [self._at_place(equation, element)])
        return replace(shown, in_numbers=False)

    def _at_place(self, equation: Equation, element: Element) -> str:
        """The sum left as a sum, with numbers for the free letters only."""
        change = dict(zip(equation.indices, element.indices, strict=True))
        partly = outside_first(tidy(substitute(equation.rhs, change, Fresh()), self.form.taken))
        return self.form.writer.within(partly, ROOM - width(self.form.leaf(element).tex))

    def completed(self, label: str, equation: Equation, rows: list[str]) -> Display:
        """The equation of a single number, with the numbers put in behind its own rows."""
        worked = self.worked(equation)
        found = self.display(Element(equation.quantity.name), []) if worked is None else worked
        said = {row.partition(" = ")[0] for row in found.rows}
        fresh = [row for row in rows if row not in said and row != found.result]
        own = dict.fromkeys(fresh)
        return replace(found, label=label, rows=(*own, *found.rows))

    def display(self, element: Element, rows: list[str]) -> Display:
        """`element = row = row = result`; the result has a row of its own if the last is long."""
        lhs, result = self.form.leaf(element).tex, self.text(element)
        written = list(dict.fromkeys(row for row in rows if row != result))
        if written:
            last = written[-1].rpartition("\\\\")[2]
            fits = width(lhs) + width(last) + width(result) + 3 <= ROOM - SPACED
            written[-1:] = [f"{written[-1]} = {result}"] if fits else [written[-1], result]
        label = "eq:at-" + self.form.names.name(element).code
        return Display(label, lhs, tuple(written or [result]), result)

    def text(self, element: Element) -> str:
        """A number as it stands on the page."""
        return self.values.tex((element.name, tuple(int(k) for k in element.indices)))

    def plain(self, element: Element) -> str:
        """The same in plain text."""
        place = element.name, tuple(int(k) for k in element.indices)
        return self.values.format.plain(self.values.texts[place])

    # --- writing an entry out ---------------------------------------------------------------

    def written(self, expr: sympy.Expr, bound: Bound) -> sympy.Expr:
        """An expression at one place: sums written out, conditions on letters decided."""
        match expr:
            case Index():
                return sympy.Integer(bound[expr])
            case Element():
                return self._element(expr, bound)
            case Delta() | Inside() | Chosen():
                return sympy.Integer(int(self._decided(compiled(expr), bound)))
            case Total() | LogTotalExp():
                return self._sum(expr, bound)
            case Largest():
                return self._largest(expr, bound)
            case where():
                test, yes, no = expr.args
                holds = self._decided(compiled(test), bound) == 1
                return self.written(yes if holds else no, bound)
        if not expr.args:
            return expr
        if isinstance(expr, greater | at_least) and not expr.has(Element):
            return sympy.Integer(int(compiled(expr)(self.values.exact, bound)))
        made = expr.func(*[self.written(argument, bound) for argument in expr.args])
        if made.has(sympy.zoo, sympy.nan, sympy.oo):
            raise TooLong
        return made.replace(sympy.Abs, absolute) if isinstance(expr, sympy.Pow) else made

    def _decided(self, decision: Callable[[Table, Bound], Decision], bound: Bound) -> Decision:
        """A decision that is the same for the numbers as they are and as the page goes on."""
        found = decision(self.values.exact, bound)
        if found != decision(self.values.page, bound):
            raise TooLong
        return found

    def _element(self, expr: Element, bound: Bound) -> sympy.Expr:
        place = [whole(each)(self.values.exact, bound) for each in expr.indices]
        inside = zip(place, self.shapes[expr.name], strict=True)
        if all(0 <= k < size for k, size in inside):
            return Element(expr.name, *place)
        return sympy.S.Zero

    def _sum(self, expr: Total | LogTotalExp, bound: Bound) -> sympy.Expr:
        size = expr.index.axis.length
        if size > MOST_TERMS:
            raise TooLong
        bodies = [self.written(expr.body, {**bound, expr.index: k}) for k in range(size)]
        if isinstance(expr, LogTotalExp):
            return sympy.log(sympy.Add(*map(sympy.exp, bodies)))
        total = sympy.Add(*bodies)
        if len(total.args) > MOST_TERMS:
            raise TooLong
        return total

    def _largest(self, expr: Largest, bound: Bound) -> sympy.Expr:
        count = 1
        for index in expr.bound:
            count *= index.axis.length
        if count > 16:
            best = self._decided(lambda *at: ranked(expr)(*at)[0], bound)
            chosen = dict(zip(expr.bound, best, strict=True))
            return self.written(expr.body, {**bound, **chosen})
        spots: list[Bound] = [{}]
        for index in expr.bound:
            spots = [{**spot, index: k} for spot in spots for k in range(index.axis.length)]
        return Greatest(*[self.written(expr.body, {**bound, **spot}) for spot in spots])


def widest(tex: str) -> int:
    """The width of the longest row of a formula, which may not be broken within brackets."""
    return max(map(width, tex.split("\\\\")))


def rows_of(tex: str) -> int:
    """On how many rows a formula is set."""
    return tex.count("\\\\") + 1


def told_in_numbers(problem: Problem) -> bool:
    """Whether the page of a model has numbers: not without values, nor if there are too many."""
    count = sum(prod(q.shape) for q in problem.graph.quantities.values())
    return not problem.symbolic and count <= MOST_NUMBERS and work(problem.graph) <= MOST_WORK


def bench_of(form: ModelForm, shown: Mapping[str, tuple[int, ...]] = NOTHING) -> Bench | None:
    """All numbers of a model before the update; None if values are missing or too many.

    Raises ValueError or ArithmeticError at values where a number is not finite and real.
    """
    problem, derivation = form.problem, form.derivation
    if not told_in_numbers(problem):
        return None
    values = values_of(problem, derivation)
    shapes = shapes_of(derivation.forward) | shapes_of(derivation.backward)
    return Bench(form, values, shapes, shown)
