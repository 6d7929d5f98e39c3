"""The stable forms in which modules compute: every move held against the numbers of both sides."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from mpmath import mp

from derive.emit.program import stable_form
from derive.expression import Index
from derive.graph import Derivation, GraphError, Step, adjoint_name
from derive.problem import Problem
from derive.verify.algebra import EXACT, working
from derive.verify.bench import Bench
from derive.verify.interpreter import value
from derive.verify.meaning import Values
from derive.verify.report import Comparison, Route, Status, judged
from derive.verify.routes import EXACT_TOLERANCE, FLOOR, compared, relative

NAME = "stable forms"
SPARE = 40  # digits of the working precision that long sums may lose
MOST_PLACES = 12  # of one step; a rewrite that is wrong is wrong nearly everywhere


def stable_route(
    problem: Problem, derivation: Derivation, benches: Sequence[Bench]
) -> Iterator[Route]:
    """Both sides of every move from the derivation to what a module computes, if there is one."""
    try:
        steady = stable_form(problem, derivation)
    except GraphError as error:  # a derivation that is none has no stable form
        yield Route(NAME, Status.DISAGREES, 0, math.nan, str(error))
        return
    if steady.steps:
        yield judged(NAME, (c for b in benches for c in _at(steady, b)), EXACT_TOLERANCE)


def _at(steady: Derivation, bench: Bench) -> Iterator[Comparison]:
    """Both sides of every step; every value, and every derivative by what is given.

    The loss may no longer read what it sees through, so a derivative by that is another one.
    """
    stable = Bench(steady, bench.given)
    given = {adjoint_name(quantity.name) for quantity in steady.forward.given}
    slopes = {key: v for key, v in bench.derived.items() if key[0] in given}
    with working():
        yield from stable_steps(stable)
        floor = _noise(bench)
        for key, expected in (*bench.forward.items(), *slopes.items()):
            found = stable.derived if key in stable.derived else stable.forward
            if key in found and _is_number(expected):
                yield compared(f"{key[0]}{list(key[1])}", found[key], expected, floor)


def _noise(bench: Bench) -> Any:
    """What rounding may leave of a sum that is nothing, where the largest numbers stand in it."""
    sizes = [abs(v) for v in (bench.forward | bench.derived).values() if _is_number(v)]
    return max(FLOOR, max(sizes, default=mp.zero) * mp.mpf(10) ** (SPARE - bench.digits))


def stable_steps(bench: Bench) -> Iterator[Comparison]:
    """Both sides of every step, where the first has a value."""
    with working():
        for step in bench.derivation.steps:
            yield from _sides(step, bench.derived)


def _sides(step: Step, values: Values) -> Iterator[Comparison]:
    places = list(product(*[range(index.axis.length) for index in step.indices]))
    if len(places) > MOST_PLACES:
        places = random.Random(len(places)).sample(places, MOST_PLACES)
    for place in places:
        binding = dict(zip(step.indices, place, strict=True))
        before = _value(step, values, binding)
        if before is not None:
            what = f"'{step.rule}' in {step.quantity}{list(place)}"
            yield Comparison(what, relative(value(step.after, values, binding, EXACT), before))


def _value(step: Step, values: Values, binding: Mapping[Index, int]) -> Any:
    """The value of the first side; None where it has none, as in a branch that is not taken."""
    try:
        found = value(step.before, values, binding, EXACT)
    except (ArithmeticError, ValueError):
        return None
    return found if _is_number(found) else None


def _is_number(found: Any) -> bool:
    return isinstance(found, mp.mpf) and bool(mp.isfinite(found))
