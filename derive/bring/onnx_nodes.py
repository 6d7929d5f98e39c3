"""The operations of ONNX: each is a row of a table that says by which ones of ATen it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from derive.bring.operation import Argument, Operation, Ref, Unsayable, Value

ONE = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Exp": "exp", "Log": "log",
    "Sqrt": "sqrt", "Neg": "neg", "Abs": "abs", "Erf": "erf", "Sin": "sin", "Cos": "cos",
    "Sinh": "sinh", "Cosh": "cosh", "Atan": "atan", "Asin": "asin", "Acos": "acos",
    "Softplus": "softplus", "Softsign": "softsign", "Reciprocal": "reciprocal",
    "Floor": "floor", "Ceil": "ceil", "Sign": "sign", "Mish": "mish", "HardSwish": "hardswish",
    "Not": "logical_not", "Identity": "identity", "Cast": "identity", "Flatten": "flatten",
    "Reshape": "reshape", "Squeeze": "squeeze", "Unsqueeze": "unsqueeze", "Expand": "expand",
}  # fmt: skip
TWO = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Max": "maximum",
    "Min": "minimum", "Greater": "gt", "Less": "lt", "GreaterOrEqual": "ge", "LessOrEqual": "le",
    "Equal": "eq", "And": "logical_and", "Or": "logical_or", "MatMul": "matmul",
}  # fmt: skip
REDUCED = {"ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "amax", "ReduceMin": "amin",
           "ReduceL2": "norm", "ReduceLogSumExp": "logsumexp"}  # fmt: skip
LEAST = -1e30  # stands for minus infinity, where the exponential is 0
SELU = (1.6732632423543772, 1.0507009873554805)


@dataclass
class Node:
    """A node of the graph, and the operations that it becomes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Mapping[str, Any]
    values: dict[str, Value]
    constants: Mapping[str, Any]
    place: str
    module: str
    made: list[Operation] = field(default_factory=list)

    def ref(self, k: int) -> Ref | None:
        """An operand; None if it is left out."""
        name = self.inputs[k] if k < len(self.inputs) else ""
        return Ref(name) if name else None

    def operand(self, k: int) -> Argument:
        """An operand, as a number where it is a constant that is one."""
        name = self.inputs[k] if k < len(self.inputs) else ""
        held = self.constants.get(name)
        if held is not None and held.ndim == 0:
            return max(float(str(held)), LEAST)  # as short as its precision allows
        return Ref(name) if name else None

    def shape(self, k: int = 0) -> tuple[int, ...]:
        """The shape of an operand."""
        return self.values[self.inputs[k]].shape

    def out(self, k: int = 0) -> tuple[int, ...]:
        """The shape of a result."""
        return self.values[self.outputs[k]].shape

    def fixed(self, k: int, what: str) -> list[int]:
        """An operand that must be whole numbers of the file. Raises Unsayable."""
        name = self.inputs[k] if k < len(self.inputs) else ""
        held = self.constants.get(name)
        if held is None or held.size > 64:
            raise Unsayable(f"its {what} are computed, not fixed")
        return [int(each) for each in held.reshape(-1)]

    def wholes(self, name: str, count: int, usual: int) -> tuple[int, ...]:
        """A setting that is a list of whole numbers."""
        found = tuple(int(each) for each in self.settings.get(name, [usual] * count))
        if len(found) != count:
            raise Unsayable(f"its {name} are {len(found)} numbers, not {count}")
        return found

    def make(self, kind: str, outputs: Sequence[str] = (), /, **arguments: Argument) -> None:
        """An operation that makes the results of the node, or others."""
        given = {name: each for name, each in arguments.items() if each is not None}
        own = tuple(outputs) or tuple(each for each in self.outputs if each)
        self.made.append(Operation(kind, given, own, self.place, self.module))

    def between(self, kind: str, shape: Sequence[int], /, **arguments: Argument) -> Ref:
        """An operation on the way."""
        name = f"{self.outputs[0]}.{len(self.made)}"
        whole = self.values[self.inputs[0]].whole
        self.values[name] = Value(tuple(shape), whole)
        self.make(kind, (name,), **arguments)
        return Ref(name)


