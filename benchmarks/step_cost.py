"""What a training step of the emitted modules costs beside the same step written by hand in NumPy.

    OPENBLAS_NUM_THREADS=1 python benchmarks/step_cost.py [CASE ...]

All of it is in doubles. The step by hand and those of the modules take turns within
one process, and every figure is the smallest of many, because whatever else the machine does only
adds to it. The ratios are what to look at.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.backprop import differentiate
from derive.build import build
from derive.emit import emit
from derive.emit.run import load
from derive.spec import parse_spec

RATE = 0.01
ROUNDS = 25
SECONDS = 0.02  # of each measurement
Step = Callable[[], Any]


# --- the specs ------------------------------------------------------------------------------


def network(sizes: tuple[int, ...], units: str, output: str, loss: str, batch: int) -> str:
    """A dense network."""
    kinds = [*[units] * (len(sizes) - 2), output]
    layers = "".join(
        f"    - {{dense: {size}, activation: {kind}}}\n"
        for size, kind in zip(sizes[1:], kinds, strict=True)
    )
    return (
        f"network:\n  inputs: {sizes[0]}\n  layers:\n{layers}  loss: {loss}\n"
        f"data: {{batch: {batch}}}\n"
    )


CONVOLUTION = """
inputs: {x: {shape: [32, 1, 28, 28]}}
targets: {t: {shape: [32, 10]}}
model:
  - {layer: conv2d, name: c, inputs: x, output: z, sizes: {o: 8, r: 3, s: 3}}
  - {layer: relu, inputs: z, output: a}
  - {layer: max_pool2d, inputs: a, output: p}
  - {layer: flatten3, inputs: p, output: f}
  - {layer: dense, name: d, inputs: f, output: y, sizes: {h: 10}}
loss: E = sum(n, log(sum(k, exp(y[n,k]))) - sum(o, t[n,o]*y[n,o]))/32
training: {learning_rate: 0.01}
"""
LSTM = """
inputs: {x: {shape: [8, 16, 32]}}
targets: {g: {shape: [8, 64]}}
model:
  - {layer: lstm, name: r, inputs: x, output: h, sizes: {k: 64}}
loss: E = sum(n, k, (h[n,15,k] - g[n,k])**2)/16
training: {learning_rate: 0.01}
"""


# --- by hand --------------------------------------------------------------------------------


def tiny_by_hand(sizes: tuple[int, ...]) -> Step:
    draw = np.random.default_rng(1)
    a, b, c = sizes
    weights = [draw.normal(size=(b, a)), draw.normal(size=b), draw.normal(size=(c, b))]
    weights.append(draw.normal(size=c))
    x, t = draw.normal(size=a), draw.uniform(size=c)

    def step() -> None:
        hidden = 1 / (1 + np.exp(-(weights[0] @ x + weights[1])))
        output = 1 / (1 + np.exp(-(weights[2] @ hidden + weights[3])))
        slope = (output - t) * output * (1 - output)
        below = (weights[2].T @ slope) * hidden * (1 - hidden)
        weights[2] -= RATE * np.outer(slope, hidden)
        weights[3] -= RATE * slope
        weights[0] -= RATE * np.outer(below, x)
        weights[1] -= RATE * below

    return step


def dense_by_hand(sizes: tuple[int, ...], batch: int) -> Step:
    draw = np.random.default_rng(1)
    a, b, c = sizes
    first, second = draw.normal(size=(a, b)) / a, draw.normal(size=(b, c)) / b
    one, two = np.zeros(b), np.zeros(c)
    x, t = draw.normal(size=(batch, a)), np.eye(c)[np.arange(batch) % c]

    def step() -> None:
        hidden = np.maximum(x @ first + one, 0)
        net = hidden @ second + two
        powers = np.exp(net - net.max(1, keepdims=True))
        slope = (powers / powers.sum(1, keepdims=True) - t) / batch
        below = (slope @ second.T) * (hidden > 0)
        np.subtract(second, RATE * (hidden.T @ slope), out=second)
        np.subtract(two, RATE * slope.sum(0), out=two)
        np.subtract(first, RATE * (x.T @ below), out=first)
        np.subtract(one, RATE * below.sum(0), out=one)

    return step


def convolution_by_hand() -> Step:
    """The windows as a matrix, channels last."""
    draw, batch = np.random.default_rng(1), 32
    kernel, bias = draw.normal(size=(9, 8)), np.zeros(8)
    dense, shift = draw.normal(size=(1352, 10)) / 37, np.zeros(10)
    x, t = draw.normal(size=(batch, 28, 28)), np.eye(10)[np.arange(batch) % 10]

    def step() -> None:
        view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
        columns = view.reshape(-1, 9)
        net = columns @ kernel
        net += bias
        np.maximum(net, 0, out=net)
        q = net.reshape(batch, 13, 2, 13, 2, 8)
        largest = np.maximum(
            np.maximum(q[:, :, 0, :, 0], q[:, :, 0, :, 1]),
            np.maximum(q[:, :, 1, :, 0], q[:, :, 1, :, 1]),
        )
        flat = largest.reshape(batch, -1)
        out = flat @ dense + shift
        powers = np.exp(out - out.max(1, keepdims=True))
        slope = (powers / powers.sum(1, keepdims=True) - t) / batch
        pooled = (slope @ dense.T).reshape(largest.shape)
        pooled *= largest > 0
        below = (q == largest[:, :, None, :, None]) * pooled[:, :, None, :, None]
        below = below.reshape(-1, 8)
        np.subtract(kernel, RATE * (columns.T @ below), out=kernel)
        np.subtract(bias, RATE * below.sum(0), out=bias)
        np.subtract(dense, RATE * (flat.T @ slope), out=dense)
        np.subtract(shift, RATE * slope.sum(0), out=shift)

    return step


def lstm_by_hand() -> Step:
    """The products of inputs and weights of all steps and gates at once."""
    draw, (i, h, steps, batch) = np.random.default_rng(1), (32, 64, 16, 8)
    wx, wh, b = draw.normal(size=(i, 4 * h)) / 6, draw.normal(size=(h, 4 * h)) / 8, np.zeros(4 * h)
    x, target = draw.normal(size=(steps, batch, i)), draw.normal(size=(batch, h))
    rows = x.reshape(steps * batch, i)
    gates, slopes = np.empty((steps, batch, 4 * h)), np.empty((steps, batch, 4 * h))
    states, cells = np.zeros((steps + 1, batch, h)), np.zeros((steps + 1, batch, h))
    bent = np.empty((steps, batch, h))

    def step() -> None:
        np.matmul(rows, wx, out=gates.reshape(steps * batch, -1))
        gates.__iadd__(b)
        for t in range(steps):
            z = gates[t]
            z += states[t] @ wh
            g = np.tanh(z[:, 2 * h : 3 * h])
            np.negative(z, out=z)
            np.exp(z, out=z)
            z += 1
            np.reciprocal(z, out=z)
            z[:, 2 * h : 3 * h] = g
            cells[t + 1] = z[:, h : 2 * h] * cells[t] + z[:, :h] * g
            np.tanh(cells[t + 1], out=bent[t])
            np.multiply(z[:, 3 * h :], bent[t], out=states[t + 1])
        dh, dc = (states[steps] - target) / batch, np.zeros((batch, h))
        for t in reversed(range(steps)):
            z, q, tc = gates[t], slopes[t], bent[t]
            gi, gf, gc, go = (z[:, k * h : (k + 1) * h] for k in range(4))
            dc += dh * go * (1 - tc * tc)
            q[:, :h] = dc * gc * gi * (1 - gi)
            q[:, h : 2 * h] = dc * cells[t] * gf * (1 - gf)
            q[:, 2 * h : 3 * h] = dc * gi * (1 - gc * gc)
            q[:, 3 * h :] = dh * tc * go * (1 - go)
            dc *= gf
            dh = q @ wh.T
        flat = slopes.reshape(steps * batch, -1)
        np.subtract(wx, RATE * (rows.T @ flat), out=wx)
        np.subtract(wh, RATE * (states[:steps].reshape(steps * batch, h).T @ flat), out=wh)
        np.subtract(b, RATE * flat.sum(0), out=b)

    return step


# --- measuring ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A step by hand, and the spec whose modules compute the same."""

    spec: str
    by_hand: Step
    targets: tuple[str, ...] = ("numpy",)


