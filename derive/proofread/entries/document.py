"""What a document says of entries: its tables, what defines them, and what it states of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import sympy

from derive.proofread.align import beside_dots
from derive.proofread.claim import Claim
from derive.proofread.entries.compiled import (
    Compiled,
    Letters,
    Source,
    Unknown,
    compiled,
    entries_in,
    letters_of,
    run_over,
)
from derive.proofread.entries.places import Entry, Index, Key, Slope, Stem, entry_of
from derive.proofread.entries.whole import of_entries
from derive.proofread.entries.world import Definition, Shape
from derive.proofread.formula import exact_number
from derive.proofread.values import exact_value

FARTHEST = 10**150  # beyond it a print is not worked with in doubles


@dataclass(frozen=True)
class Print:
    """A printed entry: the number of its claim, and its text."""

    number: int
    key: Key
    text: str


@dataclass(frozen=True)
class Statement:
    """A claim with its sides computed, and the letters that are free in it."""

    number: int
    sides: tuple[Compiled, ...]
    letters: tuple[str, ...]
    runs: tuple[Sequence[int], ...]


@dataclass
class Document:
    """The tables of a document, what its letters run over, and what it defines."""

    claims: Mapping[int, Claim]
    prints: Sequence[Print]
    beside: Sequence[Print]  # what sums that are not written out have for entries
    shapes: dict[Stem, Shape]
    declared: Mapping[str, range]
    mentioned: frozenset[Stem]
    primed: frozenset[str]  # letters that have a prime where it can be that of nothing else
    labels: frozenset[str]  # letters behind a name that stand for no place, as in `z_o`
    definitions: dict[Stem, Definition] = field(default_factory=dict)
    starts: dict[Stem, Definition] = field(default_factory=dict)  # of recurrences
    statements: list[Statement] = field(default_factory=list)

    def knows(self, stem: Stem) -> bool:
        """Whether there are entries of a name, or it is a number that is printed or defined."""
        return stem in self.shapes or stem in self.mentioned

    def named(self, name: str) -> Entry | Slope:
        r"""A name by its indices; a prime behind `y_{n'}` is that of the letter.

        Unless the text says what `y'_{n}` is: the two are spelled alike.
        """
        found = entry_of(name, self.labels)
        if isinstance(found, Slope):
            return Slope(self._primed(found.of), self._primed(found.by))
        return self._primed(found)

    def _primed(self, entry: Entry) -> Entry:
        stem, marks = entry.stem
        last = entry.indices[-1] if entry.indices else Index()
        if set(marks) != {"'"} or not last.letters:
            return entry
        letter, factor = last.letters[-1]
        if self.knows(entry.stem):
            if letter + marks in self.primed:
                raise Unknown
            return entry
        primed = replace(last, letters=(*last.letters[:-1], (letter + marks, factor)))
        return Entry((stem, ""), (*entry.indices[:-1], primed))

    def run(self, letter: str, entries: Sequence[Entry]) -> Sequence[int]:
        """What a letter runs over: the side of the table at which it stands, or as declared."""
        found = {
            self.shapes[entry.stem][k]
            for entry in entries
            if entry.stem in self.shapes and len(self.shapes[entry.stem]) == len(entry.indices)
            for k, index in enumerate(entry.indices)
            if index.letter == letter
        }
        plain = letter.rstrip("'")
        if len(found) == 1:
            return next(iter(found))
        if not found and plain in self.declared:
            return self.declared[plain]
        raise Unknown


def document_of(claims: Mapping[int, Claim], declared: Mapping[str, range]) -> Document | None:
    """What claims say of entries; None if there is no table."""
    labels = _labels(claims).difference(declared)
    prints = tuple(_prints(claims, labels))
    shapes = _shapes(prints)
    if not shapes:
        return None
    lefts = frozenset(
        entry.stem for claim in claims.values()
        if claim.lhs.is_Symbol and isinstance(entry := entry_of(str(claim.lhs), labels), Entry)
    )  # fmt: skip
    names = {name for claim in claims.values() for name in claim.names}
    primed = frozenset(
        letter for name in names for letter in letters_of(entry_of(name)) if letter.endswith("'")
    )
    every = _all_prints(claims, labels)
    moving = {each.key[0] for each in every} - {each.key[0] for each in prints}
    beside = tuple(each for each in _beside(claims, labels) if each.key[0] not in moving)
    document = Document(claims, prints, beside, shapes, declared, lefts, primed, labels)
    document.definitions.update(_definitions(claims, document))
    document.starts.update(_starts(claims, document))
    document.statements += _statements(claims, document)
    return document


def is_formula(form: sympy.Expr) -> bool:
    """Whether a side is written in names; the number pi is none."""
    return any(str(symbol) != "pi" for symbol in form.free_symbols)


def _labels(claims: Mapping[int, Claim]) -> frozenset[str]:
    """The letters behind a name of which one number is printed, so that they run over nothing.

    A zero may be meant for all places; and what a sum runs over is a place.
    """
    found: set[str] = set()
    running: set[str] = set()
    for claim in claims.values():
        running |= {letter for form in claim.forms for letter in run_over(form)}
        printed = claim.printed is not None and exact_value(claim.printed) != 0
        entry = entry_of(str(claim.lhs)) if claim.lhs.is_Symbol and printed else None
        if isinstance(entry, Entry):
            found |= {index.letter for index in entry.indices if index.letter}
    return frozenset(found - running)


def _prints(claims: Mapping[int, Claim], labels: frozenset[str]) -> Iterator[Print]:
    """The printed entries; where a name has several values, its prints say nothing."""
    found = list(_all_prints(claims, labels))
    texts: dict[Key, set[str]] = {}
    for each in found:
        texts.setdefault(each.key, set()).add(each.text)
    several = [key for key, each in texts.items() if len(set(map(exact_value, each))) > 1]
    moving = {stem for stem, _ in several} if len(several) > 1 else set()
    return (each for each in found if each.key[0] not in moving)


def _all_prints(claims: Mapping[int, Claim], labels: frozenset[str]) -> Iterator[Print]:
    for number, claim in claims.items():
        if claim.lhs.is_Symbol and claim.printed is not None:
            yield from _print(number, entry_of(str(claim.lhs), labels), claim.printed)


def _beside(claims: Mapping[int, Claim], labels: frozenset[str]) -> Iterator[Print]:
    """The numbers that stand for entries in sums that are not written out."""
    for number, claim in claims.items():
        for name, written in beside_dots(claim.sides):
            yield from _print(number, entry_of(name, labels), written.text)


def _print(number: int, entry: Entry | Slope, text: str) -> Iterator[Print]:
    """A print of an entry; nothing where a name is none."""
    if not isinstance(entry, Entry) or abs(exact_value(text)) > FARTHEST:
        return
    if entry.is_explicit and min(entry.place(), default=0) >= 0:
        yield Print(number, (entry.stem, entry.place()), text)


def _shapes(prints: Sequence[Print]) -> dict[Stem, Shape]:
    """The shapes of tables that are printed as a whole."""
    places: dict[Stem, set[tuple[int, ...]]] = {}
    for each in prints:
        places.setdefault(each.key[0], set()).add(each.key[1])
    shapes: dict[Stem, Shape] = {}
    for stem, found in places.items():
        if len({len(place) for place in found}) == 1:
            sides = [sorted(set(side)) for side in zip(*found, strict=True)]
            shape = tuple(range(side[0], side[-1] + 1) for side in sides)
            if all(place in found for place in product(*shape)):
                shapes[stem] = shape
    return shapes


def _definitions(claims: Mapping[int, Claim], document: Document) -> dict[Stem, Definition]:
    """The formulas for all entries of a name: the first, or the last side of a derivative."""
    found: dict[Stem, Definition] = {}
    for number, claim in claims.items():
        left = entry_of(str(claim.lhs), document.labels) if claim.lhs.is_Symbol else None
        if not isinstance(left, Entry) or left.stem in found or not left.is_general:
            continue
        forms = [form for form in claim.forms if is_formula(form)]
        if not forms:
            continue
        try:
            formula = compiled(forms[-1] if "∂" in left.stem[0] else forms[0], document)
            if _has_whole_tables(formula, document):
                continue
            if left.stem not in document.shapes:
                names = [each for name in formula.names for each in entries_in(name)]
                shape = [document.run(index.letter, [*names]) for index in left.indices]
                document.shapes[left.stem] = tuple(range(run[0], run[-1] + 1) for run in shape)
        except Unknown:
            continue
        if formula.free <= {index.letter for index in left.indices}:
            found[left.stem] = Definition(left, formula, number)
    return found


def _has_whole_tables(formula: Compiled, document: Document) -> bool:
    """Whether a formula is one for tables and not for their entries."""
    return any(
        isinstance(name, Entry) and not name.indices and document.shapes.get(name.stem)
        for name in formula.names
    )


def _starts(claims: Mapping[int, Claim], document: Document) -> Iterator[tuple[Stem, Definition]]:
    """The formulas for entries outside of tables; one that is not understood says nothing."""
    for number, claim in claims.items():
        left = entry_of(str(claim.lhs), document.labels) if claim.lhs.is_Symbol else None
        if not isinstance(left, Entry) or left.stem not in document.shapes:
            continue
        shape = document.shapes[left.stem]
        outside = [
            not index.letters and not index.entry and index.number not in run
            for index, run in zip(left.indices, shape, strict=False)
        ]
        if any(outside):
            forms = claim.forms or (exact_number(claim.printed or "0"),)
            try:
                formula = compiled(forms[-1], document)
            except Unknown:
                formula = Compiled(_unknown, frozenset(), frozenset())
            yield left.stem, Definition(left, formula, number)


def _unknown(_letters: Letters, _source: Source) -> complex:
    raise Unknown


def _statements(claims: Mapping[int, Claim], document: Document) -> Iterator[Statement]:
    for number, claim in claims.items():
        said = [(form, tex) for form, tex in claim.sides if is_formula(form)]
        said.insert(0, (claim.lhs, claim.lhs_tex))
        try:
            whole = of_entries(said, document.shapes, document.named)
            forms = whole or [form for form, _ in said]
            sides = tuple(compiled(side, document) for side in forms)
            letters = tuple(sorted({letter for side in sides for letter in side.free}))
            names = [e for side in sides for name in side.names for e in entries_in(name)]
            runs = tuple(document.run(letter, names) for letter in letters)
        except Unknown:
            continue
        if len(sides) > 1:
            yield Statement(number, sides, letters, runs)
