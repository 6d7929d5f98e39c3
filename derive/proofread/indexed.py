r"""Formulas with free indices, `y_{t,k} = \sum_i W_{k,i} x_{t,i}`, against the tables they give.

A letter runs over the places at which it stands in tables. An entry that is printed must be what
the formula gives for it at the other prints, as far as their rounding lets that be told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import sympy
from sympy.core.function import AppliedUndef

from derive.proofread.claim import Claim, Item
from derive.proofread.entries.compiled import entries_in
from derive.proofread.entries.places import Stem, entry_of
from derive.proofread.matrices import parted
from derive.proofread.policy import Policy, coarsest_exponent
from derive.proofread.spread import Known, reach, rounded_copy
from derive.proofread.values import FAILURES, about, decimal_text, exact_value, value_of

MOST_TERMS = 200  # of one entry
MOST_ENTRIES = 2_000  # of a document that are worked out
FEW = 0.34  # of the entries of a table may be slips
NOISE = Fraction(1, 10**11)  # of a value that is worked out
NOWHERE = -1  # where an entry is that no table prints
_PART = re.compile(r"(?P<letter>[A-Za-z]'*)(?P<shift>[+-]\d{1,3})?|(?P<number>\d{1,6})")
_SUM = re.compile(r"sum_(?P<letters>[A-Za-z]'*(?:,[A-Za-z]'*)*)")
_LAZY = (sympy.Max, sympy.Min, sympy.Abs)

Place = tuple[int, ...]


class _Unknown(Exception):
    """Something in a formula that is in no table."""


@dataclass(frozen=True)
class _Part:
    """One index: a letter with what is added to it, or a number."""

    letter: str
    shift: int

    def at(self, letters: Mapping[str, int]) -> int:
        """The number that it is."""
        if not self.letter:
            return self.shift
        if self.letter not in letters:
            raise _Unknown
        return letters[self.letter] + self.shift


@dataclass(frozen=True)
class _Indexed:
    """A name with its indices."""

    stem: tuple[str, str]
    parts: tuple[_Part, ...]

    @property
    def letters(self) -> list[str]:
        """The letters among its indices."""
        return [part.letter for part in self.parts if part.letter]

    def at(self, letters: Mapping[str, int]) -> Place:
        """The place that it stands for."""
        return tuple(part.at(letters) for part in self.parts)

    def name(self, place: Place) -> str:
        """The name of an entry."""
        return f"{self.stem[0]}_{','.join(map(str, place))}{self.stem[1]}"


def _indexed(name: str) -> _Indexed | None:
    """A name by its indices; None if it has none, or others."""
    stem, marks = parted(name)
    base, _, subscript = stem.rpartition("_")
    found = [_PART.fullmatch(part) for part in subscript.split(",")]
    if not base or not all(found):
        return None
    parts = tuple(
        _Part(match["letter"] or "", int(match["shift"] or match["number"] or 0))
        for match in found
        if match is not None
    )
    return _Indexed((base, marks), parts)


@dataclass(frozen=True)
class _Tables:
    """The prints of a document: those of entries by table and place, the values of all by name."""

    places: Mapping[tuple[str, str], Mapping[Place, int]]
    known: Mapping[str, Known]

    def name(self, indexed: _Indexed, place: Place) -> str:
        """The name of an entry. Raises _Unknown if it is in no table."""
        if place not in self.places.get(indexed.stem, {}):
            raise _Unknown
        name = indexed.name(place)
        if name not in self.known:
            raise _Unknown
        return name

    def without(self, names: Iterable[str]) -> _Tables:
        """The tables with no values for some names, which are wrong."""
        wrong = set(names)
        if not wrong:
            return self
        derived = {stem for stem, table in self.places.items() if NOWHERE in table.values()}
        kept = {
            name: known
            for name, known in self.known.items()
            if name not in wrong and not ((i := _indexed(name)) and i.stem in derived)
        }
        return _Tables(self.places, kept)

    def range_of(self, letter: str, expression: sympy.Expr) -> list[int]:
        """The numbers that a letter runs over where it stands in tables. Raises _Unknown."""
        found = set()
        for symbol in expression.free_symbols:
            indexed = _indexed(symbol.name)
            places = self.places.get(indexed.stem) if indexed else None
            if indexed is None or not places:
                continue
            for k, part in enumerate(indexed.parts):
                if part == _Part(letter, 0):
                    if any(len(place) <= k for place in places):
                        raise _Unknown
                    found.add(frozenset(place[k] for place in places))
        if len(found) != 1:
            raise _Unknown
        return sorted(next(iter(found)))


def _tables(items: Sequence[Item], policy: Policy) -> _Tables:
    claims = [(k, item) for k, item in enumerate(items) if isinstance(item, Claim)]
    computed = {
        found.stem if (found := _indexed(str(claim.lhs))) else str(claim.lhs)
        for _, claim in claims
        if claim.forms and claim.lhs.is_Symbol
    }
    places: dict[tuple[str, str], dict[Place, int]] = {}
    known: dict[str, Known] = {}
    moving: set[str] = set()
    for number, claim in claims:
        if not claim.lhs.is_Symbol or claim.printed is None:
            continue
        name = str(claim.lhs)
        indexed = _indexed(name)
        if indexed is not None and not indexed.letters and _is_entry(items, number):
            places.setdefault(indexed.stem, {})[indexed.at({})] = number
        value = exact_value(claim.printed)
        is_given = (indexed.stem if indexed else name) not in computed
        if name in known and abs(known[name].value - value) > known[name].half_unit:
            moving.add(name)
        exact = Known(value, Fraction(0))
        known[name] = exact if is_given else rounded_copy(claim.printed, policy)
    whole = {stem: table for stem, table in places.items() if _is_whole(table)}
    made = _Tables(whole, {name: each for name, each in known.items() if name not in moving})
    for _, claim in claims:
        made = _with_derived(made, claim)
    return made


def _with_derived(tables: _Tables, claim: Claim) -> _Tables:
    """The tables with one that is not printed, but given by the first formula of its entries."""
    left = _indexed(str(claim.lhs)) if claim.lhs.is_Symbol else None
    if left is None or left.stem in tables.places or not claim.forms or not _is_general(left):
        return tables
    try:
        ranges = [tables.range_of(letter, claim.forms[0]) for letter in left.letters]
        if math.prod(map(len, ranges)) > MOST_ENTRIES:
            return tables
        found = {}
        for place in product(*ranges):
            letters = dict(zip(left.letters, place, strict=True))
            found[place] = _value(claim.forms[0], letters, tables)
    except (_Unknown, *FAILURES):
        return tables
    names = {left.name(place): known for place, known in found.items()}
    return _Tables(
        {**tables.places, left.stem: dict.fromkeys(found, NOWHERE)}, {**names, **tables.known}
    )


def _is_general(left: _Indexed) -> bool:
    """Whether a name has nothing but different letters for indices."""
    plain = all(part.letter and not part.shift for part in left.parts)
    return plain and len(set(left.letters)) == len(left.parts)


def _value(form: sympy.Expr, letters: Mapping[str, int], tables: _Tables) -> Known:
    """What a formula gives for some letters, and how far rounding may take it."""
    made = _grounded(form, letters, tables)
    if len(made.free_symbols) > MOST_TERMS:
        raise _Unknown
    known = {symbol.name: tables.known[symbol.name] for symbol in made.free_symbols}
    value = value_of(made, {name: each.value for name, each in known.items()})
    return Known(value, reach(made, known))


def _is_entry(items: Sequence[Item], number: int) -> bool:
    """Whether a claim is one entry of a table, which stand at one place together."""
    item = items[number]
    beside = [items[k] for k in (number - 1, number + 1) if 0 <= k < len(items)]
    together = any(other.where == item.where for other in beside)
    return isinstance(item, Claim) and not item.forms and together


def _is_whole(table: Mapping[Place, int]) -> bool:
    """Whether a table has all entries between its first and its last."""
    if len({len(place) for place in table}) != 1:
        return False
    sides = [sorted(set(side)) for side in zip(*table, strict=True)]
    return all(place in table for place in product(*sides))


def wrong_entries(items: Sequence[Item], policy: Policy) -> dict[int, str]:
    """What is wrong with the formulas of tables and with entries of these, by places of items."""
    tables = _tables(items, policy)
    found = dict(_out_of_range(items, tables))
    left = MOST_ENTRIES
    claims = {k: item for k, item in enumerate(items) if isinstance(item, Claim)}
    for number, item in claims.items():
        if number in found or not item.lhs.is_Symbol:
            continue
        for form in item.forms:
            if left > 0 and (form.free_symbols or _is_of_all(item)):
                results = list(_results(item, number, form, tables, policy))
                left -= len(results)
                few = bool(form.free_symbols) or _are_alike(results)
                faults = dict(_faults(number, results)) if few else {}
                found.update(faults)
                tables = tables.without(str(claims[k].lhs) for k in faults if k != number)
    return found


def _is_of_all(claim: Claim) -> bool:
    """Whether a claim is one of all entries of a table."""
    left = _indexed(str(claim.lhs))
    return left is not None and _is_general(left)


def _are_alike(results: Sequence[_Result]) -> bool:
    """Whether a table is, but for a slip, what a formula without names says of all its entries.

    Else it may have got other values since.
    """
    return sum(not result.agrees for result in results) <= FEW * len(results)


@dataclass(frozen=True)
class _Result:
    """What a formula gives for one entry: the place of that, whether it agrees, and the words."""

    number: int
    agrees: bool
    words: str


def _faults(number: int, results: Sequence[_Result]) -> Iterator[tuple[int, str]]:
    """The formula is wrong if most of its entries are; else the entries are."""
    wrong = [result for result in results if not result.agrees]
    if 2 * len(wrong) > len(results):
        yield number, f"with it, {wrong[0].words}"
    else:
        for result in wrong:
            yield result.number, f"by its formula, {result.words}"


def _results(
    claim: Claim, number: int, form: sympy.Expr, tables: _Tables, policy: Policy
) -> Iterator[_Result]:
    left = _indexed(str(claim.lhs))
    if left is not None and _is_general(left):
        for place, entry in tables.places.get(left.stem, {}).items():
            print_ = tables.known.get(left.name(place))
            if print_ is not None and entry != NOWHERE:
                letters = dict(zip(left.letters, place, strict=True))
                yield from _result(entry, left.name(place), print_, form, letters, tables, policy)
    elif claim.printed is not None and _is_of_tables(form, tables):
        print_ = rounded_copy(claim.printed, policy)
        yield from _result(number, str(claim.lhs), print_, form, {}, tables, policy)


def _is_of_tables(form: sympy.Expr, tables: _Tables) -> bool:
    """Whether all names of a formula are those of entries."""
    found = [_indexed(symbol.name) for symbol in form.free_symbols]
    return all(
        indexed is not None and indexed.stem in tables.places and not indexed.letters
        for indexed in found
    )


def _result(
    number: int, name: str, print_: Known, form: sympy.Expr, letters: Mapping[str, int],
    tables: _Tables, policy: Policy,
) -> Iterator[_Result]:  # fmt: skip
    try:
        found = _value(form, letters, tables)
    except (_Unknown, *FAILURES):
        return
    last = coarsest_exponent(policy, found.value, decimal_text(print_.value))
    unit = 2 * print_.half_unit or Fraction(10) ** last
    # Which way a tie went, and what is lost in twelve digits, is not judged here.
    near = found.half_unit + unit * Fraction(1001, 2000) + abs(found.value) * NOISE
    agrees = abs(found.value - print_.value) <= near
    yield _Result(number, agrees, f"{name} would be {about(found.value)}")


def _grounded(form: sympy.Expr, letters: Mapping[str, int], tables: _Tables) -> sympy.Expr:
    """A formula with numbers for its letters, and its sums written out. Raises _Unknown."""
    if form.is_Symbol:
        return _of_name(form.name, letters, tables)
    if isinstance(form, AppliedUndef):
        match = _SUM.fullmatch(str(form.func))
        if match is None or len(form.args) != 1:
            raise _Unknown
        runs = match["letters"].split(",")
        ranges = [tables.range_of(letter, form.args[0]) for letter in runs]
        return sympy.Add(
            *[
                _grounded(form.args[0], {**letters, **dict(zip(runs, each, strict=True))}, tables)
                for each in product(*ranges)
            ]
        )
    if not form.args:
        return form
    arguments = [_grounded(argument, letters, tables) for argument in form.args]
    if form.func in _LAZY:
        return form.func(*arguments, evaluate=False)
    return form.func(*arguments)


def _of_name(name: str, letters: Mapping[str, int], tables: _Tables) -> sympy.Expr:
    indexed = _indexed(name)
    if indexed is not None and indexed.letters:
        place = indexed.at(letters)
        if indexed.stem == ("delta", "") and len(place) == 2 and indexed.stem not in tables.places:
            return sympy.Integer(place[0] == place[1])  # Kronecker's
        return sympy.Symbol(tables.name(indexed, place), real=True)
    if name not in tables.known:
        raise _Unknown
    return sympy.Symbol(name, real=True)


def _out_of_range(items: Sequence[Item], tables: _Tables) -> Iterator[tuple[int, str]]:
    """Claims with an entry that its table does not have.

    Only a table that the document writes with letters for indices is taken for all there is of a
    name, and only one such entry for a slip: many are entries of something else.
    """
    beyond: dict[tuple[str, str], dict[Place, list[int]]] = {}
    general = _general(items)
    for number, item in enumerate(items):
        for indexed in _names(item):
            table = tables.places.get(indexed.stem)
            if not indexed.letters and table and _is_beyond(indexed.at({}), table):
                places = beyond.setdefault(indexed.stem, {})
                places.setdefault(indexed.at({}), []).append(number)
    for stem, places in beyond.items():
        if stem in general and len(places) == 1:
            ((place, numbers),) = places.items()
            name = f"{stem[0]}_{','.join(map(str, place))}{stem[1]}"
            yield from ((n, f"there is no {name} in the table {''.join(stem)}") for n in numbers)


def _general(items: Sequence[Item]) -> set[Stem]:
    """The names that have letters for indices somewhere."""
    names = {name for item in items if isinstance(item, Claim) for name in item.names}
    entries = [entry for name in names for entry in entries_in(entry_of(name))]
    return {entry.stem for entry in entries if not entry.is_explicit}


def _is_beyond(place: Place, table: Mapping[Place, int]) -> bool:
    return place not in table and len(place) == len(next(iter(table)))


def _names(item: Item) -> Iterator[_Indexed]:
    """The names with indices in the formulas of an item that is no entry of a table."""
    if not isinstance(item, Claim) or not item.forms:
        return
    for side in (item.lhs, *item.forms):
        for symbol in sorted(side.free_symbols, key=str):
            indexed = _indexed(symbol.name)
            if indexed is not None:
                yield indexed
