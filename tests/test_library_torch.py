"""Every row of the library against PyTorch's own layer, and against what JAX derives of its graph.

A row without a PyTorch reference fails. Where PyTorch has no such layer, the reference is written
out in its operations: `gru`, `gru_take` and `lstm_peephole` are published variants of layers it has
otherwise, and of the losses it lacks those that are one line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import chain, product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from derive.graph import adjoint_name
from derive.library.optimizers import OPTIMIZERS, Optimizer, parse_update
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from tests.library_support import (
    FLOATS,
    LOSS,
    ROWS,
    WEIGHTS,
    Use,
    as_arrays,
    fixed_use,
    operands,
    places,
    uses,
)

torch = pytest.importorskip("torch")
F = torch.nn.functional
TOLERANCE = 1e-9
SMALL = 1e-3
QUICKLY = {"xla_backend_optimization_level": "0", "xla_llvm_disable_expensive_passes": True}
EXAMPLES = 4
Operands = Any  # a namespace of tensors, by the row's own names
Reference = Callable[[Operands, Any], Any]


def over(axes: int, function: Callable[[Any], Any], x: Any) -> Any:
    """A function of PyTorch that takes one axis of samples, over any number of them."""
    lead = x.shape[: x.dim() - axes]
    y = function(x.reshape(-1, *x.shape[x.dim() - axes :]))
    return y.reshape((*lead, *y.shape[1:]))


def convolution(axes: int) -> Reference:
    function = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[axes]
    return lambda o, s: over(
        axes + 1,
        lambda x: function(x, o.K, o.b, s.stride, s.padding, s.dilation),
        o.x,
    )


def grouped_convolution(o: Operands, s: Any) -> Any:
    def layer(x: Any) -> Any:
        return F.conv2d(x, o.K, o.b, s.stride, s.padding, s.dilation, s.groups)

    return over(3, layer, o.x)


def depthwise_convolution(o: Operands, s: Any) -> Any:
    def layer(x: Any) -> Any:
        kernel = o.K.unsqueeze(1)
        return F.conv2d(x, kernel, o.b, s.stride, s.padding, s.dilation, groups=x.shape[1])

    return over(3, layer, o.x)


def transposed_convolution(axes: int) -> Reference:
    function = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[axes]
    return lambda o, s: over(axes + 1, lambda x: function(x, o.K, o.b, s.stride, s.padding), o.x)


def pooling(function: Callable[..., Any], axes: int) -> Reference:
    """Pooling wants an axis of channels; here it counts the samples."""
    return lambda o, s: over(axes, lambda x: function(x, s.window, s.stride), o.x)


def batch_norm(o: Operands, s: Any) -> Any:
    flat = o.x.reshape(-1, o.x.shape[-1])
    made = F.batch_norm(flat, None, None, o.gamma, o.beta, training=True, eps=s.eps)
    return made.reshape(o.x.shape)


def batch_norm_inference(o: Operands, s: Any) -> Any:
    """Written out, as PyTorch does not differentiate by a given mean; the values are PyTorch's."""
    written = (o.x - o.mean0) * torch.rsqrt(o.var0 + s.eps) * o.gamma + o.beta
    given = [each.detach() for each in (o.mean0, o.var0, o.gamma, o.beta)]
    layer = over(1, lambda x: F.batch_norm(x, *given, eps=s.eps), o.x.detach())
    torch.testing.assert_close(written, layer, check_stride=False)
    return written


def group_norm(o: Operands, s: Any) -> Any:
    return over(3, lambda x: F.group_norm(x, s.groups, o.gamma, o.beta, s.eps), o.x)


def added_around(size: int, reach: int, stride: int) -> tuple[int, int]:
    """What 'same' adds before and behind."""
    more = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
    return more // 2, more - more // 2


def same_convolution(axes: int) -> Reference:
    function = {1: F.conv1d, 2: F.conv2d}[axes]

    def layer(o: Operands, s: Any) -> Any:
        if s.stride == 1:
            return over(axes + 1, lambda x: function(x, o.K, o.b, 1, "same", s.dilation), o.x)
        sizes = [(o.x.shape[-k], s.dilation * (o.K.shape[-k] - 1) + 1) for k in range(1, axes + 1)]
        ends = [end for size, reach in sizes for end in added_around(size, reach, s.stride)]
        padded = F.pad(o.x, ends)
        return over(axes + 1, lambda x: function(x, o.K, o.b, s.stride, 0, s.dilation), padded)

    return layer


def same_pooling(axes: int, largest: bool) -> Reference:
    """Windows of what is there: of the largest -inf is added around, of the mean nothing counts."""

    def layer(o: Operands, s: Any) -> Any:
        around = [added_around(o.x.shape[-k], s.window, s.stride) for k in range(1, axes + 1)]
        ends = [end for both in around for end in both]

        def windows(x: Any, beyond: float) -> Any:
            x = F.pad(x, ends, value=beyond)
            for _ in range(axes):  # each unfolding puts its windows behind all axes
                x = x.unfold(-axes, s.window, s.stride)
            return x.flatten(-axes)

        if largest:
            return windows(o.x, -math.inf).amax(-1)
        return windows(o.x, 0.0).sum(-1) / windows(torch.ones_like(o.x), 0.0).sum(-1)

    return layer


