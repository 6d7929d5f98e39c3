"""Errors that people read: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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
    """A sentence that names the known words that are meant perhaps; empty if none is like it.

    They are close to the word, contain it, or begin with its letters: `mse`, `conv`, `sofmax`.
    """
    word = word.lower()
    options = sorted(known)
    found = difflib.get_close_matches(word, options, n=most)
    initials = {each: "".join(part[0] for part in each.split("_") if part) for each in options}
    found += [o for o in options if o not in found and (word in o or word == initials[o])]
    *first, last = [f"'{each}'" for each in sorted(found[:most])] or [""]
    if not last:
        return ""
    return f"did you mean {', '.join(first)} or {last}?" if first else f"did you mean {last}?"
