"""Where the boxes of a graph without circles stand: in layers, with few crossings, apart.

After K. Sugiyama, S. Tagawa and M. Toda, "Methods for Visual Understanding of Hierarchical System
Structures" (1981): layers by the longest way, an arrow over several layers is led through a place
of its own in each, places are ordered by the middle of their neighbours; then each is moved to that
middle as far as the others of its layer leave it room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

ROUNDS = 24
Point = tuple[float, float]  # along and across
Place = str | tuple[str, str, int]  # a box, or where an arrow passes a layer


@dataclass(frozen=True)
class Size:
    """The room that a box takes along the arrows, and across them on either side of its middle."""

    along: float
    before: float
    after: float


@dataclass(frozen=True)
class Layered:
    """The centre of every box, the level pieces of every arrow between two boxes, and the whole.

    A point is one along the arrows and one across them. An arrow is level where it passes a layer,
    from `layers[name][0]` to `layers[name][1]` for the layer of a box, and turns in between.
    """

    centres: Mapping[str, Point]
    layers: Mapping[str, Point]
    passes: Mapping[tuple[str, str], tuple[tuple[Point, float], ...]]
    along: float
    across: float


def layered(
    sizes: Mapping[str, Size], arrows: Iterable[tuple[str, str]], gap: Point, pass_by: float
) -> Layered:
    """Boxes by name, in an order that every arrow follows; an arrow passes with `pass_by` room.

    The `gap` is that between layers, and that between what stands in one layer.
    """
    ways = [(a, b) for a, b in dict.fromkeys(arrows) if a != b]
    depth = depths(list(sizes), ways)
    chains = {(a, b): _chain(a, b, depth) for a, b in ways}
    rows: list[list[Place]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for name in sizes:
        rows[depth[name]].append(name)
    for chain in chains.values():
        for place in chain[1:-1]:
            rows[_layer(place, depth)].append(place)
    links = [link for chain in chains.values() for link in pairwise(chain)]
    _order(rows, links)
    room = {place: _room(place, sizes, pass_by) for row in rows for place in row}
    across = _across(rows, links, room, gap[1])
    spans = _spans(rows, sizes, gap[0])
    low = min((across[p] - room[p][0] for p in across), default=0.0)
    high = max((across[p] + room[p][1] for p in across), default=0.0)
    return Layered(
        {name: (sum(spans[depth[name]]) / 2, across[name] - low) for name in sizes},
        {name: spans[depth[name]] for name in sizes},
        {
            way: tuple((spans[_layer(p, depth)], across[p] - low) for p in chain[1:-1])
            for way, chain in chains.items()
        },
        spans[-1][1],
        high - low,
    )


def depths(names: Sequence[str], ways: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The layer of every box; what nothing leads to stands just before the first that reads it."""
    depth = dict.fromkeys(names, 0)
    for name in names:
        depth[name] = max((depth[a] + 1 for a, b in ways if b == name), default=0)
    for name in reversed(names):
        after = [depth[b] for a, b in ways if a == name]
        if after and not any(b == name for _, b in ways):
            depth[name] = min(after) - 1
    return depth


def _chain(start: str, end: str, depth: Mapping[str, int]) -> list[Place]:
    between = range(depth[start] + 1, depth[end])
    return [start, *((start, end, layer) for layer in between), end]


def _layer(place: Place, depth: Mapping[str, int]) -> int:
    return depth[place] if isinstance(place, str) else place[2]


def _room(place: Place, sizes: Mapping[str, Size], pass_by: float) -> Point:
    """The room before and after the middle of a place."""
    if isinstance(place, str):
        return sizes[place].before, sizes[place].after
    return pass_by / 2, pass_by / 2


def _neighbours(links: Sequence[tuple[Place, Place]], down: bool) -> dict[Place, list[Place]]:
    found: dict[Place, list[Place]] = {}
    for first, second in links:
        near, far = (second, first) if down else (first, second)
        found.setdefault(near, []).append(far)
    return found


def _order(rows: list[list[Place]], links: Sequence[tuple[Place, Place]]) -> None:
    """Each row in the order of the middles of its neighbours; the best of all rounds is kept."""
    best, fewest = [list(row) for row in rows], _crossings(rows, links)
    for turn in range(ROUNDS):
        down = turn % 2 == 0
        near = _neighbours(links, down)
        for row in rows if down else reversed(rows):
            at = {place: k for each in rows for k, place in enumerate(each)}
            middles = {
                place: sum(at[other] for other in near[place]) / len(near[place])
                for place in row
                if place in near
            }
            keys = sorted((middles.get(place, k), k) for k, place in enumerate(row))
            row[:] = [row[k] for _, k in keys]
        count = _crossings(rows, links)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _crossings(rows: Sequence[Sequence[Place]], links: Sequence[tuple[Place, Place]]) -> int:
    """How many arrows cross."""
    at = {place: (r, k) for r, row in enumerate(rows) for k, place in enumerate(row)}
    by_row: dict[int, list[tuple[int, int]]] = {}
    for first, second in links:
        by_row.setdefault(at[first][0], []).append((at[first][1], at[second][1]))
    return sum(
        (a < c and b > d) or (a > c and b < d)
        for pairs in by_row.values()
        for k, (a, b) in enumerate(pairs)
        for c, d in pairs[:k]
    )


def _across(
    rows: Sequence[Sequence[Place]],
    links: Sequence[tuple[Place, Place]],
    room: Mapping[Place, Point],
    gap: float,
) -> dict[Place, float]:
    """Every place near the middle of its neighbours, in its order and apart from the next."""
    found: dict[Place, float] = {}
    for row in rows:
        found |= zip(row, _apart([0.0] * len(row), row, room, gap), strict=True)
    both = [_neighbours(links, down) for down in (True, False)]
    for turn in range(ROUNDS):
        near = both[turn % 2]
        for row in rows if turn % 2 == 0 else reversed(rows):
            wanted = [
                sum(found[other] for other in near[place]) / len(near[place])
                if place in near
                else found[place]
                for place in row
            ]
            found |= zip(row, _apart(wanted, row, room, gap), strict=True)
    return found


def _apart(
    wanted: Sequence[float], row: Sequence[Place], room: Mapping[Place, Point], gap: float
) -> list[float]:
    """The places nearest to the wanted ones (least squares) that keep order and distance.

    Without the distances these are values that do not fall, and neighbours that would are pooled.
    """
    shift = [0.0]
    for one, next_one in pairwise(row):
        shift.append(shift[-1] + room[one][1] + gap + room[next_one][0])
    pools: list[tuple[float, int]] = []
    for want, moved in zip(wanted, shift, strict=True):
        pools.append((want - moved, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m), (b, n) = pools[-2:]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n)]
    level = [value for value, count in pools for _ in range(count)]
    return [each + moved for each, moved in zip(level, shift[: len(row)], strict=True)]


def _spans(rows: Sequence[Sequence[Place]], sizes: Mapping[str, Size], gap: float) -> list[Point]:
    """Where every layer begins and ends."""
    spans, end = [], 0.0
    for row in rows:
        width = max((sizes[place].along for place in row if isinstance(place, str)), default=0.0)
        spans.append((end, end + width))
        end += width + gap
    return spans
