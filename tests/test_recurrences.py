"""Recurrences, gathers, edges and second derivatives: right, or refused with a reason."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import derive
from derive.backprop import differentiate
from derive.equations import parse_equations
from derive.errors import InputError, LanguageError
from derive.graph import Derivation, Graph, GraphError, Quantity, Role, blocks
from derive.pipeline import make
from derive.second_order import hessian_product
from derive.spec import parse_spec
from derive.verify.algebra import DIGITS
from derive.verify.bench import Bench
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from derive.verify.report import lines
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
    "a tree from its root": Case(
        "h[i] = tanh(w*x[i] + u*h[(i - 1)//2]); h[-1] = h0; E = sum(i, h[i]**2)",
        "w parameter; u parameter; x[i] input; h0 input",
        "i=6",
    ),
    "a tree from its leaves": Case(
        "h[i] = tanh(w*x[i] + u*h[2*i + 1] + v*h[2*i + 2]); E = sum(i, h[i]**2) + h[0]",
        "w parameter; u parameter; v parameter; x[i] input",
        "i=6",
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
    "two indices": Case(
        """h[i,j] = tanh(x[i,j] + u*h[i-1,j] + v*h[i,j-1]*h[i-1,j-1])
        h[-1,j] = c[j] + 1; h[i,-1] = d[i]; h[-1,-1] = u
        E = sum(i, j, h[i,j]**2)""",
        "x[i,j] input; u parameter; v parameter; c[j] input; d[i] parameter",
        "i=2 j=3",
    ),
    "two indices, the other way round": Case(
        "h[i,j] = tanh(x[i,j] + u*h[i+1,j] + v*h[i,j-1]); h[size(i),j] = v; E = sum(i, h[i,2]**2)",
        "x[i,j] input; u parameter; v parameter",
        "i=2 j=3",
    ),
    "two indices, two quantities": Case(
        """a[i,j] = x[i,j] + u*h[i-1,j+1] + v*h[i,j-1]; h[i,j] = tanh(a[i,j] + a[i-1,j])
        E = sum(i, j, h[i,j]**2)""",
        "x[i,j] input; u parameter; v parameter",
        "i=3 j=2",
    ),
    "two indices, and a third": Case(
        """h[i,j,k] = tanh(x[i,j]*w[k] + sum(m, U[k,m]*h[i-1,j,m]) + h[i,j-1,k])
        E = sum(i, j, k, h[i,j,k]**2)""",
        "x[i,j] input; w[k] parameter; U[k,m] parameter",
        "i=2 j=2 k=2",
        "m=k",
    ),
    "three indices": Case(
        "h[i,j,k] = sin(x[i,j,k] + h[i-1,j,k] + u*h[i,j-1,k]*h[i,j,k-1]); E = sum(k, h[1,1,k]**2)",
        "x[i,j,k] input; u parameter",
        "i=2 j=2 k=2",
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
    turned = [replace(walk, step=-walk.step) for walk in forward[0].walks]
    assert [walk.step for walk in backward[0].walks] == [walk.step for walk in turned]


WALKS = {"rnn": 1, "lstm": 1, "two indices": 2, "two indices, and a third": 2, "three indices": 3}


@pytest.mark.parametrize("name", WALKS)
def test_as_few_indices_are_walked_along_as_will_do(name: str) -> None:
    block = next(block for block in derived(CASES[name]).forward.blocks if block.step)
    assert len(block.walks) == WALKS[name]
    assert len(block.walked(0)) == WALKS[name]


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


def test_a_corner_is_what_its_own_line_says() -> None:
    graph = CASES["two indices"].graph()
    values = draw(graph)
    with mp.workdps(DIGITS):
        found = run(graph, values)
        x, u, v = values["x", (0, 0)], values["u", ()], values["v", ()]
        c, d = values["c", (0,)], values["d", (0,)]
        assert abs(found["h", (0, 0)] - mp.tanh(x + u * (c + 1) + v * d * u)) < LIMIT


REFUSED = {
    "h[t] = x[t] + h[t]": "depends on itself",
    "a[t] = x[t] + h[t]; h[t] = a[t]": "in a circle",
    "h[t] = x[t] + h[t-1] + h[t+1]": "depends on itself",
    "h[t] = x[t] + h[2*t]": "depends on itself",
    "h[t] = x[t] + sum(s, h[s])": "depends on itself",
    "h[t] = h[t-1] + x[t]; h[1] = x[0]": "an edge lies outside",
    "h[t] = h[t-1] + x[t]; g[-1] = x[0]": "no equation of 'g'",
    "h[t] = h[t-1] + x[t]; h[-1,-2] = 1": "no equation of 'h' with 2 indices",
    "h[t] = h[t-1] + x[t]; h[t-1] = 1": "no index letter",
    "D[t,s] = x[t] + D[t-1,s+1] + D[t+1,s-1]": "D[i,j] reads D[i-1,j] and D[i,j-1]; here",
    "D[t,s] = x[t] + D[t-1,s]*D[t,s+1]*D[t+1,s-1]": "depends on itself",
    "D[t,s] = x[t] + D[t-1,s-1]; D[-1,s] = 1; D[t,-1] = 2": "as in D[-1,-1] = 0",
    "D[t,s] = x[t] + D[t-1,s-1]; D[-1,-1] = 1; D[-1,-1] = 2": "stated twice",
    "D[t,s] = x[t] + D[t-1,s]; D[-1,-1] = 1": "nothing reads 'D' there",
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


NEIGHBOURS = ("D[i-1,j]", "D[i,j-1]", "D[i-1,j-1]", "D[i-1,j+1]", "D[i,j-2]", "u*D[i-2,j]",
              "x[i,j]", "D[i-1,0]", "sum(k, D[i-1,k])", "D[i+1,j-1]", "D[i,j]")  # fmt: skip


@relaxed(40)
@given(st.integers(0, 2**32))
def test_random_recurrences_of_two_indices_are_right_or_refused(seed: int) -> None:
    source = random.Random(seed)
    parts = [source.choice(NEIGHBOURS) for _ in range(source.randint(1, 4))]
    edges = source.choice(["", "D[-1,j] = u; ", "D[-1,j] = x[0,j]; D[i,-1] = 2; D[-1,-1] = u; "])
    text = f"D[i,j] = tanh(x[i,j] + {' + '.join(parts)}); {edges}E = sum(i, j, D[i,j]**2)"
    case = Case(text, "x[i,j] input; u parameter", "i=3 j=2", "k=j")
    try:
        derivation = derived(case)
    except InputError as error:
        assert str(error)
        return
    assert worst(derivation, draw(derivation.forward)) < 1e-15, text


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


PLACES = {
    "a recurrence of two indices": """
