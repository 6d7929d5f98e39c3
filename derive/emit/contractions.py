"""Sums of products of two tables as products of matrices: the rows, the columns, how far apart.

A letter of the sum that both tables have is summed over; one of the result that only one of them
has counts rows or columns. Letters that run together in every table count as one. What is left
over (samples, heads, letters whose places do not run together) is looped over outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import sympy

from derive.emit.tree import Constant, How, Loop, Node, Number, Product, Read, Reduce
from derive.emit.windows import flat
from derive.expression import Axis, Index
from derive.places import linear, stays_on_axis

SMALLEST = 1024  # multiplications: below that, a call costs more than it saves
NARROWEST = 4  # columns
Range = tuple[int, int]
Strides = Mapping[Index, int]


@dataclass(frozen=True)
class Matrix:
    """A table read at some places, and how far apart its entries are along each letter."""

    read: Read
    strides: Strides


@dataclass(frozen=True)
class Run:
    """Letters that run together: how many places there are, and the first of each letter."""

    letters: tuple[Index, ...]
    count: int

    def step(self, matrix: Matrix) -> int:
        """How far apart two places are in a table."""
        return min(matrix.strides[letter] for letter in self.letters)


@dataclass(frozen=True)
class Contraction:
    """`result += scale * left * right`, for all values of the letters of `outer`.

    `first` is where each letter begins: where a table ends before, there is nothing to be added.
    `guards` must hold for the letters that are fixed.
    """

    scale: Node
    left: Matrix
    right: Matrix
    result: Matrix
    rows: Run
    columns: Run
    depth: Run
    outer: tuple[tuple[Index, Range], ...]
    first: Mapping[Index, int]
    guards: tuple[tuple[sympy.Expr, Axis], ...]


def contraction(
    term: Node, result: Read, fixed: frozenset[Index], whole: Iterable[str]
) -> Contraction | None:
    """A term as a product of matrices; None if it is none, or one too small.

    `fixed` letters have a value already; tables called as in `whole` hold no real numbers.
    """
    parts = _parts(term)
    if parts is None:
        return None
    loops, (left, right), scale = parts
    if {left.name, right.name} & {*whole}:
        return None
    found = _Places(fixed)
    matrices = [found.matrix(read) for read in (left, right, result)]
    if None in matrices:
        return None
    one, other, target = (each for each in matrices if each is not None)
    free = [i for i in target.strides if i not in fixed]
    bound = [loop.index for loop in loops]
    if not free or any(found.size(i) < 1 for i in (*free, *bound)):
        return None
    last = min(free, key=lambda i: target.strides[i])
    if last in one.strides:
        one, other = other, one
    return _arranged(scale, (one, other, target), (free, bound, last), found)


def _arranged(
    scale: Node,
    matrices: tuple[Matrix, Matrix, Matrix],
    letters: tuple[list[Index], list[Index], Index],
    found: _Places,
) -> Contraction | None:
    left, right, target = matrices
    free, bound, last = letters
    rows = [i for i in free if i in left.strides and i not in right.strides]
    columns = [i for i in free if i in right.strides and i not in left.strides]
    shared = [i for i in free if i in right.strides and i in left.strides]
    depth = [i for i in bound if i in left.strides and i in right.strides]
    known = {*left.strides, *right.strides} <= {*free, *bound}
    complete = len(rows) + len(columns) + len(shared) == len(free) and len(depth) == len(bound)
    if not known or not complete or last not in columns or not rows or not depth:
        return None
    if target.strides[last] != 1:
        return None
    wide = found.run(last, columns, (right, target))
    tall = found.longest(rows, (left, target))
    deep = found.longest(depth, (left, right))
    size = tall.count * wide.count * deep.count
    if size < SMALLEST or wide.count < NARROWEST or min(tall.count, deep.count) < 2:
        return None
    inside = {*wide.letters, *tall.letters, *deep.letters}
    outer = tuple((i, found.ranges[i]) for i in (*free, *bound) if i not in inside)
    first = {i: found.ranges[i][0] for i in inside}
    return Contraction(
        scale, left, right, target, tall, wide, deep, outer, first, tuple(found.guards)
    )


def _parts(term: Node) -> tuple[list[Loop], tuple[Read, Read], Node] | None:
    """The loops of a sum, its two tables, and the numbers that it is multiplied by."""
    outside = term if isinstance(term, Product) else Product((term,))
    sums = [f for f in outside.above if isinstance(f, Reduce) and f.how is How.TOTAL]
    if len(sums) != 1:
        return None
    loops, factors, below = flat(sums[0])
    others = [f for f in outside.above if f is not sums[0]]
    scale = [f for f in (*factors, *others) if isinstance(f, Number | Constant)]
    tables = [f for f in factors if isinstance(f, Read)]
    under = (*below, *outside.below)
    if len(tables) != 2 or len(scale) + 2 != len(factors) + len(others):
        return None
    if not all(isinstance(each, Number | Constant) for each in under):
        return None
    if scale or under:
        return loops, (tables[0], tables[1]), Product(tuple(scale) or (Number(1),), under)
    return loops, (tables[0], tables[1]), Number(1)


@dataclass
class _Places:
    """From where to where each letter runs, and what must hold for the fixed ones."""

    fixed: frozenset[Index]
    ranges: dict[Index, Range] = field(default_factory=dict)
    guards: list[tuple[sympy.Expr, Axis]] = field(default_factory=list)

    def matrix(self, read: Read) -> Matrix | None:
        """How far apart the entries of a table are; None if its places are not like that."""
        strides: dict[Index, int] = {}
        away = prod(axis.length for axis in read.axes)
        for position, axis in zip(read.indices, read.axes, strict=True):
            away //= axis.length
            place = linear(position)
            if place is None or not self._is_within(position, place, axis):
                return None
            for letter, step in place[1].items():
                if letter not in self.fixed:
                    strides[letter] = strides.get(letter, 0) + step * away
                    self.ranges.setdefault(letter, (0, letter.axis.length))
        return Matrix(read, strides) if all(each > 0 for each in strides.values()) else None

    def _is_within(
        self, position: sympy.Expr, place: tuple[int, Mapping[Index, int]], axis: Axis
    ) -> bool:
        """Whether the places are on their axis, if need be after a letter runs less far."""
        start, steps = place
        if stays_on_axis(position, axis.size):
            return True
        if steps.keys() <= self.fixed:
            self.guards.append((position, axis))
            return True
        if len(steps) != 1 or set(steps.values()) != {1}:
            return False
        letter = next(iter(steps))
        low, high = self.ranges.get(letter, (0, letter.axis.length))
        self.ranges[letter] = max(low, -start), min(high, axis.length - start)
        return True

    def size(self, letter: Index) -> int:
        low, high = self.ranges.get(letter, (0, letter.axis.length))
        return high - low

    def run(self, start: Index, letters: Sequence[Index], matrices: Sequence[Matrix]) -> Run:
        """All letters that run together with one of them in some tables."""
        letters, found = [i for i in letters if i != start], Run((start,), self.size(start))
        while (another := next(self._beside(found, letters, matrices), None)) is not None:
            letters.remove(another)
            found = Run((*found.letters, another), found.count * self.size(another))
        return found

    def _beside(
        self, run: Run, letters: Iterable[Index], matrices: Sequence[Matrix]
    ) -> Iterator[Index]:
        for letter in letters:
            pairs = [(run.step(matrix), matrix.strides[letter]) for matrix in matrices]
            after = all(own * run.count == other for own, other in pairs)
            before = all(own == other * self.size(letter) for own, other in pairs)
            if after or before:
                yield letter

    def longest(self, letters: Sequence[Index], matrices: Sequence[Matrix]) -> Run:
        return max((self.run(i, letters, matrices) for i in letters), key=lambda run: run.count)
