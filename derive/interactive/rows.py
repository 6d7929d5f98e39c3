"""Rows of a page with holes: the same template is filled with names, with numbers, and anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

from derive.interactive.mathml import hole, mathml
from derive.render.pieces import MARKS, Piece, Tightness, number_piece
from derive.render.sheet import Key, Sheet

HOLE = re.compile("[{}-{}]".format(*MARKS))
DIGITS = "0.0000"  # how long a number is taken to be
Write = Callable[[Callable[[Key], Piece]], str]
Row = list[object]  # the number of a template, and the keys of its holes


@dataclass
class Templates:
    """The templates of a page, each once; `numbers` are those of the keys."""

    sheet: Sheet
    numbers: dict[Key, int]
    found: dict[tuple[str, str], int] = field(default_factory=dict)

    def names(self, write: Write) -> list[Row]:
        """A formula in names, a row for each of its lines."""
        return self._rows(write, self.sheet.named, guarded=False)

    def values(self, write: Write) -> list[Row]:
        """The same with holes for numbers; nothing if there is nothing to be seen of them."""
        rows = self._rows(write, lambda key: number_piece(DIGITS), guarded=True)
        single = len(rows) == 1 and HOLE.fullmatch(self.texts[int(str(rows[0][0]))])
        return [] if single or not any(row[1] for row in rows) else rows

    def fixed(self, tex: str) -> list[Row]:
        """TeX in which nothing changes."""
        return [[self._template(line, ""), []] for line in tex.split("\n")]

    @property
    def texts(self) -> list[str]:
        """The TeX of the templates."""
        return [tex for tex, _ in self.found]

    def data(self) -> list[dict[str, str]]:
        """The templates as MathML and as TeX; which holes need brackets when."""
        return [{"m": mathml(tex, "block"), "x": tex, "g": guards} for tex, guards in self.found]

    def _rows(self, write: Write, leaf: Callable[[Key], Piece], guarded: bool) -> list[Row]:
        """The lines of a formula as templates; each leaf is marked, so that it can be taken out."""
        tex, keys, when = with_holes(write, leaf, guarded)
        rows: list[Row] = []
        for line in tex.split("\n"):
            holes = HOLE.findall(line)
            own, when = when[: len(holes)], when[len(holes) :]
            numbers = [self.numbers[keys[each]] for each in holes]
            rows.append([self._template(numbered(line), own), numbers])
        return rows

    def _template(self, tex: str, guards: str) -> int:
        return self.found.setdefault((tex, guards), len(self.found))


def with_holes(
    write: Write, leaf: Callable[[Key], Piece], guarded: bool = True
) -> tuple[str, dict[str, Key], str]:
    """A formula with a sign for each leaf, what the signs stand for, and which need brackets when.

    Each leaf is marked, so that it can be taken out of what is written.
    """
    seen: dict[Key, str] = {}

    def emptied(hold: Tightness | None = None) -> str:
        def marked(key: Key) -> Piece:
            piece = leaf(key)
            seen.setdefault(key, hole(len(seen)) + piece.tex)
            return replace(piece, tex=seen[key], hold=piece.hold if hold is None else hold)

        tex = write(marked)
        for whole in seen.values():
            tex = tex.replace(whole, whole[0])
        return tex

    tex = emptied()
    when = "0" * len(HOLE.findall(tex))
    if guarded:
        when = guards(tex, emptied(Tightness.SUM), emptied(Tightness.PRODUCT))
    return tex, {whole[0]: key for key, whole in seen.items()}, when


def numbered(tex: str) -> str:
    """A formula with its holes in the order in which they stand."""
    places = count()
    return HOLE.sub(lambda _: hole(next(places)), tex)


def guards(tex: str, loose: str, product: str) -> str:
    """Which holes need brackets when: a sign each, of a formula and of it with looser numbers."""
    return "".join(map(_guard, *map(_bracketed, (tex, loose, product))))


def _bracketed(tex: str) -> list[bool]:
    """For each hole whether it stands alone in brackets."""
    return [
        tex[max(0, at.start() - 1) : at.start()] == "(" and tex[at.end() : at.end() + 1] == ")"
        for at in HOLE.finditer(tex)
    ]


def _guard(plain: bool, loose: bool, product: bool) -> str:
    """When a number gets brackets that the page adds: never, a negative one, a power of ten too."""
    if plain or not loose:
        return "0"
    return "2" if product else "1"
