"""The rounds of a training: on the page, in the terminal, and held to numbers of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

import derive
from derive.backprop import differentiate
from derive.errors import InputError
from derive.render.explain_model import explain_model
from derive.spec import parse_spec
from tests.render.model_support import told, wrong

SPEC = """
inputs: {x: 2}
parameters: {w: 1, b: 0.5}
model: ["E = (w*x + b - 1)**2"]
training: {optimizer: OPTIMIZER, learning_rate: 0.1, steps: 3}
"""
SAMPLES = """
parameters: {w: 1}
model: ["E = (w*x - 1)**2"]
inputs: {x: {shape: []}}
samples: [{x: 2}, {x: 3}]
training: {learning_rate: 0.1, steps: 3}
"""
Step = Callable[[float, float, float, float, int], tuple[float, float, float]]


def plain(w: float, g: float, m: float, v: float, k: int) -> tuple[float, float, float]:
    return w - 0.1 * g, m, v


def momentum(w: float, g: float, m: float, v: float, k: int) -> tuple[float, float, float]:
    m = 0.9 * m + g
    return w - 0.1 * m, m, v


def adam(w: float, g: float, m: float, v: float, k: int) -> tuple[float, float, float]:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    down = math.sqrt(v / (1 - 0.999**k)) + 1e-8
    return w - 0.1 * m / (1 - 0.9**k) / down, m, v


STEPS: dict[str, Step] = {"gradient_descent": plain, "momentum": momentum, "adam": adam}


def trained(step: Step) -> list[tuple[float, float, float]]:
    """Loss, w and b before the first update and after each of three."""
    w, b = (1.0, 0.0, 0.0), (0.5, 0.0, 0.0)
    found = []
    for k in range(1, 5):
        error = 2 * w[0] + b[0] - 1
        found.append((error**2, w[0], b[0]))
        w, b = step(w[0], 4 * error, *w[1:], k), step(b[0], 2 * error, *b[1:], k)
    return found


def rows(text: str) -> list[list[float]]:
    """The lines of the table of rounds."""
    table = text.partition("Round after round")[2]
    lines = re.findall(r"^\d+ & (.*) \\\\$", table, re.MULTILINE)
    return [[float(cell) for cell in re.findall(r"\$(.*?)\$", line)] for line in lines]


@pytest.mark.parametrize("optimizer", STEPS)
def test_every_round_stands_in_a_table(optimizer: str) -> None:
    whole = told(f"rounds {optimizer}", SPEC.replace("OPTIMIZER", optimizer))
    found = rows(whole.texts["en"])
    for row, expected in zip(found, trained(STEPS[optimizer]), strict=True):
        assert row == pytest.approx(expected, rel=1e-3)
    assert not wrong(whole.report())


def test_samples_take_turns() -> None:
    whole = told("rounds of samples", SAMPLES)
    w, found = 1.0, []
    for x in (2, 3, 2, 3):
        found.append([(w * x - 1) ** 2, w])
        w -= 0.1 * 2 * (w * x - 1) * x
    assert "take turns" in whole.texts["en"]
    for row, expected in zip(rows(whole.texts["en"]), found, strict=True):
        assert row == pytest.approx(expected, rel=1e-3)
    assert not wrong(whole.report())


def test_a_wrong_digit_in_the_table_is_found() -> None:
    whole = told("rounds adam", SPEC.replace("OPTIMIZER", "adam"))
    entry = whole.page.numbers["w@3"]
    text = whole.texts["en"].replace(f"${entry.text}$", "$0.7777$")
    assert text != whole.texts["en"]
    assert wrong(whole.report(en=text))


@pytest.mark.parametrize("steps", ["1", "1000"])
def test_one_round_or_very_many_have_no_table(steps: str) -> None:
    spec = SPEC.replace("OPTIMIZER", "adam").replace("steps: 3", f"steps: {steps}")
    assert "Round after round" not in told(f"{steps} rounds", spec).texts["en"]


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("w", "dE/dw = 2*("),
        ("w+", "With numbers after one update"),
        ("w@2", "With numbers after 2 updates"),
        ("dE/db @ 3", "With numbers after 3 updates"),
    ],
)
def test_any_round_is_explained(asked: str, line: str) -> None:
    whole = told("rounds momentum", SPEC.replace("OPTIMIZER", "momentum"))
    lines = list(explain_model(whole.problem, whole.derivation, asked))
    assert any(line in each for each in lines)
    expected = trained(momentum)[int(asked[-1]) if asked[-1].isdigit() else asked.endswith("+")]
    if "b" in asked:
        assert any(each.strip() == f"b = {expected[2]:.4g}" for each in lines)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("w@4", "'training: steps:' is 3"),
        ("w@@", "`W@2` is W after 2 updates"),
        ("v@2", "there is no derivative by 'v'"),
    ],
)
def test_a_round_that_is_not_there_is_refused(asked: str, words: str) -> None:
    whole = told("rounds momentum", SPEC.replace("OPTIMIZER", "momentum"))
    with pytest.raises(InputError) as caught:
        list(explain_model(whole.problem, whole.derivation, asked))
    assert words in str(caught.value)


def test_nothing_is_updated_without_training() -> None:
    untrained = SPEC.partition("training:")[0]
    whole = told("untrained", untrained)
    with pytest.raises(InputError, match="nothing is updated"):
        list(explain_model(whole.problem, differentiate(whole.problem.graph), "w@1"))


def trained_page(text: str) -> derive.Made:
    return derive.make(derive.build(parse_spec(text, "spec.yaml", "spec")))


TRAINED = (
    "inputs: {{x: 1.5}}\nparameters: {{w: 0.4}}\ntargets: {{t: 1}}\nmodel: [y = tanh(w*x)]\n"
    "loss: E = (y - t)**2\n"
    "training: {{learning_rate: 0.1, optimizer: {optimizer}, steps: {steps}}}\n"
    "languages: [en]\n{more}"
)


@pytest.mark.parametrize(("optimizer", "step"), [("gradient_descent", plain), ("adam", adam)])
def test_a_long_training_is_drawn(optimizer: str, step: Step) -> None:
    made = trained_page(TRAINED.format(optimizer=optimizer, steps=60, more=""))
    w, m, v = 0.4, 0.0, 0.0
    for k in range(60):
        y = math.tanh(1.5 * w)
        w, m, v = step(w, 2 * (y - 1) * (1 - y * y) * 1.5, m, v, k + 1)
    (block,) = [b for b in made.page.blocks if b.kind == "model_training"]
    mantissa, _, power = block["last"].partition(r" \times 10^")
    last = float(mantissa) * 10 ** int(power.strip("{}") or 0)
    assert last == pytest.approx((math.tanh(1.5 * w) - 1) ** 2, rel=1e-3)
    assert r"\label{fig:training}" in made.texts["en"]


@pytest.mark.parametrize(
    ("steps", "more"), [(12, ""), (60, "samples: [{x: 1.5, t: 1}, {x: 2, t: 1}]\n")]
)
def test_a_short_training_or_one_of_many_samples_is_not(steps: int, more: str) -> None:
    text = TRAINED.format(optimizer="gradient_descent", steps=steps, more=more)
    page = trained_page(text).page
    assert "model_training" not in [block.kind for block in page.blocks]


@pytest.mark.parametrize(
    "text",
    [
        "inputs: {x: 1}\nparameters: {w: 2}\nmodel: [y = w*x]\nupstream: {y: 0.5}\n"
        "training: {learning_rate: 0.1, steps: 60}\n",
        "inputs: {x: 1}\nloss: E = x**2\ntraining: {steps: 60}\n",
    ],
    ids=["no loss is seen", "nothing is trained"],
)
def test_where_there_is_no_training_none_is_drawn(text: str) -> None:
    page = trained_page(text).page
    assert "model_training" not in [block.kind for block in page.blocks]
