"""Route 5, too: what a module computes in one pass, against the functions that compute it alone."""

from __future__ import annotations

import math
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
    if "update" not in names:
        return
    state = names.get("STATE")
    for number in range(1, STEPS + 1):
        with_loss = module.step(parameters, state, sample, RATE, number)
        yield _same(f"the loss of step {number}", with_loss[2], names["loss"](parameters, sample))
        source = sample
        if problem.training.order is Order.SIMULTANEOUS:
            source = names["gradients"](parameters, sample)
        parameters, state = module.update(parameters, state, source, RATE, number)
        found, expected = module.numbers(*with_loss[:2]), module.numbers(parameters, state)
        yield from _alike(f"after step {number}", module, found, expected)


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
    return Comparison(what, relative(float(found), float(expected)))
