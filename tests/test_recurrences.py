"""Recurrences, gathers, edges and second derivatives: right, or refused with a reason."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from derive.backprop import differentiate
from derive.equations import parse_equations
from derive.errors import InputError, LanguageError
from derive.graph import Derivation, Graph, GraphError, Quantity, Role, blocks
from derive.second_order import hessian_product
from derive.verify.algebra import DIGITS
from derive.verify.bench import Bench
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from derive.verify.routes import differences, local_slopes, steps
from tests.core_support import Case, axis, draw, relaxed

LIMIT = 1e-20
RNN = Case(
    """h[t,k] = tanh(sum(i, W[k,i]*x[t,i]) + sum(j, U[k,j]*h[t-1,j]) + b[k])
    h[-1,k] = h0[k]
    E = sum(t, k, (h[t,k] - y[t,k])**2)""",
    "W[k,i] parameter; U[k,m] parameter; b[k] parameter; x[t,i] input; h0[k] input; y[t,k] target",
    "k=2 i=2 t=3",
    "m=k",
)
GRU = Case(
    """z[t,k] = logistic(Wz[k]*x[t] + sum(j, Uz[k,j]*h[t-1,j]))
    r[t,k] = logistic(Wr[k]*x[t] + sum(j, Ur[k,j]*h[t-1,j]))
    c[t,k] = tanh(Wc[k]*x[t] + sum(j, Uc[k,j]*r[t,j]*h[t-1,j]))
    h[t,k] = (1 - z[t,k])*h[t-1,k] + z[t,k]*c[t,k]
    E = sum(t, k, h[t,k]**2)""",
    "Wz[k] parameter; Wr[k] parameter; Wc[k] parameter; Uz[k,m] parameter; "
    "Ur[k,m] parameter; Uc[k,m] parameter; x[t] input",
    "k=2 t=3",
    "m=k",
)
CASES = {
    "rnn": RNN,
    "gru": GRU,
    "lstm": Case(
        """i[t] = logistic(wi*x[t] + ui*h[t-1]); f[t] = logistic(wf*x[t] + uf*h[t-1])
        o[t] = logistic(wo*x[t] + uo*h[t-1]); g[t] = tanh(wg*x[t] + ug*h[t-1])
        c[t] = f[t]*c[t-1] + i[t]*g[t]; c[-1] = c0
        h[t] = o[t]*tanh(c[t]); h[-1] = h0
        E = sum(t, (h[t] - y[t])**2)/2""",
        "; ".join(f"{n}{g} parameter" for n in "wu" for g in "ifog")
        + "; x[t] input; h0 input; c0 input; y[t] target",
        "t=3",
    ),
    "backward in time": Case(
        "h[t] = tanh(x[t] + u*h[t+1]); h[size(t)] = h0; E = sum(t, h[t]**3)",
        "x[t] input; u parameter; h0 input",
        "t=4",
    ),
    "two steps back": Case(
        "h[t] = x[t] + a*h[t-1] - b*h[t-2]**2; h[-2] = h0; E = sum(t, h[t]**2)",
        "x[t] input; a parameter; b parameter; h0 input",
        "t=4",
    ),
    "all steps back": Case(
        "h[t] = tanh(x[t] + sum(s, w[s]*h[t-1-s])); E = sum(t, h[t]**2)",
        "x[t] input; w[s] parameter",
        "t=4 s=3",
    ),
    "product": Case("p[t] = p[t-1]*x[t]; p[-1] = 1; E = sum(t, p[t])", "x[t] input", "t=4"),
    "largest so far": Case("m[t] = max(m[t-1], x[t]); E = sum(t, m[t]**2)", "x[t] input", "t=4"),
    "written out of order": Case(
        "E = sum(t, h[t]**2); h[t] = tanh(a[t]); a[t] = w*x[t] + u*h[t-1]",
        "x[t] input; w parameter; u parameter",
        "t=3",
    ),
}


def derived(case: Case) -> Derivation:
    graph = case.graph()
    loss = graph.equation("E")
    scalar = replace(loss, quantity=replace(loss.quantity, role=Role.LOSS))
    rest = tuple(e for e in graph.equations if e is not loss)
    hidden = tuple(replace(e, quantity=replace(e.quantity, role=Role.HIDDEN)) for e in rest)
    graph = Graph(graph.given, (*hidden, scalar))
    names = [q.name for q in graph.given if q.role in (Role.PARAMETER, Role.INPUT)]
    return differentiate(graph, names)


def worst(derivation: Derivation, values: Values) -> float:
    found = [differences(Bench(derivation, values)), steps(Bench(derivation, values))]
    return max(comparison.error for route in found for comparison in route)


@pytest.mark.parametrize("name", CASES)
def test_a_recurrence_is_differentiated_as_a_recurrence(name: str) -> None:
    derivation = derived(CASES[name])
    values = draw(derivation.forward)
    assert worst(derivation, values) < LIMIT
    assert max(c.error for c in local_slopes(Bench(derivation, values))) < LIMIT
    forward = [block for block in derivation.forward.blocks if block.step]
    backward = [block for block in derivation.backward.blocks if block.step]
    assert forward and backward
    assert backward[0].step == -forward[0].step


@pytest.mark.parametrize("name", ["rnn", "lstm", "product", "backward in time"])
def test_the_second_derivative_of_a_recurrence(name: str) -> None:
    second = hessian_product(derived(CASES[name]))
    assert worst(second, draw(second.forward)) < LIMIT


def test_an_edge_is_read_before_the_first_step_only() -> None:
    graph = RNN.graph()
    values = draw(graph)
    with mp.workdps(DIGITS):
        found = run(graph, values)
        reads = sum(values["U", (0, j)] * values["h0", (j,)] for j in range(2))
        reads += sum(values["W", (0, i)] * values["x", (0, i)] for i in range(2))
        assert abs(found["h", (0, 0)] - mp.tanh(reads + values["b", (0,)])) < LIMIT


REFUSED = {
    "h[t] = x[t] + h[t]": "depends on itself",
    "a[t] = x[t] + h[t]; h[t] = a[t]": "in a circle",
    "h[t] = x[t] + h[t-1] + h[t+1]": "depends on itself",
    "h[t] = x[t] + h[2*t]": "depends on itself",
    "h[t] = x[t] + sum(s, h[s])": "depends on itself",
    "h[t] = h[t-1] + x[t]; h[1] = x[0]": "an edge lies outside",
    "h[t] = h[t-1] + x[t]; g[-1] = x[0]": "no equation of 'g'",
    "h[t] = h[t-1] + x[t]; h[-1,-2] = 1": "no index letter",
    "h[t] = x[u]": "",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_circle_is_refused_with_its_reason(text: str) -> None:
    letters = {"t": axis("t", 3), "s": axis("t", 3)}
    known = {"x": Quantity("x", "x", (letters["t"],), Role.INPUT)}
    with pytest.raises(LanguageError) as caught:
        parse_equations(text, known, letters, lambda n, a: Quantity(n, n, a, Role.HIDDEN))
    assert REFUSED[text] in str(caught.value)
    assert "^" in str(caught.value)


LETTERS = {"t": axis("t", 3), "d": axis("d", 2), "v": axis("v", 4), "w": axis("v", 4)}
TOKENS = Quantity("token", "token", (LETTERS["t"],), Role.INPUT, integer=True)
TABLE = Quantity("E0", "E", (LETTERS["v"], LETTERS["d"]), Role.PARAMETER)


def embedded(text: str) -> Graph:
    def describe(name: str, axes: tuple[object, ...]) -> Quantity:
        return Quantity(name, name, axes, Role.HIDDEN if axes else Role.LOSS)  # type: ignore[arg-type]

    known = {"token": TOKENS, "E0": TABLE}
    return Graph((TOKENS, TABLE), parse_equations(text, known, LETTERS, describe))


@pytest.mark.parametrize(
    "text",
    [
        "y[t,d] = E0[token[t],d]; L = sum(t, d, y[t,d]**3)",
        "s[t,v] = sum(d, E0[v,d]*E0[token[t],d]); L = sum(t, v, exp(s[t,v])*(v == token[t]))",
        "y[t,d] = where(v == token[t], 1, 2)*E0[v,d]; L = 1",
    ],
)
def test_a_gather_adds_up_the_gradients_of_what_it_picks(text: str) -> None:
    if "where" in text:
        with pytest.raises(LanguageError):
            embedded(text)
        return
    derivation = differentiate(embedded(text))
    values = draw(derivation.forward)
    values |= {("token", (k,)): mp.mpf(token) for k, token in enumerate((3, 1, 3))}
    assert worst(derivation, values) < LIMIT


def test_a_position_must_be_whole() -> None:
    real = replace(TOKENS, integer=False)
    with pytest.raises(GraphError, match="not made of index letters"):
        graph = embedded("y[t,d] = E0[token[t],d]; L = sum(t, d, y[t,d]**3)")
        Graph((real, TABLE), graph.equations)


PARTS = ("x[t]", "u", "h[t-1]", "h[t-2]", "h[t+1]", "h[t]", "g[t-1]", "g[t]", "h[2*t-3]",
         "sum(s, w[s]*h[t-1-s])", "h[0]", "max(s, g[t-s-1])", "h[-1]")  # fmt: skip


@relaxed(60)
@given(st.integers(0, 2**32))
def test_random_recurrences_are_right_or_refused(seed: int) -> None:
    source = random.Random(seed)

    def formula() -> str:
        parts = [source.choice(PARTS) for _ in range(source.randint(1, 3))]
        signs = [source.choice(["+", "-", "*"]) for _ in parts]
        text = " ".join(f"{sign} {part}" for sign, part in zip(signs, parts, strict=True))
        return f"{source.choice(['tanh', 'sin', 'logistic', 'exp', ''])}(x[t] {text})"

    text = f"h[t] = {formula()}; g[t] = {formula()}; E = sum(t, tanh(h[t]) + g[t]**2/(1+g[t]**2))"
    case = Case(text, "x[t] input; u parameter; w[s] parameter", "t=4 s=2")
    try:
        derivation = derived(case)
    except InputError as error:
        assert str(error)
        return
    values = draw(derivation.forward)
    assert worst(derivation, values) < 1e-15, text
    assert blocks(derivation.forward.equations)
