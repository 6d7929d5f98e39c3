"""`grad(f, w)`: a derivative as a quantity of the model, derived by the calculus, called again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from mpmath import mp

from derive import build, inner
from derive.backprop import differentiate
from derive.errors import InputError
from derive.graph import Derivation, Graph
from derive.pipeline import Made, make
from derive.spec import parse_spec
from derive.verify.algebra import working
from derive.verify.inner import inner_route
from derive.verify.interpreter import run
from derive.verify.of_model import model_bench
from derive.verify.routes import EXACT_TOLERANCE, differences
from derive.verify.sampling import spec_values
from tests.random_models import random_model
from tests.sampled import sampled

NETWORK = (
    "inputs: {x: [0.3, -0.7, 0.1], t: [0.2, 0.5, 0.9]}\n"
    "parameters: {w: [0.5, 1], r: [0.2, -0.3], b: [0.1, -0.2], v: [1, -0.6], c: 0.1}\n"
    "model:\n"
    "  - h[n,j] = tanh(w[j]*x[n] + r[j]*t[n] + b[j])\n"
    "  - u[n] = sum(j, v[j]*h[n,j]) + c\n"
)
TABLE = "inputs: {x: [[0.3, -0.7], [1.2, 0.4], [-0.5, 0.9]]}\nparameters: {w: [0.5, 1], c: 0.3}\n"
SPECS = {
    "a differential equation": (
        f"{NETWORK}  - u_x[n] = grad(u[n], x[n])\n"
        "loss: E = mean(n, (grad(u[n], t[n]) + u[n]*u_x[n] - 0.1*grad(u_x[n], x[n]))**2)\n"
        "training: {learning_rate: 0.1}\n"
    ),
    "one within the other": f"{NETWORK}loss: E = sum(n, grad(grad(u[n], x[n]), x[n])**2)\n",
    "a loss after a step": (
        f"{TABLE}targets: {{t: [1, -1, 0.5]}}\nmodel:\n"
        "  - y[n] = tanh(sum(i, w[i]*x[n,i]) + c)\n  - F = mean(n, (y[n] - t[n])**2)\n"
        "  - w1[i] = w[i] - 0.2*grad(F, w[i])\n  - c1 = c - 0.2*grad(F, c)\n"
        "loss: E = mean(n, (sum(i, w1[i]*x[n,i]) + c1 - t[n])**4)\n"
    ),
    "a product with the second derivative": (
        f"{TABLE}constants: {{v: [0.4, -1]}}\nmodel:\n"
        "  - F = exp(sum(n, i, w[i]*x[n,i]**2)) + prod(i, w[i])\n"
        "  - s = sum(i, grad(F, w[i])*v[i])\n  - p[i] = grad(s, w[i])\n"
        "loss: E = norm(i, p[i])\n"
    ),
    "the whole second derivative": (
        f"{TABLE}model:\n  - F = exp(c*sum(n, i, w[i]*x[n,i]**2)) + prod(i, w[i])\n"
        "  - H[i,j] = grad(grad(F, w[i]), w[j])\n"
    ),
    "samples that meet in a mean": (
        f"{TABLE}model:\n  - z[n,i] = w[i]*(x[n,i] - mean(m, x[m,i]))\n"
        "  - y[n] = sum(i, z[n,i]**3)\n  - g[n,i] = grad(y[n], x[n,i])\n"
        "loss: E = sum(n, i, g[n,i]**2 + grad(y[n], w[i])**2 + grad(y[n], x[0,i])**3)\n"
    ),
    "through a recurrence": (
        f"{TABLE}model:\n  - h[n,t] = tanh(w[t]*x[n,t] + c*h[n,t-1])\n"
        "  - g[n,t] = grad(h[n,1], x[n,t])\n  - p[t] = grad(h[0,t], c)\n"
        "loss: E = sum(n, t, g[n,t]**2) + sum(t, p[t]**2)\n"
    ),
    "other places, and its own": (
        f"{TABLE}model:\n  - y[n] = sum(i, w[i]*x[n,i]**2)\n"
        "loss: E = sum(n, m, i, (n - 2*m)*grad(y[n], x[m,i])) + sum(n, y[n]*grad(y[n], w[0]))\n"
        "sizes: {m: 3}\n"
    ),
    "a name for a step on the way, a part of an axis, and what is not on the way": (
        f"{TABLE}model:\n  - h[k] = tanh(w[k]*x[k + 0,1] + c)\n  - y = sum(k, h[k]**2)\n"
        "  - g = grad(y, c)\n  - a[k] = grad(y, h[k])\n  - d[k] = grad(h[k], x[k + 0,1])\n"
        "  - e[n,i,k] = grad(h[k], x[n,i])\n  - z[i] = a[i]*grad(a[i], d[i])\n"
        "loss: E = g**2 + sum(k, a[k]*d[k]**3) + sum(n, i, k, e[n,i,k]**4) + sum(i, z[i])\n"
    ),
    "through attention and a normalisation": (
        "inputs: {x: [[0.3, -0.7], [0.2, 0.4], [0.5, -0.1]]}\n"
        "targets: {t: [[1, 0], [0, 1], [0.3, 0.7]]}\n"
        "parameters: {W: [[0.5, 1], [0.2, -0.3]], v: [[1, 0.5], [0.2, -1]]}\nmodel:\n"
        "  - {layer: rms_norm, name: ln, inputs: x, output: y}\n"
        "  - q[n,d] = sum(i, W[d,i]*y[n,i])\n  - a[n,m] = softmax(m, sum(d, q[n,d]*y[m,d]))\n"
        "  - p[n,d] = softmax(d, sum(m, a[n,m]*y[m,d]))\n"
        "  - F = -sum(n, d, t[n,d]*log(p[n,d]))\n"
        "  - s = sum(d, i, v[d,i]*grad(F, W[d,i]))\n"
        "loss: E = F + sum(d, i, grad(s, W[d,i])**2)\n"
    ),
    "at a kink, and of a fixed part": (
        f"{TABLE}model:\n  - y[n] = sum(i, relu(w[i]*x[n,i])) * stop_gradient(c*w[0])\n"
        "loss: E = sum(n, i, grad(y[n], x[n,i])**2)\n"
    ),
    "of something linear": (
        f"{TABLE}model:\n  - y[n] = sum(i, w[i]*x[n,i])\n"
        "loss: E = sum(n, i, grad(grad(y[n], x[n,0]), x[n,i]) + y[n]**2)\n"
    ),
    "beside the loss": (
        f"{TABLE}model:\n  - F = sum(n, i, (w[i]*x[n,i])**2)\n  - g[i] = grad(F, w[i])\nloss: F\n"
    ),
}


def made(text: str) -> Made:
    return make(build(parse_spec(text, "my.yaml", "my")))


def forward(text: str) -> Mapping[Any, Any]:
    """All values of a spec's forward pass."""
    problem = build(parse_spec(text, "my.yaml", "my"))
    with working():
        given = spec_values(problem)
        assert given is not None
        return run(problem.graph, given)


