"""The layers of Keras: each is a row of a table that says by which operations it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from derive.bring.operation import Argument, Given, Operation, Ref, Unsayable, Value
from derive.errors import InputError
from derive.graph import Role

ACTIVATIONS = {
    **{name: name for name in ("relu", "tanh", "sigmoid", "softplus", "softsign", "selu", "elu")},
    **{name: name for name in ("gelu", "silu", "mish", "log_softmax", "softmax", "relu6")},
    "swish": "silu",
    "exponential": "exp",
    "leaky_relu": "leaky_relu",
    "hard_sigmoid": "hardsigmoid",
}
IN_TRAINING = (
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D"),
    *("GaussianDropout", "GaussianNoise"),
)
MERGED = {"Add": "add", "Multiply": "mul", "Subtract": "sub", "Maximum": "maximum",
          "Minimum": "minimum"}  # fmt: skip


@dataclass
class Built:
    """A model while it is read, layer by layer."""

    samples: int
    given: dict[str, Given] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    opened: bool = False

    def input(self, name: str, shape: Sequence[Any], whole: bool) -> str:
        """An input of the model; where its size is left open on the first axis, it is chosen."""
        if shape and shape[0] is None:
            self.opened = True
        sizes = [self.samples if k == 0 and n is None else n for k, n in enumerate(shape)]
        if not all(isinstance(n, int) and n > 0 for n in sizes):
            words = "is left open on an axis that is not the first one; say it in the model"
            raise InputError(f"the size of the input '{name}' {words}")
        self.given[name] = Given(name, Role.INPUT)
        self.values[name] = Value(tuple(sizes), whole)
        return name


@dataclass(frozen=True)
class Layer:
    """A layer: its settings, and what it reads."""

    built: Built
    kind: str
    name: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    place: str

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what it reads first."""
        return self.built.values[self.inputs[0]].shape

    def weight(
        self, called: str, shape: Sequence[int], role: Role = Role.PARAMETER, if_: str = ""
    ) -> Ref | None:
        """A weight of the layer, if its settings ask for it."""
        if if_ and not self.config.get(if_, True):
            return None
        name = f"{self.name}/{called}"
        self.built.given[name] = Given(name, role)
        self.built.values[name] = Value(tuple(shape))
        return Ref(name)

    def make(
        self, kind: str, shape: Sequence[int], part: str = "", /, **arguments: Argument
    ) -> str:
        """The result of an operation."""
        result = f"{self.name}.{part or kind.rpartition('.')[2]}"
        while result in self.built.values:
            result += "_"
        self.built.values[result] = Value(tuple(shape))
        given = {name: each for name, each in arguments.items() if each is not None}
        self.built.operations.append(Operation(kind, given, (result,), self.place, self.name))
        return result

    def activated(self, value: str) -> str:
        """A value after the activation that the settings name."""
        return self.by(self.config.get("activation"), value)

    def by(self, activation: Any, value: str) -> str:
        """A value after an activation."""
        if activation in (None, "linear"):
            return value
        if not isinstance(activation, str) or activation not in ACTIVATIONS:
            raise Unsayable(f"its activation {activation!s:.40} is not known here")
        kind, shape = ACTIVATIONS[activation], self.built.values[value].shape
        slope = 0.2 if kind == "leaky_relu" else None
        return self.make(kind, shape, activation, self=Ref(value), negative_slope=slope)

    def expect(self, **usual: Any) -> None:
        """Refuse settings that differ from those that can be said. Raises Unsayable."""
        for name, value in usual.items():
            if self.config.get(name, value) not in (value, None):
                raise Unsayable(f"its setting {name} is {self.config[name]!s:.40}, not {value}")

    def numbers(self, name: str, count: int, usual: int) -> tuple[int, ...]:
        """A setting of so many whole numbers; one stands for all."""
        found = self.config.get(name)
        found = usual if found is None else found
        held = [found] * count if isinstance(found, int) else list(found)
        if len(held) != count or not all(isinstance(n, int) and n > 0 for n in held):
            raise Unsayable(f"its setting {name} is {found!s:.40}")
        return tuple(held)


