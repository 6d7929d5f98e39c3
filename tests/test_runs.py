"""Named runs: one spec, several sets of values, each told and judged as a spec of its own."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

import derive
from derive.build import build
from derive.cli import main
from derive.errors import InputError
from derive.runs import run_names, run_of
from derive.schema import RunSpec, Spec
from derive.spec import SpecFile, parse_spec

MODEL = """\
title: {en: Three examples, ko: 예제}
inputs: {x: [1, 2]}
parameters: {w: [0.5, -0.25]}
targets: {t: 1}
constants: {c: 1}
model:
  - y = c*sum(i, w[i]*x[i])
loss: E = (y - t)**2/2
training: {learning_rate: 0.1, steps: 1}
numbers: {decimals: 3}
languages: [en]
published: [{name: t, printed: "1"}]
runs:
  - name: as above
    published: [{name: y, printed: "0"}, {name: E, printed: "0.5"}]
  - name: Example 2
    inputs: {x: [2, 2]}
    published:
      - {name: y, printed: "0.6"}
  - name: larger
    title: Another size
    inputs: {x: [2, 2, 1]}
    parameters: {w: [1, 2, 3]}
    training: {learning_rate: 0.2}
    numbers: {significant_digits: 5}
    published: [{name: y, printed: "9"}, {name: "w[0]+", printed: "-2.2"}]
  - name: updates
    samples: [{x: [1, 0]}, {x: [0, 1]}]
    training: {epochs: 2}
"""
NETWORK = """\
network: {inputs: 2, layers: [{dense: 1, activation: tanh}], loss: half_squared_error}
parameters: {W1: [[0.1, 0.2]], b1: [0.5]}
data: {inputs: [1, 2], targets: [0.5]}
languages: [en]
runs:
  - {name: one}
  - {name: two, data: {inputs: [3, 4]}, parameters: {b1: [0]}}
