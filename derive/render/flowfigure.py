"""The computation graph as a picture: blue arrows forward, red ones for the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from derive.graph import Role
from derive.render.blocks import Block
from derive.render.drawing import WIDTH, picture, text
from derive.render.flow import Arrow, Flow, Vertex, flow_of
from derive.render.layered import Layered, Size, layered
from derive.render.layout import at
from derive.render.model_form import ModelForm
from derive.render.placement import FOOTNOTE_EM, SCRIPT_EM, Point, on_one_line, text_width

HEIGHT = 21.0  # of a picture that has a page for itself
LINE, PAD = 0.42, 0.14
LABEL = 0.36  # a line of labels above or below a box
GAPS, ACROSS = (1.2, 0.95, 0.7), 0.3  # between layers, and within one; the first that fits
DOWNWARDS = ((0.95, 0.3), (0.7, 0.3), (0.4, 0.1))
LINE_GAP = 0.6
PASS_BY = 0.25
APART = 0.055  # half of what is between the arrow forward and the one back
RAISED, LOWERED = 0.15, 0.19  # a symbol with its shape below it
BESIDE = 0.07  # between a box and a label at its side
WIDEST_PORT = 0.3  # between two arrows that leave a box
FEWEST, MOST = 3, 60  # vertices
Placed = Callable[[Point], Point]


def flow_blocks(form: ModelForm) -> Iterator[Block]:
    """The picture of a model, and what there is to say of it; nothing if it would not fit."""
    flow = flow_of(form)
    tikz = flow_figure(flow)
    if tikz:
        yield Block(
            "model_flow",
            {
                "tikz": tikz,
                "back": any(arrow.back for arrow in flow.arrows),
                "slopes": any(vertex.gradient for vertex in flow.vertices),
                "parameters": any(vertex.parameters for vertex in flow.vertices),
                "shapes": any(vertex.shape for vertex in flow.vertices),
                "repeated": "derive repeated" in tikz,
                "earlier": [vertex.symbol for vertex in flow.vertices if vertex.earlier],
            },
        )


def flow_figure(flow: Flow) -> str:
    """The graph as TikZ: on one line, on a few, or from top to bottom; nothing if it would not fit.

    It is broken where a single box is all that is read later; the next line begins with it again.
    """
    if not FEWEST <= len(flow.vertices) <= MOST:
        return ""
    found = [lines for lines in (_on_lines(flow), _downwards(flow)) if lines]
    if not found:
        return ""
    _, lines = min(found, key=lambda each: each[0])
    return picture(lines)


def _on_lines(flow: Flow) -> tuple[float, list[str]] | None:
    """From left to right, on as few lines as can be, and how high that is."""
    parts, high = [], 0.0
    for part in _broken(flow):
        found = _across(part)
        if found is None:
            return None
        parts.append((part, found, high))
        high += found.across + LINE_GAP
    lines = [s for part, found, down in parts for s in _lines(part, found, False, (0.0, down))]
    return (high - LINE_GAP, lines) if high - LINE_GAP <= HEIGHT else None


def _across(flow: Flow) -> Layered | None:
    """From left to right on one line, as far apart as there is room."""
    for gap in GAPS:
        found = _laid_out(flow, False, gap, ACROSS)
        if found.along <= WIDTH:
            return found
    return None


def _broken(flow: Flow) -> Iterator[Flow]:
    """The lines, each as long as there is room."""
    joints = [*flow.joints(), (len(flow.vertices), "")]
    first, behind, k = -1, "", 0
    while k < len(joints):
        fitting = [
            j for j in range(k, len(joints)) if _across(flow.between(first, joints[j][0], behind))
        ]
        k = max(fitting, default=k)
        yield flow.between(first, joints[k][0], behind)
        first, behind = joints[k]
        k += 1


def _downwards(flow: Flow) -> tuple[float, list[str]] | None:
    """From top to bottom, and how high that is."""
    for along, across in DOWNWARDS:
        found = _laid_out(flow, True, along, across)
        if found.across <= WIDTH and found.along <= HEIGHT:
            return found.along, [*_lines(flow, found, True, (0.0, 0.0))]
    return None


def _laid_out(flow: Flow, downwards: bool, along: float, across: float) -> Layered:
    sizes = {v.name: _size(v, downwards) for v in flow.vertices}
    ways = [(arrow.source, arrow.target) for arrow in flow.arrows]
    return layered(sizes, ways, (along, across), PASS_BY)


def _outline(vertex: Vertex) -> Point:
    """Width and height of a box."""
    wide = max(text_width(vertex.symbol, FOOTNOTE_EM), text_width(vertex.shape, SCRIPT_EM))
    return max(wide + 2 * PAD, 0.6), LINE + (0.3 if vertex.shape else 0.0) + 0.06


def _labels(vertex: Vertex) -> tuple[float, float]:
    """The widths of the derivative and of the parameters beside a box."""
    return text_width(on_one_line(vertex.gradient), SCRIPT_EM), text_width(_read(vertex), SCRIPT_EM)


def _read(vertex: Vertex) -> str:
    return r",\,".join(vertex.parameters)


def _size(vertex: Vertex, downwards: bool) -> Size:
    """The room of a box with its labels: above and below it, or left and right on the way down."""
    (wide, high), (slope, read) = _outline(vertex), _labels(vertex)
    if downwards:
        room = [wide / 2 + (label + 2 * BESIDE if label else 0.0) for label in (read, slope)]
        return Size(high, *room)
    above, below = (high / 2 + (LABEL if label else 0.0) for label in (slope, read))
    return Size(max(wide, slope, read), above, below)


def _lines(flow: Flow, found: Layered, downwards: bool, begin: Point) -> Iterator[str]:
    """All strokes; points are along and across the arrows until they are written."""

    def placed(point: Point) -> Point:
        along, across = point[0] + begin[0], point[1] + begin[1]
        return (across, -along) if downwards else (along, -across)

    halves = {v.name: _half(v, downwards) for v in flow.vertices}
    ports = _ports(flow.arrows, found, halves)
    for arrow in flow.arrows:
        yield from _strokes(arrow, _way(arrow, found, *ports[arrow]), placed)
    for vertex in flow.vertices:
        yield from _drawn(vertex, placed(found.centres[vertex.name]), downwards)


def _half(vertex: Vertex, downwards: bool) -> Point:
    """Half of a box, along and across."""
    wide, high = _outline(vertex)
    return (high / 2, wide / 2) if downwards else (wide / 2, high / 2)


def _ports(
    arrows: Sequence[Arrow], found: Layered, halves: Mapping[str, Point]
) -> dict[Arrow, tuple[Point, Point]]:
    """Where every arrow leaves and arrives: side by side, in the order of what they lead to."""
    starts: dict[Arrow, Point] = {}
    stops: dict[Arrow, Point] = {}
    for name, (along, across) in found.centres.items():
        leaving = [arrow for arrow in arrows if arrow.source == name]
        coming = [arrow for arrow in arrows if arrow.target == name]
        leaving.sort(key=lambda arrow: _first_pass(arrow, found))
        coming.sort(key=lambda arrow: _last_pass(arrow, found))
        for group, side, kept in ((leaving, 1, starts), (coming, -1, stops)):
            step = min(WIDEST_PORT, 1.5 * halves[name][1] / (len(group) or 1))
            for k, arrow in enumerate(group):
                aside = (k - (len(group) - 1) / 2) * step
                kept[arrow] = (along + side * halves[name][0], across + aside)
    return {arrow: (starts[arrow], stops[arrow]) for arrow in arrows}


def _first_pass(arrow: Arrow, found: Layered) -> float:
    """How far across an arrow goes first."""
    passes = found.passes[arrow.source, arrow.target]
    return passes[0][1] if passes else found.centres[arrow.target][1]


def _last_pass(arrow: Arrow, found: Layered) -> float:
    """From how far across an arrow comes."""
    passes = found.passes[arrow.source, arrow.target]
    return passes[-1][1] if passes else found.centres[arrow.source][1]


def _way(arrow: Arrow, found: Layered, start: Point, stop: Point) -> list[Point]:
    """The corners of an arrow: level through layers, turning between them."""
    points = [start, (found.layers[arrow.source][1], start[1])]
    for (begin, end), across in found.passes[arrow.source, arrow.target]:
        points += [(begin, across), (end, across)]
    return [*points, (found.layers[arrow.target][0], stop[1]), stop]


def _strokes(arrow: Arrow, way: Sequence[Point], placed: Placed) -> Iterator[str]:
    """The arrow forward and, beside it, the one back."""
    if not arrow.back:
        yield _curve("derive flow", way, 0.0, placed)
        return
    yield _curve("derive flow", way, -APART, placed)
    yield _curve("derive flow back", list(reversed(way)), APART, placed)


def _curve(style: str, way: Sequence[Point], aside: float, placed: Placed) -> str:
    """A smooth line that is level at its corners, a little aside of the way.

    Where it turns it leans to the outer side, so that two lines beside each other stay apart.
    """
    path, last = at(placed((way[0][0], way[0][1] + aside))), way[0]
    for along, across in way[1:]:
        end = at(placed((along, across + aside)))
        if across == last[1]:
            path += f" -- {end}"
        else:
            lean = -aside if (across > last[1]) == (along > last[0]) else aside
            middle = (last[0] + along) / 2 + lean
            first = at(placed((middle, last[1] + aside)))
            second = at(placed((middle, across + aside)))
            path += f" .. controls {first} and {second} .. {end}"
        last = along, across
    return f"\\draw[{style}] {path};"


def _drawn(vertex: Vertex, centre: Point, downwards: bool) -> Iterator[str]:
    """A box with its symbol, its shape and what stands beside it."""
    (x, y), (wide, high) = centre, _outline(vertex)
    low, top = (x - wide / 2, y - high / 2), (x + wide / 2, y + high / 2)
    yield f"\\draw[{_style(vertex)}] {at(low)} rectangle {at(top)};"
    yield text("derive symbol", (x, y + (RAISED if vertex.shape else 0.0)), f"${vertex.symbol}$")
    if vertex.shape:
        yield text("derive shape", (x, y - LOWERED), f"${vertex.shape}$")
    anchors = (", anchor=west", ", anchor=east") if downwards else ("", "")
    if vertex.gradient:
        spot = (top[0] + BESIDE, y) if downwards else (x, top[1] + LABEL / 2)
        yield text(f"derive slope{anchors[0]}", spot, f"${on_one_line(vertex.gradient)}$")
    if vertex.parameters:
        spot = (low[0] - BESIDE, y) if downwards else (x, low[1] - LABEL / 2)
        yield text(f"derive read{anchors[1]}", spot, f"${_read(vertex)}$")


def _style(vertex: Vertex) -> str:
    if vertex.earlier or vertex.repeated:
        return f"derive quantity, derive {'earlier' if vertex.earlier else 'repeated'}"
    if vertex.role is Role.LOSS:
        return "derive quantity, derive result"
    return "derive quantity" if vertex.role is Role.HIDDEN else "derive quantity, derive given"
