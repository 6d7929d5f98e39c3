"""Seeded faults in whole modules and pages: every one is found, or changes nothing anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import derive
from derive import Made
from derive.emit import load
from derive.emit.run import Module
from derive.render.order import path_view
from derive.verify import Status, of_model
from derive.verify.bench import Bench
from derive.verify.modules import Batch, Point, module_route, more_points, other_batches, point
from derive.verify.oracle import true_values
from derive.verify.pages import text_route
from derive.verify.sampling import drawn_values, of_batch, spec_values
from derive.verify.training import tables
from derive.verify.trajectory import Trajectory
from tests.sampled import sampled
from tests.verify.mutants import chosen, module_mutants, page_mutants
from tests.verify_support import SOFT, problem

DENSE = (
    "parameters: {W: [[0.1, 0.4], [-0.6, 0.3]], b: [0.1, 0.2], v: [0.7, -0.4]}\n"
    "inputs: {x: [0.5, -0.3]}\ntargets: {t: 0.2}\n"
    "model: ['h[k] = logistic(sum(i, W[k,i]*x[i]) + b[k])', 'y = sum(k, v[k]*h[k])', "
    "'E = (y - t)**2/2']\n"
)
TAKEN_IN_TURN = (
    "samples: [{x: [0.5, -0.3], t: 0.2}, {x: [0.1, 0.9], t: 0.8}, {x: [-0.4, 0.2], t: 0.5}]\n"
)
TRAINING = "training: {optimizer: %s, learning_rate: 0.02, steps: 4}\n"
RECURRENT = """
inputs: {x: {shape: [3, 2]}}
targets: {z: {shape: [3]}}
parameters: {W: {shape: [2, 2]}, U: {shape: [2, 2]}, v: {shape: [2]}}
model:
  - h[t,k] = tanh(sum(i, W[k,i]*x[t,i]) + sum(j, U[k,j]*h[t-1,j]))
  - y[n] = sum(k, v[k]*h[n,k])
loss: E = sum(n, (y[n] - z[n])**2)/2
"""
KINKS = """
inputs: {x: {shape: [4]}}
parameters: {w: {shape: [4]}}
model:
  - y[i] = max(x[i]*w[i], 0)
  - z = max(i, y[i] + x[i])
loss: E = z**2 + sum(i, where(y[i] > x[i], y[i]**2, x[i]*w[i]))
"""
MEAN = """
network:
  inputs: 2
  layers:
    - {dense: 3, activation: relu}
    - {dense: 2, activation: identity}
  loss: {name: mean_squared_error, batch: mean}
training: {learning_rate: 0.1, steps: 7}
"""
CLASSES = """
inputs: {x: {shape: [2, 2]}}
targets: {t: {shape: [2, 3]}}
parameters: {W: {shape: [3, 2]}}
model:
  - z[n,h] = sum(i, W[h,i]*x[n,i])
  - y[n,h] = exp(z[n,h])/sum(k, exp(z[n,k]))
