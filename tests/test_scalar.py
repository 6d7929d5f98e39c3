"""The scalar view says the same as the equations, element by element."""

from __future__ import annotations

import pytest
import sympy
from mpmath import mp

from derive.backprop import differentiate
from derive.expression import Element, Index, Largest, Slope, Total
from derive.functions import absolute, maximum
from derive.graph import Graph
from derive.scalar import expand, local_slope, positions, scalar_equations, shapes_of
from tests.core_support import CASES, DIGITS, Oracle, axis, closure, distance, draw, sides

A = axis("a", 3)
N, J = Index("i", A), Index("j", A)
SHAPES = {"x": (3,), "y": (3,)}


def x(place: sympy.Expr | int) -> Element:
    return Element("x", place)


EXPANDED: list[tuple[sympy.Expr, dict[Index, int], sympy.Expr]] = [
    (x(N), {N: 1}, x(1)),
    (x(N + 1), {N: 2}, sympy.Integer(0)),
    (x(N - 1), {N: 0}, sympy.Integer(0)),
    (x(2 * N), {N: 1}, x(2)),
    (Total(x(N), N), {}, x(0) + x(1) + x(2)),
    (Total(x(N) * x(N - 1), N), {}, x(1) * x(0) + x(2) * x(1)),
    (Total(sympy.Integer(2), N), {}, sympy.Integer(6)),
    (Total(N * x(N), N), {}, x(1) + 2 * x(2)),
    (Largest(x(N), N), {}, maximum(maximum(x(0), x(1)), x(2))),
    (sympy.sqrt(x(N) * x(J)), {N: 1, J: 1}, absolute(x(1))),
    (sympy.tanh(x(N)) * J, {N: 0, J: 2}, 2 * sympy.tanh(x(0))),
]


@pytest.mark.parametrize(("expr", "binding", "expected"), EXPANDED, ids=str)
def test_an_expression_with_numbers_for_indices(
    expr: sympy.Expr, binding: dict[Index, int], expected: sympy.Expr
) -> None:
    assert expand(expr, binding, SHAPES) == expected


def test_positions_run_with_the_last_index_fastest() -> None:
    assert list(positions((axis("a", 2), axis("b", 2)))) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert list(positions(())) == [()]


def test_the_largest_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="largest of no values"):
        expand(Largest(x(N), Index("i", axis("a", 0))), {}, SHAPES)


def scalar_values(graph: Graph, values: dict) -> dict:  # type: ignore[type-arg]
    values = dict(values)
    for equation in graph.equations:
        for element, rhs in scalar_equations(equation, shapes_of(graph)):
            assert not rhs.atoms(Index)
            key = element.name, tuple(map(int, element.indices))
            with mp.workdps(DIGITS):
                values[key] = closure(rhs)(values, {})
    return values


@pytest.mark.parametrize("name", sorted(CASES))
def test_scalar_equations_have_the_values_of_the_graph(name: str) -> None:
    graph = CASES[name].graph()
    given = draw(graph)
    expected = Oracle(graph).run(given)
    found = scalar_values(graph, given)
    assert found.keys() == expected.keys()
    assert max(distance(found[key], expected[key]) for key in expected) < 1e-40


@pytest.mark.parametrize(
    "name", sorted(set(CASES) - {n for n in CASES if "max" in n or "overflow" in n})
)
def test_scalar_adjoints_have_the_values_of_the_backward_graph(name: str) -> None:
    graph = CASES[name].graph()
    backward = differentiate(graph).backward
    values = Oracle(graph).run(draw(graph))
    expected = Oracle(backward).run(values)
    found = scalar_values(backward, values)
    assert max(distance(found[key], expected[key]) for key in expected) < 1e-40


@pytest.mark.parametrize("name", ["dense, softmax, cross-entropy", "shifts in time", "bilinear"])
def test_local_slopes_are_differences(name: str) -> None:
    graph = CASES[name].graph()
    derivation = differentiate(graph)
    shapes = shapes_of(graph)
    values = Oracle(graph).run(draw(graph))
    for local in derivation.locals:
        equation = graph.equation(local.of)
        of = Element(local.of, *[0] * len(local.indices))
        by = Element(local.by, *[0] * len(local.at))
        binding = dict.fromkeys(equation.indices, 0)
        body, key = closure(equation.rhs), (local.by, (0,) * len(local.at))
        with mp.workdps(DIGITS):
            left, right = sides(lambda h: body({**values, key: values[key] + h}, binding))  # noqa: B023
            found = closure(local_slope(local, of, by, shapes))(values, {})
            assert distance(found, (left + right) / 2) < 1e-20
    assert not any(isinstance(local.value, Slope) for local in derivation.locals)
