"""A problem: the graph that a spec describes, with its values and the wishes for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from derive.graph import Graph
from derive.library.losses import Reduction
from derive.numbers import NumberFormat

Tensor = Mapping[tuple[int, ...], Fraction]


@dataclass(frozen=True)
class Unit:
    """The name of one unit: `name` for code, `tex` for pages."""

    name: str
    tex: str


@dataclass(frozen=True)
class LayerUse:
    """One layer of the network, with the names of the quantities that it made."""

    number: int
    row: str
    units: tuple[Unit, ...]
    parameters: tuple[str, ...]
    net: str
    out: str
    activation: str
    couples: bool


@dataclass(frozen=True)
class Published:
    """A number that somebody printed; `misprint` explains why it is known to be wrong."""

    name: str
    printed: str
    where: str
    misprint: str | None = None


@dataclass(frozen=True)
class Training:
    """Gradient descent: learning rate, number of steps, parameters that are not updated."""

    learning_rate: Fraction
    steps: int
    frozen: frozenset[str]
    optimizer: str


@dataclass(frozen=True)
class Problem:
    """All that the later stages need to know of a spec.

    `values` holds every given quantity or, for a symbolic problem, fewer.
    """

    name: str
    title: Mapping[str, str]
    graph: Graph
    layers: tuple[LayerUse, ...]
    inputs: tuple[Unit, ...]
    batch: int
    reduction: Reduction
    loss: str
    values: Mapping[str, Tensor]
    training: Training
    numbers: NumberFormat
    languages: tuple[str, ...]
    published: tuple[Published, ...]

    @property
    def symbolic(self) -> bool:
        """Whether some given value is missing, so that no number can be computed."""
        return any(quantity.name not in self.values for quantity in self.graph.given)
