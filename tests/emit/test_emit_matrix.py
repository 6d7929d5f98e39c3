"""Every activation with every loss, bias, batch and depth, in every target, against differences."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from emit_reference import Place, evaluator, sample, slopes, spec, tables

from derive.backprop import differentiate
from derive.emit import USUAL, emit, execute
from derive.library.activations import ACTIVATIONS
from derive.library.losses import LOSSES

OWN = ("f(x) = x*tanh(log(1+exp(x)))",)


def close(found: Mapping[Place, float], expected: Mapping[Place, float], within: float) -> None:
    """Raise unless the same entries have the same values; NaN is never close."""
    assert found.keys() == expected.keys()
    for place, value in expected.items():
        assert abs(found[place] - value) <= within * (1 + abs(value)), place


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, *OWN])
@pytest.mark.parametrize("bias", ["each", "shared", "none"])
def test_all_numbers(activation: str, loss: str, bias: str) -> None:
    last = "logistic" if loss.endswith("cross_entropy") and unbounded(activation) else activation
    for batch in (1, 3):
        for depth in (1, 2, 3):
            check((*(activation,) * (depth - 1), last), loss, bias, batch)


def unbounded(activation: str) -> bool:
    """Whether an output may leave the range in which a cross-entropy has a value."""
    return activation not in ("logistic", "softmax", "hard_sigmoid", "relu", "identity", "tanh")


def check(activations: tuple[str, ...], loss: str, bias: str, batch: int) -> None:
    problem = spec(activations, loss, bias, batch)
    derivation = differentiate(problem.graph)
    given = sample(problem, seed=len(loss) + batch)
    forward = evaluator(problem.graph)(given)
    hidden = {place: value for place, value in forward.items() if place not in given}
    names = {name for name, _ in given if name not in ("x", "t")}
    gradient = dict(slopes(problem.graph, given, names))
    for target in USUAL:
        found = execute(problem, emit(problem, derivation, target), target, tables(given))
        close(found.forward, hidden, 1e-12)
        close(found.gradients, gradient, 1e-7)
        close(found.updated, {p: given[p] - 0.5 * g for p, g in gradient.items()}, 1e-7)
        assert found.loss == found.forward["E", ()]
