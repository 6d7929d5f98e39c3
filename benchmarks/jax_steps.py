"""The steps of the benchmark written by hand in JAX: the loss, and `jax.grad` of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from shapes import SHAPES

jax.config.update("jax_enable_x64", True)
RATE = 0.01
Loss = Callable[[Any, Any, Any], Any]


def _normal(seed: int, *shape: int) -> Any:
    return jax.random.normal(jax.random.key(seed), shape) / 8


def _cross_entropy(net: Any, t: Any) -> Any:
    return -jnp.sum(t * jax.nn.log_softmax(net)) / len(net)


def _dense(p: Any, x: Any, t: Any) -> Any:
    return _cross_entropy(jax.nn.relu(x @ p[0].T + p[1]) @ p[2].T + p[3], t)


def _convolution(p: Any, x: Any, t: Any) -> Any:
    kinds = ("NCHW", "OIHW", "NCHW")
    net = lax.conv_general_dilated(x, p[0], (1, 1), "VALID", dimension_numbers=kinds)
    out = jax.nn.relu(net + p[1][:, None, None])
    pooled = out.reshape(32, 8, 13, 2, 13, 2).max((3, 5))
    return _cross_entropy(pooled.reshape(32, -1) @ p[2].T + p[3], t)


def _lstm(p: Any, x: Any, t: Any) -> Any:
    inner, outer, bias = p
    known = jnp.swapaxes(x, 0, 1) @ inner + bias

    def step(carry: Any, here: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(here + h @ outer, 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros((8, 64))
    (h, _), _ = lax.scan(step, (zero, zero), known)
    return jnp.sum((h - t) ** 2) / 16


def _attention(p: Any, x: Any, t: Any) -> Any:
    ins, shift, out, last = p
    parts = jnp.split(x @ ins + shift, 3, 2)
    q, k, v = (part.reshape(8, 64, 4, 16) for part in parts)
    scores = jnp.einsum("ntae,nrae->natr", q, k) / 4
    scores = jnp.where(jnp.tril(jnp.ones((64, 64), bool)), scores, -jnp.inf)
    mixed = jnp.einsum("natr,nrae->ntae", jax.nn.softmax(scores), v).reshape(8, 64, 64)
    return jnp.sum((mixed @ out + last - t) ** 2) / 512


LOSSES: dict[str, Loss] = {
    **{f"784-128-10, {n}": _dense for n in (32, 128)},
    "convolution": _convolution,
    "lstm": _lstm,
    "attention": _attention,
}


def by_hand(name: str) -> Callable[[int], None]:
    """So many steps, each with the parameters given away."""
    loss, (shapes, given, wanted) = LOSSES[name], SHAPES[name]
    x, t = _normal(98, *given), jnp.abs(_normal(99, *wanted))

    @partial(jax.jit, donate_argnums=0)
    def step(p: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(p, x, t)
        return [w - RATE * slope for w, slope in zip(p, slopes, strict=True)], value

    at = [[_normal(k, *shape) for k, shape in enumerate(shapes)]]

    def run(many: int) -> None:
        for _ in range(many):
            at[0], _ = step(at[0])
        jax.block_until_ready(at[0])

    return run
