"""Archives as `torch.export.save` writes them, made without PyTorch."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

FLOAT, LONG = 7, 5


def meta(shape: Sequence[int], dtype: int = FLOAT) -> dict[str, Any]:
    strides, step = [], 1
    for size in reversed(shape):
        strides.insert(0, {"as_int": step})
        step *= size
    sizes = [{"as_int": size} for size in shape]
    start = {"as_int": 0}
    return {"dtype": dtype, "sizes": sizes, "strides": strides, "storage_offset": start}


def node(kind: str, made: str, **arguments: Any) -> dict[str, Any]:
    """A node of a graph; a text that begins with `%` names a value."""
    return {
        "target": kind if "." in kind else f"torch.ops.aten.{kind}.default",
        "name": made,
        "inputs": [{"name": name, "arg": _arg(each)} for name, each in arguments.items()],
        "outputs": [{"as_tensor": {"name": made}}],
        "metadata": {"stack_trace": f'File "/home/me/net.py", line 7, in forward\n    {made}'},
    }


def _arg(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"as_tensor": {"name": value[1:]}} if value[:1] == "%" else {"as_string": value}
    if isinstance(value, list):
        return {"as_ints": value}
    return {"as_float" if isinstance(value, float) else "as_int": value}


def archive(
    nodes: Sequence[dict[str, Any]],
    shapes: Mapping[str, Any],
    inputs: Sequence[str],
    weights: Mapping[str, Sequence[float]],
    outputs: Sequence[str],
    **changed: Any,
) -> bytes:
    """The bytes of an archive; a weight `%fc.w` is the value `fc.w` of the graph, too."""
    values = {k: v if isinstance(v, dict) else meta(v) for k, v in shapes.items()}
    specs = [{"parameter": {"arg": {"name": name}, "parameter_name": name}} for name in weights] + [
        {"user_input": {"arg": {"as_tensor": {"name": name}}}} for name in inputs
    ]
    ends = [{"user_output": {"arg": {"as_tensor": {"name": name}}}} for name in outputs]
    graph = {
        "nodes": list(nodes),
        "tensor_values": values,
        "sym_int_values": {},
        "sym_bool_values": {},
    }
    model = {
        "schema_version": {"major": 8, "minor": 0},
        "graph_module": {
            "graph": graph,
            "signature": {"input_specs": specs, "output_specs": ends},
        },
        **changed,
    }
    payloads = {
        name: {"path_name": f"weight_{k}", "use_pickle": False, "tensor_meta": values[name]}
        for k, name in enumerate(weights)
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("m/models/model.json", json.dumps(model))
        file.writestr("m/data/weights/model_weights_config.json", json.dumps({"config": payloads}))
        for k, numbers in enumerate(weights.values()):
            file.writestr(f"m/data/weights/weight_{k}", struct.pack(f"<{len(numbers)}f", *numbers))
    return held.getvalue()


DENSE = node("linear", "linear", input="%x", weight="%fc.weight", bias="%fc.bias")
SHAPES = {"x": [2, 3], "fc.weight": [2, 3], "fc.bias": [2], "linear": [2, 2], "y": [2, 2]}
WEIGHTS = {"fc.weight": [0.1, 0.2, 0.3, -0.5, 1e-8, 3], "fc.bias": [0, 1]}


def small(*nodes: dict[str, Any], **changed: Any) -> bytes:
    """A dense layer, and what is done to its result to make `y`."""
    return archive([DENSE, *nodes], SHAPES, ["x"], WEIGHTS, ["y"], **changed)
