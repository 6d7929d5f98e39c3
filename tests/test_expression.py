"""The inert nodes, and that no substitution ever captures an index."""

from __future__ import annotations

import copy
import pickle
import random

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from derive.calculus import build as build_terms
from derive.calculus import open_terms, same
from derive.expression import (
    Axis,
    Chosen,
    Delta,
    Element,
    Fresh,
    Index,
    Inside,
    Largest,
    Total,
    bound_indices,
    elements,
    reads,
    rebuild,
    substitute,
)
from derive.letters import tidy
from derive.places import Quotient, Remainder, linear_range, on_axis, stays_on_axis
from tests.core_support import DIGITS, axis, closure, distance, relaxed

AXIS = axis("a", 3)
L, J, K = (Index(letter, AXIS) for letter in "ijk")
SHORT = Index("i", axis("b", 2))
X, Y = Element("x", L), Element("y", J)


def test_an_axis_knows_its_length() -> None:
    assert AXIS.length == 3
    with pytest.raises(ValueError, match="axis 'n' has the symbolic size N"):
        _ = Axis("n", sympy.Symbol("N")).length


def test_indices_are_equal_by_name_and_size() -> None:
    assert Index("i", AXIS) == L
    assert Index("i", axis("other", 3)) == L
    assert SHORT != L
    assert J != L
    assert L.is_integer


@pytest.mark.parametrize(
    "expr",
    [L, X, Total(X * Y, L), Largest(X, L), Delta(L, J)],
    ids=["letter", "entry", "sum", "maximum", "delta"],  # a product has no fixed order as text
)
def test_nodes_survive_copying(expr: sympy.Expr) -> None:
    assert pickle.loads(pickle.dumps(expr)) == expr
    assert copy.deepcopy(expr) == expr


def test_bound_indices_are_not_free() -> None:
    assert Total(X * Y, L).free_symbols == {J}
    assert Largest(X * Y, L, J).free_symbols == set()
    assert bound_indices(Largest(X * Y, L, J)) == (L, J)
    assert bound_indices(Total(X, L)) == (L,)
    assert bound_indices(X) == ()


def test_deltas_and_guards_are_decided_when_they_can_be() -> None:
    assert Delta(L, L) == 1
    assert Delta(L + 1, L) == 0
    assert Delta(sympy.Integer(2), sympy.Integer(2)) == 1
    assert isinstance(Delta(L, J), Delta)
    assert Inside(sympy.Integer(2), sympy.Integer(3)) == 1
    assert Inside(sympy.Integer(3), sympy.Integer(3)) == 0
    assert Inside(sympy.Integer(-1), sympy.Integer(3)) == 0
    assert isinstance(Inside(L, sympy.Integer(3)), Inside)


ON_AXIS = [(L, 3, True), (L, 2, False), (L + 1, 3, False), (sympy.Integer(2), 3, True),
           (sympy.Integer(3), 3, False), (sympy.Integer(-1), 3, False)]  # fmt: skip


@pytest.mark.parametrize(("position", "size", "expected"), ON_AXIS, ids=range(len(ON_AXIS)))
def test_what_surely_stays_on_an_axis(position: sympy.Expr, size: int, expected: bool) -> None:
    assert on_axis(position, sympy.Integer(size)) is expected


RANGES: list[tuple[sympy.Expr, tuple[int, int] | None]] = [
    (L, (0, 2)),
    (2 * L + 1, (1, 5)),
    (2 - L, (0, 2)),
    (L - 2 * J, (-4, 2)),
    (2 * SHORT + L - 1, (-1, 3)),
    (sympy.Integer(4), (4, 4)),
    (L * J, None),
    (L / 2, None),
    (Element("token", L), None),
    (Quotient(2 * L + J, 3), (0, 2)),
    (2 - Remainder(J + L, 2), (1, 2)),
    (Quotient(L * J, 2), None),
]


@pytest.mark.parametrize(("position", "ends"), RANGES, ids=range(len(RANGES)))
def test_the_range_of_a_linear_position(position: sympy.Expr, ends: tuple[int, int] | None) -> None:
    assert linear_range(position) == ends
    if ends is not None and ends[0] >= 0:
        assert stays_on_axis(position, sympy.Integer(ends[1] + 1))
        assert not stays_on_axis(position, sympy.Integer(ends[1]))


def test_what_an_expression_reads() -> None:
    expr = Element("b", L) * Total(Element("a", J) + Element("b", J), J)
    assert set(reads(expr)) == {"a", "b"}
    assert len(list(elements(expr))) == 3


