"""Errors that people read: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LIKE = 0.6


class InputError(Exception):
    """Something the user gave is not usable; the program exits with code 2."""


class LanguageError(InputError):
    """Equation text that is not in the language, shown with a caret under the place."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(f"{reason}\n    {text}\n    {' ' * column}^")
        self.reason = reason
        self.text = text


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the closest known word, or all of them if none is close."""
    options = sorted(known)
    close = difflib.get_close_matches(word, options, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(options)}" if options else "none is known"


def near(word: str, known: Iterable[str], most: int = 3) -> str:
    """A sentence that names the known words that are meant perhaps; empty if none is like it."""
    likeness = {each: _likeness(word.lower(), each.lower()) for each in sorted(known)}
    best = sorted(likeness, key=lambda each: -likeness[each])[:most]
    found = sorted(f"'{each}'" for each in best if likeness[each] >= LIKE)
    if not found:
        return ""
    *first, last = found
    return f"did you mean {', '.join(first)} or {last}?" if first else f"did you mean {last}?"


def _likeness(word: str, other: str) -> float:
    """How alike two words are, from 0 to 1; a part of a word and its initials are like it, too."""
    part = len(word) > 2 and word in other
    initials = "".join(piece[0] for piece in other.split("_") if piece)
    ratio = difflib.SequenceMatcher(None, word, other).ratio()
    return max(ratio, LIKE if part or word == initials else 0)