"""


def parsed(text: str) -> SpecFile:
    return parse_spec(text, "a.yaml", "a")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.yaml"
    path.write_text(MODEL, "utf-8")
    return path


def test_what_a_run_leaves_out_is_as_the_spec_says() -> None:
    file = parsed(MODEL)
    assert run_names(file) == ("as above", "Example 2", "larger", "updates")
    first, second, third, fourth = (build(run_of(file, name)) for name in run_names(file))
    assert second.values["x"] == {(0,): 2, (1,): 2}
    assert second.values["w"] == first.values["w"]
    assert third.training.learning_rate == Fraction(1, 5) and third.training.steps == 1
    assert (third.numbers.significant_digits, third.numbers.decimals) == (5, None)
    assert first.numbers.decimals == 3
    assert fourth.training.steps == 4 and fourth.training.learning_rate == Fraction(1, 10)
    assert [p.name for p in fourth.published] == ["t"]
    assert [p.name for p in second.published] == ["y"]
    assert second.title == {"en": "Three examples: Example 2", "ko": "예제: Example 2"}
    assert third.title["en"] == "Another size"


def test_the_first_run_is_taken_if_none_is_named() -> None:
    file = parsed(MODEL)
    assert build(file) == build(run_of(file)) == build(run_of(file, "as above"))


def test_a_spec_without_runs_is_what_it_was() -> None:
    file = parsed(MODEL[: MODEL.index("runs:")])
    assert run_of(file) is file and run_names(file) == ()


def test_a_network_has_runs_too() -> None:
    one, two = (build(run_of(parsed(NETWORK), name)) for name in ("one", "two"))
    assert not two.is_model and two.title["en"] == "two"
    assert two.values["x"] == {(0, 0): 3, (0, 1): 4} and one.values["x"][0, 1] == 2
    assert two.values["b1"] == {(0,): 0} and two.values["t"] == one.values["t"]
    assert derive.verify(two).agree


def test_a_run_has_the_fields_of_a_spec_that_are_values() -> None:
    whole = {"title", "published", "samples", "training", "numbers", "data", "upstream", "sizes"}
    given = {"inputs", "parameters", "targets", "constants"}
    assert set(RunSpec.model_fields) - {"name"} == whole | given
    for name in whole | given:
        assert RunSpec.model_fields[name].annotation == Spec.model_fields[name].annotation


def test_every_run_is_judged_and_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "a.yaml"]) == 1
    said = capsys.readouterr().out
    assert said.count("verified:") == 3
    wrong = said[said.index("run 'Example 2' verification found something:") :]
    assert "y is printed 0.6, but the value is 0.5" in wrong[: wrong.index("run 'larger'")]
    assert main(["verify", "a.yaml", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    agree = {run["name"]: run["agree"] for run in report["runs"]}
    assert agree == {"as above": True, "Example 2": False, "larger": True, "updates": True}
    assert not report["agree"]
    assert main(["verify", "a.yaml", "--run", "larger", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agree"]


COMMANDS = (
    ["latex", "a.yaml"],
    ["markdown", "a.yaml"],
    ["html", "a.yaml"],
    ["code", "a.yaml"],
    ["explain", "a.yaml", "w"],
    ["certify", "a.yaml", "--no-check"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_takes_the_first_run_or_the_named_one(
    command: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*more: str) -> str:
        assert main([*command, *more]) == 0
        return capsys.readouterr().out

    assert said() == said("--run", "as above") != said("--run", "larger")
    assert main([*command, "--run", "Exampel 2"]) == 2
    words = "derive: a.yaml: there is no run 'Exampel 2'; did you mean 'Example 2'?\n"
    assert capsys.readouterr().err == words


def test_exercises_are_of_the_named_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["--run", "larger", "-o", "larger"], ["-o", "first"]
    for more in names:
        assert main(["exercise", "a.yaml", "--to", "html", *more]) == 0
    assert main(["exercise", "a.yaml", "--to", "html", "-o", "larger"]) == 2
    assert "holds sheets of another spec" in capsys.readouterr().err


def test_from_python(file: Path) -> None:
    runs = derive.load_runs("a.yaml")
    assert list(runs) == ["as above", "Example 2", "larger", "updates"]
    assert derive.load("a.yaml", "larger") == runs["larger"]
    assert derive.load("a.yaml") == runs["as above"]
    assert derive.load_runs("article") == {}


BAD = [
    (
        "an unknown field",
        "inputs: {x: [2, 2]}",
        "input: {x: [2, 2]}",
        "a.yaml:17: runs.1.input: unknown field 'input'; did you mean 'inputs'?",
    ),
    (
        "another shape",
        "inputs: {x: [2, 2]}",
        "inputs: {x: [[2, 2], [1]]}",
        "a.yaml:17: runs.1.inputs.x.1: the shape must be 2 x 2, but here is a list of 1",
    ),
    (
        "no such parameter",
        "parameters: {w: [1, 2, 3]}",
        "parameters: {v: [1, 2, 3]}",
        "a.yaml:23: runs.2.parameters.v: neither the spec nor every run gives 'v'; known: w",
    ),
    (
        "a print of nothing",
        'name: y, printed: "0.6"',
        'name: z, printed: "0.6"',
        "a.yaml:19: runs.1.published.0.name: ",
    ),
    (
        "a sample of nothing",
        "{x: [0, 1]}]",
        "{z: [0, 1]}]",
        "a.yaml:28: runs.3.samples.1.z: ",
    ),
    (
        "a name that is there already",
        "name: Example 2",
        "name: as above",
        "two runs are called 'as above'",
    ),
    ("no name", "  - name: Example 2\n    ", "  - ", "the field 'name' is missing"),
    (
        "an empty name",
        "name: Example 2",
        "name: ' '",
        "a.yaml:16: runs.1.name: a run needs a name on one line, such as 'Example 2'",
    ),
    (
        "both lengths",
        "training: {epochs: 2}",
        "training: {epochs: 2, steps: 1}",
        "a.yaml:29: runs.3.training: give either steps or epochs, not both",
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), [row[1:] for row in BAD], ids=[r[0] for r in BAD])
def test_what_is_wrong_with_a_run_is_said_at_its_place(old: str, new: str, words: str) -> None:
    assert old in MODEL
    with pytest.raises(InputError) as caught:
        file = parsed(MODEL.replace(old, new))
        for name in run_names(file):
            build(run_of(file, name))
    assert words in str(caught.value)


def test_what_is_wrong_in_data_of_a_run_is_said_at_its_place() -> None:
    text = NETWORK.replace("inputs: [3, 4]", "inputs: [3, 4, 5]")
    with pytest.raises(InputError, match=r"^a\.yaml:7: runs\.1\.data\.inputs"):
        build(run_of(parsed(text), "two"))
    text = text.replace("half_squared_error", "huber")
    with pytest.raises(InputError, match=r"^a\.yaml:7: runs\.1\.data\.inputs"):
        build(run_of(parsed(text), "two"))
