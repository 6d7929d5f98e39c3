"""One sheet of a series: values that fit, and the lines of their page as questions with points.

Sheet k of a seed is always the same: it knows nothing of the others, nor of who makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from math import prod
from random import Random
from typing import TypeAlias

from derive.backprop import differentiate
from derive.errors import InputError
from derive.exercise.draw import drawn
from derive.exercise.fit import BROKEN, Fault, faults, last_unit
from derive.exercise.lines import Line, Part, Status, Told
from derive.exercise.of_model import model_lines
from derive.exercise.of_network import network_lines
from derive.graph import Derivation
from derive.numbers import NumberFormat, decimal
from derive.problem import Problem
from derive.render.carried import carried

MOST_DIGITS = 4  # of results that somebody is asked to carry on with
MOST_TRIES = 20
TRIAL_DRAWS = 4  # what is wrong with each of them belongs to the model
MOST_QUESTIONS = 24
MOST_ENTRIES = 250  # computed numbers, forward and backward, that somebody works through by hand


class Blanks(StrEnum):
    """What is left out of a line: its number, the whole step, or that from its second time on."""

    RESULTS = "results"
    STEPS = "steps"
    MIXED = "mixed"


@dataclass(frozen=True)
class Series:
    """What the sheets of one series have in common."""

    problem: Problem
    seed: int
    blanks: Blanks = Blanks.MIXED
    questions: int = MOST_QUESTIONS

    @cached_property
    def derivation(self) -> Derivation:
        """The gradients; they are the same whatever the values are."""
        return differentiate(self.problem.graph, self.problem.wanted)

    @cached_property
    def usual(self) -> frozenset[Fault]:
        """What is wrong with all values alike."""
        draws = [self._drawn(f"trial/{k}") for k in range(TRIAL_DRAWS)]
        found = [faults(draw, self.derivation) for draw in draws]
        sound = [each for each in found if BROKEN not in each]
        return frozenset.intersection(*sound) if sound else frozenset()

    def _drawn(self, name: str) -> Problem:
        return replace(self.problem, values=drawn(self.problem, Random(name)))

    def drawn(self, number: int) -> Iterator[Problem]:
        """The problem with values that fit; then those that fit less, the best of them first."""
        left: list[tuple[int, int, Problem]] = []
        for k in range(MOST_TRIES):
            problem = self._drawn(f"{self.seed}/{number}/{k}")
            found = faults(problem, self.derivation) - self.usual
            if not found:
                yield problem
            elif BROKEN not in found:
                left.append((len(found), k, problem))
        yield from (problem for _, _, problem in sorted(left, key=lambda each: each[:2]))


@dataclass(frozen=True)
class Question:
    """A line that is asked; `formula` says whether the sheet shows how it is computed."""

    number: int
    line: Line
    formula: bool
    points: int
    tolerance: Fraction


Item: TypeAlias = Question | Line


@dataclass(frozen=True)
class Sheet:
    """One sheet: what is given, and for each part its questions among the numbers that are told.

    Its `problem` has the values that were drawn for it.
    """

    series: Series
    number: int
    problem: Problem
    told: Told
    parts: Mapping[Part, tuple[Item, ...]]

    @property
    def numbers(self) -> NumberFormat:
        """How its numbers are written."""
        return self.problem.numbers

    @property
    def items(self) -> list[Item]:
        """Questions and told numbers in reading order."""
        return [item for items in self.parts.values() for item in items]

    @property
    def questions(self) -> list[Question]:
        """The questions in reading order."""
        return [item for item in self.items if isinstance(item, Question)]

    @property
    def points(self) -> int:
        """What the whole sheet is worth."""
        return sum(question.points for question in self.questions)


def series_of(
    problem: Problem,
    seed: int,
    blanks: Blanks = Blanks.MIXED,
    digits: int | None = None,
    questions: int = MOST_QUESTIONS,
) -> Series:
    """The series of a seed. Results go on rounded, to digits that somebody can write down.

    Raises InputError if there are too many numbers to be computed by hand.
    """
    numbers = replace(problem.numbers, chained=True)
    own = numbers.decimals if numbers.decimals is not None else numbers.significant_digits or 0
    if digits is not None or own > MOST_DIGITS:
        numbers = replace(numbers, significant_digits=digits or MOST_DIGITS, decimals=None)
    bare = replace(problem, numbers=numbers, samples=(), published=(), claims=())
    series = Series(bare, seed, blanks, questions)
    both = (bare.graph, series.derivation.backward)
    count = sum(prod(e.quantity.shape) for graph in both for e in graph.equations)
    if count > MOST_ENTRIES:
        raise InputError(
            f"{problem.name} computes {count:,} numbers; an exercise by hand has at most "
            f"{MOST_ENTRIES}, so choose smaller sizes"
        )
    return series


def sheet_of(series: Series, number: int) -> Sheet:
    """Sheet `number` of a series. Raises InputError if no values are found for one."""
    for problem in series.drawn(number):
        told_of, told = carried(problem, lambda each: _told(series, each, number))
        if not any(line.status is Status.ASKED for line in told.lines):
            raise InputError(f"{series.problem.name}: there is nothing in it to be computed")
        if told_of.numbers.chained:
            return _with_questions(series, number, told_of, told)
    raise InputError(
        f"{series.problem.name}: no values were found at which every number can be computed"
    )


def _told(series: Series, problem: Problem, number: int) -> Told:
    random = Random(f"{series.seed}/{number}")
    if problem.is_model:
        return model_lines(problem, series.derivation, random, series.questions)
    return network_lines(problem, series.derivation, random)


def _with_questions(series: Series, number: int, problem: Problem, told: Told) -> Sheet:
    """The lines part by part, those that are asked with their numbers and points."""
    count, numbers = 0, problem.numbers
    seen: set[str] = set()
    parts: dict[Part, tuple[Item, ...]] = {}
    for part in Part:
        items: list[Item] = []
        for line in (each for each in told.lines if each.part is part):
            if line.status is not Status.ASKED:
                items.append(line)
                continue
            count += 1
            shown = _shows_formula(series.blanks, line.sort in seen)
            seen.add(line.sort)
            items.append(Question(count, line, shown, 1 if shown else 2, _tolerance(line, numbers)))
        if items:
            parts[part] = tuple(items)
    return Sheet(series, number, problem, told, parts)


def _shows_formula(blanks: Blanks, again: bool) -> bool:
    return blanks is Blanks.RESULTS or (blanks is Blanks.MIXED and not again)


def _tolerance(line: Line, numbers: NumberFormat) -> Fraction:
    """How far an answer may be from the number: as far as rounding on the way, or none, leads."""
    gap = abs(Fraction(decimal(line.exact)) - line.page)
    return gap + last_unit(numbers, line.page) / 2
