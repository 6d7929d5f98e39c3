"""Strokes that the figures share: a picture, a node, an edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from derive.render.layout import Arrangement, Edge, Spot, at, number
from derive.render.placement import Box, Line, Point, segment

WIDTH = 15.2


def picture(lines: Iterable[str], style: str = "derive figure") -> str:
    """The lines as one picture."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"\\begin{{tikzpicture}}[{style}]\n{body}\n\\end{{tikzpicture}}\n"


def text(style: str, point: Point, tex: str, angle: float = 0.0) -> str:
    """A piece of finished text at a place."""
    turn = f", rotate={number(round(angle, 3))}" if angle else ""
    return f"\\node[{style}{turn}] at {at(point)} {{{tex}}};"


def shape(style: str, spot: Spot, tex: str = "") -> str:
    """A node's outline, with what stands in it."""
    size = f"minimum size={number(round(2 * spot.half, 4))}cm"
    return f"\\node[{style}, {size}] ({spot.name}) at {at(spot.centre)} {{{tex}}};"


def stroke(style: str, start: Point, end: Point) -> str:
    """A straight stroke."""
    return f"\\draw[{style}] {at(start)} -- {at(end)};"


def between(first: Spot, second: Spot) -> tuple[Point, Point]:
    """The ends of a line between two nodes, at their rims."""
    return first.rim(second.centre), second.rim(first.centre)


def edge_box(edge: Edge, arrangement: Arrangement) -> Box:
    """The line of an edge."""
    spots = arrangement.spots
    return segment(*between(spots[edge.source], spots[edge.target]))


def edge_strokes(edges: Sequence[Edge], arrangement: Arrangement) -> list[str]:
    """The weights as thin arrows; those of a bias are dashed."""
    strokes = []
    for edge in edges:
        source, target = arrangement.spots[edge.source], arrangement.spots[edge.target]
        style = "derive bias edge" if source.node.is_bias else "derive edge"
        strokes.append(stroke(style, *between(source, target)))
    return strokes


def dots(arrangement: Arrangement) -> list[str]:
    """Dots where units are left out."""
    return [text("derive dots", point, r"$\vdots$") for point in arrangement.dots]


def lines_of(edges: Sequence[Edge], arrangement: Arrangement) -> list[Line]:
    """The edges as lines that labels had better not cover."""
    return [Line(edge_box(edge, arrangement)) for edge in edges]
