"""Whole-number divisions turned round: which letters an entry at `i // 2` or `i % 2` was read for.

A letter i that is divided by d is d*q + r with two letters of their own, so that `i // d` is q and
`i % d` is r. Where a position is made of digits, as 4*c + 2*r + s, each is one of the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import sympy

from derive.expression import Axis, Delta, Element, Fresh, Index, Inside, substitute
from derive.functions import where
from derive.places import Division, Quotient, Remainder, linear_range, stays_on_axis

Factors = list[sympy.Expr]


def divides(deltas: Iterable[sympy.Expr], bound: Iterable[Index]) -> bool:
    """Whether one of these letters is divided in a delta; a number that is read is no letter."""
    nodes = [node for delta in deltas for node in delta.atoms(Division)]
    return any(node.free_symbols & {*bound} and not node.has(Element) for node in nodes)


def split(
    bound: Sequence[Index],
    factors: Factors,
    breaks: Callable[[Index, sympy.Expr], bool],
    fresh: Fresh,
) -> tuple[Index, list[Index], Factors] | None:
    """A letter that is divided in a delta, the two letters it is made of, and the new factors.

    None where none is, and where `breaks` says that a factor has no value beyond its axis.
    """
    for node in _divided(factors):
        found = _single(node.position, bound)
        if found is None:
            continue
        index, sign, number = found
        by, span = node.divisor, linear_range(node.position)
        assert span is not None  # the length of the letter is known
        first, last = span[0] // by, span[1] // by
        often = fresh(_part(index, f"{index.axis.name}//{by}", last - first + 1))
        left = fresh(_part(index, f"{index.axis.name}%{by}", by))
        made = [left] if first == last else [often, left]
        places = by * (first + (often if often in made else 0)) + left
        solution = sympy.expand(sign * (places - number))
        safe = stays_on_axis(solution, index.axis.size)
        if not safe and breaks(index, solution):
            continue
        moved = [substitute(factor, {index: solution}, fresh) for factor in factors]
        guards = [] if safe else [Inside(solution, index.axis.size)]
        return index, made, [*moved, *guards]
    return None


def _part(index: Index, name: str, size: int) -> Index:
    return Index(index.name, Axis(name, sympy.Integer(size)))


def _divided(factors: Sequence[sympy.Expr]) -> Iterator[Division]:
    """The divisions in deltas, the largest divisor first; then in choices that are else zero."""
    choices = [f for f in factors if isinstance(f, where) and f.args[2] == 0]
    tests = [choice.args[0] for choice in choices]
    for each in (factors, tests):
        nodes = {node for f in each if isinstance(f, Delta) for node in f.atoms(Division)}
        yield from sorted(nodes, key=lambda node: (-node.divisor, str(node)))


def _single(position: sympy.Expr, bound: Sequence[Index]) -> tuple[Index, int, sympy.Expr] | None:
    """The letter, its sign and the number of a position `number ± letter`."""
    number, term = position.as_coeff_Add()
    share, index = term.as_coeff_Mul()
    known = isinstance(index, Index) and index in bound and index.axis.size.is_Integer
    return (index, int(share), number) if known and abs(share) == 1 else None


def in_digits(factors: Factors, bound: Sequence[Index], multiples: bool = False) -> Factors | None:
    """The factors with one delta as two: of its lowest digit, and of those above it.

    With `multiples` also where the lowest digit is always 0, as in `2*i + 1`.
    """
    for k, factor in enumerate(factors):
        if isinstance(factor, Delta):
            two = _lowest_apart(factor, bound, multiples)
            if two is not None:
                return [*factors[:k], *two, *factors[k + 1 :]]
    return None


def _lowest_apart(
    delta: Delta, bound: Sequence[Index], multiples: bool
) -> tuple[sympy.Expr, sympy.Expr] | None:
    difference = sympy.expand(delta.args[0] - delta.args[1])
    terms = [t for t in sympy.Add.make_args(difference) if t.free_symbols & {*bound}]
    shares = [int(term.as_coeff_Mul()[0]) for term in terms]
    if not shares or len({share > 0 for share in shares}) > 1:
        return None
    sign = 1 if shares[0] > 0 else -1
    place = sympy.expand(sympy.Add(*terms) * sign - difference * sign)
    for by in sorted({abs(share) for share in shares} - {1}):
        high = [t * sign / by for t, share in zip(terms, shares, strict=True) if share % by == 0]
        low = [t * sign for t, share in zip(terms, shares, strict=True) if share % by]
        ends = linear_range(sympy.Add(*low))
        if (low or multiples) and ends is not None and ends[0] >= 0 and ends[1] < by:
            above = Delta(sympy.Add(*high), Quotient(place, by))
            return above, Delta(Remainder(place, by), sympy.Add(*low))
    return None
