"""The verbs that are about models and the library: what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from derive.cli import main
from derive.schema import Spec

SPEC = """\
inputs: {x: [[1], [0.5]]}
parameters: {W: [[0.5]], U: [[0.1]]}
model:
  - h[t,k] = tanh(sum(i, W[k,i]*x[t,i]) + sum(j, U[k,j]*h[t-1,j]))
loss: E = sum(t, k, h[t,k]**2)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rnn.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def out(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return str(capsys.readouterr().out)


def test_layers_lists_and_shows(capsys: pytest.CaptureFixture) -> None:
    assert "conv2d  " in out(capsys, "layers")
    text = out(capsys, "layers", "conv2d")
    assert "y[...,o,u,v] = sum(c, r, s, K[o,c,r,s]*x" in text
    assert "dE/dK[o,c,r,s] = sum(" in text
    assert "rho" in out(capsys, "layers", "rmsprop")


def test_explain_a_quantity_of_a_model(capsys: pytest.CaptureFixture) -> None:
    text = out(capsys, "explain", "rnn.yaml", "h")
    assert "dE/dh[t,k] = 2*h[t,k] + sum(l, (1 - h[t+1,l]**2)*U[l,k]*dE/dh[t+1,l])" in text


@pytest.mark.parametrize("names", [["rnn.yaml", "W"], ["tanh", "W1"], ["neuron", "b1"]])
def test_explain_the_second_order(names: list[str], capsys: pytest.CaptureFixture) -> None:
    text = out(capsys, "explain", *names, "--order", "2")
    assert f"Hv is the Hessian of E by {names[1]}, times v." in text


def test_new_writes_once(place: Path, capsys: pytest.CaptureFixture) -> None:
    assert "wrote my.yaml" in out(capsys, "new", "my.yaml", "--layer", "gru")
    assert "layer: gru" in (place / "my.yaml").read_text("utf-8")
    assert main(["new", "my.yaml"]) == 2
    assert "is already there" in capsys.readouterr().err
    assert out(capsys, "new", "--network").startswith("# A chain of dense layers")


def test_reference_and_schema(capsys: pytest.CaptureFixture) -> None:
    assert out(capsys, "reference").startswith("# The spec language")
    schema = json.loads(out(capsys, "schema"))
    assert set(schema["properties"]) == set(Spec.model_fields)
    assert "description" in schema["properties"]["upstream"]


BAD = [
    (["layers", "conv"], "the library has no 'conv'"),
    (["new", "--layer", "conv"], "no layer or loss is called 'conv'; did you mean 'conv2d' or"),
    (["explain", "rnn.yaml", "Q"], "there is no derivative by 'Q'; known: U, W, h, x"),
    (["explain", "rnn.yaml", "Q", "--order", "2"], "there is no derivative by 'Q'"),
    (["latex", "rnn.yaml", "--weights", "W"], "the page of a model is told as a whole"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_what_is_not_there_is_said(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
