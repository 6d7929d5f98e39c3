r"""What is one line in Markdown though it stands apart; nothing moves from its place.

In a row of a table, `| $0.6 \times 0.5$ | $0.3$ |`, a calculation equals the number beside it.
Of a lone name less is said: in its row may stand an old value and a new one. And a display that
begins with an equals sign goes on from the one before.
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
    r"(?=.*\d)(?:.*[^\s({=,&]\s*(?:[-+*/−^]|\\(?:times|cdot|div)(?![A-Za-z]))|.*\\frac\{[^{}]*\d)"
)
_NEXT_DISPLAY = re.compile(r"\$\$(?P<gap>\s*)\$\$(?=\s*(?:=|\\approx|\\simeq)[^$]*\$\$)|\$\$")


def joined(text: str) -> str:
    """A text in which what goes on elsewhere goes on at once."""
    text = _ROW.sub(lambda row: _BESIDE.sub(_one_line, row.group()), text)
    inside = False

    def one_display(found: re.Match[str]) -> str:
        nonlocal inside
        if found["gap"] is not None and inside:
            return f"  {found['gap']}  "
        inside = inside if found["gap"] is not None else not inside
        return found.group()

    return _NEXT_DISPLAY.sub(one_display, text)


def _one_line(cells: re.Match[str]) -> str:
    form, number = cells["form"], cells["inside"] or cells["plain"]
    last = re.split(r"=|\\approx|\\simeq", form)[-1]
    if not cells["sign"] and not _CALCULATION.match(last):
        return cells.group()
    gap = len(cells["gap"]) + (1 if cells["inside"] else 0)
    equals = " " if cells["sign"] else "="
    return f"${form} {equals}{' ' * (gap - 1)}{number}$"
