"""What a training step of the emitted modules costs beside the same step written by hand.

    OPENBLAS_NUM_THREADS=1 python benchmarks/step_cost.py [CASE ...]

All of it is in doubles, on one thread. `products` are the bare products of matrices of the step by
the BLAS of NumPy; `c, blas` is the file of C that calls the same BLAS. Where JAX is installed, a
step by hand in JAX is the measure of that module; so it is with PyTorch. All take turns within one process, and every
figure is the smallest time of the processor of many, because whatever else the machine does only
adds to it. The ratios are what to look at.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from c_steps import c_steps

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
ATTENTION = """
inputs: {x: {shape: [8, 64, 64]}}
targets: {g: {shape: [8, 64, 64]}}
model:
  - {layer: causal_multi_head_attention, name: a, inputs: x, output: y, settings: {heads: 4}}
loss: E = sum(n, t, d, (y[n,t,d] - g[n,t,d])**2)/512
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


def attention_by_hand() -> Step:
    """All heads at once; what comes after a place is masked."""
    draw, (batch, size, width, heads) = np.random.default_rng(1), (8, 64, 64, 4)
    each = width // heads
    ins, out = draw.normal(size=(width, 3 * width)) / 8, draw.normal(size=(width, width)) / 8
    shift, last = np.zeros(3 * width), np.zeros(width)
    x, target = draw.normal(size=(batch * size, width)), draw.normal(size=(batch * size, width))
    later = np.triu(np.full((size, size), -np.inf), 1)

    def apart(rows: Any) -> Any:
        return rows.reshape(batch, size, heads, each).transpose(0, 2, 1, 3)

    def together(parts: Any) -> Any:
        return parts.transpose(0, 2, 1, 3).reshape(batch * size, width)

    def step() -> None:
        joined = x @ ins + shift
        q, k, v = (apart(joined[:, n * width : (n + 1) * width]) for n in range(3))
        s = q @ k.swapaxes(2, 3)
        s /= each**0.5
        s += later
        s -= s.max(3, keepdims=True)
        np.exp(s, out=s)
        s /= s.sum(3, keepdims=True)
        mixed = together(s @ v)
        slope = (mixed @ out + last - target) / 256
        below = apart(slope @ out.T)
        dp = below @ v.swapaxes(2, 3)
        dp *= s
        dp -= s * dp.sum(3, keepdims=True)
        dp /= each**0.5
        parts = (dp @ k, dp.swapaxes(2, 3) @ q, s.swapaxes(2, 3) @ below)
        whole = np.concatenate([together(part) for part in parts], 1)
        np.subtract(out, RATE * (mixed.T @ slope), out=out)
        np.subtract(last, RATE * slope.sum(0), out=last)
        np.subtract(ins, RATE * (x.T @ whole), out=ins)
        np.subtract(shift, RATE * whole.sum(0), out=shift)

    return step


Product = tuple[int, int, int, int]  # how many, rows, what is summed over, columns
DENSE = {
    batch: ((1, batch, 784, 128), (1, batch, 128, 10), (1, batch, 10, 128), (1, 128, batch, 10),
            (1, 784, batch, 128))
    for batch in (32, 128)
}  # fmt: skip
PRODUCTS: dict[str, tuple[Product, ...]] = {
    "784-128-10, 32": DENSE[32],
    "784-128-10, 128": DENSE[128],
    "convolution": (
        *((1, 32 * 676, 9, 8), (1, 9, 32 * 676, 8)),
        *((1, 32, 1352, 10), (1, 32, 10, 1352), (1, 1352, 32, 10)),
    ),
    "lstm": (
        *((1, 128, 32, 256), (16, 8, 64, 256), (15, 8, 256, 64)),
        *((1, 32, 128, 256), (1, 64, 128, 256)),
    ),
    "attention": (
        *((1, 512, 64, 192), (32, 64, 16, 64), (32, 64, 64, 16), (1, 512, 64, 64)),
        *((1, 512, 64, 64), (32, 64, 16, 64), (96, 64, 64, 16), (1, 64, 512, 64)),
        (1, 64, 512, 192),
    ),
}


def bare_products(products: tuple[Product, ...]) -> Step:
    """Products of matrices of these sizes, and nothing else."""
    draw = np.random.default_rng(1)
    made = [
        (many, draw.normal(size=(a, b)), draw.normal(size=(b, c)), np.empty((a, c)))
        for many, a, b, c in products
    ]

    def step() -> None:
        for many, left, right, result in made:
            for _ in range(many):
                np.matmul(left, right, out=result)

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
    "attention": lambda: Case(ATTENTION, attention_by_hand()),
}
Run = Callable[[int], Any]  # so many steps


def repeated(step: Step) -> Run:
    """So many steps of Python."""

    def run(many: int) -> None:
        for _ in range(many):
            step()

    return run


def source_of(spec: str, target: str) -> tuple[Any, str]:
    """A problem, and the source of its module."""
    problem = build(parse_spec(spec, "benchmark", "benchmark"))
    return problem, emit(problem, differentiate(problem.graph, problem.wanted), target)


def step_of(spec: str, target: str) -> Run:
    """Steps of an emitted module, from where the last one arrived."""
    problem, source = source_of(spec, target)
    names = load(problem, source, target).namespace
    sample = names["example_sample"](seed=0)
    at = [names["example_parameters"](seed=0)]

    def run(many: int) -> None:
        for _ in range(many):
            at[0], _ = names["step"](at[0], sample, RATE)
        if target == "jax":
            import jax

            jax.block_until_ready(at[0])

    return run


def runs(name: str) -> Iterator[tuple[str, Run]]:
    """Everything that is measured of a case, with its name."""
    case = CASES[name]()
    yield "by hand", repeated(case.by_hand)
    if name in PRODUCTS:
        yield "products", repeated(bare_products(PRODUCTS[name]))
    for target in case.targets:
        yield target, step_of(case.spec, target)
    yield from c_steps(source_of(case.spec, "c")[1], RATE)
    if importlib.util.find_spec("jax") and name in PRODUCTS:
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ.setdefault("XLA_FLAGS", flags)
        from jax_steps import by_hand

        yield "jax, by hand", by_hand(name)
        yield "jax", step_of(case.spec, "jax")
    if importlib.util.find_spec("torch") and name in PRODUCTS:
        import torch_steps

        yield "torch, by hand", torch_steps.by_hand(name)
        yield "torch", step_of(case.spec, "torch")


def measured(steps: dict[str, Run]) -> dict[str, float]:
    """The smallest time of the processor for each step; they take turns."""
    counts = {}
    for name, run in steps.items():
        run(1)
        start = time.process_time()
        run(1)
        counts[name] = max(1, int(SECONDS / max(time.process_time() - start, 1e-6)))
    found = dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, run in steps.items():
            start = time.process_time()
            run(counts[name])
            found[name] = min(found[name], (time.process_time() - start) / counts[name])
    return found


MEASURES = {
    "c": "products",
    "c, blas": "products",
    "jax": "jax, by hand",
    "torch": "torch, by hand",
}


def main() -> None:
    """Print all costs."""
    print(f"{'step':>16} {'':>16}{'microseconds':>14}{'to NumPy by hand':>18}")
    for name in sys.argv[1:] or CASES:
        found = measured(dict(runs(name)))
        for each, seconds in found.items():
            line = f"{name:>16} {each:>16}{seconds * 1e6:>14.2f}{seconds / found['by hand']:>18.2f}"
            measure = MEASURES.get(each)
            if measure in found:
                line += f"   {seconds / found[measure]:.2f} to {measure}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
