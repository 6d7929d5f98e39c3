"""Errors that people read: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

MOST_LISTED = 8
NO_OTHERS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class InputError(Exception):
    """Something the user gave is not usable; the program exits with code 2."""


class LanguageError(InputError):
    """Equation text that is not in the language, shown with a caret under the place."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(f"{reason}\n    {text}\n    {' ' * column}^")
        self.reason = reason
        self.text = text


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
