"""Functions of matrices against mpmath: values, derivatives, and derivatives of those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mpmath import mp

from derive import build, load, make
from derive.backprop import differentiate
from derive.emit import execute
from derive.errors import InputError
from derive.graph import Graph, Role
from derive.library.layers import LAYERS
from derive.second_order import hessian_product
from derive.spec import parse_spec
from derive.syntax import MATRICES
from derive.verify.algebra import working
from derive.verify.bench import places
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from derive.verify.of_model import model_values
from derive.verify.sampling import spec_values

A = [["2.1", "0.4", "-0.3"], ["0.5", "1.7", "0.2"], ["-0.6", "0.3", "1.4"]]
WEIGHTS = [["0.3", "-1.2", "0.7"], ["1.1", "0.6", "-0.4"], ["-0.8", "0.9", "1.3"]]
Table = Any  # a matrix of mpmath


def lower(a: Table) -> Table:
    """The symmetric matrix of a lower triangle."""
    return mp.matrix([[a[max(i, j), min(i, j)] for j in range(3)] for i in range(3)])


def row(k: int) -> Table:
    return mp.matrix([[mp.mpf(weight) for weight in WEIGHTS[k]]])


def weighed(x: Table) -> Any:
    return mp.fsum(mp.mpf(WEIGHTS[i][j]) * x[i, j] for i in range(3) for j in range(3))


ORACLES: dict[str, tuple[str, Callable[[Table], Any]]] = {
    "trace": ("y", lambda a: mp.fsum(a[i, i] for i in range(3))),
    "det": ("y", mp.det),
    "logdet": ("y", lambda a: mp.log(abs(mp.det(a)))),
    "cholesky": ("sum(i, j, w[i,j]*y[i,j])", lambda a: weighed(mp.cholesky(lower(a)))),
    "solve": ("sum(i, w[1,i]*y[i])", lambda a: (row(1) * mp.lu_solve(a, a[:, 0]))[0]),
    "solve_many": ("sum(i, j, w[i,j]*y[i,j])", lambda a: weighed(mp.inverse(a) * a.T)),
    "inv": ("sum(i, j, w[i,j]*y[i,j])", lambda a: weighed(mp.inverse(a))),
    "matmul": ("sum(i, j, w[i,j]*y[i,j])", lambda a: weighed(a * a)),
}


def spec(row: str, loss: str) -> Graph:
    inputs = {"matmul": "[A, A]", "solve": "[A, first]", "solve_many": "[A, turned]"}.get(row, "A")
    more = {"solve": "first[i] = A[i,0]", "solve_many": "turned[i,k] = A[k,i]"}
    text = (
        f"inputs: {{A: {A}}}\n".replace("'", "")
        + (f"constants: {{w: {WEIGHTS}}}\n".replace("'", "") if "w[" in loss else "")
        + (f"model:\n  - {more[row]}\n" if row in more else "model:\n")
        + f"  - {{layer: {row}, name: y, inputs: {inputs}}}\nloss: E = {loss}\n"
    )
    return build(parse_spec(text, "my.yaml", "my")).graph


def entries(name: str, table: list[list[str]]) -> Values:
    return {(name, (i, j)): mp.mpf(table[i][j]) for i in range(3) for j in range(3)}


@pytest.mark.parametrize("row", ORACLES)
def test_a_function_of_a_matrix_is_that_of_mpmath(row: str) -> None:
    loss, oracle = ORACLES[row]
    graph = spec(row, loss)
    derivation = differentiate(graph, ["A"])
    with working():
        given = {**entries("A", A), **entries("w", WEIGHTS)}
        forward = run(graph, given)
        found = run(derivation.backward, forward)
        assert abs(forward[graph.loss.name, ()] - oracle(mp.matrix(A))) < 1e-40
        for i in range(3):
            for j in range(3):
                moved = mp.matrix(A)

                def along(shift: Any, i: int = i, j: int = j, moved: Table = moved) -> Any:
                    moved[i, j] = mp.mpf(A[i][j]) + shift
                    return oracle(moved)

                assert abs(found["adj_A", (i, j)] - mp.diff(along, 0)) < 1e-20


@pytest.mark.parametrize("row", ORACLES)
def test_its_second_derivative_is_that_of_mpmath(row: str) -> None:
    loss, oracle = ORACLES[row]
    second = hessian_product(differentiate(spec(row, loss), ["A"]))
    with working():
        direction = entries("v_A", WEIGHTS)
        given = {**entries("A", A), **entries("w", WEIGHTS), **direction}
        found = run(second.backward, run(second.forward, given))

        def along(shift: Any) -> Any:
            return oracle(mp.matrix(A) + shift * mp.matrix(WEIGHTS))

        curve = mp.fsum(v * found["adj_A", place] for (_, place), v in direction.items())
        assert abs(curve - mp.diff(along, 0, 2)) < 1e-20


BY_HAND = f"""\
parameters: {{A: {A}}}
sizes: {{t: 3}}
model:
  - |
    M[t,i,j] = where(t == 0, A[i,j], where(i == t-1, P[t-1,j], M[t-1,i,j] - C[i,t-1]*P[t-1,j]))
    C[i,t] = M[t,i,t]
    P[t,j] = M[t,t,j]/C[t,t]
  - y = prod(t, C[t,t])
