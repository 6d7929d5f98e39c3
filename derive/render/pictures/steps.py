"""An unrolled recurrence as a picture: a column for each step, and the derivatives coming back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from derive.render.pictures.drawn import PAD, Words
from derive.render.pictures.unrolled import Recurrence
from derive.render.placement import Box, Point

LINE, LINES = 0.5, 0.94  # the height of a box with one line, and with two
UP = 0.21  # from its middle to each of two lines
BESIDE, BETWEEN, ABOVE = 0.15, 0.6, 0.8  # between boxes of a row, states of a step, rows
AHEAD = 0.95  # between two steps
FRAME = 0.2  # from the states of a step to the frame around them
APART = 0.09  # half of what is between an arrow and the one back
DOTS = 0.5
DIP = 0.72  # how far an arrow over several steps hangs down
MOST_STEPS, MOST_RESULTS = 12, 2
Place = tuple[int | None, str]  # a step and a name; no step where some are left out


@dataclass(frozen=True)
class Cell:
    """A box: its symbol, the derivative below it, and whether one comes back from it."""

    name: str
    symbol: str
    gradient: str = ""
    back: bool = False
    look: str = "state"

    @property
    def size(self) -> Point:
        """How wide and how high its box has to be."""
        wide = max(each.box.width for each in self.words((0.0, 0.0)))
        return wide + 2 * PAD, LINES if self.gradient else LINE

    def words(self, centre: Point) -> list[Words]:
        """What stands in it."""
        x, y = centre
        if not self.gradient:
            return [Words(centre, self.symbol, "symbol")]
        slope = Words((x, y - UP), self.gradient, "slope")
        return [Words((x, y + UP), self.symbol, "symbol"), slope]


@dataclass(frozen=True)
class Column:
    """What a step has below, in the middle (upwards) and above; of a step before there is less."""

    step: int
    inputs: tuple[Cell, ...] = ()
    states: tuple[Cell, ...] = ()
    results: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Way:
    """An arrow from one place to another, and whether a derivative comes back on it."""

    source: Place
    target: Place
    points: tuple[Point, ...]
    back: bool


@dataclass(frozen=True)
class Steps:
    """A recurrence that is drawn: columns from left to right, None where some are left out.

    `together` is computed of all steps.
    """

    read: Recurrence
    columns: tuple[Column | None, ...]
    together: Cell | None

    @cached_property
    def drawn(self) -> tuple[Column, ...]:
        """The columns, without gaps."""
        return tuple(column for column in self.columns if column is not None)

    @property
    def framed(self) -> bool:
        """Whether a step has a frame around its states."""
        return len(self.read.states) > 1

    # --- places ---------------------------------------------------------------------------------

    def _size(self, kind: str) -> Point:
        """The size that all boxes of a kind have."""
        sizes = [cell.size for column in self.drawn for cell in getattr(column, kind)]
        return (max(w for w, _ in sizes), max(h for _, h in sizes)) if sizes else (0.0, 0.0)

    @cached_property
    def sizes(self) -> Mapping[str, Point]:
        """The size of the boxes of every kind."""
        return {kind: self._size(kind) for kind in ("inputs", "states", "results")}

    @cached_property
    def tall(self) -> float:
        """The height of the states of a step, with their frame."""
        count, high = len(self.read.states), self.sizes["states"][1]
        return count * high + (count - 1) * BETWEEN + (2 * FRAME if self.framed else 0.0)

    @cached_property
    def wide(self) -> float:
        """The width of a column."""
        rows = [
            len(getattr(column, kind)) * (self.sizes[kind][0] + BESIDE) - BESIDE
            for column in self.drawn
            for kind in ("inputs", "results")
        ]
        return max(self.sizes["states"][0] + (2 * FRAME if self.framed else 0.0), *rows)

    @cached_property
    def middles(self) -> tuple[float, ...]:
        """Where each column, or the dots instead of some, has its middle."""
        xs, right = [], 0.0
        for column in self.columns:
            wide = DOTS if column is None else self.wide
            xs.append(right + wide / 2)
            right += wide + AHEAD
        return tuple(xs)

    @cached_property
    def boxes(self) -> Mapping[Place, Box]:
        """Where every box is."""
        return {
            (column.step, cell.name): box
            for column, x in zip(self.columns, self.middles, strict=True)
            if column is not None
            for cell, box in self._boxes(column, x)
        }

    def _boxes(self, column: Column, x: float) -> Iterator[tuple[Cell, Box]]:
        below, above = self.sizes["inputs"], self.sizes["results"]
        level = self.tall / 2 + ABOVE
        yield from _row(column.inputs, below, (x, -level - below[1] / 2))
        yield from _row(column.results, above, (x, level + above[1] / 2))
        wide, high = self.sizes["states"]
        first = -(self.tall / 2) + (FRAME if self.framed else 0.0) + high / 2
        for cell in column.states:
            up = self.read.states.index(cell.name) * (high + BETWEEN)
            yield cell, Box((x, first + up), wide, high)

    def frame(self, step: int) -> Box:
        """The frame of a step; where there is none, the box of its only state."""
        if not self.framed:
            return self.boxes[step, self.read.states[0]]
        x = self.boxes[step, self.read.states[0]].centre[0]
        return Box((x, 0.0), self.sizes["states"][0] + 2 * FRAME, self.tall)

    @property
    def top(self) -> Box | None:
        """The box of what is computed of all steps, above all columns."""
        inner = [c for c in self.drawn if c.inputs or c.results or 0 <= c.step < self.read.steps]
        if self.together is None:
            return None
        xs = [self.boxes[c.step, self.read.states[0]].centre[0] for c in inner]
        (wide, high), level = self.together.size, self.tall / 2 + ABOVE
        centre = (min(xs) + max(xs)) / 2, level + high / 2
        return Box(centre, max(max(xs) - min(xs) + self.wide, wide), high)

    # --- arrows ---------------------------------------------------------------------------------

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """All arrows."""
        inner = [c for c in self.drawn if 0 <= c.step < self.read.steps]
        found = [way for column in inner for way in self._within(column)]
        found += [*self._ahead(), *self._over()]
        return tuple(found)

    def _within(self, column: Column) -> Iterator[Way]:
        """From what is below into a step, between its states, and out of it."""
        step, frame = column.step, self.frame(column.step)
        known = {cell.name: cell for cell in column.states}
        for cell in column.inputs:
            ends = _upwards(self.boxes[step, cell.name], frame)
            yield Way((step, cell.name), (step, ""), ends, cell.gradient != "")
        for source, target in self.read.inner:
            if self.read.states.index(target) == self.read.states.index(source) + 1:
                ends = _upwards(self.boxes[step, source], self.boxes[step, target])
                yield Way((step, source), (step, target), ends, known[source].back)
        for name, of in self._read_above(column):
            box = self.boxes.get((step, name)) or self.top
            last = of == self.read.states[-1]
            start = self.boxes[step, of] if last else frame
            if box is not None:
                back = known[of].back and self._back(column, name)
                yield Way((step, of), (step, name), _upwards(start, box), back)

    def _read_above(self, column: Column) -> Iterator[tuple[str, str]]:
        """What stands above a step, with the state that it reads."""
        for result in self.read.results:
            if any(cell.name == result.name for cell in column.results):
                if result.step in (-1, column.step):
                    yield result.name, result.of
            elif self.together is not None and result.name == self.together.name:
                yield result.name, result.of

    def _back(self, column: Column, name: str) -> bool:
        cells = [*column.results, *([self.together] if self.together else [])]
        return any(cell.name == name and cell.back for cell in cells)

    def _ahead(self) -> Iterator[Way]:
        """From a step into the next one; where there are dots, from or into them."""
        places = list(zip(self.columns, self.middles, strict=True))[:: self.read.up]
        for name in dict.fromkeys(c.state for c in self.read.carried if c.late == 1):
            for (column, x), (later, u) in pairwise(places):
                known = [c for each in (column, later) if each for c in each.states]
                cell = next((c for c in known if c.name == name), None)
                if cell is None or (column and (column.step, name) not in self.boxes):
                    continue
                near = column or later
                assert near is not None  # there are no dots beside dots
                y, half = self.boxes[near.step, name].centre[1], self.read.up / 2
                out = self.sizes["states"][0] if column else DOTS
                into = self.frame(later.step).width if later else DOTS
                source, target = (each.step if each else None for each in (column, later))
                points = ((x + half * out, y), (u - half * into, y))
                yield Way((source, name), (target, ""), points, cell.back)

    def _over(self) -> Iterator[Way]:
        """Into a step that is several steps later."""
        steps = [column.step for column in self.drawn]
        for each in self.read.carried:
            for column in self.drawn:
                step, later = column.step, column.step + self.read.up * each.late
                kept = {cell.name: cell for cell in column.states}
                near = steps.index(later) - steps.index(step) if later in steps else 0
                whole = abs(near) == each.late and 0 <= later < self.read.steps
                if each.late > 1 and each.state in kept and whole:
                    yield self._hanging(each.state, step, later, kept[each.state].back)

    def _hanging(self, state: str, step: int, later: int, back: bool) -> Way:
        start, end, side = self.boxes[step, state], self.frame(later), self.read.up
        x, u = start.centre[0] + side * start.width / 4, end.centre[0] - side * end.width / 4
        low = -self.tall / 2
        points = ((x, low), (x + side * 0.3, low - DIP), (u - side * 0.3, low - DIP), (u, low))
        return Way((step, state), (later, ""), points, back)


def _row(cells: Sequence[Cell], size: Point, middle: Point) -> Iterator[tuple[Cell, Box]]:
    """Boxes side by side."""
    for k, cell in enumerate(cells):
        x = middle[0] + (k - (len(cells) - 1) / 2) * (size[0] + BESIDE)
        yield cell, Box((x, middle[1]), *size)


def _upwards(lower: Box, upper: Box) -> tuple[Point, Point]:
    """From the top of a box to the bottom of another, as steep as can be."""
    x, half = lower.centre[0], max(upper.width / 2 - 2 * APART, 0.0)
    end = min(max(x, upper.centre[0] - half), upper.centre[0] + half)
    bottom = upper.centre[1] - upper.height / 2
    return (x, lower.centre[1] + lower.height / 2), (end, bottom)
