"""How a model is trained: samples, optimizer and its states; and what others published of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from derive.errors import InputError, nearest
from derive.fields import read_tensor
from derive.functions import BY_NAME
from derive.graph import Graph, Quantity, Role
from derive.language import IDENTIFIER
from derive.library.optimizers import GIVEN, OPTIMIZERS, Optimizer, parse_update
from derive.model.parts import filled
from derive.problem import Published, Tensor, Training
from derive.schema import PublishedSpec
from derive.spec import Path_, SpecFile


def samples_of(file: SpecFile, graph: Graph) -> tuple[Mapping[str, Tensor], ...]:
    """The given values that change from update to update."""
    found = []
    for k, sample in enumerate(file.spec.samples):
        tensors = {}
        for name, values in sample.items():
            path: Path_ = ("samples", k, name)
            quantity = graph.quantities.get(name)
            if quantity is None or not quantity.given or quantity.role is Role.PARAMETER:
                raise file.fail(path, f"'{name}' is no input, target or constant")
            whole = filled(values, quantity.shape)
            tensors[name] = read_tensor(file, path, whole, quantity.shape)
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
    row = _optimizer(file)
    for name in training.settings:
        if name not in row.settings:
            hint = nearest(name, row.settings)
            words = f"{row.name} has no such setting; {hint}"
            raise file.fail(("training", "settings", name), words)
    steps = training.steps
    if training.epochs is not None:
        steps = training.epochs * max(1, samples)
    asked = bool(samples) or "training" in file.spec.model_fields_set
    return Training(
        training.learning_rate,
        steps,
        frozenset(training.frozen if asked else parameters),
        row,
        {**row.settings, **training.settings},
        dict(_states(file, row, parameters)),
        training.order,
    )


def _optimizer(file: SpecFile) -> Optimizer:
    """The optimizer by its name; one of the spec's own is tried out on the way."""
    name, own = file.spec.training.optimizer, file.spec.define.optimizers
    if name not in own:
        if name not in OPTIMIZERS:
            hint = nearest(name, {*OPTIMIZERS, *own})
            raise file.fail(("training", "optimizer"), f"unknown optimizer; {hint}")
        return OPTIMIZERS[name]
    given = own[name]
    row = Optimizer(name, given.summary, given.equations, tuple(given.states), given.settings)
    path: Path_ = ("define", "optimizers", name)
    for each in (*row.states, *row.settings):
        if not IDENTIFIER.match(each) or each in GIVEN or each in BY_NAME:
            raise file.fail(path, f"'{each}' cannot be the name of a state or a setting")
    try:
        parse_update(row, {})
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


def published(file: SpecFile, graph: Graph) -> Iterator[Published]:
    """Published numbers; a table is a number for each of its places."""
    for k, each in enumerate(file.spec.published):
        path: Path_ = ("published", k)
        _check_table(file, path, each, graph)
        for place, text in _entries(file, path, each.printed):
            yield Published(_at(each.name, place), text, each.where, each.misprint, each.slack)


def _check_table(file: SpecFile, path: Path_, each: PublishedSpec, graph: Graph) -> None:
    """A table has the shape of what it is a table of."""
    stem = each.name.rstrip("+").partition("@")[0].rpartition("/d")[2].strip()
    name, _, fixed = stem.partition("[")
    quantity = graph.quantities.get(name)
    if quantity is None or not isinstance(each.printed, list):
        return
    shape = quantity.shape[len(fixed.rstrip("]").split(",")) if fixed else 0 :]
    if _shape_of(each.printed) != shape:
        size = " x ".join(map(str, shape)) or "a single number"
        raise file.fail((*path, "printed"), f"'{stem}' is {size}, and this table is not")


def _shape_of(table: Any) -> tuple[int, ...] | None:
    """The shape of nested lists; None if they are ragged."""
    if not isinstance(table, list):
        return ()
    inner = {_shape_of(part) for part in table}
    shape = inner.pop() if len(inner) == 1 else None
    return None if shape is None else (len(table), *shape)


def _plain(text: str) -> str:
    """A print as digits with a sign: `−.85 ` is `-0.85`."""
    text = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    return re.sub(r"^([-+]?)\.", r"\g<1>0.", text)


def _entries(file: SpecFile, path: Path_, printed: Any) -> Iterator[tuple[tuple[int, ...], str]]:
    if isinstance(printed, str):
        yield (), _plain(printed)
    elif isinstance(printed, list):
        for k, part in enumerate(printed):
            for place, text in _entries(file, path, part):
                yield (k, *place), text
    else:
        raise file.fail((*path, "printed"), "a print is a number, or nested lists of numbers")


def _at(name: str, place: tuple[int, ...]) -> str:
    """`dE/dW` at (0, 1) is `dE/dW[0,1]`; what marks an update stays at the end."""
    if not place:
        return name
    stem = name.rstrip("+").partition("@")[0]
    rest = name[len(stem) :]
    indices = ",".join(map(str, place))
    if stem.endswith("]"):  # a row: `W[1]` at (0,) is `W[1,0]`
        return f"{stem[:-1]},{indices}]{rest}"
    return f"{stem}[{indices}]{rest}"
