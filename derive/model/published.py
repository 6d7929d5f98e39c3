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
from derive.model.training import optimizer_of
from derive.names import PUBLISHED, wrong_published
from derive.problem import Published
from derive.spec import Path_, SpecFile

Place = tuple[int, ...]


@dataclass(frozen=True)
class _Item:
    """A quantity, or a part of it, and the axes that are left."""

    name: str
    fixed: Place
    left: Place

    def at(self, place: Place) -> str:
        """The name of one entry of what is left."""
        whole = (*self.fixed, *place)
        return f"{self.name}[{','.join(map(str, whole))}]" if whole else self.name


def published(file: SpecFile, graph: Graph) -> Iterator[Published]:
    """Published numbers; a table is a number for each of its places.

    Of `dp/dz` the places of p come first, then those of z.
    """
    shapes = _shapes(file, graph)
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
        for place, text in _entries(file, path, each.printed):
            cut = len(above.left) if above is not None else 0
            name = below.at(place[cut:])
            if above is not None:
                name = f"d{above.at(place[:cut])}/d{name}"
            name = f"{name}{(mark or '').replace(' ', '')}"
            yield Published(name, text, each.where, each.misprint, each.slack)


def _shapes(file: SpecFile, graph: Graph) -> Mapping[str, Place]:
    """The shape of everything that has a value: quantities, the loss, states of the optimizer."""
    shapes: dict[str, Place] = {"E": ()} if graph.of_role(Role.LOSS) else {}
    for quantity in graph.of_role(Role.PARAMETER):
        lines = parse_update(optimizer_of(file), {})  # its states, and names on the way
        shapes |= {f"{line}_{quantity.name}": quantity.shape for line in lines if line != "w"}
    return shapes | {name: quantity.shape for name, quantity in graph.quantities.items()}


def _item(
    file: SpecFile, path: Path_, name: str, places: str | None, shapes: Mapping[str, Place]
) -> _Item:
    """A part of a name, which must be that of something with a value."""
    if name not in shapes:
        raise file.fail((*path, "name"), f"there is no '{name}'; {nearest(name, shapes)}")
    shape = shapes[name]
    fixed = tuple(int(part) for part in (places or "").split(",") if part.strip())
    inside = all(k < size for k, size in zip(fixed, shape, strict=False))
    if len(fixed) > len(shape) or not inside:
        size = " x ".join(map(str, shape)) or "a single number"
        words = f"'{name}' has no entry {list(fixed)}: its shape is {size}, counted from 0"
        raise file.fail((*path, "name"), words)
    return _Item(name, fixed, shape[len(fixed) :])


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
    if isinstance(printed, str):
        yield (), _plain(printed)
    elif isinstance(printed, list):
        for k, part in enumerate(printed):
            for place, text in _entries(file, path, part):
                yield (k, *place), text
    else:
        raise file.fail((*path, "printed"), "a print is a number, or nested lists of numbers")


def _plain(text: str) -> str:
    """A print as digits with a sign: `−.85 ` is `-0.85`."""
    text = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    return re.sub(r"^([-+]?)\.", r"\g<1>0.", text)
