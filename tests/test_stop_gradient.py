"""`stop_gradient(f)`: the value of f, held fixed by the calculus and by all that judges it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derive import build
from derive.functions import BY_SYMBOL, held
from derive.graph import adjoint_name
from derive.pipeline import Made, make
from derive.spec import parse_spec

SPECS = {
    "straight through": (
        "inputs: {x: [0.3, -0.7]}\nparameters: {w: [0.5, 1]}\ntargets: {t: [1, 0.5]}\n"
        "model:\n  - a[i] = w[i]*x[i]\n  - b[i] = a[i] + stop_gradient(sign(a[i]) - a[i])\n"
        "loss: E = sum(i, (b[i] - t[i])**2)/2\ntraining: {steps: 2}\n"
    ),
    "rounded to quarters, straight through": (
        "inputs: {x: [0.3, -0.7]}\nparameters: {w: [0.5, 1]}\ntargets: {t: [1, 0.5]}\n"
        "model:\n  - a[i] = w[i]*x[i]\n"
        "  - b[i] = a[i] + stop_gradient(round(4*a[i])/4 - a[i])\n"
        "loss: E = sum(i, (b[i] - t[i])**2)/2\ntraining: {steps: 2}\n"
    ),
    "a target of the model itself": (
        "inputs: {x: [[0.3, -0.7], [1.2, 0.4]], r: [1, -0.5]}\nparameters: {w: [0.5, 1]}\n"
        "model:\n  - q[n] = tanh(sum(i, w[i]*x[n,i]))\n"
        "  - y[n] = r[n] + 0.9*stop_gradient(q[n-1])\n"
        "loss: E = sum(n, (q[n] - y[n])**2)/2\n"
    ),
    "a recurrence that is cut": (
        "inputs: {x: [0.3, -0.7, 1.2]}\nparameters: {u: 0.5, w: -1}\n"
        "model: ['h[t] = tanh(w*x[t] + u*stop_gradient(h[t-1]))']\nloss: E = sum(t, h[t]**2)\n"
    ),
    "both ways": "inputs: {x: 0.3}\nmodel: [y = exp(x)*stop_gradient(exp(x))*x]\n",
    "nothing moves": "inputs: {x: 0.3}\nmodel: [y = stop_gradient(x**2)]\n",
    "from above": (
        "inputs: {x: [0.3, 2]}\nmodel: ['y[i] = x[i]*stop_gradient(x[i])']\nupstream: {y: [1, 2]}\n"
    ),
}


def made(name: str) -> Made:
    return make(build(parse_spec(SPECS[name], "my.yaml", "my")))


@pytest.mark.parametrize("name", SPECS)
def test_every_route_holds_it_fixed(name: str) -> None:
    whole = made(name)
    report = whole.verify()
    assert report.agree, str(report)
    assert "is held fixed" in whole.texts["en"]


@pytest.mark.parametrize("name", ["straight through", "a target of the model itself", "both ways"])
def test_a_gradient_that_passes_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BY_SYMBOL, held, replace(BY_SYMBOL[held], slopes=(lambda x: 1,)))
    wrong = made(name)
    _ = wrong.derivation, wrong.modules
    monkeypatch.undo()
    routes = {route.name: route.status for route in wrong.verify().routes}
    for route in ("SymPy", "differences", "local derivatives", "module python", "module numpy"):
        assert routes[route] == "disagrees", route


def test_it_is_a_constant_to_the_calculus() -> None:
    derivation = made("both ways").derivation
    assert derivation.forward.equation("y").rhs.has(held)
    assert derivation.backward.equation(adjoint_name("x")).rhs.has(held)