Row = Callable[[Node], None]


def _one(kind: str) -> Row:
    return lambda node: node.make(kind, self=node.ref(0))


def _two(kind: str) -> Row:
    def row(node: Node) -> None:
        if len(node.inputs) != 2:
            raise Unsayable("it has other operands than two")
        second = "exponent" if kind == "pow" else "other"
        first = node.ref(0) if kind == "matmul" else node.operand(0)
        other = node.ref(1) if kind == "matmul" else node.operand(1)
        node.make(kind, self=first, **{second: other})

    return row


def _setting(kind: str, **settings: tuple[str, Any]) -> Row:
    """An operation of one operand with settings: their names here, and what is usual."""

    def row(node: Node) -> None:
        held = {own: node.settings.get(name, usual) for own, (name, usual) in settings.items()}
        node.make(kind, self=node.ref(0), **held)

    return row


def _selu(node: Node) -> None:
    found = (node.settings.get("alpha", SELU[0]), node.settings.get("gamma", SELU[1]))
    if not all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(found, SELU, strict=True)):
        raise Unsayable("its alpha or gamma is another than usual")
    node.make("selu", self=node.ref(0))


def _clip(node: Node) -> None:
    low = node.settings.get("min", node.operand(1))
    high = node.settings.get("max", node.operand(2))
    node.make("clamp", self=node.ref(0), min=low, max=high)


def _where(node: Node) -> None:
    node.make("where", condition=node.ref(0), self=node.operand(1), other=node.operand(2))


def _gemm(node: Node) -> None:
    usual = {"alpha": 1, "beta": 1, "transA": 0}
    for name, value in usual.items():
        if node.settings.get(name, value) != value:
            raise Unsayable(f"its {name} is not {value}")
    if node.ref(2) and len(node.shape(2)) != 1:
        raise Unsayable("what it adds is no bias")
    if node.settings.get("transB", 0):
        node.make("linear", input=node.ref(0), weight=node.ref(1), bias=node.ref(2))
    else:
        node.make("keras.Dense", input=node.ref(0), kernel=node.ref(1), bias=node.ref(2))


def _pads(node: Node, n: int) -> tuple[tuple[int, ...], bool]:
    """The zeros before, and whether as many are behind."""
    if node.settings.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise Unsayable("its padding is left to be found (auto_pad)")
    pads = node.wholes("pads", 2 * n, 0)
    return pads[:n], pads[:n] == pads[n:]


def _conv(node: Node) -> None:
    n = len(node.shape()) - 2
    before, even = _pads(node, n)
    transposed = node.kind == "ConvTranspose"
    if transposed and (not even or any(node.wholes("output_padding", n, 0))):
        raise Unsayable("its padding is not the same on all sides")
    if transposed and "output_shape" in node.settings:
        raise Unsayable("its padding is to be found from its output_shape")
    node.make(
        f"conv_transpose{n}d" if transposed else f"conv{n}d",
        input=node.ref(0),
        weight=node.ref(1),
        bias=node.ref(2),
        stride=node.wholes("strides", n, 1),
        padding=before,
        uneven=not even,
        dilation=node.wholes("dilations", n, 1),
        groups=int(node.settings.get("group", 1)),
    )


def _pool(kind: str) -> Row:
    def row(node: Node) -> None:
        n = len(node.shape()) - 2
        before, even = _pads(node, n)
        if not even or len([each for each in node.outputs if each]) > 1:
            raise Unsayable("it pads its sides unlike, or gives places, too")
        included = bool(node.settings.get("count_include_pad", 0))
        node.make(
            f"{kind}_pool{n}d",
            self=node.ref(0),
            kernel_size=node.wholes("kernel_shape", n, 1),
            stride=node.wholes("strides", n, 1),
            padding=before,
            dilation=node.wholes("dilations", n, 1),
            ceil_mode=bool(node.settings.get("ceil_mode", 0)),
            count_include_pad=included if kind == "avg" else None,
        )

    return row


