"""Names of the entries of a table, apart from its own."""

from __future__ import annotations

import re

_MARKS = re.compile(r"[+*']*\Z")


class MatrixError(ValueError):
    """A table that cannot be taken for the entries of its left side."""


def parted(name: str) -> tuple[str, str]:
    """A name without the signs behind it, and the signs."""
    marks = _MARKS.search(name)
    return _MARKS.sub("", name), marks[0] if marks else ""


def with_place(name: str, place: tuple[int, int]) -> str:
    """A name whose colons are rows and columns: `K_0,:,:` at (1, 2) is `K_0,1,2`."""
    if name.count(":") != len(place):
        raise MatrixError(f"{name} is not a table of rows and columns")
    for k in place:
        name = name.replace(":", str(k), 1)
    return name
