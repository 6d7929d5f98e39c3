"""Functions of the language: each has a rule with a proof, or is named as one that has none."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from derive.build import build
from derive.certify import CheckError, certify, check
from derive.certify.words import about_local
from derive.errors import InputError
from derive.functions import BY_NAME
from derive.pipeline import Made, make
from derive.spec import parse_spec
from tests.certify_support import PROGRAM, SECONDS, check_theorems, needs_coq, with_local
from tests.sampled import sampled

WITHOUT = {"floor", "lgamma", "digamma", "stop_gradient"}
TWO = {"atan2": "atan2(w*x, 1 + w)", "max": "max(w*x, 0)", "min": "min(w*x, 0)"}
TWO |= {"greater": "where(w*x > 0, w, x)*w", "at_least": "where(w*x >= 0, w, x)*w"}
TWO |= {"where": "where(x > 0, w, w**2)"}
RULED = sorted(name for name in BY_NAME if name not in WITHOUT)


@cache
def using(name: str, chained: bool = True) -> Made:
    """What is made of a spec with a function."""
    text = "title: t\ninputs: {x: 0.5}\nparameters: {w: 0.3}\n"
    text += f"model: ['y = {TWO.get(name, f'{name}(w*x + 0.2)')}']\nloss: E = y**2\n"
    text += f"numbers: {{chained: {str(chained).lower()}}}\n"
    return make(build(parse_spec(text, "f.yaml", "f")))


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_what_has_no_rule_is_named(name: str) -> None:
    with pytest.raises(InputError, match=name):
        _ = using(name).certificate


@pytest.mark.parametrize("name", RULED)
def test_every_other_function_has_theorems(name: str) -> None:
    found = using(name).certificate
    assert about_local("y") in {theorem.about for theorem in found.derivatives}
    assert not found.without


NEW = ("asin", "acos", "atan2", "erf")


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "chained"), sampled(product(NEW, [True, False]), 5))
def test_functions_are_checked_with_their_numbers(name: str, chained: bool) -> None:
    check_theorems(using(name, chained).certificate)


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "factor"), sampled(product(NEW, [-1, 2]), 5))
def test_a_wrong_slope_of_a_function_is_refused_where_it_is(name: str, factor: int) -> None:
    made = using(name)
    problem, page = made._written
    local = made.derivation.local("y", "w")
    found = certify(problem, with_local(made.derivation, local, factor * local.value), page)
    with pytest.raises(CheckError) as refusal:
        check(found.text, PROGRAM, SECONDS)
    assert found.about(refusal.value.theorem) == about_local("y")


SOLVED = """\
parameters: {A: [[0, 1], [2, 3]], b: [1, 2]}
model: [{layer: solve, name: x, inputs: {A: A, b: b}, output: y}]
loss: E = sum(i, y[i]**2)
"""


@needs_coq
@pytest.mark.slow
def test_the_choice_of_a_pivot_is_checked() -> None:
    """Of largest values, choices and absolute values of exact numbers all are exact."""
    found = make(build(parse_spec(SOLVED, "solved.yaml", "solved"))).certificate
    assert not found.without
    check(found.text, PROGRAM, SECONDS)
