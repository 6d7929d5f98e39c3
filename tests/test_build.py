"""Spec → Problem: the graph that is meant, and every mismatch refused at its place."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from derive.backprop import differentiate
from derive.build import MOST_NAMES, build
from derive.errors import InputError
from derive.expression import Element, Total
from derive.graph import Role, check
from derive.library.activations import ACTIVATIONS
from derive.library.losses import LOSSES
from derive.problem import Problem
from derive.spec import parse_spec
from tests.core_support import TOLERANCE, Oracle, draw, worst_gradient

BASE = """\
network:
  inputs: [i1, i2]
  layers:
    - {dense: [h1, h2], bias: none, activation: logistic}
    - {dense: [o1, o2], bias: each, activation: tanh}
  loss: half_squared_error
parameters:
  W1: [[1, 2], [3, 4]]
  W2: [[5, 6], [7, 8]]
  b2: [9, 10]
data:
  inputs: [0.5, 0.25]
  targets: [0, 1]
"""
SYMBOLIC = BASE.partition("parameters:")[0]


def made(text: str) -> Problem:
    return build(parse_spec(text, "a.yaml", "a"))


def edited(*changes: tuple[str, str]) -> str:
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def define(kind: str, text: str) -> str:
    return f"define: {{{kind}: {{mine: '{text}'}}}}\n"


ACTIVATION = ("activation: logistic", "activation: mine")
LOSS = ("half_squared_error", "mine")
DEFINED = BASE.count("\n") + 1
BAD: list[tuple[str, str, str]] = [
    (
        "rows of a matrix",
        edited(("[[1, 2], [3, 4]]", "[[1, 2]]")),
        "a.yaml:8: parameters.W1: the shape must be 2 x 2, but here is a list of 1",
    ),
    (
        "one short row",
        edited(("[3, 4]", "[3]")),
        "a.yaml:8: parameters.W1.1: the shape must be 2 x 2, but here is a list of 1",
    ),
    (
        "a flat list",
        edited(("[[1, 2], [3, 4]]", "[1, 2]")),
        "a.yaml:8: parameters.W1.0: the shape must be 2 x 2, but here is a number",
    ),
    (
        "too deep",
        edited(("[1, 2]", "[[1], 2]")),
        "a.yaml:8: parameters.W1.0.0: a number is expected (shape 2 x 2), but here is a list",
    ),
    (
        "bias",
        edited(("[9, 10]", "[9]")),
        "a.yaml:10: parameters.b2: the shape must be 2, but here is a list of 1",
    ),
    (
        "unknown parameter",
        edited(("b2:", "b3:")),
        "a.yaml:10: parameters.b3: there is no parameter 'b3'; known: W1, W2, b2",
    ),
    (
        "missing parameter",
        edited(("  b2: [9, 10]\n", "")),
        "a.yaml:7: parameters: the value of 'b2' is missing",
    ),
    (
        "missing parameters",
        SYMBOLIC + "data:\n  inputs: [0.5, 0.25]\n  targets: [0, 1]\n",
        "parameters: the parameters are missing",
    ),
    (
        "missing inputs",
        edited(("  inputs: [0.5, 0.25]\n", "")),
        "a.yaml:11: data: the inputs are missing",
    ),
    (
        "missing targets",
        edited(("  targets: [0, 1]\n", "")),
        "a.yaml:11: data: the targets are missing",
    ),
    (
        "short sample",
        edited(("[0.5, 0.25]", "[0.5]")),
        "a.yaml:12: data.inputs.0: the shape must be 1 x 2, but here is a list of 1",
    ),
    (
        "empty sample",
        edited(("[0.5, 0.25]", "[]")),
        "a.yaml:12: data.inputs.0: the shape must be 1 x 2",
    ),
    (
        "mapping in a sample",
        edited(("[0.5, 0.25]", "[{a: 1}, 2]")),
        "a.yaml:12: data.inputs.0.0: a number is expected",
    ),
    (
        "ragged batch",
        edited(("[0.5, 0.25]", "[[0.5, 0.25], 3]"), ("[0, 1]", "[[0, 1], [1, 0]]")),
        "a.yaml:12: data.inputs.1: the shape must be 2 x 2, but here is a number",
    ),
    (
        "batches differ",
        edited(("[0.5, 0.25]", "[[0.5, 0.25], [1, 2]]")),
        "a.yaml:11: data: 2 samples of inputs but 1 of targets",
    ),
    (
        "batch size",
        BASE + "  batch: 3\n",
        f"a.yaml:{DEFINED}: data.batch: the batch is given as 3 but has 1",
    ),
    (
        "no identifier",
        edited(("[h1, h2]", "['h 1', h2]")),
        "a.yaml:4: network.layers.0.dense.0: 'h 1' is no name",
    ),
    ("Hangul", edited(("[h1, h2]", "[가, h2]")), "network.layers.0.dense.0: '가' is no name"),
    (
        "LaTeX",
        edited(("[h1, h2]", "['h\\input', h2]")),
        "network.layers.0.dense.0: 'h\\input' is no name",
    ),
    (
        "keyword",
        edited(("[i1, i2]", "[i1, lambda]")),
        "a.yaml:2: network.inputs.1: 'lambda' is a reserved word; write lambda_, or another name",
    ),
    (
        "function",
        edited(("[i1, i2]", "[exp, i2]")),
        "a.yaml:2: network.inputs.0: 'exp' is a reserved word; write exp_, or another name",
    ),
    (
        "duplicate",
        edited(("[o1, o2]", "[o1, o1]")),
        "a.yaml:5: network.layers.1.dense.1: the name 'o1' is used twice",
    ),
    (
        "no units",
        edited(("[o1, o2]", "[]")),
        "a.yaml:5: network.layers.1.dense: a layer needs at least one unit",
    ),
    (
        "clash with a weight",
        edited(("[i1, i2]", "[w1, i2]")),
        "network: two things are called 'w1'",
    ),
    ("clash with a bias", edited(("[i1, i2]", "[b2, i2]")), "network: two things are called 'b2'"),
    (
        "clash with a net input",
        edited(("[i1, i2]", "[net_h1, i2]")),
        "network: two things are called 'net_h1'",
    ),
    (
        "clash with the loss",
        edited(("[i1, i2]", "[E_total, i2]")),
        "network: two things are called 'E_total'",
    ),
    (
        "activation",
        edited(("logistic", "logistik")),
        "a.yaml:4: network.layers.0.activation: unknown activation 'logistik'; "
        "did you mean 'logistic'?",
    ),
    (
        "loss",
        edited(("half_squared_error", "half_squared")),
        "a.yaml:6: network.loss: unknown loss 'half_squared'; did you mean 'half_squared_error'?",
    ),
    (
        "frozen",
        BASE + "training: {frozen: [W1, W9]}\n",
        f"a.yaml:{DEFINED}: training.frozen.1: there is no parameter 'W9'",
    ),
    (
        "all frozen",
        BASE + "training: {frozen: [W1, W2, b2]}\n",
        f"a.yaml:{DEFINED}: training.frozen: at least one parameter must be trained",
    ),
    (
        "optimizer",
        BASE + "training: {optimizer: adm}\n",
        f"a.yaml:{DEFINED}: training.optimizer: unknown optimizer",
    ),
    (
        "targets",
        edited(
            ("half_squared_error", "categorical_cross_entropy"),
            ("tanh", "softmax"),
            ("[0, 1]", "[0.5, 0.6]"),
        ),
        "a.yaml:13: data.targets: this loss needs targets that sum to 1, these sum to 1.1",
    ),
    (
        "formula in place",
        edited(("activation: logistic", "activation: 'f(x) = sinn(x)'")),
        "a.yaml:4: network.layers.0.activation: 'sinn' is not a function of the language; "
        "did you mean 'sin'?",
    ),
    (
        "equation in place",
        edited(("activation: logistic", "activation: 'y[n,h] = x[n,q]'")),
        "a.yaml:4: network.layers.0.activation: the index 'q' of 'x[n,q]'",
    ),
    (
        "two variables",
        edited(("activation: logistic", "activation: 'f(x, y) = x'")),
        "a.yaml:4: network.layers.0.activation: this is a function of x, as in f(x)",
    ),
    (
        "own activation",
        edited(ACTIVATION) + define("activations", "f(x) = x +"),
        f"a.yaml:{DEFINED}: define.activations.mine: this is not a formula",
    ),
    (
        "attack",
        edited(ACTIVATION) + define("activations", "f(x) = x.__class__"),
        f"a.yaml:{DEFINED}: define.activations.mine: `x.__class__` is not in the language",
    ),
    (
        "shape of an activation",
        edited(ACTIVATION) + define("activations", "y[n] = sum(h, x[n,h])"),
        f"a.yaml:{DEFINED}: define.activations.mine: an activation gives one value per unit",
    ),
    (
        "turned activation",
        edited(ACTIVATION) + define("activations", "y[h,n] = x[n,h]"),
        "an activation gives one value per unit",
    ),
    (
        "own loss",
        edited(LOSS) + define("losses", "f(y, t) = (y-q)**2"),
        f"a.yaml:{DEFINED}: define.losses.mine: 'q' is unknown",
    ),
    (
        "variables of a loss",
        edited(LOSS) + define("losses", "f(y) = y**2"),
        f"a.yaml:{DEFINED}: define.losses.mine: this is a function of y and t, as in f(y, t)",
    ),
    (
        "infinite loss",
        edited(LOSS) + define("losses", "f(y, t) = log(0)*y"),
        f"a.yaml:{DEFINED}: define.losses.mine: this is not finite",
    ),
    (
        "shape of a loss",
        edited(LOSS) + define("losses", "e[o] = sum(n, y[n,o]-t[n,o])"),
        f"a.yaml:{DEFINED}: define.losses.mine: a loss gives one error per output or per sample",
    ),
    (
        "whole loss",
        edited(LOSS) + define("losses", "e = sum(n, sum(o, y[n,o]-t[n,o]))"),
        "a loss gives one error per output or per sample",
    ),
]


@pytest.mark.parametrize(("text", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_mismatch_is_refused_at_its_place(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        made(text)
    assert words in str(caught.value)


def test_the_graph_of_a_small_network() -> None:
    problem = made(BASE)
    graph = problem.graph
    check(graph)
    assert [e.quantity.name for e in graph.equations] == [
        "net1", "out1", "net2", "out2", "E_each", "E",
    ]  # fmt: skip
    assert [q.name for q in graph.of_role(Role.PARAMETER)] == ["W1", "W2", "b2"]
    net = graph.equation("net2")
    n, h = net.indices
    (total,) = net.rhs.atoms(Total)
    i = total.index
    inner = Total(Element("W2", h, i) * Element("out1", n, i), i)
    assert net.rhs == inner + Element("b2", h)
    assert problem.values["W1"][1, 0] == 3
    assert problem.values["x"] == {(0, 0): Fraction(1, 2), (0, 1): Fraction(1, 4)}
    assert not problem.symbolic


def test_without_values_the_problem_is_symbolic() -> None:
    assert made(SYMBOLIC).symbolic


@pytest.mark.parametrize(("text", "size"), [("[[1, 2], [3, 4], [5, 6]]", 3), ("[[1, 2]]", 1)])
def test_the_batch_is_counted(text: str, size: int) -> None:
    problem = made(edited(("[0.5, 0.25]", text), ("[0, 1]", text)))
    assert problem.batch == size
    assert problem.graph.quantities["x"].shape == (size, 2)


def test_counted_units_are_named_by_layer() -> None:
    text = SYMBOLIC.replace("[i1, i2]", "3").replace("[h1, h2]", "2").replace("[o1, o2]", "1")
    problem = made(text)
    assert [unit.name for unit in problem.inputs] == ["i1", "i2", "i3"]
    assert [[u.name for u in use.units] for use in problem.layers] == [["h1", "h2"], ["o1"]]


@pytest.mark.parametrize(("bias", "shape"), [("each", (2,)), ("shared", ()), ("none", None)])
def test_the_kinds_of_bias(bias: str, shape: tuple[int, ...] | None) -> None:
    graph = made(SYMBOLIC.replace("bias: each", f"bias: {bias}")).graph
    quantity = graph.quantities.get("b2")
    assert (quantity.shape if quantity else None) == shape


def test_the_loss_is_a_mean_or_a_sum_over_the_batch() -> None:
    batch = "data: {batch: 3}\n"
    loss = "loss: {name: half_squared_error, batch: %s}"
    plain = "loss: half_squared_error"
    mean = made(SYMBOLIC.replace(plain, loss % "mean") + batch).graph.equation("E").rhs
    added = made(SYMBOLIC.replace(plain, loss % "sum") + batch).graph.equation("E").rhs
    assert sympy.expand(mean * 3 - added) == 0
    assert made(SYMBOLIC + batch).graph.equation("E").rhs == mean


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_activation_with_every_loss(activation: str, loss: str) -> None:
    """The outputs go through a logistic layer or softmax, so that every loss is defined."""
    last = "softmax" if LOSSES[loss].distribution else "logistic"
    text = SYMBOLIC.replace("tanh", "LAST").replace("logistic", activation).replace("LAST", last)
    graph = made(text.replace("half_squared_error", loss) + "data: {batch: 2}\n").graph
    derivation = differentiate(graph)
    given = draw(graph)
    values = Oracle(derivation.backward).run(Oracle(graph).run(given))
    assert worst_gradient(derivation, given, values) < TOLERANCE


def test_own_formulas_are_used() -> None:
    swish = edited(ACTIVATION) + define("activations", "f(x) = x*logistic(x)")
    assert made(swish).graph.equation("out1").rhs.has(Element)
    huber = edited(LOSS) + define("losses", "f(y, t) = where(abs(y-t) < 1, (y-t)**2/2, abs(y-t))")
    problem = made(huber)
    derivation = differentiate(problem.graph)
    given = draw(problem.graph)
    values = Oracle(derivation.backward).run(Oracle(problem.graph).run(given))
    assert worst_gradient(derivation, given, values) < TOLERANCE


def test_a_large_network_is_not_written_out() -> None:
    text = SYMBOLIC.replace("[i1, i2]", "1000").replace("[h1, h2]", "900")
    assert made(text).graph.quantities["W1"].shape == (900, 1000)
    assert MOST_NAMES < 900 * 1000
