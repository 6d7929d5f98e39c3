"""Arithmetic in blocks of code: a line `net_h1 = 0.15 * 0.05 + 0.35 = 0.3575` that says its result.

Each line is judged by itself and at its own digits: what else the code calculates is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sympy

from derive.proofread.claim import Claim, Where
from derive.proofread.formula import parse_formula
from derive.proofread.numerals import printed_number
from derive.proofread.tokens import FormulaError

_FENCED = re.compile(r"^ {0,3}(```|~~~)[^\n]*\n(?P<body>.*?)^ {0,3}\1", re.MULTILINE | re.DOTALL)
_LINE = re.compile(
    r"[ \t]*(?:#+|//|--)?[ \t]*(?P<name>[A-Za-z][A-Za-z_0-9]*)[ \t]*=(?P<sides>[-+*/(). \t\d=]+)"
)
_WORKED = re.compile(r"[\d)]\s*[-+*/]\s*[\d(.-]")
LONGEST = 500  # characters of a line


def plain_lines(text: str) -> Iterator[Claim]:
    """The lines of fenced blocks that work a number out."""
    for block in _FENCED.finditer(text):
        start = block.start("body")
        first = text.count("\n", 0, start) + 1
        for number, line in enumerate(block["body"].split("\n"), first):
            claim = _claim(line.rstrip(), number, start)
            if claim is not None:
                yield claim
            start += len(line) + 1


def _claim(line: str, number: int, start: int) -> Claim | None:
    match = _LINE.fullmatch(line) if len(line) <= LONGEST else None
    if match is None:
        return None
    *sides, last = (side.strip() for side in match["sides"].split("="))
    if not sides or not all(_WORKED.search(side) for side in sides):
        return None
    try:
        forms = tuple(parse_formula(side) for side in sides)
        printed = printed_number(last)
    except FormulaError:
        return None
    if printed is None:
        return None
    name = f"{match['name']} in line {number}"  # elsewhere the name may be that of another number
    left, where = sympy.Symbol(name, real=True), Where(number, "code", start, start + len(line))
    return Claim(left, forms, printed, where, line.strip(), match["name"], tuple(sides))
