"""Why printed numbers are wrong: a search over conventions, tried on all of them at once.

A convention explains a print if it gives the print at all of its digits. Whether that is a finding
depends on how much else was tried: with few digits, or other values all around, one was bound to
fit. Then nothing is said; nor if two that differ explain the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import combinations, zip_longest
from math import comb, inf, log10, prod
from typing import Any

from mpmath import mp

from derive.verify.algebra import working
from derive.verify.prints import digits, places, rounded, unit
from derive.verify.trajectory import Trajectory
from derive.verify.why.answers import COMMON, RANKS, calculated, cost_of, pairs, simple
from derive.verify.why.elsewhere import slips
from derive.verify.why.question import Answer, Convention, Question, read_at
from derive.verify.why.worlds import worlds

CHANCE = 0.01  # what may at most be expected to fit by chance, of numbers of any size
DENSE = 0.02  # the same, of numbers as dense as those near the print, which are few
RARE = 0.1  # how likely two conventions at once are, beside one, where one print is all there is
BUDGET = 100_000  # multiplications that a search may take
MOST_OF_A_TABLE = 4  # wrong entries of one table on which everything is tried
MOST_SAMPLES = 16  # of them in all
NEAREST = 5  # values around a print that show how dense they lie
SAME = mp.mpf(10) ** -25  # of values that are the same calculation; relative
SHOWN = 20  # digits that tell values apart
MOST_WORDS = 3
ALIKE = 0.05  # factors that differ by less are the same
PAIR_EVIDENCE = 5  # digits without which two conventions at once are never a finding


@dataclass(frozen=True)
class Explanation:
    """What explains a print, in words and causes, and which other prints it explains."""

    causes: tuple[str, ...]
    words: str
    value: Any
    tried: int
    others: tuple[Question, ...]


@dataclass(eq=False)
class _Tally:
    """The values tried for one print, and the conventions that give it."""

    question: Question
    values: dict[Convention, list[Any]] = field(default_factory=dict)
    hits: dict[Convention, Any] = field(default_factory=dict)
    singles: set[str] = field(default_factory=set)
    sampled: bool = False  # whether everything is tried on it

    def add(self, convention: Convention, value: Any) -> None:
        right = (self.question.exact, *self.question.values)
        if any(_is_same(value, each) for each in right) or self._is_of_one(convention, value):
            return
        self.values.setdefault(convention, []).append(value)
        if self.question.printed_as(value):
            self.hits.setdefault(convention, value)

    def _is_of_one(self, convention: Convention, value: Any) -> bool:
        """Whether two conventions at once give what one of them gives alone."""
        if convention.rank <= RANKS[-1]:
            self.singles.add(mp.nstr(value, SHOWN))
            return False
        return mp.nstr(value, SHOWN) in self.singles

    def tried(self, rank: float) -> int:
        """How many values that differ at the digits printed were tried up to a rank."""
        last = float(unit(self.question.published.printed))
        kept = [v for c, found in self.values.items() if c.rank <= rank for v in found]
        return len({round(float(v) / last) for v in kept})

    def density(self, rank: float) -> float:
        """How many of the values tried up to a rank are to be expected within one unit of it."""
        printed = self.question.published.printed
        here, last = float(Fraction(printed)), float(unit(printed))
        gaps = [abs(float(self.question.exact) - here)] + [
            min(abs(float(value) - here) for value in found)
            for convention, found in self.values.items()
            if convention.rank <= rank and convention not in self.hits
        ]
        gaps = sorted({max(gap, last) for gap in gaps})
        return max(k * last / (2 * gap) for k, gap in enumerate(gaps[:NEAREST], 1))


def _is_same(one: Any, other: Any) -> bool:
    a, b = (mp.mpf(v.numerator) / v.denominator if isinstance(v, Fraction) else v
            for v in (one, other))  # fmt: skip
    return bool(abs(a - b) <= SAME * max(abs(a), abs(b)))


def search(
    wrong: Sequence[Question], rest: Sequence[Question], trajectory: Trajectory
) -> dict[Question, Explanation]:
    """What explains wrong prints. `rest` are the other prints, which a convention may explain."""
    with working():
        start = partial(_start, trajectory=trajectory)
        work = _Work([_Tally(question) for question in wrong], rest, start)
        for tally in work.open:
            _slips(tally)
        work.ask(simple(trajectory))
        known, cost = [], cost_of(trajectory)
        for rank in RANKS:
            for world in worlds(trajectory, rank, work.may_change):
                if work.ask([calculated(world, cost)]):
                    known.append(world)
        work.decide()
        work.found |= _exchanged([tally.question for tally in work.open])
        work.open = [tally for tally in work.open if tally.question not in work.found]
        if sum(tally.question.evidence for tally in work.open) >= PAIR_EVIDENCE:
            work.ask(pairs(trajectory, known, work.may_change))
            work.decide()
    return work.found


@dataclass(eq=False)
class _Work:
    """A search on its way: the prints that are still open, and what has been found."""

    open: list[_Tally]
    rest: Sequence[Question]
    start: Callable[[Question], float]
    budget: int = BUDGET
    sources: dict[Convention, Answer] = field(default_factory=dict)
    found: dict[Question, Explanation] = field(default_factory=dict)

    def may_change(self, equation: str, anew: bool) -> bool:
        """Whether another equation may change an open print, and there is budget left."""
        questions = [tally.question for tally in self.open]
        return self.budget > 0 and any(q.may_change(equation, anew) for q in questions)

    def ask(self, answers: Iterable[Answer]) -> bool:
        """Try answers on all open prints; whether the budget lasts."""
        first, others = self._samples()
        for answer in answers:
            if self.budget <= 0:
                return False
            self.budget -= answer.cost
            hit = [self._try(answer, tally) for tally in first]
            if any(hit):
                for tally in others:
                    self._try(answer, tally)
        return True

    def _samples(self) -> tuple[list[_Tally], list[_Tally]]:
        """A few prints of each table, those with most digits; and the others."""
        tables: dict[str, list[_Tally]] = {}
        for tally in sorted(self.open, key=lambda each: -each.question.evidence):
            tables.setdefault(tally.question.spot.table, []).append(tally)
        rounds = zip_longest(*(table[:MOST_OF_A_TABLE] for table in tables.values()))
        first = [each for line in rounds for each in line if each is not None][:MOST_SAMPLES]
        for tally in first:
            tally.sampled = True
        return first, [each for each in self.open if not each.sampled]

    def _try(self, answer: Answer, tally: _Tally) -> bool:
        """Whether an answer explains a print, tried on it."""
        hit = False
        for convention, value in answer.offers(tally.question):
            self.sources.setdefault(convention, answer)
            tally.add(convention, value)
            hit = hit or convention in tally.hits
            if tally.question.operands:
                self.budget -= answer.cost // 3
        return hit

    def decide(self) -> None:
        """Settle the prints that something explains, what explains most of them first."""
        while chosen := self._best():
            convention, tallies = chosen
            rivals = self._rivals(convention, tallies)
            if all(_agree(convention, rival, tallies) for rival in rivals):
                self._explain(rivals, tallies)
            self.open = [tally for tally in self.open if tally not in tallies]

    def _best(self) -> tuple[Convention, list[_Tally]] | None:
        options: dict[Convention, list[_Tally]] = {}
        for tally in self.open:
            for convention in tally.hits:
                options.setdefault(convention, []).append(tally)
        accepted = [pair for pair in options.items() if self._is_finding(*pair)]
        return min(accepted, key=lambda pair: (-len(pair[1]), pair[0].rank), default=None)

    def _is_finding(self, convention: Convention, tallies: Sequence[_Tally]) -> bool:
        """Whether so many digits would hardly be met by chance."""
        if convention.whole and len(tallies) < 2:
            return False
        tried = max(tally.tried(convention.rank) for tally in tallies)
        choices = comb(len(self.open), len(tallies))
        groups = self._groups(convention, tallies)
        met = sum(_evidence(convention, group) for group in groups)
        sampled = [[tally for tally in group if tally.sampled] for group in groups]
        dense = prod(
            min(tally.density(convention.rank) for tally in group) / len(_apart(group))
            for group in sampled
            if group
        )
        likely = 1 if convention.rank <= RANKS[-1] or len(tallies) > 1 else RARE
        return tried * choices <= likely * CHANCE * 10**met and dense <= likely * DENSE

    def _groups(self, convention: Convention, tallies: Sequence[_Tally]) -> list[list[_Tally]]:
        """Prints that are off by the same factor together: what explains one explains the others.

        A number after an update is off by a factor of its step. What is likeliest of all is so few
        that each print speaks for itself.
        """
        if convention.rank < COMMON:
            return [[tally] for tally in _apart(tallies)]
        groups: list[tuple[float, list[_Tally]]] = []
        for tally in tallies:
            factor = self._factor(tally.question)
            for other, group in groups:
                if abs(factor - other) <= ALIKE * abs(other):
                    group.append(tally)
                    break
            else:
                groups.append((factor, [tally]))
        return [group for _, group in groups]

    def _factor(self, question: Question) -> float:
        """The factor by which a print is off, or its step."""
        exact, printed = float(question.exact), float(Fraction(question.published.printed))
        start = self.start(question)
        return (printed - start) / (exact - start) if exact != start else inf

    def _rivals(self, convention: Convention, tallies: Sequence[_Tally]) -> list[Convention]:
        """What explains the same prints, the convention among it.

        What is a little less likely counts where it would be a finding as well.
        """
        shared = [c for c in tallies[0].hits if all(c in tally.hits for tally in tallies)]
        alone = len(tallies) < 2
        likely = [c for c in shared if c.rank <= convention.rank and not (alone and c.whole)]
        if convention.rank < COMMON:
            return likely
        others = [c for c in shared if 0 < c.rank - convention.rank <= 1 and c.rank in RANKS]
        return likely + [c for c in others if self._is_finding(c, tallies)]

    def _explain(self, rivals: Sequence[Convention], tallies: Sequence[_Tally]) -> None:
        against = {c: self._contradicted(c) for c in rivals}
        kept = [c for c in rivals if against[c] == min(against.values())]
        words = _told(kept)
        also = [q for q in self.rest if self._explains(kept[0], q)]
        for tally in tallies:
            same = [other.question for other in tallies if other is not tally]
            self.found[tally.question] = Explanation(
                tuple(dict.fromkeys(c.cause for c in kept)),
                words,
                tally.hits[kept[0]],
                tally.tried(kept[0].rank),
                (*same, *also),
            )

    def _offered(self, convention: Convention, question: Question) -> list[Any]:
        """What a convention makes of another print, exactly."""
        if convention not in self.sources:
            return []
        alone = replace(question, operands=())
        offers = self.sources[convention].offers(alone)
        return [value for other, value in offers if other == convention]

    def _contradicted(self, convention: Convention) -> int:
        """How many right prints would be others by a convention."""
        right = [q for q in self.rest if q.printed_as(_number(q.exact))]
        found = [(q, self._offered(convention, q)) for q in right]
        return sum(bool(values) and not any(map(q.printed_as, values)) for q, values in found)

    def _explains(self, convention: Convention, question: Question) -> bool:
        if question.printed_as(_number(question.exact)):
            return False
        return any(map(question.printed_as, self._offered(convention, question)))


def _exchanged(wrong: Sequence[Question]) -> dict[Question, Explanation]:
    """Two wrong entries of a table of which each is printed for the other."""
    found: dict[Question, Explanation] = {}
    pairs = [(a, b) for a, b in combinations(wrong, 2) if a.spot.table == b.spot.table]
    for one, other in pairs:
        met = sum(q.evidence or 1 for q in (one, other))  # a zero is one digit
        crossed = one.reads(other.exact) and other.reads(one.exact) and one.exact != other.exact
        if crossed and len(pairs) <= CHANCE * 10**met:
            for here, there in ((one, other), (other, one)):
                words = f"it is the value of {there.spot.name}, and there stands that of this one"
                value = _number(there.exact)
                told = Explanation(("entries exchanged",), words, value, len(pairs), (there,))
                found[here] = told
    return found


def _start(question: Question, trajectory: Trajectory) -> float:
    """What a number was before an update; of others 0."""
    here = question.spot
    if not here.update or here.of:
        return 0.0
    return float(next(read_at(replace(here, update=here.update - 1), trajectory), 0.0))


def _evidence(convention: Convention, group: Sequence[_Tally]) -> float:
    """How many digits are met where prints are off by the same factor."""
    asked = [tally.question for tally in _apart(group)]
    longest = max(digits(question.published.printed) for question in asked)
    met = sum(question.evidence_of(convention) for question in asked)
    return min(met, longest + log10(len(asked)))


def _apart(group: Sequence[_Tally]) -> list[_Tally]:
    """Some prints, each number once."""
    return list({(t.question.published.printed, t.question.exact): t for t in group}.values())


def _number(value: Fraction) -> Any:
    return mp.mpf(value.numerator) / value.denominator


def _agree(one: Convention, other: Convention, tallies: Sequence[_Tally]) -> bool:
    return all(_is_same(tally.hits[one], tally.hits[other]) for tally in tallies)


def _told(conventions: Sequence[Convention]) -> str:
    """Conventions that give the same number, in words."""
    by_cause = {c.cause: c for c in sorted(conventions, key=lambda c: -c.rank)}
    kept = sorted(by_cause.values(), key=lambda c: c.rank)[:MOST_WORDS]
    first, *others = (c.words for c in kept)
    same = f", or, which is the same here, {', or '.join(others)}" if others else ""
    return f"it is {first}{same}"


def _slips(tally: _Tally) -> None:
    """Slips of the pen, which are of digits and not of values."""
    printed = tally.question.published.printed
    if "e" in printed.lower():
        return
    for more in (-1, 0, 1):
        wider = _with_places(printed, places(printed) + more)
        right = rounded(wider, tally.question.exact) if wider else ""
        for text, words in slips(right):
            if places(text) == places(printed):
                convention = Convention("slip of the pen", f"the value {right} with {words}", 1)
                tally.add(convention, _number(Fraction(text)))


def _with_places(printed: str, count: int) -> str:
    """A number with as many decimals; nothing if there are none so few."""
    return f"{printed.partition('.')[0]}.{'0' * count}" if count > 0 else "0" if not count else ""
