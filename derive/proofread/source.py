"""The text that is read, and where each place of it stands in the document."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

from derive.proofread.claim import Where
from derive.proofread.macros import Expander, Piece
from derive.proofread.scan import blank, preamble


@dataclass(frozen=True)
class Source:
    """A text made of pieces of another, the document."""

    document: str
    pieces: tuple[Piece, ...]

    @cached_property
    def text(self) -> str:
        """All of the text."""
        return "".join(piece.text for piece in self.pieces)

    @cached_property
    def _starts(self) -> list[int]:
        starts, position = [], 0
        for piece in self.pieces:
            starts.append(position)
            position += len(piece.text)
        return starts

    @cached_property
    def _line_ends(self) -> list[int]:
        return [k for k, character in enumerate(self.document) if character == "\n"]

    def origin(self, offset: int) -> int:
        """Where in the document a place of the text comes from."""
        number = bisect_right(self._starts, offset) - 1
        piece = self.pieces[number]
        return piece.start + (offset - self._starts[number] if piece.copied else 0)

    def where(self, offset: int, environment: str, end: int = 0) -> Where:
        """The place of an offset, stepping over white space before the statement."""
        while offset < len(self.text) and self.text[offset].isspace():
            offset += 1
        start = self.origin(offset)
        line = bisect_left(self._line_ends, start) + 1
        return Where(line, environment, start, self.origin(end) if end else start)


def prepared(document: str, expander: Expander) -> Source:
    """A document without what is no text of it, its macros expanded and its letters as TeX."""
    for _ in expander.pieces(preamble(document)):
        pass  # what is defined there holds in the text
    return Source(document, tuple(expander.pieces(blank(document))))