def _over_all(kind: str) -> Row:
    return lambda node: node.make(kind, self=node.ref(0), dim=tuple(range(2, len(node.shape()))))


def _batch_norm(node: Node) -> None:
    if node.settings.get("training_mode", 0):
        raise Unsayable("it keeps statistics while it is trained; export the model in eval()")
    eps = float(node.settings.get("epsilon", 1e-5))
    node.make(
        "batch_norm", node.outputs[:1], input=node.ref(0), weight=node.ref(1), bias=node.ref(2),
        running_mean=node.ref(3), running_var=node.ref(4), eps=_short(eps),
    )  # fmt: skip


def _short(value: float) -> float:
    """A setting in single precision as it was meant."""
    return float(f"{value:.7g}")


def _layer_norm(node: Node) -> None:
    axis = int(node.settings.get("axis", -1)) % len(node.shape())
    eps = _short(float(node.settings.get("epsilon", 1e-5)))
    own = {"input": node.ref(0), "weight": node.ref(1), "bias": node.ref(2), "eps": eps}
    node.make("layer_norm", node.outputs[:1], normalized_shape=node.shape()[axis:], **own)


def _instance_norm(node: Node) -> None:
    eps = _short(float(node.settings.get("epsilon", 1e-5)))
    own = {"input": node.ref(0), "weight": node.ref(1), "bias": node.ref(2), "eps": eps}
    node.make("instance_norm", **own)


def _permute(node: Node) -> None:
    count = len(node.shape())
    dims = node.wholes("perm", count, 0) if "perm" in node.settings else range(count - 1, -1, -1)
    node.make("permute", self=node.ref(0), dims=tuple(dims))


def _concat(node: Node) -> None:
    tensors = tuple(Ref(name) for name in node.inputs)
    node.make("cat", tensors=tensors, dim=int(node.settings["axis"]))


def _split(node: Node) -> None:
    node.make("split", self=node.ref(0), dim=int(node.settings.get("axis", 0)))


