"""A document as entries: what is given, what formulas define, and what follows from these.

Derivatives are found without a rule of differentiation: an operand of one formula is moved, and
what comes of that is passed on from formula to formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from derive.proofread.behind import above, below, is_derivative
from derive.proofread.entries.compiled import Compiled, Letters, Unknown
from derive.proofread.entries.moved import STEP
from derive.proofread.entries.places import Entry, Index, Key, Place, Stem

DEEPEST = 50  # formulas within formulas
MOST_READS = 400  # of one entry, that are moved one after the other
Shape = tuple[range, ...]


@dataclass(frozen=True)
class Definition:
    """A formula for all entries of a name, and the number of the claim that states it."""

    left: Entry
    formula: Compiled
    number: int

    def letters(self, place: Place) -> Letters:
        """The letters of one entry. Raises Unknown where it says nothing of that."""
        if len(place) != len(self.left.indices):
            raise Unknown
        pairs = list(zip(self.left.indices, place, strict=True))
        if any(not index.letter and index != Index(number) for index, number in pairs):
            raise Unknown
        return {index.letter: number for index, number in pairs if index.letter}


@dataclass
class World:
    """Values for what is given, and what follows from them. Raises Unknown, ArithmeticError.

    `starts` are formulas for entries outside of tables, with which recurrences begin. With
    `differentiate`, gradients come from the formulas of what they are gradients of, else from
    formulas for themselves. What stands between, as m in ∂E/∂m·∂m/∂x, has the derivative of all
    that leads to it, or if `directly` is said that of its own formula: documents mean either.
    """

    definitions: Mapping[Stem, Definition]
    shapes: Mapping[Stem, Shape]
    given: Mapping[Key, complex]
    starts: Mapping[Stem, Definition] = field(default_factory=dict)
    differentiate: bool = False
    directly: bool = False
    beyond: bool = False  # whether an entry outside the range of its table was read
    values: dict[Key, complex] = field(default_factory=dict)
    _depth: int = 0
    _reads: list[dict[Key, None]] = field(default_factory=list)
    _moved: Mapping[Key, complex] = field(default_factory=dict)
    _gradients: dict[Key, dict[Key, float]] = field(default_factory=dict)

    def value(self, key: Key) -> complex:
        """The value of an entry."""
        if self._reads:
            self._reads[-1][key] = None
        if key in self._moved:
            return self._moved[key]
        if key[0] in self.starts and not _is_inside(key[1], self.shapes[key[0]]):
            return self._run(self.starts[key[0]], key[1])
        if key not in self.values:
            self.values[key] = self._found(key)
        return self.values[key]

    def _found(self, key: Key) -> complex:
        if key in self.given:
            return self.given[key]
        stem, place = key
        shape = self.shapes.get(stem)
        if shape is not None and not _is_inside(place, shape):
            if len(place) != len(shape):
                raise Unknown
            self.beyond = True
            return 0.0
        if self.differentiate and is_derivative(stem[0]):
            return self._total(key)
        if stem not in self.definitions:
            raise Unknown
        return self._computed(key)

    def _computed(self, key: Key) -> complex:
        reads, moved = self._reads, self._moved
        self._reads, self._moved = [], {}
        try:
            return self._run(self.definitions[key[0]], key[1])
        finally:
            self._reads, self._moved = reads, moved

    def _run(self, definition: Definition, place: Place) -> complex:
        """What a formula gives for an entry; what goes in circles gives nothing."""
        if self._depth > DEEPEST:
            raise Unknown
        self._depth += 1
        try:
            return definition.formula.run(definition.letters(place), self)
        except RecursionError:
            raise Unknown from None
        finally:
            self._depth -= 1

    # --- derivatives ---------------------------------------------------------------------------

    def slope(self, of: Key, by: Key) -> float:
        """The derivative of an entry by another, as far as its own formula goes."""
        definition = self.definitions.get(of[0])
        if definition is None:
            raise Unknown
        for key in (of, by):
            shape = self.shapes.get(key[0])
            if shape is None or len(shape) != len(key[1]):
                raise Unknown
            if not _is_inside(key[1], shape):
                self.beyond = True
                return 0.0
        if not self._is_read(of, by):
            raise Unknown
        return self._local(of, by) if by in self._operands(of) else 0.0

    def _is_read(self, of: Key, by: Key) -> bool:
        """Whether the formula of an entry reads the table of another."""
        names = self.definitions[of[0]].formula.names
        return any(isinstance(name, Entry) and name.stem == by[0] for name in names)

    def _is_between(self, stem: Stem) -> bool:
        """Whether the document has a derivative by this."""
        return any(is_derivative(each[0]) and below(each[0]) == stem[0] for each in self.shapes)

    def _operands(self, key: Key) -> Sequence[Key]:
        """The entries that the formula of an entry reads."""
        definition = self.definitions[key[0]]
        moved, self._moved = self._moved, {}
        self._reads.append({})
        try:
            definition.formula.run(definition.letters(key[1]), self)
            return list(self._reads[-1])
        finally:
            self._reads.pop()
            self._moved = moved

    def _local(self, of: Key, by: Key) -> float:
        definition = self.definitions[of[0]]
        outer, reads = self._moved, self._reads
        moved = {by: complex(self.value(by).real, STEP)}
        self._moved, self._reads = moved, []
        try:
            return definition.formula.run(definition.letters(of[1]), self).imag / STEP
        finally:
            self._moved, self._reads = outer, reads

    def _total(self, key: Key) -> float:
        (name, marks), place = key
        top: Key = ((above(name), ""), ())
        by: Key = ((below(name), marks), place)
        if by[0] not in self.shapes or top[0] not in self.definitions:
            raise Unknown
        if self.directly and self._is_between(top[0]) and self._is_read(top, by):
            return self.slope(top, by)
        found = self._gradient(top)
        if not any(stem == by[0] for stem, _ in found):
            raise Unknown  # how it acts on that is not told
        return found.get(by, 0.0)

    def _gradient(self, top: Key) -> dict[Key, float]:
        """The derivatives of an entry by all that it is made of."""
        if top not in self._gradients:
            outer, reads = self._moved, self._reads
            self._moved, self._reads = {}, []
            self._gradients[top] = self._passed_down(top)
            self._moved, self._reads = outer, reads
        return self._gradients[top]

    def _passed_down(self, top: Key) -> dict[Key, float]:
        order: list[Key] = []
        reads: dict[Key, Sequence[Key]] = {}
        self._visit(top, order, reads)
        found = dict.fromkeys(order, 0.0) | {top: 1.0}
        for key in reversed(order):
            arrived = found[key]
            if arrived and len(reads[key]) > MOST_READS:
                raise Unknown
            for operand in reads[key] if arrived else ():
                if operand[0] in self.shapes and _is_inside(operand[1], self.shapes[operand[0]]):
                    found[operand] += arrived * self._local(key, operand)
        return found

    def _visit(self, key: Key, order: list[Key], reads: dict[Key, Sequence[Key]]) -> None:
        """The entries that one is made of, each after its operands."""
        stack: list[tuple[Key, bool]] = [(key, False)]
        while stack:
            here, done = stack.pop()
            if done:
                order.append(here)
            elif here not in reads:
                is_made = here[0] in self.definitions and here not in self.given
                inside = is_made and _is_inside(here[1], self.shapes.get(here[0], ()))
                reads[here] = self._operands(here) if inside else ()
                stack.append((here, True))
                stack += [(each, False) for each in reads[here] if each not in reads]


def _is_inside(place: Place, shape: Shape) -> bool:
    return len(place) == len(shape) and all(k in run for k, run in zip(place, shape, strict=True))


def places(shape: Shape) -> list[Place]:
    """All places of a shape."""
    return list(product(*shape))
