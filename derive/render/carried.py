"""How numbers are carried from line to line: with enough digits, and rounded where they can be.

Of `1 - y` nothing is left where y is printed as 1, and little where y has as many nines as digits
are computed with.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from mpmath import mp

from derive.numbers import (
    DIGITS,
    MANY_DIGITS,
    MOST_DIGITS,
    MoreDigits,
    MustBeUnrounded,
    NumberFormat,
)
from derive.problem import Problem

Told = TypeVar("Told")


def carried(problem: Problem, tell: Callable[[Problem], Told]) -> tuple[Problem, Told]:
    """What is told of a problem, and the problem with its numbers carried as they were.

    They are carried unrounded if rounded ones lead astray.
    """

    def both(told: Problem) -> tuple[Problem, Told]:
        return told, tell(told)

    try:
        return with_digits(problem, both)
    except MustBeUnrounded as error:
        unrounded = problem.numbers.given_up(error.astray)
        return with_digits(replace(problem, numbers=unrounded), both)


def with_digits(problem: Problem, tell: Callable[[Problem], Told]) -> Told:
    """What is told of a problem, with as many digits as its sums need."""
    for digits in (DIGITS, MANY_DIGITS):
        with suppress(MoreDigits):
            return _with(digits, problem, tell)
    return _with(MOST_DIGITS, problem, tell)


def _with(digits: int, problem: Problem, tell: Callable[[Problem], Told]) -> Told:
    with mp.workdps(digits):
        return tell(replace(problem, numbers=replace(problem.numbers, working=digits)))


def manner(numbers: NumberFormat) -> dict[str, object]:
    """How numbers are rounded and carried, for the sentence of a page that says so."""
    return {
        "digits": numbers.significant_digits,
        "decimals": numbers.decimals,
        "chained": numbers.chained,
        "gave_up": numbers.gave_up,
        "half_up": numbers.rounding.value == "half_up",
    }
