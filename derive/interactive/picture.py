"""The network as a picture whose parts can be pointed at: SVG, lying for wide windows, or standing.

Every weight is a button on its edge. Lengths are centimetres until they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import sympy

from derive.expression import Element
from derive.graph import Kind
from derive.interactive.network import Told, unit_place
from derive.problem import LayerUse
from derive.render.drawing import between, lines_of
from derive.render.layout import Arrangement, Edge, Network, Node, Spot, arrange, drawn
from derive.render.placement import Box, Point, place
from derive.render.runs import runs
from derive.scalar import positions

SCALE = 40  # pixels for a centimetre
HALF = 0.72
LABEL = (1.1, 0.92)
VALUES = (2.1, 0.85)
MOST_LABELS = 16
EDGE = 1.15
ROWS = {False: 3.3, True: 3.0}  # between units, lying and standing
COLUMNS = {False: (4.9, 6.2, 7.6), True: (4.3, 5.2, 6.2)}  # between layers, the first that will do
WIDEST = {False: 960, True: 440}  # pixels that shrink to the window and can still be read
ALONG = tuple(k / 100 for k in (32, 28, 36, 24, 40, 20, 44, 16, 48, 52, 56, 60, 64, 68, 72))
FACTOR = 0.7


@dataclass(frozen=True)
class Picture:
    """A network with everything laid out; `standing` has the layers one below the other."""

    told: Told
    standing: bool
    arrangement: Arrangement
    edges: tuple[Edge, ...]
    labels: dict[Edge, Box]
    weights: dict[Edge, Element]

    @property
    def spots(self) -> dict[str, Spot]:
        return dict(self.arrangement.spots)


def picture(told: Told, standing: bool) -> str:
    """The picture as SVG."""
    network, weights = _network(told)
    drawings = [_laid(told, standing, network, weights, step) for step in COLUMNS[standing]]
    return _svg(max(drawings, key=lambda drawing: len(drawing.labels)))


def _laid(
    told: Told, standing: bool, network: Network, weights: dict[Edge, Element], across: float
) -> Picture:
    """The picture with its layers at a distance."""
    xs = [across * k for k in range(len(network.columns))]
    flat = arrange(network.columns, xs, ROWS[standing], [HALF] * len(network.columns))
    arrangement = _turned(flat) if standing else flat
    edges = drawn(network.edges, arrangement.spots)
    own = {edge: weight for edge, weight in weights.items() if edge in edges}
    return Picture(told, standing, arrangement, edges, _labels(edges, arrangement, own), own)


def _turned(flat: Arrangement) -> Arrangement:
    """The first layer on top."""

    def turn(point: Point) -> Point:
        return -point[1], -point[0]

    spots = {k: replace(spot, centre=turn(spot.centre)) for k, spot in flat.spots.items()}
    return replace(flat, spots=spots, dots=tuple(map(turn, flat.dots)))


def _network(told: Told) -> tuple[Network, dict[Edge, Element]]:
    """Inputs, layers and the error as columns; edges with the weight that each stands for."""
    problem, sheet = told.problem, told.sheet
    columns = [[Node(unit_place(0, k), u.tex) for k, u in enumerate(problem.inputs)]]
    weights: dict[Edge, Element] = {}
    for use in problem.layers:
        columns.append([Node(unit_place(use.number, k), u.tex) for k, u in enumerate(use.units)])
        for name in use.parameters:
            weights |= _edges(told, use, name, columns[-2])
    columns.append([Node("E", sheet.names.loss().tex)])
    last = problem.layers[-1]
    ends = [Edge(unit_place(last.number, k), "E", "") for k in range(len(last.units))]
    return Network(tuple(map(tuple, columns)), (*weights, *ends)), weights


def _edges(told: Told, use: LayerUse, name: str, before: list[Node]) -> dict[Edge, Element]:
    """The connections that the weights or biases of a layer are."""
    quantity = told.problem.graph.quantities[name]
    label = told.sheet.symbol
    if quantity.kind is Kind.WEIGHT:
        return {
            Edge(unit_place(use.number - 1, i), unit_place(use.number, h), label(w)): w
            for h, i in positions(quantity.axes)
            for w in [Element(name, h, i)]
        }
    bias = f"bias{use.number}"
    before.append(Node(bias, "1"))
    found = {}
    for h in range(len(use.units)):
        w = Element(name, h) if quantity.axes else Element(name)
        found[Edge(bias, unit_place(use.number, h), label(w))] = w
    return found


def _labels(
    edges: Sequence[Edge], arrangement: Arrangement, weights: dict[Edge, Element]
) -> dict[Edge, Box]:
    """Where the labels stand that have room, one pair of columns after the other."""
    lines = lines_of(edges, arrangement)
    solid = [box for spot in arrangement.spots.values() for box in (*spot.boxes, _values(spot))]
    placed: dict[Edge, Box] = {}

    def pair(edge: Edge) -> tuple[int, int]:
        return arrangement.spots[edge.source].column, arrangement.spots[edge.target].column

    for _, group in groupby(sorted(weights, key=pair), key=pair):
        named = list(group)
        if len(named) > MOST_LABELS:
            continue
        boxes = place([_candidates(edge, arrangement) for edge in named], solid, lines)
        found = {edge: box for edge, box in zip(named, boxes, strict=True) if box}
        if len(found) == len(named):
            placed |= found
            solid += found.values()
    return placed


def _candidates(edge: Edge, arrangement: Arrangement) -> list[Box]:
    return [Box(_at(edge, arrangement, t), *LABEL) for t in ALONG]


def _at(edge: Edge, arrangement: Arrangement, t: float) -> Point:
    """A place on an edge, from its source on."""
    (x, y), (u, v) = between(arrangement.spots[edge.source], arrangement.spots[edge.target])
    return x + t * (u - x), y + t * (v - y)


def _values(spot: Spot) -> Box:
    """The room for the numbers below a unit."""
    x, y = spot.centre
    return Box((x, y - spot.half - VALUES[1] / 2), *VALUES)


# --- SVG --------------------------------------------------------------------------------------


def _svg(drawing: Picture) -> str:
    """The strokes below, the units, then the weights, then the factors of a way."""
    left, top, width, height = _frame(drawing)
    weights = sorted(drawing.weights, key=_order(drawing))
    again = {b for a, b in pairwise(weights) if drawing.weights[a] == drawing.weights[b]}
    parts = [
        *map(_end(drawing), (e for e in drawing.edges if e not in drawing.weights)),
        *(_unit(drawing, spot) for spot in drawing.spots.values()),
        *(_dots(point) for point in drawing.arrangement.dots),
        *(_weight(drawing, edge, edge not in again) for edge in weights),
        *(_label(drawing, edge) for edge in weights),
        *_factors(drawing),
    ]
    kind = "standing" if drawing.standing else "lying"
    kind += " large" if width > WIDEST[drawing.standing] else ""
    return (
        f'<svg class="net {kind}" viewBox="{left} {top} {width} {height}" '
        f'width="{width}" height="{height}" role="group">' + "".join(parts) + "</svg>"
    )


def _frame(drawing: Picture) -> tuple[int, int, int, int]:
    boxes = [b for spot in drawing.spots.values() for b in (*spot.boxes, _values(spot))]
    boxes += drawing.labels.values()
    xs = [b.centre[0] + side * b.width / 2 for b in boxes for side in (-1, 1)]
    ys = [b.centre[1] + side * b.height / 2 for b in boxes for side in (-1, 1)]
    wide, high = max(xs) - min(xs) + EDGE, max(ys) - min(ys) + EDGE
    return (
        *(round(SCALE * v) for v in (min(xs) - EDGE / 2, -max(ys) - EDGE / 2)),
        *(round(SCALE * v) for v in (wide, high)),
    )  # type: ignore[return-value]


def _order(drawing: Picture) -> Callable[[Edge], int]:
    return lambda edge: drawing.told.keys[drawing.weights[edge]]


def _px(point: Point) -> tuple[str, str]:
    return f"{SCALE * point[0]:.0f}", f"{-SCALE * point[1]:.0f}"


def _line(start: Point, end: Point, style: str) -> str:
    (x, y), (u, v) = _px(start), _px(end)
    return f'<line class="{style}" x1="{x}" y1="{y}" x2="{u}" y2="{v}"/>'


def _text(point: Point, inside: str, style: str, more: str = "") -> str:
    x, y = _px(point)
    return f'<text class="{style}" x="{x}" y="{y}"{more}>{inside}</text>'


def _end(drawing: Picture) -> Callable[[Edge], str]:
    """An edge to the error."""

    def stroke(edge: Edge) -> str:
        spots = drawing.arrangement.spots
        line = _line(*between(spots[edge.source], spots[edge.target]), "stroke")
        return f'<g class="end" data-from="{edge.source}">{line}</g>'

    return stroke


def _unit(drawing: Picture, spot: Spot) -> str:
    """A unit with its name within and its numbers below."""
    (x, y), r = _px(spot.centre), SCALE * spot.half
    kind = "bias" if spot.node.is_bias else "input" if spot.column == 0 else "unit"
    name = _text(spot.centre, runs(spot.node.label), "name")
    if spot.node.is_bias:
        corner = f'x="{float(x) - r:.0f}" y="{float(y) - r:.0f}"'
        shape = f'<rect {corner} width="{2 * r:.0f}" height="{2 * r:.0f}" rx="3"/>'
    else:
        shape = f'<circle cx="{x}" cy="{y}" r="{r:.0f}"/>'
    lines = "".join(
        _text((spot.centre[0], spot.centre[1] - spot.half - 0.32 - 0.4 * k), inside, "number")
        for k, inside in enumerate(_numbers(drawing, spot))
    )
    return f'<g class="node {kind}" data-place="{spot.node.key}">{shape}{name}{lines}</g>'


def _numbers(drawing: Picture, spot: Spot) -> list[str]:
    """The numbers of a unit: a text for each quantity, with a key for each sample."""
    told = drawing.told
    if spot.node.is_bias:
        return []
    if spot.node.key == "E":
        return [_number("", [told.keys[Element(told.problem.graph.loss.name)]])]
    layer, k = (int(part) for part in spot.node.key.removeprefix("u").split("_"))
    samples = range(told.problem.batch)
    if layer == 0:
        return [_number("", [told.keys[Element("x", n, k)] for n in samples])]
    use = told.problem.layers[layer - 1]
    return [
        _number(word, [told.keys[Element(name, n, k)] for n in samples])
        for word, name in (("net ", use.net), ("out ", use.out))
    ]


def _number(word: str, keys: Sequence[int]) -> str:
    said = f'<tspan class="word">{word}</tspan>' if word else ""
    return f'{said}<tspan data-value="{" ".join(map(str, keys))}"></tspan>'


def _dots(point: Point) -> str:
    return _text(point, "⋮", "dots")


def _weight(drawing: Picture, edge: Edge, button: bool) -> str:
    """A weight: its stroke, and a wider one to be hit; a shared one is a button only once."""
    key = drawing.told.keys[drawing.weights[edge]]
    ends = between(drawing.spots[edge.source], drawing.spots[edge.target])
    strokes = _line(*ends, "stroke") + _line(*ends, "hit")
    if not button:
        return f'<g class="weight" data-place="w{key}" data-points="{key}">{strokes}</g>'
    return (
        f'<g class="weight" data-place="w{key}" data-weight="{key}" tabindex="0" role="button" '
        f'aria-pressed="false">{strokes}</g>'
    )


def _label(drawing: Picture, edge: Edge) -> str:
    """Name and number of a weight, above all strokes; one without room is shown when asked for."""
    key = drawing.told.keys[drawing.weights[edge]]
    box = drawing.labels.get(edge)
    x, y = box.centre if box else _at(edge, drawing.arrangement, ALONG[0])
    left, top = _px((x - LABEL[0] / 2, y + LABEL[1] / 2))
    size = f'width="{SCALE * LABEL[0]:.0f}" height="{SCALE * LABEL[1]:.0f}"'
    return (
        f'<g class="{"label" if box else "label quiet"}" data-place="w{key}" data-points="{key}" '
        f'aria-hidden="true"><rect x="{left}" y="{top}" {size} rx="4"/>'
        f"{_text((x, y + 0.2), runs(edge.label), 'name')}"
        f"{_text((x, y - 0.24), _number('', [key]), 'number')}</g>"
    )


def _factors(drawing: Picture) -> list[str]:
    """A text for every factor of a chain, where it belongs; they are shown with a way."""
    found = []
    for key, ends in drawing.told.sheet.slopes.items():
        number = drawing.told.number(key)
        if number is None or not all(isinstance(end, Element) for end in ends):
            continue
        where = _place_of(drawing, *ends)
        if where is not None:
            name = runs(drawing.told.sheet.name(key).inline)
            inside = f'<tspan class="formula">{name}</tspan>'
            inside += f'<tspan class="value" data-value="{number}"></tspan>'
            more = f' data-factor="{number}"{_sample(drawing, ends[1])}'
            found.append(_text(where[0], inside, f"factor {where[1]}", more))
    return found


def _sample(drawing: Picture, by: sympy.Expr) -> str:
    """Which sample a factor is of, where there are several."""
    return f' data-sample="{by.indices[0]}"' if drawing.told.problem.batch > 1 else ""


def _place_of(drawing: Picture, of: Element, by: Element) -> tuple[Point, str] | None:
    """Where ∂of/∂by stands, and on which side of it the text lies."""
    told, spots = drawing.told, drawing.spots
    kind = told.kind(told.story.sheet.slope(of, by))
    below = told.places(by)[0]
    if kind in ("slope", "paths", "delta") and below in spots:
        (x, y), r = spots[below].centre, spots[below].half
        above = kind == "slope"
        if drawing.standing:
            side = r + 0.12 if above else -r - 0.12
            return (x + side, y + 0.25), "right" if above else "left"
        return (x, y + r + 0.2 if above else y - r - VALUES[1] - 0.35), "middle"
    if kind in ("weight", "at_loss"):
        source, target = below, told.places(of)[0]
        edge = next((e for e in drawing.edges if (e.source, e.target) == (source, target)), None)
        if edge is not None:
            x, y = _at(edge, drawing.arrangement, FACTOR if kind == "weight" else 0.5)
            return (x, y + 0.15), "middle"
    return None