def _slice(node: Node) -> None:
    starts, ends = node.fixed(1, "starts"), node.fixed(2, "ends")
    axes = node.fixed(3, "axes") if node.ref(3) else list(range(len(starts)))
    steps = node.fixed(4, "steps") if node.ref(4) else [1] * len(starts)
    if min(steps) < 1:
        raise Unsayable("it goes backwards")
    source, shape = node.ref(0), list(node.shape())
    for k, (start, end, axis, step) in enumerate(zip(starts, ends, axes, steps, strict=True)):
        size = shape[axis]
        low, high = (max(0, min(n + size if n < 0 else n, size)) for n in (start, end))
        shape[axis] = max(0, -(-(high - low) // step))
        own = {"self": source, "dim": axis, "start": low, "step": step}
        if k == len(starts) - 1:
            node.make("slice", **own)
        else:
            source = node.between("slice", shape, **own)


def _gather(node: Node) -> None:
    axis, held = int(node.settings.get("axis", 0)), node.constants.get(node.inputs[1])
    if held is not None and held.ndim == 0:
        node.make("select", self=node.ref(0), dim=axis, index=int(held))
    elif axis == 0 and len(node.shape()) == 2 and not node.values[node.inputs[0]].whole:
        node.make("embedding", weight=node.ref(0), indices=node.ref(1))
    else:
        node.make("index_select", self=node.ref(0), dim=axis, index=node.ref(1))


def _reduced(kind: str) -> Row:
    def row(node: Node) -> None:
        axes = node.settings.get("axes")
        if axes is None and node.ref(1):
            axes = node.fixed(1, "axes")
        dim = tuple(int(each) for each in axes) if axes is not None else ()
        node.make(kind, self=node.ref(0), dim=dim)

    return row


def _pad(node: Node) -> None:
    if node.ref(3):
        raise Unsayable("its axes are chosen")
    value = node.operand(2) if node.ref(2) else 0
    pads, n = node.fixed(1, "pads"), len(node.shape())
    pairs = [(pads[k], pads[n + k]) for k in range(n)]
    while pairs and pairs[0] == (0, 0):
        pairs.pop(0)
    flat = tuple(each for pair in reversed(pairs) for each in pair)
    mode = str(node.settings.get("mode", "constant"))
    node.make("pad", self=node.ref(0), pad=flat, mode=mode, value=value)


def _nothing(node: Node) -> None:
    node.make("identity", node.outputs[:1], self=node.ref(0))


def _recurrent(node: Node) -> None:
    """One direction; the weights of the gates lie row by row, those of the input apart."""
    s, kind = node.settings, node.kind
    if s.get("direction", "forward") != "forward" or s.get("layout", 0) or node.ref(7):
        raise Unsayable("it runs backward, with samples first, or with gates that see the cell")
    names = [
        each.decode() if isinstance(each, bytes) else each for each in s.get("activations", [])
    ]
    usual = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
    if names not in ([], usual[kind]) or "clip" in s or s.get("input_forget", 0):
        raise Unsayable("its activations are others than usual, or it cuts or couples gates")
    after = kind == "GRU" and bool(s.get("linear_before_reset", 0))
    cell = {"LSTM": "ONNX LSTM", "RNN": "SimpleRNN", "GRU": "GRU" if after else "GRU before"}[kind]
    parts = [
        node.between("select", node.shape(k)[1:], self=node.ref(k), dim=0, index=0) for k in (1, 2)
    ]
    biases: tuple[Argument, ...] = ()
    if node.ref(3):
        whole = node.between("select", node.shape(3)[1:], self=node.ref(3), dim=0, index=0)
        half = node.shape(3)[1] // 2
        biases = tuple(
            node.between("slice", (half,), self=whole, dim=0, start=start) for start in (0, half)
        )
    steps, _, samples, units = node.out()
    states = tuple(each for each in (node.ref(5), node.ref(6)) if each)
    ends = [each for each in node.outputs[1:] if each]
    made = f"{node.outputs[0]}.steps"
    node.values[made] = Value((steps, samples, units))
    results = (made, *ends)
    node.make(
        "keras.Recurrent", results, input=node.ref(0), kernel=parts[0], recurrent=parts[1],
        biases=biases, cell=cell, by_rows=True, hx=states,
    )  # fmt: skip
    node.make("unsqueeze", node.outputs[:1], self=Ref(made))


NODES: Mapping[str, Row] = {
    **{name: _one(kind) for name, kind in ONE.items()},
    **{name: _two(kind) for name, kind in TWO.items()},
    **{name: _reduced(kind) for name, kind in REDUCED.items()},
    "LeakyRelu": _setting("leaky_relu", negative_slope=("alpha", 0.01)),
    "Elu": _setting("elu", alpha=("alpha", 1.0)),
    "Gelu": _setting("gelu", approximate=("approximate", "none")),
    "Softmax": _setting("softmax", dim=("axis", -1)),
    "LogSoftmax": _setting("log_softmax", dim=("axis", -1)),
    "Selu": _selu,
    "Clip": _clip,
    "Where": _where,
    "Gemm": _gemm,
    **dict.fromkeys(("Conv", "ConvTranspose"), _conv),
    "MaxPool": _pool("max"),
    "AveragePool": _pool("avg"),
    "GlobalAveragePool": _over_all("mean"),
    "GlobalMaxPool": _over_all("amax"),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "InstanceNormalization": _instance_norm,
    "Transpose": _permute,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "Pad": _pad,
    "Dropout": _nothing,
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
}
