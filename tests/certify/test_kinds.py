"""Equations that are one but for names and sizes: a lemma for all of them, used by name."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from derive.build import build
from derive.certify import CheckError, certify, check
from derive.certify.certificate import Certificate
from derive.certify.words import about_every_local
from derive.graph import Derivation
from derive.pipeline import Made, make
from derive.spec import parse_spec
from tests.certify_support import PROGRAM, SECONDS, check_theorems, needs_coq, with_local
from tests.coq_text import stray
from tests.sampled import sampled

DENSE = """\
title: Three dense layers
network:
  inputs: 16
  layers:
    - {dense: 12, activation: tanh}
    - {dense: 8, activation: tanh}
    - {dense: 4, activation: tanh}
  loss: half_squared_error
"""
RECTIFIED = """\
title: Two rectified layers and softmax
inputs: {x: {shape: [5, 20]}}
parameters: {W: {shape: [16, 20]}, b: {shape: [16]}, V: {shape: [10, 16]}, c: {shape: [10]}}
targets: {t: {shape: [5, 10]}}
model:
  - "h[n,j] = relu(sum(i, W[j,i]*x[n,i]) + b[j])"
  - "z[n,k] = relu(sum(j, h[n,j]*V[k,j]) + c[k])"
  - {layer: softmax, name: y, inputs: z, output: y}
loss: [{loss: categorical_cross_entropy, inputs: [y, t], name: E}]
"""
NORMALISED = """\
title: Two layer norms
inputs: {x: {shape: [8, 32]}}
parameters:
  y_gamma: {shape: [32]}
  y_beta: {shape: [32]}
  z_gamma: {shape: [32]}
  z_beta: {shape: [32]}
model:
  - {layer: layer_norm, name: y, inputs: x, output: y}
  - {layer: layer_norm, name: z, inputs: y, output: z}
loss: "E = sum(n, k, z[n,k]**2)/2"
"""
SOFTMAXES = """\
title: Two softmax layers
inputs: {x: {shape: [20, 12]}}
parameters: {W: {shape: [9, 12]}, V: {shape: [7, 12]}}
model:
  - "a[n,k] = sum(i, W[k,i]*x[n,i])"
  - "b[n,k] = sum(i, V[k,i]*x[n,i])"
  - {layer: softmax, name: y, inputs: a, output: y}
  - {layer: softmax, name: z, inputs: b, output: z}
loss: "E = sum(n, sum(k, y[n,k]**2) + sum(l, z[n,l]**2))"
"""
# For each spec: equations of one kind, the first that has the lemma to its name.
KINDS = {
    "dense": (DENSE, [("net2", "net1", "net3"), ("out1", "out2", "out3")]),
    "rectified": (RECTIFIED, [("h", "z")]),
    "normalised": (NORMALISED, [("y", "z")]),
    "softmaxes": (SOFTMAXES, [("a", "b"), ("y", "z")]),
}


@cache
def several(name: str) -> Made:
    """What is made of a spec with layers of one kind."""
    return make(build(parse_spec(KINDS[name][0], f"{name}.yaml", name)))


def proven(name: str, derivation: Derivation | None = None) -> Certificate:
    """The certificate of layers of one kind, or of what was changed in them."""
    found = several(name)
    problem, page = found._written
    return certify(problem, derivation or found.derivation, replace(page, numbers={}))


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_proven_once_and_used_by_name(name: str) -> None:
    found = proven(name)
    assert not stray(found.text)
    about = {theorem.about: theorem for theorem in found.derivatives}
    for names in KINDS[name][1]:
        assert f"every equation like that of {names[0]}" in about
        for each in names:
            assert f"apply (as_{names[0]} " in about[about_every_local(each)].text


def test_a_kind_says_nothing_of_names_and_lengths() -> None:
    lemma = next(t.text for t in proven("dense").derivatives if t.name == "as_net2")
    assert not {"W2", "out1", "n_12", "n_8"} & set(re.findall(r"\w+", lemma))


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(KINDS, 2))
def test_layers_of_one_kind_are_checked(name: str) -> None:
    check_theorems(proven(name))


FAULTS = [
    ("dense", "net2", "W2", "every equation like that of net2"),
    ("dense", "net3", "W3", about_every_local("net3")),
    ("dense", "net1", "b1", about_every_local("net1")),
    ("dense", "out2", "net2", about_every_local("out2")),
    ("rectified", "h", "x", "every equation like that of h"),
    ("rectified", "z", "V", about_every_local("z")),
    ("softmaxes", "y", "a", "every equation like that of y"),
    ("softmaxes", "z", "b", about_every_local("z")),
]


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("factor", sampled([-1, 2], 2))
@pytest.mark.parametrize(("name", "of", "by", "about"), sampled(FAULTS, 4))
def test_a_wrong_derivative_is_refused_where_it_is(
    name: str, of: str, by: str, about: str, factor: int
) -> None:
    derivation = several(name).derivation
    local = derivation.local(of, by)
    found = proven(name, with_local(derivation, local, factor * local.value))
    with pytest.raises(CheckError) as refusal:
        check(found.text, PROGRAM, SECONDS)
    assert found.about(refusal.value.theorem) == about
