"""Documents as texts with TeX in them, in reading order; every line stays the line in the file.

LaTeX, Markdown and plain text are read as they are. Of a notebook, the text is read and what its
cells gave out as text, Markdown or LaTeX; of an HTML page what a reader sees, with the TeX that
MathJax and KaTeX keep in it, and MathML.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import PurePath
from typing import Any

from derive.proofread.mathml import MathMLError, tex_of_mathml

PAGES = {".html", ".htm", ".xhtml"}
NOTEBOOK = ".ipynb"
_SPOKEN = ("text/latex", "text/markdown", "text/plain")  # of an output, the first that it has
# Elements without an end.
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"))
_VOID |= {"param", "source", "track", "wbr"}
_UNSEEN = frozenset(
    ("script", "style", "head", "template", "pre", "code", "math", "svg", "noscript")
)


class DocumentError(ValueError):
    """A document that cannot be read, and why."""


@dataclass(frozen=True)
class Part:
    """A stretch of a document that is read on its own; `label` is empty if it is all of it.

    `closed` are the lines with formulas that are there without their TeX. `spots` say where the
    pieces of the text come from, if it is not the text of the file itself.
    """

    label: str
    text: str
    closed: tuple[int, ...] = ()
    spots: tuple[Spot, ...] = ()


@dataclass(frozen=True)
class Spot:
    """A piece of the text of a page, from `start` on: where it is in the file, and where it ends.

    Nothing can be put between `offset` and `end` if the piece is a formula of its own; then, as
    where letters are written as references, `offset` is `end`.
    """

    start: int
    offset: int
    end: int

    def place(self, position: int) -> int:
        """The place in the file of one in the text."""
        return min(self.offset + position - self.start, self.end)


def check_kind(name: str) -> None:
    """Refuse what has no formulas in it. Raises DocumentError."""
    if PurePath(name).suffix.lower() == ".pdf":
        raise DocumentError("a PDF has no formulas in it, only their glyphs; give its source")


def parts(name: str, text: str) -> list[Part]:
    """The parts of a document by the ending of its name. Raises DocumentError."""
    check_kind(name)
    ending = PurePath(name).suffix.lower()
    if ending == NOTEBOOK:
        return list(_cells(text))
    return [_seen(text) if is_page(name, text) else Part("", text)]


def is_page(name: str, text: str) -> bool:
    """Whether a document is HTML."""
    begins = text.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))
    return PurePath(name).suffix.lower() in PAGES or begins


def is_latex(name: str, text: str) -> bool:
    """Whether a document is LaTeX, which Markdown with formulas is not."""
    return PurePath(name).suffix.lower() == ".tex" or "\\begin{document}" in text


# --- notebooks ---------------------------------------------------------------------------------


def _cells(text: str) -> Iterator[Part]:
    try:
        cells = json.loads(text)["cells"]
        for number, cell in enumerate(cells, 1):
            yield from _cell(f"cell {number}", cell)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DocumentError("this is no notebook of format 4 (JSON with 'cells')") from error


def _cell(label: str, cell: dict[str, Any]) -> Iterator[Part]:
    if cell["cell_type"] == "markdown":
        yield Part(label, _joined(cell["source"]))
    for output in cell.get("outputs", ()):
        data = output.get("data") or {"text/plain": output.get("text", "")}
        spoken = next((kind for kind in _SPOKEN if kind in data), None)
        if spoken is not None:
            yield Part(f"{label}, output", _joined(data[spoken]))


def _joined(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


# --- pages -------------------------------------------------------------------------------------


def _seen(text: str) -> Part:
    page = _Page(text)
    page.feed(text)
    page.close()
    spots = (
        Spot(start, *page.ends.get(root, (offset, end))) for start, offset, end, root in page.pieces
    )
    return Part("", "".join(page.written), tuple(page.closed), tuple(spots))


class _Reading(StrEnum):
    """How what is in an element is read."""

    TEXT = "text"
    INLINE = "inline"
    DISPLAY = "display"
    UNSEEN = "unseen"


_DELIMITERS = {_Reading.DISPLAY: ("\\[", "\\]"), _Reading.INLINE: ("\\(", "\\)")}


@dataclass
class _Element:
    """An element that is open; `formula` is where it begins if it is MathML without TeX so far.

    `root` is where the outermost element begins that is a formula and nothing else.
    """

    tag: str
    reading: _Reading
    displays: bool = False
    formula: int | None = None
    root: int = -1


class _Page(HTMLParser):
    """What a reader sees of a page, each piece on the line on which it stands in the file."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self.closed: list[int] = []
        self.pieces: list[tuple[int, int, int, int]] = []
        self.ends: dict[int, tuple[int, int]] = {}  # behind the formula that begins somewhere
        self._text = text
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._length = 0
        self._line = 1
        self._open = [_Element("", _Reading.TEXT)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go into an element."""
        if tag in _VOID:
            return
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        around = self._open[-1]
        block = given.get("display") == "block" or "katex-display" in classes
        made = _Element(tag, around.reading, around.displays or block, root=around.root)
        if made.root < 0 and (tag in ("math", "script") or classes[:1] == ["katex"] or block):
            made.root = self._offset()
        if tag == "script" and given.get("type", "").startswith("math/tex"):
            made.reading = self._tex("mode=display" in given["type"])
        elif tag == "annotation" and given.get("encoding") == "application/x-tex":
            made.reading = self._tex(made.displays)
            for element in self._open:
                element.formula = None
        elif tag in _UNSEEN or "katex-html" in classes:
            made.reading = _Reading.UNSEEN
        if tag == "math" and around.reading is not _Reading.UNSEEN:
            made.formula = self._offset()
        self._open.append(made)

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _tex(self, displays: bool) -> _Reading:
        return _Reading.DISPLAY if displays else _Reading.INLINE

    def handle_endtag(self, tag: str) -> None:
        """Leave an element; what was never closed ends with what it stands in."""
        tags = [element.tag for element in self._open]
        if tag in tags:
            last = len(tags) - 1 - tags[::-1].index(tag)
            for element in self._open[last:]:
                if element.formula is not None:
                    self._write_mathml(element, element.formula)
            if self._open[last].root >= 0 > self._open[last - 1].root:
                end = self._text.find(">", self._offset()) + 1
                self.ends[self._open[last].root] = (end, end)
            del self._open[last:]

    def _write_mathml(self, element: _Element, start: int) -> None:
        """Write MathML as TeX, on the line on which it begins."""
        end = self._text.find(">", self._offset()) + 1
        line = bisect_right(self._lines, start)
        try:
            tex = tex_of_mathml(self._text[start:end])
        except MathMLError:
            self.closed.append(line)
            return
        opening, closing = _DELIMITERS[self._tex(element.displays)]
        self._write(line, opening, tex, closing, (end, end, element.root))

    def _write(
        self, line: int, opening: str, data: str, closing: str, where: tuple[int, int, int]
    ) -> None:
        text = "\n" * max(0, line - self._line) + f"{opening}{data}{closing}"
        start = self._length + len(text) - len(closing) - len(data)
        self.pieces.append((start, *where))
        self._length += len(text)
        self.written.append(text)
        self._line += text.count("\n")

    def handle_data(self, data: str) -> None:
        """Write down what is seen."""
        reading = self._open[-1].reading
        if reading is _Reading.UNSEEN:
            return
        offset = self._offset()
        end = self._text.find("<", offset)
        end = len(self._text) if end < 0 else end
        here = offset if self._text.startswith(data, offset) else end
        opening, closing = _DELIMITERS.get(reading, ("", ""))
        where = (here, end, self._open[-1].root)
        self._write(self.getpos()[0], opening, data, closing, where)
