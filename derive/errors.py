"""Errors that people read: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

MOST_LISTED = 8
MOST_QUOTED = 60
MOST_LINES = 20
WIDEST = 300  # of a line of a message
LONGEST = 100  # a longer formula is shown around the place
BESIDE = 40  # characters before and behind it
NO_OTHERS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class InputError(Exception):
    """Something the user gave is not usable; the program exits with code 2.

    `letter` is the index letter with two sizes, if that is what is wrong.
    """

    def __init__(self, words: str, letter: str = "") -> None:
        super().__init__(words)
        self.letter = letter


class LanguageError(InputError):
    """Equation text that is not in the language, shown with a caret under the place."""

    def __init__(self, text: str, column: int, reason: str, letter: str = "") -> None:
        shown, at = _around(text, column)
        super().__init__(f"{reason}\n    {shown}\n    {' ' * at}^", letter)
        self.reason = reason
        self.text = text


def cut(text: str, most: int = MOST_QUOTED) -> str:
    """A text as it is quoted in a sentence: on one line, and with dots in the middle if long."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    half = (most - 1) // 2
    return f"{line[:half]}…{line[-half:]}"


def printable(text: str) -> str:
    """Text for a terminal: what would steer it, or not be seen, is written as an escape."""
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def shown(text: str) -> str:
    """A text of the spec in a sentence: in quotes, on one line, and cut where it is long."""
    return f"'{printable(cut(text))}'"


def told(error: InputError) -> str:
    """An error as it is printed: no line of it is endless, and there are not too many."""
    lines = printable(str(error)).splitlines()
    kept = [line if len(line) <= WIDEST else f"{line[:WIDEST]}…" for line in lines[:MOST_LINES]]
    left = len(lines) - len(kept)
    return "\n".join([*kept, *([f"and {left} more lines like these"] if left else [])])


def _around(text: str, column: int) -> tuple[str, int]:
    """The part of a formula around a place, and where the place is in it."""
    if len(text) <= LONGEST:
        return text, column
    start, end = max(0, column - BESIDE), column + BESIDE
    before, behind = "…" if start else "", "…" if end < len(text) else ""
    return f"{before}{text[start:end]}{behind}", column - start + len(before)


def nearest(
    word: str,
    known: Iterable[str],
    others: Mapping[str, tuple[str, ...]] = NO_OTHERS,
    lister: str = "",
) -> str:
    """A sentence that names the closest known word, or what is known if none is close.

    `others` maps names that people use elsewhere to ours; `lister` is a command that lists a long
    choice in full. Capitals do not count.
    """
    options = sorted(known)
    meant = [name for name in others.get(word.lower(), ()) if name in options]
    if not meant:
        lower = {name.lower(): name for name in reversed(options)}
        meant = [lower[name] for name in difflib.get_close_matches(word.lower(), lower, n=1)]
    if meant:
        return f"did you mean {' or '.join(repr(name) for name in meant)}?"
    return listed(options, lister)


def listed(known: Iterable[str], lister: str = "") -> str:
    """A sentence that says what is known; of many words only the first, or who lists them."""
    options = sorted(known)
    if not options:
        return "none is known"
    if len(options) <= MOST_LISTED:
        return f"known: {', '.join(options)}"
    if lister:
        return f"`{lister}` lists them"
    left = len(options) - MOST_LISTED
    return f"known: {', '.join(options[:MOST_LISTED])} and {left} more"


def quoted(names: Iterable[str]) -> str:
    """Names in a sentence: `'a', 'b'`; of many the first, and how many more there are."""
    words = [f"'{name}'" for name in names]
    left = len(words) - MOST_LISTED
    return ", ".join(words[:MOST_LISTED]) + (f" and {left} more" if left > 0 else "")
