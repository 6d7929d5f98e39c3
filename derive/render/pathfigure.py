"""The chain rule as a picture: from the error back through the network to one weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derive.render.drawing import (
    WIDTH,
    between,
    dots,
    edge_strokes,
    lines_of,
    picture,
    shape,
    stroke,
    text,
)
from derive.render.layout import (
    Arrangement,
    Edge,
    Network,
    Node,
    Spot,
    arrange,
    at,
    drawn,
    tallest,
    units,
)
from derive.render.netfigure import node_style
from derive.render.placement import (
    FOOTNOTE_EM,
    SCRIPT_EM,
    TOUCH,
    Box,
    Point,
    place,
    segment,
    text_height,
    text_width,
)

SIDES = ("net", "out")
WIDEST_STEP, NARROW_STEP = 3.4, 1.9
HALF = 0.5
ROW, LOW_ROW, HIGH = 2.6, 2.2, 5
ARC = 0.3
CLEAR = 0.1
ASIDE = (0.04, 0.3)
SHIFTS = (0.0, -0.1, 0.1, -0.2, 0.2, -0.3, 0.3, -0.4, 0.4)
ALONG = tuple(k / 100 for k in (50, 45, 55, 40, 60, 35, 65, 30, 70, 25, 75, 20, 80))


@dataclass(frozen=True)
class Path:
    """A way back from the error, station by station, and the factor of every hop.

    A station is the key of a node, or `key.out` and `key.net` for the halves of a unit. A factor
    is finished TeX without dollars; an empty one is not printed. When the last hop follows an
    edge of the network, the path ends at that edge's label: the weight.
    """

    nodes: tuple[str, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a path without hops, or with more or fewer factors than hops."""
        if len(self.nodes) < 2 or len(self.labels) != len(self.nodes) - 1:
            raise ValueError(f"a path of n stations has n-1 > 0 factors: {self}")


@dataclass(frozen=True)
class Hop:
    """One arrow of a path: inside a unit (an arc over it), along a line, or onto a weight."""

    source: Spot
    target: Spot
    label: str
    weight: Edge | None

    @property
    def inside(self) -> bool:
        """Whether the hop goes from a unit's output to its net input."""
        return self.source == self.target


def path_figure(
    network: Network, highlighted: Sequence[Path], errors: Sequence[Node], total: Node
) -> str:
    """The network, the errors of its outputs (in their order) and their total, with paths back.

    Without single errors the outputs lead to the total directly. A path through a unit that is
    replaced by dots is not drawn; one at least must remain.
    """
    known = {node.key for column in (*network.columns, errors, (total,)) for node in column}
    if not highlighted:
        raise ValueError("a figure of paths needs a path")
    for path in highlighted:
        if not known.issuperset(map(_key, path.nodes)):
            raise ValueError(f"{path} passes a node that is not there")
    arrangement = _arrangement(network, highlighted, errors, total)
    edges = drawn((*network.edges, *_error_edges(network, errors, total)), arrangement.spots)
    hops = _hops(network, highlighted, arrangement)
    followed = {(hop.target.node.key, hop.source.node.key) for hop in hops}
    plain = [edge for edge in edges if (edge.source, edge.target) not in followed]
    boxes = _factor_boxes(hops, plain, arrangement)
    return picture(
        [
            *edge_strokes(plain, arrangement),
            *(line for spot in arrangement.spots.values() for line in _node(spot, network, hops)),
            *dots(arrangement),
            *(line for hop in hops for line in _arrow(hop)),
            *(text("derive factor", box.centre, rf"$\displaystyle {hop.label}$")
              for hop, box in boxes),
        ]
    )  # fmt: skip


