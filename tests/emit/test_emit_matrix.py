"""Every activation with every loss, bias, batch and depth, in every target, against differences."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product

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


FORMS = tuple(product((1, 2, 3), ("each", "shared", "none"), (1, 3)))  # depth, biases, samples
AT_ONCE = 3
TURNS = len(FORMS) // AT_ONCE  # which together have all forms; the first has any two of the five
LATER = [pytest.param(turn, marks=[pytest.mark.slow, pytest.mark.long]) for turn in range(1, TURNS)]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, *OWN])
@pytest.mark.parametrize("turn", [0, *LATER])
def test_all_numbers(activation: str, loss: str, turn: int) -> None:
    for depth, bias, batch in forms(activation, loss, turn):
        last = (
            "logistic" if loss.endswith("cross_entropy") and unbounded(activation) else activation
        )
        check((*(activation,) * (depth - 1), last), loss, bias, batch)


def forms(activation: str, loss: str, turn: int) -> tuple[tuple[int, str, int], ...]:
    """A few of the forms, of each depth one; others for the next activation or loss."""
    first = turn + [*ACTIVATIONS, *OWN].index(activation) + [*LOSSES].index(loss)
    return tuple(FORMS[(first + k) % TURNS + k * TURNS] for k in range(AT_ONCE))


def test_the_forms_are_all_there_and_any_two_of_them_meet_at_once() -> None:
    pairs = list(product([*ACTIVATIONS, *OWN], LOSSES))
    assert all({f for t in range(TURNS) for f in forms(*pair, t)} == {*FORMS} for pair in pairs)
    chosen = [(*pair, *form) for pair in pairs for form in forms(*pair, 0)]
    every = ([*ACTIVATIONS, *OWN], LOSSES, *zip(*FORMS, strict=True))
    for (k, ones), (m, others) in combinations(enumerate(every), 2):
        assert {(each[k], each[m]) for each in chosen} == {*product(ones, others)}


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
