"""Random specs of the library: every layer and loss with drawn values, and networks of them.

Values are of any size from 1e-6 to 1e6, there may be several samples, and the optimizer, the order
of updates and the way of rounding are drawn, too.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

import yaml

from derive.library.activations import ACTIVATIONS
from derive.library.layers import LAYERS
from derive.library.losses import LOSSES, loss_names
from derive.library.optimizers import OPTIMIZERS
from derive.scaffold import scaffold

ROWS = (*LAYERS, *loss_names())
POWERS = (-6, -3, -1, 0, 0, 0, 0, 0, 1, 3, 6)
"""Powers of ten of a table of values; most are everyday numbers."""
LAST = {
    "binary_cross_entropy": "logistic",
    "categorical_cross_entropy": "softmax",
    "kl_divergence": "softmax",
    "focal": "logistic",
    "label_smoothing_cross_entropy": "softmax",
}
"""The activation that makes what a loss takes the logarithm of."""
OF_TWO = (
    *LOSSES,
    "mean_absolute_error",
    "huber",
    "log_cosh",
    "hinge",
    "squared_hinge",
    "cosine",
    "quantile",
    "poisson",
    "focal",
    "binary_cross_entropy_logits",
    "categorical_cross_entropy_logits",
    "kl_divergence",
    "label_smoothing_cross_entropy",
)
"""Losses of an output and a target."""


def training(source: random.Random) -> dict[str, object]:
    """How a spec is trained."""
    return {
        "learning_rate": source.choice([0.5, 0.1, 0.01, 1e-6]),
        "optimizer": source.choice(list(OPTIMIZERS)),
        "order": source.choice(["simultaneous", "layer_by_layer"]),
        "steps": source.choice([1, 3, 10]),
    }


def rounding(source: random.Random) -> dict[str, object]:
    """How the numbers of a spec are printed."""
    found: dict[str, object] = {
        source.choice(["significant_digits", "decimals"]): source.choice([2, 4, 6]),
        "chained": source.choice([True, False]),
    }
    return {key: value for key, value in found.items() if source.random() < 0.4}


def scaled(source: random.Random, value: Any, power: int) -> Any:
    """A table of new values of about this power of ten; whole numbers stay as they are."""
    if isinstance(value, list):
        return [scaled(source, each, power) for each in value]
    if isinstance(value, int):
        return value
    if source.random() < 0.08:
        return 0.0
    sign = source.choice([1, -1]) if value < 0 else 1
    return float(f"{sign * source.uniform(0.1, 1):.2g}e{power}")


def of_row(source: random.Random, name: str) -> dict[str, object]:
    """A use of one layer or loss of the library."""
    found = yaml.safe_load(scaffold(name, False))
    del found["title"]
    for role in ("inputs", "parameters", "constants"):
        for quantity, table in found.get(role, {}).items():
            if isinstance(table, Mapping) or quantity in found.get("integers", ()):
                continue
            power = source.choice(POWERS)
            if name in loss_names() and role == "inputs":
                power = min(power, 0)  # a probability stays one
            found[role][quantity] = scaled(source, table, power)
    if "parameters" in found:
        found["training"] = training(source)
    return found


def of_network(source: random.Random) -> dict[str, object]:
    """A chain of dense layers."""
    widths = [source.randint(1, 4) for _ in range(source.randint(2, 4))]
    batch = source.randint(1, 3)
    loss = source.choice(OF_TWO)
    activations = [source.choice(list(ACTIVATIONS)) for _ in widths[1:]]
    activations[-1] = LAST.get(loss, activations[-1])
    widths = [max(2, width) for width in widths]
    layers, parameters = [], {}
    for k, ((before, after), activation) in enumerate(
        zip(itertools.pairwise(widths), activations, strict=True), 1
    ):
        bias = source.choice(["each", "shared", "none"])
        layers.append({"dense": after, "activation": activation, "bias": bias})
        parameters[f"W{k}"] = _table(source, after, before)
        if bias == "each":
            parameters[f"b{k}"] = _table(source, after)
        if bias == "shared":
            parameters[f"b{k}"] = _table(source)
    return {
        "network": {"inputs": widths[0], "layers": layers, "loss": loss},
        "parameters": parameters,
        "data": {
            "inputs": _table(source, batch, widths[0]),
            "targets": _targets(source, batch, widths[-1]),
        },
        "training": training(source),
    }


def _table(source: random.Random, *shape: int) -> Any:
    power = source.choice(POWERS)

    def table(*shape: int) -> Any:
        if shape:
            return [table(*shape[1:]) for _ in range(shape[0])]
        return scaled(source, source.choice([-1.0, 1.0]), power)

    return table(*shape)


def _targets(source: random.Random, batch: int, width: int) -> list[list[int]]:
    """Rows that sum to one; they are good targets of every loss."""
    chosen = [source.randrange(width) for _ in range(batch)]
    return [[int(k == each) for k in range(width)] for each in chosen]


def random_network(seed: int) -> str:
    """The text of a spec of a network."""
    return _text(of_network(random.Random(f"network/{seed}")), seed)


def random_row(seed: int) -> str:
    """The text of a spec of a layer or a loss; they take turns."""
    return _text(of_row(random.Random(f"row/{seed}"), ROWS[seed % len(ROWS)]), seed)


def _text(made: dict[str, object], seed: int) -> str:
    more = {"numbers": rounding(random.Random(seed)), "languages": ["en"]}
    return yaml.safe_dump(made | more, sort_keys=False)
