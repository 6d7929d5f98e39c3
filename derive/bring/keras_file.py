"""A model in the JSON of Keras (`model.to_json()`), or the same within a .keras file.

No code of a file is run: what is no layer of Keras is refused. The weights of Keras lie in HDF5
files, which are not read here, so a spec has their shapes.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from derive.bring.damage import damage
from derive.bring.keras_layers import LAYERS, Built, Layer
from derive.bring.operation import REFUSED, Argument, Operation, Ref, Traced, Unsayable, Value
from derive.errors import InputError, printable, shown

SAMPLES = 2  # where Keras leaves open how many there are
MOST_JSON = 32 * 2**20
CONFIG = "config.json"
KINDS = ("Sequential", "Functional", "Model")
NO_WEIGHTS = "the weights of Keras lie in another file, and are given by their shapes here"


def read_keras(data: bytes, what: str, title: str) -> Traced:
    """The model in the bytes of a file. Raises InputError."""
    model = _json(data, what)
    try:
        return _traced(model, what, title)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        words = f"{what} is no model of Keras as `model.to_json()` writes it: {damage(error)}"
        raise InputError(words) from None


def _json(data: bytes, what: str) -> Any:
    if data[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(CONFIG) as stream:
                data = stream.read(MOST_JSON + 1)
        except (zipfile.BadZipFile, KeyError, OSError, EOFError, RuntimeError, ValueError):
            raise InputError(f"{what} is no .keras file: there is no {CONFIG} in it") from None
    if data[:4] == b"\x89HDF":
        raise InputError(
            f"{what} is HDF5, which is not read here; write `model.to_json()` to a file"
        )
    if len(data) > MOST_JSON:
        raise InputError(f"{what} is longer than {MOST_JSON // 2**20} MB")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(f"{what} is no JSON; `model.to_json()` gives that of a model") from None


def _traced(model: Any, what: str, title: str) -> Traced:
    if model["class_name"] not in KINDS:
        kinds = "a Sequential or a functional model"
        raise InputError(f"{what} holds a {shown(str(model['class_name']))}; {kinds} can be read")
    config = model["config"]
    built = Built(SAMPLES)
    if model["class_name"] == "Sequential":
        outputs = [_sequential(built, config, model)]
    else:
        outputs = _functional(built, config)
    compiled = model.get("compile_config") or {}
    loss = compiled.get("loss") if isinstance(compiled, dict) else None
    notes = [NO_WEIGHTS, *built.notes]
    if built.opened:
        notes.append(f"Keras leaves the number of samples open; here it is {SAMPLES}")
    return Traced(
        str(config.get("name") or title),
        built.given,
        built.values,
        tuple(built.operations),
        tuple(outputs),
        tuple(notes),
        loss if isinstance(loss, str) else "",
    )


def _sequential(built: Built, config: Any, model: Any) -> str:
    layers = config["layers"] if isinstance(config, dict) else config
    value = ""
    for held in layers:
        inner = held["config"]
        shape = inner.get("batch_shape") or inner.get("batch_input_shape")
        if not value:
            shape = shape or model.get("build_input_shape") or config.get("build_input_shape")
            if shape is None:
                raise InputError(
                    "the model has no shape of its input; call it once, or add an Input"
                )
            name = str(inner["name"]) if held["class_name"] == "InputLayer" else "x"
            value = built.input(name, shape, held["class_name"] == "Embedding")
            if held["class_name"] == "InputLayer":
                whole = len(layers) > 1 and layers[1]["class_name"] == "Embedding"
                built.values[value] = Value(built.values[value].shape, whole)
                continue
        value = _layer(built, held, [value])
    return value


def _functional(built: Built, config: Any) -> list[str]:
    made: dict[str, str] = {}
    embedded = {
        name
        for held in config["layers"]
        if held["class_name"] == "Embedding"
        for name in _inbound(held)
    }
    for held in config["layers"]:
        name = str(held.get("name") or held["config"]["name"])
        if held["class_name"] == "InputLayer":
            inner = held["config"]
            shape = inner.get("batch_shape") or inner.get("batch_input_shape")
            made[name] = built.input(name, shape, name in embedded)
        else:
            made[name] = _layer(built, held, [made[each] for each in _inbound(held)])
    ends = config["output_layers"]
    ends = [ends] if isinstance(ends[0], str) else ends
    return [made[str(end[0])] for end in ends]


def _inbound(held: Any) -> list[str]:
    """The layers that a layer reads, as either Keras 2 or Keras 3 writes them."""
    nodes = held.get("inbound_nodes") or []
    if len(nodes) != 1:
        times = f"is used {len(nodes)} times"
        raise InputError(
            f"the layer {shown(str(held.get('name')))} {times}; a spec has one use each"
        )
    node = nodes[0]
    if isinstance(node, dict):
        return list(_histories(node["args"]))
    return [str(each[0]) for each in node]


def _histories(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _histories(each)
    elif isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        yield str(value["config"]["keras_history"][0])


def _layer(built: Built, held: Any, inputs: list[str]) -> str:
    """The result of a layer. A layer that cannot be said becomes an operation that is refused."""
    kind, config = str(held["class_name"]), held["config"]
    name = str(config.get("name") or kind.lower())
    place = printable(f"layer {shown(name)}")
    layer = Layer(built, kind, name, config, tuple(inputs), place)
    try:
        if kind not in LAYERS or str(held.get("registered_name") or kind) != kind:
            raise Unsayable("this layer is not known here")
        return LAYERS[kind](layer)
    except Unsayable as error:
        said: dict[str, Argument] = {
            "kind": kind,
            "why": str(error),
            "inputs": tuple(map(Ref, inputs)),
        }
        built.operations.append(Operation(REFUSED, said, (f"{name}.out",), place))
        built.values[f"{name}.out"] = built.values[inputs[0]] if inputs else Value(())
        return f"{name}.out"
