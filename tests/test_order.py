"""When parameters change: all at once, or each as soon as the derivative by it is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

import derive
from derive.backprop import differentiate
from derive.emit import USUAL, load
from derive.errors import InputError
from derive.graph import Role, adjoint_name
from derive.problem import Problem
from derive.render.model_story import tell_model
from derive.sequence import Order, stages
from derive.verify import Status, verify
from derive.verify.bench import Bench
from derive.verify.modules import module_route, point
from derive.verify.of_model import model_values
from derive.verify.sampling import spec_values
from derive.verify.trajectory import Trajectory
from tests.random_models import random_model
from tests.verify_support import changed, disagreeing, problem

MAZUR = """
inputs: {x: [0.05, 0.1]}
targets: {t: [0.01, 0.99]}
parameters: {W1: [[0.15, 0.2], [0.25, 0.3]], b1: 0.35, W2: [[0.4, 0.45], [0.5, 0.55]], b2: 0.6}
model:
  - h[j] = logistic(sum(i, W1[j,i]*x[i]) + b1)
  - o[k] = logistic(sum(j, W2[k,j]*h[j]) + b2)
loss: E = sum(k, (t[k] - o[k])**2)/2
languages: [en, ko]
training: {learning_rate: 0.5, frozen: [b1, b2], order: ORDER}
"""
RECURRENT = """
inputs: {x: [[1, 0.4], [0.5, -0.2], [-1, 0.3]]}
targets: {t_out: [0.5, 0.2, -0.1]}
constants: {h0: [0, 0.1]}
parameters:
  A: [[0.5, -0.1], [-0.3, 0.7]]
  W: [[0.5, 0.2], [-0.3, 0.1]]
  U: [[0.1, 0.2], [-0.2, 0.3]]
  v: [1, -1]
  c: 0.2
model:
  - a[t,i] = tanh(sum(k, A[i,k]*x[t,k]))
  - |
    h[t,k] = tanh(sum(i, W[k,i]*a[t,i]) + sum(j, U[k,j]*h[t-1,j]))
    h[-1,k] = h0[k]
  - y[t] = sum(k, v[k]*h[t,k]) + c
loss: E = sum(t, (y[t] - t_out[t])**2)/2 + sum(i, k, A[i,k]**2)/10
training: {optimizer: OPTIMIZER, learning_rate: 0.3, order: ORDER, steps: 3}
"""
SAMPLES = """
samples:
  - {x: [[1, 0.4], [0.5, -0.2], [-1, 0.3]], t_out: [0.5, 0.2, -0.1]}
  - {x: [[0.2, -1], [0.1, 0.6], [0.9, 0.3]], t_out: [-0.4, 0.1, 0.8]}
