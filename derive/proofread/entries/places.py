r"""Names with indices: `W_{k,i}`, `x_{2u+r,0}`, `y_{t-1,j}`, `W_{\mathrm{token}_n,d}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from derive.proofread.behind import above, below, is_derivative
from derive.proofread.matrices import parted

Place = tuple[int, ...]
Stem = tuple[str, str]  # what stands before the indices of a name, and behind them
Key = tuple[Stem, Place]
_TERM = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<factor>\d{1,6})?(?P<letter>[A-Za-z]'*)|(?P<number>\d{1,6}))"
)
_BRACKETS = {"(": 1, ")": -1}


@dataclass(frozen=True)
class Index:
    """A whole number, with letters times numbers added to it; or an entry that is an index."""

    number: int = 0
    letters: tuple[tuple[str, int], ...] = ()
    entry: Entry | None = None

    @property
    def letter(self) -> str:
        """The letter that it is, if it is nothing else."""
        plain = not self.number and len(self.letters) == 1 and self.letters[0][1] == 1
        return self.letters[0][0] if plain else ""

    def at(self, values: Mapping[str, int]) -> int:
        """The number for some letters. Raises KeyError for a letter that stands for nothing."""
        return self.number + sum(factor * values[letter] for letter, factor in self.letters)


@dataclass(frozen=True)
class Entry:
    """A name by what it is an entry of; without indices it is a number."""

    stem: Stem
    indices: tuple[Index, ...]

    @property
    def is_general(self) -> bool:
        """Whether its indices are different letters, so that it stands for all entries."""
        letters = [index.letter for index in self.indices]
        return all(letters) and len(set(letters)) == len(letters)

    @property
    def is_explicit(self) -> bool:
        """Whether its indices are numbers."""
        return not any(index.letters or index.entry for index in self.indices)

    def place(self) -> Place:
        """Where an explicit entry is."""
        return tuple(index.number for index in self.indices)


@dataclass(frozen=True)
class Slope:
    """A derivative of one entry by another that is no entry of a gradient."""

    of: Entry
    by: Entry


@lru_cache(maxsize=20_000)
def entry_of(name: str, labels: frozenset[str] = frozenset()) -> Entry | Slope:
    """A name by its indices; the derivative of what has none is an entry itself.

    A name with one of the `labels` behind it is another one and no entry: `z_o` is not one of z.
    """
    if is_derivative(name):
        of, by = _plain(above(name), labels), _plain(below(name), labels)
        if of.indices:
            return Slope(of, by)
        return Entry((f"∂{of.stem[0]}{of.stem[1]}/∂{by.stem[0]}", by.stem[1]), by.indices)
    return _plain(name, labels)


def _plain(name: str, labels: frozenset[str] = frozenset()) -> Entry:
    stem, marks = parted(name)
    cut = _first_subscript(stem)
    indices = [_index(part) for part in _parts(stem[cut + 1 :])] if cut > 0 else []
    if not indices or any(index is None or index.letter in labels for index in indices):
        return Entry((name, ""), ())
    return Entry((stem[:cut], marks), tuple(index for index in indices if index is not None))


def _first_subscript(name: str) -> int:
    depth = 0
    for k, character in enumerate(name):
        depth += _BRACKETS.get(character, 0)
        if character == "_" and not depth:
            return k
    return -1


def _parts(subscript: str) -> list[str]:
    return subscript.split(",")


def _index(text: str) -> Index | None:
    if "_" in text:
        entry = _plain(text)
        return Index(entry=entry) if len(entry.indices) == 1 else None
    number, letters, position = 0, dict[str, int](), 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or (position and not match["sign"]):
            return None
        sign = -1 if match["sign"] == "-" else 1
        if match["letter"]:
            factor = sign * int(match["factor"] or 1)
            letters[match["letter"]] = letters.get(match["letter"], 0) + factor
        else:
            number += sign * int(match["number"])
        position = match.end()
    return Index(number, tuple(letters.items())) if position else None