def padded(mode: str, axes: int) -> Reference:
    return lambda o, s: over(axes, lambda x: F.pad(x, (s.padding,) * (2 * axes), mode), o.x)


def upsampled(axes: int) -> Reference:
    def one(o: Operands, s: Any) -> Any:
        def call(x: Any) -> Any:
            return F.interpolate(x[:, None], scale_factor=float(s.factor))[:, 0]

        return over(axes, call, o.x)

    return one


def sliding_window_attention(o: Operands, s: Any) -> Any:
    away = torch.arange(o.Q.shape[-2])[:, None] - torch.arange(o.K.shape[-2])
    return F.scaled_dot_product_attention(o.Q, o.K, o.V, attn_mask=(away >= 0) & (away < s.window))


def grouped_query_attention(o: Operands, s: Any) -> Any:
    return F.scaled_dot_product_attention(o.Q, o.K, o.V, enable_gqa=True)


def mixture_of_experts(o: Operands, s: Any) -> Any:
    scores = F.linear(o.x, o.G)
    best = scores.topk(min(s.top, len(o.G)), -1)
    shares = torch.zeros_like(scores).scatter(-1, best.indices, best.values.softmax(-1))
    outputs = torch.einsum("koi,...i->...ko", o.W, o.x) + o.b
    return (shares[..., None] * outputs).sum(-2)


def capsules(o: Operands, s: Any) -> Any:
    said = torch.einsum("ijed,...id->...ije", o.W, o.x)
    logits, sent = torch.zeros(said.shape[:-1], dtype=torch.float64), said[..., 0, :, :]
    for _ in range(s.rounds):
        whole = (logits.softmax(-1)[..., None] * said).sum(-3)
        length = torch.linalg.vector_norm(whole, dim=-1, keepdim=True)
        sent = length**2 / (1 + length**2) * F.normalize(whole, dim=-1)
        logits = logits + (said * sent[..., None, :, :]).sum(-1)
    return sent


def rope(o: Operands, s: Any) -> Any:
    """The halves of an entry as one complex number each, turned."""
    half = o.x.shape[-1] // 2
    speed = s.base ** (-torch.arange(half, dtype=torch.float64) / half)
    turns = torch.arange(o.x.shape[-2], dtype=torch.float64)[:, None] * speed
    turned = torch.complex(o.x[..., :half], o.x[..., half:]) * torch.polar(
        torch.ones_like(turns), turns
    )
    return torch.cat((turned.real, turned.imag), -1)


def sinusoidal_positions(o: Operands, s: Any) -> Any:
    half = o.x.shape[-1] // 2
    speed = s.base ** (-torch.arange(half, dtype=torch.float64) / half)
    turns = torch.arange(o.x.shape[-2], dtype=torch.float64)[:, None] * speed
    return o.x + torch.stack((turns.sin(), turns.cos()), -1).flatten(-2)


def alibi_attention(o: Operands, s: Any) -> Any:
    heads, queries, keys = o.Q.shape[-3], o.Q.shape[-2], o.K.shape[-2]
    slopes = 2.0 ** (-8 * torch.arange(1, heads + 1, dtype=torch.float64) / heads)
    away = torch.arange(keys) - torch.arange(queries)[:, None]
    bias = (slopes[:, None, None] * away).masked_fill(away > 0, -torch.inf)
    return F.scaled_dot_product_attention(o.Q, o.K, o.V, attn_mask=bias)


def causal_depthwise_conv1d(o: Operands, s: Any) -> Any:
    def one(x: Any) -> Any:
        padded = F.pad(x.mT, (o.K.shape[-1] - 1, 0))
        return F.conv1d(padded, o.K[:, None], o.b, groups=len(o.K)).mT

    return over(2, one, o.x)


def instance_norm(o: Operands, s: Any) -> Any:
    return over(3, lambda x: F.instance_norm(x, weight=o.gamma, bias=o.beta, eps=s.eps), o.x)


def recurrent(
    kind: type, gates: tuple[str, ...], states: tuple[str, ...], more: Mapping[str, str]
) -> Reference:
    """A recurrent module of PyTorch; `gates` in its order, `more` are biases of the state."""

    def layer(o: Operands, s: Any) -> Any:
        size = getattr(o, f"U{gates[0]}").shape[0]
        module = kind(o.x.shape[-1], size, batch_first=True, dtype=torch.float64)
        zero = torch.zeros(size, dtype=torch.float64)
        parts = {
            "weight_ih_l0": [getattr(o, f"W{gate}") for gate in gates],
            "weight_hh_l0": [getattr(o, f"U{gate}") for gate in gates],
            "bias_ih_l0": [getattr(o, f"b{gate}") for gate in gates],
            "bias_hh_l0": [getattr(o, more[gate]) if gate in more else zero for gate in gates],
        }
        parameters = {name: torch.cat(part) for name, part in parts.items()}
        first = tuple(getattr(o, state).reshape(1, -1, size) for state in states)
        start = first if len(first) > 1 else first[0]

        def call(x: Any) -> Any:
            return torch.func.functional_call(module, parameters, (x, start))[0]

        return over(2, call, o.x)

    return layer


