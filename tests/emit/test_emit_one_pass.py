"""A step in one pass: the loss beside the gradients, and the update that follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from derive.backprop import differentiate
from derive.build import build
from derive.emit import USUAL, emit, load
from derive.emit.run import Module
from derive.emit.targets import module
from derive.errors import InputError
from derive.library.optimizers import OPTIMIZERS
from derive.problem import Problem
from derive.spec import parse_spec
from derive.verify.one_pass import in_one_pass
from tests.core_support import derived

ORDERS = ("simultaneous", "layer_by_layer")
NETWORK = """
network:
  inputs: [a, b]
  layers: [{dense: 3, activation: logistic}, {dense: 2, activation: logistic}]
  loss: half_squared_error
"""
MODEL = """
inputs: {x: [0.5, -0.3]}
targets: {t: 0.2}
parameters: {W: [[0.1, 0.4], [-0.6, 0.3]], b: [0.1, 0.2], v: [0.7, -0.4]}
model:
  - h[k] = logistic(sum(i, W[k,i]*x[i]) + b[k])
  - y = logistic(sum(k, v[k]*h[k]))
loss: E = (y - t)**2/2
"""
SHAPES = """
inputs: {x: {shape: [2, 2]}}
parameters: {W: {shape: [3, 2]}}
model: ['y[n,k] = tanh(sum(i, W[k,i]*x[n,i]))']
loss: E = sum(n, k, y[n,k]**2)
"""
UNITS = {"network": 5, "model": 3}  # logistic units of each
RATE = 0.013


def made(kind: str, optimizer: str = "gradient_descent", order: str = "simultaneous") -> Problem:
    text = {"network": NETWORK, "model": MODEL}[kind]
    training = f"training: {{optimizer: {optimizer}, learning_rate: 0.1, steps: 3, order: {order}}}"
    return build(parse_spec(f"{text}{training}\n", "test", "test"))


def module_of(problem: Problem, target: str) -> Module:
    return load(problem, emit(problem, derived(problem.graph), target), target)


def given(own: Module) -> tuple[Any, Any]:
    call = own.namespace
    if own.problem.symbolic:
        return call["example_parameters"](seed=0), call["example_sample"](seed=0)
    return call["PARAMETERS"], call["SAMPLE"]


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("kind", UNITS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_is_the_update_that_follows_from_the_sample(
    optimizer: str, kind: str, order: str, target: str
) -> None:
    own = module_of(made(kind, optimizer, order), target)
    call, (parameters, sample) = own.namespace, given(own)
    state = call.get("STATE")
    for number in (1, 2, 3):
        loss = float(call["loss"](parameters, sample))
        alone = own.step(parameters, state, sample, RATE, number)
        source = call["gradients"](parameters, sample) if order == ORDERS[0] else sample
        parameters, state = own.update(parameters, state, source, RATE, number)
        assert own.numbers(*alone[:2]) == own.numbers(parameters, state)
        assert alone[2] == loss


def counting(call: dict[str, Any], name: str) -> list[int]:
    """How many numbers a function of a module is asked for, from now on."""
    count, function = [0], call[name]

    def counted(x: Any) -> Any:
        count[0] += getattr(x, "size", 1)
        return function(x)

    call[name] = counted
    return count


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("kind", UNITS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_forward_pass_is_computed_once(kind: str, order: str, target: str) -> None:
    own = module_of(made(kind, "adam", order), target)
    call, (parameters, sample) = own.namespace, given(own)
    assert isinstance(call, dict)
    count, units = counting(call, "logistic"), UNITS[kind]
    call["value_and_gradients"](parameters, sample)
    assert count == [units]
    call["gradients"](parameters, sample)
    assert count == [2 * units]
    own.step(parameters, call["STATE"], sample, RATE, 1)
    assert count == [3 * units]
    call["train"](parameters, (sample,), RATE, 4)
    assert count == [(3 + 4 + 1) * units]


def test_what_nobody_asked_for_is_not_computed() -> None:
    """Inputs without numbers have derivatives, too, which no update needs."""
    text = f"{SHAPES}training: {{order: layer_by_layer}}\n"
    problem = build(parse_spec(text, "test", "test"))
    derivation = differentiate(problem.graph, problem.wanted)
    whole, _, step = emit(problem, derivation, "numpy").partition("\ndef step(")
    assert "dE_dx = " in whole
    assert "dE_dx = " not in step


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["v_b", "b_new", "v_b_new"])
def test_a_quantity_that_is_called_like_what_an_optimizer_makes(
    name: str, order: str, target: str
) -> None:
    """There is no module, rather than a wrong one."""
    text = MODEL.replace("- y ", f"- {name} ").replace("(y ", f"({name} ")
    training = f"training: {{optimizer: momentum, steps: 2, order: {order}}}\n"
    problem = build(parse_spec(text + training, "test", "test"))
    with pytest.raises(InputError, match=f"'{name}' is a quantity of the model"):
        module(problem, differentiate(problem.graph), target)


# --- what the checks find -------------------------------------------------------------------


def another_loss(source: str) -> str:
    return re.sub(r"(\n    return )(\w+)(, Gradients\()", r"\1\2 * 1.001\3", source)


def gradients_of_their_own(source: str) -> str:
    """The gradients are right, and those beside the loss are not."""
    start, stop = source.index("\ndef value_and_gradients("), source.index("\ndef gradients(")
    whole = source[start:stop]
    own = whole.replace("value_and_gradients", "gradients").replace("tuple[float, ", "Sequence[")
    own = re.sub(r"return \w+, Gradients", "return Gradients", own)
    whole = whole.replace("(1 - ", "(2 - ")
    rest = source[stop:].partition("\n\n\n")[2]
    return f"{source[:start]}{whole}\n{own.rstrip()}\n\n\n{rest}"


def a_step_against(source: str) -> str:
    head, _, tail = source.partition("\ndef step(")
    body, _, rest = tail.partition("\ndef train(")
    against = body.replace("- learning_rate *", "+ learning_rate *")  # written out
    against = against.replace("slopes, learning_rate)", "slopes, -learning_rate)")
    return f"{head}\ndef step({against}\ndef train({rest}"


WRONG: dict[str, Callable[[str], str]] = {
    "another loss": another_loss,
    "gradients of their own": gradients_of_their_own,
    "a step against": a_step_against,
}


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("kind", UNITS)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_pass_is_found(wrong: str, kind: str, target: str) -> None:
    problem = made(kind)
    source = emit(problem, differentiate(problem.graph), target)
    changed = WRONG[wrong](source)
    assert changed != source
    assert worst(problem, source, target) == 0
    assert worst(problem, changed, target) > 1e-5


def worst(problem: Problem, source: str, target: str) -> float:
    own = load(problem, source, target)
    places = {
        q.name: {p: 0.1 * (1 + sum(p)) for p in product(*map(range, q.shape))}
        for q in problem.graph.given
    }
    return max(each.error for each in in_one_pass(own, places))
