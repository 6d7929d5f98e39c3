"""What does not fit in what a whole document says of its entries, and what of it is to blame.

Printed entries are held against what follows from the given ones; formulas are compared where the
given numbers are moved a little, so that nothing is equal by chance. Only where nearly all of a
document fits is the rest taken for errors.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from derive.proofread.claim import Claim, Item
from derive.proofread.entries.compiled import Compiled, Unknown, compiled, entries_in
from derive.proofread.entries.places import Entry, Key, Slope, Stem, entry_of
from derive.proofread.entries.world import Definition, Shape, World
from derive.proofread.policy import Policy, last_exponent
from derive.proofread.values import exact_value

SEEDS = 2
MOST_PLACES = 16  # of a formula that are tried
MOST_ITEMS = 3_000  # of a document that is held together
FITS = 0.9  # of the prints and of the formulas, before others are errors
LEAST = 4  # prints that fit
SAME = 1e-6
NEAR = 1e-9
FAILURES = (Unknown, ArithmeticError, ValueError)


@dataclass(frozen=True)
class _Print:
    """A printed entry: the number of its claim, and its text."""

    number: int
    key: Key
    text: str


@dataclass(frozen=True)
class _Statement:
    """A claim with its sides computed, and the letters that are free in it."""

    number: int
    sides: tuple[Compiled, ...]
    letters: tuple[str, ...]
    runs: tuple[Sequence[int], ...]


@dataclass
class _Document:
    """The tables of a document, what its letters run over, and what it defines."""

    shapes: dict[Stem, Shape]
    declared: Mapping[str, range]
    mentioned: frozenset[Stem]

    def knows(self, stem: Stem) -> bool:
        """Whether there are entries of a name, or it is a number that is printed or defined."""
        return stem in self.shapes or stem in self.mentioned

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


def inconsistencies(
    items: Sequence[Item], policy: Policy, declared: Mapping[str, range]
) -> dict[int, str]:
    """What is wrong with claims, by their numbers, seen from the rest of the document."""
    claims = {k: item for k, item in enumerate(items) if isinstance(item, Claim)}
    prints = list(_prints(claims))
    shapes = _shapes(prints)
    if not shapes or len(items) > MOST_ITEMS:
        return {}
    lefts = frozenset(
        entry.stem for claim in claims.values()
        if claim.lhs.is_Symbol and isinstance(entry := entry_of(str(claim.lhs)), Entry)
    )  # fmt: skip
    document = _Document(shapes, declared, lefts)
    definitions = _definitions(claims, document)
    statements = list(_statements(claims, document))
    return _Trial(claims, document, definitions, statements, prints, policy).faults()


def _prints(claims: Mapping[int, Claim]) -> Iterator[_Print]:
    """The printed entries; where a name has several values, its prints say nothing."""
    found: list[_Print] = []
    texts: dict[Key, set[str]] = {}
    for number, claim in claims.items():
        if not claim.lhs.is_Symbol or claim.printed is None:
            continue
        entry = entry_of(str(claim.lhs))
        if isinstance(entry, Entry) and entry.is_explicit:
            key = entry.stem, entry.place()
            found.append(_Print(number, key, claim.printed))
            texts.setdefault(key, set()).add(claim.printed)
    several = [key for key, each in texts.items() if len(set(map(exact_value, each))) > 1]
    moving = {stem for stem, _ in several} if len(several) > 1 else set()
    return (each for each in found if each.key[0] not in moving)


def _shapes(prints: Sequence[_Print]) -> dict[Stem, Shape]:
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


def _definitions(claims: Mapping[int, Claim], document: _Document) -> dict[Stem, Definition]:
    """The formulas for all entries of a name: the first, or the last side of a derivative."""
    found: dict[Stem, Definition] = {}
    for number, claim in claims.items():
        left = entry_of(str(claim.lhs)) if claim.lhs.is_Symbol else None
        if not isinstance(left, Entry) or left.stem in found or not left.is_general:
            continue
        forms = [form for form in claim.forms if form.free_symbols]
        if not forms:
            continue
        try:
            formula = compiled(forms[-1] if "∂" in left.stem[0] else forms[0], document)
            if left.stem not in document.shapes:
                names = [each for name in formula.names for each in entries_in(name)]
                shape = [document.run(index.letter, [*names]) for index in left.indices]
                document.shapes[left.stem] = tuple(range(run[0], run[-1] + 1) for run in shape)
        except Unknown:
            continue
        if formula.free <= {index.letter for index in left.indices}:
            found[left.stem] = Definition(left, formula, number)
    return found


def _statements(claims: Mapping[int, Claim], document: _Document) -> Iterator[_Statement]:
    for number, claim in claims.items():
        forms = [form for form in claim.forms if form.free_symbols]
        try:
            sides = tuple(compiled(side, document) for side in (claim.lhs, *forms))
            letters = tuple(sorted({letter for side in sides for letter in side.free}))
            names = [e for side in sides for name in side.names for e in entries_in(name)]
            runs = tuple(document.run(letter, names) for letter in letters)
        except Unknown:
            continue
        if forms:
            yield _Statement(number, sides, letters, runs)


@dataclass
class _Trial:
    """A document on trial."""

    claims: Mapping[int, Claim]
    document: _Document
    definitions: dict[Stem, Definition]
    statements: Sequence[_Statement]
    prints: Sequence[_Print]
    policy: Policy

    def faults(self) -> dict[int, str]:
        """What is wrong, in words, by the numbers of claims."""
        formulas, tried = self._wrong_statements(self.definitions)
        printed = self._given()
        wrong, held = self._wrong_prints(self.definitions, printed)
        if len(formulas) > 1 or len(wrong) > 1:
            blamed = self._definition_to_blame(formulas, wrong, printed)
            if blamed is not None:
                return {blamed: "the rest of the document does not fit to this formula"}
        found = {}
        if len(formulas) <= max(1, (1 - FITS) * tried):
            found = dict.fromkeys(formulas, "its sides are not the same")
        if len(wrong) > 1:
            slip = self._given_to_blame(wrong, printed)
            if slip is not None:
                return {**found, **slip}
        if held >= LEAST and len(wrong) <= max(1, (1 - FITS) * (held + len(wrong))):
            found |= {each.number: words for each, words in wrong.items()}
        return found

    def _given(self) -> dict[Key, float]:
        return {each.key: float(exact_value(each.text)) for each in self.prints}

    # --- formulas ------------------------------------------------------------------------------

    def _wrong_statements(
        self, definitions: Mapping[Stem, Definition], without: Stem | None = None
    ) -> tuple[list[int], int]:
        """The claims whose sides differ, and how many were compared."""
        worlds = [self._moved(definitions, seed) for seed in range(SEEDS)]
        worlds.append(self._moved(definitions, None))  # as given: targets that sum to 1, say
        wrong, tried = [], 0
        for statement in self.statements:
            if without and any(
                _is_gradient(name) for side in statement.sides for name in side.names
            ):
                continue  # it may go through the formula that is left out
            results = [_agrees(statement, world) for world in worlds]
            if None not in results:
                tried += 1
                if not any(results):
                    wrong.append(statement.number)
        return wrong, tried

    def _made(self, definitions: Mapping[Stem, Definition]) -> set[Stem]:
        """The names that have a formula, be it understood or not, but for one that is left out."""
        left_out = self.definitions.keys() - definitions.keys()
        found = set()
        for claim in self.claims.values():
            if claim.lhs.is_Symbol and any(form.free_symbols for form in claim.forms):
                entry = entry_of(str(claim.lhs))
                if isinstance(entry, Entry) and entry.stem not in left_out:
                    found.add(entry.stem)
        return found

    def _moved(self, definitions: Mapping[Stem, Definition], seed: int | None) -> World:
        source = random.Random(seed or 0)
        printed = self._given()
        whole = {
            stem
            for stem in self.document.shapes
            if all("." not in each.text for each in self.prints if each.key[0] == stem)
        }
        made = self._made(definitions)
        given = {}
        for stem, shape in self.document.shapes.items():
            if stem in definitions or stem in made or "∂" in stem[0]:
                continue
            for place in product(*shape):
                value = printed.get((stem, place))
                if value is None or (seed is not None and stem not in whole):
                    near = source.uniform(0.1, 0.9) if value is None else value
                    value = near * source.uniform(0.8, 1.2) + source.uniform(0.01, 0.03)
                given[stem, place] = value
        return World(definitions, self.document.shapes, given, differentiate=True)

    # --- prints --------------------------------------------------------------------------------

    def _wrong_prints(
        self, definitions: Mapping[Stem, Definition], printed: Mapping[Key, float]
    ) -> tuple[dict[_Print, str], int]:
        """The prints that are not what follows from what is given, and how many are."""
        leaves = {key: value for key, value in printed.items() if key[0] not in definitions}
        full = World(definitions, self.document.shapes, leaves)
        wrong, held = {}, 0
        for each in self.prints:
            if each.key[0] not in definitions:
                continue
            try:
                value = full.value(each.key)
            except FAILURES:
                continue
            if self._fits(value, each.text) or self._fits_stepwise(definitions, printed, each):
                held += 1
            else:
                stem, place = each.key
                name = f"{stem[0]}_{','.join(map(str, place))}{stem[1]}" if place else stem[0]
                wrong[each] = f"by its formula, {name} would be {value:.6g}"
        return wrong, held

    def _fits_stepwise(
        self, definitions: Mapping[Stem, Definition], printed: Mapping[Key, float], each: _Print
    ) -> bool:
        others = {key: value for key, value in printed.items() if key != each.key}
        try:
            value = World(definitions, self.document.shapes, others).value(each.key)
        except FAILURES:
            return False
        return self._fits(value, each.text)

    def _fits(self, value: float, text: str) -> bool:
        print_ = exact_value(text)
        unit = 10.0 ** last_exponent(self.policy, print_, text)
        gap = abs(value - float(print_))
        return gap <= unit * 0.5005 + NEAR * abs(value)

    # --- who is to blame -----------------------------------------------------------------------

    def _definition_to_blame(
        self, formulas: Sequence[int], wrong: Mapping[_Print, str], printed: Mapping[Key, float]
    ) -> int | None:
        """The claim of the one definition without which all the rest fits."""
        for stem, definition in self.definitions.items():
            own = [each for each in wrong if each.key[0] == stem]
            all_of = [each for each in self.prints if each.key[0] == stem]
            if 2 * len(own) <= len(all_of) and not formulas:
                continue
            rest = {s: d for s, d in self.definitions.items() if s != stem}
            if self._wrong_prints(rest, printed)[0] or not (own or len(formulas) > 1):
                continue
            left, _ = self._wrong_statements(rest, stem)
            if not [n for n in left if n != definition.number]:
                return definition.number
        return None

    def _given_to_blame(
        self, wrong: Mapping[_Print, str], printed: Mapping[Key, float]
    ) -> dict[int, str] | None:
        """The one given number that is another one but for a slip, with which all fits."""
        leaves = {key: value for key, value in printed.items() if key[0] not in self.definitions}
        common: set[Key] | None = None
        for each in list(wrong)[:6]:
            world = World(self.definitions, self.document.shapes, leaves)
            world.value(each.key)
            reads = {key for key in world.values if key in leaves}
            common = reads if common is None else common & reads
        for given in self.prints:
            for text in _slips(given.text) if given.key in (common or ()) else ():
                changed = {**printed, given.key: float(exact_value(text))}
                if (
                    self._all_fit(list(wrong), changed)
                    and not self._wrong_prints(self.definitions, changed)[0]
                ):
                    return {given.number: f"all that is worked out with it is that of {text}"}
        return None

    def _all_fit(self, prints: Sequence[_Print], given: Mapping[Key, float]) -> bool:
        leaves = {key: value for key, value in given.items() if key[0] not in self.definitions}
        world = World(self.definitions, self.document.shapes, leaves)
        try:
            return all(self._fits(world.value(each.key), each.text) for each in prints)
        except FAILURES:
            return False


def _is_gradient(name: Entry | Slope) -> bool:
    return isinstance(name, Entry) and "∂" in name.stem[0]


def _agrees(statement: _Statement, world: World) -> bool | None:
    """Whether the sides of a claim are the same at all places; None if they cannot be compared.

    Beyond the range of a table documents differ; there nothing is judged unless all differ.
    """
    spots = list(product(*statement.runs))
    if len(spots) > MOST_PLACES:
        spots = random.Random(statement.number).sample(spots, MOST_PLACES)
    inside: list[bool] = []
    outside: list[bool] = []
    for spot in spots:
        letters = dict(zip(statement.letters, spot, strict=True))
        world.beyond = False
        try:
            values = [side.run(letters, world) for side in statement.sides]
        except FAILURES:
            return None
        size = max(map(abs, values))
        same = max(values) - min(values) <= SAME * max(size, 1e-6)
        (outside if world.beyond else inside).append(same)
    return all(inside) and (not outside or any(outside) or not inside)


def _slips(text: str) -> Iterator[str]:
    """A number with the other sign, with another digit, or with its point elsewhere."""
    yield text.removeprefix("-") if text.startswith("-") else f"-{text}"
    for k, character in enumerate(text):
        if character.isdigit():
            yield from (
                f"{text[:k]}{digit}{text[k + 1 :]}" for digit in "0123456789" if digit != character
            )
