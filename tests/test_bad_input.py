"""Bad input: exit code 2, a message with file, line and field, no traceback, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive.cli import main
from derive.errors import InputError, LanguageError, cut, told

GOOD = """\
network:
  inputs: [i1, i2]
  layers:
    - {dense: [h1, h2], activation: logistic}
    - {dense: [o1], activation: logistic}
  loss: half_squared_error
parameters:
  W1: [[0.1, 0.2], [0.3, 0.4]]
  b1: [0, 0]
  W2: [[0.5, 0.6]]
  b2: [0.1]
data:
  inputs: [1, 2]
  targets: [0.5]
"""

# what is replaced, by what, the line that the message names, and words that it contains
CASES = [
    ("loss: half", "los: half", "6", "did you mean 'loss'?"),
    ("dense: [o1]", "dens: [o1]", "5", "did you mean 'dense'?"),
    (
        "activation: logistic}\n  loss",
        "activation: logstic}\n  loss",
        "5",
        "did you mean 'logistic'?",
    ),
    ("half_squared_error", "half_square_error", "6", "did you mean 'half_squared_error'?"),
    ("W1: [[0.1, 0.2], [0.3, 0.4]]", "W1: [[0.1, 0.2], [0.3]]", "8", "2 x 2"),
    ("W1: [[0.1, 0.2], [0.3, 0.4]]", "W1: [[0.1, 0.2], [0.3, x]]", "8", "a number"),
    ("  b2: [0.1]\n", "", "7", "'b2' is missing"),
    ("  W2:", "  W3:", "10", "known: W1, W2, b1, b2"),
    ("b1: [0, 0]", "b1: [.inf, 0]", "9", "not a finite decimal number"),
    ("b1: [0, 0]", "b1: [.nan, 0]", "9", "not a finite decimal number"),
    ("b1: [0, 0]", "b1: [1e999, 0]", "9", "too large"),
    ("b1: [0, 0]", "b1: [0, 0", "", "this is not YAML"),
    ("inputs: [1, 2]", "inputs: [1, 2, 3]", "13", "1 x 2"),
    ("  targets: [0.5]\n", "", "12", "targets are missing"),
    ("[h1, h2]", "[h1, h-2]", "4", "is no name"),
    ("[h1, h2]", "[h1, lambda]", "4", "reserved word"),
    (
        "[o1], activation: logistic",
        "[o1], activation: softmax",
        "5",
        "over a single unit is always 1",
    ),
    ("[h1, h2]", "[h1, alpha]", "4", "reserved word"),
    ("[h1, h2]", "[h1, h1]", "4", "used twice"),
    ("[h1, h2]", "[]", "4", "at least one unit"),
    ("[h1, h2]", "-2", "4", "greater than or equal to 1"),
    (
        "activation: logistic}\n  loss",
        'activation: "f(x) = x.real"}\n  loss',
        "5",
        "not in the language",
    ),
    (
        "activation: logistic}\n  loss",
        "activation: \"f(x) = __import__('os')\"}\n  loss",
        "5",
        "not in the language",
    ),
    ("b1: [0, 0]", "b1: !!python/object/apply:os.system ['true']", "9", "not allowed"),
    ("b1: [0, 0]", "b1: [0, 0]\n  b1: [0, 0]", "10", "given twice"),
    ("network:", "- network:", "", ""),
    (GOOD, "", "", "a spec is a mapping"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), CASES)
def test_the_message_names_the_place(
    old: str, new: str, line: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in GOOD
    spec = tmp_path / "bad.yaml"
    spec.write_text(GOOD.replace(old, new), "utf-8")
    output = tmp_path / "output"
    code = main(["build", str(spec), "--no-pdf", "--output", str(output)])
    message = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in message
    assert f"{spec}:{line}:" in message if line else str(spec) in message
    assert words in message
    assert not output.exists()


def test_the_good_spec_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "good.yaml"
    spec.write_text(GOOD, "utf-8")
    assert main(["build", str(spec), "--no-pdf", "--output", str(tmp_path / "output")]) == 0
    assert "verified:" in capsys.readouterr().out
    assert len(list((tmp_path / "output").iterdir())) == 5


def test_an_output_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("here", "utf-8")
    assert main(["build", "--no-pdf", "--output", str(tmp_path / "file" / "below")]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "artikel"], "did you mean 'article'?"),
        (["explain", "article"], "say also what of it, as in `derive explain article w1`"),
        (["explain", "kalman_filter"], "`derive explain kalman_filter q`"),
        (["explain", "w99"], "there is no weight 'w99'"),
        (["explain", "w" * 300], "there is no weight 'w"),
        (["code", "/"], "is a folder"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_message_quotes_no_more_than_a_line() -> None:
    """However long the input is, and wherever in it the mistake."""
    long = "x" * 100_000
    error = LanguageError(f"{long} + ? + {long}", 100_003, "what is this")
    reason, shown, caret = told(error).splitlines()
    assert reason == "what is this"
    assert shown[caret.index("^")] == "?"
    assert len(shown) < 120


def test_a_message_has_no_endless_line_and_not_too_many() -> None:
    lines = told(InputError("\n".join(["y" * 10_000] * 1000))).splitlines()
    assert len(lines) == 21
    assert max(map(len, lines)) < 400
    assert lines[-1] == "and 980 more lines like these"


@pytest.mark.parametrize("text", ["short", "two\nlines", "x" * 1000])
def test_what_is_quoted_is_on_one_line(text: str) -> None:
    assert len(cut(text)) <= 60
    assert "\n" not in cut(text)
    assert cut(text)[0] == text[0]


LONG = "a" * 59
LONG_NAMES = f"""\
inputs: {{{LONG}x: [1, 2]}}
define:
  layers:
    {LONG}b:
      inputs: ["{LONG}x[...,{LONG}i]"]
      parameters: ["{LONG}W[{LONG}i]"]
      equations: |
        {LONG}z[...,{LONG}i] = {LONG}x[...,{LONG}i]*{LONG}W[{LONG}i]
        y[...,{LONG}i] = tanh({LONG}z[...,{LONG}i]) + {LONG}z[...,{LONG}i]
