"""What others published of a model: names of numbers, and tables that fit what they are named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from derive.amount import too_far
from derive.errors import nearest
from derive.graph import Graph, Role
from derive.library.optimizers import parse_update
from derive.library.update import PLAINLY, Moved, line_equations
from derive.model.rules import rule_of
from derive.model.training import optimizer_of
from derive.names import PUBLISHED, wrong_published
from derive.problem import Published
from derive.spec import Path_, SpecFile

Place = tuple[int, ...]
NULLS = ("", "~", "null")  # what YAML reads as nothing; the texts of prints are kept as they are


@dataclass(frozen=True)
class _Item:
    """A quantity, or a part of it: a place or a range of places on each axis."""

    name: str
    parts: tuple[int | range, ...]

    @property
    def left(self) -> Place:
        """The lengths of the axes that are left."""
        return tuple(len(part) for part in self.parts if isinstance(part, range))

    def at(self, place: Place) -> str:
        """The name of one entry of what is left."""
        rest = iter(place)
        whole = [part[next(rest)] if isinstance(part, range) else part for part in self.parts]
        return f"{self.name}[{','.join(map(str, whole))}]" if whole else self.name


def published(file: SpecFile, graph: Graph) -> Iterator[Published]:
    """Published numbers; a table is a number for each of its places, but for those with null.

    Of `dp/dz` the places of p come first, then those of z.
    """
    shapes = _shapes(file, graph) if file.spec.published else {}
    for k, each in enumerate(file.spec.published):
        path: Path_ = ("published", k)
        match = PUBLISHED.fullmatch(each.name)
        if match is None:
            raise file.fail((*path, "name"), wrong_published(each.name))
        of, of_place, by, by_place, item, item_place, mark = match.groups()
        far = too_far(graph, int(mark[1:])) if mark and mark.startswith("@") else ""
        if far:
            raise file.fail((*path, "name"), far)
        below = _item(file, path, by or item, by_place or item_place, shapes)
        above = _item(file, path, of, of_place, shapes) if of is not None else None
        left = (*(above.left if above is not None else ()), *below.left)
        _check_table(file, path, each.name.strip(), each.printed, left)
        entries = list(_entries(file, path, each.printed))
        if not entries:
            raise file.fail((*path, "printed"), "nothing is printed here, not even one number")
        for place, text in entries:
            cut = len(above.left) if above is not None else 0
            name = below.at(place[cut:])
            if above is not None:
                name = f"d{above.at(place[:cut])}/d{name}"
            name = f"{name}{(mark or '').replace(' ', '')}"
            yield Published(name, text, each.where, each.misprint, each.slack)


def _shapes(file: SpecFile, graph: Graph) -> Mapping[str, Place]:
    """The shape of everything that has a value: quantities, the loss, states of the optimizer."""
    shapes: dict[str, Place] = {"E": ()} if graph.of_role(Role.LOSS) else {}
    steps = file.spec.training.steps  # only names are asked for
    row, parameters = (
        rule_of(file, optimizer_of(file), steps).optimizer,
        graph.of_role(Role.PARAMETER),
    )
    if row.looks_around:
        moving = [Moved(quantity, None) for quantity in parameters]
        lines = line_equations(row.equations, row.states, row.settings, moving, PLAINLY)
        shapes |= {each.equation.quantity.name: each.equation.quantity.shape for each in lines}
    for quantity in () if row.looks_around else parameters:
        update = parse_update(row, {})  # its states, and names on the way
        shapes |= {f"{line}_{quantity.name}": quantity.shape for line in update if line != "w"}
    return shapes | {name: quantity.shape for name, quantity in graph.quantities.items()}


def _item(
    file: SpecFile, path: Path_, name: str, places: str | None, shapes: Mapping[str, Place]
) -> _Item:
    """A part of a name, which must be that of something with a value."""
    if name not in shapes:
        raise file.fail((*path, "name"), f"there is no '{name}'; {nearest(name, shapes)}")
    shape = shapes[name]
    texts = ["".join(part.split()) for part in (places or "").split(",") if part.strip()]
    parts = [_part(text, size) for text, size in zip(texts, shape, strict=False)]
    inside = tuple(part for part in parts if part is not None)
    if len(texts) > len(shape) or len(inside) < len(parts):
        size = " x ".join(map(str, shape)) or "a single number"
        words = f"'{name}' has no entry [{', '.join(texts)}]: its shape is {size}, counted from 0"
        raise file.fail((*path, "name"), words)
    return _Item(name, (*inside, *map(range, shape[len(texts) :])))


def _part(text: str, size: int) -> int | range | None:
    """A place on an axis, or those of `2:5`, from 2 and before 5; None if they are not there."""
    low, colon, high = text.partition(":")
    if not colon:
        return int(text) if int(text) < size else None
    if ":" in high:
        return None
    found = range(int(low or 0), int(high or size))
    return found if found and found.stop <= size else None


def _check_table(file: SpecFile, path: Path_, name: str, printed: Any, shape: Place) -> None:
    """A print has the shape of what it is a print of."""
    found = _shape_of(printed)
    if found == shape:
        return
    size = " x ".join(map(str, shape)) or "a single number"
    if found == ():
        words = f"'{name}' is {size}; name one entry, or print a table of that shape"
    else:
        words = f"'{name}' is {size}, and this table is not"
    raise file.fail((*path, "printed"), words)


def _shape_of(table: Any) -> Place | None:
    """The shape of nested lists; None if they are ragged."""
    if not isinstance(table, list):
        return ()
    inner = {_shape_of(part) for part in table}
    shape = inner.pop() if len(inner) == 1 else None
    return None if shape is None else (len(table), *shape)


def _entries(file: SpecFile, path: Path_, printed: Any) -> Iterator[tuple[Place, str]]:
    if printed is None or (isinstance(printed, str) and printed.strip().lower() in NULLS):
        return
    if isinstance(printed, str):
        yield (), _plain(printed)
    elif isinstance(printed, list):
        for k, part in enumerate(printed):
            for place, text in _entries(file, path, part):
                yield (k, *place), text
    else:
        words = "a print is a number, null where none was printed, or nested lists of these"
        raise file.fail((*path, "printed"), words)


def _plain(text: str) -> str:
    """A print as digits with a sign: `−.85 ` is `-0.85`."""
    text = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    return re.sub(r"^([-+]?)\.", r"\g<1>0.", text)
