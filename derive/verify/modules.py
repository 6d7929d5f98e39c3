"""Route 5: every emitted module is executed and its numbers compared with the interpreter's.

Emitted code may be anything that somebody made of it, so whatever it raises is a disagreement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from mpmath import mp

from derive.amount import work
from derive.emit import TARGETS, Executed, load
from derive.emit.checked import Refused
from derive.emit.run import Module
from derive.errors import InputError
from derive.expression import Element
from derive.graph import Derivation, Graph, Role, adjoint_name
from derive.notation import derivative, names_of
from derive.problem import Problem
from derive.sequence import Order
from derive.verify.algebra import working
from derive.verify.bench import Bench, Way, doubts_of, holds
from derive.verify.demonstration import demonstration
from derive.verify.doubles import BITS, MARGIN, Double, as_double, double, within
from derive.verify.meaning import Key, Values
from derive.verify.one_pass import in_one_pass
from derive.verify.oracle import first_update, first_whole_update, trained
from derive.verify.report import Comparison, Route, Status, entry, judged, skipped, telling
from derive.verify.routes import (
    DOUBLE_TOLERANCE,
    EXACT_TOLERANCE,
    compared,
    gradient_keys,
)
from derive.verify.sampling import drawn_slopes, float_values, of_batch, spread
from derive.verify.tape import all_slopes
from derive.verify.training import (
    LATE,
    constants,
    helpers,
    in_general_position,
    tables,
    trains,
    updated_in_order,
    updates,
)
from derive.verify.trajectory import Trajectory, in_doubles

MOST_DIFFERENCES = 10_000  # multiplications of the forward passes for one gradient after the other
LINE_STEP = 1e-5
LINE_TOLERANCE = 1e-4
FEW_UPDATES = 3
LARGEST = 1e150  # of what is squared on the way to a double
MOST_POINTS = 8
POINTS_BUDGET = 8_000  # multiplications of further points
ENTRY = 10  # multiplications that an entry costs besides its own
BATCHES = (1, 2, 3)
PROMISE = "Batch: any number of samples."


NO_FLOOR = within(mp.zero, DOUBLE_TOLERANCE)


@dataclass(frozen=True)
class Point:
    """Values of what is given, and what a module must make of them.

    `updated` are parameters and states after an update that does not start from the gradients;
    one that does is compared with what the optimizer makes of the module's own. `late` are those
    after some updates by their number, from states in general position. `doubts` say how far off
    doubles may be: a value by its key, a slope by that of its adjoint.
    """

    given: Values
    forward: Values
    gradients: Values
    line: tuple[Way, Any] | None = None
    updated: Mapping[Key, Double] | None = None
    late: Mapping[int, Values] = field(default_factory=dict)
    doubts: Values = field(default_factory=dict)

    def floor(self, key: Key, adjoint: bool = False) -> Any:
        """The size below which a number is compared absolutely: what its doubles may be off."""
        name = adjoint_name(key[0]) if adjoint else key[0]
        return self._floors.get((name, key[1]), NO_FLOOR)

    @cached_property
    def _floors(self) -> Values:
        """Found once: every module asks for them."""
        return {key: within(doubt, DOUBLE_TOLERANCE) for key, doubt in self.doubts.items()}


@dataclass(frozen=True)
class Batch:
    """The problem with another number of samples, and what a module must make of some values."""

    problem: Problem
    point: Point


def point(problem: Problem, bench: Bench) -> Point:
    """Forward values by the interpreter, gradients by differences."""
    keys = gradient_keys(bench.derivation)
    many = len(keys) * work(bench.graph) > MOST_DIFFERENCES
    slopes = all_slopes(bench.graph, bench.given) if many else {}
    gradients = {key: slopes[key] if many else bench.by(key) for key in keys}
    found = Point(bench.given, bench.forward, gradients, doubts=_doubts(bench))
    if problem.training.order is Order.SIMULTANEOUS:
        return found
    first = updated_in_order(replace(problem, samples=()), bench, 1)
    late = {k: updated_in_order(in_general_position(problem), bench, k) for k in (1, LATE)}
    return replace(found, updated=first, late=late)


def _doubts(bench: Bench) -> Values:
    """How far off doubles may be, and the differences that they are compared with."""
    return {key: error + EXACT_TOLERANCE * bench.floor for key, error in bench.doubts.items()}


def further_seeds(graph: Graph) -> range:
    """The seeds of further points, as many as are affordable, on all sides of a kink."""
    return range(2, 2 + min(MOST_POINTS, _affordable(graph)))


def _affordable(graph: Graph) -> int:
    """How many points are affordable; through many small layers each entry has its own cost."""
    entries = sum(math.prod(equation.quantity.shape) for equation in graph.equations)
    return POINTS_BUDGET // max(1, work(graph) + ENTRY * entries)


def more_points(derivation: Derivation, given: Iterable[Values]) -> list[Point]:
    """Points at which the gradients are those of the derivation, which is judged by itself."""
    keys = gradient_keys(derivation)
    benches = [Bench(derivation, values) for values in given]
    return [
        Point(b.given, b.forward, {key: b.adjoint(key) for key in keys}, doubts=_doubts(b))
        for b in benches
    ]


def points(
    problem: Problem, benches: Sequence[Bench], drawn: Callable[[int], Values]
) -> list[Point]:
    """What a module is held to: all numbers at some points, and at further ones as affordable.

    Where each costs much, all numbers at the last point, and a line of parameters at the others.
    """
    cost = work(problem.graph)
    if cost > POINTS_BUDGET:
        return [*map(_on_a_line, benches[:-1]), point(problem, benches[-1])]
    first, *rest = (point(problem, bench) for bench in benches)
    more = map(drawn, further_seeds(problem.graph))
    return [first, *more_points(benches[0].derivation, more), *rest]


def _on_a_line(bench: Bench) -> Point:
    line = bench.line(bench.graph.of_role(Role.PARAMETER))
    return Point(bench.given, bench.forward, {}, line, doubts=_doubts(bench))


def other_batches(problem: Problem) -> list[Batch]:
    """A network with other numbers of samples: forward values, and a line of all parameters."""
    if problem.is_model:
        return []
    most = max(1, _affordable(problem.graph))
    others = [size for size in BATCHES if size != problem.batch]
    found = []
    for size in BATCHES if most >= len(BATCHES) else others[:most]:
        graph = of_batch(problem, size)
        slopes = drawn_slopes(graph, size)
        line = slopes.line(graph.of_role(Role.PARAMETER))
        other = replace(problem, graph=graph, batch=size, values={})
        doubts = doubts_of(slopes.given, graph)
        found.append(Batch(other, Point(slopes.given, slopes.forward, {}, line, doubts=doubts)))
    return found


def samples_are_enough(problem: Problem, sources: Iterable[str]) -> bool:
    """Whether seeded values of another batch make up for those of the spec's batch."""
    return work(problem.graph) > POINTS_BUDGET and all(PROMISE in source for source in sources)


