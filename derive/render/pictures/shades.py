"""Tables as shades: the larger a number, the darker its cell; blue above zero, red below.

In print without colours the sign can still be seen: with numbers it stands before them, and without
them a cell below zero is struck through. Each table has a scale of its own below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest
from math import isfinite

from derive.render.drawing import WIDTH
from derive.render.pictures.drawn import Picture, Rect, Shape, Stroke, Words, joined
from derive.render.placement import SCRIPT_EM, Box, Point, text_width

MOST = 32  # rows or columns
WRITTEN = 6  # rows or columns of a table whose numbers are written
CELLS = (0.42, 0.32, 0.24, 0.18, 0.14)  # without numbers, the largest that fits
HIGH, AROUND = 0.46, 0.16  # of a cell with its number
STRONGEST = {True: 0.5, False: 0.92}  # so that numbers can be read
WEAKEST = 0.04
TITLE = 0.42
SCALE, STEPS = 0.16, 4  # the height of a scale, and its steps on either side of zero
UNDER = 0.62  # what a scale takes below its table
BESIDE, APART, BELOW = 0.45, 0.9, 0.35  # tables that belong together, others, and rows of them
TALLEST = 19.0


@dataclass(frozen=True)
class Cell:
    """A number, and as the page prints it."""

    value: float
    text: str


@dataclass(frozen=True)
class Shaded:
    """A table with its symbol; a cell that is masked is None. `most` is the largest number."""

    title: str
    rows: tuple[tuple[Cell | None, ...], ...]

    @cached_property
    def cells(self) -> list[Cell]:
        """Those that are not masked."""
        return [cell for row in self.rows for cell in row if cell is not None]

    @cached_property
    def most(self) -> Cell:
        """The one of the largest size."""
        return max(self.cells, key=lambda cell: abs(cell.value))

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Its rows and columns."""
        return len(self.rows), len(self.rows[0])

    @cached_property
    def below(self) -> bool:
        """Whether there are numbers below zero."""
        return any(cell.value < 0 for cell in self.cells)

    @cached_property
    def above(self) -> bool:
        """Whether there are numbers above zero."""
        return any(cell.value > 0 for cell in self.cells)

    def cell(self, side: float | None) -> Point:
        """How wide and how high a cell is: a square, or as wide as the longest number."""
        if side is not None:
            return side, side
        return self._longest + AROUND, HIGH

    @cached_property
    def _longest(self) -> float:
        """The width of the longest number."""
        return max(text_width(cell.text, SCRIPT_EM) for cell in self.cells)

    def wide(self, side: float | None) -> float:
        """How wide it is, with its title and its scale."""
        title = Words((0.0, 0.0), self.title, "title").box.width
        return max(self.shape[1] * self.cell(side)[0], title, self._scale)

    def high(self, side: float | None) -> float:
        """How high it is, with its title and its scale."""
        return TITLE + self.shape[0] * self.cell(side)[1] + UNDER

    @cached_property
    def _ends(self) -> tuple[str, str]:
        """What stands at the ends of the scale."""
        size = self.most.text.removeprefix("-")
        return f"-{size}" if self.below else "0", size if self.above else "0"

    @cached_property
    def _scale(self) -> float:
        """The width of the scale with its numbers."""
        return self._bar + sum(text_width(end, SCRIPT_EM) + AROUND for end in self._ends)

    @cached_property
    def _bar(self) -> float:
        return SCALE * (STEPS * (self.below + self.above) + 1)

    # --- strokes --------------------------------------------------------------------------------

    def drawn(self, corner: Point, side: float | None) -> Picture:
        """The table below its upper left corner; with its numbers if its cells have no side."""
        return Picture(tuple(self._shapes(corner, side)))

    def _shapes(self, corner: Point, side: float | None) -> Iterator[Shape]:
        wide, cell, numbers = self.wide(side), self.cell(side), side is None
        middle, top = corner[0] + wide / 2, corner[1] - TITLE
        left = middle - self.shape[1] * cell[0] / 2
        yield Words((middle, corner[1] - TITLE / 2 + 0.04), self.title, "title")
        for i, row in enumerate(self.rows):
            for j, each in enumerate(row):
                if each is not None:
                    centre = (left + (j + 0.5) * cell[0], top - (i + 0.5) * cell[1])
                    yield from self._cell(each, Box(centre, *cell), numbers)
        low = top - self.shape[0] * cell[1]
        yield from self._scaled((middle, low - UNDER + SCALE), numbers)

    def _cell(self, cell: Cell, box: Box, numbers: bool) -> Iterator[Shape]:
        most = abs(self.most.value)
        size = abs(cell.value) / most if most else 0.0
        yield from _shade(box, size if cell.value > 0 else -size, numbers)
        if numbers:
            yield Words(box.centre, cell.text, "number")

    def _scaled(self, middle: Point, numbers: bool) -> Iterator[Shape]:
        """From the smallest to the largest number in a few steps."""
        if not self.most.value:
            return
        low, high = self._ends
        first, last = (-STEPS if self.below else 0), (STEPS if self.above else 0)
        widths = [text_width(end, SCRIPT_EM) for end in (low, high)]
        x = middle[0] - self._scale / 2 + widths[0] + AROUND
        yield Words((x - AROUND / 2 - widths[0] / 2, middle[1]), low, "number")
        for k in range(first, last + 1):
            box = Box((x + SCALE / 2, middle[1]), SCALE, SCALE)
            yield from _shade(box, k / STEPS, numbers)
            x += SCALE
        yield Words((x + AROUND / 2 + widths[1] / 2, middle[1]), high, "number")