def _arrangement(
    network: Network, paths: Sequence[Path], errors: Sequence[Node], total: Node
) -> Arrangement:
    ends = [tuple(errors), (total,)] if errors else [(total,)]
    columns = [*network.columns, *ends]
    widest = max(text_width(node.label, FOOTNOTE_EM) for node in (*errors, total))
    end_half = max(0.42, widest / 2 + 0.04)
    reached = {_key(path.nodes[-1]) for path in paths}
    calm = min(k for k, column in enumerate(columns) if reached & {node.key for node in column})
    steps = _steps(len(columns) - 1, min(calm, len(columns) - 2), WIDTH - HALF - end_half)
    xs = [sum(steps[:k]) for k in range(len(columns))]
    halves = [HALF] * len(network.columns) + [end_half] * len(ends)
    row = ROW if tallest(columns) < HIGH else LOW_ROW
    return arrange(columns, xs, row, halves)


def _steps(count: int, calm: int, room: float) -> list[float]:
    """The distances of the columns; where room is short, the `calm` ones without paths yield."""
    even = min(WIDEST_STEP, room / count)
    narrow = even if even == WIDEST_STEP else min(even, NARROW_STEP)
    wide = min(WIDEST_STEP, (room - narrow * calm) / (count - calm))
    return [narrow] * calm + [wide] * (count - calm)


def _error_edges(network: Network, errors: Sequence[Node], total: Node) -> list[Edge]:
    outputs = units(network.columns[-1])
    if not errors:
        return [Edge(node.key, total.key, "") for node in outputs]
    if len(errors) != len(outputs):
        raise ValueError(f"{len(outputs)} outputs have {len(errors)} errors")
    steps = [Edge(node.key, error.key, "") for node, error in zip(outputs, errors, strict=True)]
    return steps + [Edge(error.key, total.key, "") for error in errors]


def _hops(network: Network, paths: Sequence[Path], arrangement: Arrangement) -> tuple[Hop, ...]:
    """The arrows of all paths that can be drawn, each once."""
    weights = {(edge.source, edge.target): edge for edge in network.edges}
    found: dict[tuple[str, str], Hop] = {}
    for path in paths:
        keys = [_key(station) for station in path.nodes]
        if not arrangement.spots.keys() >= set(keys):
            continue
        for index, label in enumerate(path.labels):
            start, end = arrangement.spots[keys[index]], arrangement.spots[keys[index + 1]]
            last = index == len(path.labels) - 1
            edge = weights.get((keys[index + 1], keys[index])) if last else None
            hop = Hop(start, end, label, edge)
            if found.setdefault((keys[index], keys[index + 1]), hop) != hop:
                raise ValueError(f"two paths disagree on the factor of {hop}")
    if not found:
        raise ValueError("no path is left to draw: all pass units that are replaced by dots")
    return tuple(found.values())


def _key(station: str) -> str:
    key, _, side = station.rpartition(".")
    return key if side in SIDES else station


def _node(spot: Spot, network: Network, hops: Sequence[Hop]) -> list[str]:
    """A node; a unit that a path passes is parted into net input and output, its name beneath."""
    inside = f"${spot.node.label}$"
    error = spot.column >= len(network.columns)
    style = "derive error" if error else node_style(spot, network)
    if any(spot == hop.source or (spot == hop.target and not hop.weight) for hop in hops):
        style += ", derive on path"
    if not any(hop.inside and hop.source == spot for hop in hops):
        return [shape(style, spot, inside)]
    (x, y), half = spot.centre, spot.half
    return [
        shape(style, spot),
        stroke("derive half line", (x, y - half), (x, y + half)),
        text("derive half", (x - half / 2 + 0.02, y), r"$\mathrm{net}$"),
        text("derive half", (x + half / 2 - 0.02, y), r"$\mathrm{out}$"),
        text("derive name", _name_box(spot).centre, inside),
    ]


def _name_box(spot: Spot) -> Box:
    height = text_height(spot.node.label, FOOTNOTE_EM)
    centre = (spot.centre[0], spot.centre[1] - spot.half - height / 2 - 0.03)
    return Box(centre, text_width(spot.node.label, FOOTNOTE_EM), height)


