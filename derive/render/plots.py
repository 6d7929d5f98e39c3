"""Curves of a worked derivation: the loss along one weight, and the training curve (pgfplots)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from derive.render.drawing import picture
from derive.render.layout import number
from derive.render.placement import (
    FOOTNOTE_EM,
    Box,
    Line,
    Point,
    place,
    segment,
    text_height,
    text_width,
)

WIDE, HIGH = 11.5, 6.2
LOG_DECADES = 1.5
FLAT = 1e-4
DOT = 0.2
CLEAR = 0.14
TANGENT = 2.4
CURVE_WEIGHT = 4.0
ARROW_HEIGHT = 0.28
LEAST_ARROW = 0.25
FEW_POINTS = 25
FEW_STEPS = 10
DIRECTIONS = (45, 135, 60, 120, 90, 30, 150, 0, 180, -45, -135, -90, -30, -150)
DISTANCES = (0.15, 0.3, 0.6, 0.9, 1.3, 1.7)
LEADER_FROM = 0.5


@dataclass(frozen=True)
class DescentLabels:
    """What stands beside the three points: finished TeX for text mode."""

    current: str
    updated: str
    minimum: str = ""


@dataclass(frozen=True)
class Frame:
    """The values that a plot shows from corner to corner, and how they map to the page."""

    low: Point
    high: Point

    def page(self, point: Point) -> Point:
        """A pair of values as centimetres from the lower left corner."""
        (x0, y0), (x1, y1) = self.low, self.high
        return WIDE * (point[0] - x0) / (x1 - x0), HIGH * (point[1] - y0) / (y1 - y0)

    def values(self, point: Point) -> Point:
        """Centimetres from the lower left corner as a pair of values."""
        (x0, y0), (x1, y1) = self.low, self.high
        return x0 + point[0] / WIDE * (x1 - x0), y0 + point[1] / HIGH * (y1 - y0)


def descent_figure(
    points: Sequence[Point],
    current: Point,
    updated: Point,
    minimum: Point | None,
    x_label: str,
    y_label: str,
    labels: DescentLabels,
    *,
    slope: float,
) -> str:
    """The loss along one weight: the tangent at the current value, and the step downhill."""
    marked = [(current, labels.current, "derive current"), (updated, labels.updated, "derive new")]
    if minimum:
        marked.append((minimum, labels.minimum, "derive minimum"))
    shown = [*points, *(point for point, _, _ in marked)]
    _refuse_unplottable([*shown, (0.0, slope)])
    frame = _frame(shown)
    tangent = _tangent(frame, current, slope)
    body = [
        f"\\addplot[derive curve, smooth] coordinates {{{_pairs(sorted(points))}}};",
        f"\\addplot[derive tangent] coordinates {{{_pairs(tangent)}}};",
        *_step(frame, current, updated),
        *_texts(frame, points, tangent, [(point, tex) for point, tex, _ in marked]),
        *(f"\\node[{style}] at {_axis_point(point)} {{}};" for point, _, style in marked),
    ]
    return _axis("axis", frame, x_label, y_label, body)


def training_figure(curve: Sequence[tuple[int, float]], x_label: str, y_label: str) -> str:
    """The loss over the steps of training, on a logarithmic axis if it spans decades."""
    _refuse_unplottable(curve)
    values = [value for _, value in curve]
    logarithmic = min(values) > 0 and math.log10(max(values) / min(values)) > LOG_DECADES
    first, last = min(step for step, _ in curve), max(step for step, _ in curve)
    x0, x1 = (first, last) if first < last else (first - 1, last + 1)
    if logarithmic:
        decades = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))
        y0, y1 = (10.0**power for power in decades)
    else:
        y0, y1 = _span(values, 0.08)
    style = "derive curve" if len(curve) > FEW_POINTS else "derive marked curve"
    body = [f"\\addplot[{style}] coordinates {{{_pairs(curve)}}};"]
    kind = "semilogyaxis" if logarithmic else "axis"
    ticks = ("xtick distance=1",) if x1 - x0 <= FEW_STEPS else ()
    return _axis(kind, Frame((x0, y0), (x1, y1)), x_label, y_label, body, *ticks)


def _refuse_unplottable(points: Sequence[tuple[float, float]]) -> None:
    if not points:
        raise ValueError("a curve needs a point")
    for point in points:
        if not all(math.isfinite(value) for value in point):
            raise ValueError(f"a curve can only be drawn through finite values, not {point}")


def _axis(
    kind: str, frame: Frame, x_label: str, y_label: str, body: Iterable[str], *more: str
) -> str:
    (x0, y0), (x1, y1) = frame.low, frame.high
    limits = f"xmin={number(x0)}, xmax={number(x1)}, ymin={number(y0)}, ymax={number(y1)}"
    size = f"width={number(WIDE)}cm, height={number(HIGH)}cm"
    names = f"xlabel={{{x_label}}}, ylabel={{{y_label}}}"
    options = ", ".join(("derive axis", size, limits, names, *more))
    return picture([f"\\begin{{{kind}}}[{options}]", *body, f"\\end{{{kind}}}"], "font=\\small")


def _pairs(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"({number(x)},{number(y)})" for x, y in points)


def _axis_point(point: Point) -> str:
    return f"(axis cs:{number(point[0])},{number(point[1])})"


def _span(values: Sequence[float], room: float) -> tuple[float, float]:
    """From the least to the greatest value with room beyond; never empty."""
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    if high - low <= FLAT * size or high == low:
        margin = 0.1 * size or 1.0
        return low - margin, high + margin
    margin = room * (high - low)
    return low - margin, high + margin


def _frame(points: Sequence[Point]) -> Frame:
    x0, x1 = _span([x for x, _ in points], 0.0)
    y0, y1 = _span([y for _, y in points], 0.14)
    return Frame((x0, y0), (x1, y1))


def _tangent(frame: Frame, point: Point, slope: float) -> tuple[Point, Point]:
    """A piece of the tangent that stays inside the frame."""
    (x, y), (x1, y1) = frame.page(point), frame.page((point[0] + 1.0, point[1] + slope))
    length = math.hypot(x1 - x, y1 - y)
    dx, dy = (x1 - x) / length, (y1 - y) / length

    def end(sign: int) -> Point:
        ways = [TANGENT]
        for start, rate, limit in ((x, sign * dx, WIDE), (y, sign * dy, HIGH)):
            if abs(rate) > 1e-9:
                ways.append(((limit if rate > 0 else 0.0) - start) / rate)
        reach = sign * max(0.0, min(ways))
        return frame.values((x + reach * dx, y + reach * dy))

    return end(-1), end(1)


def _step(frame: Frame, current: Point, updated: Point) -> list[str]:
    """Lines down to the axis, and between them the arrow from the old weight to the new."""
    feet = [frame.page(point)[0] for point in (current, updated)]
    drops = [
        f"\\draw[derive drop] {_axis_point(point)} -- {_axis_point((point[0], frame.low[1]))};"
        for point in (current, updated)
    ]
    if abs(feet[0] - feet[1]) < LEAST_ARROW:
        return drops
    start, end = (_axis_point(frame.values((foot, ARROW_HEIGHT))) for foot in feet)
    return [*drops, f"\\draw[derive step] {start} -- {end};"]


def _texts(
    frame: Frame,
    points: Sequence[Point],
    tangent: tuple[Point, Point],
    marked: Sequence[tuple[Point, str]],
) -> list[str]:
    """The labels of the points, clear of the curve, the tangent, the arrow and one another."""
    named = [(frame.page(point), tex) for point, tex in marked if tex]
    path = [frame.page(point) for point in sorted(points)]
    places = [frame.page(point) for point, _ in marked]
    solid = [Box(place, DOT, DOT) for place in places]
    solid.append(segment((places[0][0], ARROW_HEIGHT), (places[1][0], ARROW_HEIGHT)))
    strokes = [*pairwise(path), tuple(map(frame.page, tangent))]
    strokes += [((x, y), (x, 0.0)) for x, y in places[:2]]
    lines = [Line(segment(*stroke), CURVE_WEIGHT) for stroke in strokes]
    middle = (places[0][0] + places[1][0]) / 2
    candidates = [
        sorted(_candidates(point, tex), key=lambda box: _astray(box, point, middle))
        for point, tex in named
    ]
    boxes = place(candidates, solid, lines)
    texts = []
    for (point, tex), box in zip(named, boxes, strict=True):
        if box:
            texts += _text(frame, point, box, tex)
    return texts


def _astray(box: Box, point: Point, middle: float) -> bool:
    """Whether a label would stand on the other side, where the neighbouring point is."""
    return (box.centre[0] - middle) * (point[0] - middle) < 0


def _candidates(point: Point, tex: str) -> list[Box]:
    """Places around a point, near ones first, that do not leave the frame."""
    width = text_width(tex, FOOTNOTE_EM) + CLEAR
    height = text_height(tex, FOOTNOTE_EM) + CLEAR
    found = []
    for distance in DISTANCES:
        for direction in DIRECTIONS:
            dx, dy = math.cos(math.radians(direction)), math.sin(math.radians(direction))
            x = point[0] + dx * (distance + width / 2)
            y = point[1] + dy * (distance + height / 2)
            if width / 2 <= x <= WIDE - width / 2 and height / 2 <= y <= HIGH - height / 2:
                found.append(Box((x, y), width, height))
    return found


def _text(frame: Frame, point: Point, box: Box, tex: str) -> list[str]:
    """A label, and a hairline to its point if it stands far off."""
    centre = _axis_point(frame.values(box.centre))
    label = f"\\node[derive label] at {centre} {{{tex}}};"
    near = (
        min(max(point[0], box.centre[0] - box.width / 2), box.centre[0] + box.width / 2),
        min(max(point[1], box.centre[1] - box.height / 2), box.centre[1] + box.height / 2),
    )
    if math.dist(near, point) < LEADER_FROM:
        return [label]
    line = f"{_axis_point(frame.values(near))} -- {_axis_point(frame.values(point))}"
    return [f"\\draw[derive leader] {line};", label]
