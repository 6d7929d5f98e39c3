"""Certificates of large derivations: one theorem for all letters, sums as finite sums."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

import pytest

from derive.build import build
from derive.certify import CheckError, certify, check
from derive.certify import certificate as module
from derive.certify.certificate import FURTHER, LARGE, Certificate
from derive.certify.families import families_of
from derive.certify.scalars import count
from derive.certify.terms import Unprovable
from derive.certify.words import about_every_local
from derive.expression import Element, elements
from derive.graph import Derivation
from derive.pipeline import Made, make
from derive.scaffold import scaffold
from derive.spec import parse_spec
from tests.certify_support import (
    PROGRAM,
    SECONDS,
    check_theorems,
    made,
    needs_coq,
    told,
    with_adjoint,
    wrong_adjoints,
    wrong_digits,
    wrong_locals,
)
from tests.coq_text import stray
from tests.sampled import sampled

DENSE = """\
title: Dense 16-32-10
network:
  inputs: 16
  layers: [{dense: 32, activation: tanh}, {dense: 10, activation: logistic}]
  loss: half_squared_error
"""
SOFTMAX = """\
title: 16-32-10 with softmax
inputs: {x: {shape: [16]}}
parameters: {W: {shape: [32, 16]}, b: {shape: [32]}, V: {shape: [10, 32]}, c: {shape: [10]}}
targets: {t: {shape: [10]}}
model:
  - "h[j] = relu(sum(i, W[j,i]*x[i]) + b[j])"
  - "z[k] = sum(j, V[k,j]*h[j]) + c[k]"
  - {layer: softmax, name: y, inputs: z, output: y}
loss: [{loss: categorical_cross_entropy, inputs: [y, t], name: E}]
"""
LAYER_NORM = """\
title: Layer norm over 32
inputs: {x: {shape: [8, 32]}}
parameters: {y_gamma: {shape: [32]}, y_beta: {shape: [32]}}
model: [{layer: layer_norm, name: y, inputs: x, output: y}]
loss: "E = sum(n, k, y[n,k]**2)/2"
"""
BATCH = """\
title: A batch of 20
inputs: {x: {shape: [20, 6]}}
parameters: {W: {shape: [8, 6]}, b: {shape: [8]}}
targets: {t: {shape: [20, 8]}}
model:
  - "z[n,k] = sum(i, W[k,i]*x[n,i]) + b[k]"
  - {layer: softmax, name: y, inputs: z, output: y}
