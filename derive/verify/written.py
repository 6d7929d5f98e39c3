"""A written page taken apart: headings, symbols in sentences, references, displays, table rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

OPENING = re.compile(
    r"\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}"
    r"|\\begin\{(?P<environment>equation\*?)\}(?P<display>.*?)\\end\{(?P=environment)\}"
    r"|\\(?P<title>(?:sub)?section\*?)\{"
    r"|\\(?:eq)?ref\{(?P<reference>[^{}]*)\}"
    r"|\\label\{(?P<label>[^{}]*)\}"
    r"|(?<!\\)\$(?P<symbol>[^$]*)\$"
    r"|(?P<head>\\toprule\n)",
    re.DOTALL,
)
LABEL = re.compile(r"\\label\{([^{}]*)\}")
MATH = re.compile(r"(?<!\\)\$([^$]*)\$")
CELL = re.compile(r"(?<!\\)&")


class Sort(StrEnum):
    """What a piece of a page is."""

    HEADING = "heading"
    SYMBOL = "symbol"
    REFERENCE = "reference"
    LABEL = "label"
    DISPLAY = "display"
    HEAD = "table head"


@dataclass(frozen=True)
class Written:
    """One piece of a page, with its line; `before` are the words between it and the piece before.

    A display has the label that stands in it, if any, and its text without it.
    """

    sort: Sort
    text: str
    line: int
    before: str = ""
    label: str = ""


def pieces(text: str) -> list[Written]:
    """The pieces of a document in order."""
    start = text.find(r"\begin{document}")
    return list(_pieces(text, max(start, 0)))


def _pieces(text: str, at: int) -> Iterator[Written]:
    while (match := OPENING.search(text, at)) is not None:
        before, line = text[at : match.start()], text.count("\n", 0, match.start()) + 1
        at = match.end()
        kind = match.lastgroup
        if kind == "title":
            inside = braced(text, at)
            at += len(inside) + 1
            yield Written(Sort.HEADING, spaced(inside), line, before)
        elif kind == "display":
            label = LABEL.search(match["display"])
            body = spaced(LABEL.sub("", match["display"]))
            yield Written(Sort.DISPLAY, body, line, before, label[1] if label else "")
        elif kind == "head":
            row = text[at : text.find("\n", at)]
            at += len(row)
            yield Written(Sort.HEAD, spaced(row.removesuffix(r"\\")), line + 1, before)
        elif kind is not None:
            yield Written(Sort(kind), spaced(match[kind]), line, before)


def braced(text: str, start: int) -> str:
    """What stands between a brace that was opened before `start` and the one that closes it."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0) if text[at - 1] != "\\" else 0
        if not depth:
            return text[start:at]
    return text[start:]


def symbols(heading: str) -> list[str]:
    """The formulas in a heading."""
    return [spaced(each) for each in MATH.findall(heading)]


def left_side(display: str) -> str:
    """What stands to the left of the first sign of equality."""
    body = display.removeprefix(r"\begin{aligned}").strip()
    depth = 0
    for at, sign in enumerate(body):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign in "=&" and not depth:
            return body[:at].strip()
    return body


def spaced(text: str) -> str:
    """A text with single spaces."""
    return " ".join(text.split())
