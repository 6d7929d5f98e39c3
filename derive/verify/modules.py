"""Route 5: every emitted module is executed and its numbers compared with the interpreter's.

Emitted code may be anything that somebody made of it, so whatever it raises is a disagreement.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product, zip_longest
from typing import Any

from mpmath import mp

from derive.emit import Executed, load
from derive.emit.run import Module
from derive.expression import Element
from derive.graph import Graph, Role
from derive.notation import derivative, names_of
from derive.problem import Problem, Tensor
from derive.sequence import Order
from derive.verify.algebra import DIGITS
from derive.verify.bench import Bench
from derive.verify.interpreter import Key, Values
from derive.verify.oracle import first_update, trained
from derive.verify.report import Comparison, Route, Status, judged, skipped
from derive.verify.routes import (
    DOUBLE_FLOOR,
    DOUBLE_TOLERANCE,
    gradient_keys,
    relative,
)
from derive.verify.sampling import float_values
from derive.verify.tape import all_slopes
from derive.verify.trajectory import Trajectory

MOST_DIFFERENCES = 60
LINE_STEP = 1e-5
LINE_TOLERANCE = 1e-4
FEW_UPDATES = 3


@dataclass(frozen=True)
class Point:
    """Values of what is given, and what a module must make of them.

    `updated` are parameters and states after an update that does not start from the gradients;
    one that does is compared with what the optimizer makes of the module's own.
    """

    given: Values
    forward: Values
    gradients: Values
    updated: Values | None = None


def point(problem: Problem, bench: Bench) -> Point:
    """Forward values by the interpreter, gradients by differences."""
    keys = gradient_keys(bench.derivation)
    after = _after_update(problem, bench)
    many = len(keys) > MOST_DIFFERENCES
    slopes = all_slopes(bench.graph, bench.given) if many else {}
    gradients = {key: slopes[key] if many else bench.by(key) for key in keys}
    return Point(bench.given, bench.forward, gradients, after)


def _after_update(problem: Problem, bench: Bench) -> Values | None:
    """Parameters and states after one update in the order of the spec, if that is not the usual."""
    if problem.training.order is Order.SIMULTANEOUS:
        return None
    trajectory = Trajectory(replace(problem, samples=()), bench.derivation, bench.given)
    parameters, states = trajectory.after(1)
    return parameters | {key: v for key, v in states.items() if key in trajectory.states}


def module_route(
    target: str,
    source: str,
    problem: Problem,
    points: Iterable[Point],
    trajectory: Trajectory | None = None,
) -> tuple[Route, Executed | None]:
    """Forward values, gradients and an update at some points; also the numbers of the last one.

    A training whose updates do not start from the gradients is compared with the trajectory.
    """
    name = f"module {target}"
    if target != "python" and not _installed(target):
        return skipped(name, f"{target} is not installed"), None
    try:
        module = load(problem, source, target)
        comparisons = list(_constants(module, problem.graph))
        if trajectory is not None and problem.training.order is not Order.SIMULTANEOUS:
            comparisons += _training(module, trajectory)
        done = None
        for each in points:
            done = module.run(_tables(each.given))
            comparisons += [
                *_comparisons(done, problem, each),
                *_updates(done, problem, each),
            ]
    except Exception as error:  # a wrong module may fail in any way; each way is a finding
        return _broken(name, error), None
    return judged(name, comparisons, DOUBLE_TOLERANCE), done


def _broken(name: str, error: Exception) -> Route:
    return Route(name, Status.DISAGREES, 0, math.nan, f"{type(error).__name__}: {error}")


def large_module_route(target: str, source: str, problem: Problem, seed: int) -> Route:
    """A module too large for the interpreter: its gradient against its own loss along a line."""
    name = f"module {target}"
    if target != "python" and not _installed(target):
        return skipped(name, f"{target} is not installed")
    try:
        comparisons = list(_along_lines(load(problem, source, target), seed))
    except Exception as error:  # as above
        return _broken(name, error)
    return judged(name, comparisons, LINE_TOLERANCE)


def _along_lines(module: Module, seed: int) -> Iterator[Comparison]:
    """The slope of the loss along a line for each parameter, and one update."""
    problem = module.problem
    values = float_values(problem, seed)
    direction = float_values(problem, seed + 1)
    done = module.run(values)
    for name in dict.fromkeys(q for q, _ in done.gradients):

        def loss(distance: float, name: str = name) -> float:
            along = {p: v + distance * direction[name][p] for p, v in values[name].items()}
            return module.run({**values, name: along}).loss

        slopes = [g * direction[q][p] for (q, p), g in done.gradients.items() if q == name]
        found = (loss(LINE_STEP) - loss(-LINE_STEP)) / (2 * LINE_STEP)
        yield Comparison(f"{name} along a line", relative(math.fsum(slopes), found))
    if problem.training.order is Order.SIMULTANEOUS:
        given = {(q, p): v for q, table in values.items() for p, v in table.items()}
        yield from _updates(done, problem, Point(given, {}, {}))


def _installed(target: str) -> bool:
    try:
        importlib.import_module(target)
    except ImportError:
        return False
    return True


def _comparisons(done: Executed, problem: Problem, expected: Point) -> Iterator[Comparison]:
    with mp.workdps(DIGITS):
        for key, true in expected.forward.items():
            if key not in expected.given:
                yield Comparison(str(key), _error(done.forward, key, true))
        loss = expected.forward[problem.graph.loss.name, ()]
        yield Comparison("loss", relative(mp.mpf(done.loss), loss))
        for key, true in expected.gradients.items():
            if key in done.gradients or trained(problem, key):
                yield Comparison(f"∂E/∂{key}", _error(done.gradients, key, true))


def _error(found: Mapping[Key, float], key: Key, expected: Any) -> float:
    """The distance of one number; NaN if the module does not give it."""
    if key not in found:
        return math.nan
    return relative(mp.mpf(found[key]), expected, DOUBLE_FLOOR)


def _updates(done: Executed, problem: Problem, at: Point) -> Iterator[Comparison]:
    """Every parameter after one update, mostly by the module's own gradient."""
    names = {quantity.name for quantity in problem.graph.of_role(Role.PARAMETER)}
    if not names - problem.training.frozen:
        return
    if at.updated is not None:
        for key, expected in at.updated.items():
            yield Comparison(f"{key} after an update", _error(done.updated, key, expected))
        return
    given, rule = at.given, first_update(problem)
    for quantity in problem.graph.of_role(Role.PARAMETER):
        for place in product(*map(range, quantity.shape)):
            key = (quantity.name, place)
            if not trained(problem, key):
                yield Comparison(f"{key} kept", _error(done.updated, key, given[key]))
                continue
            slope = done.gradients.get(key, 0.0 if problem.is_model else math.nan)
            for after, expected in rule(key, given[key], slope):
                yield Comparison(f"{after} after an update", _error(done.updated, after, expected))


