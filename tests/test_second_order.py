"""Hessian-vector products: every pair of parameters counts, and the names are free."""

from __future__ import annotations

import pytest
from mpmath import mpf

from derive.backprop import differentiate
from derive.graph import GraphError
from derive.second_order import hessian_product
from tests.core_support import Case, Oracle

SQUARE = Case("E = a**2*b", "a parameter; b parameter")
PRODUCTS = {  # H = (2b 2a; 2a 0) at a = 3, b = 5
    (1, 0): (10, 6),
    (0, 1): (6, 0),
    (1, 1): (16, 6),
    (2, -1): (14, 12),
}


@pytest.mark.parametrize("direction", PRODUCTS)
def test_a_product_by_hand(direction: tuple[int, int]) -> None:
    second = hessian_product(differentiate(SQUARE.graph()))
    given = {("a", ()): mpf(3), ("b", ()): mpf(5)}
    given |= {(f"v_{name}", ()): mpf(v) for name, v in zip("ab", direction, strict=True)}
    values = Oracle(second.backward).run(Oracle(second.forward).run(given))
    assert tuple(values[f"adj_{name}", ()] for name in "ab") == PRODUCTS[direction]


def test_a_product_for_some_parameters_only() -> None:
    second = hessian_product(differentiate(SQUARE.graph()), ("b", "a"))
    assert {"v_a", "v_b"} <= set(second.forward.quantities)
    alone = hessian_product(differentiate(SQUARE.graph()), ("a",))
    assert "v_b" not in alone.forward.quantities
    given = {("a", ()): mpf(3), ("b", ()): mpf(5), ("v_a", ()): mpf(7)}
    values = Oracle(alone.backward).run(Oracle(alone.forward).run(given))
    assert values["adj_a", ()] == 70


@pytest.mark.parametrize("name", ["slope_a", "v_a", "product"])
def test_a_name_that_is_taken_is_said(name: str) -> None:
    case = Case(f"E = a**2*{name}", f"a parameter; {name} input")
    with pytest.raises(GraphError, match=f"'{name}' is needed for the second derivative"):
        hessian_product(differentiate(case.graph()))
