"""A graph that breaks a rule is refused, in words that say which."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy

from derive.expression import Element, Index, Largest, Total
from derive.graph import Equation, Graph, GraphError, Quantity, Role, adjoint_name
from tests.core_support import CASES, axis

A, B = axis("a", 3), axis("b", 2)
N, J, K, M = Index("i", A), Index("j", A), Index("k", B), Index("m", A)
X = Quantity("x", "x", (A,), Role.INPUT)
S = Quantity("s", "s", (), Role.PARAMETER)
Y = Quantity("y", "y", (A,), Role.HIDDEN)
x, s = (lambda place: Element("x", place)), Element("s")


def graph(rhs: sympy.Expr, indices: tuple[Index, ...] = (N,), quantity: Quantity = Y) -> Graph:
    return Graph((X, S), (Equation(quantity, indices, rhs),))


GOOD: list[sympy.Expr] = [
    x(N),
    x(N - 1) * s,
    x(2 * N + 1),
    x(N**2),
    x(sympy.Integer(7)),
    x(N) * Total(x(J), J),
    Total(x(J), J) * Total(x(J) ** 2, J),
    Total(Total(x(J) * x(M), J), M),
    Total(x(N + K), K),
    Largest(x(J) * x(M), J, M),
    N * s,
]


@pytest.mark.parametrize("rhs", GOOD, ids=str)
def test_what_is_well_formed(rhs: sympy.Expr) -> None:
    assert graph(rhs).quantities.keys() == {"x", "s", "y"}


BAD: list[tuple[Callable[[], Graph], str]] = [
    (lambda: Graph((X, X), ()), "a given quantity is listed twice"),
    (lambda: graph(s, quantity=X), "'x' is defined twice"),
    (lambda: Graph((X, S), (Equation(Y, (N,), x(N)),) * 2), "'y' is defined twice"),
    (lambda: graph(Element("y", N)), "'y' depends on itself"),
    (lambda: graph(Element("q")), "'q' is read before it is defined"),
    (lambda: graph(x(J)), "the index 'j' of 'x[j]' is not bound"),
    (lambda: graph(x(N + J)), "the index 'j' of 'x[i + j]' is not bound"),
    (lambda: graph(J * s), "the index 'j' is not bound"),
    (lambda: graph(Total(x(J), J) * x(J)), "the index 'j' of 'x[j]' is not bound"),
    (lambda: graph(Total(x(N), N)), "the index 'i' is bound twice"),
    (lambda: graph(Total(Total(x(J), J), J)), "the index 'j' is bound twice"),
    (lambda: graph(Largest(x(N), N)), "the index 'i' is bound twice"),
    (lambda: graph(Element("x")), "'x' has 1 axes but is read with 0 indices"),
    (lambda: graph(Element("s", N)), "'s' has 0 axes but is read with 1 indices"),
    (lambda: graph(x(N), (K,)), "the indices of 'y' do not fit its axes"),
    (lambda: graph(s, ()), "the indices of 'y' do not fit its axes"),
    (lambda: graph(s, (N, N), Quantity("z", "z", (A, A), Role.HIDDEN)), "'z' repeats an index"),
    (lambda: graph(x(N / 2)), "the index 'i/2' of 'x[i/2]' is not made of index letters"),
    (lambda: graph(x(s)), "the index 's' of 'x[s]' is not made of index letters"),
    (lambda: graph(x(x(N))), "the index 'x[i]' of 'x[x[i]]' is not made of index letters"),
    (lambda: graph(x(s)), "if 's' holds whole numbers, say `integers: [s]`"),
    (lambda: graph(x(2**N)), "is not made of index letters"),
    (lambda: graph(x(sympy.exp(N))), "is not made of index letters"),
]


@pytest.mark.parametrize(
    ("make", "words"), BAD, ids=[f"{k}: {w[:40]}" for k, (_, w) in enumerate(BAD)]
)
def test_each_violation_has_its_words(make: Callable[[], Graph], words: str) -> None:
    with pytest.raises(GraphError) as caught:
        make()
    assert words in str(caught.value)


def test_an_error_names_the_equation() -> None:
    with pytest.raises(GraphError, match=r"^in the equation of 'y': "):
        graph(x(J))


def test_quantities_are_read_only() -> None:
    with pytest.raises(TypeError):
        graph(s).quantities["z"] = X  # type: ignore[index]


def test_looking_things_up() -> None:
    made = CASES["shared parameters"].graph()
    assert made.loss.name == "E"
    assert [q.name for q in made.of_role(Role.PARAMETER)] == ["w", "v"]
    assert [e.quantity.name for e in made.readers("w")] == ["a", "b", "E"]
    assert made.equation("b").lhs == Element("b", *made.equation("b").indices)
    assert made.quantities["x"].given
    assert not made.quantities["a"].given
    assert made.quantities["x"].shape == (3,)
    assert adjoint_name("W1") == "adj_W1"