def _arrow(hop: Hop) -> list[str]:
    """The arrow; onto a weight, also the weight's name and the rest of its edge."""
    if hop.inside:
        (x, y), half = hop.source.centre, hop.source.half
        start, end = (x + 0.55 * half, y + 0.84 * half), (x - 0.55 * half, y + 0.84 * half)
        bend = "to[out=70, in=110, looseness=1.5]"
        return [f"\\draw[derive turn] {at(start)} {bend} {at(end)};"]
    arrow = stroke("derive path", *_ends(hop))
    if hop.weight is None:
        return [arrow]
    place, rim = _weight_box(hop).centre, between(hop.source, hop.target)[1]
    rest = stroke("derive edge, -", rim, place)
    return [rest, arrow, text("derive weight", place, f"${hop.weight.label}$")]


def _ends(hop: Hop) -> tuple[Point, Point]:
    """From rim to rim; onto a weight, from the rim to the frame of its name."""
    start, end = between(hop.source, hop.target)
    if hop.weight is None:
        return start, end
    box = _weight_box(hop)
    dx, dy = start[0] - box.centre[0], start[1] - box.centre[1]
    shares = [box.width / 2 / abs(dx) if dx else 1.0, box.height / 2 / abs(dy) if dy else 1.0]
    share = min(shares)
    return start, (box.centre[0] + share * dx, box.centre[1] + share * dy)


def _weight_box(hop: Hop) -> Box:
    """The frame around the weight's name, on its edge and near the unit that it reads."""
    if hop.weight is None:
        raise ValueError(f"{hop} does not end at a weight")
    width = text_width(hop.weight.label, FOOTNOTE_EM) + 0.16
    end, start = between(hop.source, hop.target)
    share = max(0.25, (width / 2 + 0.12) / segment(start, end).width)
    centre = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
    return Box(centre, width, text_height(hop.weight.label, FOOTNOTE_EM) + 0.14)


def _factor_boxes(
    hops: Sequence[Hop], edges: Sequence[Edge], arrangement: Arrangement
) -> list[tuple[Hop, Box]]:
    """Room for the factors; those between two columns stand together or not at all."""
    named = [hop for hop in hops if hop.label]
    solid = [box for spot in arrangement.spots.values() for box in spot.boxes]
    solid += [_weight_box(hop) for hop in hops if hop.weight]
    for hop in hops:
        if hop.inside:
            solid += [_name_box(hop.source), _arc_box(hop.source)]
    solid += [segment(*_ends(hop)) for hop in hops if not hop.inside]
    boxes = place([_candidates(hop) for hop in named], solid, lines_of(edges, arrangement))
    placed = list(zip(named, boxes, strict=True))
    crowded = {_between(hop) for hop, box in placed if box is None}
    return [(hop, box) for hop, box in placed if box and _between(hop) not in crowded]


def _between(hop: Hop) -> tuple[int, int]:
    return hop.source.column, hop.target.column


def _arc_box(spot: Spot) -> Box:
    height = ARC + 0.25 * spot.half
    return Box((spot.centre[0], spot.centre[1] + spot.half + ARC - height / 2), spot.half, height)


def _candidates(hop: Hop) -> list[Box]:
    width = text_width(hop.label, SCRIPT_EM) + CLEAR
    height = text_height(hop.label, SCRIPT_EM) + CLEAR
    if hop.inside:
        (x, y) = hop.source.centre
        top = y + hop.source.half + ARC + height / 2 + 0.02
        return [Box((x + shift, top), width, height) for shift in SHIFTS]
    start, end = _ends(hop)
    line = segment(start, end)
    dx, dy = (end[0] - start[0]) / line.width, (end[1] - start[1]) / line.width
    reach = Box((0.0, 0.0), width, height).half_extent((dy, -dx))
    first = 1 if dy > -TOUCH else -1  # beside a falling arrow the lower side comes first
    return [
        Box((start[0] + t * (end[0] - start[0]) + side * dy * (reach + aside),
             start[1] + t * (end[1] - start[1]) - side * dx * (reach + aside)), width, height)
        for aside in ASIDE for side in (first, -first) for t in ALONG
    ]  # fmt: skip
