"""What is more than memory or time are for is refused in words, where the spec asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive import amount
from derive.cli import main
from derive.limits import LARGEST, MOST_DIGITS, too_many

LAYER = "{dense: 2, activation: tanh}"
CHAIN = "x" + " + x" * 100


def network(inputs: object, layers: str, more: str = "") -> str:
    loss = "half_squared_error"
    return f"network:\n  inputs: {inputs}\n  layers: [{layers}]\n  loss: {loss}\n{more}"


def names(count: int) -> str:
    return str([f"u{k}" for k in range(count)])


def loss(text: str, values: str = "1") -> str:
    return f"inputs: {{x: {values}}}\nloss: 'E = {text}'\n"


# what is asked for, where it stands, what the message says of it
CASES = [
    (
        "entries of a shape",
        "inputs: {x: {shape: [4000, 4000]}}\nloss: E = x[0,0]\n",
        "1: inputs.x.shape: this has 16,000,000 entries; a quantity has at most 10,000,000",
    ),
    (
        "entries of a shape with a long side",
        "inputs: {x: {shape: [99999999999]}}\nloss: E = x[0]\n",
        "1: inputs.x.shape: this has 99,999,999,999 entries",
    ),
    (
        "values that fill a shape",
        "inputs: {x: {shape: [600, 600], values: 1}}\nloss: 'E = sum(i, j, x[i,j])'\n",
        "1: inputs.x: with these there are 360,000 values; a spec has at most 250,000 of them",
    ),
    (
        "values of several quantities",
        "inputs:\n  x: {shape: [400, 400], values: 1}\n  y: {shape: [400, 400], values: 1}\n"
        "loss: 'E = x[0,0]*y[0,0]'\n",
        "3: inputs.y: with these there are 320,000 values; a spec has at most 250,000 of them",
    ),
    (
        "values of several samples",
        "inputs: {x: {shape: [200, 200]}}\nloss: 'E = x[0,0]'\n"
        "samples: [" + ", ".join(["{x: 1}"] * 9) + "]\n",
        "3: samples.6.x: with these there are 280,000 values; a spec has at most 250,000 of them",
    ),
    (
        "entries that a model computes",
        "inputs: {x: {shape: [4000]}}\nmodel: ['y[i,j] = x[i]*x[j]']\n"
        "loss: 'E = sum(i, j, y[i,j])'\n",
        "2: model.0: 'y' has 16,000,000 entries; a quantity has at most 10,000,000",
    ),
    (
        "entries of what a layer computes",
        "inputs: {x: {shape: [1000, 50]}}\n"
        "model:\n  - {layer: dense, inputs: x, name: y, sizes: {h: 20000}}\n"
        "loss: 'E = sum(i, h, y[i,h])'\n",
        "3: model.0: 'y' has 20,000,000 entries; a quantity has at most 10,000,000",
    ),
    (
        "terms that an equation adds up",
        "inputs: {x: {shape: [2000]}}\nmodel: ['y[i] = sum(j, k, x[i]*x[j]*x[k])']\n"
        "loss: 'E = sum(i, y[i])'\n",
        "2: model.0: the equation of 'y' adds up 8,000,000,000 terms",
    ),
    (
        "weights of a network",
        network(5000, LAYER.replace("2", "5000")),
        "3: network.layers.0: this has 25,000,000 entries; a quantity has at most 10,000,000",
    ),
    (
        "layers",
        network(2, ", ".join([LAYER] * 1001)),
        "3: network.layers: here are 1,001 layers; a network has at most 1,000",
    ),
    (
        "names of units",
        network(names(10_001), LAYER),
        "2: network.inputs: here are 10,001 names; a list of units has at most 10,000",
    ),
    (
        "units",
        network(100_001, LAYER),
        "2: network.inputs: this must be less than or equal to 100000",
    ),
    (
        "equations",
        "inputs: {x: 1}\nmodel: [" + ", ".join(f"a{k} = x" for k in range(3_001)) + "]\n",
        "2: model: here are 3,001 equations and layers; a model has at most 3,000",
    ),
    (
        "equations in one text",
        "inputs: {x: 1}\nmodel: ['" + "; ".join(f"a{k} = x" for k in range(3_001)) + "']\n",
        "2: model.0: here are 3,001 equations; a model has at most 3,000",
    ),
    (
        "samples",
        "inputs: {x: 1}\nloss: E = x\nsamples: [" + ", ".join(["{x: 1}"] * 10_001) + "]\n",
        "3: samples: here are 10,001 samples; a spec has at most 10,000",
    ),
    (
        "printed numbers",
        loss("x") + "published: [" + ", ".join(["{name: E, printed: '1'}"] * 10_001) + "]\n",
        "3: published: here are 10,001 printed numbers; a spec has at most 10,000",
    ),
    (
        "updates",
        network(2, LAYER, "training: {steps: 1000001}\n"),
        "5: training.steps: this must be less than or equal to 1000000",
    ),
    (
        "a number of a late update",
        "parameters: {w: 1}\nloss: E = w**2\npublished: [{name: w@999999, printed: '1'}]\n",
        "3: published.0.name: update 999,999 is too far to be followed digit by digit; "
        "here 272,727 is the last",
    ),
    (
        "characters",
        loss("x + " * 5000 + "x"),
        "2: loss: this formula has 20,001 characters; one has",
    ),
    ("brackets", loss("(" * 500 + "x" + ")" * 500), "2: loss: this is nested too deeply"),
    ("minus signs", loss("-" * 5000 + "x"), "2: loss: this is nested"),
    ("functions", loss("tanh(" * 70 + "x" + ")" * 70), "2: loss: this is nested more than 60 deep"),
    ("digits", loss("x*" + "1" * 41), "2: loss: this number has 41 digits; one has at most 40"),
    ("a large number", loss("x*1e101"), "2: loss: this number is too large; one is at most 10^100"),
    ("a large value", loss("x", "1e101"), "1: inputs.x: this number is too large or too long"),
    ("a long value", loss("x", "1" * 61), "is not a finite decimal number of at most 60 digits"),
    (
        "axes",
        loss(f"x[{','.join('0' * 13)}]", "[" * 13 + "1" + "]" * 13),
        "1: inputs.x: 'x' has 13 axes; a quantity has at most 12",
    ),
    (
        "axes of what is computed",
        "inputs: {x: [1, 2]}\nmodel: ['y[a,b,c,d,f,g,h,i,j,k,l,m,n] = "
        + "*".join(f"x[{letter}]" for letter in "abcdfghijklmn")
        + "']\nloss: 'E = y["
        + ",".join("0" * 13)
        + "]'\n",
        "2: model.0: 'y' has 13 axes; a quantity has at most 12",
    ),
    ("lists", loss("x", "[" * 41 + "1" + "]" * 41), "nested more than 40 deep"),
]


@pytest.mark.parametrize(("text", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_more_than_a_limit_is_refused(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(text, "utf-8")
    assert main(["verify", str(spec)]) == 2
    said = capsys.readouterr().err
    assert f"a.yaml:{words}" in said if words[0].isdigit() else words in said


@pytest.mark.parametrize(
    "text",
    [
        loss(CHAIN),
        loss("x*" + "1" * MOST_DIGITS),
        loss("x*1e100"),
        loss("x", "[" * 12 + "1" + "]" * 12).replace("E = x", f"E = x[{','.join('0' * 12)}]"),
        loss("tanh(" * 58 + "x" + ")" * 58),
    ],
    ids=["a long chain", "digits", "a large number", "axes", "functions"],
)
def test_what_is_within_a_limit_goes_through(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(text, "utf-8")
    assert main(["code", str(spec)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "inputs: {x: [1]}\nmodel: [{layer: softmax, inputs: x, output: y}]\nloss: E = y[0]\n",
            2,
        ),
        (network(2, ", ".join([LAYER] * 2)), 3),
    ],
)
def test_equations_of_layers_are_counted(
    text: str,
    place: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(amount, "MOST_EQUATIONS", 1)
    spec = tmp_path / "a.yaml"
    spec.write_text(text, "utf-8")
    assert main(["verify", str(spec)]) == 2
    said = capsys.readouterr().err
    assert f"a.yaml:{place}: " in said and "at most 1, with those of its layers" in said


STEPS = "a = exp(x); b = exp(a); c = exp(b); d = exp(c)"
LAYERS = ", ".join(["{dense: 1, bias: none, activation: 'f(x) = exp(x)'}"] * 4)
WEIGHTS = "parameters: {W1: [[3]], W2: [[1]], W3: [[1]], W4: [[1]]}\n"
BEYOND = "in the equation of E: a number on the way is beyond 10^1204"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (loss("exp(exp(exp(exp(x))))", "3"), BEYOND),
        (loss("exp(-exp(exp(exp(exp(x)))))", "3"), BEYOND),
        (loss("sin(exp(exp(exp(exp(x)))))", "3"), BEYOND),
        (loss("logistic(exp(exp(exp(exp(x)))))", "3"), BEYOND),
        (loss("softplus(exp(exp(exp(exp(x)))))", "3"), BEYOND),
        (loss("log(1 + exp(exp(exp(exp(exp(x))))))", "3"), BEYOND),
        (loss("x**(x**(x**(x**x)))", "30"), BEYOND),
        (loss("9**(9**(9**x))", "3"), "in the equation of E: this is far more than a page"),
        (loss("x*exp(exp(exp(exp(3))))"), "this power is too large for the language"),
        (f"inputs: {{x: 3}}\nmodel: [{STEPS}]\nloss: E = d\n", "in the equation of c: this is far"),
        (network(1, LAYERS, f"{WEIGHTS}data: {{inputs: [1], targets: [1]}}\n"), "equation of out3"),
        (loss("exp(exp(exp(exp(exp(x)))))", "{shape: []}"), "no value that code can hold"),
        (loss("sum(i, exp(exp(exp(exp(x[i])))))", "{shape: [3]}"), "no value that code can hold"),
    ],
)
def test_towers_of_exponentials_end_in_words(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(text, "utf-8")
    assert main(["build", str(spec), "--no-pdf", "--output", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_tower_that_a_logarithm_takes_down_goes_through(tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text(loss("log(log(exp(exp(exp(exp(x))))))", "3"), "utf-8")
    assert main(["verify", str(spec)]) == 0


@pytest.mark.slow
def test_numbers_that_take_too_long_are_neither_told_nor_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fifteen values, and a sum of 15^5 terms over them."""
    spec = tmp_path / "a.yaml"
    text = loss("sum(a, b, c, d, f, x[a]*x[b]*x[c]*x[d]*x[f])", str([*range(15)]))
    spec.write_text(text, "utf-8")
    assert main(["verify", str(spec)]) == 0
    assert "no numbers; every line was read" in capsys.readouterr().out
    spec.write_text(text + "published: [{name: E, printed: '12762815625'}]\n", "utf-8")
    assert main(["verify", str(spec)]) == 1
    assert "the model is too large for its numbers" in capsys.readouterr().out


def test_a_limit_is_told_with_what_was_found() -> None:
    assert too_many(2000, 1000, "layers", "a network") == (
        "here are 2,000 layers; a network has at most 1,000"
    )
    assert LARGEST == 10**100
