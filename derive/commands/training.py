"""The command that trains on data: it reads them, keeps what was reached, and tells the losses."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from derive.api import load as load_problem
from derive.backprop import differentiate
from derive.edge import GOOD, progress
from derive.emit import module
from derive.emit.program import takes_any_batch
from derive.emit.run import load
from derive.errors import InputError, shown
from derive.files import Files, sweep
from derive.problem import Problem

if TYPE_CHECKING:  # what needs NumPy is loaded by those who train
    from derive.train.course import Plan, Standing
    from derive.train.data import Data

CHECKPOINT = "checkpoint.npz"
EVERY = 5.0  # seconds between what is kept
TOLD = 20  # epochs that are told one by one


def train(options: argparse.Namespace) -> int:
    """Train the parameters of a spec on data. Raises InputError."""
    if importlib.util.find_spec("numpy") is None:
        raise InputError("training needs NumPy: pip install numpy")
    from derive.train.course import beginning
    from derive.train.kept import unpacked

    _check_numbers(options)
    problem = load_problem(options.spec, options.run)
    with progress("deriving, and reading the data"):
        plan, of = _plan(problem, options)
    start, path = beginning(plan.module, options.seed), options.output / CHECKPOINT
    sweep(options.output)
    if path.exists() and not options.resume:
        raise InputError(
            f"{shown(str(options.output))} holds a training already; --resume goes on with it, "
            "and --output names another folder"
        )
    if options.resume and not path.is_file():
        raise InputError(f"there is no training to go on with in {shown(str(options.output))}")
    if options.resume:
        start, before = unpacked(path.read_bytes(), start)
        _check_same(before, of)
        print(f"going on after {start.number:,} updates")
    standing = _trained(plan, start, options, of)
    _told(plan, standing)
    print(f"wrote parameters.npz, history.csv and loss.svg in {options.output}")
    return GOOD


def _check_numbers(options: argparse.Namespace) -> None:
    for name in ("epochs", "batch"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InputError(f"--{name} is at least 1, not {value}")
    if options.seed < 0:
        raise InputError(f"--seed is at least 0, not {options.seed}")
    rate = options.learning_rate
    if rate is not None and not 0 < rate < math.inf:
        raise InputError(f"--learning-rate is above 0, not {rate:g}")


def _plan(problem: Problem, options: argparse.Namespace) -> tuple[Plan, Mapping[str, Any]]:
    """What is trained on what, and what tells it from another training. Raises InputError."""
    from derive.train.course import Plan
    from derive.train.data import fitted, wanted
    from derive.train.files import arrays

    if problem.forward_only:
        raise InputError("nothing can be trained: the spec has no loss")
    want = wanted(problem)
    data = fitted(arrays(options.data), want)
    test = fitted(arrays(options.test), want) if options.test else None
    batch = _batch(problem, takes_any_batch(problem), data, options.batch)
    for each, what in ((data, "data"), (test, "test data")):
        if each is not None and each.count < batch:
            raise InputError(f"a batch has {batch:,} samples; the {what} have {each.count:,}")
    if problem.training.span:
        updates = options.epochs * (data.count // batch)
        problem = replace(problem, training=problem.training.lasting(updates))
    derivation = differentiate(problem.graph, problem.wanted)
    source = module(problem, derivation, "numpy")
    emitted = load(problem, source, "numpy")
    if "step" not in emitted.namespace:
        raise InputError("nothing can be trained: the spec has no parameter that is trained")
    rate = options.learning_rate or float(problem.training.learning_rate)
    plan = Plan(emitted, data, batch, options.seed, not options.in_order, rate, test)
    digest = hashlib.sha256(source.encode())
    for given in (data, test):
        for name, array in sorted(given.varying.items()) if given else ():
            digest.update(f"{name}{array.shape}".encode() + array.tobytes())
    epochs = {"number of epochs": options.epochs} if problem.training.span else {}
    of = {
        **epochs,
        "spec and data": digest.hexdigest(),
        "batch": batch,
        "seed": options.seed,
        "learning rate": rate,
        "shuffled": plan.shuffled,
    }
    return plan, of


def _batch(problem: Problem, free: bool, data: Data, asked: int | None) -> int:
    """How many samples an update takes. Raises InputError."""
    if data.one_by_one:
        fixed = 1
    elif free:
        return asked or problem.batch
    else:
        first = next(iter(data.varying))
        fixed = problem.graph.quantities[first].axes[0].length
    if asked not in (None, fixed):
        raise InputError(f"the spec takes {fixed} samples at a time; --batch {asked} is another")
    return fixed


def _check_same(before: Mapping[str, Any], of: Mapping[str, Any]) -> None:
    """Whether a checkpoint is of this training. Raises InputError."""
    for what, value in of.items():
        if before.get(what) != value:
            told = what if what == "spec and data" else f"{what} ({before.get(what)})"
            raise InputError(
                f"the training was begun with another {told}; without --resume and with another "
                "--output it begins anew"
            )


def _trained(
    plan: Plan, start: Standing, options: argparse.Namespace, of: Mapping[str, Any]
) -> Standing:
    """Where the training stands at its end; what is reached is kept on the way."""
    from derive.train.course import course
    from derive.train.kept import packed

    standing, kept, told = start, time.monotonic(), len(start.history)

    def so_far() -> str:
        return f"epoch {standing.epoch} of {options.epochs}, update {standing.number:,}"

    def keep() -> None:
        with Files(options.output) as files:
            files.add(CHECKPOINT, packed(standing, of))
            _add_results(files, plan, standing)
            files.commit()

    try:
        with progress(so_far):
            for standing in course(plan, start, options.epochs):
                if len(standing.history) > told and options.epochs <= TOLD:
                    told = len(standing.history)
                    _tell(standing)
                if time.monotonic() - kept > EVERY:
                    keep()
                    kept = time.monotonic()
    finally:
        keep()
    return standing


def _add_results(files: Files, plan: Plan, standing: Standing) -> None:
    from derive.train.kept import picture, table, weights

    files.add("parameters.npz", weights(standing.parameters))
    if standing.history:
        title = next(iter(plan.module.problem.title.values()), "")
        files.add("history.csv", table(standing.history).encode())
        files.add("loss.svg", picture(standing.history, title).encode())


def _tell(standing: Standing) -> None:
    line = standing.history[-1]
    test = "" if line.test is None else f", of the test data {line.test:.6g}"
    print(f"epoch {line.epoch}: mean loss {line.loss:.6g}{test}", flush=True)


def _told(plan: Plan, standing: Standing) -> None:
    """What came of it."""
    if len(standing.history) > TOLD:
        _tell(standing)
    left = plan.data.count - plan.updates * plan.batch
    waiting = f"; {left} of {plan.data.count:,} fill no batch in an epoch" if left else ""
    print(f"{standing.number:,} updates by {plan.batch} at a time{waiting}")
