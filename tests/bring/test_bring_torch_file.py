"""Files of `torch.export.save`: what becomes of them, what is refused. PyTorch is not needed."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import derive
from derive.api import load
from derive.bring.names import Names, legal
from derive.bring.torch_file import read_torch
from derive.bring.torch_inputs import held_inputs
from derive.bring.write import spec_of
from derive.cli import main
from derive.emit import emit
from tests.bring_support import DENSE, LONG, SHAPES, WEIGHTS, archive, meta, node, small

TANH = node("tanh", "y", self="%linear")
TOLD = """\
# the loss is mean_squared_error of y; --loss names another one
# filled with 0, or with 1 where it is a factor; put in your own: x, target
title: "net"
inputs:
  x: {shape: [2, 3], values: 0}
targets:
  target: {shape: [2, 2], values: 0}
parameters:
  fc_weight: [[0.1, 0.2, 0.3], [-0.5, 1e-08, 3]]
  fc_bias: [0, 1]
model:
  - {layer: dense, name: linear, inputs: x, output: linear, operands: {W: fc_weight, b: fc_bias}}
  - {layer: tanh, name: y, inputs: linear, output: y}
loss: {loss: mean_squared_error, inputs: [y, target]}
"""


def text_of(data: bytes, loss: str = "", values: bool = True) -> str:
    return spec_of(read_torch(data, "the file", "net"), loss, values).text


def test_a_file_becomes_a_spec_with_its_weights(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "net.pt2").write_bytes(small(TANH))
    assert main(["from-torch", str(tmp_path / "net.pt2"), "-o", str(tmp_path / "net.yaml")]) == 0
    assert (tmp_path / "net.yaml").read_text() == TOLD
    assert "--loss names another one" in capsys.readouterr().err
    problem = load(str(tmp_path / "net.yaml"))
    assert [float(each) for each in problem.values["fc_weight"].values()] == WEIGHTS["fc.weight"]
    assert "PARAMETERS" in emit(problem, derive.differentiate(problem.graph), "python")


def test_the_loss_is_what_was_asked_for() -> None:
    label = "loss: {loss: label_cross_entropy_logits, inputs: [y, target]}"
    assert label in text_of(small(TANH), "cross_entropy")
    assert "upstream:\n  y: {shape: [2, 2], values: 1}" in text_of(small(TANH), "none")
    assert "upstream:\n  y: {shape: [2, 2]}" in text_of(small(TANH), "none", values=False)
    with pytest.raises(derive.InputError, match="no loss is called 'msse'; did you mean 'mse'"):
        text_of(small(TANH), "msse")
    with pytest.raises(derive.InputError, match="reads more than an output and a target"):
        text_of(small(TANH), "gaussian")


def test_all_that_cannot_be_said_is_named_at_once(tmp_path: Path, capsys: Any) -> None:
    nodes = [
        node("fft_fft", "a", self="%linear"),
        node("torch.ops.mine.curl.default", "b", self="%a"),
        node("fft_fft", "c", self="%b"),
        node("logcumsumexp", "unused", self="%linear"),
        node("pow", "y", self="%linear", exponent="%c"),
    ]
    shapes = {**SHAPES, **{name: [2, 2] for name in ("a", "b", "c", "unused")}}
    data = archive([DENSE, *nodes], shapes, ["x"], WEIGHTS, ["y"])
    (tmp_path / "net.pt2").write_bytes(data)
    assert main(["from-torch", str(tmp_path / "net.pt2")]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.splitlines() == [
        "derive: a spec cannot say 4 operations of this model:",
        "  fft_fft: this operation is not known here — a, net.py:7 in forward; c, net.py:7 in "
        "forward",
        "  mine.curl.default: this operation is not known here — b, net.py:7 in forward",
        "  pow: its exponent is no fixed number — y, net.py:7 in forward",
    ]


def changed(data: bytes, member: str, change: Callable[[Any], Any]) -> bytes:
    """An archive with another member."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(held, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith(member) else content)
    return held.getvalue()


def in_json(*path: str | int, value: Any) -> Callable[[bytes], bytes]:
    """A change of one place of a JSON."""

    def change(content: bytes) -> bytes:
        whole = place = json.loads(content)
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return json.dumps(whole).encode()

    return change


