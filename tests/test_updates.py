"""Optimizers that look at more than an entry, and what a training puts before their lines."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import derive
from derive.emit.run import Module, load
from derive.errors import InputError
from derive.library.schedules import SCHEDULES
from derive.render.whole_update import told_of
from derive.spec import parse_spec

SPEC = """\
inputs: {{x: [[1, 0.5], [0.5, -1], [-1, 2]]}}
targets: {{t: [0.5, 0.2, -0.1]}}
parameters: {{W: [[0.5, 0.2], [-0.3, 0.1], [0.4, -0.7]], b: [0.1, 0.2, -0.1], c: 0.5}}
model:
  - "h[n,k] = tanh(sum(i, W[k,i]*x[n,i]) + b[k])"
  - "y[n] = sum(k, h[n,k]) + c"
loss: E = sum(n, (y[n] - t[n])**2)/2
training: {{learning_rate: 0.05, steps: 6, {more}}}
"""
UPDATES = 6
Arrays = dict[str, Any]


def made(more: str) -> Module:
    problem = derive.build(parse_spec(SPEC.format(more=more), "my.yaml", "my"))
    derivation = derive.differentiate(problem.graph)
    return load(problem, derive.emit(problem, derivation, "numpy"), "numpy")


def walked(module: Module, expected: Callable[[Arrays, Arrays, int], Arrays]) -> None:
    """Some updates by the module, each against what it is expected to make of the same numbers."""
    call = module.namespace
    parameters, state = call["PARAMETERS"], call.get("STATE")
    for number in range(1, UPDATES + 1):
        slopes = call["gradients"](parameters, call["SAMPLE"])
        old = {k: np.array(v) for k, v in parameters._asdict().items()}
        by = {k.removeprefix("dE_d"): np.array(v) for k, v in slopes._asdict().items()}
        parameters, state = module.update(parameters, state, slopes, 0.05, number)
        for name, true in expected(old, by, number).items():
            np.testing.assert_allclose(parameters._asdict()[name], true, rtol=1e-10, atol=1e-14)


def test_lars_is_that_of_its_authors() -> None:
    v: Arrays = {}

    def step(w: Arrays, g: Arrays, number: int) -> Arrays:
        for name in w:
            p, q = np.linalg.norm(w[name]), np.linalg.norm(g[name])
            trust = 0.001 * p / (q + 0.01 * p + 1e-8)
            moved = 0.05 * trust * (g[name] + 0.01 * w[name])
            v[name] = 0.9 * v.get(name, 0) + moved
        return {name: w[name] - v[name] for name in w}

    walked(made("optimizer: lars, settings: {decay: 0.01}"), step)


def test_lamb_is_that_of_its_authors() -> None:
    m: Arrays = {}
    v: Arrays = {}

    def step(w: Arrays, g: Arrays, number: int) -> Arrays:
        found = {}
        for name in w:
            m[name] = 0.9 * m.get(name, 0) + 0.1 * g[name]
            v[name] = 0.999 * v.get(name, 0) + 0.001 * g[name] ** 2
            mean, square = m[name] / (1 - 0.9**number), v[name] / (1 - 0.999**number)
            r = mean / (np.sqrt(square) + 1e-6) + 0.01 * w[name]
            trust = np.linalg.norm(w[name]) / np.linalg.norm(r)
            found[name] = w[name] - 0.05 * trust * r
        return found

    walked(made("optimizer: lamb, settings: {decay: 0.01}"), step)


def test_muon_brings_a_matrix_near_an_orthogonal_one() -> None:
    v: Arrays = {}

    def step(w: Arrays, g: Arrays, number: int) -> Arrays:
        found = {}
        for name in w:
            v[name] = 0.95 * v.get(name, 0) + 0.05 * g[name]
            rows = w[name].shape[0] if w[name].ndim else 1
            u = (0.05 * g[name] + 0.95 * v[name]).reshape(rows, -1)
            X = u / np.linalg.norm(u)
            for _ in range(5):
                A = X @ X.T
                X = 3.4445 * X + (-4.775 * A + 2.0315 * A @ A) @ X
            broad = math.sqrt(max(1, X.shape[0] / X.shape[1]))
            found[name] = w[name] - 0.05 * broad * X.reshape(w[name].shape)
        return found

    walked(made("optimizer: muon"), step)


def total(g: Arrays) -> float:
    return math.sqrt(sum(float((each**2).sum()) for each in g.values()))


CLIPPED: dict[str, Callable[[Arrays, Arrays, int], Arrays]] = {
    "clip: {norm: 0.3}": lambda w, g, k: {
        n: w[n] - 0.05 * g[n] * min(1, 0.3 / total(g)) for n in w
    },
    "clip: {norm: 100}": lambda w, g, k: {n: w[n] - 0.05 * g[n] for n in w},
    "clip: {norm: 0.3, eps: 1e-3}": lambda w, g, k: {
        n: w[n] - 0.05 * g[n] * min(1, 0.3 / (total(g) + 1e-3)) for n in w
    },
    "clip: {norm: 0.2, over: each}, weight_decay: {l2: 0.1}": lambda w, g, k: {
        n: w[n] - 0.05 * (g[n] * min(1, 0.2 / np.linalg.norm(g[n])) + 0.1 * w[n]) for n in w
    },
    "clip: {value: 0.1}, weight_decay: {decoupled: 0.1}": lambda w, g, k: {
        n: w[n] * (1 - 0.05 * 0.1) - 0.05 * np.clip(g[n], -0.1, 0.1) for n in w
    },
}


@pytest.mark.parametrize("more", CLIPPED)
def test_a_gradient_is_clipped_and_weights_decay(more: str) -> None:
    walked(made(more), CLIPPED[more])


RATES: dict[str, Callable[[int], float]] = {
    "schedule: {step: {every: 2}}": lambda k: 0.1 ** ((k - 1) // 2),
    "schedule: {exponential: {factor: 0.9}}": lambda k: 0.9 ** (k - 1),
    "schedule: {inverse: {fall: 0.5}}": lambda k: 1 / (1 + 0.5 * (k - 1)),
    "schedule: linear": lambda k: 1 - (k - 1) / 6,
    "schedule: polynomial": lambda k: (1 - (k - 1) / 6) ** 2,
    "schedule: {cosine: {steps: 4}}": lambda k: (1 + math.cos(math.pi * min((k - 1) / 4, 1))) / 2,
    "schedule: {warmup: {warm: 3}}": lambda k: min(k / 3, 1),
    "schedule: {warmup_cosine: {warm: 2}}": lambda k: (
        k / 2 if k <= 2 else (1 + math.cos(math.pi * (k - 3) / 4)) / 2
    ),
    "schedule: {inverse_sqrt: {warm: 2}}": lambda k: min(k / 2, math.sqrt(2 / k)),
    "schedule: {one_cycle: {rise: 0.5}}": lambda k: (
        1 + (1 / 25 - 1) * (1 + math.cos(math.pi * (k - 1) / 2)) / 2
        if k <= 3
        else 4e-6 + (1 - 4e-6) * (1 + math.cos(math.pi * (k - 3) / 3)) / 2
    ),
    "schedule: {one_cycle: {rise: 0.2, steps: 5, end: 1}}": lambda k: (
        1 / 25 if k == 1 else 1 / 25 + 24 / 25 * (1 + math.cos(math.pi * min((k - 1) / 4, 1))) / 2
    ),
    "schedule: alpha*0.5**(k//2)": lambda k: 0.5 ** (k // 2),
    "schedule: alpha/(1 + k % 3)": lambda k: 1 / (1 + k % 3),
}


def test_every_schedule_is_held_to_a_formula() -> None:
    assert all(any(name in more for more in RATES) for name in SCHEDULES)


@pytest.mark.parametrize("more", RATES)
def test_the_learning_rate_follows_its_schedule(more: str) -> None:
    rate = RATES[more]
    walked(made(more), lambda w, g, k: {n: w[n] - 0.05 * rate(k) * g[n] for n in w})


FORMULAS: dict[str, Callable[[int], float]] = {
    "0.1*(1 + k - 2*(k//2))": lambda k: 0.2 if k % 2 else 0.1,
    "0.1*(k - 4*(k//4))": lambda k: 0.1 * (k % 4),
    "0.1*2*(k//2)/k": lambda k: 0.2 * (k // 2) / k,
    "0.1*(k % 2)/k": lambda k: 0.1 * (k % 2) / k,
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_learning_rate_that_is_rounded_still_depends_on_the_update(formula: str) -> None:
    text = SPEC.format(more="").replace("learning_rate: 0.05", f"learning_rate: '{formula}'")
    problem = derive.build(parse_spec(text, "my.yaml", "my"))
    derivation = derive.differentiate(problem.graph)
    module = load(problem, derive.emit(problem, derivation, "numpy"), "numpy")
    share = FORMULAS[formula]
    first = float(problem.training.learning_rate)  # of which walked() takes 0.05 instead
    walked(module, lambda w, g, k: {n: w[n] - 0.05 / first * share(k) * g[n] for n in w})


TINY = """\
parameters: {w: 0.5}
loss: E = w**2/2
training: {learning_rate: 0.05, steps: 4, schedule: {warmup_cosine: {warm: 2}}, clip: {value: 3}}
languages: [en]
"""


def test_a_page_tells_the_learning_rate_of_each_update() -> None:
    problem = derive.build(parse_spec(TINY, "my.yaml", "my"))
    page = derive.render(problem, "en")
    assert r"update & $\alpha_{k}$ & $E$ & $w$ \\" in page
    rates = re.findall(r"^\d & \$(.*?)\$ &", page, re.MULTILINE)
    assert rates == ["-", "0.025", "0.05", "0.05", "0.025"]
    assert "is cut off." in page and r"\alpha_{k}$ is computed for each update" in page
    assert r"\alpha_{k} &= [k > \mathrm{warm}]" in page  # in two rows
    assert r"\alpha_{1} &= \frac{\alpha}{\mathrm{warm}}" in page


@pytest.mark.slow
def test_a_learning_rate_may_be_a_formula() -> None:
    text = SPEC.format(more="order: layer_by_layer").replace(
        "learning_rate: 0.05", "learning_rate: '0.05/(1 + 0.5*k)'"
    )
    problem = derive.build(parse_spec(text, "my.yaml", "my"))
    assert float(problem.training.learning_rate) == 0.05
    assert derive.verify(problem).agree


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        "optimizer: lamb, states: {m: {c: 0.2}, v: {c: 0.3}}",
        "optimizer: muon",
        "clip: {norm: 0.3}, schedule: cosine",
    ],
)
def test_every_route_agrees_on_a_whole_update(more: str) -> None:
    problem = derive.build(parse_spec(SPEC.format(more=more), "my.yaml", "my"))
    assert derive.verify(problem).agree


WRONG = {
    "clip: {norm: 1}, order: layer_by_layer": "needs all gradients at once",
    "clip: {}": "clip takes a norm or a value",
    "clip: {norm: 0}": "must be above 0",
    "weight_decay: {l2: 0.1, decoupled: 0.1}": "takes l2 or decoupled",
    "weight_decay: {l2: 0.1}, optimizer: adamw": "a weight decay of its own",
    "schedule: cosin": "did you mean 'cosine'",
    "schedule: {cosine: {lest: 1}}": "no such setting; did you mean 'least'",
    "schedule: alpha*kk": "'kk' is unknown",
    "schedule: alpha*kk//10": r"'kk' is unknown.*\n    alpha\*kk//10\n {10}\^",
    "schedule: alpha*w": "'w' is unknown; known: alpha, k",
    'schedule: "alpha\\n\\n w = 0"': "this is not a formula",
    "schedule: {warmup: {warm: 0}}": "schedule.warmup.warm: warm must be above 0",
    "schedule: alpha/(k - 3)": "schedule: for k = 3 this divides by zero",
    "schedule: alpha*log(k - 1)": r"schedule: for k = 1 log\(0\) is no finite real number",
    "schedule: alpha*sqrt(2 - k)": "schedule: for k = 3 this is not a real number",
    "schedule: alpha/(1 + cos(pi*k))": "schedule: for k = 1 this divides by zero",
    "schedule: alpha*(sqrt(2 - k) // 1)": "schedule: for k = 3 this is not a real number",
    "schedule: {one_cycle: {rise: 1}}": "rise must lie between 0 and 1",
    "schedule: {one_cycle: {rise: 2}}": "rise must lie between 0 and 1",
    "schedule: {cosine: {least: -1}}": "least must not be below 0",
    "clip: {value: 1, over: each}": "over and eps belong to a norm",
    "clip: {value: 1, eps: 1}": "over and eps belong to a norm",
    "clip: {norm: 1, eps: -1}": "eps must not be below 0",
    "weight_decay: {l2: -0.1}": "make parameters grow",
}


@pytest.mark.parametrize("more", WRONG)
def test_what_is_wrong_is_said_in_the_words_of_the_author(more: str) -> None:
    with pytest.raises(InputError, match=WRONG[more]):
        made(more)


OWN = SPEC.replace(
    "training:",
    "define: {{optimizers: {{mine: {{equations: '{lines}'}}}}}}\ntraining:",
)


@pytest.mark.parametrize("name", ["alpha_now", "size_W", "g2_W", "w_W"])
def test_a_quantity_is_not_called_like_a_number_of_the_update(name: str) -> None:
    more = "clip: {norm: 1, over: each}, weight_decay: {decoupled: 0.1}"
    text = OWN.format(lines="g = 2*g\n\n w = w - alpha*g", more=f"optimizer: mine, {more}")
    text = text.replace("steps: 6", "steps: 6, schedule: linear")
    with pytest.raises(InputError, match=f"something that it calls '{name}'; rename"):
        derive.build(parse_spec(re.sub(r"\bc\b", name, text), "my.yaml", "my"))


LINES = {
    "A[i,j] = sum(k, g[i,k])": "another letter",
    "A[i,i] = 1": "letters of a table",
    "entries = norm(entries, g)": "means something else here",
    "s = softmax(parameters, g)": "does not go over all parameters",
    "r[i] = norm(..., h[i,...])": "'h' is unknown",
}


@pytest.mark.parametrize("lines", LINES)
def test_a_wrong_line_is_refused(lines: str) -> None:
    text = OWN.format(lines=f"{lines}\n\n w = w - alpha*g", more="optimizer: mine")
    with pytest.raises(InputError, match=LINES[lines]):
        derive.build(parse_spec(text, "my.yaml", "my"))


def test_an_optimizer_of_ones_own_may_look_at_rows() -> None:
    lines = "r[i] = sqrt(mean(..., g[i,...]**2))\n\n w[i,...] = w[i,...] - alpha*g[i,...]/r[i]"
    text = OWN.format(lines=lines, more="optimizer: mine")
    problem = derive.build(parse_spec(text, "my.yaml", "my"))
    module = load(
        problem, derive.emit(problem, derive.differentiate(problem.graph), "numpy"), "numpy"
    )

    def step(w: Arrays, g: Arrays, number: int) -> Arrays:
        slope = g["W"]
        rows = np.sqrt((slope**2).mean(axis=1, keepdims=True))
        return {"W": w["W"] - 0.05 * slope / rows}

    walked(module, step)


def test_a_line_over_all_parameters_may_follow_one_of_the_gradient() -> None:
    lines = "g = 2*g\n\n q = norm(parameters, g)\n\n w = w - alpha*g/(1 + q)"
    define = f"define: {{optimizers: {{mine: {{equations: '{lines}'}}}}}}\n"
    text = TINY.replace("{w: 0.5}", "{w: 0.5, v: 0.25}").replace("E = w**2/2", "E = w**2 + v*w")
    text = re.sub("steps: .*", "steps: 1, optimizer: mine}", text) + define
    page = derive.render(derive.build(parse_spec(text, "my.yaml", "my")), "en")
    assert r"q &= \sqrt{g_{v}^{2} + g^{2}} \\" in page
    assert r"&= \sqrt{1^{2} + 2.5^{2}} \\" in page


def test_names_that_are_given_values_again_are_kept_apart() -> None:
    lines = (
        "q = norm(parameters, g)", "q2 = q*2", "q = q + 1 + q2", "decay = 2",
        "r = norm(entries, g)", "m = m/2 + g", "m = m*2/r", "w = w - alpha*m/q", "w = w*decay/2",
    )  # fmt: skip
    text = OWN.format(lines="\n\n ".join(lines), more="optimizer: mine")
    text = text.replace("'}}}", "', states: [m]}}}")
    problem = derive.build(parse_spec(text, "my.yaml", "my"))
    derivation = derive.differentiate(problem.graph)
    module = load(problem, derive.emit(problem, derivation, "numpy"), "numpy")
    m: Arrays = {}

    def step(w: Arrays, g: Arrays, number: int) -> Arrays:
        for name in w:
            m[name] = (m.get(name, 0) / 2 + g[name]) * 2 / np.linalg.norm(g[name])
        return {name: w[name] - 0.05 * m[name] / (1 + 3 * total(g)) for name in w}

    walked(module, step)
    assert [told_of(word, problem) for word in ("q", "q2", "q3", "m2", "m", "w")] == [
        ("q", ""), ("q2", ""), ("q", "*"), ("m", "*"), ("m", ""), ("w", "*")
    ]  # fmt: skip


def test_a_setting_of_ones_own_may_be_called_decay() -> None:
    text = OWN.format(
        lines="w = w - alpha*g/(1 + decay*k)", more="optimizer: mine, weight_decay: {l2: 0.1}"
    ).replace("'}}", "', settings: {decay: 0.5}}}")
    problem = derive.build(parse_spec(text, "my.yaml", "my"))
    assert problem.training.settings == {"decay2": Fraction(1, 10), "decay": Fraction(1, 2)}