def bidirectional(o: Operands, s: Any) -> Any:
    size = o.U.shape[0]
    module = torch.nn.RNN(
        o.x.shape[-1], size, batch_first=True, bidirectional=True, dtype=torch.float64
    )
    zero = torch.zeros(size, dtype=torch.float64)
    parameters = {
        **{"weight_ih_l0": o.W, "weight_hh_l0": o.U, "bias_ih_l0": o.b, "bias_hh_l0": zero},
        "weight_ih_l0_reverse": o.V,
        "weight_hh_l0_reverse": o.T,
        "bias_ih_l0_reverse": o.ba,
        "bias_hh_l0_reverse": zero,
    }
    start = torch.stack([o.f0.reshape(-1, size), o.a0.reshape(-1, size)])
    return over(2, lambda x: torch.func.functional_call(module, parameters, (x, start))[0], o.x)


def stepwise(step: Callable[..., tuple[Any, ...]], states: tuple[str, ...]) -> Reference:
    """A loop over time around one step, which returns the new states, the output first."""

    def layer(o: Operands, s: Any) -> Any:
        current, seen = tuple(getattr(o, state) for state in states), []
        for t in range(o.x.shape[-2]):
            current = step(o, o.x[..., t, :], *current)
            seen.append(current[0])
        return torch.stack(seen, -2)

    return layer


def gate(o: Operands, letter: str, x: Any, h: Any) -> Any:
    weights, states, bias = (getattr(o, f"{part}{letter}") for part in "WUb")
    return x @ weights.T + h @ states.T + bias


def gru_step(keeps: bool) -> Callable[..., tuple[Any, ...]]:
    """Reset before the matrix; z either keeps the state or takes the candidate."""

    def step(o: Operands, x: Any, h: Any) -> tuple[Any, ...]:
        z, r = (torch.sigmoid(gate(o, letter, x, h)) for letter in "zr")
        candidate = torch.tanh(gate(o, "c", x, r * h))
        return (torch.lerp(candidate, h, z) if keeps else torch.lerp(h, candidate, z),)

    return step


def peephole_step(o: Operands, x: Any, h: Any, c: Any) -> tuple[Any, ...]:
    admit = torch.sigmoid(gate(o, "i", x, h) + o.vi * c)
    forget = torch.sigmoid(gate(o, "f", x, h) + o.vf * c)
    cell = forget * c + admit * torch.tanh(gate(o, "c", x, h))
    return torch.sigmoid(gate(o, "o", x, h) + o.vo * cell) * torch.tanh(cell), cell


def multi_head(causal: bool) -> Reference:
    def layer(o: Operands, s: Any) -> Any:
        size, length = o.x.shape[-1], o.x.shape[-2]
        module = torch.nn.MultiheadAttention(size, s.heads, batch_first=True, dtype=torch.float64)
        parameters = {
            "in_proj_weight": torch.cat([o.Wq, o.Wk, o.Wv]),
            "in_proj_bias": torch.cat([o.bq, o.bk, o.bv]),
            "out_proj.weight": o.Wo,
            "out_proj.bias": o.bo,
        }
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
        how = {"attn_mask": hidden, "need_weights": False}

        def call(x: Any) -> Any:
            return torch.func.functional_call(module, parameters, (x, x, x), how)[0]

        return over(2, call, o.x)

    return layer


def encoder_block(first: bool) -> Reference:
    def layer(o: Operands, s: Any) -> Any:
        module = torch.nn.TransformerEncoderLayer(
            o.x.shape[-1], s.heads, o.W1.shape[0], 0.0, layer_norm_eps=s.eps, batch_first=True,
            norm_first=first, dtype=torch.float64,
        )  # fmt: skip
        parameters = {
            "self_attn.in_proj_weight": torch.cat([o.Wq, o.Wk, o.Wv]),
            "self_attn.in_proj_bias": torch.cat([o.bq, o.bk, o.bv]),
            **{"self_attn.out_proj.weight": o.Wo, "self_attn.out_proj.bias": o.bo},
            **{"linear1.weight": o.W1, "linear1.bias": o.b1},
            **{"linear2.weight": o.W2, "linear2.bias": o.b2},
            **{"norm1.weight": o.gamma1, "norm1.bias": o.beta1},
            **{"norm2.weight": o.gamma2, "norm2.bias": o.beta2},
        }
        return over(2, lambda x: torch.func.functional_call(module, parameters, (x,)), o.x)

    return layer


def additive_attention(o: Operands, s: Any) -> Any:
    query = (o.Q @ o.W.T).unsqueeze(-2)
    weights = torch.softmax(torch.tanh(query + o.K @ o.U.T) @ o.w, -1)
    return (weights.unsqueeze(-2) @ o.V).squeeze(-2)


def classes_last(function: Callable[..., Any], y: Any, label: Any) -> Any:
    """A loss of PyTorch over the classes, which are the last axis here."""
    return function(y.reshape(-1, y.shape[-1]), label.reshape(-1)).reshape(label.shape)


def each(function: Callable[..., Any], axis: Callable[..., Any] = lambda e: e) -> Reference:
    """A loss of PyTorch entry by entry, its entries put together by `axis`."""
    return lambda o, s: axis(function(o.y, o.t, reduction="none"))


