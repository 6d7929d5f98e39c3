"""One weight as plain text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mpmath import mp

import derive
from derive.cli import main
from derive.commands import telling
from derive.errors import InputError
from derive.proofread import parse_formula
from derive.render.explain import explain
from derive.render.explain_model import explain_model
from derive.render.explain_numbers import fitted
from tests.render_support import NETWORKS, made

FORWARD = """\
Forward pass
  net_h1 = i1·w1 + i2·w2
         = 0.05·0.15 + 0.1·0.2 = 0.0275
  net_h2 = i1·w3 + i2·w4
         = 0.05·0.25 + 0.1·0.3 = 0.0425
  out_h1 = 1/(1 + e^(-net_h1))
         = 1/(1 + e^(-0.0275)) = 0.5069
"""
W5 = """\
The gradient of w5, factor by factor
  dE_total/dw5 = dE_total/dout_o1 × dout_o1/dnet_o1 × dnet_o1/dw5
  dE_total/dout_o1 = out_o1 - target_o1
                   = 0.5943 - 0.01 = 0.5843
  dout_o1/dnet_o1 = out_o1·(1 - out_o1)
                  = 0.5943·(1 - 0.5943) = 0.2411
  dnet_o1/dw5 = out_h1
              = 0.5069
  dE_total/dw5 = dE_total/dout_o1 × dout_o1/dnet_o1 × dnet_o1/dw5
               = 0.5843 × 0.2411 × 0.5069 = 0.07141
  w5+ = w5 - alpha·dE_total/dw5
      = 0.35 - 0.5·0.07141 = 0.3143
