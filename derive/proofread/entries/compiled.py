"""Formulas as functions of their letters, computed in doubles entry by entry."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import sympy
from sympy.core.function import AppliedUndef

from derive.proofread.entries.moved import FUNCTIONS, largest, multiplied, smallest, total
from derive.proofread.entries.places import Entry, Index, Key, Place, Slope, Stem, entry_of

MOST_TERMS = 5_000  # of one sum
Letters = Mapping[str, int]
_BIG = re.compile(
    r"(?P<what>sum|prod|max|min|argmax)_(?P<letters>[A-Za-z]'*(?:,[A-Za-z]'*)*)"
    r"(?:=(?P<first>\d{1,4})\^(?P<last>\d{1,4}))?"
)
_FIRST_LARGEST = re.compile(
    r"\[\((?P<places>[^()]*)\)=operatorname\*\{argmax\}_\{(?P<letters>[^{}]*)\}(?P<name>.*)\]"
)


class Unknown(Exception):
    """Something that a text does not say."""


class Source(Protocol):
    """Where values come from."""

    def value(self, key: Key) -> complex:
        """The value of an entry. Raises Unknown."""

    def slope(self, of: Key, by: Key) -> float:
        """A derivative of an entry. Raises Unknown."""


class Ranges(Protocol):
    """What letters run over, and which names there are."""

    def run(self, letter: str, entries: Sequence[Entry]) -> Sequence[int]:
        """What a letter runs over that stands at these entries. Raises Unknown."""

    def knows(self, stem: Stem) -> bool:
        """Whether there are entries of a name."""

    def named(self, name: str) -> Entry | Slope:
        """A name by its indices."""


Formula = Callable[[Letters, Source], complex]


@dataclass(frozen=True)
class Compiled:
    """A formula, its names, and the letters that no sum of it binds."""

    run: Formula
    names: frozenset[Entry | Slope]
    free: frozenset[str]


def compiled(form: sympy.Expr, ranges: Ranges) -> Compiled:
    """A formula to be computed. Raises Unknown for what is not understood in it."""
    names: set[Entry | Slope] = set()
    free: set[str] = set()
    run = _Compiler(ranges, names, free).of(form, frozenset())
    return Compiled(run, frozenset(names), frozenset(free))


def entries_in(name: Entry | Slope) -> list[Entry]:
    """The entries in a name, and in its indices."""
    if isinstance(name, Slope):
        return [*entries_in(name.of), *entries_in(name.by)]
    inner = [each for index in name.indices if index.entry for each in entries_in(index.entry)]
    return [name, *inner]


def letters_of(name: Entry | Slope) -> set[str]:
    """The letters among the indices of a name."""
    return {
        letter for entry in entries_in(name) for index in entry.indices for letter in index.moving
    }


def run_over(form: sympy.Expr) -> set[str]:
    """The letters over which a formula adds up, or takes the largest."""
    labels = [str(each.func) for each in form.atoms(AppliedUndef)]
    found = [match for label in labels if (match := _BIG.fullmatch(label))]
    return {letter for match in found for letter in match["letters"].split(",")}


def place_of(entry: Entry, letters: Letters, source: Source) -> Place:
    """Where an entry is for some letters. Raises Unknown."""
    found = []
    for index in entry.indices:
        if index.entry is not None:
            there = source.value((index.entry.stem, place_of(index.entry, letters, source)))
            if there != int(there.real):
                raise Unknown
            found.append(int(there.real))
        else:
            found.append(_number(index, letters))
    return tuple(found)


def _number(index: Index, letters: Letters) -> int:
    try:
        return index.at(letters)
    except KeyError:
        raise Unknown from None


class _Compiler:
    def __init__(self, ranges: Ranges, names: set[Entry | Slope], free: set[str]) -> None:
        self._ranges, self._names, self._free = ranges, names, free

    def of(self, form: sympy.Expr, bound: frozenset[str]) -> Formula:
        if form.is_Symbol:
            return self._name(form.name, bound)
        if form.is_Number or form.is_NumberSymbol:
            value = _double(form)
            return lambda letters, source: value
        if isinstance(form, AppliedUndef):
            return self._big(form, bound)
        parts = [self.of(part, bound) for part in form.args]
        if form.is_Add:
            return lambda letters, source: total([part(letters, source) for part in parts])
        if form.is_Mul:
            return _multiplied(parts)
        function = FUNCTIONS.get(form.func)
        if function is None:
            raise Unknown
        return lambda letters, source: function(*[part(letters, source) for part in parts])

    def _name(self, name: str, bound: frozenset[str]) -> Formula:
        found = self._ranges.named(name)
        if isinstance(found, Entry) and not self._ranges.knows(found.stem):
            if re.fullmatch(r"[A-Za-z]'*", name):  # a letter as a number
                self._free |= {name} - bound
                return lambda letters, source: _letter(name, letters)
            if found.stem == ("pi", "") and not found.indices:
                return lambda letters, source: math.pi
            if found.stem == ("delta", "") and len(found.indices) == 2:
                self._free |= letters_of(found) - bound
                return lambda letters, source: float(
                    len(set(place_of(found, letters, source))) == 1
                )
        self._names.add(found)
        self._free |= letters_of(found) - bound
        if isinstance(found, Slope):
            of, by = found.of, found.by
            return lambda letters, source: source.slope(
                (of.stem, place_of(of, letters, source)), (by.stem, place_of(by, letters, source))
            )
        return lambda letters, source: source.value((found.stem, place_of(found, letters, source)))

    def _big(self, form: AppliedUndef, bound: frozenset[str]) -> Formula:
        label = str(form.func)
        chosen = _FIRST_LARGEST.fullmatch(label)
        if chosen is not None and not form.args:
            return self._first_largest(chosen, bound)
        match = _BIG.fullmatch(label)
        if match is None or len(form.args) != 1:
            raise Unknown
        letters = match["letters"].split(",")
        inside = self.of(form.args[0], bound | set(letters))
        if match["first"]:
            if len(letters) > 1:
                raise Unknown
            runs: list[Sequence[int]] = [range(int(match["first"]), int(match["last"]) + 1)]
        else:
            names = [self._ranges.named(symbol.name) for symbol in form.args[0].free_symbols]
            entries = [entry for name in names for entry in entries_in(name)]
            runs = [self._ranges.run(letter, entries) for letter in letters]
        if math.prod(map(len, runs)) > MOST_TERMS:
            raise Unknown
        return _BIGS[match["what"]](letters, list(product(*runs)), inside)

    def _first_largest(self, match: re.Match[str], bound: frozenset[str]) -> Formula:
        letters = match["letters"].split(",")
        entry = entry_of(match["name"].replace("{", "").replace("}", ""))
        places = entry_of(f"place_{match['places']}")
        if not isinstance(entry, Entry) or not isinstance(places, Entry) or not entry.indices:
            raise Unknown
        self._names.add(entry)
        self._free |= (letters_of(entry) - set(letters) | letters_of(places)) - bound
        runs = [self._ranges.run(letter, [entry]) for letter in letters]
        spots = list(product(*runs))

        def run(outer: Letters, source: Source) -> float:
            def there(spot: tuple[int, ...]) -> float:
                inner = {**outer, **dict(zip(letters, spot, strict=True))}
                return source.value((entry.stem, place_of(entry, inner, source))).real

            return float(max(spots, key=there) == place_of(places, outer, source))

        return run


def _letter(name: str, letters: Letters) -> float:
    if name not in letters:
        raise Unknown
    return float(letters[name])


def _multiplied(parts: Sequence[Formula]) -> Formula:
    def run(letters: Letters, source: Source) -> complex:
        found: complex = 1.0
        failure = None
        for part in parts:
            try:
                value = part(letters, source)
            except ArithmeticError as error:
                failure = error
                continue
            if value == 0:
                return 0.0
            found *= value
        if failure is not None:
            raise failure
        return found

    return run


def _terms(
    letters: Sequence[str], spots: Sequence[tuple[int, ...]], inside: Formula
) -> Callable[[Letters, Source], list[complex]]:
    bindings = [dict(zip(letters, spot, strict=True)) for spot in spots]

    def run(outer: Letters, source: Source) -> list[complex]:
        return [inside({**outer, **binding}, source) for binding in bindings]

    return run


def _collected(collect: Callable[[list[complex]], complex]) -> Callable[..., Formula]:
    def made(letters: Sequence[str], spots: Sequence[tuple[int, ...]], inside: Formula) -> Formula:
        terms = _terms(letters, spots, inside)
        return lambda outer, source: collect(terms(outer, source))

    return made


def _argmax(letters: Sequence[str], spots: Sequence[tuple[int, ...]], inside: Formula) -> Formula:
    if len(letters) != 1:
        raise Unknown
    terms = _terms(letters, spots, inside)

    def run(outer: Letters, source: Source) -> float:
        values = [value.real for value in terms(outer, source)]
        return float(spots[values.index(max(values))][0])

    return run


_BIGS: Mapping[str, Callable[..., Formula]] = {
    "sum": _collected(total),
    "prod": _collected(multiplied),
    "max": _collected(largest),
    "min": _collected(smallest),
    "argmax": _argmax,
}


def _double(form: sympy.Expr) -> float:
    try:
        return float(form)
    except (OverflowError, TypeError):
        raise Unknown from None
