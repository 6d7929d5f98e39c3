"""Page → frames: one block of the page is one step, and stands on a frame of its own.

A step that is too high for one frame goes on on the next; one that only says something, or goes on
with the sentence of the step before, stands with its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from derive.languages import numbers_in
from derive.render.blocks import Block, Page
from derive.render.document import Book, escape, title_of
from derive.slides.height import ROOM, cut, height, text_width
from derive.slides.pieces import Drawn, Grid, Heading, Piece, Said, Shown, Tables, pieces
from derive.theme import NO_THEME, Theme

GO_ON = frozenset({"out", "frozen", "interlude", "model_updated"})  # with the step before
SHORT = ROOM / 2  # text that may stand with what comes behind it
LEAST = ROOM / 3  # room in which a step that goes on on the next frame begins
TAIL, SPARE = 40, 1.5  # signs of the end of a sentence, and lines by which it may be over
REMINDED = frozenset({"factor_error", "factor_fused", "factor_weight", "factor_slope"})
REMINDED |= {"factor_paths", "factor_input", "gradient"}


@dataclass(frozen=True)
class Frame:
    """One slide: the heading that it stands under, and the section, if one begins with it.

    A heading may have several frames; this is the `part`-th of `parts`.
    """

    title: str
    pieces: tuple[Piece, ...]
    section: str = ""
    part: int = 1
    parts: int = 1


@dataclass(frozen=True)
class Deck:
    """All slides in one language; `numbers` are those of formulas and of pictures by label."""

    title: str
    frames: tuple[Frame, ...]
    numbers: Mapping[str, str]
    author: str = ""


def deck(page: Page, language: str, theme: Theme = NO_THEME) -> Deck:
    """The slides of a page."""
    book = Book.themed("slides", language, theme)
    filling = _Filling()
    for block in page.blocks:
        filling.step(block, [_in(language, piece) for piece in pieces(book, block)])
    filling.close()
    frames = tuple(_counted(filling.frames))
    title = title_of(page, language, theme) or book.default_title
    return Deck(title, frames, _numbers(frames), escape(theme.author))


def _numbers(frames: tuple[Frame, ...]) -> dict[str, str]:
    """The numbers of the page: formulas and pictures are counted apart."""
    found = [piece for frame in frames for piece in frame.pieces]
    formulas = dict.fromkeys(p.label for p in found if isinstance(p, Shown) and p.label)
    pictures = dict.fromkeys(p.label for p in found if isinstance(p, Drawn) and p.label)
    counted = [*enumerate(formulas, 1), *enumerate(pictures, 1)]
    return {label: str(number) for number, label in counted}


def _counted(frames: list[Frame]) -> Iterator[Frame]:
    """The frames with how many stand under one heading, and which of them each is."""
    runs: list[list[Frame]] = []
    for frame in frames:
        if runs and runs[-1][0].title == frame.title and not frame.section:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    for run in runs:
        yield from (replace(f, part=k, parts=len(run)) for k, f in enumerate(run, 1))


def _in(language: str, piece: Heading | Piece) -> Heading | Piece:
    """A piece with its numbers as a language writes them."""

    def text(tex: str) -> str:
        return numbers_in(language, tex)

    match piece:
        case Heading():
            return replace(piece, tex=text(piece.tex))
        case Said():
            return Said(text(piece.tex))
        case Shown():
            lines = (text(f"${line}$")[1:-1] for line in piece.lines)
            return replace(piece, lines=tuple(lines))
        case Drawn():
            return replace(piece, tikz=text(piece.tikz), caption=text(piece.caption))
        case Tables():
            return Tables(tuple(_grid_in(language, grid) for grid in piece.grids))


def _grid_in(language: str, grid: Grid) -> Grid:
    def row(cells: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(numbers_in(language, cell) for cell in cells)

    return replace(grid, heads=row(grid.heads), rows=tuple(map(row, grid.rows)))


@dataclass
class _Filling:
    """The frames as they fill up."""

    frames: list[Frame] = field(default_factory=list)
    title: str = ""
    section: str = ""
    begun: list[Piece] = field(default_factory=list)
    chain: Shown | None = None

    @property
    def room(self) -> float:
        return ROOM - sum(map(height, self.begun))

    def step(self, block: Block, said: list[Heading | Piece]) -> None:
        """Put a step on a frame: on its own, unless it goes on with what stands there."""
        own = [piece for piece in said if not isinstance(piece, Heading)]
        if not self._goes_on(block, own):
            self.close()
        if not self.begun and block.kind in REMINDED and self.chain is not None:
            self.begun.append(self.chain)
        for k, piece in enumerate(said):
            if isinstance(piece, Heading):
                self._head(piece)
            else:
                after = next((p for p in said[k + 1 : k + 2] if not isinstance(p, Heading)), None)
                self._put(piece, after if isinstance(piece, Said) else None)
        if block.kind == "weight":
            self._remember(own)

    def close(self) -> None:
        """What stands there is a frame."""
        if any(not (isinstance(piece, Shown) and piece.reminder) for piece in self.begun):
            self.frames.append(Frame(self.title, tuple(self.begun), self.section))
            self.section = ""
        self.begun = []

    def _goes_on(self, block: Block, own: list[Piece]) -> bool:
        if sum(map(height, own)) > self.room:
            return False
        only_text = all(isinstance(piece, Said) for piece in self.begun)
        short = ROOM - self.room <= SHORT
        return block.kind in GO_ON or (only_text and short)

    def _head(self, heading: Heading) -> None:
        """A heading begins a frame, and is its title."""
        self.close()
        self.title = heading.tex
        if heading.level == "section":
            self.section, self.chain = heading.tex, None

    def _remember(self, own: list[Piece]) -> None:
        """The chain rule for a weight stands above its factors."""
        shown = next((piece for piece in own if isinstance(piece, Shown)), None)
        if shown is not None:
            self.chain = Shown(shown.lines, reminder=True)

    def _put(self, piece: Piece, after: Piece | None) -> None:
        """Put a piece on the frame, or on the next; what announces something stays with it."""
        whole = height(piece)
        more = height(after) if after is not None else 0.0
        more = more if whole + more <= ROOM else LEAST
        if self._ends(piece):
            more -= SPARE
        if whole + more <= self.room or not (self.begun or whole > ROOM):
            self.begun.append(piece)
        elif whole <= ROOM and not self._announced:
            self.close()
            self.begun.append(piece)
        else:
            self._part(piece)

    def _ends(self, piece: Piece) -> bool:
        """Whether a piece is the end of a sentence that a formula stands in: it goes with that."""
        short = isinstance(piece, Said) and text_width(piece.tex) <= TAIL
        return short and bool(self.begun) and not isinstance(self.begun[-1], Said)

    @property
    def _announced(self) -> bool:
        """Whether nothing but what announces the next piece stands there."""
        return bool(self.begun) and all(isinstance(piece, Said) for piece in self.begun)

    def _part(self, piece: Piece) -> None:
        """Put a piece that has no room in one on several frames."""
        if self.room < LEAST:
            self.close()
        rest: Piece | None = piece
        while rest is not None:
            parts = cut(rest, self.room) if height(rest) > self.room else None
            if parts is None and self.begun and height(rest) > self.room:
                self.close()
                continue
            first, rest = parts if parts is not None else (rest, None)
            self.begun.append(first)
            if rest is not None:
                self.close()
