"""The course of a training: where it stands, and one update after the other.

The samples of an epoch are drawn anew from the seed and the number of the epoch, so that a training
that is taken up again goes on as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.emit.names import code_name
from derive.emit.run import Module
from derive.errors import InputError
from derive.train.data import Data

Array = NDArray[Any]


@dataclass(frozen=True)
class Plan:
    """What is trained on what: `batch` samples an update, in a drawn order if `shuffled`."""

    module: Module
    data: Data
    batch: int
    seed: int
    shuffled: bool
    learning_rate: float
    test: Data | None = None

    @property
    def updates(self) -> int:
        """How many updates an epoch has; samples that fill no batch wait for the next epoch."""
        return self.data.count // self.batch

    def order(self, epoch: int) -> Array:
        """The places of the samples of an epoch, in the order in which they come."""
        if not self.shuffled:
            return np.arange(self.data.count)
        drawn: Array = np.random.default_rng((self.seed, epoch)).permutation(self.data.count)
        return drawn

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """The field of the record of samples that a quantity has, by its name."""
        names = (*self.data.varying, *self.data.constant)
        return {name: code_name(name) for name in names}

    def sample(self, data: Data, chosen: Array) -> Any:
        """The record of some samples."""
        values = data.batch(chosen)
        return self.module.namespace["Sample"](
            **{self.fields[name]: _plain(value) for name, value in values.items()}
        )


def _plain(value: Array) -> Any:
    """An array as it is; a single number as a number."""
    return value if np.ndim(value) else value.item()


@dataclass(frozen=True)
class Line:
    """A finished epoch: the mean of the losses before its updates, and the loss of other data."""

    epoch: int
    updates: int
    loss: float
    test: float | None = None


@dataclass(frozen=True)
class Standing:
    """Where a training stands: before update `place` of an epoch, `number` updates done.

    `total` adds up the losses of this epoch so far.
    """

    parameters: Any
    state: Any
    epoch: int = 1
    place: int = 0
    number: int = 0
    total: float = 0.0
    history: tuple[Line, ...] = ()


def beginning(module: Module, seed: int) -> Standing:
    """Before the first update: the values of the spec, or drawn ones where it has none."""
    call = module.namespace
    parameters = call["PARAMETERS"] if "PARAMETERS" in call else call["example_parameters"](seed)
    return Standing(parameters, call.get("STATE"))


def course(plan: Plan, standing: Standing, epochs: int) -> Iterator[Standing]:
    """Where the training stands after each update, up to the end of its last epoch.

    Raises InputError if the loss is no longer a number.
    """
    while standing.epoch <= epochs:
        order = plan.order(standing.epoch)
        while standing.place < plan.updates:
            first = standing.place * plan.batch
            standing = _updated(plan, standing, order[first : first + plan.batch])
            if standing.place < plan.updates:
                yield standing
        standing = _finished(plan, standing)
        yield standing


def _updated(plan: Plan, now: Standing, chosen: Array) -> Standing:
    sample, number = plan.sample(plan.data, chosen), now.number + 1
    with np.errstate(all="ignore"):
        parameters, state, loss = plan.module.step(
            now.parameters, now.state, sample, plan.learning_rate, number
        )
    if not np.isfinite(loss):
        raise InputError(
            f"the loss is no number in update {number:,}, epoch {now.epoch}; a smaller learning "
            f"rate than {plan.learning_rate:g}, or data of another scale, would keep it finite"
        )
    return replace(
        now,
        parameters=parameters,
        state=state,
        place=now.place + 1,
        number=number,
        total=now.total + loss,
    )


def _finished(plan: Plan, now: Standing) -> Standing:
    """The end of an epoch, which is the beginning of the next one."""
    test = None if plan.test is None else loss_of(plan, plan.test, now.parameters)
    line = Line(now.epoch, now.number, now.total / plan.updates, test)
    return replace(now, epoch=now.epoch + 1, place=0, total=0.0, history=(*now.history, line))


def loss_of(plan: Plan, data: Data, parameters: Any) -> float:
    """The mean loss of all whole batches of some data."""
    firsts = range(0, data.count - plan.batch + 1, plan.batch)
    with np.errstate(all="ignore"):
        losses = [
            float(plan.module.namespace["loss"](parameters, plan.sample(data, places)))
            for places in (np.arange(first, first + plan.batch) for first in firsts)
        ]
    return sum(losses) / len(losses)