def unreduced(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda y, label: function(y, label, reduction="none")


LINEAR: Mapping[str, Reference] = {
    "dense": lambda o, s: F.linear(o.x, o.W, o.b),
    "dense_shared_bias": lambda o, s: F.linear(o.x, o.W, o.b.expand(o.W.shape[0])),
    "dense_without_bias": lambda o, s: F.linear(o.x, o.W),
    "bilinear": lambda o, s: F.bilinear(o.x, o.z, o.W, o.b),
    "lora": lambda o, s: F.linear(o.x, o.W + s.scale * o.B @ o.A, o.b),
    "graph_conv": lambda o, s: o.A @ F.linear(o.x, o.W) + o.b,
    "rbf": lambda o, s: torch.exp(-(o.x[..., None, :] - o.c).square().sum(-1) / 2 / o.sigma**2),
    "embedding": lambda o, s: F.embedding(o.token, o.W),
    "scale_shift": lambda o, s: torch.addcmul(o.beta, o.gamma, o.x),
    "noised": lambda o, s: (
        torch.sqrt(o.share)[..., None] * o.x + torch.sqrt(1 - o.share)[..., None] * o.noise
    ),
    "add": lambda o, s: torch.add(o.x, o.z),
    "multiply": lambda o, s: torch.mul(o.x, o.z),
    "concatenate": lambda o, s: torch.cat([o.x, o.z], -1),
    "flatten": lambda o, s: torch.flatten(o.x, -2),
    "flatten3": lambda o, s: torch.flatten(o.x, -3),
    "reshape": lambda o, s: torch.unflatten(o.x, -1, (s.rows, -1)),
    "transpose": lambda o, s: torch.transpose(o.x, -2, -1),
    "dropout": lambda o, s: o.x * o.mask / s.keep,
    "mean_over": lambda o, s: o.x.mean(-1),
    "matmul": lambda o, s: o.A @ o.B,
    "trace": lambda o, s: torch.einsum("...ii", o.A),
    "det": lambda o, s: torch.linalg.det(o.A),
    "logdet": lambda o, s: torch.linalg.slogdet(o.A)[1],
    "solve": lambda o, s: torch.linalg.solve(o.A, o.b[..., None])[..., 0],
    "solve_many": lambda o, s: torch.linalg.solve(o.A, o.B),
    "inv": lambda o, s: torch.linalg.inv(o.A),
    "cholesky": lambda o, s: torch.linalg.cholesky(o.A.tril() + o.A.tril(-1).mT),
    "sum_over": lambda o, s: o.x.sum(-1),
}
SPATIAL: Mapping[str, Reference] = {
    "conv1d": convolution(1),
    "same_conv1d": same_convolution(1),
    "same_conv2d": same_convolution(2),
    "same_max_pool1d": same_pooling(1, largest=True),
    "same_max_pool2d": same_pooling(2, largest=True),
    "same_avg_pool1d": same_pooling(1, largest=False),
    "same_avg_pool2d": same_pooling(2, largest=False),
    "adaptive_avg_pool1d": lambda o, s: over(1, lambda x: F.adaptive_avg_pool1d(x, s.bins), o.x),
    "adaptive_avg_pool2d": lambda o, s: over(2, lambda x: F.adaptive_avg_pool2d(x, s.bins), o.x),
    "reflect_pad1d": padded("reflect", 1),
    "reflect_pad2d": padded("reflect", 2),
    "circular_pad1d": padded("circular", 1),
    "upsample_nearest1d": upsampled(1),
    "upsample_nearest2d": upsampled(2),
    "pixel_shuffle": lambda o, s: F.pixel_shuffle(o.x, s.factor),
    "pixel_unshuffle": lambda o, s: F.pixel_unshuffle(o.x, s.factor),
    "causal_depthwise_conv1d": causal_depthwise_conv1d,
    "conv2d": convolution(2),
    "conv3d": convolution(3),
    "grouped_conv2d": grouped_convolution,
    "depthwise_conv2d": depthwise_convolution,
    "conv_transpose1d": transposed_convolution(1),
    "conv_transpose2d": transposed_convolution(2),
    "max_pool1d": pooling(F.max_pool1d, 1),
    "max_pool2d": pooling(F.max_pool2d, 2),
    "avg_pool1d": pooling(F.avg_pool1d, 1),
    "avg_pool2d": pooling(F.avg_pool2d, 2),
    "global_avg_pool2d": lambda o, s: over(
        2, lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1).squeeze(-1), o.x
    ),
    "global_max_pool2d": lambda o, s: over(
        2, lambda x: F.adaptive_max_pool2d(x, 1).flatten(1).squeeze(-1), o.x
    ),
}
NORMALISATION: Mapping[str, Reference] = {
    "batch_norm": batch_norm,
    "batch_norm2d": lambda o, s: F.batch_norm(
        o.x, None, None, o.gamma, o.beta, training=True, eps=s.eps
    ),
    "batch_norm_inference": batch_norm_inference,
    "layer_norm": lambda o, s: F.layer_norm(o.x, o.gamma.shape, o.gamma, o.beta, s.eps),
    "rms_norm": lambda o, s: F.rms_norm(o.x, o.gamma.shape, o.gamma, s.eps),
    "group_norm": group_norm,
    "instance_norm": instance_norm,
}
RECURRENT: Mapping[str, Reference] = {
    "rnn": recurrent(torch.nn.RNN, ("",), ("h0",), {}),
    "gru": stepwise(gru_step(True), ("h0",)),
    "gru_take": stepwise(gru_step(False), ("h0",)),
    "gru_reset_after": recurrent(torch.nn.GRU, ("r", "z", "c"), ("h0",), {"c": "bu"}),
    "lstm": recurrent(torch.nn.LSTM, ("i", "f", "c", "o"), ("h0", "c0"), {}),
    "lstm_peephole": stepwise(peephole_step, ("h0", "c0")),
    "bidirectional_rnn": bidirectional,
}
ATTENTION: Mapping[str, Reference] = {
    "sliding_window_attention": sliding_window_attention,
    "grouped_query_attention": grouped_query_attention,
    "hopfield_update": lambda o, s: torch.softmax(s.beta * o.x @ o.M.T, -1) @ o.M,
    "mixture_of_experts": mixture_of_experts,
    "capsules": capsules,
    "attention": lambda o, s: F.scaled_dot_product_attention(o.Q, o.K, o.V),
    "alibi_attention": alibi_attention,
    "rope": rope,
    "sinusoidal_positions": sinusoidal_positions,
    "causal_attention": lambda o, s: F.scaled_dot_product_attention(o.Q, o.K, o.V, is_causal=True),
    "multi_head_attention": multi_head(causal=False),
    "causal_multi_head_attention": multi_head(causal=True),
    "additive_attention": additive_attention,
    "transformer_encoder_block": encoder_block(first=False),
    "transformer_encoder_block_prenorm": encoder_block(first=True),
}
ACTIVATION: Mapping[str, Reference] = {
    "identity": lambda o, s: torch.nn.Identity()(o.x) * 1,
    "logistic": lambda o, s: torch.sigmoid(o.x),
    "tanh": lambda o, s: torch.tanh(o.x),
    "relu": lambda o, s: F.relu(o.x),
    "softmax": lambda o, s: F.softmax(o.x, -1),
    "leaky_relu": lambda o, s: F.leaky_relu(o.x, s.slope),
    "elu": lambda o, s: F.elu(o.x, s.a),
    "selu": lambda o, s: F.selu(o.x),
    "softplus": lambda o, s: F.softplus(o.x),
    "softsign": lambda o, s: F.softsign(o.x),
    # F.hardsigmoid multiplies by 1/6 in single precision, which is off by 3e-8
    "hard_sigmoid": lambda o, s: F.relu6(o.x + 3) / 6,
    "hard_tanh": lambda o, s: F.hardtanh(o.x),
    "silu": lambda o, s: F.silu(o.x),
    "mish": lambda o, s: F.mish(o.x),
    "gelu": lambda o, s: F.gelu(o.x),
    "gelu_tanh": lambda o, s: F.gelu(o.x, approximate="tanh"),
    "log_softmax": lambda o, s: F.log_softmax(o.x, -1),
    "glu": lambda o, s: F.glu(o.x, -1),
    "swiglu": lambda o, s: F.silu(F.linear(o.x, o.W)) * F.linear(o.x, o.V),
    "maxout": lambda o, s: (torch.einsum("hri,...i->...hr", o.W, o.x) + o.b).amax(-1),
}