@pytest.mark.parametrize("name", SPECS)
def test_it_is_the_slope_and_has_the_right_one(name: str) -> None:
    """Against differences: each derivative of the model, and the loss that is made of them."""
    problem = build(parse_spec(SPECS[name], "my.yaml", "my"))
    bench = model_bench(problem, differentiate(problem.graph, problem.wanted), 1)
    (route,) = inner_route([bench])
    assert route.status == "agrees", route
    assert max((c.error for c in differences(bench, 2_000)), default=0) < EXACT_TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(SPECS, 2))
def test_every_route_agrees(name: str) -> None:
    whole = made(SPECS[name])
    report = whole.verify()
    assert report.agree, str(report)
    assert "inner gradients" in {route.name for route in report.routes}
    assert "the chain rule, along every equation on the way" in whole.texts["en"]


@pytest.mark.slow
def test_random_derivatives_are_slopes() -> None:
    """Of random models, as far as they make sense."""
    judged = 0
    for seed in range(120):
        try:
            problem = build(parse_spec(random_model(seed, 2), "my.yaml", "my"))
            bench = model_bench(problem, differentiate(problem.graph, problem.wanted), seed)
        except InputError:
            continue
        for route in inner_route([bench]):
            assert route.status == "agrees", (seed, route)
            judged += 1
        worst = max((c.error for c in differences(bench, 400)), default=0)
        assert worst < EXACT_TOLERANCE, seed
    assert judged > 12


