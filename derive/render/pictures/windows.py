"""Windows: which equations move one over a tensor, as their positions say.

A window has the positions `step*u + spread*r + start`, where u is a letter of the result and r one
that is summed over, or among whose values the largest is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import sympy

from derive.expression import Element, Index, Largest, Total
from derive.functions import where
from derive.graph import Equation, Graph, Role
from derive.places import linear

MOST_SIDES = 2
Place = tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """An axis over which a window moves, and how positions in the window lie on it.

    `large`, `small` and `kernel` are its places among the axes of the tensors; there may be a
    single window along it, and nothing that a window is multiplied with.
    """

    size: int
    results: int
    length: int
    step: int
    spread: int
    start: int
    large: int
    small: int | None
    kernel: int | None

    def at(self, out: int, within: int) -> int:
        """A position of one window; outside of the axis it is one of the padding."""
        return self.step * out + self.spread * within + self.start

    @property
    def reach(self) -> range:
        """All positions that are read, and those of the axis."""
        ends = [self.at(u, r) for u in (0, self.results - 1) for r in (0, self.length - 1)]
        return range(min(0, *ends), max(self.size - 1, *ends) + 1)


@dataclass(frozen=True)
class Window:
    """An equation that moves a window over a tensor, the `large` one, with a result for each stop.

    Of a transposed one the `large` tensor is the result, and the `small` one is read. `largest` is
    the maximum that is taken of a window, if it is not summed; `others` are summed over as well.
    `plain` is one to which nothing else is done but that a number multiplies it or terms are added.
    """

    equation: Equation
    large: Element
    small: Element
    kernel: Element | None
    sides: tuple[Side, ...]
    largest: Largest | None
    others: tuple[Index, ...]
    plain: bool

    @property
    def guarded(self) -> bool:
        """Whether what lies beyond an edge takes no part in the maximum."""
        return self.largest is not None and not isinstance(self.largest.body, Element)

    @property
    def transposed(self) -> bool:
        """Whether the large tensor is the one that is computed."""
        return self.large == self.equation.lhs


def window_of(graph: Graph, equation: Equation) -> Window | None:
    """The window of an equation; None if it has none, or one that moves over more than two axes."""
    found = [_Reading(graph, equation, node).window() for node in _outermost(equation.rhs)]
    known = [window for window in found if window is not None]
    return known[0] if len(known) == 1 and len(known[0].sides) <= MOST_SIDES else None


def _outermost(expr: sympy.Expr) -> Iterator[sympy.Expr]:
    """Sums and maxima that stand in no other one."""
    if isinstance(expr, Total | Largest):
        yield expr
    elif not isinstance(expr, Element):
        for argument in expr.args:
            yield from _outermost(argument)


@dataclass(frozen=True)
class _Move:
    """A position `step*out + spread*within + start`, at a place of a tensor that is read."""

    place: int
    out: Index | None
    within: Index
    step: int
    spread: int
    start: int


@dataclass(frozen=True)
class _Reading:
    """A sum or a maximum in an equation."""

    graph: Graph
    equation: Equation
    node: sympy.Expr

    def window(self) -> Window | None:
        """The window that it is about, if it is about one."""
        letters, factors = _opened(self.node)
        read = [f for f in factors if isinstance(f, Element)]
        if len(read) < len(factors) or not 0 < len(read) <= 2:
            return None
        for each in read:
            moves = list(self._moves(each, letters))
            if moves and None not in moves:
                known = [move for move in moves if move is not None]
                other = next((f for f in read if f is not each), None)
                return self._window(each, other, known, letters)
        return None

    def _moves(self, read: Element, letters: tuple[Index, ...]) -> Iterator[_Move | None]:
        """What moves along the axes of a tensor; None for what is no plain window."""
        whole = isinstance(self.node, Largest)
        for place, position in enumerate(read.indices):
            own = [i for i in position.free_symbols if i in self.equation.indices]
            inner = [i for i in position.free_symbols if i in letters]
            if not (own and inner) and not (whole and position in letters):
                continue
            steps = linear(position)
            if steps is None or len(own) > 1 or len(inner) > 1:
                yield None
                return
            start, by = steps
            out = own[0] if own else None
            yield _Move(place, out, inner[0], by[out] if out else 0, by[inner[0]], start)

    def _window(
        self,
        read: Element,
        other: Element | None,
        moves: list[_Move],
        letters: tuple[Index, ...],
    ) -> Window | None:
        """A window of one tensor, which is multiplied by another or not."""
        within = [move.within for move in moves]
        rest = tuple(letter for letter in letters if letter not in within)
        places = [] if other is None else [*other.indices]
        if len({*within}) < len(within) or (rest and other is None):
            return None
        if other is not None and any(places.count(letter) != 1 for letter in within):
            return None
        largest = self.node if isinstance(self.node, Largest) else None
        if other is not None and self._is_parameter(read) and not self._is_parameter(other):
            if any(move.out is None or abs(move.step) != 1 for move in moves):
                return None
            turned = tuple(self._turned(read, other, move) for move in moves)
            return Window(
                self.equation, self.equation.lhs, other, read, turned, None, rest, self._is_plain
            )
        if other is not None and any(move.out in other.free_symbols for move in moves):
            return None
        sides = tuple(self._side(read, other, move) for move in moves)
        result = self.equation.lhs
        return Window(self.equation, read, result, other, sides, largest, rest, self._is_plain)

    @property
    def _is_plain(self) -> bool:
        terms = sympy.Add.make_args(self.equation.rhs)
        return any(term.as_coeff_Mul()[1] == self.node for term in terms)

    def _is_parameter(self, read: Element) -> bool:
        return self.graph.quantities[read.name].role is Role.PARAMETER

    def _side(self, read: Element, other: Element | None, move: _Move) -> Side:
        out = move.out
        return Side(
            self.graph.quantities[read.name].axes[move.place].length,
            1 if out is None else out.axis.length,
            move.within.axis.length,
            move.step,
            move.spread,
            move.start,
            move.place,
            None if out is None else self.equation.indices.index(out),
            None if other is None else other.indices.index(move.within),
        )

    def _turned(self, kernel: Element, read: Element, move: _Move) -> Side:
        """The same from the side of what is read: a position in the kernel gives one of the result.

        It is `r = sign*u + spread*i + start`, so `u = sign*(r - spread*i - start)`.
        """
        assert move.out is not None
        sign = move.step
        return Side(
            move.out.axis.length,
            move.within.axis.length,
            self.graph.quantities[kernel.name].axes[move.place].length,
            -sign * move.spread,
            sign,
            -sign * move.start,
            self.equation.indices.index(move.out),
            read.indices.index(move.within),
            move.place,
        )


def _opened(node: sympy.Expr) -> tuple[tuple[Index, ...], list[sympy.Expr]]:
    """The letters of a maximum or of nested sums, and the factors in it that are no numbers."""
    if isinstance(node, Largest):
        return tuple(node.bound), [_unguarded(node.body)]
    letters: list[Index] = []
    factors: list[sympy.Expr] = [node]
    while len(inner := [f for f in factors if isinstance(f, Total)]) == 1:
        factors.remove(inner[0])
        letters.append(inner[0].index)
        factors += sympy.Mul.make_args(inner[0].body)
    return tuple(letters), [f for f in factors if not f.is_number]


def _unguarded(body: sympy.Expr) -> sympy.Expr:
    """What is compared where a position lies on its axis."""
    while isinstance(body, where) and not body.args[0].has(Element):
        branches = [branch for branch in body.args[1:] if branch.has(Element)]
        if len(branches) != 1:
            return body
        body = branches[0]
    return body


def in_slice(element: Element) -> Place:
    """Where an element stands when every letter is 0."""
    zero = {i: sympy.S.Zero for i in element.free_symbols if isinstance(i, Index)}
    return tuple(int(position.xreplace(zero)) for position in element.indices)


# --- what a picture shows ---------------------------------------------------------------------


def chosen_result(window: Window) -> Place:
    """The result that a picture is about: one that reads the padding, or one that is not first."""
    return tuple(0 if side.at(0, 0) < 0 or side.results == 1 else 1 for side in window.sides)


def positions(window: Window, result: Place) -> dict[Place, Place]:
    """Where a window stands: the positions of the large tensor, each with its place within."""
    return {
        tuple(s.at(u, r) for s, u, r in zip(window.sides, result, rs, strict=True)): rs
        for rs in product(*(range(side.length) for side in window.sides))
    }


def covering(window: Window, at: Place) -> dict[Place, Place]:
    """The windows that hold a position of the large tensor, each with its place within.

    Those outside of the range of results are named, too: nothing comes from them.
    """
    ways: list[dict[int, int]] = []
    for side, position in zip(window.sides, at, strict=True):
        rests = [(position - side.spread * r - side.start, r) for r in range(side.length)]
        if not side.step:
            rests = [(0, r) for rest, r in rests if rest == 0]
        by = side.step or 1
        ways.append({rest // by: r for rest, r in rests if rest % by == 0})
    return {
        tuple(us): tuple(way[u] for way, u in zip(ways, us, strict=True)) for us in product(*ways)
    }


def chosen_position(window: Window) -> Place:
    """The position that a picture is about: one that most windows hold, the first of them."""

    def count(at: Place) -> int:
        held = covering(window, at)
        return sum(
            all(0 <= u < s.results for u, s in zip(us, window.sides, strict=True)) for us in held
        )

    return max(product(*(range(side.size) for side in window.sides)), key=count)


def ordered(window: Window, ranked: Mapping[Index, int]) -> Place:
    """The place within a window where its maximum was found, in the order of its sides."""
    assert window.largest is not None
    large = window.large.indices
    letters = [
        next(i for i in large[side.large].free_symbols if i in window.largest.bound)
        for side in window.sides
    ]
    return tuple(ranked[letter] for letter in letters)