def module_route(
    target: str,
    source: str,
    problem: Problem,
    points: Iterable[Point],
    trajectory: Trajectory | None = None,
    batches: Iterable[Batch] = (),
) -> tuple[Route, Executed | None]:
    """Forward values, gradients and updates at some points; also the numbers of the last one.

    A training whose updates do not start from the gradients is compared with the trajectory. A
    module that promises to take any number of samples is given others than the spec has, too.
    """
    name = f"module {target}"
    missing = TARGETS[target].missing()
    if missing:
        return skipped(name, missing), None
    points = list(points)
    try:
        module = load(problem, source, target)
        comparisons = [*constants(module), *helpers(module), *_training(module, trajectory)]
        done = None
        for each in points:
            done = module.run(tables(each.given))
            comparisons += [
                *_comparisons(done, problem, each),
                *_updates(done, problem, each),
            ]
        comparisons += [*_trained(module, points), *demonstration(module)]
        comparisons += _of_other_batches(module, batches)
    except Exception as error:  # a wrong module may fail in any way; each way is a finding
        if isinstance(error, InputError) and not isinstance(error, Refused):
            raise  # the numbers are to blame
        return _broken(name, error), None
    return telling(judged(name, comparisons, DOUBLE_TOLERANCE), _chosen(problem)), done


def _chosen(problem: Problem) -> str:
    """How many parameters are compared after an update, in words, unless all of them are."""
    quantities = [
        q for q in problem.graph.of_role(Role.PARAMETER) if trained(problem, (q.name, ()))
    ]
    every = sum(math.prod(quantity.shape) for quantity in quantities)
    some = sum(len(spread(quantity)) for quantity in quantities)
    return "" if some == every else f"after updates {some:,} of {every:,} parameters"


def _broken(name: str, error: Exception) -> Route:
    if isinstance(error, Refused):
        return Route(name, Status.DISAGREES, 0, math.nan, str(error))
    return Route(name, Status.DISAGREES, 0, math.nan, f"{type(error).__name__}: {error}")


def large_module_route(target: str, source: str, problem: Problem, seed: int) -> Route:
    """A module too large for the interpreter: its gradient against its own loss along a line."""
    name = f"module {target}"
    missing = TARGETS[target].missing()
    if missing:
        return skipped(name, missing)
    if problem.forward_only:
        return skipped(name, "the model is too large for its values to be computed digit by digit")
    if holds(problem.graph.equations):
        return skipped(name, "too large for a check under which what is held fixed does not move")
    cost = work(problem.graph)
    if cost > TARGETS[target].most:
        return skipped(name, f"one pass takes {cost:,} multiplications, too many to be run here")
    try:
        comparisons = list(_along_lines(load(problem, source, target), seed))
    except Exception as error:  # as above
        return _broken(name, error)
    return telling(judged(name, comparisons, LINE_TOLERANCE), _chosen(problem))


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
        noise = MARGIN * 2**-BITS * abs(done.loss) / LINE_STEP / LINE_TOLERANCE
        yield compared(f"{name} along a line", math.fsum(slopes), found, noise)
    yield from in_one_pass(module, values)
    if problem.training.order is Order.SIMULTANEOUS:
        given = {(q, p): v for q, table in values.items() for p, v in table.items()}
        yield from _updates(done, problem, Point(given, {}, {}))


