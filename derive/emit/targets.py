"""The targets: one row each."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import sympy

from derive.emit.c import emit_c
from derive.emit.checked import checked
from derive.emit.jax import emit_jax
from derive.emit.names import code_name
from derive.emit.numpy import emit_numpy
from derive.emit.operations import costs, table
from derive.emit.program import lower
from derive.emit.python import emit_python, python_codes
from derive.emit.scalars import Place
from derive.emit.torch import emit_torch
from derive.emit.tree import EmitError
from derive.errors import InputError, nearest
from derive.graph import Derivation
from derive.problem import Problem


def compiler() -> str | None:
    """The C compiler of this machine, if it has one."""
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)


def _no_codes(problem: Problem) -> Mapping[Place, str]:
    return {}


def _lists(table: Any) -> Any:
    return table


def _array(table: Any) -> Any:
    """Nested lists as an array; NumPy is imported only where a module of that target runs."""
    import numpy

    return numpy.asarray(table, dtype=float)


def _whole_array(table: Any) -> Any:
    """Nested lists of whole numbers as an array."""
    import numpy

    return numpy.asarray(table, dtype=numpy.int64)


def _tensor(table: Any) -> Any:
    """Nested lists as a tensor of PyTorch, which is imported only where a module of that runs."""
    torch = importlib.import_module("torch")
    return torch.tensor(table, dtype=torch.float64)


def _whole_tensor(table: Any) -> Any:
    """Nested lists of whole numbers as a tensor."""
    torch = importlib.import_module("torch")
    return torch.tensor(table, dtype=torch.int64)


def _executed(source: str, problem: Problem) -> dict[str, Any]:
    """What a module of Python defines, if nothing stands in it that no module needs."""
    namespace: dict[str, Any] = {"__name__": "emitted"}
    exec(checked(source), namespace)
    return namespace


def _compiled(source: str, problem: Problem) -> dict[str, Any]:
    """What a file of C defines; what compiles it is imported only where one is run."""
    from derive.emit.native import namespace

    loss = "" if problem.forward_only else code_name(problem.graph.loss.name)
    return namespace(source, loss)


def _nothing_missing() -> str:
    return ""


def _without(library: str) -> Callable[[], str]:
    """Why a target cannot run without a library, if that is not installed."""
    return lambda: "" if importlib.util.find_spec(library) else f"{library} is not installed"


def _without_compiler() -> str:
    return "" if compiler() else "there is no C compiler"


@dataclass(frozen=True)
class Target:
    """A target: its name, the end of its file's name, and how it is written and fed.

    `codes` gives the variable of every scalar if the module has one for each; it is empty where
    records hold tables, which `table` makes from nested lists, and of single numbers only where
    they are `made_of_single`. `namespace` is what a source defines once it runs, and `missing` why
    it cannot run here. `probe` is how a test of a module moves the entry k of x: what it imports,
    and an expression; nothing where x is a number or a tuple. `emit_single` writes the same module
    in single precision. `most` is how many multiplications
    a pass may take that is run to be checked. What is `usual` is made of every spec.
    """

    name: str
    suffix: str
    emit: Callable[[Problem, Derivation], str]
    codes: Callable[[Problem], Mapping[Place, str]] = _no_codes
    table: Callable[[Any], Any] = _lists
    whole_table: Callable[[Any], Any] = _lists
    made_of_single: bool = False
    namespace: Callable[[str, Problem], dict[str, Any]] = _executed
    missing: Callable[[], str] = _nothing_missing
    probe: tuple[str, str] | None = None
    emit_single: Callable[[Problem, Derivation], str] | None = None
    most: int = 20_000_000
    usual: bool = True


MOVED_ARRAY = "x + by * (np.arange(np.size(x)) == k).reshape(np.shape(x))"
ROWS = (
    Target(
        "python",
        "_python.py",
        emit_python,
        codes=python_codes,
        probe=("", ""),
        most=5_000_000,
    ),
    Target(
        "numpy",
        "_numpy.py",
        emit_numpy,
        table=_array,
        whole_table=_whole_array,
        missing=_without("numpy"),
        probe=("import numpy as np", MOVED_ARRAY),
    ),
    Target(
        "jax",
        "_jax.py",
        emit_jax,
        table=_array,
        whole_table=_whole_array,
        missing=_without("jax"),
        probe=("import jax.numpy as np", MOVED_ARRAY),
        usual=False,
    ),
    Target(
        "torch",
        "_torch.py",
        emit_torch,
        table=_tensor,
        whole_table=_whole_tensor,
        made_of_single=True,
        missing=_without("torch"),
        probe=("import torch", "x + by * (torch.arange(x.numel()) == k).reshape(x.shape)"),
        usual=False,
    ),
    Target(
        "c",
        ".c",
        emit_c,
        namespace=_compiled,
        missing=_without_compiler,
        emit_single=partial(emit_c, single=True),
        usual=False,
    ),
)
TARGETS: Mapping[str, Target] = {row.name: row for row in ROWS}
USUAL: Mapping[str, Target] = {name: row for name, row in TARGETS.items() if row.usual}


def target_of(name: str) -> Target:
    """The target of a name. Raises InputError if there is none."""
    if name not in TARGETS:
        raise InputError(f"unknown target '{name}'; {nearest(name, TARGETS)}")
    return TARGETS[name]


def emit(problem: Problem, derivation: Derivation, target: str, single: bool = False) -> str:
    """The source text of a whole module, in single precision if it is to be `single`.

    Raises InputError for an unknown target, or one that is not written in single precision.
    """
    row = target_of(target)
    written = row.emit_single if single else row.emit
    if written is None:
        able = ", ".join(name for name, each in TARGETS.items() if each.emit_single)
        raise InputError(f"{target} is not written in single precision; written so: {able}")
    return written(problem, derivation)


def module(problem: Problem, derivation: Derivation, target: str, single: bool = False) -> str:
    """The source of a module. Raises InputError if the target cannot compute the problem."""
    try:
        return emit(problem, derivation, target, single)
    except EmitError as error:
        raise InputError(f"no {target} module can be written: {error}") from error


def counted(problem: Problem, derivation: Derivation) -> list[str]:
    """How many operations a pass takes, in lines. Raises InputError if no target can compute it."""
    try:
        return table(costs(lower(problem, derivation, sympy.Integer(problem.batch))))
    except EmitError as error:
        raise InputError(f"no module can be written: {error}") from error
