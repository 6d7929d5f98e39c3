"""A picture as SVG that may stand alone: it has its own style, and says in words what it shows.

It is readable by day and by night. Names are set as text, so every reader has fonts for it.
"""

from __future__ import annotations

from html import escape

from derive.languages import numbers_in
from derive.render.layout import number
from derive.render.pictures.drawn import Picture, Rect, Shape, Stroke
from derive.render.placement import Point
from derive.render.runs import plain, runs
from derive.templating import source

SCALE = 40  # pixels of a centimetre
EDGE = 8
DROP = 0.1  # from the middle of words to the line that they stand on
TIP = (5.0, 2.2)  # how long an arrow's tip is, and half of how wide
SHADES = frozenset({"up", "down"})
POINTED = frozenset({"flow", "flow back", "meet"})
FORMULA = "$"


def svg(picture: Picture, caption: str, language: str, key: str, alone: bool = True) -> str:
    """The picture with what it shows in words: TeX in which formulas stand between dollars.

    `key` tells it from others on the same page. If it is not alone, the page has its style.
    """
    (left, low), (right, top) = picture.corners
    size = [round(SCALE * length + 2 * EDGE) for length in (right - left, top - low)]
    frame = f"{round(SCALE * left) - EDGE} {round(-SCALE * top) - EDGE} {size[0]} {size[1]}"
    told = spoken(numbers_in(language, caption))
    first = told.partition(". ")[0].rstrip(".。")
    head = f'<title id="{key}-t">{escape(first)}</title><desc id="{key}-d">{escape(told)}</desc>'
    x, y, wide, high = frame.split()
    style = source("figures/colours.css") + source("figures/pictures.css")
    paper = f'<rect class="paper" x="{x}" y="{y}" width="{wide}" height="{high}"/>'
    ground = f"<style>{style}</style>\n{paper}\n" if alone else ""
    shapes = "\n".join(_written(shape, language) for shape in picture.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawn" viewBox="{frame}" '
        f'width="{size[0]}" height="{size[1]}" lang="{language}" role="img" '
        f'aria-labelledby="{key}-t {key}-d">'
        f"{head}\n{ground}{shapes}\n</svg>\n"
    )


def spoken(caption: str) -> str:
    """A caption as plain text: formulas as they are read, without what TeX needs."""
    parts = " ".join(caption.split()).split(FORMULA)
    text = "".join(plain(part) if k % 2 else part for k, part in enumerate(parts))
    return text.replace("~", " ").replace("\\,", " ").replace("--", "–")


def _written(shape: Shape, language: str) -> str:
    kind = " ".join(each.replace(" ", "-") for each in shape.look.split(", "))
    if isinstance(shape, Rect):
        (low, bottom), (right, top) = shape.corners
        size = f'width="{_n(SCALE * (right - low))}" height="{_n(SCALE * (top - bottom))}"'
        shade = f' fill-opacity="{number(round(shape.share, 2))}"' if kind in SHADES else ""
        left, above = _px((low, top))
        return f'<rect class="{kind}" x="{left}" y="{above}" {size}{shade}/>'
    if isinstance(shape, Stroke):
        return _stroke(shape, kind)
    x, y = _px((shape.centre[0], shape.centre[1] - DROP))
    inside = runs(numbers_in(language, f"${shape.tex}$").strip("$"))
    return f'<text class="{kind}" x="{x}" y="{y}">{inside}</text>'


def _stroke(stroke: Stroke, kind: str) -> str:
    points = [",".join(_px(point)) for point in stroke.points]
    way = f"M{points[0]}C{' '.join(points[1:])}" if stroke.bent else "M" + "L".join(points)
    line = f'<path class="{kind}" d="{way}"/>'
    return line + _tip(stroke) if POINTED & {*stroke.look.split(", ")} else line


def _tip(stroke: Stroke) -> str:
    """A triangle at the end of an arrow."""
    (u, v), (x, y) = stroke.points[-2:]
    long = ((x - u) ** 2 + (y - v) ** 2) ** 0.5
    dx, dy = (x - u) / long, (y - v) / long
    back, side = TIP[0] / SCALE, TIP[1] / SCALE
    feet = [(x - back * dx + s * side * dy, y - back * dy - s * side * dx) for s in (1, -1)]
    corners = "L".join(",".join(_px(point)) for point in ((x, y), *feet))
    kind = stroke.look.split(", ")[-1].replace(" ", "-")
    return f'<path class="tip {kind}-tip" d="M{corners}Z"/>'


def _px(point: Point) -> tuple[str, str]:
    return _n(SCALE * point[0]), _n(-SCALE * point[1])


def _n(value: float) -> str:
    return number(round(value, 1))
