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
    r"(?P<sign>[+-]?)(?:(?P<factor>\d{1,6})?(?:(?P<letter>[A-Za-z]'*)|(?=(?P<opening>[⌊(])))"
    r"|(?P<number>\d{1,6}))"
)
_QUOTIENT = re.compile(r"⌊(?P<place>[^⌊⌋]*)/(?P<by>\d{1,6})⌋")
_REMAINDER = re.compile(r"\((?P<place>[^ ]*) mod (?P<by>\d{1,6})\)")
_CLOSING = {"⌊": "⌋", "(": ")"}
_BRACKETS = {"(": 1, ")": -1}


@dataclass(frozen=True)
class Index:
    """A whole number, with letters and divisions times numbers added; or an entry as an index."""

    number: int = 0
    letters: tuple[tuple[str, int], ...] = ()
    entry: Entry | None = None
    divided: tuple[tuple[Divided, int], ...] = ()

    @property
    def letter(self) -> str:
        """The letter that it is, if it is nothing else."""
        plain = not self.number and len(self.letters) == 1 and self.letters[0][1] == 1
        return self.letters[0][0] if plain and not self.divided else ""

    @property
    def moving(self) -> frozenset[str]:
        """All letters in it."""
        inner = (part.place.moving for part, _ in self.divided)
        return frozenset(letter for letter, _ in self.letters).union(*inner)

    def at(self, values: Mapping[str, int]) -> int:
        """The number for some letters. Raises KeyError for a letter that stands for nothing."""
        plain = self.number + sum(factor * values[letter] for letter, factor in self.letters)
        return plain + sum(factor * part.at(values) for part, factor in self.divided)


@dataclass(frozen=True)
class Divided:
    """An index divided by a whole number and rounded down, or what remains."""

    place: Index
    by: int
    remains: bool

    def at(self, values: Mapping[str, int]) -> int:
        """The number for some letters."""
        place = self.place.at(values)
        return place % self.by if self.remains else place // self.by


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
        return not any(index.moving or index.entry for index in self.indices)

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
    if " mod " in text and not (text.startswith("(") and text.endswith(")")):
        text = f"({text})" if _REMAINDER.fullmatch(f"({text})") else text
    number, letters, divided, position = 0, dict[str, int](), list[tuple[Divided, int]](), 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or (position and not match["sign"]):
            return None
        factor = int(match["factor"] or 1) * (-1 if match["sign"] == "-" else 1)
        position = match.end()
        if match["letter"]:
            letters[match["letter"]] = letters.get(match["letter"], 0) + factor
        elif match["opening"]:
            end = _closing(text, position)
            part = _division(text[position:end])
            if part is None:
                return None
            divided.append((part, factor))
            position = end
        else:
            number += factor * int(match["number"])
    return Index(number, tuple(letters.items()), divided=tuple(divided)) if position else None


def _closing(text: str, start: int) -> int:
    """Where what opens at a place is over."""
    depth = 0
    for k in range(start, len(text)):
        depth += (text[k] == text[start]) - (text[k] == _CLOSING[text[start]])
        if not depth:
            return k + 1
    return len(text)


def _division(text: str) -> Divided | None:
    """`⌊i/2⌋` or `(i mod 2)`; what is divided may have brackets."""
    match = _QUOTIENT.fullmatch(text) or _REMAINDER.fullmatch(text)
    if match is None or not int(match["by"]):
        return None
    place = _index(match["place"].removeprefix("(").removesuffix(")"))
    return None if place is None else Divided(place, int(match["by"]), match.re is _REMAINDER)
