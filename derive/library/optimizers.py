"""Optimizers: `w` is a parameter, `g` its gradient, `alpha` the learning rate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Optimizer:
    """An optimizer and the equation of the updated parameter."""

    name: str
    summary: str
    equation: str


ROWS = (
    Optimizer("gradient_descent", "a step against the gradient", "f(w, alpha, g) = w - alpha*g"),
)
OPTIMIZERS = {row.name: row for row in ROWS}
