"""The operations that a model of another program consists of: one list, from wherever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from derive.bring.table import Table
from derive.graph import Role

REFUSED = "refused"  # the operation that a reader could not make; it says why


class Unsayable(Exception):
    """An operation that a spec cannot say, with the reason in words."""


@dataclass(frozen=True)
class Ref:
    """A value that an operation reads, by its name."""

    name: str


Argument: TypeAlias = "Ref | int | float | str | tuple[Argument, ...] | None"


def refs(argument: Argument) -> Iterator[str]:
    """The values that an argument reads."""
    if isinstance(argument, Ref):
        yield argument.name
    elif isinstance(argument, tuple):
        for each in argument:
            yield from refs(each)


@dataclass(frozen=True)
class Value:
    """What is known of a value before it is computed; `whole` ones are tokens, places, truths."""

    shape: tuple[int, ...]
    whole: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation: its arguments by their names in ATen, and the values that it makes.

    `place` says where it stands in the model; `module` is the layer that it is all of, if it is.
    """

    kind: str
    arguments: Mapping[str, Argument]
    outputs: tuple[str, ...]
    place: str
    module: str = ""


@dataclass(frozen=True)
class Given:
    """A value that a model is given: `called` is its name there, and it may have numbers."""

    called: str
    role: Role
    numbers: Table | None = None


@dataclass(frozen=True)
class Traced:
    """A model as it was read: what it is given, what it computes, and what comes out of it."""

    title: str
    given: Mapping[str, Given]
    values: Mapping[str, Value]
    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
    loss: str = ""