def ctc(o: Operands, s: Any) -> Any:
    lead, (length, classes), count = o.y.shape[:-2], o.y.shape[-2:], o.label.shape[-1]
    logs = F.log_softmax(o.y, -1).reshape(-1, length, classes).transpose(0, 1)
    samples = logs.shape[1]
    ends = (length,) * samples, (count,) * samples
    found = F.ctc_loss(logs, o.label.reshape(-1, count), *ends, reduction="none")
    return found.reshape(lead)


def crf(o: Operands, s: Any) -> Any:
    """All labellings, one by one."""
    length, classes = o.y.shape[-2:]

    def score(path: Any) -> Any:
        own = sum(o.y[..., t, path[t]] for t in range(length))
        return own + sum(o.A[path[t - 1], path[t]] for t in range(1, length))

    every = torch.stack([score(p) for p in product(range(classes), repeat=length)])
    labels = o.label.unsqueeze(-1)
    own = o.y.gather(-1, labels).squeeze(-1).sum(-1)
    own = own + o.A[o.label[..., :-1], o.label[..., 1:]].sum(-1)
    return every.logsumexp(0) - own


def ways(i: int, j: int) -> list[list[tuple[int, int]]]:
    """All warpings that lead from the first pair of places to this one."""
    if i < 0 or j < 0:
        return []
    before = [*ways(i - 1, j), *ways(i, j - 1), *ways(i - 1, j - 1)]
    return [[*way, (i, j)] for way in before] if (i, j) != (0, 0) else [[(0, 0)]]


def soft_dtw(o: Operands, s: Any) -> Any:
    costs = torch.cdist(o.y, o.t).square()
    every = [sum(costs[at] for at in way) for way in ways(len(o.y) - 1, len(o.t) - 1)]
    return -s.gamma * (-torch.stack(every) / s.gamma).logsumexp(0)


def mixture_density(o: Operands, s: Any) -> Any:
    parts = torch.distributions.Normal(o.y, o.var.sqrt())
    chosen = torch.distributions.Categorical(logits=o.logit)
    return -torch.distributions.MixtureSameFamily(chosen, parts).log_prob(o.t)


