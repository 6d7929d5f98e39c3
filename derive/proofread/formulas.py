"""Judges formulas of derivatives by what stands behind a document, and says what is wrong in one.

Both sides are computed at a few points in general position. There nothing is equal by chance: two
sides that agree say the same, and a change that makes a wrong side agree is what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import combinations, permutations

import sympy

from derive.proofread.behind import (
    POINTS,
    Behind,
    Point,
    above,
    below,
    family,
    is_derivative,
    points,
    same,
)
from derive.proofread.claim import Claim, Item
from derive.proofread.formula import real_symbol
from derive.proofread.values import FAILURES

MOST_PATHS = 5
MANY_NAMES = 300  # of a network; of a larger one those are tried that are near
MOST_CHANGES = 400  # of one formula
LARGEST = 64  # times the derivative, or that part of it
Numbers = list[Fraction]


def wrong_formulas(items: Sequence[Item], network: Behind, sure: bool = False) -> dict[int, str]:
    """What is wrong with the formulas of derivatives of a document, by their places in it."""
    at = list(points(network))
    found = {
        place: wrong_formula(item, at, sure)
        for place, item in enumerate(items)
        if isinstance(item, Claim)
    }
    return {place: words for place, words in found.items() if words}


def wrong_formula(claim: Claim, points: Iterable[Point], sure: bool = False) -> str | None:
    """What is wrong with a formula that a claim states of a derivative; None if nothing is found.

    If the network behind it is `sure`, a side that differs is wrong even where it is not known why.
    """
    if not sure and not (claim.lhs.is_Symbol and is_derivative(claim.lhs.name)):
        return None
    sides = [claim.lhs, *(form for form in claim.forms if form.free_symbols)]
    usable = _usable(sides, points)
    if usable is None:
        return None
    first, *others = sides
    true = _at(first, usable)
    for other in others:
        found = _at(other, usable)
        if not _equal(found, true):
            words = _reason(first, other, true, found, usable)
            return words or ("the two sides are not the same" if sure else None)
    return None


def _usable(sides: Sequence[sympy.Expr], points: Iterable[Point]) -> list[Point] | None:
    """The first points at which all sides have values; None if there are none of some side."""
    usable: list[Point] = []
    for point in points:
        with suppress(*FAILURES):
            if any(point.of(side) is None for side in sides):
                return None
            usable.append(point)
        if len(usable) == POINTS:
            return usable
    return None


def _at(side: sympy.Expr, points: Iterable[Point]) -> Numbers:
    found = [point.of(side) for point in points]
    return [value for value in found if value is not None]


def _equal(left: Numbers, right: Numbers) -> bool:
    return len(left) == len(right) and all(map(same, left, right))


def _reason(
    lhs: sympy.Expr, side: sympy.Expr, true: Numbers, found: Numbers, points: list[Point]
) -> str:
    """The one change that makes a side right, in words; nothing if there is none."""
    return (
        multiple(found, true)
        or _missing_path(lhs, true, found, points)
        or _wrong_factor(true, found, points, _concerned(lhs, points[0].network))
        or _wrong_name(side, true, points)
        or _wrong_number(side, true, points)
    )


def _concerned(lhs: sympy.Expr, network: Behind) -> list[str]:
    """The names that may have to do with a formula: all of them, or those on its way if many."""
    if len(network.names) <= MANY_NAMES or not lhs.is_Symbol:
        return network.names[:MANY_NAMES]
    of, by = above(lhs.name) or lhs.name, below(lhs.name)
    way = network.made_of(of) & network.part_of(by) if by else {of}
    near = [name for each in sorted(way)[:MANY_NAMES] for name in (each, *network.reads(each))]
    return list(dict.fromkeys(near))[:MANY_NAMES]


def multiple(found: Numbers, true: Numbers) -> str:
    """What a side is too many times, if it is that everywhere."""
    if not all(found) or not all(true):
        return ""
    ratio = (found[0] / true[0]).limit_denominator(LARGEST)
    if ratio == 1 or not ratio or max(abs(ratio.numerator), ratio.denominator) > LARGEST:
        return ""
    if not _equal(found, [ratio * value for value in true]):
        return ""
    if ratio == -1:
        return "the sign is the other one"
    return f"it is {ratio} times the derivative"


def _missing_path(lhs: sympy.Expr, true: Numbers, found: Numbers, points: list[Point]) -> str:
    """Paths that a sum over all of them leaves out, where they part at what the name makes."""
    if not lhs.is_Symbol or not is_derivative(lhs.name):
        return ""
    of, by = above(lhs.name), below(lhs.name)
    network = points[0].network
    way = network.made_of(of) & network.part_of(by)
    for fork in sorted(way, key=lambda name: network.order.get(name, -1)):
        readers = network.between(fork, of)
        if not 1 < len(readers) <= MOST_PATHS:
            continue
        for missing, shares in _left_out(of, fork, by, readers, points):
            if _equal(found, [a - b for a, b in zip(true, shares, strict=True)]):
                are = ("path", "is") if len(missing) == 1 else ("paths", "are")
                return f"the {are[0]} through {' and '.join(missing)} {are[1]} missing"
    return ""


def _left_out(
    of: str, fork: str, by: str, readers: Sequence[str], points: list[Point]
) -> Iterator[tuple[tuple[str, ...], Numbers]]:
    """Some of the readers of a fork, and what comes to the derivative through these."""
    shares: dict[str, Numbers] = {}
    for name in readers:
        down, up = _share(of, name, fork, points), _slopes(fork, by, points)
        if down is None or up is None:
            return
        shares[name] = [a * b for a, b in zip(down, up, strict=True)]
    for count in range(1, len(readers)):
        for missing in combinations(readers, count):
            yield missing, [sum(parts) for parts in zip(*[shares[n] for n in missing], strict=True)]


def _share(of: str, through: str, by: str, points: list[Point]) -> Numbers | None:
    """What comes to a derivative through one formula that reads the name."""
    outer = _slopes(of, through, points)
    if outer is None:
        return None
    return [a * point.local(through, by) for a, point in zip(outer, points, strict=True)]


def _slopes(of: str, by: str, points: list[Point]) -> Numbers | None:
    """A derivative at all points; None if there is none."""
    if of == by:
        return [Fraction(1)] * len(points)
    found = [value for point in points if (value := point.value(f"∂{of}/∂{by}")) is not None]
    return found if len(found) == len(points) else None


def _wrong_name(side: sympy.Expr, true: Numbers, points: list[Point]) -> str:
    """A name in a side in whose place another one stands in what is right."""
    for name, other in _exchanges(side, points[0]):
        changed = _renamed(side, {name: other})
        with suppress(*FAILURES):
            if _equal(_at(changed, points), true):
                return f"it is right with {other} in place of {name}"
    return ""


def _exchanges(side: sympy.Expr, point: Point) -> Iterator[tuple[str, str]]:
    """Names of a side, each with others that may be meant: of the same kind, or next to it."""
    network = point.network
    known = network.names
    count = 0
    for name in sorted(symbol.name for symbol in side.free_symbols):
        parts = (above(name), below(name)) if is_derivative(name) else (name,)
        for part in parts:
            for other in _kin(part, known, network.reads):
                changed = _replaced(name, part, other)
                count += 1
                if count > MOST_CHANGES:
                    return
                yield name, changed


def _replaced(name: str, part: str, other: str) -> str:
    if not is_derivative(name):
        return other
    of, by = above(name), below(name)
    return f"∂{other if part == of else of}/∂{other if part == by else by}"


def _kin(name: str, known: Sequence[str], reads: Callable[[str], frozenset[str]]) -> Iterator[str]:
    """Names that differ by their numbers only, what a name is made of, and what is made of it."""
    own = family(name)
    for other in known:
        if other != name and (family(other) == own or other in reads(name) or name in reads(other)):
            yield other


def _wrong_number(side: sympy.Expr, true: Numbers, points: list[Point]) -> str:
    """A side, or a factor of it, whose names have the number of another unit, sample or layer."""
    for part in dict.fromkeys((side, *sympy.Mul.make_args(side))):
        names = sorted(symbol.name for symbol in part.free_symbols)
        for renumbered in _renumbered(names, _numbers(points[0])):
            changes = {name: new for name, new in renumbered.items() if new != name}
            if len(changes) < 2:
                continue  # one name alone has been tried
            with suppress(*FAILURES):
                if _equal(_at(side.xreplace({part: _renamed(part, changes)}), points), true):
                    told = ", ".join(changes)
                    return f"it is right with {', '.join(changes.values())} in place of {told}"
    return ""


def _renumbered(names: Sequence[str], numbers: Sequence[str]) -> Iterator[dict[str, str]]:
    """Names with one number in place of another, or with two numbers exchanged."""
    for old, new in permutations(numbers, 2):
        yield {name: _numbered(name, {old: new}) for name in names}
        if old < new:
            yield {name: _numbered(name, {old: new, new: old}) for name in names}


def _numbers(point: Point) -> list[str]:
    """The numbers that stand in names."""
    return sorted({number for name in point.network.names for number in re.findall(r"\d+", name)})


def _numbered(name: str, change: Mapping[str, str]) -> str:
    return re.sub(r"\d+", lambda found: change.get(found[0], found[0]), name)


def _renamed(expression: sympy.Expr, names: Mapping[str, str]) -> sympy.Expr:
    return expression.xreplace({real_symbol(a): real_symbol(b) for a, b in names.items()})


def _wrong_factor(true: Numbers, found: Numbers, points: list[Point], names: Sequence[str]) -> str:
    """A value, or a derivative of one formula, by which a side is too little or too much.

    With it a number may be wrong, too.
    """
    if not all(found) or not all(true):
        return ""
    second = ""
    for words, values in _factors(points, names):
        if len(values) < len(points) or not all(values):
            continue
        missing = [other * value for other, value in zip(found, values, strict=True)]
        beside = [other / value for other, value in zip(found, values, strict=True)]
        for made, what in ((missing, "missing"), (beside, "one too many")):
            if _equal(made, true):
                return f"the factor {words} is {what}"
            if not second and (also := multiple(made, true)):
                second = f"the factor {words} is {what}, and {also}"
    return second


def _factors(points: list[Point], names: Sequence[str]) -> Iterator[tuple[str, Numbers]]:
    """What may be a factor of a chain rule: values, and derivatives of neighbours."""
    network = points[0].network
    for name in names:
        with suppress(*FAILURES):
            yield name, _at(real_symbol(name), points)
    for name in names:
        for read in sorted(network.reads(name)):
            with suppress(*FAILURES):
                yield f"∂{name}/∂{read}", [point.local(name, read) for point in points]
