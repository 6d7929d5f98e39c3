"""What stands behind a document: what its formulas say that each name is, and every derivative.

No rule of differentiation is used. A name is moved a little, and what the formulas then make of
another name tells how fast that moves with it; so a chain rule that somebody wrote is held against
the definitions that it was made from.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import sympy

from derive.proofread.claim import Claim, Item
from derive.proofread.formula import real_symbol
from derive.proofread.values import FAILURES, ValueFailure, unknown_names, value_of

POINTS = 3  # at which formulas are compared, in general position
TRIES = 12
STEP = Fraction(1, 10**14)
SAME = Fraction(1, 10**18)  # what a difference with this step leaves of 45 digits
MOST_NAMES = 5_000
MOST_MOVING = 500  # names between the two of a derivative
NOTHING: frozenset[str] = frozenset()
APPLIED = re.compile(r"(?<![A-Za-z\\_{])[fg]\s*(?:\\left\s*)?\(")  # by a function that is not told


def above(name: str) -> str:
    """What a name is the derivative of: E for ∂E/∂w, and nothing for w."""
    return name.partition("/∂")[0].removeprefix("∂") if "/∂" in name else ""


def below(name: str) -> str:
    """What a derivative is by: w for ∂E/∂w, and nothing for w."""
    return name.rpartition("/∂")[2] if "/∂" in name else ""


def is_derivative(name: str) -> bool:
    """Whether a name is that of a first derivative."""
    return name.startswith("∂") and name.count("∂") == 2 and "/∂" in name


def family(name: str) -> str:
    """What names have in common that differ by their numbers only."""
    return re.sub(r"\d+", "#", name)


def same(left: Fraction, right: Fraction) -> bool:
    """Whether two values are one, but for what a difference leaves."""
    return abs(left - right) <= SAME * max(abs(left), abs(right), SAME)


@dataclass(frozen=True)
class Behind:
    """The formulas of a document by the names that they define.

    A name that none of them knows may be anything, unless they are `closed`: then it has no value.
    """

    definitions: Mapping[str, sympy.Expr]
    closed: bool = False

    @cached_property
    def names(self) -> list[str]:
        """All names, those that are defined first."""
        read = {name for defined in self.definitions for name in self.reads(defined)}
        return list(dict.fromkeys([*self.definitions, *sorted(read)]))

    @cached_property
    def known(self) -> frozenset[str]:
        """All names, to look one up."""
        return frozenset(self.names)

    def reads(self, name: str) -> frozenset[str]:
        """The names that a formula is made of."""
        return self._reads.get(name, NOTHING)

    @cached_property
    def _reads(self) -> Mapping[str, frozenset[str]]:
        return {
            name: frozenset(symbol.name for symbol in formula.free_symbols)
            for name, formula in self.definitions.items()
        }

    @cached_property
    def readers(self) -> Mapping[str, Sequence[str]]:
        """The names whose formulas read a name."""
        found: dict[str, list[str]] = {}
        for name in self.definitions:
            for read in self.reads(name):
                found.setdefault(read, []).append(name)
        return found

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The place of each definition after all that it is made of; a circle has none."""
        left = {name: len(self.reads(name) & self._reads.keys()) for name in self.definitions}
        ready = [name for name, count in left.items() if not count]
        for name in ready:
            for reader in self.readers.get(name, ()):
                left[reader] -= 1
                if not left[reader]:
                    ready.append(reader)
        return {name: place for place, name in enumerate(ready)}

    @cached_property
    def unstated(self) -> Mapping[str, frozenset[str]]:
        """Entries without a formula, with all that the one of their kind, in letters, is made of.

        Kinds are told by what stands before the positions: `b_t,v` is how `b_0,1` is made.
        """
        kinds = {name: defined for name in self.definitions if (defined := _in_letters(name))}
        made: dict[str, frozenset[str]] = {}
        for name, kind in kinds.items():
            made[kind] = made.get(kind, NOTHING) | {_kind(read) for read in self.reads(name)}
        left = [name for name in self.names if name not in self.definitions]
        return {
            name: frozenset(_reached(_kind(name), lambda kind: made.get(kind, ())))
            for name in left
            if _kind(name) in made and not _in_letters(name)
        }

    def made_of(self, name: str) -> set[str]:
        """A name, and all that it is made of."""
        return _reached(name, self.reads)

    def part_of(self, name: str) -> set[str]:
        """A name, and all that is made of it."""
        return _reached(name, lambda here: self.readers.get(here, ()))

    def between(self, by: str, of: str) -> list[str]:
        """What reads a name directly, and has a part in another one."""
        parts = self.made_of(of)
        return [name for name in self.readers.get(by, ()) if name in parts]


