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
