"""Answers marked as a proof-reader reads a document: against what is right, and what was written.

Each answer takes the place of its number in the lines of a sheet, and the judge of proofread/ reads
them in order. So a number that is right for wrong numbers before it is told from one that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from derive.exercise.lines import Line
from derive.exercise.sheet import Question, Sheet
from derive.limits import LONGEST_VALUE
from derive.numbers import NumberFormat
from derive.proofread import Claim, Kind, Policy, judge, read
from derive.proofread import Rounding as ReadRounding

_DIGITS = rf"\d{{1,{LONGEST_VALUE}}}"
NUMBER = re.compile(rf"[-+]?{_DIGITS}(\.{_DIGITS})?([eE][-+]?\d{{1,2}})?")
PI = "3.14159265358979323846264338327950288419716939937510582097494459"


class Verdict(StrEnum):
    """What an answer came to."""

    RIGHT = "right"
    FOLLOWS = "follows"
    WRONG = "wrong"
    MISSING = "missing"


@dataclass(frozen=True)
class Mark:
    """The mark of one answer. `roots` are questions with the wrong answers that it follows from.

    `expected` is what would have been right, from the answers before it where these are wrong.
    """

    question: Question
    answer: str
    verdict: Verdict
    expected: str
    roots: tuple[int, ...] = ()

    @property
    def points(self) -> int:
        """What the answer is worth."""
        good = self.verdict in (Verdict.RIGHT, Verdict.FOLLOWS)
        return self.question.points if good else 0


def marks(sheet: Sheet, answers: Mapping[int, str]) -> list[Mark]:
    """The mark of every question, by the answers under their numbers; what is left out is empty."""
    written = _Written(sheet, {number: text.strip() for number, text in answers.items()})
    return list(written.marks())


@dataclass(frozen=True)
class _Written:
    """A sheet as somebody filled it in."""

    sheet: Sheet
    answers: Mapping[int, str]

    def marks(self) -> Iterator[Mark]:
        """The lines judged in reading order."""
        claims, places = self._claims()
        computed = frozenset(str(claims[k].lhs) for k in places.values())
        findings = judge(claims, _policy(self.sheet.numbers, computed), {"pi": PI})
        wrong: dict[str, tuple[int, ...]] = {}  # the questions that a name is wrong by
        for item in self.sheet.items:
            line = item.line if isinstance(item, Question) else item
            place = places.get(line.name)
            name = "" if place is None else str(claims[place].lhs)
            names = () if place is None else claims[place].names
            roots = tuple(sorted({root for each in names for root in wrong.get(each, ())}))
            if isinstance(item, Line):
                wrong[name] = roots
                continue
            finding = None if place is None else findings[place]
            fits = finding is not None and finding.kind is Kind.AGREES
            verdict = _verdict(item, self._answer(item), fits and bool(roots))
            wrong[name] = {Verdict.WRONG: (item.number,), Verdict.FOLLOWS: roots}.get(verdict, ())
            own = finding.expected if finding and roots and verdict is Verdict.WRONG else None
            kept = roots if verdict is Verdict.FOLLOWS or own else ()
            yield Mark(item, self._answer(item), verdict, own or line.text, kept)

    def _answer(self, question: Question) -> str:
        return self.answers.get(question.number, "")

    def _claims(self) -> tuple[list[Claim], dict[str, int]]:
        """What is given, and every line with what stands for its number; their places by name."""
        given = self.sheet.told.given
        claims = [claim for each in given for claim in _read(each.lhs, (), each.shown)]
        places: dict[str, int] = {}
        numbers: dict[str, str] = {}
        for item in self.sheet.items:
            line = item.line if isinstance(item, Question) else item
            formula, printed = self._stated(item, numbers)
            for claim in _read(line.lhs, formula, printed):
                places[line.name] = len(claims)
                claims.append(claim)
                numbers[line.lhs] = printed
        return claims, places

    def _stated(
        self, item: Question | Line, numbers: Mapping[str, str]
    ) -> tuple[tuple[str, ...], str]:
        """What stands for the number of a line, with the formula if somebody computed it.

        An answer that is missing, or no number, is as if the right one had been told.
        """
        if isinstance(item, Line):
            copied = item.formula and numbers.get(item.formula[0])
            return item.formula, copied or item.shown
        answer = self._answer(item)
        return (item.line.formula, answer) if NUMBER.fullmatch(answer) else ((), item.line.shown)


def _verdict(question: Question, answer: str, follows: bool) -> Verdict:
    if not answer:
        return Verdict.MISSING
    if NUMBER.fullmatch(answer):
        if abs(Fraction(answer) - question.line.page) <= question.tolerance:
            return Verdict.RIGHT
        if follows:
            return Verdict.FOLLOWS
    return Verdict.WRONG


def _read(lhs: str, rows: tuple[str, ...], printed: str) -> list[Claim]:
    """A line of the sheet as the proof-reader reads it."""
    body = " \\\\\n".join(f"&= {row}" for row in (*rows, printed))
    text = f"\\begin{{align*}}\n{lhs} {body}\n\\end{{align*}}"
    return [item for item in read(text, first=0) if isinstance(item, Claim)]


def _policy(numbers: NumberFormat, computed: frozenset[str]) -> Policy:
    """How answers are rounded; one who goes on with unrounded numbers is not wrong."""
    return Policy(
        digits=numbers.significant_digits if numbers.decimals is None else None,
        decimals=numbers.decimals,
        rounding=ReadRounding(numbers.rounding.value),
        chained=False,
        computed=computed,
    )