"""


def lines(name: str, weight: str, forward: bool = False) -> str:
    told = explain(made(name).problem, made(name).derivation, weight, forward)
    return "".join(f"{line}\n" for line in told)


def test_an_output_weight_word_for_word() -> None:
    assert lines("article", "w5") == W5


def test_the_forward_pass_stands_before_it_if_asked_for() -> None:
    text = lines("article", "w5", forward=True)
    assert text.startswith(FORWARD)
    assert text.endswith("\n\n" + W5)


def test_a_hidden_weight_shows_both_paths() -> None:
    text = lines("article", "w1")
    start, *factors = text.splitlines()
    assert start == "The gradient of w1, factor by factor"
    assert factors[0].strip() == ("dE_total/dw1 = dE_total/dout_h1 × dout_h1/dnet_h1 × dnet_h1/dw1")
    shown = [line.split(" = ")[0].strip() for line in factors if line[2] != " "]
    assert shown == [
        "dE_total/dw1",
        "dout_h1/dnet_h1",
        "dE_total/dout_o1",
        "dout_o1/dnet_o1",
        "dE_total/dout_o2",
        "dout_o2/dnet_o2",
        "dnet_o1/dout_h1",
        "dnet_o2/dout_h1",
        "dE_total/dout_h1",
        "dnet_h1/dw1",
        "dE_total/dw1",
        "w1+",
    ]
    assert factors[-1].strip() == "= 0.15 - 0.5·0.0001235 = 0.1499"


def test_a_broken_sum_goes_on_below_its_beginning() -> None:
    broken = lines("article", "w1").partition("dE_total/dout_h1 = ")[2].splitlines()[:5]
    assert broken == [
        "dE_total/dnet_o1 × dnet_o1/dout_h1",
        "                     + dE_total/dnet_o2 × dnet_o2/dout_h1",
        "                   = dE_total/dout_o1 × dout_o1/dnet_o1 × dnet_o1/dout_h1",
        "                     + dE_total/dout_o2 × dout_o2/dnet_o2 × dnet_o2/dout_h1",
        "                   = 0.5843 × 0.2411 × 0.35 + (-0.3714) × 0.2359 × 0.45 = 0.00988",
    ]


@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "digits"])
def test_the_numbers_are_those_of_the_page(name: str) -> None:
    """Plain text and page are told from one story, so they print the same results."""
    whole = made(name)
    page = whole.page
    for line in explain(whole.problem, whole.derivation, "w1"):
        left, _, right = line.partition(" = ")
        entry = page.numbers.get(left.strip())
        if entry is not None and entry.text is not None and " = " in right:
            assert right.rpartition(" = ")[2] == entry.text


@pytest.mark.parametrize("weight", ["w9", "W5", "", "b1", "net_o1"])
def test_an_unknown_weight(weight: str) -> None:
    with pytest.raises(InputError, match=f"there is no weight '{weight}'"):
        lines("article", weight)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(("name", "asked"), [("gru_by_hand", "Ur[0,1]"), ("article", "w1")])
def test_lines_fit_a_window_and_say_the_same(name: str, asked: str, width: int) -> None:
    problem = derive.load(name)
    derivation = derive.differentiate(problem.graph, problem.wanted)
    tell = explain_model if problem.is_model else explain
    told = tell(problem, derivation, asked)
    parts = [part for line in told for part in fitted(line, width)]
    assert "".join("".join(parts).split()) == "".join("".join(told).split())
    unbreakable = max(len(word) for line in told for word in line.split())
    assert max(map(len, parts)) <= max(width, unbreakable + width // 2)
    assert [line for line in told if len(line) <= width] == [p for p in parts if p in told]


def test_only_a_window_breaks_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["explain", "gru_by_hand", "Ur"]) == 0
    piped = capsys.readouterr().out
    monkeypatch.setattr(telling, "_window", lambda: 70)
    assert main(["explain", "gru_by_hand", "Ur"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, piped.splitlines())) > 100 >= 30 + max(map(len, shown.splitlines())) - 20
    assert "".join(shown.split()) == "".join(piped.split())


def asked(capsys: pytest.CaptureFixture[str], *names: str) -> dict[str, dict[str, Any]]:
    assert main(["explain", *names, "--json"]) == 0
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)}


def test_any_value_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "article", "w5")
    assert list(found) == ["w5", "dE_total/dw5", "w5+"]
    assert found["w5"]["formula"] is None and found["w5"]["printed"] == "0.35"
    slope = found["dE_total/dw5"]
    numbers = made("article").page.numbers
    assert slope["printed"] == numbers["dE_total/dw5"].text == "0.07141"
    assert mp.almosteq(mp.mpf(slope["exact"]), numbers["dE_total/dw5"].exact, 1e-15)
    assert slope["formula"]["text"].startswith("dE_total/dw5 = dE_total/dout_o1 × ")
    assert parse_formula(slope["formula"]["latex"].partition(" = ")[2]).free_symbols
    assert list(asked(capsys, "out_h1")) == ["out_h1", "dE_total/dout_h1", "out_h1+"]

    found = asked(capsys, "gru_by_hand", "Ur[0,1]@1")
    assert list(found) == ["Ur[0,1]@1", "dL/dUr[0,1]@1"]
    assert found["Ur[0,1]@1"]["indices"] == [0, 1]
    assert found["Ur[0,1]@1"]["printed"] == "7.10137"
    table = asked(capsys, "gru_by_hand", "h")
    page = derive.make(derive.load("gru_by_hand")).page.numbers
    assert len(table) == 12 and all(v["printed"] == page[n].text for n, v in table.items())


def test_no_value_is_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "article", "w55", "--json"]) == 2
    assert "did you mean" in capsys.readouterr().err
    assert main(["explain", "digits", "W1", "--json"]) == 2
    assert "without numbers" in capsys.readouterr().err
    assert main(["explain", "tiny_rnn", "Wxh", "--json", "--order", "2"]) == 2


FAR = {
    "W": """\
inputs: {x: [1, 2]}
parameters: {W: [[-200, 3], [1, 2]], b: 3e12}
model: ["y[k] = exp(sum(i, W[k,i]*x[i]))*b"]
loss: E = sum(k, y[k]**2)
""",
    "w1": """\
network: {inputs: 1, layers: [{dense: 1, activation: logistic}, {dense: 1}],
  loss: half_squared_error}
parameters: {W1: [[-60]], b1: [0], W2: [[1e12]], b2: [0]}
data: {inputs: [1], targets: [0]}
""",
}


@pytest.mark.parametrize("asked", FAR)
def test_numbers_far_from_one_are_short_in_a_terminal(asked: str) -> None:
    problem = derive.build(derive.spec.parse_spec(FAR[asked], "far.yaml", "far"))
    derivation = derive.make(problem).derivation
    tell = explain_model if problem.is_model else explain
    told = "\n".join(tell(problem, derivation, asked))
    assert "e-" in told
    assert "\\" not in told
    assert "00000000" not in told
