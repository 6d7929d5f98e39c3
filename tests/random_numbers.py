"""Random everyday specs as people write them: short values, many of them zero, and far from 1."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import yaml

from derive.library.activations import ACTIVATIONS
from derive.library.layers import LAYERS
from derive.library.losses import LOSSES, loss_names
from derive.library.optimizers import OPTIMIZERS
from derive.scaffold import scaffold

SHORT: tuple[Callable[[random.Random], float], ...] = (
    lambda r: r.choice([-3, -2, -1, 0, 1, 2, 3]),
    lambda r: r.choice([-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]),
    lambda r: round(r.uniform(-1, 1), 1),
    lambda r: round(r.uniform(-1, 1), 2),
    lambda r: round(r.uniform(-9, 9), 1),
)
POWERS = (-6, -3, 0, 3)
NETWORK_LOSSES = [name for name in LOSSES if name.endswith(("squared_error", "absolute_error"))]
MODELS = {
    "squares": "E = sum(h, (y[h] - t[h])**2)/2",
    "distances": "E = sum(h, abs(y[h] - t[h]))",
    "hinge": "E = sum(h, max(0, 1 - t[h]*y[h]))",
    "largest": "E = max(h, y[h])**2 + sum(h, t[h]*y[h])",
    "quotients": "E = sum(h, y[h]/(1 + y[h]**2) - t[h]*y[h])",
    "choice": "E = sum(h, where(y[h] > t[h], y[h]**2, t[h] - y[h]))",
    "curved": "E = mean(h, (tanh(y[h]) - t[h])**2)",
}
FIXED = ("var", "mask")  # parts of names whose values must stay as they are


def _value(source: random.Random, far: bool) -> float:
    """A short value, at times of another size."""
    if far:
        return float(f"{source.uniform(-9.9, 9.9):.2g}e{source.choice(POWERS)}")
    return source.choice(SHORT)(source)


def _format(source: random.Random) -> dict[str, object]:
    """How numbers are printed, if the spec says it."""
    found: dict[str, object] = {
        source.choice(["significant_digits", "decimals"]): source.choice([2, 3, 4, 6, 9]),
        "rounding": source.choice(["half_up", "half_even"]),
        "zeros": source.choice(["strip", "pad"]),
        "chained": source.choice([True, False]),
    }
    return {key: value for key, value in found.items() if source.random() < 0.6}


def _training(source: random.Random) -> dict[str, object]:
    order = source.choice(["simultaneous", "layer_by_layer"])
    optimizer = source.choice(list(OPTIMIZERS))
    return {"learning_rate": source.choice([0.1, 0.01, 1]), "optimizer": optimizer, "order": order}


def network(source: random.Random) -> dict[str, object]:
    """A chain of dense layers with any activation and loss."""
    kind, far = source.choice(SHORT), source.random() < 0.2

    def table(rows: int, columns: int) -> list[list[float]]:
        one = (lambda: _value(source, True)) if far else (lambda: kind(source))
        return [[one() for _ in range(columns)] for _ in range(rows)]

    widths = [source.randint(1, 3) for _ in range(3)]
    loss = source.choice(NETWORK_LOSSES)
    several = [name for name in ACTIVATIONS if "softmax" not in name]
    layers = [{"dense": w, "activation": source.choice(several)} for w in widths[1:]]
    pairs = list(pairwise(widths))
    parameters = {f"W{k}": table(n, m) for k, (m, n) in enumerate(pairs, 1)}
    parameters |= {f"b{k}": table(1, n)[0] for k, (_, n) in enumerate(pairs, 1)}
    return {
        "network": {"inputs": widths[0], "layers": layers, "loss": loss},
        "parameters": parameters,
        "data": {"inputs": table(2, widths[0]), "targets": table(2, widths[-1])},
        "training": {"learning_rate": 0.1, "steps": 2},
        "numbers": _format(source),
    }


def model(source: random.Random) -> dict[str, object]:
    """A linear layer with a loss that has kinks, ties or quotients."""
    kind, far = source.choice(SHORT), source.random() < 0.3
    one = (lambda: _value(source, True)) if far else (lambda: kind(source))
    n, m = source.randint(1, 3), source.randint(1, 3)
    return {
        "inputs": {"x": [one() for _ in range(n)]},
        "targets": {"t": [one() for _ in range(m)]},
        "parameters": {
            "W": [[one() for _ in range(n)] for _ in range(m)],
            "b": [one() for _ in range(m)],
        },
        "model": ["y[h] = sum(i, W[h,i]*x[i]) + b[h]"],
        "loss": source.choice(list(MODELS.values())),
        "training": _training(source),
        "numbers": _format(source),
    }


def row(source: random.Random) -> dict[str, object]:
    """A row of the library with values far from 1."""
    spec = yaml.safe_load(scaffold(source.choice([*LAYERS, *loss_names()]), False))

    def changed(value: object) -> object:
        if isinstance(value, list):
            return [changed(part) for part in value]
        return _value(source, True) if isinstance(value, float) else value

    for section in ("inputs", "parameters"):
        for name, value in (spec.get(section) or {}).items():
            if not any(part in name for part in FIXED) and isinstance(value, list):
                spec[section][name] = changed(value)
    if spec.get("parameters"):
        spec["training"] = _training(source)
    return {**spec, "numbers": _format(source)}


KINDS: dict[str, Callable[[random.Random], dict[str, object]]] = {
    "network": network,
    "model": model,
    "row": row,
}


def random_spec(kind: str, seed: int) -> str:
    """The text of a spec."""
    spec = {**KINDS[kind](random.Random(f"{kind}/{seed}")), "languages": ["en"]}
    return yaml.safe_dump(spec, sort_keys=False)