loss: E = -sum(n, h, t[n,h]*log(y[n,h]))
"""
ORDERED = "training: {optimizer: adamw, learning_rate: 0.02, steps: 4, order: layer_by_layer}\n"
SPECS = {
    "softmax": SOFT,
    "mean": MEAN,
    "adam": DENSE + TAKEN_IN_TURN + TRAINING % "adam",
    "momentum": DENSE + TRAINING % "momentum",
    "rmsprop": DENSE + TAKEN_IN_TURN + TRAINING % "rmsprop",
    "adagrad": DENSE + TRAINING % "adagrad",
    "adamw": DENSE + TRAINING % "adamw",
    "in order": DENSE + ORDERED,
    "first states": DENSE
    + "training: {optimizer: momentum, steps: 4, states: {v: {W: [[1, 2], [3, 4]]}}}\n",
    "recurrent": RECURRENT + TRAINING % "adadelta",
    "kinks": KINKS,
    "classes": CLASSES,
}
MODULES, PAGES = 26, 13  # mutants of each
NEAR = 1e-9
KNOWN = (r"symbol: '\\max' is 'j'",)  # a letter in place of a function that begins a paragraph


@cache
def whole(name: str) -> Made:
    return derive.make(problem(SPECS[name], name), ["en", "ko"])


@cache
def judged_at(name: str) -> tuple[list[Point], Trajectory | None, list[Batch]]:
    """What `verify` holds a module to."""
    made, own = whole(name), spec_values(whole(name).problem)
    given = [given_values(made, 1), *([] if own is None else [own])]
    points = [point(made.problem, Bench(made.derivation, values)) for values in given]
    more = more_points(made.derivation, [given_values(made, seed) for seed in range(2, 10)])
    points[1:1] = more
    trajectory = None
    if made.problem.is_model and own is not None:
        trajectory = Trajectory(made.problem, made.derivation, own)
    return points, trajectory, other_batches(made.problem)


def given_values(made: Made, seed: int) -> Any:
    if made.problem.is_model:
        return of_model.model_values(made.problem, made.derivation, seed)
    return drawn_values(made.problem.graph, seed)


def agrees(name: str, target: str, source: str) -> bool:
    points, trajectory, batches = judged_at(name)
    problem = whole(name).problem
    route, _ = module_route(target, source, problem, points, trajectory, batches)
    return route.status is Status.AGREES


def behaviour(name: str, target: str, source: str) -> Iterator[float]:
    """What a module makes of values at which it was not judged, and of trainings."""
    made = whole(name)
    module = load(made.problem, source, target)
    for seed in range(11, 17):
        values = tables(given_values(made, seed))
        done = module.run(values)
        yield from (*done.forward.values(), *done.gradients.values(), *done.updated.values())
        yield from trained(module, values)
    if not made.problem.is_model and target == "numpy":
        graph = of_batch(made.problem, 5)
        other = Module(
            replace(made.problem, graph=graph, values={}, batch=5),
            module.namespace,
            module.codes,
            module.table,
            module.whole_table,
        )
        done = other.run(tables(drawn_values(graph, 5)))
        yield from (*done.forward.values(), *done.gradients.values())


def trained(module: Module, values: Any) -> Iterator[float]:
    call = module.namespace
    if "train" not in call:
        return
    sample = module.sample(values)
    turns = "STATE" in call or bool(module.problem.samples)
    last, losses = call["train"](
        module.parameters(values), (sample,) * 2 if turns else sample, 0.01, 4
    )
    yield from map(float, losses)
    yield from module.numbers(last, None).values()


def changes_nothing(name: str, target: str, source: str) -> bool:
    """Whether a module does the same as the emitted one, wherever it is tried."""
    original = list(behaviour(name, target, whole(name).modules[target]))
    found = list(behaviour(name, target, source))
    return len(found) == len(original) and all(
        math.isclose(a, b, rel_tol=NEAR, abs_tol=NEAR) for a, b in zip(found, original, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("name", sampled(SPECS, 11))
def test_a_mutated_module_is_caught_or_computes_the_same(name: str, target: str) -> None:
    pytest.importorskip("numpy")
    source = whole(name).modules[target]
    assert agrees(name, target, source)
    mutants = chosen(module_mutants(source), MODULES, 3)
    passing = [each for each in mutants if agrees(name, target, each.text)]
    assert [m.what for m in passing if not changes_nothing(name, target, m.text)] == []
    assert len(passing) < len(mutants) / 3


# --- pages ----------------------------------------------------------------------------------


@cache
def truth(name: str) -> Any:
    made, own = whole(name), spec_values(whole(name).problem)
    problem, derivation = made.problem, made.derivation
    if not problem.is_model:
        drawn = own or (drawn_values(problem.graph, 1) if path_view(problem) else None)
        return {} if drawn is None else true_values(problem, drawn)
    if own is None:
        return {}
    trajectory = Trajectory(problem, derivation, own)
    return of_model.true_values_of_model(problem, Bench(derivation, own), trajectory)


def page_agrees(name: str, language: str, text: str) -> bool:
    made = whole(name)
    route = text_route(language, text, made.page, made.problem, truth(name), made.derivation)
    return route.status is Status.AGREES


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", SPECS)
def test_a_mutated_page_is_caught(name: str, language: str) -> None:
    text = whole(name).texts[language]
    assert page_agrees(name, language, text)
    mutants = chosen(page_mutants(text), PAGES, 3)
    passing = [each.what for each in mutants if page_agrees(name, language, each.text)]
    assert [what for what in passing if not what.endswith(KNOWN)] == []
