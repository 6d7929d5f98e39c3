"""Windows: sums whose positions are linear in several letters, brought to a form without grids.

The adjoint of a window reads `K[d + p - s*u]`, or asks whether `d - s*u` lies in the window, for
every place d and every window u. What is zero outside its axis needs no such search. Where d is a
letter of the result, the place r in the window becomes a letter too: the sum is what is computed
for every u and r, laid on the places `d = s*u + r - p`. Otherwise r takes the place of a letter u
of the sum, and what was read at u is read at a place linear in r and d.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from derive.emit.tree import (
    Change,
    Constant,
    Fold,
    How,
    Laid,
    Loop,
    Node,
    Number,
    Product,
    Read,
    Reduce,
    Same,
    Within,
    moved,
    positions_of,
    rebuilt,
    walk,
)
from derive.expression import Axis, Index
from derive.places import linear

PAIR = 2


def is_mixed_radix(start: int, terms: list[tuple[int, int]], size: int) -> bool:
    """Whether (count, step), the largest step first, meet every place of an axis once, in order."""
    reach = 1
    for count, step in reversed(terms):
        if step != reach:
            return False
        reach *= count
    return start == 0 and reach == size


def without_grids(node: Node) -> Node:
    """A tree in which sums over windows are folds, or sums over the places of the window."""
    if isinstance(node, Reduce) and node.how is How.TOTAL:
        return _summed(*flat(node))
    return rebuilt(node, without_grids, lambda position: position)


def spread(term: Node) -> Node:
    """A term without grids; numbers that multiply a fold stand within it."""
    found = without_grids(term)
    if not isinstance(found, Product):
        return found
    folds = [each for each in found.above if isinstance(each, Fold)]
    others = tuple(each for each in found.above if not isinstance(each, Fold))
    if len(folds) != 1 or not all(
        isinstance(n, Number | Constant) for n in (*others, *found.below)
    ):
        return found
    return Fold(Product((*others, folds[0].body), found.below), folds[0].places)


def flat(node: Reduce) -> tuple[list[Loop], list[Node], tuple[Node, ...]]:
    """Loops, factors and divisors of a sum; sums among its factors are part of it."""
    body = node.body if isinstance(node.body, Product) else Product((node.body,))
    loops, factors, below = list(node.loops), list(body.above), body.below
    place = 0
    while place < len(factors):
        factor = factors[place]
        others = [
            part for k, other in enumerate((*factors, *below)) if k != place for part in walk(other)
        ]
        if isinstance(factor, Product) and not factor.below:
            factors[place : place + 1] = factor.above
        elif (
            isinstance(factor, Reduce)
            and factor.how is How.TOTAL
            and _is_apart(factor, others, loops)
        ):
            loops += factor.loops
            factors[place : place + 1] = [factor.body]
        else:
            place += 1
    return loops, factors, below


def _is_apart(inner: Reduce, others: list[Node], loops: list[Loop]) -> bool:
    """Whether the letters of a sum stand nowhere outside it."""
    own = {loop.index for loop in inner.loops}
    used = {letter for part in others for p in positions_of(part) for letter in p.free_symbols}
    bound = {loop.index for part in others if isinstance(part, Reduce) for loop in part.loops}
    return not own & (used | bound | {loop.index for loop in loops})


def _summed(loops: list[Loop], factors: list[Node], below: tuple[Node, ...]) -> Node:
    """A sum over loops as a fold of a sum, or as a sum over other letters."""
    state = _Sum(tuple(loops), tuple(factors), below)
    while (changed := _changed(state)) is not None:
        state = changed
    body = _joined(
        [without_grids(each) for each in state.factors], tuple(map(without_grids, below))
    )
    for loop in reversed(state.loops):
        body = Reduce(How.TOTAL, body, (loop,))
    return Fold(body, state.places) if state.places else body


def _changed(state: _Sum) -> _Sum | None:
    """The sum without one of its guards; None if nothing is to be gained."""
    for position, axis in _guards(state.factors):
        bound = [loop for loop in state.loops if position.has(loop.index)]
        ways = (_exchanged, _laid) if axis.size == len(bound) == 1 else (_laid, _exchanged)
        for way in ways:
            found = way(state, position, axis)
            if found is not None:
                return found
    return None


def _letter(position: sympy.Expr, axis: Axis) -> sympy.Expr:
    """The place on an axis as a letter, which is called what it means."""
    return sympy.S.Zero if axis.size == 1 else Index(str(position), axis)


def _laid(state: _Sum, position: sympy.Expr, axis: Axis) -> _Sum | None:
    """A free letter as what it is for each letter of the sum and each place in the window."""
    found = linear(position)
    loops = {loop.index: loop for loop in state.loops}
    if found is None or not any(index in loops for index in found[1]):
        return None
    start, steps = found
    free = [index for index in steps if index not in loops]
    if len(free) != 1 or abs(steps[free[0]]) != 1:
        return None
    sign = steps[free[0]]
    place = _letter(position, axis)
    terms = [(loops[index], -sign * step) for index, step in steps.items() if index in loops]
    if isinstance(place, Index):
        terms.append((Loop(place, axis), sign))
    terms.sort(key=lambda term: (-term[1], -term[0].axis.length))
    laid = Laid(free[0], -sign * start, tuple(terms))
    if any(step < 1 for _, step in terms) or not is_laid(laid):
        return None
    value = laid.start + sum(step * loop.index for loop, step in terms)
    spent = {loop.index for loop, _ in terms}
    rest = tuple(loop for loop in state.loops if loop.index not in spent)
    next_ = state.moved(position, lambda p: place if p == position else p, rest, (laid,))
    if free[0] not in next_.letters:
        return next_
    if not is_radix(laid):
        return None
    return next_.moved(None, lambda p: sympy.expand(p.xreplace({free[0]: value})), rest, ())


def _exchanged(state: _Sum, position: sympy.Expr, axis: Axis) -> _Sum | None:
    """The place in the window as a letter of the sum, in place of one that runs further."""
    found = linear(position)
    if found is None:
        return None
    place = _letter(position, axis)
    for loop in state.loops:
        step = found[1].get(loop.index, 0)
        if abs(step) != 1 or loop.axis.length <= axis.length or not state.is_bare(loop):
            continue
        value = sympy.expand(loop.index + (place - position) / step)
        rest = tuple(each for each in state.loops if each is not loop)
        new = (Loop(place, axis),) if isinstance(place, Index) else ()

        def change(
            each: sympy.Expr, index: Index = loop.index, to: sympy.Expr = value
        ) -> sympy.Expr:
            return place if each == position else sympy.expand(each.xreplace({index: to}))

        return state.moved(position, change, (*rest, *new), ())
    return None


@dataclass(frozen=True)
class _Sum:
    """A sum on the way: its loops, its factors, its divisors, and what is laid out already."""

    loops: tuple[Loop, ...]
    factors: tuple[Node, ...]
    below: tuple[Node, ...]
    places: tuple[Laid, ...] = ()

    @property
    def letters(self) -> set[sympy.Basic]:
        nodes = (part for each in (*self.factors, *self.below) for part in walk(each))
        return {letter for node in nodes for p in positions_of(node) for letter in p.free_symbols}

    def is_bare(self, loop: Loop) -> bool:
        """Whether the sum may run further: beyond the axis of the loop a factor is zero."""
        plain = False
        for factor in self.factors:
            if used_in(loop.index, factor) and not isinstance(factor, Read | Within | Same):
                return False
            if isinstance(factor, Read):
                pairs = zip(factor.indices, factor.axes, strict=True)
                plain |= any(p == loop.index and a.size == loop.axis.size for p, a in pairs)
        return plain and not any(used_in(loop.index, each) for each in self.below)

    def moved(
        self,
        position: sympy.Expr | None,
        change: Change,
        loops: tuple[Loop, ...],
        laid: tuple[Laid, ...],
    ) -> _Sum:
        """The sum with other loops and positions, without what only guards this position."""
        factors = [each for each in self.factors if not _is_guard(each, position)]
        return _Sum(
            loops,
            tuple(moved(each, change) for each in factors),
            tuple(moved(each, change) for each in self.below),
            (*self.places, *laid),
        )


def used_in(index: Index, node: Node) -> bool:
    """Whether a letter stands in a position of a tree."""
    return any(p.has(index) for part in walk(node) for p in positions_of(part))


def is_radix(laid: Laid) -> bool:
    """Whether the letters of a fold meet every place once, in order, so that it is a reshape."""
    terms = [(loop.axis.length, step) for loop, step in laid.terms]
    return is_mixed_radix(laid.start, terms, laid.index.axis.length)


def is_laid(laid: Laid) -> bool:
    """Whether a fold can be written: as a reshape, or as slices for each place in a window."""
    return len(laid.terms) <= PAIR or is_radix(laid)


def _joined(factors: list[Node], below: tuple[Node, ...]) -> Node:
    if len(factors) == 1 and not below:
        return factors[0]
    return Product(tuple(factors) or (Number(1),), below)


def _is_guard(factor: Node, position: sympy.Expr | None) -> bool:
    """Whether a factor only says that a position is on its axis; it then is, and is left out."""
    match factor:
        case Within():
            return bool(factor.position == position)
        case Same():
            return bool(factor.left - factor.right == position)
    return False


def _guards(factors: tuple[Node, ...]) -> Iterator[tuple[sympy.Expr, Axis]]:
    """Positions outside whose axis one of the factors is zero."""
    for factor in factors:
        match factor:
            case Read():
                for position, axis in zip(factor.indices, factor.axes, strict=True):
                    if not _is_plain(position):
                        yield position, axis
            case Within():
                yield factor.position, Axis("window", sympy.Integer(factor.size))
            case Same() if not _is_eye(factor):
                yield factor.left - factor.right, Axis("place", sympy.Integer(1))


def _is_eye(node: Same) -> bool:
    """Whether this is an entry of an identity matrix."""
    left, right = node.left, node.right
    letters = [side for side in (left, right) if isinstance(side, Index)]
    return _is_plain(left) and _is_plain(right) and len({i.axis.size for i in letters}) == 1


def _is_plain(position: sympy.Expr) -> bool:
    return isinstance(position, Index) or bool(position.is_Integer)