def cox(o: Operands, s: Any) -> Any:
    there = o.time.unsqueeze(0) >= o.time.unsqueeze(1)
    risks = torch.where(there, o.y.unsqueeze(0), -math.inf)
    return o.event * (risks.logsumexp(1) - o.y)


def ppo_clip(o: Operands, s: Any) -> Any:
    ratio = (o.y - o.old).exp()
    held = ratio.clamp(1 - s.epsilon, 1 + s.epsilon)
    return -torch.minimum(ratio * o.advantage, held * o.advantage)


def td_error(o: Operands, s: Any) -> Any:
    target = o.reward + s.discount * o.next.amax(-1)
    return (o.y.gather(-1, o.label.unsqueeze(-1)).squeeze(-1) - target).square() / 2


LOSSES: Mapping[str, Reference] = {
    "ctc": ctc,
    "crf": crf,
    "soft_dtw": soft_dtw,
    "mixture_density": mixture_density,
    "cox": cox,
    "ppo_clip": ppo_clip,
    "td_error": td_error,
    "half_squared_error": each(F.mse_loss, lambda e: e / 2),
    "mean_squared_error": each(F.mse_loss),
    "noise_prediction": lambda o, s: F.mse_loss(o.y, o.noise, reduction="none"),
    "binary_cross_entropy": each(F.binary_cross_entropy),
    "categorical_cross_entropy": lambda o, s: -(o.t * o.y.log()).sum(-1),
    "mean_absolute_error": each(F.l1_loss),
    "huber": lambda o, s: F.huber_loss(o.y, o.t, reduction="none", delta=s.delta),
    "log_cosh": lambda o, s: torch.log(torch.cosh(o.y - o.t)),
    "binary_cross_entropy_logits": each(F.binary_cross_entropy_with_logits),
    "categorical_cross_entropy_logits": lambda o, s: -(o.t * F.log_softmax(o.y, -1)).sum(-1),
    "label_cross_entropy": lambda o, s: classes_last(unreduced(F.nll_loss), o.y.log(), o.label),
    "label_cross_entropy_logits": lambda o, s: classes_last(
        unreduced(F.cross_entropy), o.y, o.label
    ),
    "negative_log_likelihood": lambda o, s: classes_last(unreduced(F.nll_loss), o.y, o.label),
    "kl_divergence": lambda o, s: F.kl_div(o.y.log(), o.t, reduction="none").sum(-1),
    "label_smoothing_cross_entropy": lambda o, s: (
        -(torch.lerp(o.t, torch.full_like(o.t, 1 / o.t.shape[-1]), s.epsilon) * o.y.log()).sum(-1)
    ),
    "hinge": lambda o, s: F.relu(1 - o.t * o.y),
    "squared_hinge": lambda o, s: F.relu(1 - o.t * o.y).square(),
    "triplet": lambda o, s: F.triplet_margin_loss(
        o.y, o.like, o.other, s.margin, eps=0, reduction="none"
    ),
    "info_nce": lambda o, s: F.cross_entropy(
        o.y @ o.partner.T / s.temperature, torch.arange(len(o.y)), reduction="none"
    ),
    "quantile": lambda o, s: torch.where(
        o.y > o.t, (1 - s.level) * (o.y - o.t), s.level * (o.t - o.y)
    ),
    "poisson": lambda o, s: F.poisson_nll_loss(o.y, o.t, reduction="none"),
    "negative_binomial": lambda o, s: (
        -torch.distributions.NegativeBinomial(
            o.r, logits=o.y - o.r.log(), validate_args=False
        ).log_prob(o.t)
    ),
    "gaussian": lambda o, s: F.gaussian_nll_loss(o.y, o.t, o.var, reduction="none"),
    "gaussian_kl": lambda o, s: torch.distributions.kl_divergence(
        torch.distributions.Normal(o.y, (o.logvar / 2).exp()),
        torch.distributions.Normal(torch.zeros_like(o.y), torch.ones_like(o.y)),
    ),
    "focal": lambda o, s: (
        -o.t * (1 - o.y) ** s.gamma * o.y.log() - (1 - o.t) * o.y**s.gamma * (1 - o.y).log()
    ),
    "dice": lambda o, s: (
        1 - (2 * (o.y * o.t).sum(-1) + s.smooth) / ((o.y + o.t).sum(-1) + s.smooth)
    ),
    "iou": lambda o, s: (
        1 - ((o.y * o.t).sum(-1) + s.smooth) / ((o.y + o.t - o.y * o.t).sum(-1) + s.smooth)
    ),
    "tversky": lambda o, s: (
        1
        - ((o.y * o.t).sum(-1) + s.smooth)
        / (
            torch.lerp(o.t, torch.ones_like(o.t), s.excess).mul(o.y).sum(-1)
            + s.missed * ((1 - o.y) * o.t).sum(-1)
            + s.smooth
        )
    ),
    "cosine": lambda o, s: 1 - F.cosine_similarity(o.y, o.t, -1),
    "l1_penalty": lambda o, s: o.y.abs(),
    "l2_penalty": lambda o, s: o.y.square(),
}
REFERENCES: Mapping[str, Reference] = {
    **LINEAR, **SPATIAL, **NORMALISATION, **RECURRENT, **ATTENTION, **ACTIVATION, **LOSSES,
}  # fmt: skip


