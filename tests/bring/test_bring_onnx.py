"""Models of ONNX: a spec computes what the reference implementation of the format says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from derive.bring.names import legal
from derive.bring.onnx_file import read_onnx
from derive.bring.write import spec_of
from derive.cli import main
from tests.emit_support import source_of

onnx = pytest.importorskip("onnx")
numpy = pytest.importorskip("numpy")
reference = pytest.importorskip("onnx.reference")


def model(nodes: list[Any], inputs: dict[str, Any], outputs: list[str], **weights: Any) -> bytes:
    """The bytes of a graph; an input is given by its shape."""
    helper, kinds = onnx.helper, onnx.TensorProto
    given = [
        helper.make_tensor_value_info(name, kinds.INT64 if name == "tokens" else kinds.FLOAT, shape)
        for name, shape in inputs.items()
    ]
    made = [helper.make_tensor_value_info(name, kinds.FLOAT, None) for name in outputs]
    held = [onnx.numpy_helper.from_array(numpy.array(w), name) for name, w in weights.items()]
    graph = helper.make_graph(nodes, "net", given, made, held)
    versions = [helper.make_opsetid("", 17)]
    whole = helper.make_model(graph, opset_imports=versions, ir_version=8)
    return bytes(whole.SerializeToString())


def node(kind: str, reads: str, makes: str, **settings: Any) -> Any:
    blank = [each if each != "-" else "" for each in reads.split()]
    return onnx.helper.make_node(
        kind, blank, makes.split(), name=f"/{makes.split()[0]}", **settings
    )


def drawn(*shape: int) -> Any:
    return numpy.random.default_rng(sum(shape)).uniform(-1, 1, shape).astype(numpy.float32)


def picture() -> tuple[bytes, dict[str, Any]]:
    nodes = [
        node("Conv", "x K b", "conv", pads=[1, 0, 0, 2], strides=[2, 1]),
        node("BatchNormalization", "conv s t m v", "bn"),
        node("LeakyRelu", "bn", "act", alpha=0.25),
        node("MaxPool", "act", "pool", kernel_shape=[3, 2], strides=[1, 2], pads=[1, 0, 1, 0]),
        node("Flatten", "pool", "flat"),
        node("Gemm", "flat W c", "fc"),
        node("Constant", "", "half", value=onnx.numpy_helper.from_array(numpy.float32(0.5))),
        node("Mul", "fc half", "scaled"),
        node("Slice", "scaled from to axis", "part"),
        node("Concat", "part fc", "both", axis=1),
        node("Softmax", "both", "p"),
    ]
    weights = {
        "K": drawn(3, 2, 3, 3), "b": drawn(3), "s": drawn(3), "t": drawn(3), "m": drawn(3),
        "v": drawn(3) ** 2, "W": drawn(27, 4), "c": drawn(4), "from": [1], "to": [3], "axis": [1],
    }  # fmt: skip
    data = model(nodes, {"x": [None, 2, 6, 6]}, ["p"], **weights)
    return data, {"x": drawn(2, 2, 6, 6)}


def text() -> tuple[bytes, dict[str, Any]]:
    nodes = [
        node("Gather", "E tokens", "words"),
        node("LSTM", "words W R B", "h - c", hidden_size=2),
        node("Squeeze", "h one", "steps"),
        node("Squeeze", "c zero", "cell"),
    ]
    weights = {"E": drawn(5, 3), "W": drawn(1, 8, 3), "R": drawn(1, 8, 2), "B": drawn(1, 16)}
    data = model(nodes, {"tokens": [4, 2]}, ["steps", "cell"], **weights, one=[1], zero=[0])
    return data, {"tokens": numpy.array([[0, 1], [4, 2], [3, 3], [1, 0]])}


@pytest.mark.slow
@pytest.mark.parametrize("made", [picture, text])
def test_a_spec_computes_what_the_format_means(made: Any) -> None:
    data, given = made()
    wanted = reference.ReferenceEvaluator(onnx.load_model_from_string(data)).run(None, given)
    found = spec_of(read_onnx(data, "the file", "net"), "none")
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(source_of(found.problem, "numpy"), module)
    sample = module["SAMPLE"]._asdict() | {legal(name): each for name, each in given.items()}
    forward = module["forward"](module["PARAMETERS"], module["Sample"](**sample))
    for name, each in zip(("p",) if made is picture else ("steps", "cell"), wanted, strict=True):
        got = getattr(forward, name) if hasattr(forward, name) else getattr(forward, f"{name}_")
        assert numpy.abs(got - each).max() < 1e-6


def test_all_that_cannot_be_said_is_named_at_once(tmp_path: Path, capsys: Any) -> None:
    nodes = [
        node("TopK", "x k", "top places"),
        node("Conv", "y K", "conv", auto_pad="SAME_UPPER"),
        node("NonZero", "x", "where"),
        node("ReduceSum", "top", "s"),
    ]
    data = model(nodes, {"x": [2, 3], "y": [1, 1, 3, 3]}, ["s", "conv"], k=[1], K=drawn(1, 1, 2, 2))
    (tmp_path / "net.onnx").write_bytes(data)
    assert main(["from-onnx", str(tmp_path / "net.onnx")]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.splitlines() == [
        "derive: a spec cannot say 2 operations of this model:",
        "  TopK: this operation is not known here — node '/top'",
        "  Conv: its padding is left to be found (auto_pad) — node '/conv'",
    ]


def outside() -> bytes:
    """A model whose weights would lie in another file."""
    whole = onnx.load_model_from_string(
        model([node("Add", "x w", "y")], {"x": [2]}, ["y"], w=drawn(2))
    )
    tensor = whole.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return bytes(whole.SerializeToString())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "there is no graph in it"),
        (b"import os", "is no model of ONNX"),
        (b"\x80\x04.", "is no model of ONNX"),
        ("cut", "is no model of ONNX"),
        ("outside", "keeps its weights in other files, which are not read"),
        ("wrong", "do not go together"),
        ("less", "Gather: "),
    ],
)
def test_what_is_no_good_is_refused_in_words(
    data: Any, words: str, tmp_path: Path, capsys: Any
) -> None:
    if data == "cut":
        data = picture()[0][:-100]
    elif data == "outside":
        data = outside()
    elif data == "less":
        data = model([node("Gather", "x", "y")], {"x": [2, 3]}, ["y"])
    elif data == "wrong":
        data = model([node("MatMul", "x w", "y")], {"x": [2, 3]}, ["y"], w=drawn(2, 2))
    (tmp_path / "net.onnx").write_bytes(data)
    assert main(["from-onnx", str(tmp_path / "net.onnx")]) == 2
    told = capsys.readouterr()
    assert words in told.err and not told.out
