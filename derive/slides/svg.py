"""The pictures of a page as SVG: what they are drawn with in TikZ, and nothing else, is read here.

A label is MathML in a box of its own. Lengths are centimetres until they are written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from derive.render.placement import Point, text_width
from derive.slides.axes import Axis, ticks

SCALE = 40  # pixels for a centimetre
EDGE = 0.25
LABEL = (5.0, 2.0)  # the room of a label, which is set in its middle
TALL, FLAT = 0.45, 0.26  # half the height of a label with a fraction, and without
EM = 0.36
N = r"-?[\d.]+(?:e[-+]?\d+)?"
P = rf"\((?:axis cs:)?({N}),({N})\)"
NODE = re.compile(rf"\\node\[([^\]]*)\](?: \([\w-]+\))? at {P} \{{(.*)\}};")
DRAW = re.compile(rf"\\draw\[([^\]]*)\] {P}((?: .*)?);")
SEGMENT = re.compile(
    rf" (?:-- {P}|\.\. controls {P} and {P} \.\. {P}|rectangle {P}"
    rf"|to\[out=({N}), in=({N}), looseness=({N})\] {P})"
)
PLOT = re.compile(r"\\addplot\[([^\]]*)\] coordinates \{(.*)\};")
AXIS = re.compile(
    rf"\\begin\{{(semilogy)?axis\}}\[derive axis, width=({N})cm, height=({N})cm, "
    rf"xmin=({N}), xmax=({N}), ymin=({N}), ymax=({N}), xlabel=\{{(.*)\}}, ylabel=\{{(.*?)\}}"
    r"(, xtick distance=1)?\]"
)
PULL = 0.3915  # of a curve that leaves at an angle, as TikZ has it
TIPS = {"edge": 0.15, "bias edge": 0.15, "path": 0.24, "turn": 0.18, "step": 0.18}
TIPS |= {"flow": 0.15, "flow back": 0.15, "meet": 0.2}
ROUND = frozenset({"unit", "input", "error"})
POINTS = frozenset({"current", "new", "minimum"})
FRAMES = ("\\begin{tikzpicture}", "\\end{")


@dataclass
class _Canvas:
    """What is drawn, and how far it reaches."""

    label: Callable[[str], str]
    parts: list[str] = field(default_factory=list)
    reach: list[Point] = field(default_factory=list)
    axis: Axis | None = None

    def place(self, x: str, y: str) -> Point:
        """A place of the picture; within an axis a pair of values."""
        point = float(x), float(y)
        return point if self.axis is None else self.axis.page(point)

    def around(self, centre: Point, wide: float, high: float) -> None:
        """What lies there belongs to the picture."""
        (x, y) = centre
        self.reach += [(x - wide, y - high), (x + wide, y + high)]


def svg(tikz: str, label: Callable[[str], str], words: str) -> str:
    """A picture of a page. `label` sets a text of it; `words` say what it shows.

    Raises ValueError for what no picture of ours has.
    """
    canvas = _Canvas(label)
    for line in map(str.strip, tikz.strip().splitlines()):
        if found := NODE.fullmatch(line):
            _node(canvas, _styles(found[1]), canvas.place(found[2], found[3]), found[4])
        elif found := DRAW.fullmatch(line):
            _draw(canvas, _styles(found[1]), canvas.place(found[2], found[3]), found[4])
        elif found := PLOT.fullmatch(line):
            points = [canvas.place(*pair.strip("()").split(",")) for pair in found[2].split()]
            _curve(canvas, _styles(found[1]), points)
        elif found := AXIS.fullmatch(line):
            _axis(canvas, found)
        elif not line.startswith(FRAMES):
            raise ValueError(f"this is in no picture: {line!r}")
    xs, ys = zip(*canvas.reach, strict=True)
    left, low, wide, high = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    corner = _px((left - EDGE, low + high + EDGE)).replace(",", " ")
    size = f"{SCALE * (wide + 2 * EDGE):.0f} {SCALE * (high + 2 * EDGE):.0f}"
    inside = "".join(canvas.parts)
    return f'<svg viewBox="{corner} {size}" role="img" aria-label="{words}">{inside}</svg>'


def _styles(written: str) -> list[str]:
    return [style.strip().removeprefix("derive ") for style in written.split(",")]


def _classes(styles: Sequence[str]) -> str:
    return " ".join(s.replace(" ", "-") for s in styles if re.fullmatch(r"[a-z ]+", s))


def _value(styles: Sequence[str], name: str) -> str:
    return next((s.split("=")[1] for s in styles if s.startswith(f"{name}=")), "")


def _px(point: Point) -> str:
    return f"{SCALE * point[0]:.1f},{-SCALE * point[1] + 0.0:.1f}"


# --- nodes --------------------------------------------------------------------------------------


def _node(canvas: _Canvas, styles: Sequence[str], at: Point, tex: str) -> None:
    """A unit, a point or a label."""
    half = float(_value(styles, "minimum size").removesuffix("cm") or 0) / 2
    kind = _classes(styles)
    x, y = _px(at).split(",")
    if POINTS & set(styles):
        half = 0.11
    if half and "bias" in styles:
        _box(canvas, kind, (at[0] - half, at[1] - half), (at[0] + half, at[1] + half))
    elif half:
        r = f"{SCALE * half:.1f}"
        canvas.parts.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="{r}"/>')
    canvas.around(at, half, half)
    if tex:
        _label(canvas, styles, at, tex)


def _shade(styles: Sequence[str]) -> str:
    """How strong a shade is."""
    share = _value(styles, "fill").partition("!")[2]
    return f' fill-opacity="{int(share) / 100:g}"' if share else ""


def _box(canvas: _Canvas, kind: str, low: Point, top: Point, shade: str = "") -> None:
    x, y = _px((low[0], top[1])).split(",")
    size = f'width="{SCALE * (top[0] - low[0]):.1f}" height="{SCALE * (top[1] - low[1]):.1f}"'
    canvas.parts.append(f'<rect class="{kind}" x="{x}" y="{y}" {size}{shade}/>')
    canvas.reach += [low, top]


def _label(canvas: _Canvas, styles: Sequence[str], at: Point, tex: str) -> None:
    """A text, in its middle or with one end at its place."""
    side = _value(styles, "anchor") or ("west" if {"output", "target"} & set(styles) else "")
    (x, y), (wide, high) = at, LABEL
    half = text_width(tex, EM) / 2 + 0.1
    begins = {"west": x, "east": x - wide}.get(side, x - wide / 2)
    middle = {"west": x + half, "east": x - half}.get(side, x)
    canvas.around((middle, y), half, TALL if r"\frac" in tex else FLAT)
    corner = _px((begins, y + high / 2)).split(",")
    turn = _value(styles, "rotate")
    turned = f' transform="rotate({-float(turn):g} {_px(at).replace(",", " ")})"' if turn else ""
    canvas.parts.append(
        f'<foreignObject x="{corner[0]}" y="{corner[1]}" width="{SCALE * wide:.0f}" '
        f'height="{SCALE * high:.0f}"{turned}><div class="{_classes([*styles, side])}">'
        f"<span>{canvas.label(tex)}</span></div></foreignObject>"
    )


# --- strokes ------------------------------------------------------------------------------------


def _draw(canvas: _Canvas, styles: Sequence[str], start: Point, rest: str) -> None:
    """A line with its tip, or a box."""
    line, before, last = f"M{_px(start)}", start, start
    canvas.reach.append(start)
    at = 0
    while found := SEGMENT.match(rest, at):
        numbers = [number for number in found.groups() if number is not None]
        if "rectangle" in found[0]:
            _box(canvas, _classes(styles), start, canvas.place(*numbers), _shade(styles))
            return
        end = canvas.place(*numbers[-2:])
        if "controls" in found[0]:
            first, before = canvas.place(*numbers[:2]), canvas.place(*numbers[2:4])
            line += f"C{_px(first)} {_px(before)} {_px(end)}"
        elif "to[" in found[0]:
            first, before = _leaning(last, end, *map(float, numbers[:3]))
            line += f"C{_px(first)} {_px(before)} {_px(end)}"
            canvas.reach += [first, before]
        else:
            before = last
            line += f"L{_px(end)}"
        canvas.reach.append(end)
        last, at = end, found.end()
    if at != len(rest):
        raise ValueError(f"this is in no picture: {rest[at:]!r}")
    kind = _classes(styles)
    canvas.parts.append(f'<path class="stroke {kind}" d="{line}"/>')
    tip = next((TIPS[style] for style in styles if style in TIPS), 0.0)
    if tip and "-" not in styles:
        canvas.parts.append(_tip(kind, before, last, tip))


def _leaning(
    start: Point, end: Point, out: float, into: float, loose: float
) -> tuple[Point, Point]:
    """The controls of a curve that leaves and arrives at angles."""
    far = PULL * loose * math.dist(start, end)

    def off(point: Point, angle: float) -> Point:
        turn = math.radians(angle)
        return point[0] + far * math.cos(turn), point[1] + far * math.sin(turn)

    return off(start, out), off(end, into)


def _tip(kind: str, before: Point, end: Point, long: float) -> str:
    """A triangle at the end of a line."""
    span = math.dist(before, end) or 1.0
    dx, dy = (end[0] - before[0]) / span, (end[1] - before[1]) / span
    back = end[0] - long * dx, end[1] - long * dy
    side = 0.4 * long
    corners = (
        end,
        (back[0] - side * dy, back[1] + side * dx),
        (back[0] + side * dy, back[1] - side * dx),
    )
    return f'<path class="tip {kind}" d="M{"L".join(map(_px, corners))}Z"/>'


def _curve(canvas: _Canvas, styles: Sequence[str], points: Sequence[Point]) -> None:
    """A curve through points, marked where they are few."""
    kind = _classes(styles)
    canvas.parts.append(f'<path class="stroke {kind}" d="M{"L".join(map(_px, points))}"/>')
    if "marked curve" in styles:
        for x, y in (_px(point).split(",") for point in points):
            canvas.parts.append(f'<circle class="mark" cx="{x}" cy="{y}" r="2.5"/>')
    canvas.reach += points


# --- axes ---------------------------------------------------------------------------------------


def _axis(canvas: _Canvas, found: re.Match[str]) -> None:
    """The axes with their ticks and names."""
    wide, high, x0, x1, y0, y1 = map(float, found.groups()[1:7])
    axis = canvas.axis = Axis((wide, high), (x0, y0), (x1, y1), bool(found[1]))
    canvas.parts.append(
        f'<path class="axis" d="M{_px((0, high))}L{_px((0, 0))}L{_px((wide, 0))}"/>'
    )
    canvas.around((wide / 2, high / 2), wide / 2, high / 2)
    for value, tex in ticks(x0, x1, False, 1.0 if found[10] else 0.0):
        x = axis.page((value, y0))[0]
        canvas.parts.append(f'<path class="axis" d="M{_px((x, 0))}L{_px((x, -0.12))}"/>')
        _label(canvas, ["tick"], (x, -0.4), tex)
    for value, tex in ticks(y0, y1, axis.logarithmic):
        y = axis.page((x0, value))[1]
        canvas.parts.append(f'<path class="axis" d="M{_px((0, y))}L{_px((-0.12, y))}"/>')
        _label(canvas, ["tick", "anchor=east"], (-0.2, y), tex)
    if found[8]:
        _label(canvas, ["axis name"], (wide / 2, -0.95), found[8])
    if found[9]:
        _label(canvas, ["axis name", "rotate=90"], (-1.7, high / 2), found[9])
    canvas.around((-1.7, high / 2), 0.35, 0.4)
