"""What a page says of a block as pieces: headings, text, formulas, pictures, tables.

The words are those of the page; `templates/slides/common.j2` marks in them where a piece begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from derive.render.blocks import Block
from derive.render.document import Book
from derive.render.markdown import braced
from derive.templating import SIGNS

START, STOP, NEXT, CELL = (SIGNS[name] for name in ("start", "stop", "next", "cell"))
MARKED = re.compile(f"{START}([^{STOP}]*){STOP}")
HEADING = re.compile(r"\\(section|subsection)\*?\{")
ANCHOR = re.compile(r"\s*\\label\{[^{}]*\}")
BREAK = re.compile(r"\s*\\\\\s*&\s*")  # where a long row goes on in the next line
ALIGNED = re.compile(r"\\begin\{aligned\}(.*)\\end\{aligned\}", re.DOTALL)
PARAGRAPH = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class Heading:
    """A heading; what follows it stands under it."""

    level: str
    tex: str


@dataclass(frozen=True)
class Said:
    """A paragraph: text in TeX with nothing but formulas, emphasis and references in it."""

    tex: str


@dataclass(frozen=True)
class Shown:
    """A formula in lines; each but a lone one has a `&` where the lines are aligned.

    `label` is that of its number. A `reminder` has stood on a slide before.
    """

    lines: tuple[str, ...]
    label: str = ""
    reminder: bool = False

    @property
    def alone(self) -> str:
        """The formula where it is one line, without what would align it with others."""
        first = self.lines[0]
        return first.replace("&=", "=", 1) if "&=" in first else first.removeprefix("&")


@dataclass(frozen=True)
class Drawn:
    """A picture in TikZ with its caption."""

    tikz: str
    caption: str
    label: str


@dataclass(frozen=True)
class Grid:
    """A table: how its columns are set, its heads, its rows; cells are text in TeX."""

    columns: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Tables:
    """Tables that stand beside each other where there is room."""

    grids: tuple[Grid, ...]


Piece: TypeAlias = Said | Shown | Drawn | Tables


def pieces(book: Book, block: Block) -> list[Heading | Piece]:
    """What is said of a block."""
    said = book.say(block)
    found: list[Heading | Piece] = []
    at = 0
    for mark in MARKED.finditer(said):
        found += _text(said[at : mark.start()])
        _add(found, _piece(mark[1]))
        at = mark.end()
    return [*found, *_text(said[at:])]


def _add(found: list[Heading | Piece], piece: Piece) -> None:
    """Put a piece behind the others; a table behind a table stands beside it."""
    before = found[-1] if found else None
    if isinstance(piece, Tables) and isinstance(before, Tables):
        found[-1] = Tables(before.grids + piece.grids)
    else:
        found.append(piece)


def _piece(marked: str) -> Piece:
    """The piece between two signs."""
    (kind, *first), *rows = (row.split(CELL) for row in marked.split(NEXT))
    if kind == "formula":
        label, left = first
        return Shown(tuple(_lines(left, [row[0] for row in rows])), label)
    if kind == "figure":
        label, tikz, caption = first
        return Drawn(tikz, caption.strip(), label)
    heads, *body = (tuple(cell.strip() for cell in row) for row in rows)
    return Tables((Grid(first[0], heads, tuple(body)),))


def _lines(left: str, rows: list[str]) -> Iterator[str]:
    """The lines of `left = row = row`; a formula that is no equation is one line."""
    if not rows:
        yield from _broken(left.strip())
        return
    parts = [BREAK.split(row.strip()) for row in rows]
    if len(parts) == 1 and len(parts[0]) == 1:
        yield f"{left} = {rows[0].strip()}"
        return
    for k, (first, *more) in enumerate(parts):
        yield f"{'' if k else left} &= {first}".strip()
        yield from (f"&{rest}" for rest in more)


def _broken(tex: str) -> Iterator[str]:
    """The lines of a formula that is given as a whole."""
    whole = ALIGNED.fullmatch(tex)
    first, *more = BREAK.split(whole[1].strip()) if whole else [tex]
    yield first
    yield from (f"&{rest}" for rest in more)


def _text(said: str) -> Iterator[Heading | Said]:
    """Text with its headings, a paragraph each."""
    at = 0
    for heading in HEADING.finditer(said):
        yield from _paragraphs(said[at : heading.start()])
        inner, at = braced(said, heading.end())
        yield Heading(heading[1], inner)
        if anchor := ANCHOR.match(said, at):
            at = anchor.end()
    yield from _paragraphs(said[at:])


def _paragraphs(said: str) -> Iterator[Said]:
    for paragraph in PARAGRAPH.split(said):
        if text := " ".join(paragraph.split()):
            yield Said(text)
