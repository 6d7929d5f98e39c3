"""The strokes of an unrolled recurrence, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from derive.graph import adjoint_name
from derive.render.drawing import WIDTH
from derive.render.model_form import ModelForm
from derive.render.pictures.drawn import Picture, Rect, Shape, Stroke, Words
from derive.render.pictures.steps import (
    APART,
    MOST_RESULTS,
    MOST_STEPS,
    Cell,
    Column,
    Place,
    Steps,
    Way,
)
from derive.render.pictures.unrolled import Recurrence, has_gradient
from derive.render.placement import Point, on_one_line


@dataclass(frozen=True)
class Meeting:
    """A state at which two derivatives meet: that of what is computed of it, and a later step's."""

    at: Place
    above: str
    later: int


@dataclass(frozen=True)
class Unrolled:
    """The picture of a recurrence; `above` and `state` are symbols of what meets."""

    steps: Steps
    picture: Picture
    meeting: Meeting | None

    def symbol(self, place: Place) -> str:
        """What a box says."""
        step, name = place
        together = self.steps.together
        if together is not None and together.name == name:
            return together.symbol
        column = next(c for c in self.steps.drawn if c.step == step)
        cells = (*column.inputs, *column.states, *column.results)
        return next(cell.symbol for cell in cells if cell.name == name)


def unrolled(form: ModelForm, read: Recurrence) -> Unrolled | None:
    """As many steps as there is room for; None if there is not even room for three."""
    for shown in _choices(read.steps):
        steps = _steps(form, read, shown)
        meeting = _meeting(steps)
        picture = Picture(tuple(_shapes(steps, meeting)))
        if picture.size[0] <= WIDTH:
            return Unrolled(steps, picture, meeting)
    return None


def _choices(steps: int) -> Iterator[tuple[int | None, ...]]:
    """Which steps are drawn, the most first."""
    if steps <= MOST_STEPS:
        yield tuple(range(steps))
    if steps > 4:
        yield from ((*range(k), None, steps - 2, steps - 1) for k in (3, 2) if steps > k + 2)
    if steps > 3:
        yield (0, 1, None, steps - 1)


def _steps(form: ModelForm, read: Recurrence, shown: Sequence[int | None]) -> Steps:
    columns = [None if step is None else _column(form, read, step) for step in shown]
    before = _before(form, read)
    early = [column for column in before if column.step < 0]
    late = [column for column in before if column.step >= 0]
    together = [result.name for result in read.results if result.step is None]
    alone = together and not any(column and column.results for column in columns)
    top = replace(_cell(form, together[0], ()), look="sum") if alone else None
    return Steps(read, (*early, *columns, *late), top)


def _column(form: ModelForm, read: Recurrence, step: int) -> Column:
    at = [str(step)]
    each = dict.fromkeys(result.name for result in read.results if result.step == -1)
    once = dict.fromkeys(result.name for result in read.results if result.step == step)
    above = [_cell(form, name, at) for name in each]
    above += [_cell(form, name, ()) for name in once if name not in each]
    return Column(
        step,
        tuple(replace(_cell(form, name, at), look="open") for name in read.inputs),
        tuple(_cell(form, name, at) for name in read.states),
        tuple(replace(cell, look="sum") for cell in above[:MOST_RESULTS]),
    )


def _before(form: ModelForm, read: Recurrence) -> list[Column]:
    """The steps before the first one, of which something is given."""
    found: dict[int, list[Cell]] = {}
    for name in read.states:
        indices = form.problem.graph.equation(name).indices
        for edge in form.edges.get(name, ()):
            at = edge.of.indices[indices.index(read.letter)] if read.letter in indices else None
            if at is not None and at.is_Integer:
                cell = Cell(name, form.symbol(name, [str(at)]), look="before")
                found.setdefault(int(at), []).append(cell)
    return [Column(step, states=tuple(found[step])) for step in sorted(found)]


def _cell(form: ModelForm, name: str, at: Sequence[str]) -> Cell:
    adjoint = adjoint_name(name)
    known = adjoint in form.derivation.backward.quantities
    gradient = on_one_line(form.symbol(adjoint, at)) if known else ""
    return Cell(name, form.symbol(name, at), gradient, has_gradient(form.derivation, name))


def _meeting(steps: Steps) -> Meeting | None:
    """The state in the middle at which two derivatives meet."""
    found: list[Meeting] = []
    inner = range(steps.read.steps)
    for way in steps.ways:
        later, into = way.target
        if way.back and not into and later is not None and way.source[0] in inner:
            out = [each for each in steps.ways if each.source == way.source and each.back]
            above = [
                n for _, n in (each.target for each in out) if n and n not in steps.read.states
            ]
            found += [Meeting(way.source, above[0], later)] if above else []
    return found[len(found) // 2] if found else None


# --- strokes ----------------------------------------------------------------------------------


def _shapes(steps: Steps, meeting: Meeting | None) -> Iterator[Shape]:
    if steps.framed:
        inner = [c.step for c in steps.drawn if 0 <= c.step < steps.read.steps]
        yield from (Rect(steps.frame(step), "step frame") for step in inner)
    for way in steps.ways:
        yield from _strokes(way, meeting)
    for column in steps.drawn:
        for cell in (*column.inputs, *column.states, *column.results):
            box = steps.boxes[column.step, cell.name]
            yield Rect(box, cell.look)
            yield from cell.words(box.centre)
    if steps.together is not None and steps.top is not None:
        yield Rect(steps.top, steps.together.look)
        yield from steps.together.words(steps.top.centre)
    for column_, x in zip(steps.columns, steps.middles, strict=True):
        if column_ is None:
            yield Words((x, 0.0), r"\cdots", "sign")


def _strokes(way: Way, meeting: Meeting | None) -> Iterator[Stroke]:
    """An arrow and, beside it, the one back; those that meet are thick."""
    bent = len(way.points) > 2
    if not way.back:
        yield Stroke(way.points, "flow", bent)
        return
    yield Stroke(_aside(way.points, APART), "flow", bent)
    met = meeting is not None and way.source == meeting.at
    met = met and meeting is not None and way.target[1] in ("", meeting.above)
    back = tuple(reversed(_aside(way.points, -APART)))
    yield Stroke(back, "meet" if met else "flow back", bent)


def _aside(points: Sequence[Point], by: float) -> tuple[Point, ...]:
    """A line beside another; of a curve each end moves inwards or outwards."""
    if len(points) > 2:
        sign = 1.0 if points[-1][0] > points[0][0] else -1.0
        moves = (1, 1, -1, -1)
        return tuple(
            (x + sign * by * m, y + (by if 0 < k < 3 else 0.0))
            for k, ((x, y), m) in enumerate(zip(points, moves, strict=True))
        )
    (x, y), (u, v) = points
    long = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
    dx, dy = -by * (v - y) / long, by * (u - x) / long
    return (x + dx, y + dy), (u + dx, v + dy)
