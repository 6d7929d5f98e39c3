"""How high the pieces of a slide are, in lines of text, and where one may be parted.

These are estimates from above; what prints a slide makes smaller what is too high all the same.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from derive.render.pieces import width
from derive.slides.pieces import Drawn, Grid, Piece, Said, Shown, Tables

ROOM = 12.7  # lines of a slide below its title
LINE = 82  # signs of a line of text
BESIDE = 68  # signs of tables beside each other
MATH = re.compile(r"(?<!\\)\$((?:\\.|[^$\\])*)\$")
SENTENCE = re.compile(r"(?<=[.!?:;])\s+|(?<=[。！？])")
COMMAND = re.compile(r"\\[A-Za-z]+|[{}]")
TALL = re.compile(r"\\(?:frac|sum|prod|sqrt|int)\b")
MATRIX = re.compile(r"\\begin\{[bp]matrix\}(.*?)\\end\{[bp]matrix\}", re.DOTALL)
AROUND = 0.6  # above and below a formula
FRAME = 0.9  # a table
PICTURE = 11.2
APART = 6  # signs between two tables
T = TypeVar("T")


def height(piece: Piece) -> float:
    """How high a piece is."""
    match piece:
        case Said():
            return text_height(piece.tex)
        case Shown():
            return AROUND + sum(map(line_height, piece.lines))
        case Drawn():
            return PICTURE
        case Tables():
            return sum(max(map(grid_height, row)) for row in side_by_side(piece.grids))


def text_height(tex: str) -> float:
    """A paragraph with the space behind it."""
    lines = math.ceil(text_width(tex) / LINE)
    tall = sum(1 for formula in MATH.findall(tex) if TALL.search(formula))
    return lines + 0.3 * min(tall, lines) + 0.4


def text_width(tex: str) -> int:
    """Signs of a line; a wide one, as Korean or Chinese have, counts as two."""
    formulas = sum(width(formula) for formula in MATH.findall(tex))
    rest = COMMAND.sub("", MATH.sub("", tex))
    return formulas + sum(2 if unicodedata.east_asian_width(s) in "WF" else 1 for s in rest)


def line_height(tex: str) -> float:
    """One line of a formula."""
    rows = max((inner.count(r"\\") + 1 for inner in MATRIX.findall(tex)), default=0)
    if rows:
        return 0.9 * rows + 0.6
    deep = re.search(r"\\frac\{[^{}]*\\frac|\\sum.*\\frac|\\frac.*\\sum", tex)
    return 2.5 if deep else 2.0 if TALL.search(tex) else 1.3


def grid_height(grid: Grid) -> float:
    """A table with the space around it."""
    tall = 2.0 if any(TALL.search(cell) for cell in grid.heads) else 1.3
    return FRAME + tall + sum(map(row_height, grid.rows))


def row_height(row: Iterable[str]) -> float:
    """One row of a table."""
    return 1.75 if any(TALL.search(cell) for cell in row) else 1.25


def grid_width(grid: Grid) -> int:
    """The signs of a table, with the space between its columns."""
    columns = zip(grid.heads, *grid.rows, strict=True)
    return sum(max(map(text_width, column)) + 2 for column in columns)


def side_by_side(grids: Iterable[Grid]) -> list[list[Grid]]:
    """The tables that fit beside each other, line by line."""
    found: list[list[Grid]] = []
    used = 0
    for grid in grids:
        wide = grid_width(grid)
        if found and used + APART + wide <= BESIDE:
            found[-1].append(grid)
            used += APART + wide
        else:
            found.append([grid])
            used = wide
    return found


def cut(piece: Piece, room: float) -> tuple[Piece, Piece] | None:
    """As much of a piece as has room, and the rest; nothing if it stays in one."""
    match piece:
        case Said():
            return _cut_text(piece, room)
        case Shown() if len(piece.lines) > 1:
            return _cut_formula(piece, room)
        case Tables():
            return _cut_tables(piece, room)
    return None


def _cut_text(said: Said, room: float) -> tuple[Piece, Piece] | None:
    parts = sentences(said.tex)
    k = _most(parts, lambda some: text_height(" ".join(some)), room)
    return (Said(" ".join(parts[:k])), Said(" ".join(parts[k:]))) if k else None


def _cut_formula(shown: Shown, room: float) -> tuple[Piece, Piece] | None:
    lines = shown.lines
    k = _most(lines, lambda some: AROUND + sum(map(line_height, some)), room)
    if not k:
        return None
    left = lines[0].split("&", 1)[0]
    again = f"{left}{lines[k]}" if lines[k].startswith("&=") else lines[k]
    head = replace(shown, lines=lines[:k], label="")
    return head, replace(shown, lines=(again, *lines[k + 1 :]))


def _cut_tables(tables: Tables, room: float) -> tuple[Piece, Piece] | None:
    grids = tables.grids
    k = _most(grids, lambda some: height(Tables(tuple(some))), room)
    if k:
        return Tables(grids[:k]), Tables(grids[k:])
    first = grids[0]
    k = _most(first.rows, lambda rows: grid_height(replace(first, rows=tuple(rows))), room)
    if not k:
        return None
    head, tail = replace(first, rows=first.rows[:k]), replace(first, rows=first.rows[k:])
    return Tables((head,)), Tables((tail, *grids[1:]))


def _most(parts: Sequence[T], high: Callable[[Sequence[T]], float], room: float) -> int:
    """How many parts have room; never all of them, or nothing would be cut."""
    return max((k for k in range(1, len(parts)) if high(parts[:k]) <= room), default=0)


def sentences(tex: str) -> list[str]:
    """The sentences of a text; a sign within a formula ends none."""
    kept: list[str] = []
    hidden = MATH.sub(lambda found: kept.append(found[0]) or "\ue000", tex)  # type: ignore[func-returns-value]
    rest = iter(kept)
    return [
        re.sub("\ue000", lambda _: next(rest), sentence)
        for sentence in SENTENCE.split(hidden)
        if sentence
    ]
