"""The adjoint graph of every kind of layer: right to 20 digits, and every step proven."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import sympy
from mpmath import mp

from derive.backprop import differentiate
from derive.expression import Delta, Element, Index, Total, elements, rebuild
from derive.graph import Equation, Graph, GraphError, Quantity, Role, adjoint_name, check
from derive.rules import Rule
from derive.verify import routes
from derive.verify.algebra import DIGITS
from derive.verify.bench import Bench
from derive.verify.interpreter import run
from derive.verify.report import Status, judged
from tests.core_support import (
    CASES,
    TOLERANCE,
    Case,
    Oracle,
    distance,
    draw,
    places,
    worst_gradient,
    worst_step,
)

SMALL = ("scalars", "shifts in time", "where, above", "powers", "max of overlapping windows")


@pytest.mark.parametrize("name", sorted(CASES))
def test_gradients_and_steps_agree_with_differences(name: str) -> None:
    graph = CASES[name].graph()
    derivation = differentiate(graph)
    check(derivation.forward)
    check(derivation.backward)
    assert derivation.steps
    given = draw(graph)
    with mp.workdps(DIGITS):
        values = run(derivation.backward, run(graph, given))
    assert worst_gradient(derivation, given, values) < TOLERANCE
    assert worst_step(derivation, values) < TOLERANCE


@pytest.mark.parametrize("name", SMALL)
def test_the_routes_of_the_package_agree_too(name: str) -> None:
    graph = CASES[name].graph()
    derivation = differentiate(graph)
    given = draw(graph, seed=2)
    bench = Bench(derivation, given)
    for comparisons in (routes.differences(bench), routes.steps(bench)):
        route = judged(name, comparisons, TOLERANCE)
        assert route.status is Status.AGREES, route


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_parameter_has_its_adjoint_of_the_same_shape(name: str) -> None:
    graph = CASES[name].graph()
    derivation = differentiate(graph)
    for quantity in graph.of_role(Role.PARAMETER):
        adjoint = derivation.adjoint(quantity.name).quantity
        assert adjoint.role is Role.ADJOINT
        assert adjoint.axes == quantity.axes


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_derivation_is_the_same_every_time(name: str) -> None:
    assert differentiate(CASES[name].graph()) == differentiate(CASES[name].graph())


def test_softmax_with_cross_entropy_is_p_minus_t() -> None:
    derivation = differentiate(CASES["dense, softmax, cross-entropy"].graph())
    adjoint = derivation.adjoint("z")
    n, o = adjoint.indices
    p, t = Element("p", n, o), Element("t", n, o)
    assert sympy.expand(adjoint.rhs * 2 - (p - t)) == 0
    rules = [step.rule for step in derivation.steps if step.quantity == "z"]
    assert Rule.CANCEL in rules
    assert Rule.NORMALISED in rules


def test_logistic_with_binary_cross_entropy_is_y_minus_t() -> None:
    derivation = differentiate(CASES["logistic, binary cross-entropy"].graph())
    adjoint = derivation.adjoint("z")
    y, t = Element("y", *adjoint.indices), Element("t", *adjoint.indices)
    assert sympy.expand(adjoint.rhs * 3 - (y - t)) == 0


def test_targets_that_are_no_distribution_keep_their_sum() -> None:
    case = replace(CASES["dense, softmax, cross-entropy"], distributions=())
    derivation = differentiate(case.graph())
    assert derivation.adjoint("z").rhs.has(Total)
    assert Rule.NORMALISED not in [step.rule for step in derivation.steps]
    given = draw(case.graph())
    values = Oracle(derivation.backward).run(Oracle(case.graph()).run(given))
    assert worst_gradient(derivation, given, values) < TOLERANCE


@pytest.mark.parametrize(
    "name",
    ["targets of the sample before", "the diagonal of the targets", "softmax over the samples"],
)
def test_only_a_whole_row_of_targets_sums_to_one(name: str) -> None:
    steps = differentiate(CASES[name].graph()).steps
    assert Rule.NORMALISED not in [step.rule for step in steps]


def test_the_adjoint_of_a_dense_layer() -> None:
    derivation = differentiate(CASES["dense, softmax, cross-entropy"].graph())
    adjoint = derivation.adjoint("W")
    o, i = adjoint.indices
    (total,) = adjoint.rhs.atoms(Total)
    n = total.index
    assert adjoint.rhs == Total(Element("adj_z", n, o) * Element("x", n, i), n)


def test_a_strided_convolution_leaves_no_delta() -> None:
    derivation = differentiate(CASES["convolution, 1d, stride 2, padding 1"].graph())
    assert not derivation.adjoint("x").rhs.has(Delta)
    assert not derivation.adjoint("K").rhs.has(Delta)


def test_it_differentiates_by_the_quantities_asked_for() -> None:
    graph = CASES["dense, softmax, cross-entropy"].graph()
    derivation = differentiate(graph, by=["x"])
    names = set(derivation.backward.quantities)
    assert adjoint_name("x") in names
    assert adjoint_name("W") not in names
    given = draw(graph)
    values = Oracle(derivation.backward).run(Oracle(graph).run(given))
    oracle = Oracle(graph)
    for name, at in places(graph.quantities["x"]):
        expected = oracle.slope(given, (name, at))
        assert distance(values[adjoint_name(name), at], expected) < TOLERANCE


def _renamed(name: str) -> str:
    return name.replace(adjoint_name(""), "slope_")


def _rename(node: sympy.Expr) -> sympy.Expr:
    return Element(_renamed(node.name), *node.indices) if isinstance(node, Element) else node


def _squared_gradient(case: Case, name: str) -> Graph:
    """A graph whose loss is the sum of the squared entries of one gradient."""
    first = differentiate(case.graph())
    hidden = [
        Equation(
            replace(e.quantity, role=Role.HIDDEN, name=_renamed(e.quantity.name)),
            e.indices,
            rebuild(e.rhs, _rename),
        )
        for e in (*first.forward.equations, *first.backward.equations)
    ]
    adjoint = first.adjoint(name)
    total: sympy.Expr = _rename(adjoint.lhs) ** 2
    for index in adjoint.indices:
        total = Total(total, index)
    loss = Equation(Quantity("S", "S", (), Role.LOSS), (), total)
    return Graph(first.forward.given, (*hidden, loss))


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("dense, softmax, cross-entropy", "W"),
        ("shifts in time", "x"),
        ("layer norm", "g"),
        ("a matrix used twice, transposed", "W"),
        ("convolution, dilated", "k"),
    ],
)
def test_a_second_derivative_is_the_same_function_called_twice(name: str, by: str) -> None:
    graph = _squared_gradient(CASES[name], by)
    second = differentiate(graph)
    given = draw(graph)
    values = Oracle(second.backward).run(Oracle(graph).run(given))
    assert worst_gradient(second, given, values) < TOLERANCE


REFUSED = [
    (Case("E = x**2", "x parameter"), ["q"], "there is no quantity 'q'"),
]


@pytest.mark.parametrize(("case", "by", "words"), REFUSED, ids=lambda part: str(part)[:40])
def test_an_unknown_quantity_is_refused(case: Case, by: list[str] | None, words: str) -> None:
    with pytest.raises(GraphError, match=words):
        differentiate(case.graph(), by)


BLIND = (
    "E = 3 | x parameter",
    "E = (x-x)*x | x parameter",
    "y = x*2; E = z | x parameter; z input",
)


@pytest.mark.parametrize("text", BLIND)
def test_the_derivative_by_what_no_loss_sees_is_zero(text: str) -> None:
    equations, _, given = text.partition(" | ")
    derivation = differentiate(Case(equations, given).graph(), ["x"])
    assert derivation.adjoint("x").rhs == 0
    assert derivation.steps == derivation.locals == ()


def test_without_a_loss_nothing_is_differentiated() -> None:
    x = Quantity("x", "x", (), Role.PARAMETER)
    made = Equation(Quantity("y", "y", (), Role.HIDDEN), (), Element("x") ** 2)
    derivation = differentiate(Graph((x,), (made,)), ())
    assert derivation.backward.equations == derivation.steps == ()


@pytest.mark.parametrize("count", [0, 2])
def test_a_graph_without_exactly_one_loss_is_refused(count: int) -> None:
    x = Quantity("x", "x", (), Role.PARAMETER)
    made = tuple(
        Equation(Quantity(f"E{k}", "E", (), Role.LOSS), (), Element("x") ** 2) for k in range(count)
    )
    with pytest.raises(GraphError, match=f"needs one loss, this one has {count}"):
        differentiate(Graph((x,), made))


def test_high_powers_are_not_multiplied_out() -> None:
    case = Case(
        "y = (a+b+c+d)**80; z = log(y); E = z*y**2",
        "a parameter; b parameter; c parameter; d parameter",
    )
    derivation = differentiate(case.graph())
    assert max(len(list(elements(e.rhs))) for e in derivation.backward.equations) < 40


def test_no_index_of_a_derivation_keeps_its_working_name() -> None:
    for case in CASES.values():
        for equation in differentiate(case.graph()).backward.equations:
            names = {node.name for node in equation.rhs.atoms(Index)}
            assert not [name for name in names if "#" in name]


def test_the_same_letters_whatever_the_hash_seed() -> None:
    """z is read at z[o] and, under the sum of its softmax, at a letter of its own."""
    program = (
        "from derive.backprop import differentiate; from tests.core_support import CASES; "
        "print(*[e.lhs for n in ('softmax over the samples', 'attention', 'layer norm')"
        " for e in differentiate(CASES[n].graph()).backward.equations])"
    )
    found = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", program]
        found.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(found) == 1
