"""Route 5, too: what a module prints of itself, against its own functions."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from itertools import zip_longest
from types import FunctionType
from typing import Any

from derive.emit.run import Module
from derive.errors import InputError
from derive.sequence import Order
from derive.verify.report import Comparison
from derive.verify.training import FEW_STEPS, composed, takes_turns


def demonstration(module: Module) -> Iterator[Comparison]:
    """What the module prints of itself, with few updates, against its own functions."""
    call = {**module.namespace}
    if "main" not in call:
        return  # a program of its own
    parameters, sample = _demonstrated(module)
    samples = call.get("SAMPLES", (sample,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        losses: list[float] = []
        if "train" in call:
            rate = call["LEARNING_RATE"]
            losses, _ = composed(module, parameters, samples, rate, FEW_STEPS)
            if len(losses) <= FEW_STEPS:
                return  # its own training leaves the domain of the loss
            # by one pass for a step, whose last digits are its own
            fed = samples if takes_turns(module) else samples[0]
            losses = [float(loss) for loss in call["train"](parameters, fed, rate, FEW_STEPS)[1]]
        printed = _printed(module)
        expected = list(_shown(module, parameters, sample, losses))
    for (what, text), (name, v) in zip_longest(printed, expected, fillvalue=("nothing", None)):
        same = name in (what, "") and _spaced(text) == _spaced(v)
        yield Comparison(f"{name or what} as it is printed", 0.0 if same else math.nan)


def _demonstrated(module: Module) -> tuple[Any, Any]:
    call = module.namespace
    if module.problem.symbolic:
        example = call["example_parameters"](seed=0), call["example_sample"](seed=0)
        if "loss" in call:
            _check_example(call["loss"], *example)
        return example
    return call["PARAMETERS"], call["SAMPLE"]


def _check_example(loss: Callable[[Any, Any], Any], parameters: Any, sample: Any) -> None:
    """A module without the numbers of a spec must be able to show some. Raises InputError."""
    try:
        value = float(loss(parameters, sample))
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            "at the numbers between -1 and 1 that a module shows where the spec has none, the loss "
            "has no value that code can hold, up to 1.8e+308; give values"
        )


def _printed(module: Module) -> list[tuple[str, str]]:
    """The names and values that the module prints."""
    out, own = io.StringIO(), module.namespace["main"]
    few = {**module.namespace, "STEPS": FEW_STEPS}  # the real number is compared with the spec
    with redirect_stdout(out):
        FunctionType(own.__code__, few)()
    found: list[tuple[str, str]] = []
    for line in out.getvalue().splitlines():
        name, sign, text = line.partition(" = ")
        if sign:
            found.append((name, text))
        else:  # the next row of a matrix
            what, before = found.pop()
            found.append((what, f"{before} {line}"))
    return found


def _shown(
    module: Module, parameters: Any, sample: Any, losses: Sequence[float]
) -> Iterator[tuple[str, str]]:
    """What a module prints: its records if it is small, then the loss; those lines have words."""
    call = module.namespace
    updated = None
    if losses:
        simultaneous = module.problem.training.order is Order.SIMULTANEOUS
        source = call["gradients"](parameters, sample) if simultaneous else sample
        rate = call["LEARNING_RATE"]
        updated, _ = module.update(parameters, call.get("STATE"), source, rate, 1)
    if "show" in call:
        yield from _fields(call["forward"](parameters, sample))
        if not module.problem.forward_only:
            yield from _fields(call["gradients"](parameters, sample))
        if updated is not None:
            yield from ((f"{name}_new", text) for name, text in _fields(updated))
    if module.problem.forward_only:
        if "show" not in call:
            yield [*_fields(call["forward"](parameters, sample))][-1]
        return
    if updated is None:
        yield "", f"{call['loss'](parameters, sample)}"
        return
    yield "", str(losses[0])
    yield "", f"{call['loss'](updated, sample)}"
    yield "", str(losses[-1])


def _fields(record: Any) -> Iterator[tuple[str, str]]:
    yield from ((name, f"{v}") for name, v in record._asdict().items())


def _spaced(text: str | None) -> str:
    return " ".join((text or "").split())
