"""A training on data is the module's own steps on its batches, wherever it is stopped."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive
from derive.backprop import differentiate
from derive.cli import main
from derive.emit import emit
from derive.emit.run import Module, load
from derive.errors import InputError
from derive.train.data import fitted, wanted

NETWORK = """
network:
  inputs: 4
  layers:
    - {dense: 6, activation: tanh}
    - {dense: 3, activation: softmax}
  loss: categorical_cross_entropy
data: {batch: 5}
"""
ADAM = NETWORK + "training: {optimizer: adam, learning_rate: 0.01}\n"
MODEL = """
inputs: {x: {shape: [4]}}
parameters: {w: {shape: [4]}, b: {shape: []}}
targets: {y: {shape: []}}
model:
  - z = sum(i, w[i]*x[i]) + b
loss: E = (z - y)**2
training: {learning_rate: 0.05}
"""
X = np.random.default_rng(3).normal(size=(43, 4))
T = (X @ np.random.default_rng(4).normal(size=(4, 3))).argmax(axis=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"free": NETWORK, "adam": ADAM, "model": MODEL}.items():
        Path(f"{name}.yaml").write_text(text)
    np.savez("data.npz", x=X, t=T)
    np.savez("line.npz", x=X, y=X @ [1.0, -2.0, 0.5, 0.0] + 0.25)
    return tmp_path


def trained(*arguments: str) -> dict[str, np.ndarray]:
    assert main(["train", *arguments]) == 0
    with np.load(Path(arguments[arguments.index("-o") + 1]) / "parameters.npz") as held:
        return {name: held[name] for name in held.files}


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all((left[k] == right[k]).all() for k in left)


def test_it_is_the_steps_of_the_module(folder: Path) -> None:
    found = trained("adam.yaml", "--data", "data.npz", "--in-order", "--epochs", "2", "-o", "a")
    problem = derive.load("adam.yaml")
    source = emit(problem, differentiate(problem.graph, problem.wanted), "numpy")
    call = load(problem, source, "numpy").namespace
    parameters, state = call["example_parameters"](0), call["STATE"]
    losses = []
    for number in range(16):
        rows = slice(5 * (number % 8), 5 * (number % 8) + 5)
        sample = call["Sample"](x=X[rows], t=np.eye(3)[T[rows]])
        parameters, state, loss = call["step"](parameters, state, sample, 0.01, number + 1)
        losses.append(loss)
    assert same(found, parameters._asdict())
    rows = csv.DictReader(Path("a/history.csv").read_text().splitlines())
    assert [float(row["loss"]) for row in rows] == [
        sum(losses[:8]) / 8,
        pytest.approx(sum(losses[8:]) / 8, rel=1e-15),
    ]


@pytest.mark.parametrize("spec", ["free", "adam"])
def test_what_goes_on_is_what_never_stopped(folder: Path, spec: str) -> None:
    common = (f"{spec}.yaml", "--data", "data.npz", "--test", "data.npz", "--seed", "7")
    whole = trained(*common, "--epochs", "5", "-o", "whole")
    trained(*common, "--epochs", "2", "-o", "parts")
    assert same(trained(*common, "--epochs", "5", "--resume", "-o", "parts"), whole)
    for name in ("history.csv", "loss.svg", "checkpoint.npz"):
        assert Path("parts", name).read_bytes() == Path("whole", name).read_bytes()


def test_a_schedule_lasts_as_long_as_the_training(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, schedule in (("own", "linear"), ("said", "{linear: {steps: 16}}")):
        Path(f"{name}.yaml").write_text(NETWORK + f"training: {{schedule: {schedule}}}\n")
    common = ("--data", "data.npz", "--batch", "5", "--epochs", "2")
    own = trained("own.yaml", *common, "-o", "own")
    assert same(trained("said.yaml", *common, "-o", "said"), own)
    longer = ("own.yaml", *common[:-1], "3", "--resume", "-o", "own")
    assert main(["train", *longer]) == 2
    assert "begun with another number of epochs (2)" in capsys.readouterr().err


@pytest.mark.parametrize("kept", [0.0, 1e9])
def test_what_is_stopped_within_an_epoch_goes_on_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kept: float
) -> None:
    common = ("adam.yaml", "--data", "data.npz", "--epochs", "4")
    whole = trained(*common, "-o", "whole")
    step, calls = Module.step, iter(range(100))

    def stopped(*arguments: Any) -> Any:
        if next(calls) == 11:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr("derive.commands.training.EVERY", kept)
    monkeypatch.setattr(Module, "step", stopped)
    assert main(["train", *common, "-o", "parts"]) == 130
    assert same(trained(*common, "--resume", "-o", "parts"), whole)
    assert len(list(calls)) == 100 - 12 - 21  # nothing was done twice


@pytest.mark.slow
def test_what_is_killed_goes_on_from_what_was_kept(folder: Path) -> None:
    common = ["free.yaml", "--data", "data.npz", "--batch", "1", "--epochs", "700"]
    program = [sys.executable, "-m", "derive", "train", *common, "-o"]
    here = {**os.environ, "PYTHONPATH": str(Path(derive.__file__).parent.parent)}
    with subprocess.Popen([*program, "parts"], stdout=subprocess.PIPE, env=here) as running:
        while running.poll() is None and not Path("parts/checkpoint.npz").exists():
            time.sleep(0.05)
        running.kill()
    assert Path("parts/checkpoint.npz").exists()
    subprocess.run([*program, "parts", "--resume"], check=True, env=here)
    subprocess.run([*program, "whole"], check=True, env=here)
    names = sorted(path.name for path in Path("whole").iterdir())
    assert sorted(path.name for path in Path("parts").iterdir()) == names
    for name in names:
        assert Path("parts", name).read_bytes() == Path("whole", name).read_bytes()


def test_a_free_batch_is_chosen_and_a_fixed_one_is_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained("free.yaml", "--data", "data.npz", "--batch", "10", "-o", "ten")
    assert "4 updates by 10 at a time; 3 of 43 fill no batch" in capsys.readouterr().out
    assert main(["train", "adam.yaml", "--data", "data.npz", "--batch", "10", "-o", "a"]) == 2
    assert "takes 5 samples at a time" in capsys.readouterr().err
    assert not Path("a").exists()


def test_a_model_without_a_batch_takes_one_sample_after_the_other(folder: Path) -> None:
    found = trained("model.yaml", "--data", "line.npz", "--epochs", "60", "-o", "line")
    np.testing.assert_allclose(found["w"], [1.0, -2.0, 0.5, 0.0], atol=1e-6)
    assert float(found["b"]) == pytest.approx(0.25, abs=1e-6)


WRONG = [
    (["free.yaml", "--data", "line.npz"], "the data are of 'y', which is nothing given"),
    (["free.yaml", "--data", "gone.npz"], "there is no file 'gone.npz'"),
    (["free.yaml", "--data", "data.npz", "--epochs", "0"], "--epochs is at least 1"),
    (["free.yaml", "--data", "data.npz", "--learning-rate", "-1"], "--learning-rate is above 0"),
    (["free.yaml", "--data", "data.npz", "--batch", "99"], "a batch has 99 samples; the data"),
    (["free.yaml", "--data", "data.npz", "--resume"], "no training to go on with"),
    (["model.yaml", "--data", "line.npz", "--learning-rate", "9e99"], "the loss is no number"),
]


@pytest.mark.parametrize("arguments, words", WRONG)
def test_what_cannot_be_trained_is_said(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_one_run_of_a_spec_is_trained(folder: Path) -> None:
    runs = "runs:\n  - {name: slow, training: {learning_rate: 0.01}}\n  - {name: quick}\n"
    Path("runs.yaml").write_text(MODEL + runs)
    common = ("--data", "line.npz")
    quick = trained("runs.yaml", *common, "--run", "quick", "-o", "quick")
    assert same(quick, trained("model.yaml", *common, "-o", "alone"))
    assert not same(quick, trained("runs.yaml", *common, "--run", "slow", "-o", "slow"))


def test_another_training_is_not_taken_for_this_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["free.yaml", "--data", "data.npz"]
    trained(*common, "-o", "a")
    assert main(["train", *common, "-o", "a"]) == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert main(["train", *common, "--seed", "1", "--resume", "-o", "a"]) == 2
    assert "begun with another seed (0)" in capsys.readouterr().err
    assert main(["train", "free.yaml", "--data", "x=data.npz", "-o", "b"]) == 2
    Path("a/checkpoint.npz").write_bytes(b"broken")
    assert main(["train", *common, "--resume", "-o", "a"]) == 2
    assert "not one of this program" in capsys.readouterr().err


def test_arrays_are_fitted_to_quantities_or_refused(folder: Path) -> None:
    free, model = (wanted(derive.load(f"{name}.yaml")) for name in ("free", "model"))
    assert not fitted({"x": X, "t": T}, free).one_by_one
    assert fitted({"x": X, "y": X[:, 0]}, model).one_by_one
    flat = fitted({"x": X.reshape(43, 2, 2), "t": np.eye(3)[T]}, free)
    np.testing.assert_array_equal(flat.varying["x"], X)
    refused = [
        ({"x": X, "t": T + 1}, free, "labels of 't' are from 0 to 2"),
        ({"x": X, "t": T[:-1]}, free, "different numbers"),
        ({"x": X[:, :3], "t": T}, free, "'x' is 5 × 4"),
        ({"x": X}, free, "neither the data nor the spec has values of 't'"),
        ({"x": X[:, 0], "y": X[:, 0]}, model, "its first axis"),
        ({"x": X[:0], "t": T[:0]}, free, "no sample"),
    ]
    for arrays, want, words in refused:
        with pytest.raises(InputError, match=words):
            fitted(arrays, want)