loss: E = y
""".replace("'", "")


def test_elimination_by_hand_is_followed_back() -> None:
    """As one writes it who exchanges no rows: the pivot C[t,t] walks along the steps."""
    graph = build(parse_spec(BY_HAND, "my.yaml", "my")).graph
    with working():
        found = run(differentiate(graph).backward, run(graph, entries("A", A)))
        slope = mp.fsum(mp.mpf(w) * found["adj_A", (0, j)] for j, w in enumerate(WEIGHTS[0]))
        moved = mp.matrix(3)
        moved[0, :] = row(0)
        assert abs(slope - mp.diff(lambda x: mp.det(mp.matrix(A) + x * moved), 0)) < 1e-20


PIVOTS = {
    "a pivot of 0": [["0", "2", "1"], ["1", "0", "3"], ["4", "-3", "0"]],
    "ties": [["1", "1", "2"], ["-1", "0", "1"], ["1", "1", "-1"]],
    "an exchange at each step": [["0", "0", "2"], ["3", "0", "0"], ["0", "-1", "0"]],
}


@pytest.mark.parametrize("row", ["det", "inv"])
@pytest.mark.parametrize("name", PIVOTS)
def test_rows_take_turns_as_pivots_want_it(name: str, row: str) -> None:
    loss, oracle = ORACLES[row]
    graph = spec(row, loss)
    with working():
        given = {**entries("A", PIVOTS[name]), **entries("w", WEIGHTS)}
        forward = run(graph, given)
        found = run(differentiate(graph, ["A"]).backward, forward)
        a = mp.matrix(PIVOTS[name])
        assert abs(forward[graph.loss.name, ()] - oracle(a)) < 1e-40
        slopes = mp.fsum(
            mp.mpf(WEIGHTS[i][j]) * found["adj_A", (i, j)] for i in range(3) for j in range(3)
        )
        assert abs(slopes - mp.diff(lambda s: oracle(a + s * mp.matrix(WEIGHTS)), 0)) < 1e-20


def test_a_pivot_that_is_tiny_costs_no_digits() -> None:
    """1e-20 as a pivot would make b[0]/1e-20 of b[1], which is then lost in doubles."""
    text = "inputs: {A: [[1e-20, 1], [1, 1]], b: [1, 2]}\nmodel:\n"
    text += "  - {layer: solve, name: y, inputs: [A, b]}\nloss: E = y[0] + 2*y[1]\n"
    made_of = make(build(parse_spec(text, "my.yaml", "my")))
    found = execute(made_of.problem, made_of.modules["python"], "python")
    assert abs(found.forward["y", (0,)] - 1) < 1e-15
    assert abs(found.gradients["A", (0, 0)] + 1) < 1e-15


def gaussian(y: Table, k: Table) -> Any:
    """The negative log density of a normal distribution with the mean 0."""
    return ((y.T * mp.lu_solve(k, y))[0] + mp.log(mp.det(2 * mp.pi * k))) / 2


def marginal(amplitude: Any, scale: Any, noise: Any) -> Any:
    """The negative log marginal likelihood of a Gaussian process, as textbooks have it."""
    x, y = [0, 1, 2], mp.matrix(["1", "0.5", "-1"])
    k = mp.matrix(3, 3)
    for i in range(3):
        for j in range(3):
            k[i, j] = amplitude**2 * mp.exp(-((x[i] - x[j]) ** 2) / (2 * scale**2))
        k[i, i] += noise**2
    return gaussian(y, k)


def observed(q: Any, r: Any) -> Any:
    """The density of all observations of the Kalman filter at once, with no filter."""
    step, mean, spread = mp.matrix([[1, 1], [0, 1]]), mp.matrix([0, 1]), mp.eye(2)
    y, k = mp.matrix(["0.5", "2", "2.5"]), mp.matrix(3, 3)
    for s in range(3):
        y[s] -= mean[0]
        for t in range(s, 3):
            k[s, t] = k[t, s] = (step ** (t - s) * spread)[0, 0] + (r if s == t else 0)
        mean, spread = step * mean, step * spread * step.T + q * mp.eye(2)
    return gaussian(y, k)


def kept_back(penalty: Any) -> Any:
    """The error of ridge regression at two points that it has not seen."""
    x, v = mp.matrix([[1, 0], [1, 1], [0, 2]]), mp.matrix([[2, 1], [1, -1]])
    w = mp.inverse(x.T * x + penalty * mp.eye(2)) * x.T * mp.matrix([1, 2, 1])
    return mp.norm(v * w - mp.matrix([2, 1])) ** 2 / 2


def change_of_variables(w00: Any, w01: Any, w10: Any, w11: Any, *more: Any) -> Any:
    """The density by a flow, with the determinant of the derivatives of the map as a whole."""
    a, b, c, d = more
    samples = [(mp.mpf("0.5"), mp.mpf(-1)), (mp.mpf("1.5"), mp.mpf("0.2"))]

    def first(x: Any, y: Any) -> Any:
        return w00 * x + w01 * y

    def second(x: Any, y: Any) -> Any:
        h = first(x, y)
        return (w10 * x + w11 * y) * mp.exp(mp.tanh(a * h + b)) + c * h + d

    found = []
    for x in samples:
        slopes = [[mp.diff(f, x, order) for order in ((1, 0), (0, 1))] for f in (first, second)]
        square = first(*x) ** 2 + second(*x) ** 2
        found.append(square / 2 + mp.log(2 * mp.pi) - mp.log(abs(mp.det(mp.matrix(slopes)))))
    return mp.fsum(found) / len(found)


TEXTBOOK: dict[str, Callable[..., Any]] = {
    "gaussian_process": marginal,
    "kalman_filter": observed,
    "ridge_regression": kept_back,
    "coupling_flow": change_of_variables,
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_a_built_in_spec_is_what_textbooks_have(name: str) -> None:
    problem, oracle = load(name), TEXTBOOK[name]
    derivation = differentiate(problem.graph, problem.wanted)
    with working():
        given = spec_values(problem)
        assert given is not None
        forward = run(problem.graph, given)
        found = run(derivation.backward, forward)
        keys = [key for q in problem.graph.of_role(Role.PARAMETER) for key in places(q)]
        at = tuple(given[key] for key in keys)
        assert abs(forward["E", ()] - oracle(*at)) < 1e-20
        for k, (own, place) in enumerate(keys):
            order = tuple(int(k == other) for other in range(len(keys)))
            assert abs(found[f"adj_{own}", place] - mp.diff(oracle, at, order)) < 1e-15


def test_the_derivative_by_a_covariance_is_that_of_textbooks() -> None:
    """∂E/∂K = (K⁻ᵀ - λ·αᵀ)/2 with K·α = y and Kᵀ·λ = y: so says A·X = B, differentiated whole."""
    text = (
        f"inputs: {{K: {A}, y: [1, -0.5, 2]}}\nmodel:\n".replace("'", "")
        + "  - {layer: solve, name: alpha, inputs: [K, y]}\n"
        + "  - {layer: logdet, name: volume, inputs: K}\n"
        + "loss: E = (sum(i, y[i]*alpha[i]) + volume)/2\n"
    )
    problem = build(parse_spec(text, "my.yaml", "my"))
    derivation = differentiate(problem.graph, ["K"])
    with working():
        k, y = mp.matrix(A), mp.matrix(["1", "-0.5", "2"])
        given = {**entries("K", A), **{("y", (i,)): y[i] for i in range(3)}}
        found = run(derivation.backward, run(problem.graph, given))
        expected = (mp.inverse(k).T - mp.lu_solve(k.T, y) * mp.lu_solve(k, y).T) / 2
        for i in range(3):
            for j in range(3):
                assert abs(found["adj_K", (i, j)] - expected[i, j]) < 1e-40


def test_where_few_values_will_do_those_near_the_given_ones_are_tried() -> None:
    text = "inputs: {A: [[9, 2, 5], [2, 4, 3], [5, 3, 8]], b: 90}\nmodel:\n"
    text += "  - {layer: cholesky, name: L, inputs: A}\nloss: E = L[2,1]*log(b - 80)\n"
    problem = build(parse_spec(text, "my.yaml", "my"))
    values = model_values(problem, differentiate(problem.graph, problem.wanted), 1)
    assert 85 < values["b", ()] < 95
    assert values["b", ()] != 90


def test_where_nothing_is_near_it_is_said() -> None:
    text = "inputs: {b: 90}\nloss: E = log(b - 120)\n"
    problem = build(parse_spec(text, "my.yaml", "my"))
    with pytest.raises(InputError, match="is not a finite number at any of the values tried"):
        model_values(problem, differentiate(problem.graph, problem.wanted), 1)


CALLED = {
    "logdet(A)": "{layer: logdet, name: y, inputs: A}",
    "np.linalg.slogdet(A)": "{layer: logdet, name: y, inputs: A}",
    "inverse(A)": "{layer: inv, name: y, inputs: A}",
    "solve(A, b)": "{layer: solve, name: y, inputs: [A, b]}",
    "det(sum(i, A[i,i]))": "{layer: det, name: y, inputs: A}",
}


@pytest.mark.parametrize("text", CALLED)
def test_a_function_of_a_matrix_is_told_as_a_layer(text: str) -> None:
    spec = f"inputs: {{A: [[2, 1], [1, 3]], b: [1, 2]}}\nloss: E = {text}\n"
    with pytest.raises(InputError) as caught:
        build(parse_spec(spec, "my.yaml", "my"))
    assert CALLED[text] in str(caught.value)


def test_what_is_told_as_a_layer_is_one() -> None:
    assert set(MATRICES.values()) <= set(LAYERS)


ASKED = {
    "solve, name: y, inputs: [A, b]": "singular matrix has a pivot of 0, which divides by zero",
    "cholesky, name: y, inputs: A": "must be symmetric and positive definite",
}


@pytest.mark.parametrize("use", ASKED)
def test_what_a_function_asks_of_a_matrix_is_said(use: str) -> None:
    spec = "inputs: {A: [[0, 0], [0, -2]], b: [1, 2]}\nmodel:\n  - c = b[0] + A[0,0]\n"
    problem = build(parse_spec(f"{spec}  - {{layer: {use}}}\n", "my.yaml", "my"))
    with pytest.raises(InputError, match=ASKED[use]):
        _ = make(problem).page