def _constants(module: Module, graph: Graph) -> Iterator[Comparison]:
    """The values and the training that are written into the module."""
    problem, names = module.problem, module.namespace
    if problem.symbolic:
        return
    parameters, sample = names["PARAMETERS"], names["SAMPLE"]
    trained_, others = (
        graph.of_role(Role.PARAMETER),
        [q for q in graph.given if q.role is not Role.PARAMETER],
    )
    for record, quantities in ((parameters, trained_), (sample, others)):
        wanted = [v for q in quantities for v in problem.values[q.name].values()]
        for k, (found, v) in enumerate(zip_longest(_flat(record), wanted, fillvalue=math.nan)):
            yield Comparison(f"constant {k} of {type(record).__name__}", relative(found, float(v)))
    if "train" not in names:
        return
    done = module.run()
    own = {q.name for q in trained_}
    moved = {key: v for key, v in done.updated.items() if key[0] in own}
    after = module.run({**problem.values, **_next_sample(problem), **_tables(moved)})
    fed = names.get("SAMPLES", (sample,) if "STATE" in names else sample)
    _, losses = names["train"](parameters, fed, names["LEARNING_RATE"], 1)
    for k, (found, v) in enumerate(
        zip_longest(losses, (done.loss, after.loss), fillvalue=math.nan)
    ):
        yield Comparison(f"loss {k} of the training", relative(float(found), v))


def _training(module: Module, trajectory: Trajectory) -> Iterator[Comparison]:
    """The losses of a short training."""
    problem, names = module.problem, module.namespace
    if "train" not in names:
        return
    fed = names.get("SAMPLES", (names["SAMPLE"],) if "STATE" in names else names["SAMPLE"])
    _, losses = names["train"](names["PARAMETERS"], fed, names["LEARNING_RATE"], FEW_UPDATES)
    for k, found in enumerate(losses):
        expected = trajectory.at(k)[problem.graph.loss.name, ()]
        error = relative(mp.mpf(float(found)), expected, DOUBLE_FLOOR)
        yield Comparison(f"loss after {k} updates of the training", error)


def _next_sample(problem: Problem) -> Mapping[str, Tensor]:
    """What is given at the second update."""
    return problem.samples[1 % len(problem.samples)] if problem.samples else {}


def _flat(record: Any) -> Iterator[float]:
    """The numbers of a record in order, whatever they are kept in."""
    plain = record.tolist() if hasattr(record, "tolist") else record
    if isinstance(plain, list | tuple):
        for part in plain:
            yield from _flat(part)
    else:
        yield float(plain)


def _tables(values: Mapping[Key, float]) -> dict[str, dict[tuple[int, ...], float]]:
    tables: dict[str, dict[tuple[int, ...], float]] = {}
    for (quantity, place), v in values.items():
        tables.setdefault(quantity, {})[place] = float(v)
    return tables


def code_values(problem: Problem, done: Executed | None) -> Mapping[str, Any]:
    """The numbers of an executed module by report name."""
    if done is None:
        return {}
    names = names_of(problem)

    def name(key: tuple[str, tuple[int, ...]]) -> Any:
        return names.name(Element(key[0], *key[1]))

    found = {name(key).report: v for key, v in done.forward.items()}
    found |= {derivative(names.loss(), name(key)).report: v for key, v in done.gradients.items()}
    known = problem.graph.quantities
    updated = {key: v for key, v in done.updated.items() if key[0] in known}
    return found | {f"{name(key).report}+": v for key, v in updated.items()}
