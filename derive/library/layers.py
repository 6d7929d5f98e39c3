"""Layers: `x` is what comes in, the first quantity defined is what goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from derive.graph import Kind


@dataclass(frozen=True)
class Parameter:
    """A trainable quantity of a layer and the index letters of its axes."""

    letters: str
    kind: Kind


@dataclass(frozen=True)
class Layer:
    """A layer: its equations, its parameters, and the letter of the axis that it creates."""

    name: str
    summary: str
    equations: str
    parameters: Mapping[str, Parameter]
    units: str = "h"


WEIGHT = Parameter("hi", Kind.WEIGHT)

ROWS = (
    Layer(
        "dense",
        "weighted sum of all inputs plus one bias per unit",
        "net[n,h] = sum(i, W[h,i]*x[n,i]) + b[h]",
        MappingProxyType({"W": WEIGHT, "b": Parameter("h", Kind.BIAS)}),
    ),
    Layer(
        "dense_shared_bias",
        "weighted sum of all inputs plus one bias for the whole layer",
        "net[n,h] = sum(i, W[h,i]*x[n,i]) + b",
        MappingProxyType({"W": WEIGHT, "b": Parameter("", Kind.BIAS)}),
    ),
    Layer(
        "dense_without_bias",
        "weighted sum of all inputs",
        "net[n,h] = sum(i, W[h,i]*x[n,i])",
        MappingProxyType({"W": WEIGHT}),
    ),
)
LAYERS = {row.name: row for row in ROWS}