def _tiny(*sizes: int) -> Case:
    spec = network(sizes, "logistic", "logistic", "half_squared_error", 1)
    return Case(spec, tiny_by_hand(sizes), ("python", "numpy"))


def _dense(batch: int, *sizes: int) -> Case:
    spec = network(sizes, "relu", "softmax", "categorical_cross_entropy", batch)
    return Case(spec, dense_by_hand(sizes, batch))


CASES: dict[str, Callable[[], Case]] = {
    "2-2-2": lambda: _tiny(2, 2, 2),
    "8-8-8": lambda: _tiny(8, 8, 8),
    "784-128-10, 32": lambda: _dense(32, 784, 128, 10),
    "784-128-10, 128": lambda: _dense(128, 784, 128, 10),
    "convolution": lambda: Case(CONVOLUTION, convolution_by_hand()),
    "lstm": lambda: Case(LSTM, lstm_by_hand()),
}


def step_of(spec: str, target: str) -> Step:
    """A step of an emitted module, from where the last one arrived."""
    problem = build(parse_spec(spec, "benchmark", "benchmark"))
    source = emit(problem, differentiate(problem.graph, problem.wanted), target)
    names = load(problem, source, target).namespace
    sample = names["example_sample"](seed=0)
    at = [names["example_parameters"](seed=0)]

    def step() -> None:
        at[0], _ = names["step"](at[0], sample, RATE)

    return step


def measured(steps: dict[str, Step]) -> dict[str, float]:
    """The smallest time of each step, which take turns."""
    counts = {}
    for name, step in steps.items():
        step()
        start = time.perf_counter()
        step()
        counts[name] = max(1, int(SECONDS / (time.perf_counter() - start)))
    found = dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = time.perf_counter()
            for _ in range(counts[name]):
                step()
            found[name] = min(found[name], (time.perf_counter() - start) / counts[name])
    return found


def main() -> None:
    """Print all costs."""
    print(f"{'step':>16}{'':>8}{'microseconds':>14}{'to NumPy by hand':>18}")
    for name in sys.argv[1:] or CASES:
        case = CASES[name]()
        steps = {target: step_of(case.spec, target) for target in case.targets}
        found = measured({"by hand": case.by_hand, **steps})
        for each, seconds in found.items():
            ratio = seconds / found["by hand"]
            print(f"{name:>16}{each:>8}{seconds * 1e6:>14.2f}{ratio:>18.2f}")


if __name__ == "__main__":
    main()