loss: [{loss: categorical_cross_entropy, inputs: [y, t], name: E}]
"""
OWN = {"dense": DENSE, "softmax": SOFTMAX, "layer norm": LAYER_NORM, "batch": BATCH}
SMALL = ("softmax", "attention", "layer_norm", "article")


@cache
def large(name: str) -> Made:
    """What is made of a large spec."""
    return make(build(parse_spec(OWN[name], f"{name}.yaml", name)))


def forced(
    name: str, monkeypatch: pytest.MonkeyPatch, derivation: Derivation | None = None
) -> Certificate:
    """The certificate of a small spec as if it were a large one."""
    monkeypatch.setattr(module, "LARGE", 0)
    problem, page = told(name)
    return certify(problem, derivation or made(name).derivation, page)


@pytest.mark.parametrize("name", OWN)
def test_nothing_is_written_out(name: str) -> None:
    derivation = large(name).derivation
    found = large(name).certificate
    assert count(derivation) > LARGE
    assert not stray(found.text)
    assert len(found.derivatives) < 4 * len(families_of(derivation).edges)
    about = {t.about for t in found.derivatives}
    for equation in derivation.backward.equations:
        by = equation.quantity.name.removeprefix("adj_")
        assert f"every entry of dE/d{by} is the derivative of the loss" in about


@pytest.mark.parametrize("name", SMALL)
def test_numbers_have_theorems_in_either_form(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = forced(name, monkeypatch)
    assert not stray(found.text)
    assert found.prints
    assert {t.about for t in found.prints} <= {t.about for t in made(name).certificate.prints}


LIBRARY = [
    ("causal_attention", "a letter stands as a number"),
    ("batch_norm2d", "mean over several axes"),
    ("categorical_cross_entropy_logits", "a function within a sum"),
    ("max_pool1d", "computed place|maxima and windows"),
]


def test_what_stands_at_computed_places_is_written_out() -> None:
    with pytest.raises(Unprovable, match="computed place"):
        families_of(made("conv1d").derivation)


@pytest.mark.parametrize(("name", "words"), LIBRARY)
def test_what_has_no_theorem_for_all_letters_is_written_out(name: str, words: str) -> None:
    problem = build(parse_spec(scaffold(name, False), f"{name}.yaml", name))
    with pytest.raises(Unprovable, match=words):
        families_of(make(problem).derivation)


PROVEN = ("bilinear", "cosine", "batch_norm", "rms_norm", "additive_attention", "huber", "swiglu")


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(PROVEN, 5))
def test_rows_of_the_library_are_checked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    found = make(build(parse_spec(scaffold(name, False), f"{name}.yaml", name)))
    without_numbers = replace(found.page, numbers={})
    check_theorems(certify(found.problem, found.derivation, without_numbers))


def valued(chained: bool) -> Made:
    """What is made of a large spec with numbers."""
    tables = {
        "inputs": {"x": [k / 100 - 0.1 for k in range(20)]},
        "parameters": {"w": [[(3 * k + i) % 7 / 10 - 0.3 for i in range(20)] for k in range(12)]},
    }
    rule = f"{{significant_digits: 4, chained: {str(chained).lower()}}}"
    text = f"title: t\n{json.dumps(tables)[1:-1].replace('}, ', '}' + chr(10))}\n"
    text += "model: ['y[k] = tanh(sum(i, w[k,i]*x[i]))']\nloss: E = sum(k, y[k]**2)\n"
    return make(build(parse_spec(f"{text}numbers: {rule}\n", "v.yaml", "v")))


@pytest.mark.slow
@pytest.mark.parametrize("chained", [True, False])
def test_every_number_of_a_large_page_has_a_theorem(chained: bool) -> None:
    found = valued(chained).certificate
    given = ("x[", "w[")
    printed = {r for r in valued(chained).page.numbers if not r.startswith(given)} - {"alpha"}
    assert {t.about for t in found.prints} == {f"the printed {report}" for report in printed}
    assert not found.without


@pytest.mark.slow
@pytest.mark.parametrize("chained", [True, False])
def test_of_very_many_numbers_those_of_equations_have_theorems(
    chained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = len(valued(chained).certificate.prints)
    monkeypatch.setattr(module, "MOST_READ", 1200)
    monkeypatch.setattr(module, "MOST_READ_UNROUNDED", 1200)
    made_ = valued(chained)
    found = certify(made_.problem, made_.derivation, made_.page)
    left = [what for what, why in found.without if why == FURTHER]
    assert 100 < len(found.prints) < total
    assert left == [f"{total - len(found.prints)} further numbers"]
    about = {t.about for t in found.prints}
    assert {"the printed y[0]", "the printed E", "the printed dE/dw[0,0]"} <= about


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("chained", sampled([True, False], 2))
def test_numbers_of_large_specs_are_checked(chained: bool) -> None:
    check_theorems(valued(chained).certificate)


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(OWN, 2))
def test_right_certificates_of_large_specs_are_checked(name: str) -> None:
    check_theorems(large(name).certificate)


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_right_certificates_with_numbers_are_checked(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_theorems(forced(name, monkeypatch))


# --- faults ---------------------------------------------------------------------------------


def refused_at(found: Certificate) -> str:
    """What the theorem is about at which a certificate is refused."""
    with pytest.raises(CheckError) as refusal:
        check(found.text, PROGRAM, SECONDS)
    return found.about(refusal.value.theorem)


def numbered(
    found: Iterator[tuple[str, str, object]], step: int, most: int
) -> list[tuple[str, str, int]]:
    """Some faults by their number; a place that is shifted is no letter, and is written out."""
    return [(kind, own, k) for k, (kind, own, _) in enumerate(found) if kind != "index"][::step][
        :most
    ]


def wrong_letters(name: str) -> Iterator[tuple[str, str, Derivation]]:
    """Each adjoint with two letters exchanged at a place, where both run over as many places."""
    derivation = made(name).derivation
    for equation in derivation.backward.equations:
        for each in dict.fromkeys(elements(equation.rhs)):
            turned = Element(each.name, *reversed(each.indices))
            if len(each.indices) == 2 and len({i.axis.size for i in each.indices}) == 1:
                own = equation.quantity.name
                yield (
                    "index",
                    own,
                    with_adjoint(derivation, own, equation.rhs.xreplace({each: turned})),
                )


ADJOINTS = [
    (name, *fault)
    for name, step in (("article", 2), ("softmax", 2), ("layer_norm", 3), ("attention", 2))
    for fault in numbered(wrong_adjoints(name), step, 6)
]
LETTERS = [
    (name, kind, own, number)
    for name in ("article", "attention")
    for number, (kind, own, _) in islice(enumerate(wrong_letters(name)), 8)
]
LOCALS = [
    (name, *fault)
    for name, step in (("article", 2), ("softmax", 2), ("attention", 3))
    for fault in numbered(wrong_locals(name), step, 4)
]
DIGITS = [("article", report) for report, _ in islice(wrong_digits("article"), 0, None, 12)]


def test_there_are_forty_faults_of_all_kinds() -> None:
    assert len(ADJOINTS) + len(LETTERS) + len(LOCALS) + len(DIGITS) >= 40
    assert len(LETTERS) > 5
    assert {kind for _, kind, *_ in ADJOINTS} >= {"sign", "factor", "left out"}


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "own", "number"), sampled([*ADJOINTS, *LETTERS], 10))
def test_a_wrong_adjoint_is_refused_where_it_is(
    name: str, kind: str, own: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = wrong_letters if kind == "index" else wrong_adjoints
    *_, derivation = next(islice(faults(name), number, None))
    of = own.removeprefix("adj_")
    below = {e.by for e in families_of(derivation).out_of(of)}
    at = {f"every entry of dE/d{each} from those of its readers" for each in (of, *below)}
    assert refused_at(forced(name, monkeypatch, derivation)) in at


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "own", "number"), sampled(LOCALS, 10))
def test_a_wrong_local_derivative_is_refused_where_it_is(
    name: str, kind: str, own: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, derivation = next(islice(wrong_locals(name), number, None))
    found = forced(name, monkeypatch, derivation)
    known = {about_every_local(own), f"every equation like that of {own}"}
    assert refused_at(found) in known


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "report"), sampled(DIGITS, 8))
def test_a_wrong_digit_is_refused_where_it_is(
    name: str, report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    page = dict(wrong_digits(name))[report]
    found = certify(told(name)[0], made(name).derivation, page)
    assert refused_at(found) == f"the printed {report}"
