"""What does not fit in what a whole document says of its entries, and what of it is to blame.

Printed entries are held against what follows from the given ones; formulas are compared where the
given numbers are moved a little, so that nothing is equal by chance. Only where nearly all of a
document fits is the rest taken for errors.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from derive.proofread.claim import Claim, Item
from derive.proofread.entries.compiled import Unknown
from derive.proofread.entries.document import Document, Print, Statement, document_of, is_formula
from derive.proofread.entries.moved import STEP
from derive.proofread.entries.places import Entry, Key, Slope, Stem, entry_of
from derive.proofread.entries.world import Definition, World
from derive.proofread.policy import Policy, coarsest_exponent, printed_exponent
from derive.proofread.reading import ROUNDED
from derive.proofread.spread import significant
from derive.proofread.values import exact_value

SEEDS = 2
MOST_PLACES = 16  # of a formula that are tried
MOST_ITEMS = 3_000  # of a document that is held together
FITS = 0.9  # of the prints and of the formulas, before others are errors
LEAST = 4  # prints that fit
TAME = (0.05, 2.0)  # between these are the sizes of numbers that are moved
SAME = 1e-6
NOTHING = 1e-9  # so small a difference may be all that is left of larger numbers
NEAR = 1e-9
NOISE = 1e-12  # of the largest number on the way to a value is lost by doubles
NEARLY = 0.02  # so much of a number may be lost by going on with rounded ones,
ON_THE_WAY = 1e-3  # and so much of the largest on the way to it
MOST_ROUNDED = 100  # given numbers that may be rounded, on the way to a value
FAILURES = (Unknown, ArithmeticError, ValueError)


@dataclass(frozen=True)
class Faults:
    """What is wrong, in words, and what was meant by given numbers, by the numbers of claims.

    `instead` has for a print that is wrong the given number that may be the wrong one of the two.
    """

    words: Mapping[int, str] = field(default_factory=dict)
    meant: Mapping[int, str] = field(default_factory=dict)
    instead: Mapping[int, int] = field(default_factory=dict)


def inconsistencies(items: Sequence[Item], policy: Policy, declared: Mapping[str, range]) -> Faults:
    """What is wrong with claims, seen from the rest of the document."""
    claims = {k: item for k, item in enumerate(items) if isinstance(item, Claim)}
    document = document_of(claims, declared) if len(items) <= MOST_ITEMS else None
    return Faults() if document is None else _Trial(document, policy).faults()


@dataclass(frozen=True)
class _Wrong:
    """What a print should be, and in words."""

    value: float
    words: str


@dataclass
class _Trial:
    """A document on trial."""

    document: Document
    policy: Policy

    def faults(self) -> Faults:
        """What is wrong."""
        formulas, tried = self._wrong_statements(self.document.definitions)
        printed = self._given()
        wrong, held, padded = self._wrong_prints(self.document.definitions, printed)
        sure = {each for each in wrong if padded or not self._leaves_a_table(printed, each.key)}
        slip = self._given_to_blame(wrong, printed) if wrong and not formulas else None
        if slip is not None and self._tells(wrong):
            number, text = slip
            return Faults(
                {number: f"all that is worked out with it is that of {text}"}, {number: text}
            )
        if len(formulas) > 1 or len(sure) > 1:
            blamed = self._definition_to_blame(formulas, wrong, printed)
            if blamed is not None:
                return Faults({blamed: "the rest of the document does not fit to this formula"})
        found = {}
        if len(formulas) <= max(1, (1 - FITS) * tried):
            found = dict.fromkeys(formulas, "its sides are not the same")
        if held >= LEAST and len(wrong) <= max(1, (1 - FITS) * (held + len(wrong))):
            found |= {each.number: wrong[each].words for each in wrong if each in sure}
        if slip is None or not found:
            return Faults(found)
        number, text = slip
        given = self.document.claims[number]
        either = f", or {given.lhs_tex} in line {given.where.line} should be {text}"
        told = {place: f"{words}{either}" for place, words in found.items()}
        return Faults(told, instead=dict.fromkeys(found, number))

    def _tells(self, wrong: Mapping[Print, _Wrong]) -> bool:
        """Whether prints are enough to tell what a number that they come from was meant to be.

        One print is if it has many digits and is no slip itself.
        """
        if len(wrong) != 1:
            return bool(wrong)
        ((each, found),) = wrong.items()
        itself = any(self._fits(found.value, text) for text in _slips(each.text))
        return self._digits(each) > ROUNDED and not itself

    def _digits(self, each: Print) -> int:
        """How many digits a print has, with zeros at its end that are not written."""
        value = exact_value(each.text)
        last = 10.0 ** coarsest_exponent(self.policy, value, each.text)
        return max(len(significant(each.text)), len(str(round(abs(float(value)) / last))))

    def _given(self) -> dict[Key, float]:
        return {each.key: float(exact_value(each.text)) for each in self.document.prints}

    # --- formulas ------------------------------------------------------------------------------

    def _wrong_statements(
        self, definitions: Mapping[Stem, Definition], without: Stem | None = None
    ) -> tuple[list[int], int]:
        """The claims whose sides differ, and how many were compared."""
        worlds = [self._moved(definitions, seed) for seed in range(SEEDS)]
        given = self._moved(definitions, None)  # only there, targets sum to 1, say
        direct = self._moved(definitions, None, directly=True)
        wrong, tried = [], 0
        for statement in self.document.statements:
            if without and any(
                _is_gradient(name) for side in statement.sides for name in side.names
            ):
                continue  # it may go through the formula that is left out
            results = [_agrees(statement, world) for world in worlds]
            if None not in results:
                tried += 1
                others = (given, direct)
                if not any(results) and not any(_agrees(statement, each) for each in others):
                    wrong.append(statement.number)
        return wrong, tried

    def _made(self, definitions: Mapping[Stem, Definition]) -> set[Stem]:
        """The names that have a formula, be it understood or not, but for one that is left out.

        What has derivatives has a formula, though it may not be written down again.
        """
        left_out = self.document.definitions.keys() - definitions.keys()
        names = {
            name for each in self.document.statements for side in each.sides for name in side.names
        }
        found = {name.of.stem for name in names if isinstance(name, Slope)} - left_out
        for claim in self.document.claims.values():
            if claim.lhs.is_Symbol and any(map(is_formula, claim.forms)):
                entry = entry_of(str(claim.lhs), self.document.labels)
                if isinstance(entry, Entry) and entry.stem not in left_out:
                    found.add(entry.stem)
        return found

    def _moved(
        self, definitions: Mapping[Stem, Definition], seed: int | None, directly: bool = False
    ) -> World:
        source = random.Random(seed or 0)
        printed = self._given()
        whole = {
            stem
            for stem in self.document.shapes
            if all("." not in each.text for each in self.document.prints if each.key[0] == stem)
        }
        made = self._made(definitions)
        given = {}
        for stem, shape in self.document.shapes.items():
            if stem in definitions or stem in made or "∂" in stem[0]:
                continue
            for place in product(*shape):
                value = printed.get((stem, place))
                if value is None or (seed is not None and stem not in whole):
                    value = _beside(value, source)
                given[stem, place] = value
        return self._world(definitions, given, differentiate=True, directly=directly)

    def _world(
        self,
        definitions: Mapping[Stem, Definition],
        given: Mapping[Key, complex],
        differentiate: bool = False,
        directly: bool = False,
    ) -> World:
        document = self.document
        return World(definitions, document.shapes, given, document.starts, differentiate, directly)

    # --- prints --------------------------------------------------------------------------------

    def _wrong_prints(
        self, definitions: Mapping[Stem, Definition], printed: Mapping[Key, float]
    ) -> tuple[dict[Print, _Wrong], int, bool]:
        """The prints that are not what follows from what is given, and how many are.

        And whether some of these are what comes out of zeros around a table.
        """
        leaves = _leaves(definitions, printed)
        full = self._world(definitions, leaves)
        wrong: dict[Print, _Wrong] = {}
        held, padded = 0, False
        for each in (*self.document.prints, *self.document.beside):
            if each.key[0] not in definitions:
                continue
            full.beyond = False
            try:
                value = full.value(each.key).real
            except FAILURES:
                continue
            if (
                self._fits(value, each.text)
                or self._fits_stepwise(definitions, printed, each)
                or self._fits(value, each.text, self._slack(definitions, leaves, each.key))
            ):
                held += 1
                padded = padded or full.beyond
            else:
                words = f"by its formula, {_name(each.key)} would be {value:.6g}"
                wrong[each] = _Wrong(value, words)
        return wrong, held, padded

    def _leaves_a_table(self, printed: Mapping[Key, float], key: Key) -> bool:
        """Whether a value is made with what would stand around a table."""
        definitions = self.document.definitions
        world = self._world(definitions, _leaves(definitions, printed))
        world.value(key)
        return world.beyond

    def _fits_stepwise(
        self, definitions: Mapping[Stem, Definition], printed: Mapping[Key, float], each: Print
    ) -> bool:
        others = {key: value for key, value in printed.items() if key != each.key}
        try:
            value = self._world(definitions, others).value(each.key).real
        except FAILURES:
            return False
        return self._fits(value, each.text)

    def _slack(
        self, definitions: Mapping[Stem, Definition], leaves: Mapping[Key, float], key: Key
    ) -> float:
        """How far a value may be off because of the given numbers that may be rounded ones."""
        world = self._world(definitions, leaves)
        world.value(key)
        texts = {each.key: each.text for each in self.document.prints if each.key in leaves}
        rounded = [k for k in world.values if len(significant(texts.get(k, ""))) >= ROUNDED]
        slack = NOISE * max(map(abs, world.values.values()), default=0.0)
        if len(rounded) > MOST_ROUNDED:
            return math.inf
        for leaf in rounded:
            moved = self._world(definitions, {**leaves, leaf: complex(leaves[leaf], STEP)})
            try:
                slope = moved.value(key).imag / STEP
            except FAILURES:
                return math.inf
            slack += abs(slope) * 10.0 ** printed_exponent(texts[leaf]) / 2
        return slack

    def _fits(self, value: float, text: str, slack: float = 0.0) -> bool:
        print_ = exact_value(text)
        unit = 10.0 ** coarsest_exponent(self.policy, print_, text)
        gap = abs(value - float(print_))
        if max(abs(value), abs(float(print_))) < NOTHING:
            return True
        return gap <= unit * 0.5005 + NEAR * abs(value) + slack

    # --- who is to blame -----------------------------------------------------------------------

    def _definition_to_blame(
        self, formulas: Sequence[int], wrong: Mapping[Print, _Wrong], printed: Mapping[Key, float]
    ) -> int | None:
        """The claim of the one definition without which all the rest fits."""
        for stem, definition in self.document.definitions.items():
            own = [each for each in wrong if each.key[0] == stem]
            all_of = [each for each in self.document.prints if each.key[0] == stem]
            if 2 * len(own) <= len(all_of) and not formulas:
                continue
            rest = {s: d for s, d in self.document.definitions.items() if s != stem}
            if self._wrong_prints(rest, printed)[0] or not (own or len(formulas) > 1):
                continue
            left, _ = self._wrong_statements(rest, stem)
            if not [n for n in left if n != definition.number]:
                return definition.number
        return None

    def _given_to_blame(
        self, wrong: Mapping[Print, _Wrong], printed: Mapping[Key, float]
    ) -> tuple[int, str] | None:
        """The one given number that is another one but for a slip, with which all fits."""
        leaves = {
            key: value for key, value in printed.items() if key[0] not in self.document.definitions
        }
        common: set[Key] | None = None
        for each in list(wrong)[:6]:
            world = self._world(self.document.definitions, leaves)
            world.value(each.key)
            reads = {key for key in world.values if key in leaves}
            common = reads if common is None else common & reads
        for given in self.document.prints:
            for text in _slips(given.text) if given.key in (common or ()) else ():
                changed = {**printed, given.key: float(exact_value(text))}
                if (
                    self._all_near(list(wrong), changed)
                    and not self._wrong_prints(self.document.definitions, changed)[0]
                ):
                    return given.number, text
        return None

    def _all_near(self, prints: Sequence[Print], given: Mapping[Key, float]) -> bool:
        """Whether prints are nearly what follows from given numbers; rounding is not looked at."""
        leaves = {
            key: value for key, value in given.items() if key[0] not in self.document.definitions
        }
        world = self._world(self.document.definitions, leaves)
        try:
            found = [(world.value(each.key).real, each.text) for each in prints]
        except FAILURES:
            return False
        lost = ON_THE_WAY * max(map(abs, world.values.values()), default=0.0)
        return all(self._fits(value, text, NEARLY * abs(value) + lost) for value, text in found)


def _name(key: Key) -> str:
    stem, place = key
    return f"{stem[0]}_{','.join(map(str, place))}{stem[1]}" if place else "".join(stem)


def _leaves(
    definitions: Mapping[Stem, Definition], printed: Mapping[Key, float]
) -> dict[Key, float]:
    """The printed entries of what no formula defines."""
    return {key: value for key, value in printed.items() if key[0] not in definitions}


def _beside(value: float | None, source: random.Random) -> float:
    """Another number like a given one, neither so large nor so small that digits get lost."""
    near = source.uniform(0.1, 0.9) if value is None else value
    if not TAME[0] <= abs(near) <= TAME[1]:
        near = math.copysign(source.uniform(*TAME), near)
    return near * source.uniform(0.8, 1.2) + source.uniform(0.01, 0.03)


def _is_gradient(name: Entry | Slope) -> bool:
    return isinstance(name, Entry) and "∂" in name.stem[0]


def _agrees(statement: Statement, world: World) -> bool | None:
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
            values = [side.run(letters, world).real for side in statement.sides]
        except FAILURES:
            return None
        size = max(map(abs, values))
        same = max(values) - min(values) <= SAME * size + NOTHING
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