class Boom:
    """Something that would run if a pickle were loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit(3)",))


GRAPH = ("graph_module", "graph")
NODE = (*GRAPH, "nodes", 1)
CONFIG = "model_weights_config.json"
BIAS = ("config", "fc.bias")
NONE = {"as_tensor": {"name": "z"}}
VAST = {**meta([10**15]), "strides": [{"as_int": 0}]}
GOOD = small(TANH)
REFUSED = {
    "text": (b"import os", "no archive of torch.export.save"),
    "nothing": (b"", "no archive of torch.export.save"),
    "a part of it": (GOOD[: len(GOOD) // 2], "no archive of torch.export.save"),
    "a pickle": (pickle.dumps(Boom()), "is a pickle, which may run any code"),
    "another version": (
        small(TANH, schema_version={"major": 9}),
        "has version 9 of the format; here version 8 is known",
    ),
    "no JSON": (changed(GOOD, "model.json", lambda _: b"{"), "is no JSON"),
    "deep JSON": (changed(GOOD, "model.json", lambda _: b"[" * 10**5), "is no JSON"),
    "another shape of it": (
        changed(GOOD, "model.json", in_json(*GRAPH, "nodes", value=[7])),
        "is damaged, or of a version not known here",
    ),
    "sizes that vary": (
        changed(GOOD, "model.json", in_json(*GRAPH, "sym_int_values", value={"s0": {}})),
        "with sizes that vary",
    ),
    "a name of nothing": (
        changed(GOOD, "model.json", in_json(*NODE, "inputs", 0, "arg", value=NONE)),
        "nothing makes the 'z' that it reads",
    ),
    "arguments that do not fit": (
        changed(GOOD, "model.json", in_json(*NODE, "target", value="torch.ops.aten.addmm.default")),
        "addmm: it multiplies something that is no table of numbers",
    ),
    "a weight as a pickle": (
        changed(GOOD, CONFIG, in_json(*BIAS, "use_pickle", value=True)),
        "'fc.bias' is kept as a pickle",
    ),
    "a huge weight": (
        changed(GOOD, CONFIG, in_json(*BIAS, "tensor_meta", value=VAST)),
        "'fc.bias' has 0 bytes; its shape [1000000000000000] needs",
    ),
    "a weight elsewhere": (
        changed(GOOD, CONFIG, in_json(*BIAS, "path_name", value="../../etc/passwd")),
        "there is no 'm/data/weights/../../etc/passwd' in it",
    ),
    "complex numbers": (
        changed(GOOD, CONFIG, in_json(*BIAS, "tensor_meta", value=meta([2], 10))),
        "'fc.bias' does not hold real numbers",
    ),
    "what is no number": (
        changed(GOOD, "weight_1", lambda _: b"\x00\x00\xc0\x7f" * 2),
        "'fc.bias' holds what is no finite number",
    ),
    "a huge input": (
        changed(GOOD, "model.json", in_json(*GRAPH, "tensor_values", "x", value=meta([10**9, 3]))),
        "a quantity has at most 10,000,000",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_good_is_refused_in_words(
    data: bytes, words: str, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "net.pt2").write_bytes(data)
    assert main(["from-torch", str(tmp_path / "net.pt2")]) == 2
    told = capsys.readouterr()
    assert words in told.err and not told.out
    assert "Traceback" not in told.err


def test_the_inputs_of_the_example_are_looked_at_and_not_loaded() -> None:
    assert held_inputs(pickle.dumps(((1.5, Boom()), {}), protocol=2), "") == [None, None]
    assert held_inputs(b"\x80\x02cos\nsystem\n.", "") == [None]
    assert held_inputs(b"cos\nsystem\n(S'true'\ntR.", "") == []


def test_names_are_legal_whatever_they_were() -> None:
    names = Names()
    found = [names.new(text) for text in (r"\input{x}.w", "__import__('os')", "0.weight", "i", "")]
    assert found == ["input_x_w", "import_os", "layer_0_weight", "i_", "x"]
    assert [names.new(text) for text in ("fc1.w", "fc1_w", "lambda", "adj_w", "relu")] == [
        "fc1_w",
        "fc1_w_2",
        "lambda_",
        "x_adj_w",
        "relu_",
    ]
    assert len(legal("long." * 50)) < 60


def test_what_is_changed_in_place_is_read_as_it_is_then() -> None:
    nodes = [node("torch.ops.aten.tanh_.default", "t", self="%linear"), TANH]
    shapes = {**SHAPES, "t": [2, 2], "v": [2, 2]}
    text = text_of(archive([DENSE, *nodes], shapes, ["x"], WEIGHTS, ["y"]))
    assert "{layer: tanh, name: y, inputs: t_, output: y}" in text
    seen = node("view", "v", self="%linear", size=[2, 2])
    after = node("add", "y", self="%v", other="%t")
    with pytest.raises(derive.InputError, match="reads 'v', whose memory was changed in place"):
        text_of(archive([DENSE, seen, nodes[0], after], shapes, ["x"], WEIGHTS, ["y"]))


def test_tokens_pick_rows_wherever_they_are_moved() -> None:
    nodes = [
        node("transpose", "a", self="%tokens", dim0=0, dim1=1),
        node("embedding", "y", weight="%w", indices="%a"),
    ]
    shapes = {"tokens": meta([2, 3], LONG), "a": meta([3, 2], LONG), "w": [4, 2], "y": [3, 2, 2]}
    text = text_of(archive(nodes, shapes, ["tokens"], {"w": [0.5] * 8}, ["y"]))
    assert "integers: [tokens]" in text
    assert "w_[tokens[" in text
