"""What a loss is: the formula of an error, and how errors become one number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from derive.library.row import Layer, Number, signature, written_out


class Reduction(StrEnum):
    """How the errors of several outputs or samples become one loss."""

    SUM = "sum"
    MEAN = "mean"


@dataclass(frozen=True)
class Loss:
    """A loss: the formula of its error over `entry`, and how outputs are put together.

    `usual` is how a model puts all entries together.
    """

    name: str
    summary: str
    formula: str
    entry: str = "..."
    outputs: Reduction = Reduction.SUM
    usual: Reduction = Reduction.MEAN
    distribution: bool = False
    inputs: tuple[str, ...] = ("y[...]", "t[...]")
    integers: tuple[str, ...] = ()
    settings: Mapping[str, Number] = field(default_factory=dict)
    more: str = ""
    sizes: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""

    @property
    def layer(self) -> Layer:
        """The loss as a layer whose output is the error."""
        left = f"e[{self.entry}]" if self.entry else "e"
        return Layer(
            self.name,
            "loss",
            self.summary,
            self.inputs,
            f"{self.more}\n{left} = {self.formula}" if self.more else f"{left} = {self.formula}",
            output="e",
            integers=self.integers,
            settings=self.settings,
            sizes=self.sizes,
            notes=self.notes,
        )

    @property
    def equation(self) -> str:
        """The equation for the outputs o of a network and the samples n."""
        per_sample = signature(self.inputs[0]).letters
        return written_out(self.layer.equations, ("n",) if per_sample else ("n", "o"))