"""
ORDERS = [order.value for order in Order]


@cache
def mazur(order: str) -> Problem:
    return problem(MAZUR.replace("ORDER", order))


@cache
def recurrent(order: str, optimizer: str) -> Problem:
    text = RECURRENT + (SAMPLES if optimizer == "adam" else "")
    return problem(text.replace("ORDER", order).replace("OPTIMIZER", optimizer))


def trajectory(own: Problem) -> Trajectory:
    values = spec_values(own)
    assert values is not None
    return Trajectory(own, differentiate(own.graph, own.wanted), values)


# --- numbers ----------------------------------------------------------------------------------

NUMBERS = {  # as printed, with the digits in which the two orders differ
    ("simultaneous", "W1[0,0]+"): "0.149780716",
    ("simultaneous", "W1[0,1]+"): "0.199561432",
    ("simultaneous", "W1[1,0]+"): "0.249751144",
    ("simultaneous", "W1[1,1]+"): "0.299502287",
    ("simultaneous", "W2[0,0]+"): "0.358916480",
    ("simultaneous", "W2[1,1]+"): "0.561370121",
    ("simultaneous", "E+"): "0.291027774",
    ("simultaneous", "dE/dW1[0,0]"): "0.000438568",
    ("layer_by_layer", "W1[0,0]+"): "0.149817639",
    ("layer_by_layer", "W2[0,0]+"): "0.358916480",
    ("layer_by_layer", "W2[1,1]+"): "0.561370121",
    ("layer_by_layer", "E+"): "0.291027924",
    ("layer_by_layer", "dE/dW1[0,0]"): "0.000438568",
}


@pytest.mark.parametrize(("order", "name"), NUMBERS)
def test_both_orders_give_the_numbers_that_were_printed(order: str, name: str) -> None:
    assert f"{float(trajectory(mazur(order)).value(name)):.9f}" == NUMBERS[order, name]


def test_the_order_is_simultaneous_unless_the_spec_says_otherwise() -> None:
    plain = problem(MAZUR.replace(", order: ORDER", ""))
    assert plain.training == mazur("simultaneous").training


CHAIN = """
inputs: {x: 0.7}
parameters: {u: 0.4, v: -0.8, w: 1.5}
model: [MODEL, E = (y - 1)**2]
training: {optimizer: momentum, learning_rate: 0.2, settings: {mu: 0.5}, order: layer_by_layer}
"""
CUTS = {  # a net input with a name keeps its value of the forward pass, one without has none
    "a = tanh(u*x), net = v*a, b = sin(net), y = w*b": True,
    "a = tanh(u*x), b = sin(v*a), y = w*b": False,
}


@pytest.mark.parametrize("equations", CUTS)
def test_by_hand(equations: str) -> None:
    """A chain with momentum in plain numbers, each line as one would write it on paper."""
    x, (u, v, w), (mu_u, mu_v, mu_w) = 0.7, (0.4, -0.8, 1.5), (0.0, 0.0, 0.0)
    found = trajectory(problem(CHAIN.replace("MODEL", equations)))
    for k in range(1, 4):
        a = math.tanh(u * x)
        net = v * a
        error = 2 * (w * math.sin(net) - 1)
        mu_w = 0.5 * mu_w + error * math.sin(net)
        w -= 0.2 * mu_w
        mu_v = 0.5 * mu_v + error * w * math.cos(net) * a
        v -= 0.2 * mu_v
        slope = math.cos(net if CUTS[equations] else v * a)
        mu_u = 0.5 * mu_u + error * w * slope * v * (1 - a**2) * x
        u -= 0.2 * mu_u
        for name, expected in {"u": u, "v": v, "w": w, "v_u": mu_u}.items():
            assert float(found.value(f"{name}@{k}")) == pytest.approx(expected, rel=1e-12)


# --- stages -----------------------------------------------------------------------------------

STAGES = {
    "a layer after the other": (
        MAZUR.replace(", frozen: [b1, b2]", ""),
        [("o W2 b2", "W2 b2"), ("h W1 b1", "W1 b1")],
    ),
    "frozen parameters are not waited for": (MAZUR, [("o W2", "W2"), ("h W1", "W1")]),
    "what no trained parameter needs is not computed": (
        MAZUR.replace("[b1, b2]", "[b1, b2, W1]"),
        [("o W2", "W2")],
    ),
    "a recurrence is a whole": (RECURRENT, [("y v c", "v c"), ("h W U", "W U"), ("a A", "A")]),
    "a shared parameter waits for all that read it": (
        "inputs: {x: 0.5}\nparameters: {w: 0.3, v: 2}\nmodel:\n"
        "  - a = tanh(w*x)\n  - b = tanh(v*a)\n  - E = (w*b - 1)**2\n"
        "training: {order: ORDER}",
        [("b v", "v"), ("a w", "w")],
    ),
    "what is known at the same time changes at once": (
        "inputs: {x: 0.5}\nparameters: {w: 0.3, v: 2, d: 1}\nmodel:\n"
        "  - a = tanh(w*v*x)\n  - E = (a - 1)**2 + d**2\n"
        "training: {order: ORDER}",
        [("d", "d"), ("a w v", "w v")],
    ),
    "a parameter that acts on nothing": (
        "inputs: {x: 0.5}\nparameters: {w: 0.3, v: 2}\nmodel:\n  - a = w*x\n  - E = a**2\n"
        "gradients: [w]\ntraining: {order: ORDER, optimizer: weight_decay}",
        [("", "v"), ("a w", "w")],
    ),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_parameter_changes_as_soon_as_it_can(name: str) -> None:
    text, expected = STAGES[name]
    own = problem(text.replace("ORDER", "layer_by_layer").replace("OPTIMIZER", "adam"))
    trained = [
        q.name for q in own.graph.of_role(Role.PARAMETER) if q.name not in own.training.frozen
    ]
    backward = differentiate(own.graph, own.wanted).backward
    found = [
        (
            " ".join(e.quantity.name.removeprefix(adjoint_name("")) for e in stage.equations),
            " ".join(stage.parameters),
        )
        for stage in stages(backward, trained, Order.LAYER_BY_LAYER)
    ]
    assert found == expected
    (whole,) = stages(backward, trained, Order.SIMULTANEOUS)
    assert (whole.equations, whole.parameters) == (backward.equations, tuple(trained))


# --- modules ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("optimizer", ["momentum", "adam", "weight_decay"])
@pytest.mark.parametrize("order", ORDERS)
def test_modules_go_where_the_trajectory_goes(order: str, optimizer: str, target: str) -> None:
    own = recurrent(order, optimizer)
    derivation = differentiate(own.graph, own.wanted)
    module = load(own, derive.emit(own, derivation, target), target)
    names = module.namespace
    for seed in range(3):
        values = model_values(own, derivation, seed)
        parameters, states = Trajectory(replace(own, samples=()), derivation, values).after(1)
        tables: dict[str, dict[tuple[int, ...], float]] = {}
        for (name, place), v in values.items():
            tables.setdefault(name, {})[place] = float(v)
        found = module.run(tables).updated
        expected = {key: v for key, v in {**parameters, **states}.items() if key in found}
        assert len(expected) == len(found) >= len(parameters)
        for key, v in expected.items():
            assert found[key] == pytest.approx(float(v), rel=1e-9, abs=1e-12), key
    given = names.get("SAMPLES", (names["SAMPLE"],) if "STATE" in names else names["SAMPLE"])
    _, losses = names["train"](names["PARAMETERS"], given, names["LEARNING_RATE"], 5)
    told = trajectory(own)
    assert losses == pytest.approx([float(told.value(f"E@{k}")) for k in range(6)], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_everything_agrees_layer_by_layer(optimizer: str) -> None:
    report = derive.verify(recurrent("layer_by_layer", optimizer))
    assert report.agree
    assert not disagreeing(report)


def test_the_two_orders_differ() -> None:
    one, other = (trajectory(recurrent(order, "momentum")).after(1)[0] for order in ORDERS)
    names = {key[0] for key in one if abs(one[key] - other[key]) > 1e-6}
    assert names == {"A", "W", "U"}


# --- what a wrong order looks like ------------------------------------------------------------


def reading_the_old(source: str) -> str:
    return changed(source, r"(dE_dh\b.*?)v_new", r"\1v")


def with_the_old_parameter(source: str) -> str:
    return changed(source, r"(return \(?\s*Parameters\()A_new", r"\1A")


def training_at_the_start(source: str) -> str:
    return changed(source, r"parameters, (state, value = step\(parameters,)", r"_, \1")


WRONG: dict[str, Callable[[str], str]] = {
    "a changed parameter read as it was": reading_the_old,
    "a parameter not changed": with_the_old_parameter,
    "a training that stands still": training_at_the_start,
}


def test_a_wrong_update_is_found() -> None:
    own = recurrent("layer_by_layer", "momentum")
    derivation = differentiate(own.graph, own.wanted)
    page = tell_model(own, derivation)
    right = {target: derive.emit(own, derivation, target) for target in ("python", "numpy")}
    assert disagreeing(verify(own, derivation, page, {}, right)) == set()
    for name, broken in WRONG.items():
        wrong = {target: broken(source) for target, source in right.items()}
        report = verify(own, derivation, page, {}, wrong)
        assert disagreeing(report) == {f"module {target}" for target in wrong}, name


def test_a_module_of_the_other_order_is_found() -> None:
    own, other = (recurrent(order, "momentum") for order in reversed(ORDERS))
    derivation = differentiate(own.graph, own.wanted)
    source = derive.emit(other, derivation, "python")
    report = verify(own, derivation, tell_model(own, derivation), {}, {"python": source})
    assert disagreeing(report) == {"module python"}


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_the_other_order_is_found(order: str) -> None:
    own, other = mazur(order), mazur(ORDERS[1 - ORDERS.index(order)])
    derivation = differentiate(own.graph, own.wanted)
    assert disagreeing(verify(own, derivation, tell_model(own, derivation), {}, {})) == set()
    report = verify(own, derivation, tell_model(other, derivation), {}, {})
    assert disagreeing(report) == {"page numbers"}


def test_a_print_of_the_other_order_is_explained() -> None:
    text = MAZUR + 'published: [{name: E+, printed: "0.291027924"}]'
    own = problem(text.replace("ORDER", "simultaneous"))
    derivation = differentiate(own.graph, own.wanted)
    report = verify(own, derivation, tell_model(own, derivation), {}, {})
    (row,) = [row for row in report.numbers if row.published is not None]
    assert row.status is Status.DISAGREES
    assert "through weights that are already updated" in row.explanation


# --- pages and specs --------------------------------------------------------------------------


def test_the_page_says_in_which_order() -> None:
    layered = derive.make(mazur("layer_by_layer")).texts
    usual = derive.make(mazur("simultaneous")).texts
    for language, words in {"en": "layer by layer", "ko": "한 층씩"}.items():
        assert words in layered[language]
        assert words not in usual[language]
    assert "all of them at once" in usual["en"]
    assert "all of them at once" not in layered["en"]


def test_a_worked_entry_changes_by_a_derivative_of_the_page() -> None:
    text = derive.make(mazur("layer_by_layer"), ["en"]).texts["en"]
    assert r"\alpha\,\frac{\partial E}{\partial W^{(2)}_{0,0}}" in text


def test_an_order_that_is_none_is_refused_with_those_that_are() -> None:
    text = (
        "network: {inputs: 1, layers: [{dense: 1}], loss: half_squared_error}\n"
        "training: {order: backwards}\n"
    )
    with pytest.raises(InputError, match="order") as caught:
        problem(text)
    assert "layer_by_layer" in str(caught.value)
    problem(text.replace("backwards", "simultaneous"))


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 7, 8, 9])
def test_modules_of_random_models(seed: int) -> None:
    text = random_model(seed) + "training: {optimizer: momentum, order: layer_by_layer}\n"
    own = problem(text)
    derivation = differentiate(own.graph, own.wanted)
    points = [point(own, Bench(derivation, model_values(own, derivation, seed)))]
    for target in USUAL:
        source = derive.emit(own, derivation, target)
        route, _ = module_route(target, source, own, points, trajectory(own))
        assert route.status is Status.AGREES, route.detail


def test_a_model_too_large_to_be_followed_says_so() -> None:
    own = problem(
        "inputs: {x: {shape: [300]}}\nparameters: {W: {shape: [200, 300]}}\n"
        "model: ['y[h] = sum(i, W[h,i]*x[i])', 'E = sum(h, y[h]**2)']\n"
        "training: {order: layer_by_layer}\n"
    )
    report = derive.verify(own)
    assert report.agree
    assert {r.name: r.status for r in report.routes}["updates"] is Status.SKIPPED