def test_sums_are_not_carried_out_by_sympy() -> None:
    assert Total(X, L) != Total(Element("x", J), J)
    assert same(Total(X, L), Total(Element("x", J), J))
    assert not same(Total(X, L), Total(Element("x", L + 1), L))
    assert not same(Total(Total(Element("A", L, J), L), J), Total(Total(Element("A", J, L), L), J))


def test_an_inner_letter_hides_an_outer_one_of_the_same_name() -> None:
    hiding = Total(Element("y", L) * Total(X, L), L)
    apart = Total(Element("y", J) * Total(Element("x", K), K), J)
    assert same(hiding, apart)
    assert not same(hiding, Total(Element("y", J) * Total(Element("x", J), K), J))


def test_what_a_choice_is_about_is_never_rewritten() -> None:
    chosen = Chosen(Largest(X, L), J)
    assert rebuild(chosen * X, lambda n: Y if isinstance(n, Largest) else n) == chosen * X


def test_a_letter_that_is_made_short_captures_no_free_one() -> None:
    inner = Index("i#1", AXIS)
    tidied = tidy(Total(Element("x", inner) * Element("y", L), inner), frozenset())
    assert tidied == Total(Element("x", J) * Element("y", L), J)


def random_expression(source: random.Random, scope: list[Index], depth: int) -> sympy.Expr:
    """A random expression whose bound letters clash with the free ones as often as they can."""
    if depth == 0:
        place = source.choice([*scope, source.choice(scope) + 1, 2 - source.choice(scope)])
        return source.choice([Element("x", place), Element("y", place), place + 1])
    below = [random_expression(source, scope, depth - 1) for _ in range(2)]
    index = source.choice([L, J, K])
    inner = random_expression(source, list(dict.fromkeys([*scope, index])), depth - 1)
    match source.randrange(6):
        case 0:
            return below[0] + below[1]
        case 1:
            return below[0] * below[1]
        case 2:
            return sympy.tanh(below[0])
        case 3:
            return Largest(inner, index)
        case 4:
            return Chosen(Largest(inner, index), source.choice(scope)) * below[0]
    return Total(inner, index)


NUMBERS = {(name, (k,)): mpf(v) for name in "xy" for k, v in enumerate(("0.3", "-0.7", "1.1"))}
NUMBERS["y", (1,)] = mpf("0.45")


@relaxed(250)
@given(st.integers(0, 2**32), st.sampled_from([J, K, L + 1, J - L, sympy.Integer(2), 2 * K]))
def test_substitution_keeps_the_value(seed: int, put: sympy.Expr) -> None:
    expr = random_expression(random.Random(seed), [L, J, K], 3)
    changed = substitute(expr, {L: put}, Fresh())
    at = {L: 1, J: 2, K: 0}
    there = {**at, L: int(put.xreplace({k: sympy.Integer(v) for k, v in at.items()}))}
    with mp.workdps(DIGITS):
        assert distance(closure(changed)(NUMBERS, at), closure(expr)(NUMBERS, there)) < 1e-40


@relaxed(250)
@given(st.integers(0, 2**32))
def test_two_indices_can_change_places(seed: int) -> None:
    expr = random_expression(random.Random(seed), [L, J], 3)
    swapped = substitute(expr, {L: J, J: L}, Fresh())
    with mp.workdps(DIGITS):
        found, expected = (
            closure(swapped)(NUMBERS, {L: 0, J: 2}),
            closure(expr)(NUMBERS, {L: 2, J: 0}),
        )
        assert distance(found, expected) < 1e-40


@relaxed(250)
@given(st.integers(0, 2**32))
def test_tidy_and_open_terms_keep_the_value(seed: int) -> None:
    expr = random_expression(random.Random(seed), [L, J], 3)
    bound = {L: 0, J: 2}
    with mp.workdps(DIGITS):
        expected = closure(expr)(NUMBERS, bound)
        tidied = tidy(expr, frozenset({"i", "j"}))
        opened = build_terms(open_terms(expr, Fresh()))
        assert distance(closure(tidied)(NUMBERS, bound), expected) < 1e-40
        assert distance(closure(opened)(NUMBERS, bound), expected) < 1e-40
    letters = {i.name for node in sympy.preorder_traversal(tidied) for i in bound_indices(node)}
    assert not letters & {"i", "j"}
