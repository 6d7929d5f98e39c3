"""A problem: the graph that a spec describes, with its values and the wishes for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import sympy

from derive.graph import Graph, Role
from derive.library.loss import Reduction
from derive.library.optimizers import Optimizer
from derive.numbers import NumberFormat
from derive.sequence import Order

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
class NodeUse:
    """One node of a model: the quantities that it made, and the row of the library, if any.

    `operands` are the names that stand for the operands of the row, in its order.
    """

    name: str
    row: str
    given: tuple[str, ...]
    defined: tuple[str, ...]
    operands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """A number that somebody printed; `misprint` explains why it is known to be wrong.

    `slack` is how many units of the last printed digit the print may be off.
    """

    name: str
    printed: str
    where: str
    misprint: str | None = None
    slack: int = 0


@dataclass(frozen=True)
class Claimed:
    """A formula that somebody printed; `misprint` explains why it is known to be wrong.

    All `sides` say the same. A quantity in them that is one of the `slopes` stands for a
    derivative: of the first of a pair by the second, its positions one after the other.
    """

    formula: str
    sides: tuple[sympy.Expr, ...]
    slopes: Mapping[str, tuple[str, str]]
    where: str = ""
    misprint: str | None = None


@dataclass(frozen=True)
class Training:
    """How parameters are updated: learning rate, number of steps, parameters to leave alone.

    `settings` are those of the optimizer; `states` are first values of its states, by state and
    parameter, where they are not zero; `order` says when a parameter takes its new value. `span` is
    the setting that is as large as the number of steps, if a schedule has one.
    """

    learning_rate: Fraction
    steps: int
    frozen: frozenset[str]
    optimizer: Optimizer
    settings: Mapping[str, Fraction | int] = field(default_factory=dict)
    states: Mapping[tuple[str, str], Tensor] = field(default_factory=dict)
    order: Order = Order.SIMULTANEOUS
    span: str = ""

    def lasting(self, steps: int) -> Training:
        """The same with another number of steps; its schedule is stretched with it."""
        own = {self.span: steps} if self.span else {}
        return replace(self, steps=steps, settings={**self.settings, **own})


@dataclass(frozen=True)
class Problem:
    """All that the later stages need to know of a spec.

    `values` holds every given quantity or, for a symbolic problem, fewer. A network has `layers`; a
    model of any graph has `nodes` instead, the quantities to differentiate by (`wanted`), the
    constants that stand for a given upstream gradient, by the quantity they belong to, and the
    given values that change from update to update (`samples`, used in turn).
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
    claims: tuple[Claimed, ...] = ()
    nodes: tuple[NodeUse, ...] = ()
    wanted: tuple[str, ...] | None = None
    upstream: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[Mapping[str, Tensor], ...] = ()

    @property
    def is_model(self) -> bool:
        """Whether this is a graph of nodes rather than a chain of layers."""
        return bool(self.nodes)

    @property
    def forward_only(self) -> bool:
        """Whether this is a forward pass alone: there is no loss, and nothing is differentiated."""
        return not self.graph.of_role(Role.LOSS)

    @property
    def symbolic(self) -> bool:
        """Whether some given value is missing, so that no number can be computed."""
        return any(quantity.name not in self.values for quantity in self.graph.given)