def test_every_row_has_a_reference() -> None:
    assert set(REFERENCES) == set(ROWS)


def tensors(use: Use) -> dict[str, Any]:
    """The operands of a use by the row's own names; what is optional and not wired is a number."""
    found = {}
    for quantity in use.graph.given:
        kind = torch.int64 if quantity.integer else torch.float64
        tensor = torch.tensor(use.nested(quantity), dtype=kind)
        found[use.local(quantity)] = tensor.requires_grad_(quantity in use.real)
    for operand in operands(use.row):
        if operand.name not in found:
            shape = [use.sizes[letter] for letter in operand.letters]
            lead = use.extra if operand.open is not None else ()
            number = float(use.row.optional[operand.name])
            found[operand.name] = torch.full((*lead, *shape), number, dtype=torch.float64)
    return found


def plain_settings(use: Use) -> SimpleNamespace:
    """The settings as PyTorch takes them."""
    return SimpleNamespace(
        **{k: int(v) if v.denominator == 1 else float(v) for k, v in use.settings.items()}
    )


def worst(use: Use, values: Values, y: Any, gradients: Mapping[str, Any]) -> float:
    """The largest error of the output and of all gradients, against arrays of another library.

    It is relative, but absolute below `SMALL`: a derivative that is zero is a sum that cancels.
    """
    output = use.instance.output
    assert tuple(y.shape) == output.shape
    pairs = [(values[output.name, at], float(y[at])) for at in places(output)]
    for name, gradient in gradients.items():
        for at in places(use.graph.quantities[name]):
            pairs.append((values[adjoint_name(name), at], float(gradient[at])))
    assert all(map(math.isfinite, chain.from_iterable(pairs)))
    return max(abs(found - expected) / max(abs(expected), SMALL) for found, expected in pairs)


def derived_values(use: Use) -> Values:
    """What the derivation says: both passes in double precision."""
    return run(use.derivation.backward, run(use.graph, use.floats(), FLOATS), FLOATS)


def worst_against_torch(use: Use, reference: Reference) -> float:
    """The largest relative error of the output and of the gradients."""
    values = derived_values(use)
    operands_ = tensors(use)
    y = reference(SimpleNamespace(**operands_), plain_settings(use))
    (operands_[WEIGHTS] * y).sum().backward()
    moved = {quantity.name: operands_[use.local(quantity)] for quantity in use.real}
    gradients = {  # None of what the output does not depend on
        name: torch.zeros_like(x) if x.grad is None else x.grad for name, x in moved.items()
    }
    return worst(use, values, y.detach(), gradients)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("name", REFERENCES)
