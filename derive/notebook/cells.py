"""Cells, and a notebook of them as the bytes of nbformat 4.5: the same for the same cells."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

VERSION = (4, 5)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


@dataclass(frozen=True)
class Cell:
    """Text in Markdown, or code."""

    source: str
    code: bool = False


def printed(cells: Iterable[Cell]) -> str:
    """A notebook that no one has run yet; a cell is called by its place."""
    found = [_fields(cell, place) for place, cell in enumerate(cells, 1)]
    major, minor = VERSION
    whole = {"cells": found, "metadata": METADATA, "nbformat": major, "nbformat_minor": minor}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _fields(cell: Cell, place: int) -> dict[str, object]:
    kind = "code" if cell.code else "markdown"
    fields: dict[str, object] = {"cell_type": kind, "id": f"{kind}-{place}", "metadata": {}}
    if cell.code:
        fields |= {"execution_count": None, "outputs": []}
    return fields | {"source": cell.source.strip("\n").splitlines(keepends=True)}
