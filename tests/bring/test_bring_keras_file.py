"""Models in the JSON of Keras: what becomes of them, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import derive
from derive.bring.keras_file import read_keras
from derive.bring.write import Brought, spec_of
from derive.cli import main
from tests.emit_support import source_of


def layer(kind: str, name: str, *reads: str, **config: Any) -> dict[str, Any]:
    """A layer as Keras 3 writes it."""
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": [each, 0, 0]}}
        for each in reads
    ]
    args = tensors if len(tensors) == 1 else [tensors]
    nodes = [{"args": args, "kwargs": {}}] if reads else []
    held = {"class_name": kind, "name": name, "config": {"name": name, **config}}
    return {**held, "module": "keras.layers", "registered_name": None, "inbound_nodes": nodes}


def sequential(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "net", "layers": list(layers)}, **more}


def functional(*layers: dict[str, Any], end: str) -> dict[str, Any]:
    config = {"name": "net", "layers": list(layers), "output_layers": [end, 0, 0]}
    return {"class_name": "Functional", "config": config}


IMAGE = layer("InputLayer", "image", batch_shape=[None, 5, 5, 2])
CONV = layer(
    "Conv2D", "conv", filters=3, kernel_size=[3, 3], strides=[2, 2], padding="same",
    activation="relu", use_bias=True,
)  # fmt: skip
POOL = layer("MaxPooling2D", "pool", pool_size=[2, 2], padding="same")
DENSE = layer("Dense", "dense", units=2, activation="softmax", use_bias=True)
PICTURE = sequential(
    IMAGE, CONV, layer("BatchNormalization", "bn"), POOL, layer("Flatten", "flat"), DENSE
)


def brought(model: Any, loss: str = "") -> Brought:
    return spec_of(read_keras(json.dumps(model).encode(), "the file", "file"), loss)


def test_a_sequential_model_becomes_a_spec_with_channels_last() -> None:
    found = brought({**PICTURE, "compile_config": {"loss": "categorical_crossentropy"}})
    assert found.text.endswith("{loss: categorical_cross_entropy, inputs: [dense, target]}\n")
    lines = found.text.splitlines()
    assert "  - {layer: relu, name: conv, inputs: conv_net, output: conv}" in lines
    assert any("pool[n," in line and "where(0 <= " in line for line in lines)
    assert "  conv_kernel: {shape: [3, 3, 2, 3]}" in lines
    assert "here it is 2" in found.notes[2]
    assert found.problem.symbolic


@pytest.mark.slow
def test_what_comes_out_is_what_keras_says() -> None:
    """By hand, for two recurrences and what is added."""
    numpy = pytest.importorskip("numpy")
    model = functional(
        layer("InputLayer", "x", batch_shape=[None, 4, 3]),
        layer("LSTM", "lstm", "x", units=2, return_sequences=True),
        layer("GRU", "gru", "lstm", units=2),
        layer("Dense", "dense", "gru", units=2),
        layer("Add", "add", "gru", "dense"),
        end="add",
    )
    problem = brought(model, "none").problem
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(source_of(problem, "numpy"), module)
    draw = numpy.random.default_rng(1)
    sizes = {q.name: q.shape for q in problem.graph.given}
    w = {name: draw.uniform(-1, 1, shape) for name, shape in sizes.items()}
    x, h, c = w["x"], numpy.zeros((2, 2)), numpy.zeros((2, 2))
    sigmoid = lambda z: 1 / (1 + numpy.exp(-z))  # noqa: E731
    steps = []
    for t in range(4):
        z = x[:, t] @ w["lstm_kernel"] + h @ w["lstm_recurrent_kernel"] + w["lstm_bias"]
        i, f, g, o = numpy.split(z, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
        h = sigmoid(o) * numpy.tanh(c)
        steps.append(h)
    h = numpy.zeros((2, 2))
    for y in steps:
        a = numpy.split(y @ w["gru_kernel"] + w["gru_bias"][0], 3, axis=1)
        b = numpy.split(h @ w["gru_recurrent_kernel"] + w["gru_bias"][1], 3, axis=1)
        keep = sigmoid(a[0] + b[0])
        h = keep * h + (1 - keep) * numpy.tanh(a[2] + sigmoid(a[1] + b[1]) * b[2])
    wanted = h + h @ w["dense_kernel"] + w["dense_bias"]
    held = [
        module[name](*[w.get(each, numpy.ones((2, 2))) for each in module[name]._fields])
        for name in ("Parameters", "Sample")
    ]
    assert numpy.abs(module["forward"](*held).add - wanted).max() < 1e-12


REFUSED = {
    "no JSON": (b"{", "is no JSON"),
    "deep JSON": (b"[" * 10**5, "is no JSON"),
    "no model": (b"[1]", "is no model of Keras"),
    "HDF5": (b"\x89HDF\r\n", "is HDF5, which is not read here"),
    "a zip of something": (b"PK\x03\x04", "there is no config.json in it"),
    "another class": (b'{"class_name": "os.system", "config": {}}', "holds a 'os.system'"),
    "layers that are not known": (
        json.dumps(
            sequential(
                IMAGE,
                layer("Lambda", "my", function="import os"),
                layer("Conv2D", "c", filters=1, kernel_size=[1, 1], groups=2, activation="relu"),
                layer("Lambda", "mine\x1b[31m"),
            )
        ).encode(),
        "derive: a spec cannot say 3 operations of this model:\n"
        "  Lambda: this layer is not known here — layer 'my'; layer 'mine\\x1b[31m'\n"
        "  Conv2D: its setting groups is 2, not 1 — layer 'c'\n",
    ),
    "an open size": (
        json.dumps(sequential(layer("InputLayer", "x", batch_shape=[None, None]))).encode(),
        "the size of the input 'x' is left open on an axis",
    ),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_good_is_refused_in_words(
    data: bytes, words: str, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "net.json").write_bytes(data)
    assert main(["from-keras", str(tmp_path / "net.json")]) == 2
    told = capsys.readouterr()
    assert words in told.err and not told.out


def test_a_keras_file_is_read_for_its_configuration(tmp_path: Path, capsys: Any) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("config.json", json.dumps(PICTURE))
    (tmp_path / "net.keras").write_bytes(held.getvalue())
    assert main(["from-keras", str(tmp_path / "net.keras"), "--loss", "mse"]) == 0
    assert "mean_squared_error" in capsys.readouterr().out


def test_keras_2_is_read_too() -> None:
    dense = {"name": "dense", "units": 2, "activation": "relu", "batch_input_shape": [None, 3]}
    old = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": dense}]}
    with pytest.raises(derive.InputError, match="is no model of Keras"):
        brought({**old, "config": 7})
    named = {**old, "config": {"name": "net", "layers": old["config"]}}
    assert "{layer: relu, name: dense, inputs: dense_net, output: dense}" in brought(named).text
