"""The network with the name or the value of every weight on its edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from derive.render.drawing import (
    WIDTH,
    between,
    dots,
    edge_box,
    edge_strokes,
    lines_of,
    picture,
    shape,
    stroke,
    text,
)
from derive.render.layout import Arrangement, Edge, Network, Node, Spot, arrange, drawn, tallest
from derive.render.layout import units as units_of
from derive.render.placement import FOOTNOTE_EM, Box, overlap, place, text_height, text_width

HALF = 0.42
ARROW = 0.75
SPACINGS = ((1.75, 4.4), (2.2, 4.4), (2.7, 4.4), (2.2, 6.0), (2.7, 6.0), (3.2, 6.0))
TALLEST = 15.0
MOST_LABELS = 16
MISSING, LOOSER = 10.0, 2.5
SLOPED_FROM = 0.95
CLEAR = 0.1
POSITIONS = tuple(k / 100 for k in (32, 28, 36, 24, 40, 20, 44, 16, 48, 52, 56, 60, 64, 68, 72, 76,
                                    80, 84))  # fmt: skip


@dataclass(frozen=True)
class Sketch:
    """A network on the page: where its nodes lie, which edges are drawn, where labels stand."""

    arrangement: Arrangement
    edges: tuple[Edge, ...]
    labels: tuple[tuple[Edge, Box], ...]

    def flaws(self) -> float:
        """How much there is to be said against it: labels missing, and lines under labels."""
        missing = sum(bool(edge.label) for edge in self.edges) - len(self.labels)
        lines = [line.box for line in lines_of(self.edges, self.arrangement)]
        covered = sum(overlap(box, line) for _, box in self.labels for line in lines)
        return MISSING * missing + covered - len(self.labels)


def network_figure(network: Network) -> str:
    """The network from left to right, as tight as its labels allow."""
    sketches = [_sketch(network, row, step) for row, step in _spacings(network)]
    costs = [sketch.flaws() + LOOSER * rank for rank, sketch in enumerate(sketches)]
    sketch = sketches[costs.index(min(costs))]
    return picture(
        [
            *edge_strokes(sketch.edges, sketch.arrangement),
            *(text("derive label", b.centre, f"${e.label}$", b.angle) for e, b in sketch.labels),
            *_nodes(network, sketch.arrangement),
            *dots(sketch.arrangement),
            *_leaving(network, sketch.arrangement),
        ]
    )


def _spacings(network: Network) -> Sequence[tuple[float, float]]:
    """The distances of rows and, at most, of columns to try, tight ones first."""
    high = tallest(network.columns)
    return [(row, step) for row, step in SPACINGS if row * high <= TALLEST] or SPACINGS[:1]


def _sketch(network: Network, row: float, widest: float) -> Sketch:
    columns = network.columns
    room = WIDTH - 2 * HALF - _tail(network)
    step = min(widest, room / max(1, len(columns) - 1))
    xs = [step * k for k in range(len(columns))]
    arrangement = arrange(columns, xs, row, [HALF] * len(columns))
    edges = drawn(network.edges, arrangement.spots)
    return Sketch(arrangement, edges, _labels(edges, arrangement))


def _tail(network: Network) -> float:
    """The room that the arrows out of the last column need."""
    names = [node.label for node in (*network.outputs, *network.targets)]
    return ARROW + max((text_width(name, FOOTNOTE_EM) + 0.15 for name in names), default=0.0)


def _labels(edges: Sequence[Edge], arrangement: Arrangement) -> tuple[tuple[Edge, Box], ...]:
    """The labels, one pair of columns after the other; a pair shows all of its labels or none."""
    lines = lines_of(edges, arrangement)
    solid = [box for spot in arrangement.spots.values() for box in spot.boxes]
    placed: list[tuple[Edge, Box]] = []

    def pair(edge: Edge) -> tuple[int, int]:
        return arrangement.spots[edge.source].column, arrangement.spots[edge.target].column

    for ends, group in groupby(sorted(edges, key=pair), key=pair):
        named = [edge for edge in group if edge.label]
        if len(named) > MOST_LABELS or arrangement.shortened.intersection(ends):
            continue
        boxes = place([_candidates(edge, arrangement) for edge in named], solid, lines)
        found = [(edge, box) for edge, box in zip(named, boxes, strict=True) if box]
        if len(found) == len(named):
            placed += found
            solid += [box for _, box in found]
    return tuple(placed)


def _candidates(edge: Edge, arrangement: Arrangement) -> list[Box]:
    """Places on the edge itself; a long label lies along its edge."""
    line = edge_box(edge, arrangement)
    start, end = between(arrangement.spots[edge.source], arrangement.spots[edge.target])
    width = text_width(edge.label, FOOTNOTE_EM) + CLEAR
    height = text_height(edge.label, FOOTNOTE_EM) + CLEAR
    angle = line.angle if width > SLOPED_FROM + CLEAR else 0.0
    return [
        Box((start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])),
            width, height, angle)
        for t in POSITIONS
    ]  # fmt: skip


def _nodes(network: Network, arrangement: Arrangement) -> list[str]:
    return [
        shape(node_style(spot, network), spot, f"${spot.node.label}$")
        for spot in arrangement.spots.values()
    ]


def node_style(spot: Spot, network: Network) -> str:
    """The style of a node by its kind: bias, input or unit."""
    if spot.node.is_bias:
        return "derive bias"
    return "derive input" if spot.column == 0 and len(network.columns) > 1 else "derive unit"


def _leaving(network: Network, arrangement: Arrangement) -> list[str]:
    """Arrows out of the last column, to the output's name and, beneath it, the target."""
    strokes = []
    for index, node in enumerate(units_of(network.columns[-1])):
        spot = arrangement.spots.get(node.key)
        if spot is None:
            continue
        (x, y), tip = spot.centre, spot.centre[0] + HALF + ARROW - 0.1
        strokes.append(stroke("derive edge", (x + HALF, y), (tip, y)))
        output, target = _entry(network.outputs, index), _entry(network.targets, index)
        shift = 0.22 if output and target else 0.0
        if output:
            strokes.append(text("derive output", (tip, y + shift), f"${output.label}$"))
        if target:
            strokes.append(text("derive target", (tip, y - shift), f"${target.label}$"))
    return strokes


def _entry(nodes: Sequence[Node], index: int) -> Node | None:
    return nodes[index] if index < len(nodes) else None
