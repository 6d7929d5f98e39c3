r"""Tables of numbers as matrices: a vector in round brackets, a matrix in square ones.

Of a quantity with more axes every slice is a matrix, `K_{0,1,:,:}`. What does not fit on the page
is not written at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import prod

from derive.notation import ADJOINT, UPDATED
from derive.render.model_form import ModelForm
from derive.render.pieces import width
from derive.render.tensor_values import Values

MOST_ROWS = 12
MOST_COLUMNS = 10  # amsmath sets no more in one matrix
MOST_SLICES = 4
LINE = 62  # of several tables side by side
WIDEST = 78  # of one table, which has a line for itself
COLUMN_GAP = 2
GAP = r",\qquad "


def readable(shape: tuple[int, ...]) -> bool:
    """Whether a table of this shape is small enough for a page; its width is another question."""
    rows, columns = (*shape, 1, 1)[:2] if len(shape) < 2 else shape[-2:]
    return rows <= MOST_ROWS and columns <= MOST_COLUMNS and prod(shape[:-2]) <= MOST_SLICES


def tensor(form: ModelForm, values: Values, name: str) -> list[tuple[int, str]]:
    """A quantity as equations `W = …`, each with its rough width; nothing if it is too large."""
    base = name.removeprefix(ADJOINT).removesuffix(UPDATED)
    shape = form.problem.graph.quantities[base].shape
    if not readable(shape):
        return []
    found = []
    for lead in product(*map(range, shape[:-2])):
        rows = [
            [values.tex((name, (*lead, *place))) for place in line] for line in _lines(shape[-2:])
        ]
        free = (":",) * 2 if lead else ()
        lhs = form.symbol(name, (*map(str, lead), *free))
        if lhs.count(":") > len(free):  # of what is differentiated each row has its own
            return []
        found.append((_width(base, lead, rows), f"{lhs} = {_matrix(rows, len(shape))}"))
    return found if max((wide for wide, _ in found), default=0) <= WIDEST else []


def packed(tensors: Iterable[tuple[int, str]]) -> list[dict[str, str]]:
    """Equations side by side, as many as fit on a line."""
    lines: list[list[str]] = []
    used = 0
    for wide, tex in tensors:
        if not lines or used + wide > LINE:
            lines.append([])
            used = 0
        lines[-1].append(tex)
        used += wide + 4
    return [{"tex": GAP.join(line)} for line in lines]


def _lines(shape: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
    """The places of a table, line by line."""
    if not shape:
        return [[()]]
    if len(shape) == 1:
        return [[(k,)] for k in range(shape[0])]
    return [[(r, c) for c in range(shape[1])] for r in range(shape[0])]


def _matrix(rows: list[list[str]], rank: int) -> str:
    if rank == 0:
        return rows[0][0]
    kind = "pmatrix" if rank == 1 else "bmatrix"
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{{kind}}} {body} \end{{{kind}}}"


def _width(name: str, lead: tuple[int, ...], rows: list[list[str]]) -> int:
    columns = [max(map(width, column)) + COLUMN_GAP for column in zip(*rows, strict=True)]
    return len(name) + 2 * len(lead) + 4 + sum(columns)
