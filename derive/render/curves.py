"""The curves of a page: the loss along one weight and over the updates, from the emitted module."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from derive.emit import load
from derive.emit.run import Module
from derive.expression import Element
from derive.problem import Problem
from derive.render.drawings import Curves, Point
from derive.render.order import path_view, weights_in_order

POINTS = 81
MOST_TRAINING_POINTS = 120
FAILURES = (ArithmeticError, ValueError)  # beyond doubles, or where a function has no value
MOST_WORK = 600_000  # numbers to be computed, one after the other
SPAN = 22  # half the width of the slice, in lengths of the step


def curves(problem: Problem, source: str) -> Curves | None:
    """The curves at the spec's values; None for a symbolic problem or one that overflows."""
    if problem.symbolic:
        return None
    module = load(problem, source, "python")
    weight = _followed(problem, module)
    if weight is None:
        return None
    place = tuple(int(index) for index in weight.indices)
    start = float(problem.values[weight.name][place])

    def loss(value: float) -> float:
        moved = {**problem.values[weight.name], place: value}
        return module.loss({weight.name: moved})

    try:
        done = module.run()
        slope = done.gradients.get((weight.name, place), 0.0)
        step = float(problem.training.learning_rate) * slope
        slice_ = _slice(loss, start, step)
        updated = start - step
        current, after = (start, done.loss), (updated, loss(updated))
        training = _training(problem, module.namespace)
    except FAILURES:
        return None
    finite = all(math.isfinite(y) for _, y in (*slice_, *training, current, after))
    return Curves(weight, slice_, current, after, slope, training) if finite else None


def training_curve(problem: Problem, source: str) -> Sequence[tuple[int, float]]:
    """The loss over the updates of a model with one sample; nothing if it leaves the doubles.

    Nor is there any where nothing is trained, or the loss is not seen.
    """
    if problem.symbolic or problem.samples or problem.upstream:
        return []
    try:
        found = _training(problem, load(problem, source, "python").namespace)
    except FAILURES:
        return []
    return found if all(math.isfinite(value) for _, value in found) else []


def _followed(problem: Problem, module: Module) -> Element | None:
    """The weight of the slice: the first that is told, or the steepest of the last layer."""
    weights = [w for w in weights_in_order(problem) if w.name not in problem.training.frozen]
    if path_view(problem):
        return weights[0]
    try:
        slopes = module.run().gradients
    except FAILURES:
        return None
    last = [w for w in weights if w.name == weights[0].name]
    return max(last, key=lambda w: abs(slopes[w.name, tuple(map(int, w.indices))]))


def _slice(loss: Callable[[float], float], start: float, step: float) -> list[Point]:
    half = SPAN * abs(step) if step else 1.0
    middle = start - step / 2
    xs = [middle - half + 2 * half * k / (POINTS - 1) for k in range(POINTS)]
    return [(x, loss(x)) for x in xs]


def _training(problem: Problem, namespace: Any) -> list[tuple[int, float]]:
    """The loss after some of the updates; nothing if that would take too long."""
    steps = problem.training.steps
    sizes = [math.prod(q.shape) for q in problem.graph.quantities.values()]
    if steps == 0 or steps * sum(sizes) > MOST_WORK or "train" not in namespace:
        return []  # a module without parameters trains nothing
    sample = namespace["SAMPLE"]
    samples = (sample,) if "STATE" in namespace else sample  # a module with states takes several
    _, losses = namespace["train"](
        namespace["PARAMETERS"], samples, namespace["LEARNING_RATE"], steps
    )
    spread = max(1, steps // MOST_TRAINING_POINTS)
    shown = sorted({*range(0, steps + 1, spread), steps})
    return [(k, float(losses[k])) for k in shown]
