"""A network as plain data, and where its parts lie on the page (centimetres)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from derive.render.placement import Box, Point

BIAS_PREFIX = "bias"
MOST_DRAWN = 6
FIRST_DRAWN = 3
BIAS_HALF = 0.27
BIAS_GAP = 0.72


@dataclass(frozen=True)
class Node:
    """A unit, bias, output, target or error; the label is finished TeX, without dollars."""

    key: str
    label: str

    @property
    def is_bias(self) -> bool:
        """Whether the node is drawn as a bias."""
        return self.key.startswith(BIAS_PREFIX)


@dataclass(frozen=True)
class Edge:
    """A weight: from the unit it reads to the unit it feeds."""

    source: str
    target: str
    label: str


@dataclass(frozen=True)
class Network:
    """Columns of nodes from left to right, the weights between them, and what leaves the last.

    `outputs` name what the last column yields and `targets` what it ought to yield, in the order
    of the units of that column; either may be empty.
    """

    columns: tuple[tuple[Node, ...], ...]
    edges: tuple[Edge, ...]
    targets: tuple[Node, ...] = ()
    outputs: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a key used twice, and an edge to a node that is not there."""
        keys = [node.key for column in self.columns for node in column]
        if not keys or len(keys) != len(set(keys)):
            raise ValueError(f"a network needs nodes, each with a key of its own: {keys}")
        for edge in self.edges:
            if edge.source not in keys or edge.target not in keys:
                raise ValueError(f"{edge} joins a node that is in no column")


@dataclass(frozen=True)
class Spot:
    """A node on the page: the name TikZ knows it by, its place and half its size."""

    name: str
    node: Node
    column: int
    centre: Point
    half: float

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Boxes that cover the node: a bias is a square, a circle two squares across."""
        if self.node.is_bias:
            return (Box(self.centre, 2 * self.half, 2 * self.half),)
        side = 1.65 * self.half
        return (Box(self.centre, side, side), Box(self.centre, side, side, 45.0))

    def rim(self, towards: Point) -> Point:
        """Where a line from the centre to that point leaves the node."""
        dx, dy = towards[0] - self.centre[0], towards[1] - self.centre[1]
        span = max(abs(dx), abs(dy)) if self.node.is_bias else math.hypot(dx, dy)
        return (self.centre[0] + dx * self.half / span, self.centre[1] + dy * self.half / span)


@dataclass(frozen=True)
class Arrangement:
    """Every drawn node by key, where dots stand for omitted ones, and in which columns."""

    spots: Mapping[str, Spot]
    dots: tuple[Point, ...]
    shortened: frozenset[int]


def units(column: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes of a column that are not biases."""
    return tuple(node for node in column if not node.is_bias)


def slots(column: Sequence[Node]) -> tuple[Node | None, ...]:
    """The units to draw from top to bottom; None stands for dots."""
    nodes = units(column)
    if len(nodes) <= MOST_DRAWN:
        return nodes
    return (*nodes[:FIRST_DRAWN], None, nodes[-1])


def tallest(columns: Sequence[Sequence[Node]]) -> int:
    """The number of rows that the columns need, biases not counted."""
    return max(len(slots(column)) for column in columns)


def arrange(
    columns: Sequence[Sequence[Node]], xs: Sequence[float], row: float, halves: Sequence[float]
) -> Arrangement:
    """Centre every column on the axis; the biases stand on one line beneath all units."""
    spots: dict[str, Spot] = {}
    dots: list[Point] = []
    shortened = set()
    floor = -(tallest(columns) - 1) / 2 * row - max(0.8 * row, 1.15)
    for index, (column, x, half) in enumerate(zip(columns, xs, halves, strict=True)):
        rows = slots(column)
        for place, node in enumerate(rows):
            centre = (x, ((len(rows) - 1) / 2 - place) * row)
            if node is None:
                dots.append(centre)
                shortened.add(index)
            else:
                spots[node.key] = Spot(f"n{index}-{place}", node, index, centre, half)
        spots.update(_biases(column, index, x, floor))
    return Arrangement(spots, tuple(dots), frozenset(shortened))


def _biases(column: Sequence[Node], index: int, x: float, y: float) -> dict[str, Spot]:
    biases = [node for node in column if node.is_bias]
    return {
        node.key: Spot(
            f"b{index}-{place}",
            node,
            index,
            (x + (place - (len(biases) - 1) / 2) * BIAS_GAP, y),
            BIAS_HALF,
        )
        for place, node in enumerate(biases)
    }


def drawn(edges: Sequence[Edge], known: Collection[str]) -> tuple[Edge, ...]:
    """The edges both of whose ends are on the page."""
    return tuple(edge for edge in edges if edge.source in known and edge.target in known)


def number(value: float) -> str:
    """A number in a drawing, always written the same way."""
    return f"{value + 0.0:.6g}"


def at(point: Point) -> str:
    """A place on the page as TikZ reads it."""
    return f"({number(round(point[0], 4))},{number(round(point[1], 4))})"
