"""Activations: `x` is the net input, `y` the activation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Activation:
    """An activation and its equation; `couples` tells that a unit depends on all net inputs."""

    name: str
    summary: str
    equation: str
    couples: bool = False


ROWS = (
    Activation("identity", "the net input itself", "y[n,h] = x[n,h]"),
    Activation("logistic", "between 0 and 1", "y[n,h] = logistic(x[n,h])"),
    Activation("tanh", "between -1 and 1", "y[n,h] = tanh(x[n,h])"),
    Activation("relu", "the positive part; slope 0 at 0", "y[n,h] = max(x[n,h], 0)"),
    Activation(
        "softmax",
        "a distribution over the units",
        "y[n,h] = exp(x[n,h]) / sum(k, exp(x[n,k]))",
        couples=True,
    ),
)
ACTIVATIONS = {row.name: row for row in ROWS}
