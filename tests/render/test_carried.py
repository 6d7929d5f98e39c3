"""Numbers are carried rounded where they can be, with digits enough, and the page says how."""

from __future__ import annotations

from fractions import Fraction

import pytest
from mpmath import mp

import derive
from derive.numbers import DIGITS, MANY_DIGITS, MOST_DIGITS, MoreDigits, MustBeUnrounded, summed
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.explain_values import explain_values
from derive.spec import parse_spec

NETWORK = (
    "network: {{inputs: 1, layers: [{{dense: 1, activation: logistic}}], "
    "loss: binary_cross_entropy}}\nparameters: {{W1: [[{net}]], b1: [0]}}\n"
    "data: {{inputs: [1], targets: [0]}}\n"
)
MODEL = (
    "parameters: {{w: {net}}}\nmodel: [p = logistic(w)]\nloss: E = -log(1 - p)\n"
    "numbers: {{chained: true}}\n"
)
SAID = {
    "en": ("full value, since going on with rounded values would lead", "as one does by hand"),
    "ko": ("반올림한 값으로 계산을 이어 가면", "손으로 계산할 때처럼"),
}


def problem(text: str) -> Problem:
    return derive.build(parse_spec(text, "carried.yaml", "carried"))


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize("text", [NETWORK, MODEL], ids=["network", "model"])
def test_the_page_says_how_it_goes_on(text: str, language: str) -> None:
    unrounded, rounded = SAID[language]
    for net, said, unsaid in ((2, rounded, unrounded), (12, unrounded, rounded)):
        page = " ".join(derive.make(problem(text.format(net=net))).texts[language].split())
        assert said in page, net
        assert unsaid not in page, net


@pytest.mark.parametrize(("net", "loss"), [(12, "12"), (110, "110"), (300, "300"), (900, "900")])
@pytest.mark.parametrize("text", [NETWORK, MODEL], ids=["network", "model"])
def test_what_is_left_of_a_saturated_output_has_its_digits(text: str, net: int, loss: str) -> None:
    page = derive.make(problem(text.format(net=net))).page
    losses = {name: e.text for name, e in page.numbers.items() if name in ("E", "E_total")}
    assert set(losses.values()) == {loss}


ROUNDING = (
    "inputs: {{x: [0.3, 0.6, 0.2]}}\nparameters: {{w: [0.5, -0.2, 0.9], b: 0.4}}\n"
    "model: ['s[k] = w[k]*x[k] + b', 'p[k] = softmax(k, s[k])']\nloss: E = -log(p[0])\n"
    "training: {{learning_rate: 0.1, optimizer: {0}, steps: 1}}\n"
)
MOVES = {"gradient_descent": "0.4", "adam": "0.4", "lion": "0.4", "adamw": "0.3996"}


@pytest.mark.parametrize("optimizer", MOVES)
def test_nothing_moves_by_the_rounding_alone(optimizer: str) -> None:
    """The derivative by b is 0, and -0.0001 in numbers of four digits."""
    made = derive.make(problem(ROUNDING.format(optimizer)))
    assert made.page.numbers["b+"].text == MOVES[optimizer]
    said = "since going on with rounded values would lead here to a parameter that moves by nothing"
    assert (said in " ".join(made.texts["en"].split())) == (optimizer != "gradient_descent")
    derivative = made.page.numbers["dE/db"].text
    assert derivative == ("-0.0001" if optimizer == "gradient_descent" else "0")
    told = explain_values(made.problem, made.derivation, "b")
    assert told[1]["printed"] == derivative
    assert made.verify().agree


def test_digits_and_rounding_are_as_they_must_be() -> None:
    asked: list[tuple[int, bool]] = []

    def tell(told: Problem) -> str:
        asked.append((mp.dps, told.numbers.chained))
        if told.numbers.chained:
            raise MustBeUnrounded
        if mp.dps < MOST_DIGITS:
            raise MoreDigits
        return "told"

    told, page = carried(problem(NETWORK.format(net=2)), tell)
    assert page == "told"
    assert told.numbers.gave_up
    digits = (DIGITS, MANY_DIGITS, MOST_DIGITS)
    assert asked == [(DIGITS, True), *((most, False) for most in digits)]


def test_a_sum_of_rationals_is_exact_and_never_asks() -> None:
    parts = [Fraction(1, 3), Fraction(1, 10**80), Fraction(-1, 3)]
    assert summed(parts) == Fraction(1, 10**80)
