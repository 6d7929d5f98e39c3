"""A picture as plain data: rectangles, strokes and words, each with the name of its look.

Lengths are centimetres, and y grows upwards. A look is a row of `templates/figures/pictures.tex.j2`
and one of `templates/figures/pictures.css`; several are separated by commas.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from derive.render.placement import FOOTNOTE_EM, SCRIPT_EM, Box, Point, text_height, text_width

PAD = 0.14  # between words and the frame around them
EM = {"symbol": FOOTNOTE_EM, "title": FOOTNOTE_EM, "sign": FOOTNOTE_EM}  # others are smaller


@dataclass(frozen=True)
class Rect:
    """A rectangle that stands upright; `share` says how strong its shade is, from 0 to 1."""

    box: Box
    look: str
    share: float = 0.0

    @property
    def corners(self) -> tuple[Point, Point]:
        """The lower left and the upper right corner."""
        (x, y), w, h = self.box.centre, self.box.width / 2, self.box.height / 2
        return (x - w, y - h), (x + w, y + h)

    def moved(self, by: Point) -> Rect:
        """The same somewhere else."""
        return replace(self, box=replace(self.box, centre=_added(self.box.centre, by)))


@dataclass(frozen=True)
class Stroke:
    """A line through points or, if it is `bent`, a curve from the first of four to the last."""

    points: tuple[Point, ...]
    look: str
    bent: bool = False

    def moved(self, by: Point) -> Stroke:
        """The same somewhere else."""
        return replace(self, points=tuple(_added(point, by) for point in self.points))


@dataclass(frozen=True)
class Words:
    """Finished TeX without dollars around its middle; the first of its looks is its font."""

    centre: Point
    tex: str
    look: str

    @property
    def box(self) -> Box:
        """The room that it takes."""
        em = EM.get(self.look.partition(",")[0], SCRIPT_EM)
        return Box(self.centre, text_width(self.tex, em), text_height(self.tex, em))

    def moved(self, by: Point) -> Words:
        """The same somewhere else."""
        return replace(self, centre=_added(self.centre, by))


Shape = Rect | Stroke | Words


@dataclass(frozen=True)
class Picture:
    """Shapes, the first ones lowest."""

    shapes: tuple[Shape, ...]

    @property
    def words(self) -> tuple[Words, ...]:
        """What is written in it."""
        return tuple(shape for shape in self.shapes if isinstance(shape, Words))

    @property
    def corners(self) -> tuple[Point, Point]:
        """The lower left and the upper right corner of all that is drawn."""
        points = [point for shape in self.shapes for point in _reach(shape)]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return (min(xs), min(ys)), (max(xs), max(ys))

    @property
    def size(self) -> Point:
        """How wide and how high it is."""
        (x, y), (right, top) = self.corners
        return right - x, top - y

    def moved(self, by: Point) -> Picture:
        """The same somewhere else."""
        return Picture(tuple(shape.moved(by) for shape in self.shapes))


def joined(pictures: Iterable[Picture]) -> Picture:
    """Several as one, each where it is."""
    return Picture(tuple(shape for picture in pictures for shape in picture.shapes))


def _reach(shape: Shape) -> tuple[Point, ...]:
    """Points between which a shape lies."""
    return shape.points if isinstance(shape, Stroke) else Rect(shape.box, "").corners


def _added(point: Point, by: Point) -> Point:
    return point[0] + by[0], point[1] + by[1]
