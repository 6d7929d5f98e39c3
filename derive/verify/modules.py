"""Route 5: every emitted module is executed and its numbers compared with the interpreter's."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from mpmath import mp

from derive.emit import Executed, execute, load
from derive.expression import Element
from derive.graph import Derivation, Role
from derive.notation import derivative, notation
from derive.problem import Problem
from derive.verify.interpreter import DIGITS, Values, run
from derive.verify.report import Comparison, Route, Status, judged, skipped
from derive.verify.routes import DOUBLE_TOLERANCE, by_difference, relative
from derive.verify.sampling import float_values

MOST_DIFFERENCES = 60
LINE_STEP = 1e-6
LINE_TOLERANCE = 1e-5


def module_route(
    target: str, source: str, problem: Problem, derivation: Derivation, given: Values
) -> tuple[Route, Executed | None]:
    """Forward values and gradients of a module at the given values."""
    name = f"module {target}"
    if target != "python" and not _installed(target):
        return skipped(name, f"{target} is not installed"), None
    table: dict[str, dict[tuple[int, ...], float]] = {}
    for (quantity, place), v in given.items():
        table.setdefault(quantity, {})[place] = float(v)
    try:
        done = execute(problem, source, target, table)
    except (ArithmeticError, ValueError, TypeError, NameError, AttributeError, KeyError) as error:
        detail = f"{type(error).__name__}: {error}"
        return Route(name, Status.DISAGREES, 0, math.nan, detail), None
    return judged(name, _comparisons(done, derivation, given), DOUBLE_TOLERANCE), done


def large_module_route(target: str, source: str, problem: Problem, seed: int) -> Route:
    """A module too large for the interpreter: its gradient against its own loss along a line."""
    name = f"module {target}"
    if target != "python" and not _installed(target):
        return skipped(name, f"{target} is not installed")
    module = load(problem, source, target)
    values = float_values(problem, seed)
    direction = float_values(problem, seed + 1)
    trained = {q.name for q in problem.graph.of_role(Role.PARAMETER)} - problem.training.frozen

    def moved(distance: float) -> float:
        shifted = {
            q: {p: v + distance * direction[q][p] for p, v in table.items()}
            for q, table in values.items()
            if q in trained
        }
        return module.run({**values, **shifted}).loss

    done = module.run(values)
    along = math.fsum(g * direction[q][p] for (q, p), g in done.gradients.items())
    found = (moved(LINE_STEP) - moved(-LINE_STEP)) / (2 * LINE_STEP)
    return judged(name, [Comparison("along a line", relative(along, found))], LINE_TOLERANCE)


def _installed(target: str) -> bool:
    try:
        importlib.import_module(target)
    except ImportError:
        return False
    return True


def _comparisons(done: Executed, derivation: Derivation, given: Values) -> Iterator[Comparison]:
    graph = derivation.forward
    with mp.workdps(DIGITS):
        true = run(graph, given)
        for key, v in done.forward.items():
            yield Comparison(str(key), relative(mp.mpf(v), true[key]))
        yield Comparison("loss", relative(mp.mpf(done.loss), true[graph.loss.name, ()]))
        keys = list(done.gradients)
        for key in keys[:: max(1, len(keys) // MOST_DIFFERENCES)]:
            expected = by_difference(graph, given, key)
            yield Comparison(f"∂E/∂{key}", relative(mp.mpf(done.gradients[key]), expected))


def code_values(problem: Problem, done: Executed | None) -> Mapping[str, Any]:
    """The numbers of an executed module by report name."""
    if done is None:
        return {}
    names = notation(problem)

    def name(key: tuple[str, tuple[int, ...]]) -> Any:
        return names.name(Element(key[0], *key[1]))

    found = {name(key).report: v for key, v in done.forward.items()}
    found |= {derivative(names.loss(), name(key)).report: v for key, v in done.gradients.items()}
    return found | {f"{name(key).report}+": v for key, v in done.updated.items()}
