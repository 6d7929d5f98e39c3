"""The steps of the benchmark written by hand in PyTorch: the loss, and autograd's gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from shapes import SHAPES
from torch.nn import functional

torch.set_num_threads(1)
RATE = 0.01
Loss = Callable[[Any, Any, Any], Any]


def _normal(seed: int, *shape: int) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64) / 8


def _cross_entropy(net: Any, t: Any) -> Any:
    return -(t * functional.log_softmax(net, 1)).sum() / len(net)


def _dense(p: Any, x: Any, t: Any) -> Any:
    return _cross_entropy(torch.relu(x @ p[0].T + p[1]) @ p[2].T + p[3], t)


def _convolution(p: Any, x: Any, t: Any) -> Any:
    pooled = functional.max_pool2d(torch.relu(functional.conv2d(x, p[0], p[1])), 2)
    return _cross_entropy(pooled.flatten(1) @ p[2].T + p[3], t)


def _lstm(p: Any, x: Any, t: Any) -> Any:
    inner, outer, bias = p
    h = c = torch.zeros(8, 64, dtype=torch.float64)
    for here in (x @ inner + bias).unbind(1):
        i, f, g, o = (here + h @ outer).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    return ((h - t) ** 2).sum() / 16


def _attention(p: Any, x: Any, t: Any) -> Any:
    ins, shift, out, last = p
    parts = (x @ ins + shift).chunk(3, 2)
    q, k, v = (part.reshape(8, 64, 4, 16).transpose(1, 2) for part in parts)
    mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return ((mixed.transpose(1, 2).reshape(8, 64, 64) @ out + last - t) ** 2).sum() / 512


LOSSES: dict[str, Loss] = {
    **{f"784-128-10, {n}": _dense for n in (32, 128)},
    "convolution": _convolution,
    "lstm": _lstm,
    "attention": _attention,
}


def by_hand(name: str) -> Callable[[int], None]:
    """So many steps."""
    loss, (shapes, given, wanted) = LOSSES[name], SHAPES[name]
    x, t = _normal(98, *given), _normal(99, *wanted).abs()
    at = [_normal(k, *shape).requires_grad_() for k, shape in enumerate(shapes)]

    def run(many: int) -> None:
        for _ in range(many):
            slopes = torch.autograd.grad(loss(at, x, t), at)
            with torch.no_grad():
                for weight, slope in zip(at, slopes, strict=True):
                    weight -= RATE * slope

    return run