def test_a_row_is_the_layer_of_pytorch(name: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(uses(ROWS[name]))
    def agrees(use: Use) -> None:
        assert worst_against_torch(use, REFERENCES[name]) < TOLERANCE

    agrees()


WRONG = [
    ("dense", "+ b[h]", "+ 1.0005*b[h]"),
    ("conv1d", "stride*u + dilation*r", "stride*u + r*dilation + 1 - 1*stride"),
    ("max_pool1d", "max(r, ", "mean(r, "),
    ("layer_norm", "+ eps", "+ 1.01*eps"),
    ("gru", "(1 - z[...,t,k])*c", "(1 + z[...,t,k])*c"),
    ("rnn", "U[k,j]", "U[j,k]"),
    ("causal_attention", "r <= t", "t <= r"),
    ("huber", "delta/2", "delta"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong"), WRONG)
def test_a_wrong_row_is_caught(name: str, right: str, wrong: str) -> None:
    row = ROWS[name]
    assert right in row.equations
    changed = replace(row, equations=row.equations.replace(right, wrong))
    found = [replace(fixed_use(row, number), row=changed) for number in range(4)]
    assert max(worst_against_torch(use, REFERENCES[name]) for use in found) > TOLERANCE


@pytest.mark.parametrize("name", ["dense", "lstm", "attention"])
def test_a_wrong_gradient_is_caught(name: str) -> None:
    use = fixed_use(ROWS[name], 1)
    values = derived_values(use)
    y = np.array(use.nested(use.instance.output, values))
    gradients = {}
    for quantity in use.real:
        adjoint = replace(quantity, name=adjoint_name(quantity.name))
        gradients[quantity.name] = np.array(use.nested(adjoint, values))
    assert worst(use, values, y, gradients) == 0
    for name_, right in gradients.items():
        assert worst(use, values, y, {**gradients, name_: 1.0005 * right}) > TOLERANCE


def jax_functions(
    jnp: Any,
    erf: Callable[[Any], Any],
    gammaln: Callable[[Any], Any],
    still: Callable[[Any], Any],
) -> Mapping[str, Callable[..., Any]]:
    """The functions of the language on JAX's arrays."""
    plain = {name: getattr(jnp, name) for name in ("exp", "log", "tanh", "sin", "cos", "sign")}
    return {
        **plain,
        "abs": jnp.abs,
        "erf": erf,
        "logistic": lambda x: 1 / (1 + jnp.exp(-x)),
        "softplus": lambda x: jnp.logaddexp(x, 0),
        "max": jnp.maximum,
        "min": jnp.minimum,
        "greater": lambda a, b: jnp.asarray(a > b, dtype=float),
        "at_least": lambda a, b: jnp.asarray(a >= b, dtype=float),
        "where": lambda c, a, b: jnp.where(c == 1, a, b),
        "lgamma": gammaln,
        "stop_gradient": still,
    }


@pytest.mark.parametrize("name", ROWS)
def test_jax_finds_the_same_gradients(name: str) -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    use = fixed_use(ROWS[name], 1)
    jax.config.update("jax_enable_x64", True)
    functions = jax_functions(
        jnp, jax.scipy.special.erf, jax.scipy.special.gammaln, jax.lax.stop_gradient
    )
    fixed = {q.name: np.asarray(use.nested(q)) for q in use.graph.given}
    moving = {quantity.name: jnp.asarray(fixed[quantity.name]) for quantity in use.real}

    def loss(some: Mapping[str, Any]) -> tuple[Any, Any]:
        found = as_arrays(use.graph, {**fixed, **some}, jnp, functions)
        return found[LOSS], found[use.instance.output.name]

    gradients, y = jax.jit(jax.grad(loss, has_aux=True)).lower(moving).compile(QUICKLY)(moving)
    assert worst(use, derived_values(use), y, gradients) < TOLERANCE


O = torch.optim
Maker = Callable[[list[Any], float, Any], Any]
OPTIMIZER_REFERENCES: Mapping[str, Maker] = {
    "gradient_descent": lambda w, rate, s: O.SGD(w, rate),
    "weight_decay": lambda w, rate, s: O.SGD(w, rate, weight_decay=s.decay),
    "momentum": lambda w, rate, s: O.SGD(w, rate, momentum=s.mu),
    "momentum_with_rate": lambda w, rate, s: O.SGD(w, rate, momentum=s.mu),  # as the rate is fixed
    "nesterov": lambda w, rate, s: O.SGD(w, rate, momentum=s.mu, nesterov=True),
    "adagrad": lambda w, rate, s: O.Adagrad(w, rate, eps=s.eps),
    "rmsprop": lambda w, rate, s: O.RMSprop(w, rate, s.rho, s.eps),
    "adadelta": lambda w, rate, s: O.Adadelta(w, 1.0, s.rho, s.eps),
    "adam": lambda w, rate, s: O.Adam(w, rate, (s.beta1, s.beta2), s.eps),
    "adamw": lambda w, rate, s: O.AdamW(w, rate, (s.beta1, s.beta2), s.eps, s.decay),
    "adamax": lambda w, rate, s: O.Adamax(w, rate, (s.beta1, s.beta2), s.eps),
    "nadam": lambda w, rate, s: O.NAdam(w, rate, (s.beta1, s.beta2), s.eps, momentum_decay=s.fade),
    "radam": lambda w, rate, s: O.RAdam(w, rate, (s.beta1, s.beta2), s.eps),
}
# see test_library_by_hand and, for those that look at more than an entry, test_updates
NOT_THERE = {"adabelief", "lion", "lars", "lamb", "muon"}
EPS_ELSEWHERE = {"adamax": {"eps": Fraction(0)}}  # PyTorch adds it to each gradient, not to the max
ROUNDED = {"nadam": 1e-7}  # PyTorch keeps the product of the momenta in single precision
UPDATES = 6


def test_every_optimizer_has_a_reference() -> None:
    assert set(OPTIMIZER_REFERENCES) | NOT_THERE == set(OPTIMIZERS)


def stepper(row: Optimizer, chosen: Mapping[str, Fraction]) -> Callable[..., Any]:
    """One update as a function of w, g, alpha, k and the states."""
    update = parse_update(row, chosen)
    symbols = [sympy.Symbol(name, real=True) for name in ("w", "g", "alpha", "k", *row.states)]
    kinks = {
        "absolute": abs,
        "maximum": max,
        "greater": lambda a, b: a > b,
        "where": lambda test, yes, no: yes if test else no,
    }
    return sympy.lambdify(symbols, [update[name] for name in ("w", *row.states)], [kinks, "math"])


@pytest.mark.parametrize("name", OPTIMIZER_REFERENCES)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(-900, 900).filter(bool), min_size=UPDATES, max_size=UPDATES))
def test_an_optimizer_is_that_of_pytorch(name: str, slopes: list[int]) -> None:
    row = OPTIMIZERS[name]
    chosen = {**row.settings, **EPS_ELSEWHERE.get(name, {})}
    step, rate, start = stepper(row, chosen), 0.05, 0.7
    moved = torch.tensor([start], dtype=torch.float64, requires_grad=True)
    plain = SimpleNamespace(**{key: float(value) for key, value in chosen.items()})
    reference = OPTIMIZER_REFERENCES[name]([moved], rate, plain)
    w, states = start, [0.0] * len(row.states)
    for number, slope in enumerate(slopes, 1):
        moved.grad = torch.tensor([slope / 1013], dtype=torch.float64)
        reference.step()
        w, *states = step(w, slope / 1013, rate, number, *states)
        assert abs(w - float(moved.detach())) <= ROUNDED.get(name, TOLERANCE) * abs(w)
