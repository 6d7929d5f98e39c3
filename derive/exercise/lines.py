"""The lines of an exercise: every number of a page in reading order, with where it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from derive.numbers import Number
from derive.render.sheet import Display


class Part(StrEnum):
    """The part of a sheet in which a line stands."""

    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE = "update"


class Status(StrEnum):
    """What a line is to who works the sheet."""

    ASKED = "asked"
    KNOWN = "known"  # printed with its number
    LINK = "link"  # printed as a copy of a number that is asked


@dataclass(frozen=True)
class Line:
    """One number of the page. `formula` are rows in names; `text` is the number as a literal."""

    name: str
    lhs: str
    status: Status
    part: Part
    text: str
    shown: str
    exact: Number
    formula: tuple[str, ...] = ()
    display: Display | None = None

    @property
    def page(self) -> Fraction:
        """The number as it is printed."""
        return Fraction(self.text)

    @property
    def sort(self) -> str:
        """What lines of one kind have in common: their name without its numbers."""
        return re.sub(r"\d+|\[[^\]]*\]", "", self.name)


@dataclass(frozen=True)
class Given:
    """A given number: its symbol, and how it is written."""

    lhs: str
    shown: str


@dataclass(frozen=True)
class Connection:
    """What comes into a node: sources with their weights, and the bias, if there is one."""

    node: str
    ways: tuple[tuple[str, str], ...]
    bias: str


@dataclass(frozen=True)
class Setting:
    """What is computed: equations in index form, and how the nodes of a network are connected.

    Of several `samples` the number stands first among the indices. `conventions` are the fields of
    what the page of a model says on how to read its equations.
    """

    equations: tuple[str, ...]
    connections: tuple[Connection, ...] = ()
    samples: int = 1
    conventions: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Told:
    """All lines of one problem; `tables` are rows of given numbers as a sheet has them."""

    title: Mapping[str, str]
    setting: Setting
    given: tuple[Given, ...]
    tables: tuple[tuple[str, ...], ...]
    lines: tuple[Line, ...]


def part_of(report: str) -> Part:
    """Where a number belongs by its name in reports."""
    if report.endswith("+"):
        return Part.UPDATE
    return Part.BACKWARD if "/d" in report else Part.FORWARD