inputs: {x: [[1, 2, 3], [0.5, -1, 2]]}
parameters: {w: 0.5, u: 0.3, v: [1, -0.2]}
model:
  - a[i,j] = w*x[i,j] + u*h[i-1,j]
  - |
    h[i,j] = tanh(a[i,j] + v[i]*h[i,j-1])
    h[-1,j] = x[0,j]
loss: E = sum(i, j, h[i,j]**2)
training: {learning_rate: 0.1, steps: 2}
""",
    "from the other corner, with channels": """
inputs: {x: [[1, 2], [0.5, -1]]}
parameters: {w: [0.5, 1], U: [[0.3, 0.1], [0.2, -0.4]]}
model:
  - "h[i,j,k] = tanh(w[k]*x[i,j] + sum(m, U[k,m]*h[i+1,j,m]) + h[i,j+1,k])"
loss: E = sum(k, h[0,0,k]**2)
""",
    "the distance of two series": """
inputs: {x: [1, 2, 3], y: [1, 2.5]}
model:
  - |
    D[i,j] = (x[i] - y[j])**2 - log(exp(-D[i-1,j]) + exp(-D[i,j-1]) + exp(-D[i-1,j-1]))
    D[-1,j] = 1000
    D[i,-1] = 1000
    D[-1,-1] = 0
loss: E = D[size(i) - 1,size(j) - 1]
""",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_a_recurrence_of_two_indices_goes_every_way(text: str) -> None:
    problem = derive.build(parse_spec(text, "my.yaml", "my"))
    made = replace(make(problem), targets=("python", "numpy", "c"))
    report = made.verify()
    assert report.agree, "\n".join(lines(report))
    routes = {route.name for route in report.routes if route.status == "agrees"}
    assert {"SymPy", "differences", "module python", "module numpy", "page en", "page ko"} <= routes
    assert "entry by entry" in made.texts["en"] and "한 자리씩" in made.texts["ko"]


def test_a_condition_of_a_recurrence_may_have_an_equation_of_its_own() -> None:
    """A spike resets a state; no derivative goes through it, so it stands in no circle back."""
    text = (
        "inputs: {x: [0.9, 1.4, 0.8, 1.1]}\nparameters: {w: 0.8, u: 0.7}\nmodel:\n"
        "  - v[t] = u*v[t-1]*(1 - z[t-1]) + w*x[t]\n  - z[t] = step(d[t])\n  - d[t] = v[t] - 1\n"
        "loss: E = sum(t, v[t]**2 + d[t])\n"
    )
    made = make(derive.build(parse_spec(text, "my.yaml", "my")))
    report = made.verify()
    assert report.agree, lines(report)
    assert "adj_z" not in made.derivation.backward.quantities
