"""The numbers of an update: lines of an optimizer, layers one by one, the pass after it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import product

import pytest

from derive.build import build
from derive.certify import CheckError, certify, check
from derive.library.optimizers import ROWS
from derive.pipeline import Made, make
from derive.spec import parse_spec
from tests.certify_support import PROGRAM, SECONDS, check_theorems, needs_coq
from tests.sampled import sampled

NEURON = """\
title: A neuron behind a neuron
inputs: {{x: [0.5, -0.2]}}
parameters: {{w: [0.3, 0.4], u: 0.7}}
targets: {{t: 0.3}}
model: ["h = tanh(sum(i, w[i]*x[i]))", "y = u*h"]
loss: "E = (y - t)**2/2"
training: {{{training}, learning_rate: 0.1}}
numbers: {{chained: {chained}}}
"""
BACK = "order: layer_by_layer"
TRAININGS = (*(f"optimizer: {row.name}" for row in ROWS if not row.looks_around), BACK)
AROUND = (*(f"optimizer: {row.name}" for row in ROWS if row.looks_around), "clip: {norm: 1}")
NEW = ("w[0]+", "w[1]+", "u+", "h+", "y+", "E+")


@cache
def trained(training: str, chained: bool) -> Made:
    """What is made of a neuron that is trained once."""
    text = NEURON.format(training=training, chained=str(chained).lower())
    return make(build(parse_spec(text, "n.yaml", "n")))


@pytest.mark.parametrize("chained", [True, False])
@pytest.mark.parametrize("training", TRAININGS)
def test_every_number_of_an_update_has_a_theorem(training: str, chained: bool) -> None:
    found = trained(training, chained).certificate
    assert not found.without
    about = {theorem.about for theorem in found.prints}
    assert {f"the printed {each}" for each in ("w[0]+", "w[1]+", "u+", "y+", "E+")} <= about


@pytest.mark.parametrize("training", AROUND)
def test_what_looks_at_other_entries_is_listed_as_without_a_theorem(training: str) -> None:
    found = trained(training, True).certificate
    assert tuple(about for about, _ in found.without) == NEW
    assert {"the printed E", "the printed dE/du"} <= {theorem.about for theorem in found.prints}


def test_numbers_on_the_way_have_a_theorem_where_a_page_goes_on_with_prints() -> None:
    about = {theorem.about for theorem in trained("optimizer: adam", True).certificate.prints}
    assert {"the printed m of w[0]+", "the printed v of u+"} <= about
    about = {theorem.about for theorem in trained(BACK, True).certificate.prints}
    assert "the printed adj_y by then" not in about  # it reads nothing that has changed
    assert "the printed adj_w[0] by then" in about


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(
    ("training", "chained"),
    [("optimizer: adam", True), ("optimizer: nesterov", False), (BACK, True), (BACK, False)],
)
def test_updates_are_checked(training: str, chained: bool) -> None:
    check_theorems(trained(training, chained).certificate)


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(
    ("report", "training"),
    sampled(product(["w[1]+", "u+", "y+", "E+"], ["optimizer: adam", BACK]), 3),
)
def test_a_wrong_digit_of_an_update_is_refused_where_it_is(report: str, training: str) -> None:
    made = trained(training, True)
    problem, page = made._written
    entry = page.numbers[report]
    number = Decimal(entry.text or "")
    text = f"{number + Decimal(2).scaleb(number.adjusted() - 3):f}"
    numbers = {**page.numbers, report: replace(entry, text=text, page=Fraction(text))}
    found = certify(problem, made.derivation, replace(page, numbers=numbers))
    with pytest.raises(CheckError) as refusal:
        check(found.text, PROGRAM, SECONDS)
    assert found.about(refusal.value.theorem) == f"the printed {report}"
