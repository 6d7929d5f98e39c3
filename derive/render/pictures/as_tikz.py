"""A picture as TikZ."""

from __future__ import annotations

from derive.render.drawing import picture as environment
from derive.render.drawing import text
from derive.render.layout import at
from derive.render.pictures.drawn import Picture, Rect, Shape, Stroke

PERCENT = 100
SHADES = {"up": "deriveblue", "down": "derivered"}


def tikz(picture: Picture) -> str:
    """The picture, ready for a page whose head has its styles."""
    return environment([_written(shape) for shape in picture.shapes])


def _written(shape: Shape) -> str:
    style = _style(shape.look)
    if isinstance(shape, Rect):
        low, top = shape.corners
        colour = SHADES.get(shape.look, "")
        shade = f", fill={colour}!{round(PERCENT * shape.share)}" if colour else ""
        return f"\\draw[{style}{shade}] {at(low)} rectangle {at(top)};"
    if not isinstance(shape, Stroke):
        return text(style, shape.centre, f"${shape.tex}$")
    first, *rest = map(at, shape.points)
    if shape.bent:
        return f"\\draw[{style}] {first} .. controls {rest[0]} and {rest[1]} .. {rest[2]};"
    return f"\\draw[{style}] {' -- '.join([first, *rest])};"


def _style(look: str) -> str:
    return ", ".join(f"derive {each}" for each in look.split(", "))
