"""What is computed once, what is computed ahead of a recurrence, and what needs no copies."""

from __future__ import annotations

import re

import numpy as np
import pytest

from derive.emit import load
from derive.emit.hoisting import hoisted
from derive.emit.program import lower
from derive.emit.reuse import reusing
from derive.emit.sharing import shared
from derive.emit.tree import Read, walk
from derive.scaffold import scaffold
from derive.verify.report import Status
from tests.emit_support import derivation_of, judged, made, of_row, source_of, source_of_row

RECURRENT = ("rnn", "gru", "gru_reset_after", "lstm", "lstm_peephole", "bidirectional_rnn")
LOGITS = """
inputs: {x: [[0.5, -0.3], [0.1, 0.9]]}
targets: {t: [[1, 0, 0], [0, 0, 1]]}
parameters: {W: [[0.1, 0.4], [-0.6, 0.3], [0.2, 0.2]], b: [0.1, 0.2, -0.1]}
model: ['y[n,h] = sum(i, W[h,i]*x[n,i]) + b[h]']
loss: E = sum(n, log(sum(k, exp(y[n,k]))) - sum(o, t[n,o]*y[n,o]))
"""
TWO = """
inputs: {x: [[1, 2], [0.5, -1]]}
parameters: {w: 0.5, u: 0.3}
model:
  - "a[i,j] = w*x[i,j] + u*h[i-1,j]"
  - "h[i,j] = tanh(a[i,j] + h[i,j-1])*logistic(a[i,j] + h[i,j-1])"
loss: E = sum(i, j, h[i,j]**2)
"""
SHIFTED = """
inputs: {x: [0.5, -0.3, 0.2, 0.4]}
parameters: {w: [0.7, 0.2], v: 0.3}
model:
  - a[t] = w[0]*x[t] + w[1]*exp(x[t])
  - h[t] = tanh(a[t] + v*h[t-1]*exp(x[t]) + exp(a[t])*h[t-2])
loss: E = sum(t, h[t]**2*exp(a[t])) + h[3]*a[2]
"""
CHOICE = """
inputs: {x: [0.5, 0, -0.2]}
parameters: {w: 0.7}
model:
  - p[i] = where(x[i] > 0, log(x[i])*w, w)
  - q[i] = where(x[i] > 0, log(x[i])*w**2, 0)
loss: E = sum(i, p[i] + q[i])
"""
NEARLY = """
inputs: {x: [[0.5, -0.3], [0.1, 0.9]]}
parameters: {W: [[0.1, 0.4], [-0.6, 0.3]]}
model: ['y[n] = sum(i, x[n,i]*W[n,i])', 'z[n,m] = sum(i, x[n,i]*W[m,i])']
loss: E = sum(n, m, z[n,m]**2*y[n])
"""


def whole(source: str) -> str:
    return source[source.index("\ndef value_and_gradients") : source.index("\ndef gradients")]


def loops(source: str) -> str:
    """The lines in loops."""
    return "\n".join(re.findall(r"^ {8}.*$", whole(source), re.MULTILINE))


@pytest.mark.parametrize("name", RECURRENT)
def test_the_inputs_of_all_steps_are_one_product(name: str) -> None:
    source = source_of_row(name, "numpy")
    assert " = x @ y_W" in source
    assert not re.search(r"\bx\[", loops(source))


@pytest.mark.parametrize("name", RECURRENT)
def test_gradients_of_weights_are_taken_after_the_loop(name: str) -> None:
    source = source_of_row(name, "numpy")
    assert not re.search(r"dE_dy_[WUVT]\w*\[", loops(source))


def test_the_slope_at_a_net_input_is_computed_once() -> None:
    source = whole(source_of_row("lstm", "numpy"))
    for gate in "ifo":
        assert source.count(f"(1 - y_g_{gate})") == 1
    assert source.count("np.tanh(y_c") == 1


def test_values_that_are_there_are_read() -> None:
    source = source_of(made(LOGITS), "numpy")
    for part in (whole(source), source[source.index("\ndef forward") : source.index("\ndef loss")]):
        assert part.count("x @ W.T") == 1
        assert part.count(".max(axis=1)") == 1


@pytest.mark.parametrize(
    "text", [LOGITS, SHIFTED, CHOICE, NEARLY, *(scaffold(n, False) for n in RECURRENT)]
)
def test_modules_agree(text: str) -> None:
    route = judged(made(text), "numpy")
    assert route.status is Status.AGREES, route.detail


def test_a_branch_that_is_not_taken_is_not_computed_ahead() -> None:
    source = source_of(made(CHOICE), "numpy")
    assert "shared" not in source


@pytest.mark.parametrize("text", [LOGITS, SHIFTED, TWO, *(scaffold(n, False) for n in RECURRENT)])
def test_every_pass_keeps_order_and_names(text: str) -> None:
    """Whatever is read is given, or computed before or, in its recurrence, at another step."""
    problem = made(text)
    program = lower(problem, derivation_of(problem))
    given = {quantity.name for quantity in (*program.parameters, *program.sample)}
    for found in (reusing(program.whole), hoisted(shared(reusing(program.whole)))):
        known = set(given)
        for each in found:
            group = {e.quantity.name for e in found if each.walks and e.group == each.group}
            read = {n.name for n in walk(each.value) if isinstance(n, Read)}
            assert read <= known | group
            known.add(each.quantity.name)
        assert {e.quantity.name for e in program.whole} <= known


@pytest.mark.parametrize("size", [(2, 2), (5, 8)])  # few places one by one, many at once
def test_a_tie_goes_to_the_first(size: tuple[int, int]) -> None:
    names = load(of_row("max_pool2d"), source_of_row("max_pool2d", "numpy"), "numpy")
    draw = np.random.default_rng(1)
    x = draw.integers(0, 4, size=(3, size[0], 4, size[1])).astype(float)
    found = names.namespace["is_first_largest"](x, (1, 3))
    for n in range(3):
        for m in range(4):
            flat = x[n, :, m, :].ravel()
            expected = np.arange(flat.size) == flat.argmax()
            assert np.array_equal(found[n, :, m, :].ravel(), expected)