def _shade(box: Box, share: float, numbers: bool) -> Iterator[Shape]:
    """A cell of a size between -1 and 1."""
    if not share:
        yield Rect(box, "cell")
        return
    strength = WEAKEST + (STRONGEST[numbers] - WEAKEST) * abs(share)
    yield Rect(box, "up" if share > 0 else "down", strength)
    if share < 0 and not numbers:
        (x, y), (right, top) = Rect(box, "").corners
        yield Stroke(((x, y), (right, top)), "strike")


@dataclass(frozen=True)
class Gallery:
    """Tables as one picture, and whether their numbers are written."""

    picture: Picture
    numbers: bool


def gallery(groups: Sequence[Sequence[Shaded]]) -> Gallery | None:
    """Groups of tables on as few rows as will do; None if they do not fit on a page.

    Nor are there shades for numbers beyond those of a machine.
    """
    if not all(isfinite(cell.value) for each in chain(*groups) for cell in each.cells):
        return None
    largest = max((max(each.shape) for each in chain(*groups)), default=MOST + 1)
    for side in (None, *CELLS) if largest <= WRITTEN else CELLS if largest <= MOST else ():
        picture = _rows(groups, side)
        if picture is not None:
            return Gallery(picture, side is None)
    return None


def _rows(groups: Sequence[Sequence[Shaded]], side: float | None) -> Picture | None:
    """The groups below each other, as many beside each other as fit; None if that is too large.

    Cells without numbers are squares with a side; the others have the width of theirs. What stands
    below each other is as wide.
    """
    found: list[Picture] = []
    places = zip_longest(*groups)
    widths = [max(each.wide(side) for each in column if each is not None) for column in places]
    wide = sum(widths) + BESIDE * (len(widths) - 1)
    beside = int((WIDTH + APART) // (wide + APART))
    if not beside:
        return None
    low = 0.0
    for k in range(0, len(groups), beside):
        row = groups[k : k + beside]
        for j, group in enumerate(row):
            x = j * (wide + APART)
            for width, each in zip(widths, group, strict=False):
                found.append(each.drawn((x + (width - each.wide(side)) / 2, low), side))
                x += width + BESIDE
        low -= max(each.high(side) for each in chain(*row)) + BELOW
    return joined(found) if -low - BELOW <= TALLEST else None
