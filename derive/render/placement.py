r"""Where a label may stand: boxes in the plane, the room a piece of TeX takes, and the choosing.

Lengths are centimetres. A segment is a box without height, so that one overlap test serves all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

Point = tuple[float, float]

FOOTNOTE_EM = 0.316  # \footnotesize of an 11 pt document
SCRIPT_EM = 0.281  # \scriptsize
TOUCH = 1e-9
CLASH = 1000.0
ROUNDS = 12

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_NO_WIDTH = {
    "{", "}", "$", "&", r"\mathrm", r"\mathit", r"\mathbf", r"\mathsf", r"\text", r"\textbf",
    r"\textit", r"\operatorname", r"\left", r"\right", r"\displaystyle", r"\!",
}  # fmt: skip
_WIDE = re.compile(r"[mwMW@%]|\\(?:sum|omega|varpi|Omega)")
_RELATION = re.compile(r"[=+<>-]|\\(?:approx|leq|geq|cdot|times|to|mapsto|leftarrow|rightarrow)")
_NARROW = re.compile(r"[.,;:!|'()\[\]ijlt]|\\[,;:]|\s+")
_SCRIPTS = ("_", "^")
_SCRIPT_SCALE = 0.75


@dataclass(frozen=True)
class Box:
    """A rectangle: its centre, full width and height, and its turn in degrees."""

    centre: Point
    width: float
    height: float
    angle: float = 0.0

    @cached_property
    def reach(self) -> float:
        """The radius of the circle around the box."""
        return math.hypot(self.width, self.height) / 2

    @cached_property
    def axes(self) -> tuple[Point, Point]:
        """The unit directions of its sides."""
        turns = (math.radians(self.angle), math.radians(self.angle + 90))
        first, second = ((math.cos(turn), math.sin(turn)) for turn in turns)
        return first, second

    @cached_property
    def halves(self) -> tuple[float, float]:
        """Half the length of its shadow on each of them."""
        first, second = map(self.half_extent, self.axes)
        return first, second

    def half_extent(self, axis: Point) -> float:
        """Half the length of the box's shadow on a unit direction."""
        cosine, sine = self.axes[0]
        along = abs(axis[0] * cosine + axis[1] * sine)
        across = abs(axis[1] * cosine - axis[0] * sine)
        return (along * self.width + across * self.height) / 2


@dataclass(frozen=True)
class Line:
    """Something a label may cover if it must, and how much that is to be avoided."""

    box: Box
    weight: float = 1.0


def segment(start: Point, end: Point) -> Box:
    """The box without height from one point to the other."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    centre = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    return Box(centre, math.hypot(dx, dy), 0.0, math.degrees(math.atan2(dy, dx)))


def overlap(first: Box, second: Box) -> bool:
    """Whether two boxes share more than an edge (separating axes)."""
    dx = second.centre[0] - first.centre[0]
    dy = second.centre[1] - first.centre[1]
    if math.hypot(dx, dy) >= first.reach + second.reach:
        return False
    for one, other in ((first, second), (second, first)):
        for axis, half in zip(one.axes, one.halves, strict=True):
            room = half + other.half_extent(axis)
            if abs(dx * axis[0] + dy * axis[1]) >= room - TOUCH:
                return False
    return True


def on_one_line(tex: str) -> str:
    r"""A derivative without its bar: `\frac{a}{b}` as `a/b`."""
    over, _, under = tex.removeprefix(r"\frac{").removesuffix("}").partition("}{")
    return f"{over}/{under}" if under else tex


def text_width(tex: str, em: float) -> float:
    """A width that the printed TeX does not exceed; fractions count as their wider half."""
    return _measure(_TOKEN.findall(tex)) * em


def text_height(tex: str, em: float) -> float:
    """The height of one line, or of a displayed fraction; superscripts need more."""
    raised = 0.4 if "^" in tex else 0.0
    return (2.75 + raised if r"\frac" in tex or r"\dfrac" in tex else 1.15 + raised / 2) * em


def _measure(tokens: Sequence[str]) -> float:
    total, index = 0.0, 0
    while index < len(tokens):
        token = tokens[index]
        if token in _SCRIPTS:
            group, index = _group(tokens, index + 1)
            width = _measure(group)
            if index < len(tokens) and tokens[index] in _SCRIPTS:
                other, index = _group(tokens, index + 1)
                width = max(width, _measure(other))
            total += _SCRIPT_SCALE * width + 0.05
        elif token in (r"\frac", r"\dfrac"):
            over, index = _group(tokens, index + 1)
            under, index = _group(tokens, index)
            total += max(_measure(over), _measure(under)) + 0.25
        else:
            total += _glyph(token)
            index += 1
    return total


def _group(tokens: Sequence[str], start: int) -> tuple[Sequence[str], int]:
    """The braced group, or single token, that begins at start; and where it ends."""
    if start >= len(tokens) or tokens[start] != "{":
        return tokens[start : start + 1], start + 1
    depth = 0
    for index in range(start, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[index], 0)
        if depth == 0:
            return tokens[start + 1 : index], index + 1
    raise ValueError(f"a brace is not closed in {''.join(tokens)!r}")


def _glyph(token: str) -> float:
    if token in _NO_WIDTH:
        return 0.0
    if _RELATION.fullmatch(token):
        return 1.34
    if _WIDE.fullmatch(token) or ord(token[0]) > 0x2E7F:
        return 1.0
    if _NARROW.fullmatch(token):
        return 0.42
    return 0.78 if token.isupper() else 0.58


def place(
    wanted: Sequence[Sequence[Box]], solid: Sequence[Box], lines: Sequence[Line]
) -> tuple[Box | None, ...]:
    """For each label the best of its candidate boxes, or None where all are taken.

    A chosen box overlaps no solid box and no other chosen box; among those it covers the least
    weight of lines, and among equals it is the earliest candidate. Labels choose in turn, again
    and again until none moves.
    """
    prices = [[_price(box, solid, lines) + 0.01 * k for k, box in enumerate(c)] for c in wanted]
    chosen: list[int | None] = [None] * len(wanted)
    for _ in range(ROUNDS):
        before = list(chosen)
        for label in range(len(wanted)):
            chosen[label] = _choice(label, wanted, prices, chosen)
        if chosen == before:
            break
    return _without_clashes(wanted, prices, chosen)


def _price(box: Box, solid: Sequence[Box], lines: Sequence[Line]) -> float:
    clashes = sum(overlap(box, other) for other in solid)
    return CLASH * clashes + sum(line.weight for line in lines if overlap(box, line.box))


def _choice(
    label: int,
    wanted: Sequence[Sequence[Box]],
    prices: Sequence[Sequence[float]],
    chosen: Sequence[int | None],
) -> int | None:
    others = [
        wanted[other][pick]
        for other, pick in enumerate(chosen)
        if pick is not None and other != label
    ]
    costs = [
        price + CLASH * sum(overlap(box, other) for other in others)
        for box, price in zip(wanted[label], prices[label], strict=True)
    ]
    return min(range(len(costs)), key=costs.__getitem__, default=None)


def _without_clashes(
    wanted: Sequence[Sequence[Box]],
    prices: Sequence[Sequence[float]],
    chosen: Sequence[int | None],
) -> tuple[Box | None, ...]:
    kept: list[Box | None] = []
    for candidates, price, pick in zip(wanted, prices, chosen, strict=True):
        box = None if pick is None or price[pick] >= CLASH else candidates[pick]
        if box and any(overlap(box, other) for other in kept if other):
            box = None
        kept.append(box)
    return tuple(kept)
