"""The scalar network: who reads whom, chains and where they stop; order and view of a page."""

from __future__ import annotations

import pytest

import derive
from derive.expression import Element
from derive.graph import Kind, Role
from derive.notation import notation
from derive.problem import Problem
from derive.render.network import ScalarNetwork, scalar_network, unwritten_network
from derive.render.order import MOST_PATH_WEIGHTS, path_view, weights_in_order
from tests.render_support import Small, made


def network(name: str) -> ScalarNetwork:
    return scalar_network(made(name).derivation)


def named(problem: Problem) -> list[str]:
    names = notation(problem)
    return [names.name(weight).report for weight in weights_in_order(problem)]


def out(layer: int, unit: int) -> Element:
    return Element(f"out{layer}", 0, unit)


def net(layer: int, unit: int) -> Element:
    return Element(f"net{layer}", 0, unit)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("article", "w5 w6 w7 w8 w1 w2 w3 w4"),
        ("biases", "w5 w6 w7 w8 b2 w1 w2 w3 w4 b1"),
        ("neuron", "w1 w2 b1"),
    ],
)
def test_the_last_layer_is_told_first(name: str, order: str) -> None:
    assert named(made(name).problem) == order.split()


def test_readers() -> None:
    found = network("article")
    assert found.readers[Element("W2", 0, 0)] == (net(2, 0),)
    assert found.readers[out(1, 0)] == (net(2, 0), net(2, 1))
    assert found.readers[out(2, 1)] == (Element("E_each", 0, 1),)
    assert Element("E") not in found.readers
    assert network("biases").readers[Element("b1")] == (net(1, 0), net(1, 1))


def test_chains_stop_at_the_error_and_where_ways_meet() -> None:
    found = network("article")
    assert found.chain(net(2, 0)) == (out(2, 0), net(2, 0))
    assert found.chain(net(1, 1)) == (out(1, 1), net(1, 1))
    assert found.stops(out(1, 0)) and not found.at_loss(out(1, 0))
    assert found.at_loss(out(2, 0)) and not found.at_loss(net(2, 0))


def test_a_fused_activation_ends_the_chain_at_the_net_input() -> None:
    found = network("neuron")
    assert found.fused == {"net1"}
    assert found.chain(net(1, 0)) == (net(1, 0),)


def test_with_one_output_there_is_one_way() -> None:
    small = Small((2, 2, 1), ("tanh", "identity"), "half_squared_error", ("each", "none"))
    found = scalar_network(derive.differentiate(small.problem().graph))
    assert found.chain(net(1, 0)) == (out(2, 0), net(2, 0), out(1, 0), net(1, 0))


def test_slopes_and_adjoints_are_scalar() -> None:
    found = network("article")
    y = out(2, 0)
    assert found.slope(y, net(2, 0)) == y * (1 - y)
    assert found.slope(net(2, 1), out(1, 0)) == Element("W2", 1, 0)
    assert found.slope(net(2, 1), Element("W2", 1, 0)) == out(1, 0)
    assert found.adjoint(y) == y - Element("t", 0, 0)
    assert found.role(Element("x", 0, 0)) is Role.INPUT
    assert found.kind(Element("W2", 0, 0)) is Kind.WEIGHT


def test_a_network_that_is_not_written_out_has_no_scalars() -> None:
    found = unwritten_network(made("digits").derivation)
    assert not found.equations and not found.readers
    assert found.fused == {"net2"}


@pytest.mark.parametrize(
    ("small", "expected"),
    [
        (Small((2, 2, 2), ("tanh", "identity"), "half_squared_error", ("each", "each")), True),
        (Small((3, 3), ("identity",), "half_squared_error", ("each",)), True),
        (Small((3, 4), ("identity",), "half_squared_error", ("none",)), True),
        (Small((3, 4), ("identity",), "half_squared_error", ("shared",)), False),
        (Small((1, 1, 1, 1), ("tanh",) * 3, "half_squared_error", ("none",) * 3), False),
        (Small((1, 1), ("tanh",), "half_squared_error", ("none",), batch=2), False),
    ],
    ids=["12", "12 in one layer", "exactly 12", "13", "three layers", "batch"],
)
def test_small_networks_are_told_path_by_path(small: Small, expected: bool) -> None:
    problem = small.problem()
    assert path_view(problem) is expected
    assert MOST_PATH_WEIGHTS == 12