def _dense(layer: Layer) -> str:
    units, shape = int(layer.config["units"]), layer.shape
    kernel = layer.weight("kernel", (shape[-1], units))
    bias = layer.weight("bias", (units,), if_="use_bias")
    made = layer.make(
        "keras.Dense",
        (*shape[:-1], units),
        "net",
        input=Ref(layer.inputs[0]),
        kernel=kernel,
        bias=bias,
    )
    return layer.activated(made)


def _windows(
    layer: Layer, sizes: Sequence[int], strides: Sequence[int], reach: Sequence[int]
) -> tuple[list[int], list[int], bool]:
    """The sizes of the result, the zeros before, and whether any are added."""
    padding = layer.config.get("padding", "valid")
    layer.expect(data_format="channels_last")
    if padding == "valid":
        return (
            [(n - r) // s + 1 for n, r, s in zip(sizes, reach, strides, strict=True)],
            [0] * len(sizes),
            False,
        )
    if padding == "causal":
        return list(sizes), [r - 1 for r in reach], True
    out = [-(-n // s) for n, s in zip(sizes, strides, strict=True)]
    added = [
        max((m - 1) * s + r - n, 0) for m, s, r, n in zip(out, strides, reach, sizes, strict=True)
    ]
    return out, [a // 2 for a in added], any(added)


def _convolution(n: int, depthwise: bool = False) -> Callable[[Layer], str]:
    def row(layer: Layer) -> str:
        layer.expect(groups=1)
        kernel, strides = layer.numbers("kernel_size", n, 1), layer.numbers("strides", n, 1)
        dilation = layer.numbers("dilation_rate", n, 1)
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        out, before, _ = _windows(layer, layer.shape[1:-1], strides, reach)
        channels = layer.shape[-1]
        if depthwise:
            per = int(layer.config.get("depth_multiplier", 1))
            filters, held = channels * per, (*kernel, channels, per)
        else:
            filters = int(layer.config["filters"])
            held = (*kernel, channels, filters)
        made = layer.make(
            "keras.DepthwiseConv" if depthwise else "keras.Conv",
            (layer.shape[0], *out, filters),
            "net",
            input=Ref(layer.inputs[0]),
            kernel=layer.weight("kernel", held),
            bias=layer.weight("bias", (filters,), if_="use_bias"),
            stride=strides,
            dilation=dilation,
            before=tuple(before),
        )
        return layer.activated(made)

    return row


def _pooling(kind: str, n: int) -> Callable[[Layer], str]:
    def row(layer: Layer) -> str:
        window = layer.numbers("pool_size", n, 2)
        strides = layer.numbers("strides", n, 0) if layer.config.get("strides") else window
        out, before, padded = _windows(layer, layer.shape[1:-1], strides, window)
        return layer.make(
            f"keras.{kind}Pooling",
            (layer.shape[0], *out, layer.shape[-1]),
            input=Ref(layer.inputs[0]),
            window=window,
            stride=strides,
            before=tuple(before),
            padded=padded,
        )

    return row


def _over_all(function: str) -> Callable[[Layer], str]:
    def row(layer: Layer) -> str:
        layer.expect(data_format="channels_last")
        axes, kept = tuple(range(1, len(layer.shape) - 1)), bool(layer.config.get("keepdims"))
        inner = [1] * len(axes) if kept else []
        shape = (layer.shape[0], *inner, layer.shape[-1])
        return layer.make(function, shape, self=Ref(layer.inputs[0]), dim=axes)

    return row


def _batch_norm(layer: Layer) -> str:
    axis = layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, len(layer.shape) - 1):
        raise Unsayable("it normalises along another axis than the last")
    shape = (layer.shape[-1],)
    layer.built.notes.append(f"{layer.place} normalises by its moving mean and variance")
    return layer.make(
        "keras.BatchNormalization",
        layer.shape,
        input=Ref(layer.inputs[0]),
        weight=layer.weight("gamma", shape, if_="scale"),
        bias=layer.weight("beta", shape, if_="center"),
        mean=layer.weight("moving_mean", shape, Role.CONSTANT),
        variance=layer.weight("moving_variance", shape, Role.CONSTANT),
        eps=float(layer.config.get("epsilon", 1e-3)),
    )


def _layer_norm(layer: Layer) -> str:
    axis = layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, len(layer.shape) - 1):
        raise Unsayable("it normalises along another axis than the last")
    layer.expect(rms_scaling=False)
    shape = (layer.shape[-1],)
    return layer.make(
        "layer_norm",
        layer.shape,
        input=Ref(layer.inputs[0]),
        normalized_shape=shape,
        weight=layer.weight("gamma", shape, if_="scale"),
        bias=layer.weight("beta", shape, if_="center"),
        eps=float(layer.config.get("epsilon", 1e-3)),
    )


def _recurrent(layer: Layer) -> str:
    units, (samples, steps, width) = int(layer.config["units"]), layer.shape
    gates = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[layer.kind]
    layer.expect(activation="tanh", return_state=False, go_backwards=False, stateful=False)
    if layer.kind != "SimpleRNN":
        layer.expect(recurrent_activation="sigmoid")
    before = layer.kind == "GRU" and not layer.config.get("reset_after", True)
    twice = layer.kind == "GRU" and not before
    kernel = layer.weight("kernel", (width, gates * units))
    recurrent = layer.weight("recurrent_kernel", (units, gates * units))
    held = (2, gates * units) if twice else (gates * units,)
    bias = layer.weight("bias", held, if_="use_bias")
    biases: tuple[Argument, ...] = () if bias is None else (bias,)
    if bias is not None and twice:
        parts = (("of_input", 0), ("of_state", 1))
        biases = tuple(
            Ref(layer.make("select", held[1:], f"bias_{part}", self=bias, dim=0, index=k))
            for part, k in parts
        )
    made = layer.make(
        "keras.Recurrent",
        (samples, steps, units),
        "steps",
        input=Ref(layer.inputs[0]),
        kernel=kernel,
        recurrent=recurrent,
        biases=biases,
        cell="GRU before" if before else layer.kind,
    )
    if layer.config.get("return_sequences"):
        return made
    return layer.make("select", (samples, units), "last", self=Ref(made), dim=1, index=-1)


def _embedding(layer: Layer) -> str:
    layer.expect(mask_zero=False)
    size, width = int(layer.config["input_dim"]), int(layer.config["output_dim"])
    weight = layer.weight("embeddings", (size, width))
    return layer.make(
        "embedding", (*layer.shape, width), weight=weight, indices=Ref(layer.inputs[0])
    )


def _flatten(layer: Layer) -> str:
    shape = (layer.shape[0], math.prod(layer.shape[1:]))
    return layer.make("flatten", shape, self=Ref(layer.inputs[0]))


def _reshape(layer: Layer) -> str:
    target, count = [int(n) for n in layer.config["target_shape"]], math.prod(layer.shape[1:])
    known = math.prod(n for n in target if n != -1)
    shape = [count // known if n == -1 else n for n in target]
    if math.prod(shape) != count:
        raise Unsayable(f"{count} entries do not make the shape {shape}")
    return layer.make("reshape", (layer.shape[0], *shape), self=Ref(layer.inputs[0]))


def _permute(layer: Layer) -> str:
    dims = (0, *(int(k) for k in layer.config["dims"]))
    shape = [layer.shape[k] for k in dims]
    return layer.make("permute", shape, self=Ref(layer.inputs[0]), dims=dims)


def _nothing(layer: Layer) -> str:
    layer.built.notes.append(f"{layer.place} ({layer.kind}) does nothing outside of training")
    return layer.inputs[0]


def _merged(layer: Layer) -> str:
    made, kind = layer.inputs[0], MERGED[layer.kind]
    for k, other in enumerate(layer.inputs[1:]):
        shapes = [layer.built.values[each].shape for each in (made, other)]
        if shapes[0] != shapes[1]:
            raise Unsayable("its inputs have different shapes")
        made = layer.make(kind, shapes[0], f"part{k}", self=Ref(made), other=Ref(other))
    return made


def _average(layer: Layer) -> str:
    total, count = layer.inputs[0], len(layer.inputs)
    for other in layer.inputs[1:]:
        total = layer.make("add", layer.shape, "sum", self=Ref(total), other=Ref(other))
    return layer.make("div", layer.shape, self=Ref(total), other=count)


def _concatenate(layer: Layer) -> str:
    shapes = [layer.built.values[each].shape for each in layer.inputs]
    axis = int(layer.config.get("axis", -1)) % len(shapes[0])
    shape = list(shapes[0])
    shape[axis] = sum(each[axis] for each in shapes)
    return layer.make("cat", shape, tensors=tuple(map(Ref, layer.inputs)), dim=axis)


def _zeros_around(layer: Layer) -> str:
    layer.expect(data_format="channels_last")
    found: Any = layer.config.get("padding", 1)
    held: list[Any] = [found] * (len(layer.shape) - 2) if isinstance(found, int) else list(found)
    pairs = [[p, p] if isinstance(p, int) else list(p) for p in held]
    if len(layer.shape) == 3 and len(pairs) == 2:  # of one axis: before and behind
        pairs = [[pairs[0][0], pairs[1][0]]]
    shape = [n + sum(p) for n, p in zip(layer.shape[1:-1], pairs, strict=True)]
    pad = (0, 0, *(n for p in reversed(pairs) for n in p))
    full = (layer.shape[0], *shape, layer.shape[-1])
    return layer.make("pad", full, self=Ref(layer.inputs[0]), pad=pad)


def _upsampled(layer: Layer) -> str:
    layer.expect(data_format="channels_last", interpolation="nearest")
    factors = layer.numbers("size", len(layer.shape) - 2, 2)
    shape = [n * k for n, k in zip(layer.shape[1:-1], factors, strict=True)]
    full = (layer.shape[0], *shape, layer.shape[-1])
    return layer.make("keras.UpSampling", full, input=Ref(layer.inputs[0]), factors=factors)


def _leaky(layer: Layer) -> str:
    slope = float(layer.config.get("negative_slope", layer.config.get("alpha", 0.3)))
    return layer.make("leaky_relu", layer.shape, self=Ref(layer.inputs[0]), negative_slope=slope)


def _relu(layer: Layer) -> str:
    layer.expect(max_value=None, negative_slope=0.0, threshold=0.0)
    return layer.by("relu", layer.inputs[0])


def _elu(layer: Layer) -> str:
    alpha = float(layer.config.get("alpha", 1))
    return layer.make("elu", layer.shape, self=Ref(layer.inputs[0]), alpha=alpha)


def _rescaled(layer: Layer) -> str:
    scale, offset = float(layer.config["scale"]), float(layer.config.get("offset", 0))
    source = Ref(layer.inputs[0])
    return layer.make("keras.Rescaling", layer.shape, input=source, scale=scale, offset=offset)


LAYERS: Mapping[str, Callable[[Layer], str]] = {
    "Dense": _dense,
    **{f"Conv{n}D": _convolution(n) for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": _convolution(n, depthwise=True) for n in (1, 2)},
    **{f"MaxPooling{n}D": _pooling("Max", n) for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": _pooling("Average", n) for n in (1, 2, 3)},
    **{f"GlobalAveragePooling{n}D": _over_all("mean") for n in (1, 2, 3)},
    **{f"GlobalMaxPooling{n}D": _over_all("amax") for n in (1, 2, 3)},
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    "Embedding": _embedding,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    **dict.fromkeys(MERGED, _merged),
    "Average": _average,
    "Concatenate": _concatenate,
    **{f"ZeroPadding{n}D": _zeros_around for n in (1, 2)},
    **{f"UpSampling{n}D": _upsampled for n in (1, 2)},
    "Activation": lambda layer: layer.activated(layer.inputs[0]),
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "Softmax": lambda layer: layer.by("softmax", layer.inputs[0]),
    "Rescaling": _rescaled,
    **dict.fromkeys(IN_TRAINING, _nothing),
}
