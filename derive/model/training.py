"""How a model is trained: samples, optimizer and its states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from derive.errors import InputError, nearest
from derive.fields import check_count, read_tensor
from derive.graph import Graph, Quantity, Role
from derive.library.aliases import nearest_row
from derive.library.lines import ENTRIES, GIVEN, PARAMETERS, Kind, words_of
from derive.library.optimizers import OPTIMIZERS, Optimizer, check_lines
from derive.model.given import check_whole
from derive.model.parts import filled
from derive.model.rules import rule_of
from derive.names import reserved
from derive.problem import Tensor, Training
from derive.sequence import Order
from derive.spec import Path_, SpecFile


def samples_of(file: SpecFile, graph: Graph) -> tuple[Mapping[str, Tensor], ...]:
    """The given values that change from update to update."""
    found, count = [], 0
    for k, sample in enumerate(file.spec.samples):
        tensors = {}
        for name, values in sample.items():
            path: Path_ = ("samples", k, name)
            quantity = graph.quantities.get(name)
            if quantity is None or not quantity.given or quantity.role is Role.PARAMETER:
                raise file.fail(path, f"'{name}' is no input, target or constant")
            count = check_count(file, path, quantity.shape, count)
            whole = filled(values, quantity.shape)
            tensors[name] = read_tensor(file, path, whole, quantity.shape)
            check_whole(file, path, quantity.integer, tensors[name])
        found.append(tensors)
    return tuple(found)


def training_of(file: SpecFile, graph: Graph, samples: int) -> Training:
    """The optimizer with its settings and first states, and how many updates it makes.

    Nothing is trained where the spec neither says how nor gives samples.
    """
    training = file.spec.training
    parameters = {quantity.name: quantity for quantity in graph.of_role(Role.PARAMETER)}
    for k, name in enumerate(training.frozen):
        if name not in parameters:
            hint = nearest(name, parameters)
            raise file.fail(("training", "frozen", k), f"there is no parameter '{name}'; {hint}")
    steps = training.steps
    if training.epochs is not None:
        steps = training.epochs * max(1, samples)
    rule = rule_of(file, optimizer_of(file), steps)
    row = rule.optimizer
    _check_order(file, row)
    _check_apart(file, row, graph)
    for name in training.settings:
        if name not in row.settings:
            hint = nearest(name, row.settings)
            words = f"{row.name} has no such setting; {hint}"
            raise file.fail(("training", "settings", name), words)
    asked = bool(samples) or "training" in file.spec.model_fields_set
    return Training(
        rule.rate,
        steps,
        frozenset(training.frozen if asked else parameters),
        row,
        {**row.settings, **training.settings},
        dict(_states(file, row, parameters)),
        training.order,
        rule.span,
    )


def _check_order(file: SpecFile, row: Optimizer) -> None:
    """Layer by layer there is no moment at which all gradients are known."""
    of_all = any(re.search(rf"\b{PARAMETERS}\b", text) for _, text in row.lines)
    if of_all and file.spec.training.order is Order.LAYER_BY_LAYER:
        words = "what goes over all parameters needs all gradients at once: `order: simultaneous`"
        raise file.fail(("training", "order"), words)


def _check_apart(file: SpecFile, row: Optimizer, graph: Graph) -> None:
    """What the lines of an update make is computed beside the model, under names of its own."""
    if not row.looks_around:
        return
    parameters = [quantity.name for quantity in graph.of_role(Role.PARAMETER)]
    named = zip(row.written, words_of(row.written, row.states), strict=True)
    for line, (made, kept) in named:
        owners = ["now"] if line.kind is Kind.COMMON else parameters
        for name in (f"{made}_{owner}" for owner in owners):
            if name in graph.quantities and (made, kept) != ("w", True):
                words = f"the update computes something that it calls '{name}'; rename the quantity"
                raise file.fail(("training",), words)


def optimizer_of(file: SpecFile) -> Optimizer:
    """The optimizer by its name; one of the spec's own is tried out on the way."""
    name, own = file.spec.training.optimizer, file.spec.define.optimizers
    if name not in own:
        if name not in OPTIMIZERS:
            hint = nearest_row(name, {*OPTIMIZERS, *own})
            raise file.fail(("training", "optimizer"), f"unknown optimizer '{name}'; {hint}")
        return OPTIMIZERS[name]
    given = own[name]
    row = Optimizer(name, given.summary, given.equations, tuple(given.states), given.settings)
    path: Path_ = ("define", "optimizers", name)
    for each in (*row.states, *row.settings):
        if reserved(each, (*GIVEN, ENTRIES, PARAMETERS)):
            raise file.fail(path, f"'{each}' cannot be the name of a state or a setting")
    try:
        check_lines(row)
    except InputError as error:
        raise file.fail((*path, "equations"), str(error)) from None
    return row


def _states(
    file: SpecFile, row: Optimizer, parameters: Mapping[str, Quantity]
) -> Iterator[tuple[tuple[str, str], Tensor]]:
    for state, tables in file.spec.training.states.items():
        path: Path_ = ("training", "states", state)
        if state not in row.states:
            hint = nearest(state, row.states)
            raise file.fail(path, f"{row.name} has no state '{state}'; {hint}")
        for name, values in tables.items():
            if name not in parameters:
                hint = nearest(name, parameters)
                raise file.fail((*path, name), f"there is no parameter '{name}'; {hint}")
            shape = parameters[name].shape
            yield (state, name), read_tensor(file, (*path, name), filled(values, shape), shape)
