"""The TeX of a name as SVG text: subscripts and superscripts are smaller pieces of the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from derive.symbols import GREEK

TOKEN = re.compile(r"\\([A-Za-z]+)|[{}_^]|\\.|\s+|.", re.DOTALL)
LETTERS = "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΣΦΨΩ"
SIGNS = {**dict(zip(GREEK, LETTERS, strict=True)), "partial": "∂", "cdot": "·", "ell": "ℓ"}
SIGNS |= {"varepsilon": "ε", "vartheta": "ϑ", "varphi": "φ", "times": "×", "prime": "′"}
SIGNS |= {"cdots": "⋯", "odot": "⊙"}
SHIFT = {"_": 4, "^": -5}  # pixels
MINUS = "−"  # as long as a plus
MARKS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}


def runs(tex: str) -> str:
    """A name as text with tspans; a command that is unknown leaves only what it is about."""
    return "".join(
        f'<tspan dy="{dy}"{small}>{escape(text)}</tspan>'
        for text, dy, small in _placed(list(_pieces(tex)))
    )


def plain(tex: str) -> str:
    """A name on one line, for a label that is read aloud."""
    return "".join(text for text, _ in _pieces(tex))


def _placed(pieces: list[tuple[str, int]]) -> Iterator[tuple[str, int, str]]:
    """Each piece with how far it moves from the one before."""
    height = 0
    for text, level in pieces:
        yield text, level - height, ' class="script"' if level else ""
        height = level


def _pieces(tex: str) -> Iterator[tuple[str, int]]:
    """Pieces of text with their distance from the line."""
    tokens = [match[0] for match in TOKEN.finditer(tex)]
    yield from _joined(_walk(tokens, 0))


def _walk(tokens: list[str], level: int) -> Iterator[tuple[str, int]]:
    while tokens:
        token = tokens.pop(0)
        if token == "}":
            return
        if token == "{":
            yield from _walk(tokens, level)
        elif token in SHIFT:
            inner = level or SHIFT[token]
            if tokens and tokens[0] == "{":
                tokens.pop(0)
                yield from _walk(tokens, inner)
            elif tokens:
                yield from _walk([tokens.pop(0)], inner)
        elif token.startswith("\\"):
            word = token[1:]
            if word in MARKS:
                inside = list(_argument(tokens, level))
                yield from inside
                yield MARKS[word], level
            elif word in SIGNS:
                yield SIGNS[word], level
        elif not token.isspace():
            yield MINUS if token == "-" else token, level


def _argument(tokens: list[str], level: int) -> Iterator[tuple[str, int]]:
    """What a mark is put on."""
    if tokens and tokens[0] == "{":
        tokens.pop(0)
        yield from _walk(tokens, level)
    elif tokens:
        yield from _walk([tokens.pop(0)], level)


def _joined(pieces: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Neighbours on one height as one piece."""
    before: tuple[str, int] | None = None
    for text, level in pieces:
        if before is not None and before[1] == level:
            before = before[0] + text, level
            continue
        if before is not None:
            yield before
        before = text, level
    if before is not None:
        yield before