def _comparisons(done: Executed, problem: Problem, expected: Point) -> Iterator[Comparison]:
    with working():
        for key, true in expected.forward.items():
            if key not in expected.given:
                yield _number(entry(*key), done.forward, key, true, expected.floor(key))
        if not problem.forward_only:
            loss = (problem.graph.loss.name, ())
            true, found = expected.forward[loss], mp.mpf(done.loss)
            yield compared("loss", found, true, expected.floor(loss))
        for key, true in expected.gradients.items():
            if key in done.gradients or trained(problem, key):
                what, floor = f"∂E/∂{entry(*key)}", expected.floor(key, adjoint=True)
                yield _number(what, done.gradients, key, true, floor)
        if expected.line is not None:
            way, slope = expected.line
            asked = [key for key in way if key in done.gradients or trained(problem, key)]
            if len(asked) == len(way):
                found = mp.fsum(way[key] * done.gradients.get(key, mp.nan) for key in way)
                floor = mp.fsum(abs(way[key]) * expected.floor(key, adjoint=True) for key in way)
                yield compared("gradients on a line", found, slope, floor)


def _number(
    what: str, found: Mapping[Key, float], key: Key, expected: Any, floor: Any
) -> Comparison:
    """The distance of one number; NaN if the module does not give it."""
    if key not in found:
        return Comparison(what, math.nan, None, expected)
    return compared(what, mp.mpf(found[key]), expected, floor)


def _updates(done: Executed, problem: Problem, at: Point) -> Iterator[Comparison]:
    """Every parameter after one update, mostly by the module's own gradient."""
    names = {quantity.name for quantity in problem.graph.of_role(Role.PARAMETER)}
    if not names - problem.training.frozen:
        return
    if at.updated is not None:
        for key, expected in at.updated.items():
            yield _after(done, key, expected)
    if problem.training.order is not Order.SIMULTANEOUS:
        return
    given, around = at.given, problem.training.optimizer.looks_around
    if around:
        with working():
            for after, expected in first_whole_update(problem, given, done.gradients).items():
                yield _after(done, after, expected)
    rule = None if around else first_update(problem)
    with working():
        for quantity in problem.graph.of_role(Role.PARAMETER):
            for place in spread(quantity):
                key = (quantity.name, place)
                if not trained(problem, key):
                    yield _after(done, key, double(given[key]))
                    continue
                if rule is None:
                    continue
                slope = done.gradients.get(key, 0.0 if problem.is_model else math.nan)
                for after, expected in rule(key, given[key], slope):
                    yield _after(done, after, expected)


def _after(done: Executed, key: Key, expected: Double) -> Comparison:
    """A parameter or a state after the update."""
    floor = within(expected.error, DOUBLE_TOLERANCE)
    return _number(f"{entry(*key)} after an update", done.updated, key, expected.value, floor)


def _trained(module: Module, points: Sequence[Point]) -> Iterator[Comparison]:
    """Updates in general position, and a short training."""
    if points:
        first = next((each for each in points if each.gradients), points[0])
        yield from updates(module, first.given, first.late)
        yield from trains(module, [each.given for each in points[:3]])
        for each in points:
            yield from in_one_pass(module, tables(each.given))


def _of_other_batches(module: Module, batches: Iterable[Batch]) -> Iterator[Comparison]:
    for each in batches if PROMISE in module.namespace["__doc__"] else ():
        done = replace(module, problem=each.problem).run(tables(each.point.given))
        yield from _comparisons(done, each.problem, each.point)


def _training(module: Module, trajectory: Trajectory | None) -> Iterator[Comparison]:
    """The losses of a short training whose updates do not start from the gradients.

    It goes on as long as its numbers, squared as an optimizer does, are within range of doubles.
    """
    problem, names = module.problem, module.namespace
    if "train" not in names or trajectory is None:
        return
    if problem.training.order is Order.SIMULTANEOUS:
        return
    fed = names.get("SAMPLES", (names["SAMPLE"],) if "STATE" in names else names["SAMPLE"])
    again = in_doubles(problem, trajectory.derivation, trajectory.given)
    updates = 0
    while updates < FEW_UPDATES and _in_range(again.at(updates + 1)):
        updates += 1
    _, losses = names["train"](names["PARAMETERS"], fed, names["LEARNING_RATE"], updates)
    for k, found in enumerate(losses):
        expected = again.at(k)[problem.graph.loss.name, ()]
        floor = within(expected.error, DOUBLE_TOLERANCE)
        what = f"the loss after {k} updates of the training"
        yield compared(what, mp.mpf(float(found)), expected.value, floor)


def _in_range(values: Values) -> bool:
    return all(abs(as_double(v).value) < LARGEST for v in values.values())


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
