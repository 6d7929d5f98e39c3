"""Tables as grids of cells, side by side: with numbers where there is room for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from derive.render.drawing import WIDTH
from derive.render.pictures.drawn import Picture, Rect, Shape, Stroke, Words
from derive.render.placement import SCRIPT_EM, Box, Point, text_width

CELLS = ((0.5, 0.5), (0.36, 0.36), (0.26, 0.26))  # without numbers, the largest that fits
HIGH = 0.5  # with numbers
AROUND = 0.16  # beside the longest number
RING = 0.04  # how far within a cell its ring stands
TITLE = 0.42  # a line above a grid
BESIDE = 0.95  # between two grids
TALLEST = 11.0
PLAIN = frozenset({"cell", "beyond"})  # others are drawn over them
Place = tuple[int, ...]
Text = Callable[[Place], str]


@dataclass(frozen=True)
class Grid:
    """A table: the range of its rows and columns, what stands in a cell, and how that looks.

    Turned around, rows and columns go from the last to the first.
    """

    title: str
    rows: range
    columns: range
    place: Callable[[int, int], Place]
    text: Text
    look: Callable[[Place], str]
    ringed: frozenset[Place] = frozenset()

    @property
    def places(self) -> list[list[Place]]:
        """The places of its cells, row by row."""
        return [[self.place(row, column) for column in self.columns] for row in self.rows]

    def size(self, cell: Point) -> Point:
        """How wide and how high it is, without its title."""
        return len(self.columns) * cell[0], len(self.rows) * cell[1]

    def wide(self, cell: Point) -> float:
        """How wide it is, with its title."""
        return max(self.size(cell)[0], Words((0.0, 0.0), self.title, "title").box.width)

    def drawn(self, middle: Point, cell: Point, numbers: bool) -> Picture:
        """The grid around a point; its title stands above."""
        wide, high = self.size(cell)
        left, top = middle[0] - wide / 2, middle[1] + high / 2
        cells: list[Shape] = []
        later: list[Shape] = []
        for i, row in enumerate(self.places):
            for j, place in enumerate(row):
                centre = (left + (j + 0.5) * cell[0], top - (i + 0.5) * cell[1])
                look = self.look(place)
                (cells if look in PLAIN else later).append(Rect(Box(centre, *cell), look))
                if place in self.ringed:
                    inner = Box(centre, cell[0] - 2 * RING, cell[1] - 2 * RING)
                    later.append(Rect(inner, "ring"))
                if numbers:
                    later.append(Words(centre, self.text(place), "number"))
        title = Words((middle[0], top + TITLE / 2 + 0.04), self.title, "title")
        return Picture((*cells, *later, title))


def side_by_side(grids: Sequence[Grid], signs: Sequence[str], arrow: str) -> Picture | None:
    """Grids with a sign between two of them, and an arrow before the last; None if too large.

    Numbers stand in all of them or in none.
    """
    texts = [grid.text(place) for grid in grids for row in grid.places for place in row]
    fitting = [(False, cell) for cell in CELLS]
    if all(texts):
        widest = max(text_width(text, SCRIPT_EM) for text in texts) + AROUND
        fitting.insert(0, (True, (max(widest, HIGH), HIGH)))
    for numbers, cell in fitting:
        wide = sum(grid.wide(cell) for grid in grids) + BESIDE * (len(grids) - 1)
        tall = max(grid.size(cell)[1] for grid in grids)
        if wide <= WIDTH and tall <= TALLEST:
            return _placed(grids, signs, arrow, cell, numbers)
    return None


def _placed(
    grids: Sequence[Grid], signs: Sequence[str], arrow: str, cell: Point, numbers: bool
) -> Picture:
    shapes: list[Shape] = []
    right = 0.0
    for k, grid in enumerate(grids):
        wide = grid.wide(cell)
        shapes += grid.drawn((right + wide / 2, 0.0), cell, numbers).shapes
        right += wide
        middle = right + BESIDE / 2
        if k < len(signs):
            shapes.append(Words((middle, 0.0), signs[k], "sign"))
        elif k + 1 < len(grids):
            half = 0.3 * BESIDE
            shapes.append(Stroke(((middle - half, 0.0), (middle + half, 0.0)), arrow))
        right += BESIDE
    return Picture(tuple(shapes))