parameters: {{{LONG}w: [1, 2]}}
model:
  - layer: {LONG}b
    name: {LONG}n
    inputs: {LONG}x
    operands: {{{LONG}W: {LONG}w}}
    output: {LONG}y
loss: {LONG}E = sum({LONG}i, {LONG}y[{LONG}i]**2)
training: {{optimizer: adam, learning_rate: 0.01}}
"""


@pytest.mark.parametrize("text", [LONG_NAMES, f"inputs: {{{LONG}x: 1}}\nloss: E = {LONG}x**2\n"])
def test_the_longest_names_hold_everywhere(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / f"{LONG}.yaml"
    spec.write_text(text, "utf-8")
    assert main(["build", str(spec), "--no-pdf", "--output", str(tmp_path / "out")]) == 0
    assert f"{LONG}.report.json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f"inputs: {{{LONG}xy: 1}}\nloss: E = x**2", 1, "at most 60 characters"),
        (f"inputs: {{x: [1]}}\nloss: E = sum({LONG}xy, x[{LONG}xy])", 2, "at most 60 characters"),
        (f"inputs: {{x: [1]}}\nmodel: ['{LONG}xy = 2']\nloss: E = x", 2, "at most 60 characters"),
        (f"inputs: {{x: [1]}}\nmodel: ['y[{LONG}xy] = 2']\nloss: E = x", 2, "at most 60"),
        ("inputs: {x: {shape: null}}\nloss: E = x**2", 1, "the value is missing"),
        ("inputs: {x: null}\nloss: E = x**2", 1, "the value is missing"),
        ("inputs: {x: 1}\nmodel: [' ']\nloss: E = x**2", 2, "there is no equation"),
        ('title: "a\\ud800"\ninputs: {x: 1}\nloss: E = x**2', 1, "the character U+D800"),
        ('title: "a\\0"\ninputs: {x: 1}\nloss: E = x**2', 1, "the character U+0000"),
        ('inputs: {"x\\e[2J": 1}\nloss: E = x**2', 1, "the character U+001B"),
        ("inputs: {? [a] : 1}\nloss: E = x**2", 1, "a field name must be plain text"),
        ("inputs: {!!binary eA==: 1}\nloss: E = x**2", 1, "a field name must be plain text"),
        (
            "title: {xx: Un reseau}\ninputs: {x: 1}\nloss: E = x**2",
            1,
            "'ko', 'en', 'de', 'fr', 'es', 'ja' or 'zh'",
        ),
        ("inputs: {1: 1}\nloss: E = x**2", 1, "'1' is no name"),
        ("inputs: {a/../b: 1}\nloss: E = x**2", 1, "'a/../b' is no name"),
    ],
)
def test_what_is_no_name_and_no_text(
    text: str, line: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(text, "utf-8")
    assert main(["verify", str(spec)]) == 2
    message = capsys.readouterr().err
    assert f"a.yaml:{line}:" in message and words in message
