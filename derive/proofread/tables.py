r"""Chains with tables in them, entry by entry: `z = A x = \begin{bmatrix} 1 \\ 2 \end{bmatrix}`.

An entry is called by the index that the document calls it by. Where it never does, counting starts
at 0; where it does and yet does not show from where it counts, the entry keeps a name of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from derive.proofread.claim import Claim, Item, Where
from derive.proofread.formula import parse_formula
from derive.proofread.grids import Grid, Opaque, grid_of, has_grid
from derive.proofread.matrices import MatrixError, parted, with_place
from derive.proofread.numerals import printed_number

_CASES = re.compile(r"\\begin\{(?:cases|rcases|dcases)\}")
MANY_NAMES = 3  # that count alike show how a document counts
_OWN = re.compile(
    r"(?P<name>.*)⟦(?P<rows>\d+)×(?P<columns>\d+)(?P<vector>v?):(?P<r>\d+),(?P<c>\d+)⟧\Z"
)


def is_table_chain(parts: Sequence[str]) -> bool:
    """Whether a side of a chain holds a table, or cases."""
    return any(has_grid(part) or _CASES.search(part) for part in parts)


@dataclass(frozen=True)
class _Side:
    """A side of a chain: its text, and what it comes to if that can be said."""

    text: str
    made: Grid | str | None


def table_items(source: str, parts: Sequence[str], place: Where) -> Iterator[Item]:
    """The claims of a chain with tables. Raises FormulaError, MatrixError."""
    left, *others = [_side(part) for part in parts]
    known = [side.made for side in others if side.made is not None]
    grids = [made for made in known if isinstance(made, Grid)]
    if not grids:
        yield _whole(source, left, [made for made in known if isinstance(made, str)], place)
        return
    if any(isinstance(made, str) for made in known) or len({grid.shape for grid in grids}) > 1:
        raise MatrixError("the sides are tables of different shapes")
    yield from _entries(left, grids, place)


def _side(tex: str) -> _Side:
    if _CASES.search(tex):
        return _Side(tex, None)
    try:
        if has_grid(tex):
            made = grid_of(tex)
            for cell in made.entries if isinstance(made, Grid) else [made]:
                parse_formula(cell)
            return _Side(tex, made)
    except Opaque:
        return _Side(tex, None)
    return _Side(tex, None if parse_formula(tex).free_symbols else tex)


def _whole(source: str, left: _Side, forms: list[str], place: Where) -> Claim:
    """A chain whose tables come to single numbers, or to nothing that can be said."""
    printed = printed_number(forms[-1]) if forms else None
    tex = tuple(forms if printed is None else forms[:-1])
    lhs, text = _named(left)
    return Claim(lhs, tuple(map(parse_formula, tex)), printed, place, source, text, tex)


def _named(left: _Side) -> tuple[sympy.Expr, str]:
    """What stands left, or a name for it where tables of names stand in it."""
    if isinstance(left.made, str):
        return parse_formula(left.made), left.made
    if left.made is None and not has_grid(left.text) and not _CASES.search(left.text):
        return parse_formula(left.text), left.text
    name = "".join(left.text.split())
    return sympy.Symbol(f"{name}⟦⟧", real=True), left.text


def _entries(left: _Side, grids: Sequence[Grid], place: Where) -> Iterator[Claim]:
    rows, columns = grids[-1].shape
    if isinstance(left.made, Grid) and left.made.shape != (rows, columns):
        raise MatrixError("the sides are tables of different shapes")
    prints = [printed_number(cell) for cell in grids[-1].entries]
    is_printed = all(printed is not None for printed in prints)
    for k, cell in enumerate(grids[-1].entries):
        tex = [grid.entries[k] for grid in grids[:-1]]
        if not is_printed:
            tex.append(cell)
        if isinstance(left.made, Grid):
            text = left.made.entries[k]
            lhs = parse_formula(text)
        else:
            text = _marked(str(_named(left)[0]), grids[-1], divmod(k, columns))
            lhs = sympy.Symbol(text, real=True)
        forms = tuple(map(parse_formula, tex))
        printed = prints[k] if is_printed else None
        sides = [text, *tex, *([cell] if is_printed else [])]
        yield Claim(lhs, forms, printed, place, " = ".join(sides), text, tuple(tex))


def _marked(name: str, grid: Grid, place: tuple[int, int]) -> str:
    """A name with the place of an entry, until it is known how the document counts.

    A column in round brackets is a vector. Colons say where the row and the column belong.
    """
    if ":" in name:
        return with_place(name, place)
    rows, columns = grid.shape
    vector = "v" if grid.kind == "pmatrix" and columns == 1 else ""
    return f"{name}⟦{rows}×{columns}{vector}:{place[0]},{place[1]}⟧"


# --- the names of entries -------------------------------------------------------------------------


Indices = dict[tuple[str, str], set[tuple[int, ...]]]


@dataclass(frozen=True)
class _Entry:
    """An entry of a table: the name of the table, and its size and place as they are written."""

    name: str
    stem: str
    marks: str
    size: tuple[int, ...]
    place: tuple[int, ...]


def settled(items: Sequence[Item], first: int | None = None) -> list[Item]:
    """The items with each entry called as the document calls it.

    From where it counts is seen from its indices, unless it is known to be from `first`.
    """
    names = {name for item in items if isinstance(item, Claim) for name in item.names}
    indices = _indices(names)
    entries = [_entry(item, indices) for item in items]
    firsts = {
        (entry.stem, entry.marks): _first(entry, indices)
        for entry in entries
        if entry and entry.place
    }
    odd = _odd_one(firsts)
    if odd is not None and len(indices[odd]) == 1:
        firsts[odd], indices[odd] = None, set()
    known = {each for each in firsts.values() if each is not None}
    common = known if first is None else {first}
    return [
        item if entry is None else _settled(item, entry, indices, common)
        for item, entry in zip(items, entries, strict=True)
    ]


def _odd_one(firsts: Mapping[tuple[str, str], int | None]) -> tuple[str, str] | None:
    """The one name that counts from 1 where all others count from 0: an index of it is a slip."""
    ones = [name for name, first in firsts.items() if first == 1]
    others = sum(first == 0 for first in firsts.values())
    return ones[0] if len(ones) == 1 and others >= MANY_NAMES else None


def _indices(names: set[str]) -> Indices:
    """The indices of each name, by what stands before and behind them."""
    found: Indices = {}
    for name in names:
        stem, marks = parted(name)
        base, _, subscript = stem.rpartition("_")
        if base and re.fullmatch(r"\d{1,6}(?:,\d{1,6})*", subscript):
            index = tuple(map(int, subscript.split(",")))
            found.setdefault((base, marks), set()).add(index)
    return found


def _entry(item: Item, indices: Indices) -> _Entry | None:
    """The entry that a claim is about; without a place if its index is not written like that."""
    match = _OWN.fullmatch(str(item.lhs)) if isinstance(item, Claim) else None
    if match is None:
        return None
    shape = int(match["rows"]), int(match["columns"])
    place = int(match["r"]), int(match["c"])
    stem, marks = parted(match["name"])
    own = f"{match['name']} (row {place[0] + 1}, column {place[1] + 1})"
    if "⟦" in stem or "_" in stem.rpartition("/")[2].rpartition(")")[2]:
        return _Entry(own, stem, marks, (), ())
    used = {len(index) for index in indices.get((stem, marks), ())}
    lengths = used or {1 if match["vector"] else 2}
    if lengths == {1} and min(shape) == 1:
        return _Entry(own, stem, marks, (max(shape),), (max(place),))
    return _Entry(own, stem, marks, *((shape, place) if lengths == {2} else ((), ())))


def _first(entry: _Entry, indices: Indices) -> int | None:
    """From where the indices of a name are seen to count; None where that is not clear."""
    used = indices.get((entry.stem, entry.marks), set())
    if any(0 in index for index in used):
        return 0
    beyond = any(k >= n for index in used for k, n in zip(index, entry.size, strict=True))
    return 1 if beyond else None


def _settled(item: Item, entry: _Entry, indices: Indices, common: set[int]) -> Item:
    if not isinstance(item, Claim):
        return item
    first = _first(entry, indices) if entry.place else None
    if first is None and len(common) == 1:
        first = next(iter(common))  # as the other names of the document
    if first is None and (entry.stem, entry.marks) not in indices:
        first = 0
    name = entry.name
    if first is not None and entry.place:
        index = ",".join(str(k + first) for k in entry.place)
        name = f"{entry.stem}_{index}{entry.marks}"
    source = item.source.replace(item.lhs_tex, name, 1)
    return replace(item, lhs=sympy.Symbol(name, real=True), lhs_tex=name, source=source)
