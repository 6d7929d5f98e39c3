"""Losses: `y` is the output, `t` the target, `e` the error of one output or one sample.

The loss is the errors added up over the outputs (or averaged, where the row says so) and then
averaged or added up over the samples of the batch, as the spec says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reduction(StrEnum):
    """How the errors of several outputs or samples become one loss."""

    SUM = "sum"
    MEAN = "mean"


@dataclass(frozen=True)
class Loss:
    """A loss: the equation of its error, and how the outputs are put together."""

    name: str
    summary: str
    equation: str
    outputs: Reduction = Reduction.SUM
    distribution: bool = False


ROWS = (
    Loss(
        "half_squared_error",
        "half the squared distance to the target, added up over the outputs",
        "e[n,o] = (t[n,o] - y[n,o])**2/2",
    ),
    Loss(
        "mean_squared_error",
        "the squared distance to the target, averaged over the outputs",
        "e[n,o] = (t[n,o] - y[n,o])**2",
        outputs=Reduction.MEAN,
    ),
    Loss(
        "binary_cross_entropy",
        "for outputs between 0 and 1 and targets of 0 to 1, added up over the outputs",
        "e[n,o] = -(t[n,o]*log(y[n,o]) + (1 - t[n,o])*log(1 - y[n,o]))",
    ),
    Loss(
        "categorical_cross_entropy",
        "for an output and a target that are distributions",
        "e[n] = -sum(o, t[n,o]*log(y[n,o]))",
        distribution=True,
    ),
)
LOSSES = {row.name: row for row in ROWS}
