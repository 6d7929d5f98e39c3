"""Route 5, too: what a module computes in one pass, against the functions that compute it alone."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from derive.emit.run import Module, Table
from derive.graph import Role
from derive.sequence import Order
from derive.verify.meaning import Key
from derive.verify.report import Comparison
from derive.verify.routes import relative
from derive.verify.sampling import spread

RATE = 0.013  # not the learning rate of any spec
STEPS = 3


def in_one_pass(module: Module, values: Mapping[str, Table]) -> Iterator[Comparison]:
    """The loss beside the gradients, and some steps of the optimizer, at these values."""
    names, problem = module.namespace, module.problem
    if problem.forward_only:
        return
    parameters, sample = module.parameters(values), module.sample(values)
    value, slopes = names["value_and_gradients"](parameters, sample)
    yield _same("the loss beside the gradients", value, names["loss"](parameters, sample))
    alone = names["gradients"](parameters, sample)
    yield from _alike("beside the loss", module, module.slopes(slopes), module.slopes(alone))
    if "update" in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numbers may grow beyond what floats hold
            yield from _steps(module, parameters, sample)


def _steps(module: Module, parameters: Any, sample: Any) -> Iterator[Comparison]:
    """Some steps against the loss and the update, as long as their numbers are finite."""
    names = module.namespace
    state, simultaneous = names.get("STATE"), module.problem.training.order is Order.SIMULTANEOUS
    for number in range(1, STEPS + 1):
        try:
            loss = names["loss"](parameters, sample)
            source = names["gradients"](parameters, sample) if simultaneous else sample
            after = module.update(parameters, state, source, RATE, number)
        except (ArithmeticError, ValueError):  # a step may leave the domain of the loss
            return
        expected = module.numbers(*after)
        if not all(map(math.isfinite, (float(loss), *expected.values()))):
            return
        found = module.step(parameters, state, sample, RATE, number)
        yield _same(f"the loss of step {number}", found[2], loss)
        yield from _alike(f"after step {number}", module, module.numbers(*found[:2]), expected)
        parameters, state = after


def _alike(
    when: str, module: Module, found: Mapping[Key, float], expected: Mapping[Key, float]
) -> Iterator[Comparison]:
    """Entries of all quantities, or some of each; none is there on one side only."""
    given = module.problem.graph.given
    optimizer = module.problem.training.optimizer
    for quantity in given:
        own = [quantity.name]
        if quantity.role is Role.PARAMETER:
            own += [f"{state}_{quantity.name}" for state in optimizer.states]
        for key in [(name, place) for name in own for place in spread(quantity)]:
            if key in found or key in expected:
                one, other = found.get(key, math.nan), expected.get(key, math.nan)
                yield _same(f"{key} {when}", one, other)


def _same(what: str, found: Any, expected: Any) -> Comparison:
    error = relative(float(found), float(expected))
    return Comparison(what, error, float(found), float(expected))