def _kind(name: str) -> str:
    """What a name is an entry of."""
    return name.rpartition("_")[0] or name


def _in_letters(name: str) -> str:
    """What is defined for all positions at once; nothing if a name is one entry, or has none."""
    kind, sign, positions = name.rpartition("_")
    return kind if sign and any(part.isalpha() for part in positions.split(",")) else ""


def _reached(name: str, onward: Callable[[str], Iterable[str]]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        for other in onward(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


@dataclass(frozen=True)
class Stated:
    """A network that is known from elsewhere, with the values of what it is given."""

    network: Behind
    values: Mapping[str, Fraction]

    @cached_property
    def point(self) -> Point:
        """All that it comes to; each value is found once."""
        return Point(self.network, given=self.values)

    def spelled(self, names: Iterable[str]) -> Stated:
        """The same under the names of a document that writes w5 for w_5."""
        own, theirs = self.network.known, set(names)
        here: dict[str, list[str]] = {}
        for name in theirs - own:
            here.setdefault(_squeezed(name), []).append(name)
        change = {
            name: written[0]
            for name in own - theirs
            if len(written := here.get(_squeezed(name), [])) == 1
        }
        if len(set(change.values())) < len(change):
            return self  # two names of ours are one of theirs
        symbols = {real_symbol(old): real_symbol(new) for old, new in change.items()}
        definitions = {
            change.get(name, name): formula.xreplace(symbols)
            for name, formula in self.network.definitions.items()
        }
        values = {change.get(name, name): value for name, value in self.values.items()}
        return Stated(Behind(definitions, self.network.closed), values)


def _squeezed(name: str) -> str:
    return name.replace("_", "").replace("(", "").replace(")", "").lower()


def behind(items: Iterable[Item]) -> Behind:
    """What the claims of a document define; a name with two meanings has none."""
    claims = [item for item in items if isinstance(item, Claim)]
    counts = Counter(name for claim in claims for name in _names(claim))
    found: dict[str, sympy.Expr] = {}
    doubtful: set[str] = set()
    read: set[str] = set()
    for claim in claims:
        before = frozenset(read)
        read |= _names(claim)
        name = str(claim.lhs)
        form = _stated(claim, counts) if claim.lhs.is_Symbol and "∂" not in name else None
        if form is None:
            continue
        if form.is_Symbol and name in before:  # `w_1 = w_2` of two weights is a condition
            continue
        if name in found and found[name] != form and not _alike(found[name], form):
            doubtful.add(name)
        found.setdefault(name, form)
    kept = {name: form for name, form in found.items() if name not in doubtful}
    if len(kept) > MOST_NAMES:
        return Behind({})
    order = Behind(kept).order
    return Behind({name: form for name, form in kept.items() if name in order})


def _names(claim: Claim) -> set[str]:
    return {symbol.name for form in claim.forms for symbol in form.free_symbols}


def _stated(claim: Claim, counts: Mapping[str, int]) -> sympy.Expr | None:
    """What a claim says that a name is: the first of its formulas, if the text knows its names.

    Of `E = E_1 + E_2 = ...` that is the second where E_1 stands nowhere else. A bracket behind an f
    is no product, so there is none.
    """
    forms = [form for form in claim.forms if form.free_symbols]
    opaque = any(form.atoms(sympy.core.function.AppliedUndef) for form in forms)
    if not forms or opaque or any(map(APPLIED.search, claim.form_tex)):
        return None
    usual = (f for f in forms if all(counts[symbol.name] > 1 for symbol in f.free_symbols))
    return next(usual, forms[0])


def _alike(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether two formulas say the same of the same names."""
    names = sorted({symbol.name for symbol in left.free_symbols | right.free_symbols})
    source = random.Random(0)
    known = {name: _drawn(source) for name in names}
    try:
        return same(value_of(left, known), value_of(right, known))
    except FAILURES:
        return False


def _drawn(source: random.Random) -> Fraction:
    return Fraction(source.randint(100, 900), 1000)


@dataclass
class Point:
    """Values for all that is not defined, given or in general position, and what follows from them.

    Raises ValueFailure, ZeroDivisionError or OverflowError where something has no value.
    """

    network: Behind
    seed: int = 0
    given: Mapping[str, Fraction] | None = None
    found: dict[str, Fraction] = field(default_factory=dict)

    def value(self, name: str) -> Fraction | None:
        """The value of a name, or of a derivative; None of one that the formulas do not make."""
        if name not in self.found:
            value = self._slope(name) if "∂" in name else self._here(name)
            if value is None:
                return None
            self.found[name] = value
        return self.found[name]

    def _here(self, name: str) -> Fraction | None:
        strange = self.network.closed and name not in self.network.known
        return None if strange else self._valued(name)

    def of(self, expression: sympy.Expr) -> Fraction | None:
        """The value of an expression; None if a name of it has none."""
        known = {}
        for symbol in expression.free_symbols:
            value = self.value(symbol.name)
            if value is None:
                return None
            known[symbol.name] = value
        return None if unknown_names(expression, known) else value_of(expression, known)

    def _slope(self, name: str) -> Fraction | None:
        of, by = above(name), below(name)
        network = self.network
        if not is_derivative(name) or of not in network.definitions:
            return None
        parts = network.made_of(of)
        moving = parts & network.part_of(by)
        if of not in moving or any(
            _kind(by) in made and name in parts and name != by
            for name, made in network.unstated.items()
        ):
            return None
        if len(moving) > MOST_MOVING:
            raise ValueFailure("this goes through too many formulas")
        here = self._valued(by)
        order = sorted(moving - {by}, key=lambda each: network.order[each])
        high, low = (self._moved(order, {by: here + step})[of] for step in (STEP, -STEP))
        return (high - low) / (2 * STEP)

    def _moved(self, order: Sequence[str], made: dict[str, Fraction]) -> dict[str, Fraction]:
        """The values of some names, in their order, where another one is moved."""
        for name in order:
            known = {r: made[r] if r in made else self._valued(r) for r in self.network.reads(name)}
            made[name] = value_of(self.network.definitions[name], known)
        return made

    def local(self, of: str, by: str) -> Fraction:
        """How fast one formula alone moves with a name that it reads."""
        here = self._valued(by)
        high, low = (self._moved([of], {by: here + step})[of] for step in (STEP, -STEP))
        return (high - low) / (2 * STEP)

    def _valued(self, name: str) -> Fraction:
        """The value of a name, after those of all that it is made of."""
        waiting = [name]
        while waiting:
            here = waiting[-1]
            missing = [read for read in self.network.reads(here) if read not in self.found]
            if here in self.found or not missing:
                waiting.pop()
                if here not in self.found:
                    formula = self.network.definitions.get(here)
                    self.found[here] = self._leaf(here) if formula is None else self._worth(here)
            waiting += missing if here not in self.found else []
        return self.found[name]

    def _worth(self, name: str) -> Fraction:
        known = {read: self.found[read] for read in self.network.reads(name)}
        return value_of(self.network.definitions[name], known)

    def _leaf(self, name: str) -> Fraction:
        if self.given is None:
            return _drawn(random.Random(f"{self.seed}/{name}"))
        if name not in self.given:
            raise ValueFailure(f"{name} has no value")
        return self.given[name]


def points(network: Behind) -> Iterator[Point]:
    """Some points in general position."""
    return (Point(network, seed) for seed in range(TRIES))
