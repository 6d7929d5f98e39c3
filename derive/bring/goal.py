"""What a model is to be trained for: a loss of the library, its own, or gradients from above."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from derive.bring.operation import Given, Value
from derive.bring.writer import Writer
from derive.errors import InputError, nearest
from derive.graph import Role
from derive.library.losses import BY_NAME, loss_layer
from derive.library.row import signature

NONE = "none"
ABOVE = "<values>"  # where the values of a gradient from above stand
CALLED = {
    "mse": "mean_squared_error",
    "l1": "mean_absolute_error",
    "mae": "mean_absolute_error",
    "cross_entropy": "label_cross_entropy_logits",
    "sparse_categorical_crossentropy": "label_cross_entropy",
    "categorical_crossentropy": "categorical_cross_entropy",
    "nll": "negative_log_likelihood",
    "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy_logits",
    "binary_crossentropy": "binary_cross_entropy",
}
# What fits to the operation that a model ends with.
USUAL = {
    "log_softmax": "negative_log_likelihood",
    "_log_softmax": "negative_log_likelihood",
    "softmax": "label_cross_entropy",
    "_softmax": "label_cross_entropy",
    "sigmoid": "binary_cross_entropy",
}


@dataclass(frozen=True)
class Goal:
    """The lines of a spec that say the loss, and the targets that it reads."""

    lines: tuple[str, ...]
    targets: Mapping[str, Given] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    entries: int = 0  # of the gradients from above


def goal(writer: Writer, asked: str) -> Goal:
    """The loss that is asked for; if none is, one that fits to the model. Raises InputError."""
    outputs = list(dict.fromkeys(writer.traced.outputs))
    for name in outputs:
        writer.quantity(name)
    numbers = [name for name in outputs if writer.values[name].shape == ()]
    if not asked and len(numbers) == 1:
        own = writer.quantities[numbers[0]]
        return Goal((f"loss: {own}",), notes=(f"the loss is what the model computes: {own}",))
    if asked == NONE or (not asked and len(outputs) > 1):
        return _from_above(writer, outputs, bool(asked))
    first = outputs[0]
    asked = asked or writer.traced.loss
    row = CALLED.get(asked, asked) or _usual(writer, first)
    if row not in BY_NAME:
        hint = nearest(row, (*BY_NAME, *CALLED, NONE))
        raise InputError(f"--loss: no loss is called '{asked}'; {hint}")
    return _of_library(writer, first, row, bool(asked))


def _usual(writer: Writer, output: str) -> str:
    last = (x.kind for x in writer.traced.operations if output in x.outputs)
    return USUAL.get(next(last, ""), "mean_squared_error")


def _from_above(writer: Writer, outputs: list[str], asked: bool) -> Goal:
    lines = ["upstream:"]
    for name in outputs:
        shape = list(writer.values[name].shape)
        lines.append(f"  {writer.quantities[name]}: {{shape: {shape}{ABOVE}}}")
    names = tuple(f"upstream.{writer.quantities[name]}" for name in outputs)
    count = sum(math.prod(writer.values[name].shape) for name in outputs)
    words = "no loss was asked for, and there are several results: the gradient by each is given"
    return Goal(tuple(lines), notes=() if asked else (words,), above=names, entries=count)


def _of_library(writer: Writer, output: str, row: str, asked: bool) -> Goal:
    layer, _ = loss_layer(row)
    shape = writer.values[output].shape
    own, *others = (signature(text) for text in layer.inputs)
    if len(others) != 1 or own.open is None or len(own.letters) > 1:
        words = "reads more than an output and a target; write it under 'loss:' of the spec"
        raise InputError(f"--loss: {row} {words}, or say --loss none")
    if len(own.letters) > len(shape):
        raise InputError(f"--loss: {row} reads a table, but the result is a single number")
    labels = len(others[0].letters) < len(own.letters)
    name, target = "target", writer.names.new("target")
    writer.quantities[name] = target
    writer.values[name] = Value(shape[:-1] if labels else shape, whole=labels)
    line = f"loss: {{loss: {row}, inputs: [{writer.quantities[output]}, {target}]}}"
    words = f"the loss is {row} of {writer.quantities[output]}"
    words += "" if asked else "; --loss names another one"
    return Goal((line,), {name: Given("target", Role.TARGET)}, (words,))
