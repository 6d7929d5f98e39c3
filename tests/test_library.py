"""The library from outside: every row can be shown, wrong uses are refused, optimizers work."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
import sympy

from derive.backprop import differentiate
from derive.build import build
from derive.errors import InputError
from derive.graph import Quantity, Role
from derive.library.instantiate import instantiate
from derive.library.layers import LAYERS
from derive.library.losses import loss_layer, loss_names
from derive.library.optimizers import OPTIMIZERS, parse_update
from derive.showcase import listing, shown
from derive.spec import parse_spec
from derive.verify.sampling import spec_values
from derive.verify.trajectory import Trajectory
from tests.core_support import axis

ROWS = {**LAYERS, **{name: loss_layer(name)[0] for name in loss_names()}}


@pytest.mark.parametrize("name", [*ROWS, *OPTIMIZERS])
def test_a_row_can_be_shown(name: str) -> None:
    lines = list(shown(name))
    assert lines[0].startswith(f"{name}: ")
    assert len(lines) > 1
    assert any(name in line for line in listing())


def test_a_row_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="did you mean 'layer_norm'"):
        shown("layernorm")


X = Quantity("x", "x", (axis("n", 2), axis("i", 3)), Role.INPUT)
W = Quantity("W", "W", (axis("h", 2), axis("i", 4)), Role.PARAMETER)
WRONG = [
    ("dense", {}, {}, "its input 'x' is not wired"),
    ("dense", {"x": X}, {}, "the size of the letter 'h' of W is unknown"),
    ("dense", {"x": X, "W": W}, {}, "the letter 'i' has 3 values in 'x' but 4 in 'W'"),
    ("attention", {"Q": X, "K": X, "V": Quantity("v", "v", (), Role.INPUT)}, {}, "has 0 axes"),
    ("embedding", {"token": X}, {"v": 3, "d": 2}, "list it under 'integers'"),
    ("conv1d", {"x": X}, {"o": 1, "r": 9}, "would have -5 values"),
    ("batch_norm", {"x": X}, {"c": 4}, "the letter 'c' has 3 values in 'x' but 4 in its sizes"),
]


@pytest.mark.parametrize(("name", "wires", "sizes", "words"), WRONG)
def test_what_does_not_fit_is_said(
    name: str, wires: dict[str, Quantity], sizes: dict[str, int], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        instantiate(LAYERS[name], "l1", wires, {}, sizes)
    assert words in str(caught.value)
    assert f"{name} 'l1'" in str(caught.value)


def test_a_number_stands_for_an_operand() -> None:
    made = instantiate(LAYERS["dense"], "l1", {"x": X, "b": Fraction(0)}, {}, {"h": 2})
    assert [q.name for q in made.given] == ["l1_W"]
    assert "b" not in str(made.equations[0].rhs)


BOWL = """\
parameters: {{W: [[2, 1], [-1, 2]]}}
loss: E = sum(i, k, W[i,k]**2)
training: {{optimizer: {name}, learning_rate: 0.01, steps: 5}}
"""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_downhill(name: str) -> None:
    problem = build(parse_spec(BOWL.format(name=name), "bowl.yaml", "bowl"))
    values = spec_values(problem)
    assert values is not None
    walk = Trajectory(problem, differentiate(problem.graph), values)
    losses = [walk.value(f"E@{update}" if update else "E") for update in range(6)]
    assert all(later < earlier for earlier, later in pairwise(losses))


def test_adam_is_adam() -> None:
    update = parse_update(OPTIMIZERS["adam"], {"beta1": Fraction(1, 2)})
    m, g = sympy.Symbol("m", real=True), sympy.Symbol("g", real=True)
    assert sympy.expand(update["m"] - (m / 2 + g / 2)) == 0
