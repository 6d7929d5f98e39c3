"""The value of every entry of a graph, exact and as printed.

An expression is compiled once into nested functions and then evaluated for each entry. Values stay
rational as long as they are; a recurrence is walked in its own order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial, reduce
from itertools import product

import sympy
from mpmath import mp

from derive.expression import (
    Chosen,
    Delta,
    Element,
    Greatest,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
    rebuild,
)
from derive.functions import BY_SYMBOL, absolute, at_least, greater, maximum, minimum, where
from derive.graph import Block, Derivation, Equation, Quantity, Role, adjoint_name
from derive.notation import Name
from derive.numbers import (
    LogOfZero,
    Number,
    NumberFormat,
    applied,
    compare,
    going_on,
    literal,
    reason,
    summed,
    times,
    working,
)
from derive.numbers import power as raised
from derive.numbers import product as numbers_product
from derive.places import Division, Quotient, Remainder
from derive.problem import Problem
from derive.recurrence import Walk
from derive.render.sheet import Entry

Place = tuple[str, tuple[int, ...]]
Table = dict[Place, Number]
Bound = dict[Index, int]
Value = Callable[[Table, Bound], Number]
ZERO = Fraction(0)


class NoValue(ValueError):
    """An entry that is no number at these values; `name` is the quantity."""

    def __init__(self, words: str, name: str) -> None:
        super().__init__(words)
        self.name = name


@dataclass
class Values:
    """Every number of a page: without rounding, and as the page goes on with it."""

    format: NumberFormat
    exact: Table = field(default_factory=dict)
    page: Table = field(default_factory=dict)
    texts: dict[Place, str] = field(default_factory=dict)

    def give(self, place: Place, value: Fraction) -> None:
        """A given number, written as it was given."""
        self.exact[place] = self.page[place] = value
        self.texts[place] = literal(value)

    def enter(
        self,
        place: Place,
        compute: Callable[[Table], Number],
        plainly: Callable[[Table], Number] | None = None,
    ) -> None:
        """A computed number. Raises ValueError if it is not finite and real.

        `plainly` it is computed where 0/0 has no value, even if it arrives with the factor 0. What
        only rounding makes 0/0 is none on the page.
        """
        with working():
            exact = compute(self.exact)
            chained = exact
            if self.format.chained:
                chained = going_on(lambda: self._rounded(compute, plainly or compute))
        self.exact[place] = exact
        self.page[place] = self.format.round(chained) if self.format.chained else exact
        self.texts[place] = self.format.text(chained)

    def _rounded(
        self, compute: Callable[[Table], Number], plainly: Callable[[Table], Number]
    ) -> Number:
        """A number computed from the rounded ones."""
        try:
            return plainly(self.page)
        except ZeroDivisionError:
            if _has_value(lambda: plainly(self.exact)):
                raise
            return compute(self.page)

    def tex(self, place: Place) -> str:
        """A number as it stands on the page."""
        return self.format.shown(self.texts[place])

    def entry(self, place: Place, name: Name) -> Entry:
        """The number as the page knows it."""
        text = self.texts[place]
        return Entry(name, self.exact[place], Fraction(text), text)

    def run(self, blocks: Iterable[Block]) -> None:
        """Compute all equations in their order."""
        for block in blocks:
            rules = {equation.quantity.name: _rules(equation) for equation in block.equations}
            for equation, place in _places(block):
                self._compute(equation, *rules[equation.quantity.name], place)

    def _compute(
        self, equation: Equation, rule: Value, plain: Value, place: tuple[int, ...]
    ) -> None:
        bound = dict(zip(equation.indices, place, strict=True))
        at = equation.quantity.name, place
        try:
            self.enter(at, lambda table: rule(table, bound), lambda table: plain(table, bound))
        except (ArithmeticError, ValueError) as error:
            words = reason(error)
            if equation.quantity.role is Role.ADJOINT:
                words += "; 'gradients:' names what the loss is differentiated by"
            words = f"in the equation of {_entry(equation, place)}: {words}"
            raise NoValue(words, equation.quantity.name) from error


def values_of(problem: Problem, derivation: Derivation) -> Values:
    """All numbers before the update.

    Raises ValueError or ArithmeticError where a number is not finite and real.
    """
    values = Values(problem.numbers)
    for quantity in problem.graph.given:
        for place in places(quantity):
            values.give((quantity.name, place), problem.values[quantity.name][place])
    values.run(problem.graph.blocks)
    values.run(derivation.backward.blocks)
    return values


def _has_value(compute: Callable[[], Number]) -> bool:
    """Whether nothing is divided by zero."""
    try:
        compute()
    except ZeroDivisionError:
        return False
    return True


def _entry(equation: Equation, place: tuple[int, ...]) -> str:
    """One entry in words: `y[1,0]`, or `dE/dy[1,0]` for an adjoint."""
    name = equation.quantity.name
    inner = name.removeprefix(adjoint_name(""))
    shown = name if inner == name else f"dE/d{inner}"
    return f"{shown}[{','.join(map(str, place))}]" if place else shown


def places(quantity: Quantity) -> Iterator[tuple[int, ...]]:
    """All places of a quantity, the last index fastest."""
    return product(*map(range, quantity.shape))


def _places(block: Block) -> Iterator[tuple[Equation, tuple[int, ...]]]:
    """What a block computes, one entry after the other."""
    if not block.step:
        yield from ((block.equations[0], place) for place in places(block.equations[0].quantity))
        return
    for steps in product(*(_steps(block, walk) for walk in block.walks)):
        for k, equation in enumerate(block.equations):
            for place in places(equation.quantity):
                if all(place[w.along[k]] == t for w, t in zip(block.walks, steps, strict=True)):
                    yield equation, place


def _steps(block: Block, walk: Walk) -> Sequence[int]:
    """The steps of a walk, in their order."""
    shapes = [equation.quantity.shape for equation in block.equations]
    steps = range(max(shape[k] for shape, k in zip(shapes, walk.along, strict=True)))
    return steps if walk.step > 0 else steps[::-1]


class Arriving(sympy.Expr):
    """A product of a derivative: what arrives with the factor 0 is 0, also 0/0."""


def _rules(equation: Equation) -> tuple[Value, Value]:
    """The right side of an equation as it is computed, and without any excuse for 0/0."""
    plain = compiled(equation.rhs)
    whole = asked(equation)
    return (plain if whole is equation.rhs else compiled(whole)), plain


def asked(equation: Equation) -> sympy.Expr:
    """The right side of an equation as it is computed."""
    if equation.quantity.role is not Role.ADJOINT and equation.quantity.slope is None:
        return equation.rhs
    return rebuild(equation.rhs, lambda node: Arriving(*node.args) if node.is_Mul else node)


def compiled(expr: sympy.Expr) -> Value:
    """An expression as a function of the numbers so far and of its letters."""
    make = _NODES.get(expr.func)
    if make is not None:
        return make(expr)
    if isinstance(expr, sympy.Rational):
        number = Fraction(int(expr.p), int(expr.q))
        return lambda table, bound: number
    if expr in (sympy.pi, sympy.E):
        return lambda table, bound: +mp.pi if expr == sympy.pi else +mp.e
    return _function(expr)


def whole(expr: sympy.Expr) -> Callable[[Table, Bound], int]:
    """A position, which comes out as a whole number."""
    if isinstance(expr, Index):
        return lambda table, bound: bound[expr]
    if expr.is_Integer:
        number = int(expr)
        return lambda table, bound: number
    if isinstance(expr, sympy.Add):
        terms = [whole(term) for term in expr.args]
        return lambda table, bound: sum([term(table, bound) for term in terms])
    if isinstance(expr, Division):
        return _divided(expr)
    value = compiled(expr)
    return lambda table, bound: int(value(table, bound))


def _divided(expr: Division) -> Callable[[Table, Bound], int]:
    """A division rounded down, or what remains."""
    place, divisor = whole(expr.position), expr.divisor
    if isinstance(expr, Quotient):
        return lambda table, bound: place(table, bound) // divisor
    return lambda table, bound: place(table, bound) % divisor


def _element(expr: Element) -> Value:
    """An entry; beyond the range there is none, and zero is read."""
    name, at = expr.name, [whole(place) for place in expr.indices]
    return lambda table, bound: table.get((name, tuple([f(table, bound) for f in at])), ZERO)


def _place(expr: sympy.Expr) -> Value:
    place = whole(expr)
    return lambda table, bound: Fraction(place(table, bound))


def _sum(expr: sympy.Add) -> Value:
    parts = [compiled(argument) for argument in expr.args]

    return lambda table, bound: summed(part(table, bound) for part in parts)


def _product(expr: sympy.Mul) -> Value:
    return _multiplied(expr, (LogOfZero,))


def _arriving(expr: Arriving) -> Value:
    return _multiplied(expr, (LogOfZero, ZeroDivisionError))


def _multiplied(expr: sympy.Expr, excused: tuple[type[Exception], ...]) -> Value:
    parts = [compiled(argument) for argument in expr.args]
    return lambda table, bound: numbers_product(
        (partial(part, table, bound) for part in parts), times, excused
    )


def _power(expr: sympy.Pow) -> Value:
    base, exponent = map(compiled, expr.args)

    def value(table: Table, bound: Bound) -> Number:
        a, b = base(table, bound), exponent(table, bound)
        if compare(a, ZERO) < 0 and not (isinstance(b, Fraction) and b.denominator == 1):
            raise ValueError("a root of a negative number is not real")
        return raised(a, b)

    return value


def _total(expr: Total) -> Value:
    index, body = expr.index, compiled(expr.body)

    steps = range(index.axis.length)
    return lambda table, bound: summed(body(table, {**bound, index: k}) for k in steps)


def _log_total(expr: LogTotalExp) -> Value:
    return compiled(sympy.log(Total(sympy.exp(expr.body), expr.index)))


def ranked(expr: Largest) -> Callable[[Table, Bound], tuple[tuple[int, ...], Number]]:
    """Where a maximum is taken for the first time, and its value."""
    body, bound_letters = compiled(expr.body), expr.bound

    def best(table: Table, bound: Bound) -> tuple[tuple[int, ...], Number]:
        found: tuple[tuple[int, ...], Number] | None = None
        for place in product(*[range(index.axis.length) for index in bound_letters]):
            value = body(table, {**bound, **dict(zip(bound_letters, place, strict=True))})
            if found is None or compare(value, found[1]) > 0:
                found = place, value
        assert found is not None  # an axis has at least one place
        return found

    return best


def _largest(expr: Largest) -> Value:
    best = ranked(expr)
    return lambda table, bound: best(table, bound)[1]


def _greatest(expr: Greatest) -> Value:
    parts = [compiled(argument) for argument in expr.args]
    larger = partial(applied, BY_SYMBOL[maximum])
    return lambda table, bound: reduce(
        lambda a, b: larger([a, b]), [part(table, bound) for part in parts]
    )


def _chosen(expr: Chosen) -> Value:
    best, asked = ranked(expr.largest), [whole(place) for place in expr.positions]
    return lambda table, bound: Fraction(
        best(table, bound)[0] == tuple(place(table, bound) for place in asked)
    )


def _delta(expr: Delta) -> Value:
    left, right = map(whole, expr.args)
    return lambda table, bound: Fraction(left(table, bound) == right(table, bound))


def _inside(expr: Inside) -> Value:
    place, size = map(whole, expr.args)
    return lambda table, bound: Fraction(0 <= place(table, bound) < size(table, bound))


def _compared(holds: Callable[[int], bool]) -> Callable[[sympy.Expr], Value]:
    def make(expr: sympy.Expr) -> Value:
        left, right = map(compiled, expr.args)
        return lambda table, bound: Fraction(
            holds(compare(left(table, bound), right(table, bound)))
        )

    return make


def _extreme(sign: int) -> Callable[[sympy.Expr], Value]:
    def make(expr: sympy.Expr) -> Value:
        left, right = map(compiled, expr.args)

        def value(table: Table, bound: Bound) -> Number:
            a, b = left(table, bound), right(table, bound)
            return b if sign * compare(b, a) > 0 else a

        return value

    return make


def _absolute(expr: sympy.Expr) -> Value:
    inside = compiled(expr.args[0])
    return lambda table, bound: abs(inside(table, bound))


def _where(expr: sympy.Expr) -> Value:
    test, yes, no = map(compiled, expr.args)
    return lambda table, bound: (yes if test(table, bound) == 1 else no)(table, bound)


def _function(expr: sympy.Expr) -> Value:
    row = BY_SYMBOL[expr.func]
    parts = [compiled(argument) for argument in expr.args]

    return lambda table, bound: applied(row, [part(table, bound) for part in parts])


_NODES: Mapping[type[sympy.Basic], Callable[..., Value]] = {
    Element: _element,
    Index: _place,
    Quotient: _place,
    Remainder: _place,
    sympy.Add: _sum,
    sympy.Mul: _product,
    Arriving: _arriving,
    sympy.Pow: _power,
    Total: _total,
    LogTotalExp: _log_total,
    Largest: _largest,
    Greatest: _greatest,
    Chosen: _chosen,
    Delta: _delta,
    Inside: _inside,
    greater: _compared(lambda sign: sign > 0),
    at_least: _compared(lambda sign: sign >= 0),
    maximum: _extreme(1),
    minimum: _extreme(-1),
    absolute: _absolute,
    where: _where,
}
