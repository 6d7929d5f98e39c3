r"""Matrices on a page: each entry of `W = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}` is a claim.

Entries count from 0. A column in round brackets is a vector, `b_0, b_1`; any other table has rows
and columns, `W_0,1`. Colons in the subscript of the left side say where row and column belong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.proofread.rows import CELL, ROW, split_top

_MATRIX = re.compile(
    r"(?:\\left\s*[(\[])?\s*\\begin\{(?P<kind>[pb]matrix|matrix|array)\}(?:\{[lcr|]*\})?"
    r"(?P<body>.*)\\end\{(?P=kind)\}\s*(?:\\right\s*[)\]])?",
    re.DOTALL,
)
_MARKS = re.compile(r"[+*']*\Z")


class MatrixError(ValueError):
    """A table that cannot be taken for the entries of its left side."""


def cells(tex: str) -> tuple[str, list[list[str]]] | None:
    """The kind of a matrix and its cells, row by row; None if this is no matrix alone."""
    match = _MATRIX.fullmatch(tex.strip())
    if match is None or r"\begin{" in match["body"]:
        return None
    rows = [row.text for row in split_top(match["body"], ROW)]
    if not rows[-1].strip():
        rows.pop()
    return match["kind"], [[cell.text.strip() for cell in split_top(row, CELL)] for row in rows]


def entry_names(name: str, kind: str, rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Every cell under the canonical name of its entry. Raises MatrixError."""
    if len({len(row) for row in rows}) != 1:
        raise MatrixError("the rows of the matrix have different lengths")
    vector = kind == "pmatrix" and len(rows[0]) == 1 and ":" not in name
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            yield _entry(name, (r,) if vector else (r, c)), cell


def _entry(name: str, place: tuple[int, ...]) -> str:
    """A name with the place of one entry: `K_0,:,:` at (1, 2) is `K_0,1,2`."""
    if ":" in name:
        if name.count(":") != len(place):
            raise MatrixError(f"{name} is not a table of rows and columns")
        for k in place:
            name = name.replace(":", str(k), 1)
        return name
    stem, marks = _MARKS.sub("", name), _MARKS.search(name)
    if "_" in stem.rpartition("/")[2].rpartition(")")[2]:
        raise MatrixError(f"{name} is one entry, not a matrix")
    return f"{stem}_{','.join(map(str, place))}{marks[0] if marks else ''}"
