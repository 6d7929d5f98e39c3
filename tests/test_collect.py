"""What is collected in the derivative of a normalisation, and what must be left as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

from derive.backprop import differentiate
from derive.calculus import same
from derive.collect import collected
from derive.expression import Element, Index, Total
from derive.graph import Equation, Quantity, Role
from derive.letters import tidy
from derive.rules import Rule
from tests.core_support import CASES, axis

N, D, K = Index("n", axis("n", 2)), Index("d", axis("d", 3)), Index("k", axis("d", 3))


def equation(name: str, indices: tuple[Index, ...], rhs: sympy.Expr) -> Equation:
    axes = tuple(index.axis for index in indices)
    return Equation(Quantity(name, name, axes, Role.HIDDEN), indices, rhs)


def x(n: Index, d: Index) -> Element:
    return Element("x", n, d)


def g(n: Index, d: Index) -> Element:
    return Element("g", n, d)


MU, NU, S, V = (Element(name, N) for name in ("mu", "nu", "s", "v"))
MEAN = equation("mu", (N,), Total(x(N, D), D) / 3)
OF_ANOTHER = equation("nu", (N,), Total(g(N, D), D) / 3)
SUM = equation("s", (N,), Total(x(N, D), D))
MEANS = (MEAN, OF_ANOTHER, SUM)


def test_deviations_from_their_mean_add_up_to_zero() -> None:
    assert collected(V * Total(x(N, K) - MU, K), {}, (), MEANS) == 0


LEFT = {
    "weighted deviations": V * Total(g(N, K) * (x(N, K) - MU), K),
    "squared deviations": V * Total((x(N, K) - MU) ** 2, K),
    "from a sum": V * Total(x(N, K) - S, K),
    "from the mean of another": V * Total(x(N, K) - NU, K),
    "from nothing that is defined": V * Total(x(N, K) - V, K),
}


@pytest.mark.parametrize("name", LEFT)
def test_other_sums_are_no_zeros(name: str) -> None:
    assert collected(LEFT[name], {}, (), MEANS) is None


def test_a_factor_stays_in_the_sum_that_binds_its_letter() -> None:
    root = sympy.sqrt(Element("var", N))
    output = equation("y", (N, D), x(N, D) / root)
    inner = {"adj_var": equation("adj_var", (N,), V * Total(g(N, K) * x(N, K) / root, K))}
    found = collected(Element("adj_var", N), inner, (output,), ())
    assert found is not None
    assert same(found, V * Total(g(N, K) * Element("y", N, K), K))


def test_the_derivative_of_a_normalisation_is_the_short_one() -> None:
    """∂E/∂x = (∂E/∂y·g - mean(…) - xhat·mean(… xhat))/sqrt(var + eps), as in the textbooks."""
    text = CASES["layer norm"].text.replace(
        "y[n,d] = g[d]*(x[n,d]-mu[n])/sqrt(var[n]+1/10) + b[d]",
        "r[n,d] = (x[n,d]-mu[n])/sqrt(var[n]+1/10)\n y[n,d] = g[d]*r[n,d] + b[d]",
    )
    derivation = differentiate(replace(CASES["layer norm"], text=text).graph())
    adjoint = derivation.adjoint("x")
    n, d = adjoint.indices
    slope, r = (lambda k: Element("adj_r", n, k)), (lambda k: Element("r", n, k))
    k = Index("k", d.axis)
    bracket = slope(d) - Total(slope(k), k) / 3 - r(d) * Total(slope(k) * r(k), k) / 3
    expected = bracket / sympy.sqrt(Element("var", n) + sympy.Rational(1, 10))
    assert same(sympy.expand(tidy(adjoint.rhs, frozenset("nd"))), sympy.expand(expected))
    assert Rule.COLLECTED in [s.rule for s in derivation.steps if s.quantity == "x"]
