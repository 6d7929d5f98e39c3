"""Modules of models: every layer of the library and every kind of reading, in both targets."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from mpmath import mp

from derive import verify
from derive.backprop import differentiate
from derive.emit import USUAL, emit, load
from derive.graph import adjoint_name
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.library.optimizers import OPTIMIZERS
from derive.scaffold import scaffold
from derive.verify.algebra import DIGITS
from derive.verify.bench import Bench
from derive.verify.interpreter import run
from derive.verify.modules import module_route, point
from derive.verify.of_model import model_values
from derive.verify.report import Status
from tests.emit_support import derivation_of, made, source_of, source_of_row

SPECS = {
    "scalars": "inputs: {a: 2, c: 3, d: -1}\nmodel: [e = c*d, L = e**2 + a]\n",
    "names like the module's": (
        "inputs: {loss: [1, 2], max: 2}\nparameters: {forward: 3}\n"
        "model: ['update = forward*max', 'E = sum(i, loss[i]*update)**2']\n"
    ).replace("max", "list"),
    "two steps back": (
        "inputs: {x: [1, 2, 3, 4]}\nparameters: {a: 0.5, b: 0.25}\nconstants: {h0: 2}\n"
        "model:\n  - h[t] = x[t] + a*h[t-1] - b*h[t-2]**2; h[-2] = h0\n"
        "loss: E = sum(t, h[t]**2)/10\n"
        "training: {learning_rate: 0.001}\n"
    ),
    "backward in time": (
        "inputs: {x: [1, 2, 3, 4]}\nparameters: {u: 0.5}\nconstants: {h0: 2}\n"
        "model:\n  - h[t] = tanh(x[t] + u*h[t+1]); h[size(t)] = h0\nloss: E = sum(t, h[t]**2)\n"
    ),
    "gathers": (
        "inputs: {token: [[1, 0], [2, 2]]}\nparameters: {T: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}\n"
        "integers: [token]\nmodel:\n  - y[n,t,d] = T[token[n,t],d]*T[token[n,t-1],d]\n"
        "  - c[n,t,v] = (v == token[n,t])*T[v,0]\nsizes: {v: 3}\n"
        "loss: E = sum(n, t, d, y[n,t,d]**2) + sum(n, t, v, c[n,t,v]**3)\n"
    ),
    "largest of a square": (
        "inputs: {x: [[1, 5, 2, 0], [4, 3, 8, 7], [6, 6, 1, 2], [0, 1, 3, 9]]}\n"
        "sizes: {u: 3, v: 3, r: 2, s: 2}\nmodel:\n  - y[u,v] = max(r, s, x[u+r,v+s])\n"
        "loss: E = sum(u, v, y[u,v]**2)\n"
    ),
    "diagonals": (
        "inputs: {x: [1, 2]}\nparameters: {W: [[1, 2], [3, 4]], V: [[2, 1], [0, 5]]}\n"
        "model:\n  - y = sum(i, W[i,i]*x[i]) + sum(i, W[i,i]*V[1,i]) + sum(i, W[1,i]*V[i,i])\n"
        "loss: E = y**2\n"
    ),
    "part of an axis": (
        "inputs: {x: [1, 2], h: [3]}\nparameters: {W: [[1, 2, 3], [4, 5, 6]]}\nsizes: {i: 2}\n"
        "model:\n  - y[k] = sum(i, W[k,i + 0]*x[i]) + sum(j, W[k,size(i) + j]*h[j])\n"
        "loss: E = y[0]*y[1]\n"
    ),
    "positions as numbers": (
        "inputs: {x: [1, 2, 3]}\nmodel:\n  - y[i] = x[i]*(i + 1)/size(i) + where(i > 1, 1, 0)\n"
        "loss: E = sum(i, y[i]**2) + sum(i, j, (i == 2 - j)*x[i]*x[j])\n"
    ),
    "masked softmax of large scores": (
        "inputs: {s: [[900, 1, 2], [-900, 0, 1], [5, 800, 3]]}\nmodel:\n"
        "  - a[q,k] = where(k <= q, exp(s[q,k]), 0)/sum(m, where(m <= q, exp(s[q,m]), 0))\n"
        "sizes: {m: 3}\nloss: E = sum(q, k, a[q,k]**2)\n"
    ),
}
ROWS = (*LAYERS, *loss_names())
ALL = {**SPECS, **{name: scaffold(name, network=False) for name in ROWS}}


@pytest.mark.parametrize("name", ALL)
def test_both_modules_compute_the_model(name: str) -> None:
    problem = made(ALL[name])
    derivation = derivation_of(problem)
    drawn = {} if name == "masked softmax of large scores" else model_values(problem, derivation, 1)
    points = [point(problem, Bench(derivation, drawn))] if drawn else []
    for target in USUAL:
        source = source_of_row(name, target) if name in ROWS else source_of(problem, target)
        assert max(map(len, source.splitlines())) <= 100
        route, _ = module_route(target, source, problem, points)
        assert route.status is Status.AGREES, route.detail


def test_large_scores_do_not_overflow() -> None:
    problem = made(SPECS["masked softmax of large scores"])
    derivation = differentiate(problem.graph, problem.wanted)
    with mp.workdps(DIGITS):
        given = {
            (name, place): mp.mpf(value.numerator)
            for name, table in problem.values.items()
            for place, value in table.items()
        }
        exact = run(derivation.backward, run(derivation.forward, given))
    for target in USUAL:
        done = load(problem, emit(problem, derivation, target), target).run()
        for (name, place), found in done.gradients.items():
            assert math.isclose(found, exact[adjoint_name(name), place], abs_tol=1e-12)


TRAINED = (
    "inputs: {x: 1}\ntargets: {t: 0}\nparameters: {w: [1, 2], b: 1}\n"
    "model: ['y = sum(i, w[i])*x + b', 'E = (y - t)**2/2']\n"
    "samples: [{x: 1, t: 0}, {x: 2, t: 1}]\n"
    "training: {optimizer: %s, learning_rate: 0.01, steps: 4, frozen: [b]}\n"
)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_is_emitted(optimizer: str) -> None:
    problem = made(TRAINED % optimizer)
    derivation = differentiate(problem.graph, problem.wanted)
    points = [point(problem, Bench(derivation, model_values(problem, derivation, 1)))]
    for target in USUAL:
        source = emit(problem, derivation, target)
        route, done = module_route(target, source, problem, points)
        assert route.status is Status.AGREES, route.detail
        assert done is not None
        assert ("State" in source) == bool(OPTIMIZERS[optimizer].states)


def test_first_states_are_written_into_the_module() -> None:
    text = TRAINED.replace("frozen: [b]", "frozen: [b], states: {v: {w: [1, 2]}}")
    problem = made(text % "momentum")
    derivation = differentiate(problem.graph, problem.wanted)
    assert "STATE = State(v_w=[1.0, 2.0])" in emit(problem, derivation, "python")


@pytest.mark.parametrize("name", ["gathers", "two steps back", "largest of a square", "lstm"])
@pytest.mark.parametrize("target", USUAL)
def test_a_module_runs_alone(name: str, target: str, tmp_path: Path) -> None:
    problem = made(ALL[name])
    source = emit(problem, differentiate(problem.graph, problem.wanted), target)
    file = tmp_path / "module.py"
    file.write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)], capture_output=True, text=True, check=True
    )
    assert "E" in done.stdout or "g" in done.stdout


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_sum_of_exponentials_may_have_no_term(target: str) -> None:
    text = (
        "inputs: {x: [0.5, -1, 2]}\nmodel:\n"
        "  - y[t] = log(exp(x[t]) + where(t > 0, exp(x[t-1]), 0) + where(t > 1, exp(x[t-2]), 0))\n"
        "loss: E = sum(t, y[t]**2)\n"
    )
    report = verify(made(text))
    assert {r.status for r in report.routes if r.name == f"module {target}"} == {"agrees"}