def test_it_is_the_derivative_that_one_knows() -> None:
    values = forward(
        "inputs: {x: [0.4, 1.5]}\nparameters: {a: 0.7, b: 1.3}\nmodel:\n"
        "  - u[n] = a*sin(b*x[n])\n  - d[n] = grad(u[n], x[n])\n  - e[n] = grad(d[n], x[n])\n"
    )
    for n, x in enumerate((mp.mpf("0.4"), mp.mpf("1.5"))):
        a, b = mp.mpf("0.7"), mp.mpf("1.3")
        assert mp.almosteq(values["d", (n,)], a * b * mp.cos(b * x), 1e-12)
        assert mp.almosteq(values["e", (n,)], -a * b * b * mp.sin(b * x), 1e-12)


def test_what_is_asked_for_twice_is_derived_once_and_nothing_else() -> None:
    graph = build(parse_spec(SPECS["a differential equation"], "my.yaml", "my")).graph
    names = [equation.quantity.name for equation in graph.equations]
    assert names == ["h", "u", "du_dh", "du_dt", "u_x", "du_x_dh", "du_x_dx", "E"]


def test_a_sample_that_is_kept_has_no_axis_more() -> None:
    graph = build(parse_spec(SPECS["samples that meet in a mean"], "my.yaml", "my")).graph
    shapes = {name: quantity.shape for name, quantity in graph.quantities.items()}
    assert shapes["dy_dz"] == (3, 2)  # y[n] by z[n,i]
    assert shapes["dy_dx"] == (3, 3, 2)  # each y by each x, for all meet in the mean
    assert shapes["dy_dw"] == (3, 2)


def _without_a_square(derivation: Derivation) -> Derivation:
    """A derivation in which the derivative of tanh is 1 - h."""
    equations = tuple(
        replace(e, rhs=e.rhs.replace(lambda n: n.is_Pow and n.exp == 2, lambda n: n.base))
        for e in derivation.backward.equations
    )
    return replace(derivation, backward=Graph(derivation.backward.given, equations))


@pytest.mark.parametrize("name", ["a differential equation", "a loss after a step"])
def test_a_wrong_one_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = inner.differentiate
    monkeypatch.setattr(inner, "differentiate", lambda *a: _without_a_square(right(*a)))
    wrong = made(SPECS[name])
    monkeypatch.undo()
    (route,) = inner_route([model_bench(wrong.problem, wrong.derivation, 1)])
    assert route.status == "disagrees"


REFUSED = [
    ("g = grad(u, x[0])", "model.2", "'u' needs 1 index"),
    ("g[n] = grad(u[n])", "model.2", "grad takes two entries, as in grad(u[n], x[n])"),
    (
        "g[n] = grad(2*u[n], x[n])",
        "model.2",
        "give this an equation of its own, as in f[n] = 2*u[n]",
    ),
    ("g[n] = grad(u[n], 2*x[n])", "model.2", "by one entry of a quantity"),
    ("g[n] = grad(x[n], w[0])", "model.2", "'x' is given, so it depends on nothing"),
    ("g[n] = grad(u[n], u[n])", "model.2", "'u' is differentiated by itself, which is 1"),
    ("g[n] = grad(u[n], s)", "model.2", "'u' does not depend on 's', so its derivative by it is 0"),
    ("g[n] = grad(u[n], x[m])", "model.2", "the index 'm' of 'x[m]' is not bound"),
    ("g[n] = grad(u[n], g[n])", "model.2", "'g' depends on itself"),
    ("g[n] = x[n]*grad(k[n], x[n]); k[n] = u[n]*g[n]", "model.2", "depend on each other"),
    (
        "a[n] = a[n-1] - 0.1*grad(k[n], x[n]); k[n] = a[n-1]**2*x[n]",
        "model.2",
        "write the steps of a training out",
    ),
]


@pytest.mark.parametrize(("line", "where", "words"), REFUSED)
def test_what_it_cannot_mean_is_refused(line: str, where: str, words: str) -> None:
    text = NETWORK.replace("c: 0.1}", "c: 0.1, s: 2}") + f"  - {line}\nloss: E = sum(n, u[n]*s)\n"
    with pytest.raises(InputError) as found:
        build(parse_spec(text, "my.yaml", "my"))
    assert where in str(found.value)
    assert words in str(found.value)
