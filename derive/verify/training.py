"""Route 5, too: what a module says of a training, and how it trains.

Its constants are those of the spec. One update is held to the optimizer's lines, from states in
general position and late in a training as well as first. A training is then what the functions that
were judged make of the same numbers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import product, zip_longest
from typing import Any

from mpmath import mp

from derive.emit.run import Module
from derive.graph import Quantity, Role
from derive.problem import Problem, Tensor
from derive.sequence import Order
from derive.verify.algebra import EXACT, working
from derive.verify.bench import Bench
from derive.verify.doubles import DOUBLES, Double, as_double, double, within
from derive.verify.meaning import Key, Values
from derive.verify.oracle import entry_rule, trained, whole_update
from derive.verify.report import Comparison
from derive.verify.routes import DOUBLE_TOLERANCE, relative
from derive.verify.sampling import spread
from derive.verify.trajectory import in_doubles

FILLED = 0.37
RATE = Fraction(13, 1000)  # not the learning rate of any spec
UPDATES = (1, 2, 3, 7)
LATE = 7
TINY = 1e-8
FEW_STEPS = 3
MOST_ENTRIES = 120  # of an update
SEED = 5
ALONE = frozenset({"logistic", "softplus", "sign", "erf"})
ARGUMENTS = (-800.0, -40.0, -2.0, -0.5, 0.0, 0.5, 2.0, 40.0, 800.0)


# --- constants ------------------------------------------------------------------------------


def constants(module: Module) -> Iterator[Comparison]:
    """The values and the training that are written into the module."""
    problem, names = module.problem, module.namespace
    parameters = problem.graph.of_role(Role.PARAMETER)
    if {q.name for q in parameters} - problem.training.frozen:
        rate = float(problem.training.learning_rate)
        yield Comparison("LEARNING_RATE", relative(names["LEARNING_RATE"], rate, 0 if rate else 1))
        yield Comparison("STEPS", relative(names["STEPS"], problem.training.steps, 1))
    found = module.numbers(None, names.get("STATE"))
    for key, true in flat_states(problem, problem.training.states).items():
        if trained(problem, (key[0].partition("_")[2], ())):
            yield Comparison(f"{key} in STATE", _distance(found.get(key), float(true)))
    if problem.symbolic:
        return
    others = [q for q in problem.graph.given if q.role is not Role.PARAMETER]
    yield from _record("PARAMETERS", names["PARAMETERS"], parameters, problem.values)
    yield from _record("SAMPLE", names["SAMPLE"], others, problem.values)
    records = names.get("SAMPLES", ())
    if len(records) != len(problem.samples):
        yield Comparison("the number of SAMPLES", math.nan)
    for k, (record, values) in enumerate(zip(records, problem.samples, strict=False)):
        yield from _record(f"SAMPLES[{k}]", record, others, {**problem.values, **values})


def flat_states(problem: Problem, states: Mapping[tuple[str, str], Tensor]) -> Values:
    """The first value of every state by its name in code, zero where nothing is said."""
    return {
        (f"{state}_{q.name}", place): states.get((state, q.name), {}).get(place, Fraction(0))
        for q in problem.graph.of_role(Role.PARAMETER)
        for state in problem.training.optimizer.states
        for place in product(*map(range, q.shape))
    }


def _record(
    name: str, record: Any, quantities: Sequence[Quantity], values: Mapping[str, Tensor]
) -> Iterator[Comparison]:
    wanted = [v for q in quantities for v in values[q.name].values()]
    for k, (found, v) in enumerate(zip_longest(_flat(record), wanted, fillvalue=math.nan)):
        yield Comparison(f"number {k} of {name}", relative(found, float(v)))


def _flat(record: Any) -> Iterator[float]:
    """The numbers of a record in order, whatever they are kept in."""
    plain = record.tolist() if hasattr(record, "tolist") else record
    if isinstance(plain, list | tuple):
        for part in plain:
            yield from _flat(part)
    else:
        yield float(plain)


# --- one update -----------------------------------------------------------------------------


def updates(module: Module, values: Values, late: Mapping[int, Values]) -> Iterator[Comparison]:
    """Updates from states in general position, the first ones and a late one.

    Each is compared with what the optimizer makes of the numbers that the module had before it. If
    parameters change one after the other, `late` says what comes of an update, by its number.
    """
    if "update" not in module.namespace:
        return
    problem = in_general_position(module.problem)
    parameters, sample = module.parameters(tables(values)), module.sample(tables(values))
    state = module.state(tables(flat_states(problem, problem.training.states)))
    if problem.training.order is not Order.SIMULTANEOUS:
        for step, expected in late.items():
            after = module.numbers(*module.update(parameters, state, sample, float(RATE), step))
            for key, v in expected.items():
                if key in after or trained(problem, key):
                    yield Comparison(f"{key} after update {step}", _distance(after.get(key), v))
        return
    gradients = module.gradients(tables(_slopes(problem)))
    for step in UPDATES:
        before = parameters, state
        parameters, state = module.update(*before, gradients, float(RATE), step)
        yield from _as_ruled(module, before, gradients, step, (parameters, state))
    small = _times(gradients, TINY)  # so that what is added to a root for safety counts
    before = parameters, None if state is None else _times(state, TINY**2)
    yield from _as_ruled(
        module, before, small, LATE, module.update(*before, small, float(RATE), LATE)
    )
    yield from _alike(module, *(_filled(each) for each in (*before, gradients)))


def _alike(module: Module, parameters: Any, state: Any, gradients: Any) -> Iterator[Comparison]:
    """An update of equal entries by equal gradients: all of them come out equal."""
    after = module.numbers(*module.update(parameters, state, gradients, float(RATE), LATE))
    for quantity in module.problem.graph.of_role(Role.PARAMETER):
        places = product(*map(range, quantity.shape))
        found = [after.get((quantity.name, place), math.nan) for place in places]
        distance = math.nan if any(map(math.isnan, found)) else max(found) - min(found)
        what = f"{quantity.name} after an update of equal entries"
        yield Comparison(what, distance / abs(found[0]) if found[0] else distance)


def _filled(record: Any) -> Any:
    """A record with the same number everywhere."""

    def filled(value: Any) -> Any:
        return [filled(each) for each in value] if isinstance(value, list) else value * 0.0 + FILLED

    return None if record is None else type(record)(*map(filled, record))


def _as_ruled(
    module: Module, before: tuple[Any, Any], gradients: Any, step: int, after: tuple[Any, Any]
) -> Iterator[Comparison]:
    """One update of each entry, or of some, against the lines of the optimizer."""
    problem, around = module.problem, module.problem.training.optimizer.looks_around
    old, slopes, new = module.numbers(*before), module.slopes(gradients), module.numbers(*after)
    if around:
        with working():
            values = {key: double(v) for key, v in old.items()}
            found = whole_update(problem, values, slopes, DOUBLES.number(RATE), step)
            for name in _some(list(found), step):
                error = _distance(new.get(name), found[name])
                yield Comparison(f"{name} after update {step}", error)
    rule = None if around else entry_rule(problem)
    with working():
        for key in _some([key for key in old if key[0] in _parameters(problem)], step):
            if not trained(problem, key):
                yield Comparison(f"{key} kept", _distance(new.get(key), mp.mpf(old[key])))
                continue
            if rule is None:
                continue
            slope = slopes.get(key, 0.0 if problem.is_model else math.nan)
            kept = problem.training.optimizer.states
            states = [double(old[f"{state}_{key[0]}", key[1]]) for state in kept]
            rate = DOUBLES.number(RATE)
            for name, expected in rule(key, mp.mpf(old[key]), slope, rate, step, states):
                error = _distance(new.get(name), expected)
                yield Comparison(f"{name} after update {step}", error)


def _parameters(problem: Problem) -> set[str]:
    return {quantity.name for quantity in problem.graph.of_role(Role.PARAMETER)}


def _times(record: Any, factor: float) -> Any:
    """A record with every number multiplied."""

    def scaled(value: Any) -> Any:
        return [scaled(each) for each in value] if isinstance(value, list) else value * factor

    return type(record)(*map(scaled, record))


def updated_in_order(problem: Problem, bench: Bench, step: int) -> dict[Key, Double]:
    """Parameters and states after the update of this number, from the states of the problem."""
    trajectory = in_doubles(problem, bench.derivation, bench.given, first=step)
    parameters, states = trajectory.after(1)
    return parameters | {key: v for key, v in states.items() if key in trajectory.states}


def in_general_position(problem: Problem) -> Problem:
    """The problem with a learning rate of its own, and with seeded states.

    All of them are positive, as second moments are, and they are of several sizes.
    """
    states = {
        (state, q.name): {
            place: _drawn(f"{state}_{q.name}/{place}") for place in product(*map(range, q.shape))
        }
        for q in problem.graph.of_role(Role.PARAMETER)
        for state in problem.training.optimizer.states
    }
    training = replace(problem.training, learning_rate=RATE, states=states)
    return replace(problem, training=training, samples=())


def _slopes(problem: Problem) -> Values:
    """A seeded gradient for every entry; real ones can be zero wherever a module is tried."""
    return {
        (q.name, place): (-1) ** sum(place) * _drawn(f"{q.name}/{place}") * 100
        for q in problem.graph.given
        for place in product(*map(range, q.shape))
    }


@lru_cache(maxsize=100_000)  # the modules of a problem are held to the same numbers
def _drawn(what: str) -> Fraction:
    source = random.Random(f"{SEED}/{what}")
    return Fraction(source.randint(100, 999), 10 ** source.randint(3, 5))


def _some(keys: Sequence[Key], seed: int) -> Sequence[Key]:
    """All entries, or a seeded choice if they are too many."""
    if len(keys) <= MOST_ENTRIES:
        return keys
    return random.Random(seed).sample(keys, MOST_ENTRIES)


# --- functions ------------------------------------------------------------------------------


def helpers(module: Module) -> Iterator[Comparison]:
    """The functions of one number that a module defines, far out as well as near zero."""
    with working():
        for name in sorted(ALONE & module.namespace.keys()):
            for x in ARGUMENTS:
                expected = EXACT.functions[name](mp.mpf(x))
                error = _distance(float(module.namespace[name](x)), expected)
                yield Comparison(f"{name}({x})", error)


# --- training -------------------------------------------------------------------------------


def trains(module: Module, data: Sequence[Values]) -> Iterator[Comparison]:
    """A short training at drawn values against the functions that it is made of."""
    names = module.namespace
    if "train" not in names:
        return
    parameters = module.parameters(tables(data[0]))
    samples = tuple(module.sample(tables(values)) for values in data)
    turns = takes_turns(module)
    # not only as many samples as there are states, or as the spec has
    for rate, count in ((float(RATE), len(samples)), (float(RATE) / 3, 2)):
        taking = samples[:count] if turns else samples[:1]
        losses, after = composed(module, parameters, taking, rate, FEW_STEPS)
        fed = taking if turns else taking[0]
        last, found = names["train"](parameters, fed, rate, len(losses) - 1)
        for k, (got, true) in enumerate(zip_longest(found, losses, fillvalue=math.nan)):
            yield Comparison(f"loss {k} of the training", relative(float(got), true))
        numbers = module.numbers(last, None)
        expected = module.numbers(after, None)
        for quantity in module.problem.graph.of_role(Role.PARAMETER):
            for key in [(quantity.name, place) for place in spread(quantity)]:
                if key in expected:
                    error = _distance(numbers.get(key), expected[key])
                    yield Comparison(f"{key} after the training", error)


def takes_turns(module: Module) -> bool:
    """Whether the training takes several samples, one after the other."""
    return "STATE" in module.namespace or bool(module.problem.samples)


def composed(
    module: Module, parameters: Any, samples: Sequence[Any], rate: float, steps: int
) -> tuple[list[float], Any]:
    """The losses of a training as far as they are finite, and the parameters after it."""
    call, state = module.namespace, module.namespace.get("STATE")
    losses = [float(call["loss"](parameters, samples[0]))]
    simultaneous = module.problem.training.order is Order.SIMULTANEOUS
    with suppress(ArithmeticError, ValueError):  # a step may leave the domain of the loss
        for step in range(1, steps + 1):
            sample = samples[(step - 1) % len(samples)]
            source = call["gradients"](parameters, sample) if simultaneous else sample
            after, kept = module.update(parameters, state, source, rate, step)
            loss = float(call["loss"](after, samples[step % len(samples)]))
            if not math.isfinite(loss):
                break
            losses.append(loss)
            parameters, state = after, kept
    return losses, parameters


# --- both -----------------------------------------------------------------------------------


def tables(values: Mapping[Key, Any]) -> dict[str, dict[tuple[int, ...], Any]]:
    """Values by quantity and place."""
    found: dict[str, dict[tuple[int, ...], Any]] = {}
    for (quantity, place), v in values.items():
        found.setdefault(quantity, {})[place] = float(v)
    return found


def _distance(found: float | None, expected: Any) -> float:
    """How far a number is from the true one, beside what doubles may be off."""
    if found is None:
        return math.nan
    true = as_double(expected)
    return relative(mp.mpf(found), true.value, within(true.error, DOUBLE_TOLERANCE))
