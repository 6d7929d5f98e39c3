"""The axes of a curve: where a pair of values lies, and which values are named."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from derive.render.placement import Point

MOST_TICKS = 8
MOST_DECADES = 10
NEAR = 1e-9


@dataclass(frozen=True)
class Axis:
    """A frame of values, and how they map to centimetres from the lower left corner."""

    size: Point
    low: Point
    top: Point
    logarithmic: bool

    def page(self, point: Point) -> Point:
        """Where a pair of values lies."""
        (x0, y0), (x1, y1), (x, y) = self.low, self.top, point
        if self.logarithmic:
            y, y0, y1 = math.log10(y), math.log10(y0), math.log10(y1)
        return self.size[0] * (x - x0) / (x1 - x0), self.size[1] * (y - y0) / (y1 - y0)


def ticks(
    low: float, top: float, logarithmic: bool, step: float = 0.0
) -> Iterator[tuple[float, str]]:
    """The values that are named, with their names in TeX."""
    if logarithmic:
        first, last = math.ceil(math.log10(low) - NEAR), math.floor(math.log10(top) + NEAR)
        for power in range(first, last + 1, 1 + (last - first) // MOST_DECADES):
            yield 10.0**power, f"$10^{{{power}}}$"
        return
    step = step or _step(top - low)
    decimals = max(0, -math.floor(math.log10(step) + NEAR))
    for k in range(math.ceil(low / step - NEAR), math.floor(top / step + NEAR) + 1):
        yield k * step, f"${k * step + 0.0:.{decimals}f}$"


def _step(span: float) -> float:
    """A distance of 1, 2 or 5 times a power of ten that leaves few ticks."""
    power = 10.0 ** math.floor(math.log10(span / MOST_TICKS))
    return next(share * power for share in (1, 2, 5, 10) if span <= share * power * MOST_TICKS)
