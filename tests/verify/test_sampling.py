"""The values at which a problem is verified."""

from __future__ import annotations

import pytest
from mpmath import mp

import derive
from derive.amount import work
from derive.backprop import differentiate
from derive.errors import InputError
from derive.graph import Role, check
from derive.verify.algebra import DIGITS
from derive.verify.interpreter import run
from derive.verify.sampling import (
    MOST_ENTRIES,
    MOST_SCALARS,
    drawn_values,
    float_values,
    shortened,
    small,
    spec_values,
    spread,
)
from tests.verify_support import SOFT, made, problem


def test_the_values_of_a_spec_are_exact() -> None:
    values = spec_values(made("article").problem)
    assert values is not None
    with mp.workdps(DIGITS):
        assert values["x", (0, 0)] == mp.mpf(1) / 20
        assert values["W2", (1, 0)] == mp.mpf(45) / 100


def test_a_symbolic_problem_has_no_values() -> None:
    assert spec_values(derive.load("digits")) is None


@pytest.mark.parametrize("name", ["article", "soft", "deep"])
def test_drawn_values_are_the_same_every_time_and_give_a_finite_loss(name: str) -> None:
    graph = made(name).problem.graph if name != "deep" else derive.load("deep").graph
    values = drawn_values(graph, 1)
    assert values == drawn_values(graph, 1)
    assert values != drawn_values(graph, 2)
    assert mp.isfinite(run(graph, values)[graph.loss.name, ()])
    assert len(set(values.values())) > len(values) / 2


def test_drawn_targets_of_a_distribution_sum_to_one() -> None:
    values = drawn_values(made("soft").problem.graph, 1)
    total = sum(v for (name, _), v in values.items() if name == "t")
    assert abs(total - 1) < 1e-40


def test_a_loss_that_is_never_real_is_refused() -> None:
    text = SOFT.replace("activation: softmax", "activation: 'f(x) = -1 - x**2'")
    with pytest.raises(InputError, match="not a finite number"):
        drawn_values(problem(text).graph, 1)


def test_a_small_problem_is_verified_as_it_is() -> None:
    derivation = made("article").derivation
    assert small(derivation) is derivation


def test_a_large_problem_is_verified_with_short_axes_that_differ() -> None:
    full = derive.load("digits")
    reduced = small(differentiate(full.graph))
    check(reduced.forward)
    check(reduced.backward)
    count = sum(
        1 for q in reduced.forward.of_role(Role.PARAMETER) for _ in range(max(1, len(q.shape)))
    )
    assert count < MOST_SCALARS
    sizes = {axis.name: axis.length for q in reduced.forward.given for axis in q.axes}
    assert max(sizes.values()) <= 5
    assert len(set(sizes.values())) == len(sizes)  # as many as there were
    assert len(reduced.steps) == len(differentiate(full.graph).steps)


def test_float_values_give_one_target_of_a_distribution() -> None:
    values = float_values(made("soft").problem, 3)
    assert sorted(values["t"].values()) == [0.0, 1.0]
    assert all(abs(v) <= 0.3 for v in values["W1"].values())


def test_the_work_of_a_forward_pass_counts_all_index_values() -> None:
    assert work(made("article").problem.graph) == 4 + 2 + 4 + 2 + 2 + 2


@pytest.mark.parametrize("name", ["W1", "W2", "b1"])
def test_of_many_entries_a_share_of_the_rows_and_of_the_columns_is_chosen(name: str) -> None:
    quantity = derive.load("digits").graph.quantities[name]
    chosen = spread(quantity)
    assert len(set(chosen)) == len(chosen) <= MOST_ENTRIES + 2 ** len(quantity.axes)
    assert {tuple(n - 1 for n in quantity.shape), (0,) * len(quantity.shape)} <= set(chosen)
    for side, size in enumerate(quantity.shape):
        assert len({place[side] for place in chosen}) > min(size, MOST_ENTRIES) / 3


def test_few_entries_are_all_chosen() -> None:
    quantity = made("article").problem.graph.quantities["W1"]
    assert spread(quantity) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_axes_that_were_cut_are_told() -> None:
    derivation = differentiate(derive.load("digits").graph)
    assert shortened(derivation, derivation) == ""
    assert "for 784" in shortened(derivation, small(derivation))
