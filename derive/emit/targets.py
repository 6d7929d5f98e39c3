"""The targets: one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from derive.emit.numpy import emit_numpy
from derive.emit.python import emit_python, python_codes
from derive.emit.scalars import Place
from derive.emit.tree import EmitError
from derive.errors import InputError, nearest
from derive.graph import Derivation
from derive.problem import Problem


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


@dataclass(frozen=True)
class Target:
    """A target: its name, the end of its file's name, and how it is written and fed.

    `codes` gives the variable of every scalar if the module has one for each; it is empty where
    records hold tables, which `table` makes from nested lists.
    """

    name: str
    suffix: str
    emit: Callable[[Problem, Derivation], str]
    codes: Callable[[Problem], Mapping[Place, str]]
    table: Callable[[Any], Any]
    whole_table: Callable[[Any], Any]


ROWS = (
    Target("python", "_python.py", emit_python, python_codes, _lists, _lists),
    Target("numpy", "_numpy.py", emit_numpy, _no_codes, _array, _whole_array),
)
TARGETS: Mapping[str, Target] = {row.name: row for row in ROWS}


def emit(problem: Problem, derivation: Derivation, target: str) -> str:
    """The source text of a whole module. Raises InputError for an unknown target."""
    if target not in TARGETS:
        raise InputError(f"unknown target '{target}'; {nearest(target, TARGETS)}")
    return TARGETS[target].emit(problem, derivation)


def module(problem: Problem, derivation: Derivation, target: str) -> str:
    """The source of a module. Raises InputError if the target cannot compute the problem."""
    try:
        return emit(problem, derivation, target)
    except EmitError as error:
        raise InputError(f"no {target} module can be written: {error}") from error
