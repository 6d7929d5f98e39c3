"""Recurrences: along which indices equations that read each other are computed.

A recurrence walks along one index, `h[t]` reading `h[t-1]`; or within each step of it along
another, `D[i,j]` reading `D[i-1,j]` and `D[i,j-1]`; and so on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import sympy

from derive.expression import Element, Index, elements
from derive.offsets import away, most


@dataclass(frozen=True)
class Line:
    """One equation of a circle: `name[indices] = rhs`."""

    name: str
    indices: tuple[Index, ...]
    rhs: sympy.Expr


@dataclass(frozen=True)
class Walk:
    """The steps of a recurrence along one index, forward (`step` 1) or backward (-1).

    For each equation `along` is the place of that index.
    """

    step: int
    along: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What one equation of a circle reads of another, or of itself."""

    line: Line
    read: Element

    def offset(self, along: Mapping[str, int]) -> sympy.Expr:
        """How many steps along an index it lies away."""
        return self.read.indices[along[self.read.name]] - self.line.indices[along[self.line.name]]

    def ahead(self, along: Mapping[str, int], step: int) -> int | None:
        """How many steps ahead it lies at most; None where nobody can tell."""
        return most(step * self.offset(along))


def walks(group: Sequence[Line]) -> tuple[Walk, ...]:
    """The walks that lead through equations, as few as will do; none where there is no way."""
    found = _readings(group)
    depths = range(1, len(group[0].indices) + 1)
    return next(filter(None, (_walks(group, found, (), depth) for depth in depths)), ())


def _readings(group: Sequence[Line]) -> tuple[Reading, ...]:
    own = {line.name for line in group}
    return tuple(
        Reading(line, read) for line in group for read in elements(line.rhs) if read.name in own
    )


def _walks(
    group: Sequence[Line], left: Sequence[Reading], before: tuple[Walk, ...], depth: int
) -> tuple[Walk, ...]:
    """Walks, each within the steps of those before it, after which no reading is left."""
    order = {line.name: k for k, line in enumerate(group)}
    for first in range(len(group[0].indices)):
        along = _along(group, first)
        if not along or any(along[n] == w.along[k] for w in before for n, k in order.items()):
            continue
        for step in (1, -1):
            ahead = [each.ahead(along, step) for each in left]
            if any(steps is None or steps > 0 for steps in ahead):
                continue
            found = (*before, Walk(step, tuple(along[name] for name in order)))
            same = [each for each, steps in zip(left, ahead, strict=True) if steps == 0]
            if all(order[each.read.name] < order[each.line.name] for each in same):
                return found
            if len(found) < depth and (more := _walks(group, same, found, depth)):
                return more
    return ()


def _along(group: Sequence[Line], first: int) -> dict[str, int]:
    """The place of the walking index in every equation, or nothing if it is lost on the way."""
    members = {line.name: line for line in group}
    along = {group[0].name: first}
    waiting = list(along)
    while waiting:
        line = members[waiting.pop()]
        letter = line.indices[along[line.name]]
        for read in elements(line.rhs):
            if read.name in members and read.name not in along:
                for k, position in enumerate(read.indices):
                    if letter in position.free_symbols:
                        along[read.name] = k
                        waiting.append(read.name)
                        break
        for other in group:  # a member may be reached only from where it is read
            if other.name not in along:
                place = _place_from_reader(other, along, members)
                if place is not None:
                    along[other.name] = place
                    waiting.append(other.name)
    return along if len(along) == len(members) else {}


def _place_from_reader(
    reader: Line, along: Mapping[str, int], members: Mapping[str, Line]
) -> int | None:
    """The place of the index with which a reader walks along what it reads."""
    for read in elements(reader.rhs):
        if read.name in members and read.name in along:
            letters = read.indices[along[read.name]].free_symbols
            for k, index in enumerate(reader.indices):
                if index in letters:
                    return k
    return None


def no_way(group: Sequence[Line]) -> tuple[str, Reading | None]:
    """Why there is no way, in words, with the reading that is to blame if it is one."""
    names = ", ".join(f"'{line.name}'" for line in group)
    circle = "depend on each other in a circle" if len(group) > 1 else "depends on itself"
    words = (
        f"{names} {circle}; a recurrence reads an earlier step of one and the same index, as in "
        "h[t-1]"
    )
    if len(group[0].indices) > 1:
        words += ", or of a second index within a step, as D[i,j] reads D[i-1,j] and D[i,j-1]"
    ways = [
        (_against(group, along, step), along)
        for first in range(len(group[0].indices))
        for step in (1, -1)
        if (along := _along(group, first))
    ]
    if not ways:
        return words, None
    (reading, *_), along = min(ways, key=lambda way: len(way[0]))
    shown = str(reading.read).replace(" ", "")
    before = _told(reading, along)
    if before:
        return f"{shown} may be any step; if it is always an earlier one, write {before}", reading
    return f"{words}; here {shown} {away(reading.offset(along))}", reading


def _told(reading: Reading, along: Mapping[str, int]) -> str:
    """How a step is read that a whole number tells, as the parent of a node: among those before."""
    place, own = along[reading.read.name], reading.line.indices[along[reading.line.name]]
    position = reading.read.indices[place]
    if not isinstance(position, Element):
        return ""
    taken = {letter.name for letter in (*reading.line.indices, *reading.read.free_symbols)}
    step = next(letter for letter in ascii_lowercase[18:] if letter not in taken)
    places = [str(each) for each in reading.read.indices]
    told, places[place] = places[place], f"{own}-1-{step}"
    entry = f"{reading.read.name}[{','.join(places)}]"
    size = "" if not own.axis.size.is_Integer else own.axis.length - 1
    return f"sum({step}, ({told} == {own}-1-{step})*{entry}) with `sizes: {{{step}: {size}}}`"


def _against(group: Sequence[Line], along: Mapping[str, int], step: int) -> list[Reading]:
    """The readings that do not go back along one index alone."""
    order = {line.name: k for k, line in enumerate(group)}
    found = []
    for each in _readings(group):
        ahead = each.ahead(along, step)
        later = order[each.read.name] >= order[each.line.name]
        if ahead is None or ahead > 0 or (ahead == 0 and later):
            found.append(each)
    return found
