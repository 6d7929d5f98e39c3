"""Names of another program as names of a spec: `fc1.weight` becomes fc1_weight."""

from __future__ import annotations

import re
from collections.abc import Iterable

from derive.names import LONGEST_NAME, reserved
from derive.syntax import FUNCTIONS

# The letters of axes, in the order in which they are taken; then come k1, k2, and so on.
FIRST_LETTERS = "nijklmpqrstuvcdeghwabof"
LETTER = re.compile(rf"[{FIRST_LETTERS}]|k\d+")  # nothing given or computed is called so
TAKEN = frozenset(("pi", "E", "alpha", "index", "count"))
ROOM = 8  # characters for what is put behind a name


def letter(place: int) -> str:
    """The letter that is taken after so many others."""
    first = len(FIRST_LETTERS)
    return FIRST_LETTERS[place] if place < first else f"k{place - first + 1}"


def legal(text: str) -> str:
    """A name as near to a text as a spec allows."""
    word = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[2 * ROOM - LONGEST_NAME :].strip("_")
    if not word or not word[0].isalpha():
        word = f"layer_{word}" if word else "x"
    if word.startswith(("adj_", "dE_")):
        word = f"x_{word}"
    if reserved(word, TAKEN) or word in FUNCTIONS or LETTER.fullmatch(word):
        word += "_"
    return word


class Names:
    """Names, no two of them alike."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def room(self, name: str, inner: Iterable[str]) -> str:
        """A name like this one with which all of its inner names are free; they are taken then."""
        own = [*inner]
        while any(f"{name}_{each}" in self._used for each in own):
            name += "_"
        self._used |= {f"{name}_{each}" for each in own}
        return name

    def new(self, text: str) -> str:
        """A name like a text, with a number behind it if it is taken."""
        word, count = legal(text), 2
        name = word
        while name in self._used:
            name = f"{word.rstrip('_')}_{count}"
            count += 1
        self._used.add(name)
        return name
