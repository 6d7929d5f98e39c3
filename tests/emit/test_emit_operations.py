"""Operations counted: by hand where that is easy, and what a backward pass may cost."""

from __future__ import annotations

import pytest
import sympy
from emit_reference import spec

from derive.cli import main
from derive.emit.operations import Costs, Operations, costs
from derive.emit.program import lower
from derive.library.layers import LAYERS
from derive.library.losses import LOSSES
from derive.problem import Problem
from tests.emit_support import derivation_of, made, of_row

MOST, MOST_DENSE = 3.0, 2.2
# The largest value of a window is found once more to tell which place has it.
ABOVE = {"max_pool2d": 3.16}
# The first layer needs no product with its transposed weights, and with one sample a gradient is no
# sum: so few layers and one sample stay below the limit. What does not is named with what it takes,
# by number of layers and of samples; three passes of products are the most that it can come to.
DEEPER = {(6, 1): 2.34, (2, 16): 2.5, (6, 16): 2.84}

BY_HAND = [
    # y[k] = sum(i, W[k,i]*x[i]): 6 products and 4 sums; E: 2 squares and 1 sum.
    ("W: [[1, 2, 3], [4, 5, 6]]", "y[k] = sum(i, W[k,i]*x[i])", "sum(k, y[k]**2)", (8, 5, 0)),
    ("W: [1, 2, 3]", "y[i] = exp(W[i]*x[i])", "sum(i, y[i])", (3, 2, 3)),
    # what stands twice is computed once: exp of each, their product with itself, one difference
    ("W: [1, 2, 3]", "y[i] = exp(W[i]) - x[i]*exp(W[i])", "sum(i, y[i])", (3, 5, 3)),
    ("W: [1, 2, 3]", "y[i] = max(W[i]*x[i], 0)", "sum(i, y[i])", (3, 5, 0)),
]


def cost(problem: Problem) -> Costs:
    return costs(lower(problem, derivation_of(problem), sympy.Integer(problem.batch)))


def share(problem: Problem) -> float:
    """What the gradients take, to the forward pass."""
    found = cost(problem)
    return found.gradients.all / max(1, found.forward.all)


@pytest.mark.parametrize(("parameters", "equation", "loss", "expected"), BY_HAND)
def test_a_forward_pass_by_hand(
    parameters: str, equation: str, loss: str, expected: tuple[int, int, int]
) -> None:
    text = f"inputs: {{x: [1, 2, 3]}}\nparameters: {{{parameters}}}\nmodel: ['{equation}']\n"
    assert cost(made(f"{text}loss: E = {loss}\n")).forward == Operations(*expected)


def test_an_update_by_hand() -> None:
    """Two for each of 3 weights: the rate times the slope, and the difference."""
    text = "inputs: {x: [1, 2, 3]}\nparameters: {w: [1, 2, 3]}\nmodel: ['y = sum(i, w[i]*x[i])']\n"
    assert cost(made(f"{text}loss: E = y**2\ntraining: {{}}\n")).update == Operations(3, 3)


@pytest.mark.parametrize("name", [*LAYERS, *LOSSES])
def test_a_row_costs_little_more_back_than_forth(name: str) -> None:
    found = share(of_row(name))
    assert found <= MOST or round(found, 2) == ABOVE[name]
    assert (found > MOST) == (name in ABOVE)


@pytest.mark.parametrize("units", [2, 8, 30])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_dense_network_costs_twice_its_forward_pass(units: int, layers: int) -> None:
    problem = spec(("logistic",) * layers, units=units, inputs=units)
    assert 1 + share(problem) <= MOST_DENSE


@pytest.mark.parametrize(("layers", "batch"), DEEPER)
def test_what_more_layers_and_samples_cost(layers: int, batch: int) -> None:
    problem = spec(("logistic",) * layers, batch=batch, units=8, inputs=8)
    assert round(1 + share(problem), 2) == DEEPER[layers, batch]


def test_the_counts_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code", "article", "--stats"]) == 0
    head, forward, *_, both = capsys.readouterr().out.splitlines()
    assert head.split() == ["multiplications", "additions", "functions", "all", "to", "forward"]
    # 8 products, 4 sums; 4 logistic; 2 differences, squares and halves; 1 sum
    assert forward.split() == ["forward", "12", "7", "4", "23", "1.00"]
    assert both.split()[-1] == "2.22"


def test_what_no_target_computes_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code", "nothing_of_this_name", "--stats"]) == 2
    assert "derive: " in capsys.readouterr().err
