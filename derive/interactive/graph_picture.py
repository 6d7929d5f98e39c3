"""The computation graph of a model as a picture whose boxes can be pointed at: SVG.

Quantities stand with their shapes in the order of computation; the same strokes carry the
derivatives back. Lengths are centimetres until they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from derive.expression import reads
from derive.graph import Graph
from derive.interactive.model import Model
from derive.render.layered import Layered, Size, layered
from derive.render.placement import Point
from derive.render.runs import runs

SCALE = 40
BOX = (2.3, 1.15)
GAP = {False: (1.1, 0.5), True: (0.95, 0.35)}  # between layers, within one; lying and standing
PASS_BY = 0.35
MOST_NODES = 60
WIDEST = {False: 960, True: 440}  # pixels that shrink to the window and can still be read
EDGE = 0.5
AROUND = 0.9  # how far what goes back to an earlier step leads around the boxes
Stroke = tuple[str, str]  # from what is read to what reads it


@dataclass(frozen=True)
class Drawing:
    """A graph that is laid out; `standing` has the layers one below the other."""

    model: Model
    laid: Layered
    standing: bool

    def at(self, along: float, across: float) -> Point:
        """A place of the layout in the plane."""
        return (across, -along) if self.standing else (along, -across)

    @property
    def size(self) -> Point:
        """How wide and how high the boxes reach."""
        sides = (self.laid.along, self.laid.across)
        return (sides[1], sides[0]) if self.standing else sides


def graph_picture(model: Model, standing: bool) -> str:
    """The picture as SVG; nothing for more quantities than an eye can follow."""
    if len(model.problem.graph.quantities) > MOST_NODES:
        return ""
    return _svg(Drawing(model, laid_out(model.problem.graph, standing), standing))


def laid_out(graph: Graph, standing: bool) -> Layered:
    """Where the boxes are, and where the strokes lead between them."""
    along, across = (BOX[1], BOX[0]) if standing else BOX
    size = Size(along, across / 2, across / 2)
    ahead = [s for s in strokes(graph) if not leads_back(graph, s)]
    return layered(dict.fromkeys(graph.quantities, size), ahead, GAP[standing], PASS_BY)


def strokes(graph: Graph) -> Iterator[Stroke]:
    """All readings."""
    for equation in graph.equations:
        yield from ((read, equation.quantity.name) for read in reads(equation.rhs))


def leads_back(graph: Graph, stroke: Stroke) -> bool:
    """Whether a reading is that of another step of a recurrence."""
    order = list(graph.quantities)
    return order.index(stroke[0]) >= order.index(stroke[1])


def _svg(drawing: Drawing) -> str:
    graph = drawing.model.problem.graph
    wide, high = drawing.size
    round_it = any(leads_back(graph, stroke) for stroke in strokes(graph))
    above = EDGE + (AROUND if round_it and not drawing.standing else 0)
    right = EDGE + (AROUND if round_it and drawing.standing else 0)
    width, height = round(SCALE * (wide + EDGE + right)), round(SCALE * (high + EDGE + above))
    frame = f"{-SCALE * EDGE:.0f} {-SCALE * above:.0f} {width} {height}"
    kind = "standing" if drawing.standing else "lying"
    kind += " large" if width > WIDEST[drawing.standing] else ""
    parts = [_stroke(drawing, stroke) for stroke in strokes(graph)]
    parts += [_node(drawing, name) for name in graph.quantities]
    return (
        f'<svg class="net graph {kind}" viewBox="{frame}" width="{width}" height="{height}" '
        f'role="group">{"".join(parts)}</svg>'
    )


def _stroke(drawing: Drawing, stroke: Stroke) -> str:
    """A stroke with a tip at its end, and one at its beginning for the way back."""
    if leads_back(drawing.model.problem.graph, stroke):
        return _loop(drawing, stroke)
    laid, half = drawing.laid, (BOX[1] if drawing.standing else BOX[0]) / 2
    (first, level), (last, end) = (laid.centres[name] for name in stroke)
    way = [(first + half, level)]
    for (begin, stop), across in laid.passes[stroke]:
        way += [(begin, across), (stop, across)]
    way.append((last - half, end))
    path = f"M{_px(drawing.at(*way[0]))}"
    for k, ((x, y), (u, v)) in enumerate(pairwise(way)):
        if k % 2:
            path += f"L{_px(drawing.at(u, v))}"
        else:
            bends = [((x + u) / 2, y), ((x + u) / 2, v), (u, v)]
            path += "C" + " ".join(_px(drawing.at(*bend)) for bend in bends)
    ahead = (0.0, -1.0) if drawing.standing else (1.0, 0.0)
    back = -ahead[0], -ahead[1]
    tips = _tip(drawing.at(*way[-1]), ahead, "tip") + _tip(drawing.at(*way[0]), back, "tip back")
    return _group(drawing, stroke, path, tips, "end")


def _loop(drawing: Drawing, stroke: Stroke) -> str:
    """What reads another step of itself, or of what is computed later: an arc around the boxes."""
    (x, y), (u, v) = (drawing.at(*drawing.laid.centres[name]) for name in stroke)
    own = stroke[0] == stroke[1]
    if drawing.standing:
        rim, side = drawing.size[0] + AROUND, BOX[0] / 2
        ends = (x + side, y - 0.2), (u + side, v + (0.3 if own else 0.1))
        path = f"M{_px(ends[0])}C{_px((rim, y))} {_px((rim, v))} {_px(ends[1])}"
        return _group(drawing, stroke, path, _tip(ends[1], (-1.0, 0.0), "tip"), "end again")
    side, reach = BOX[1] / 2, BOX[1] / 2 + AROUND
    ends = (x + 0.5, y + side), (u - 0.5, v + side)
    path = f"M{_px(ends[0])}C{_px((x + 0.7, y + reach))} {_px((u - 0.7, v + reach))} {_px(ends[1])}"
    return _group(drawing, stroke, path, _tip(ends[1], (0.0, -1.0), "tip"), "end again")


def _group(drawing: Drawing, stroke: Stroke, path: str, tips: str, style: str) -> str:
    numbers = drawing.model.numbers
    ends = f'data-from="{numbers[stroke[0]]}" data-to="{numbers[stroke[1]]}"'
    return f'<g class="{style}" {ends}><path class="stroke" d="{path}"/>{tips}</g>'


def _tip(at: Point, ahead: Point, style: str) -> str:
    """A small triangle that points ahead."""
    (x, y), (dx, dy) = at, ahead
    long, wide = 0.2, 0.09
    corners: Sequence[Point] = (
        (x - long * dx + wide * dy, y - long * dy - wide * dx),
        (x - long * dx - wide * dy, y - long * dy + wide * dx),
    )
    return f'<path class="{style}" d="M{_px(at)}L{_px(corners[0])}L{_px(corners[1])}Z"/>'


def _node(drawing: Drawing, name: str) -> str:
    """A quantity: its symbol and its shape."""
    model = drawing.model
    number, quantity = model.numbers[name], model.problem.graph.quantities[name]
    x, y = drawing.at(*drawing.laid.centres[name])
    corner = _px((x - BOX[0] / 2, y + BOX[1] / 2)).split(",")
    size = f'width="{SCALE * BOX[0]:.0f}" height="{SCALE * BOX[1]:.0f}"'
    shape = " × ".join(map(str, quantity.shape))
    lines = [(runs(model.form.whole(name)), "name", 0.2 if shape else 0.0)]
    lines += [(shape, "shape", -0.28)] if shape else []
    texts = "".join(
        f'<text class="{style}" x="{SCALE * x:.0f}" y="{-SCALE * (y + up):.0f}">{inside}</text>'
        for inside, style, up in lines
    )
    return (
        f'<g class="node {quantity.role.value}" data-place="q{number}" data-quantity="{number}" '
        f'tabindex="0" role="button" aria-pressed="false">'
        f'<rect x="{corner[0]}" y="{corner[1]}" {size} rx="7"/>{texts}</g>'
    )


def _px(point: Point) -> str:
    return f"{SCALE * point[0]:.0f},{-SCALE * point[1]:.0f}"
