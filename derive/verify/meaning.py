"""What one expression means: a function of values and letters, over any kind of number.

It is part of the oracle of the routes and shares no code with the calculus, the scalar view or the
emitters.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import product
from operator import itemgetter
from typing import Any

import sympy
from mpmath import mp

from derive.expression import (
    Chosen,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Slope,
    Total,
)
from derive.functions import BY_SYMBOL, held, maximum, minimum, where
from derive.places import Division, Quotient, Remainder
from derive.verify.algebra import EXACT, Algebra, slope, working

Key = tuple[str, tuple[int, ...]]

Values = dict[Key, Any]

Binding = dict[str, int]  # by the slot of an index

Meaning = Callable[[Values, Binding], Any]

_CONSTANTS = {sympy.pi: mp.pi, sympy.E: mp.e}


def slope_by(expr: sympy.Expr, values: Values, binding: Binding, key: Key) -> Any:
    """How fast an expression moves with one element that it reads."""
    here, meaning = values[key], meaning_of(expr, EXACT)

    def moved(shift: Any) -> Any:
        return meaning(_Moved(values, key, here + shift), binding)

    return slope(moved, holds=expr.has(held))


class _Moved(dict[Key, Any]):
    """Values with another one for a key; it holds that alone, so that all others are asked for."""

    def __init__(self, values: Values, key: Key, moved: Any) -> None:
        super().__init__({key: moved})
        self.others = values

    def get(self, key: Key, default: Any = None) -> Any:
        return self[key] if key in self else self.others.get(key, default)


def slots_of(binding: Mapping[Index, int]) -> Binding:
    """What letters are bound to, by their slots."""
    return {slot_of(index): place for index, place in binding.items()}


@lru_cache(maxsize=20_000)
def slot_of(index: Index) -> str:
    """What tells one index from another, as text, which is faster to look up."""
    return f"{index.name}:{index.axis.size}"


@lru_cache(maxsize=20_000)
def meaning_of(expr: sympy.Expr, algebra: Algebra) -> Meaning:
    """An expression as a function of the values and of what its indices are bound to."""
    if isinstance(expr, sympy.Rational) or expr in _CONSTANTS:
        return _constant(expr, algebra)
    match expr:
        case sympy.core.numbers.NegativeInfinity():  # a term that a log-sum-exp leaves out
            return lambda values, binding: mp.ninf
        case sympy.core.numbers.Infinity():  # what is less by such a term
            return lambda values, binding: mp.inf
        case Element():
            return _entry(expr, algebra)
        case Index() | Division():
            place = _position(expr)
            return lambda values, binding: algebra.number(Fraction(place(values, binding)))
        case Total():
            return _total(expr, algebra)
        case LogTotalExp():
            total = _total(Total(sympy.exp(expr.body), expr.index), algebra)
            log = algebra.functions["log"]
            return lambda values, binding: log(total(values, binding))
        case Largest():
            compared, larger = _compared(expr, algebra), algebra.functions["max"]
            return lambda values, binding: reduce(larger, compared(values, binding).values())
        case Chosen():
            return _chosen(expr, algebra)
        case Delta() | Inside():
            holds = _condition(expr)
            return lambda values, binding: algebra.number(Fraction(holds(values, binding)))
        case Slope():
            return _slope(expr)
        case sympy.Add():
            terms = [meaning_of(each, algebra) for each in expr.args]
            return lambda values, binding: algebra.total([t(values, binding) for t in terms])
        case sympy.Mul():
            return _product(expr, algebra)
        case sympy.Pow():
            return _power(expr, algebra)
        case where():
            return _choice(expr, algebra)
    return _applied(expr, algebra)


def _constant(expr: sympy.Expr, algebra: Algebra) -> Meaning:
    """A number with as many digits as are computed with, found once for each precision."""
    if algebra.symbols and expr in _CONSTANTS:
        return lambda values, binding: expr
    known: dict[int, Any] = {}

    def constant(values: Values, binding: Binding) -> Any:
        precision = mp.prec
        if precision not in known:
            with working():
                known[precision] = algebra.number(_rational(expr))
        return known[precision]

    return constant


def _rational(expr: sympy.Expr) -> Fraction:
    if expr in _CONSTANTS:
        return Fraction(mp.nstr(+_CONSTANTS[expr], mp.dps))
    return Fraction(int(expr.p), int(expr.q))


def _entry(expr: Element, algebra: Algebra) -> Meaning:
    """One entry; outside its range a quantity is zero."""
    key_at, zero = _key(expr), algebra.number(Fraction(0))

    def read(values: Values, binding: Binding) -> Any:
        key = key_at(values, binding)
        return values[key] if key in values else values.get(key, zero)

    return read


def _key(expr: Element) -> Callable[[Values, Binding], Key]:
    """Where an entry is found; the frequent case that all its positions are letters is fast."""
    name, places = expr.name, [_position(position) for position in expr.indices]
    if len(places) > 1 and all(isinstance(position, Index) for position in expr.indices):
        letters = itemgetter(*map(slot_of, expr.indices))
        return lambda values, binding: (name, letters(binding))
    return lambda values, binding: (name, tuple([place(values, binding) for place in places]))


def _total(expr: Total, algebra: Algebra) -> Meaning:
    """A sum; sums right inside it are added up in the same go."""
    slots, ranges, inside = [], [], expr
    while isinstance(inside, Total):
        slots.append(slot_of(inside.index))
        ranges.append(range(inside.index.axis.length))
        inside = inside.body
    body = meaning_of(inside, algebra)
    places = [dict(zip(slots, place, strict=True)) for place in product(*ranges)]

    def added(values: Values, binding: Binding) -> Any:
        below, terms = dict(binding), []
        for place in places:
            below.update(place)
            terms.append(body(values, below))
        return algebra.total(terms)

    return _contracted(inside, places, added, algebra)


def _contracted(
    body: sympy.Expr, places: Sequence[Binding], added: Meaning, algebra: Algebra
) -> Meaning:
    """A sum of products of two factors, as in a matrix product: nearly all work is done in these.

    `added` is that sum term by term, for numbers without a faster way, and for factors without
    value.
    """
    dot, factors = algebra.dot, body.args
    if dot is None or not isinstance(body, sympy.Mul) or len(factors) != 2:
        return added
    if any(isinstance(factor, Delta | Inside) for factor in factors):
        return added
    first, second = (meaning_of(factor, algebra) for factor in factors)

    def contracted(values: Values, binding: Binding) -> Any:
        below, pairs = dict(binding), []
        try:
            for place in places:
                below.update(place)
                pairs.append((first(values, below), second(values, below)))
            found = dot(pairs)
            if found == found:
                return found
        except ZeroDivisionError:
            pass
        return added(values, binding)

    return contracted


def _product(expr: sympy.Mul, algebra: Algebra) -> Meaning:
    """A product; where a condition of it does not hold, nothing else of it is looked at.

    A factor 0 makes it 0, also where another has no value there, as in 0·log 0.
    """
    tests = [each for each in expr.args if isinstance(each, Delta | Inside)]
    conditions = [_condition(each) for each in tests]
    factors = [meaning_of(each, algebra) for each in expr.args if each not in tests]
    zero, one = algebra.number(Fraction(0)), algebra.number(Fraction(1))
    if not conditions and len(factors) == 2:
        first, second = factors

        def twofold(values: Values, binding: Binding) -> Any:
            try:
                found = first(values, binding) * second(values, binding)
                if found == found:
                    return found
            except ZeroDivisionError:
                pass
            return _rescued(factors, values, binding)

        return twofold

    def multiplied(values: Values, binding: Binding) -> Any:
        for holds in conditions:
            if not holds(values, binding):
                return zero
        try:
            found = reduce(operator.mul, [factor(values, binding) for factor in factors] or [one])
            if found == found:
                return found
        except ZeroDivisionError:
            pass
        return _rescued(factors, values, binding)

    return multiplied


def _rescued(factors: Sequence[Meaning], values: Values, binding: Binding) -> Any:
    """A product of which a factor has no value: 0 if another is 0, otherwise none either."""
    missing: ZeroDivisionError | None = None
    result: Any = None
    for factor in factors:
        try:
            value = factor(values, binding)
        except ZeroDivisionError as error:
            missing = error
            continue
        if value == 0:
            return value
        result = value if result is None else result * value
    if missing is not None:
        raise missing
    return result


def _condition(expr: Delta | Inside) -> Callable[[Values, Binding], bool]:
    left, right = (_position(side) for side in expr.args)
    if isinstance(expr, Delta):
        return lambda values, binding: left(values, binding) == right(values, binding)
    return lambda values, binding: 0 <= left(values, binding) < right(values, binding)


def _slope(expr: Slope) -> Meaning:
    key_at, body = _key(expr.element), expr.body
    return lambda values, binding: slope_by(body, values, binding, key_at(values, binding))


def _chosen(expr: Chosen, algebra: Algebra) -> Meaning:
    """1 for the first of the largest, else 0: above all before it, and at least all after it."""
    compared = _compared(expr.largest, algebra)
    places = [_position(place) for place in expr.positions]
    above, at_least = algebra.functions["greater"], algebra.functions["at_least"]
    zero, one = algebra.number(Fraction(0)), algebra.number(Fraction(1))

    def chosen(values: Values, binding: Binding) -> Any:
        table = compared(values, binding)
        asked = tuple([place(values, binding) for place in places])
        if asked not in table:
            return zero
        own, test, result = table[asked], above, one
        for place, other in table.items():
            if place == asked:
                test = at_least
            else:
                result = result * test(own, other)
        return result

    return chosen


def _choice(expr: where, algebra: Algebra) -> Meaning:
    """A choice, of which only the branch taken is asked where the condition can be decided."""
    test, yes, no = (meaning_of(part, algebra) for part in expr.args)
    either = algebra.functions["where"]

    def choose(values: Values, binding: Binding) -> Any:
        indicator = test(values, binding)
        holds = algebra.decided(indicator)
        if holds is None:
            return either(indicator, yes(values, binding), no(values, binding))
        return (yes if holds else no)(values, binding)

    return choose


def _applied(expr: sympy.Expr, algebra: Algebra) -> Meaning:
    arguments = expr.args
    if isinstance(expr, maximum | minimum) and arguments[1].is_number:
        arguments = arguments[::-1]  # the first wins a tie, and a constant wins against all
    function = algebra.functions[BY_SYMBOL[expr.func].name]
    parts = [meaning_of(argument, algebra) for argument in arguments]
    return lambda values, binding: function(*[part(values, binding) for part in parts])


def _power(expr: sympy.Pow, algebra: Algebra) -> Meaning:
    base, exponent = (meaning_of(part, algebra) for part in expr.args)
    if expr.exp == sympy.Rational(1, 2):
        half = algebra.number(Fraction(1, 2))
        return lambda values, binding: algebra.power(base(values, binding), half)
    if expr.exp.is_Integer:
        count, one = abs(int(expr.exp)), algebra.number(Fraction(1))
        if expr.exp > 0:
            return lambda values, binding: base(values, binding) ** count
        return lambda values, binding: one / algebra.divisor(base(values, binding) ** count)
    return lambda values, binding: algebra.power(base(values, binding), exponent(values, binding))


@lru_cache(maxsize=20_000)
def _position(expr: sympy.Expr) -> Callable[[Values, Binding], int]:
    """A position as a function that gives a number; it must come out whole."""
    match expr:
        case Index():
            slot = slot_of(expr)
            return lambda values, binding: binding[slot]
        case sympy.Integer():
            known = int(expr)
            return lambda values, binding: known
        case sympy.Add() if (linear := _linear(expr)) is not None:
            first, shares = linear
            if len(shares) == 2:  # as in a convolution
                (m, a), (n, b) = shares
                return lambda values, binding: first + m * binding[a] + n * binding[b]
            return lambda values, binding: first + sum([n * binding[at] for n, at in shares])
        case sympy.Add():
            terms = [_position(each) for each in expr.args]
            return lambda values, binding: sum([term(values, binding) for term in terms])
        case sympy.Mul():
            factors = [_position(each) for each in expr.args]
            return lambda values, binding: math.prod([f(values, binding) for f in factors])
        case sympy.Pow(exp=sympy.Integer()) if expr.exp > 0:
            base, count = _position(expr.base), int(expr.exp)
            return lambda values, binding: base(values, binding) ** count
        case Quotient():
            above, below = _position(expr.position), expr.divisor
            return lambda values, binding: above(values, binding) // below
        case Remainder():
            above, below = _position(expr.position), expr.divisor
            return lambda values, binding: above(values, binding) % below
        case Element():
            return _whole(expr)
    raise ValueError(f"the index {expr} is not whole")


def _linear(expr: sympy.Add) -> tuple[int, list[tuple[int, str]]] | None:
    """A sum of indices with whole factors, as its constant and the factor of each slot."""
    constant, rest = expr.as_coeff_Add()
    terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(rest)]
    whole = all(share.is_Integer for share in (constant, *(share for share, _ in terms)))
    if not whole or not all(isinstance(index, Index) for _, index in terms):
        return None
    return int(constant), [(int(share), slot_of(index)) for share, index in terms]


def _whole(expr: Element) -> Callable[[Values, Binding], int]:
    """An entry that picks a place."""
    key_at = _key(expr)

    def read(values: Values, binding: Binding) -> int:
        found = values.get(key_at(values, binding), 0)
        if int(found) != found:
            raise ValueError(f"the index {expr} is not whole")
        return int(found)

    return read


def _compared(
    expr: Largest, algebra: Algebra
) -> Callable[[Values, Binding], dict[tuple[int, ...], Any]]:
    """What a maximum is taken over, by place."""
    body, slots = meaning_of(expr.body, algebra), [slot_of(index) for index in expr.bound]
    places = list(product(*[range(index.axis.length) for index in expr.bound]))

    def compared(values: Values, binding: Binding) -> dict[tuple[int, ...], Any]:
        return {
            place: body(values, {**binding, **dict(zip(slots, place, strict=True))})
            for place in places
        }

    return compared
