"""0·log 0 = 0 in code: a product with a logarithm is not asked for it where the rest is 0.

Nor is its derivative, in which what stands before the logarithm is divided by what stands in it;
and k·x^(k - 1), the derivative of x^k, is not asked for 1/x where the letter k is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import product
from math import prod

import sympy

from derive.expression import Element, Index, Largest, Total, rebuild
from derive.functions import log1p, maximum, minimum, where
from derive.graph import Equation, Graph
from derive.signs import Signs, signs_of

MOST_PLACES = 10_000  # of letters at which an exponent is looked at


class TimesLog(sympy.Function):
    """`TimesLog(x, y)`: x·log(y), and 0 where x is 0."""

    nargs = 2
    is_real = True


class TimesLog1p(sympy.Function):
    """`TimesLog1p(x, u)`: x·log(1 + u), and 0 where x is 0."""

    nargs = 2
    is_real = True


class Ratio(sympy.Function):
    """`Ratio(x, y)`: x/y, and 0 where x is 0."""

    nargs = 2
    is_real = True


def guarded(equation: Equation) -> Equation:
    """An equation whose products with a logarithm of what may be 0 hold where it is."""
    return replace(equation, rhs=rebuild(_held_up(equation.rhs, sympy.Integer(1)), _guarded))


def guarded_slopes(forward: Graph) -> Callable[[Equation], Equation]:
    """The same for the backward pass; what is divided by what a logarithm is taken of, too."""
    inside = {
        _without_letters(part)
        for each in forward.equations
        for log in each.rhs.atoms(*LOGARITHMS)
        for part in (_inside(log), *_parts(_inside(log)))
    }
    signs = signs_of(forward)
    faded = _faded(forward, signs)
    if not inside | faded:
        return guarded

    def safe(node: sympy.Expr) -> sympy.Expr:
        if not isinstance(node, sympy.Mul):
            return node
        numbers, above, below = _parted(node.args)
        for factor in below if above else ():
            under = 1 / factor
            base = _without_letters(under)
            if base in faded or (base in inside and not signs.positive(under)):
                others = [f for f in below if f != factor]
                return sympy.Mul(*numbers, Ratio(sympy.Mul(*above), under), *others)
        return node

    return lambda equation: guarded(replace(equation, rhs=rebuild(equation.rhs, safe)))


def _faded(forward: Graph, signs: Signs) -> set[sympy.Expr]:
    """The roots of a graph that are above zero and may yet be zero in doubles, by either name."""
    rules = {each.quantity.name: each.rhs for each in forward.equations}
    found = set()
    for each in forward.equations:
        for root in each.rhs.atoms(sympy.Pow):
            is_root = root.exp == sympy.Rational(1, 2) and signs.positive(root.base)
            if is_root and not _held(root.base, rules):
                found |= {root, each.lhs} if root == each.rhs else {root}
    return set(map(_without_letters, found))


def _held(expr: sympy.Expr, rules: Mapping[str, sympy.Expr]) -> bool:
    """Whether a number of the author keeps what is above zero from being zero in doubles."""
    match expr:
        case Element():
            return expr.name in rules and _held(rules[expr.name], rules)
        case sympy.Add() | maximum():
            return any(_held(part, rules) for part in expr.args)
        case sympy.Mul() | minimum():
            return all(_held(part, rules) for part in expr.args)
        case sympy.Pow():
            return _held(expr.base, rules)
        case Total() | Largest():
            return _held(expr.body, rules)
        case where():
            return all(_held(part, rules) for part in expr.args[1:])
    return bool(expr.is_number and expr.is_positive)


def _parts(inside: sympy.Expr) -> list[sympy.Expr]:
    """The factors of what a logarithm is taken of: log(t/y) is one of t and one of y."""
    factors = sympy.Mul.make_args(inside)
    return [f.base if isinstance(f, sympy.Pow) else f for f in factors]


def _without_letters(expr: sympy.Expr) -> sympy.Expr:
    """An expression with all letters the same, for its entries are divided by at any place."""
    if isinstance(expr, Index):
        return sympy.Symbol("letter")
    if not expr.args:
        return expr
    return expr.func(*map(_without_letters, expr.args))


def _guarded(node: sympy.Expr) -> sympy.Expr:
    if not isinstance(node, sympy.Mul):
        return node
    factors = list(node.args)
    opened = _opened(factors)
    if opened is not None:
        return opened
    logarithm = next(filter(_may_be_of_zero, factors), None)
    if logarithm is None:
        return node
    numbers, above, below = _parted([f for f in factors if f != logarithm])
    if not above:
        return node
    times = LOGARITHMS[logarithm.func]
    return sympy.Mul(*numbers, times(sympy.Mul(*above), logarithm.args[0]), *below)


def _held_up(expr: sympy.Expr, count: sympy.Expr) -> sympy.Expr:
    """An expression that is multiplied by `count`, a polynomial of letters.

    A power by letters gets the exponent 0 where it is below 0 only while what it is multiplied by
    is 0.
    """
    if isinstance(expr, sympy.Pow) and _is_count(expr.exp):
        exponent = maximum(expr.exp, sympy.Integer(0))
        return expr.base ** (exponent if _is_lost(expr.exp, count) else expr.exp)
    if isinstance(expr, sympy.Mul):
        count = sympy.Mul(count, *filter(_is_count, expr.args))
    elif not isinstance(expr, sympy.Add | Total):
        count = sympy.Integer(1)
    held = [_held_up(part, count) for part in expr.args]
    return expr.func(*held) if held != list(expr.args) else expr


def _is_count(expr: sympy.Expr) -> bool:
    """Whether an expression is a polynomial of index letters."""
    letters = expr.free_symbols
    if not letters or not all(isinstance(letter, Index) for letter in letters):
        return False
    return not expr.has(Element) and bool(expr.is_polynomial(*letters))


def _is_lost(exponent: sympy.Expr, count: sympy.Expr) -> bool:
    """Whether an exponent is somewhere below 0, and `count` is 0 wherever it is."""
    letters = sorted(exponent.free_symbols | count.free_symbols, key=str)
    sizes = [letter.axis.size for letter in letters]
    if not all(size.is_Integer for size in sizes) or prod(map(int, sizes)) > MOST_PLACES:
        return False
    places = [dict(zip(letters, at, strict=True)) for at in product(*map(range, map(int, sizes)))]
    below = [place for place in places if exponent.subs(place) < 0]
    return bool(below) and all(count.subs(place) == 0 for place in below)


def _parted(factors: Iterable[sympy.Expr]) -> tuple[list[sympy.Expr], ...]:
    """The numbers of a product, what is multiplied by, and what is divided by."""
    numbers, above, below = [], [], []
    for factor in factors:
        if factor.is_number:
            numbers.append(factor)
        elif isinstance(factor, sympy.Pow) and factor.exp.is_negative:
            below.append(factor)
        else:
            above.append(factor)
    return numbers, above, below


def _opened(factors: list[sympy.Expr]) -> sympy.Expr | None:
    """t·(log t - log y) as t·log t - t·log y; None if no bracket has such a logarithm."""
    for bracket in factors:
        if isinstance(bracket, sympy.Add):
            terms = (f for term in bracket.args for f in sympy.Mul.make_args(term))
            rest = [f for f in factors if f is not bracket]
            if any(map(_may_be_of_zero, terms)) and not all(f.is_number for f in rest):
                return sympy.Add(*[_guarded(sympy.Mul(*rest, term)) for term in bracket.args])
    return None


def _may_be_of_zero(factor: sympy.Expr) -> bool:
    return factor.func in LOGARITHMS and not Signs().positive(_inside(factor))


LOGARITHMS = {sympy.log: TimesLog, log1p: TimesLog1p}


def _inside(logarithm: sympy.Expr) -> sympy.Expr:
    """What a logarithm is taken of."""
    one = 1 if isinstance(logarithm, log1p) else 0
    return one + logarithm.args[0]
