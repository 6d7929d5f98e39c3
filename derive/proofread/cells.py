r"""Rows of a table in Markdown: a calculation in one cell and its number in the next are one line.

`| $0.6 \times 0.5$ | $0.3$ |` says that one equals the other; the text is rewritten so that it
does, and nothing moves from its place. A lone name says less: in its row may stand an old value
and a new one.
"""

from __future__ import annotations

import re

_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)
_NUMBER = r"[-+−]?\d[\d.,]*(?:\s*\\(?:times|cdot)\s*10\^(?:\d|\{[-−]?\d+\}))?"
_BESIDE = re.compile(
    r"(?<=[|*_ \t])\$(?P<form>[^$|\n]+)\$(?P<gap>[*_ \t]*\|[*_ \t]*)"
    rf"(?:\$(?P<inside>\s*(?P<sign>=|\\approx|\\simeq)?\s*(?:\\boxed\{{)?\s*{_NUMBER}\s*\}}?\s*)\$"
    rf"|(?P<plain>{_NUMBER})(?P<close>[*_ \t]))(?=[*_ \t]*\|)"
)
_CALCULATION = re.compile(
    r"(?=.*\d)(?:.*[^\s({=,&]\s*(?:[-+*/−]|\\(?:times|cdot|div)(?![A-Za-z]))|.*\\frac\{[^{}]*\d)"
)


def joined(text: str) -> str:
    """A text in which a calculation in a cell goes on to the number beside it."""
    return _ROW.sub(lambda row: _BESIDE.sub(_one_line, row.group()), text)


def _one_line(cells: re.Match[str]) -> str:
    form, number = cells["form"], cells["inside"] or cells["plain"]
    last = re.split(r"=|\\approx|\\simeq", form)[-1]
    if not _CALCULATION.match(last):
        return cells.group()
    gap = len(cells["gap"]) + (1 if cells["inside"] else 0)
    equals = " " if cells["sign"] else "="
    return f"${form} {equals}{' ' * (gap - 1)}{number}$"
