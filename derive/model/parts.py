"""The graph of a model while it grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from math import prod
from typing import Any

import sympy

from derive.errors import InputError
from derive.expression import Axis
from derive.graph import Equation, Quantity
from derive.language import CONSTANTS
from derive.library.instantiate import Instance
from derive.names import reserved, wrong_name, wrong_reserved
from derive.problem import NodeUse, Tensor
from derive.spec import Path_, SpecFile

RATE = "alpha"


@dataclass
class Parts:
    """The graph while it grows, and the values that came with it."""

    given: dict[str, Quantity] = field(default_factory=dict)
    equations: dict[str, Equation] = field(default_factory=dict)
    values: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[NodeUse] = field(default_factory=list)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Everything that the graph has so far, by name."""
        return {**self.given, **{name: e.quantity for name, e in self.equations.items()}}

    @property
    def letters(self) -> dict[str, Axis]:
        """The letters that have one size in all equations so far."""
        found: dict[str, set[Axis]] = {}
        for equation in self.equations.values():
            for index in equation.indices:
                found.setdefault(index.name, set()).add(Axis(index.name, index.axis.size))
        return {name: axes.pop() for name, axes in found.items() if len(axes) == 1}

    def free(self, name: str) -> str:
        """A name that nothing has yet: the wanted one, or one with a number behind it."""
        numbered = (f"{name}{k}" for k in count(1))
        return next(each for each in chain([name], numbered) if each not in self.quantities)

    def add(self, name: str, row: str, made: Instance) -> None:
        """Add what a node made."""
        self.given |= {quantity.name: quantity for quantity in made.given}
        self.equations |= {equation.quantity.name: equation for equation in made.equations}
        given = tuple(quantity.name for quantity in made.given)
        defined = tuple(equation.quantity.name for equation in made.equations)
        self.nodes.append(NodeUse(name, row, given, defined, made.operands))


def check_name(file: SpecFile, path: Path_, name: str) -> None:
    """A name must be usable in equations, code and pages. Raises InputError."""
    if wrong_name(name):
        raise file.fail(path, wrong_name(name))
    if reserved(name, CONSTANTS):
        raise file.fail(path, wrong_reserved(name))
    if name.startswith("adj_"):
        raise file.fail(path, f"'{name}' is a derivative by its beginning; use another name")
    if name == RATE and "training" in file.spec.model_fields_set:
        raise file.fail(path, f"'{name}' is the learning rate of the training; use another name")


def filled(values: Any, shape: tuple[int, ...]) -> Any:
    """A single number stands for a whole tensor."""
    if values is None or isinstance(values, list):
        return values
    for size in reversed(shape):
        values = [values] * size
    return values


def nested(values: Any, shape: tuple[int, ...]) -> Any:
    """A plain list of all entries, the last index fastest, as nested lists; others as they are."""
    if not isinstance(values, list) or len(values) != prod(shape):
        return values
    if any(isinstance(value, list | dict | str) for value in values):
        return values
    for size in reversed(shape[1:]):
        values = [values[k : k + size] for k in range(0, len(values), size)]
    return values


def size_place(path: Path_, error: InputError, sizes: Mapping[str, int], where: Path_) -> Path_:
    """Where an error belongs: to the size of a letter, if the spec gives it and it is wrong."""
    return (*where, "sizes", error.letter) if error.letter in sizes else path


def letters_of(file: SpecFile) -> dict[str, Axis]:
    """The index letters whose sizes the spec states."""
    return {letter: Axis(letter, sympy.Integer(size)) for letter, size in file.spec.sizes.items()}
