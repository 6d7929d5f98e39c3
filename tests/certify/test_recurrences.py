"""Recurrences: one theorem for any number of steps, by induction over them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

import pytest
import sympy

from derive.build import build
from derive.certify import CheckError, certify, check
from derive.certify.certificate import Certificate
from derive.certify.families import families_of
from derive.certify.steps import plain_name
from derive.certify.terms import Unprovable
from derive.certify.words import about_every_derivative, about_every_local
from derive.expression import Element, elements
from derive.graph import Derivation
from derive.pipeline import Made, make
from derive.scaffold import scaffold
from derive.spec import parse_spec
from tests.certify_support import CHANGES as KINDS
from tests.certify_support import (
    PROGRAM,
    RNN,
    SECONDS,
    check_theorems,
    needs_coq,
    with_adjoint,
    with_local,
)
from tests.coq_text import stray
from tests.sampled import sampled

STARTED = """\
title: A network that starts somewhere
inputs: {x: [[1], [0.5], [-1]]}
targets: {t_out: [0.5, 0.2, -0.1]}
constants: {h0: [0, 0.1]}
parameters: {W: [[0.5], [-0.3]], U: [[0.1, 0.2], [-0.2, 0.3]], v: [1, -1]}
model:
  - |
    h[t,k] = tanh(sum(i, W[k,i]*x[t,i]) + sum(j, U[k,j]*h[t-1,j]))
    h[-1,k] = h0[k]
  - y[t] = sum(k, v[k]*h[t,k])
loss: E = sum(t, (y[t] - t_out[t])**2)/2
"""
LEAKY = """\
title: A leaky sum
inputs: {x: [1, 0.5, -1, 0.2], a: [0.5, 0.4, 0.3, 0.2]}
parameters: {w: 0.3}
model: ["h[t] = a[t]*h[t-1] + w*x[t]"]
loss: "E = sum(t, h[t]**2)/2"
"""
TWO = """\
title: One recurrent network behind another
inputs: {x: {shape: [3, 3]}}
parameters:
  y_W: {shape: [3, 3]}
  y_U: {shape: [3, 3]}
  y_b: {shape: [3]}
  z_W: {shape: [2, 3]}
  z_U: {shape: [2, 2]}
  z_b: {shape: [2]}
model: [{layer: rnn, name: y, inputs: x, output: y}, {layer: rnn, name: z, inputs: y, output: z}]
loss: "E = sum(t, k, z[t,k]**2)/2"
"""
FAR = """\
title: What came two steps before, from trained states, read at the last step
inputs: {x: [1, 0.5, -1, 0.2]}
parameters: {a: 0.3, w: 0.5, p: 0.4, q: 0.1}
model:
  - |
    h[t] = a*h[t-1]*h[t-2] + w*x[t]
    h[-1] = p
    h[-2] = q
  - y = w*h[3]
loss: E = (y - 1)**2/2
"""
FROM_LAST = """\
title: Backward in time, from a trained state
inputs: {x: {shape: [3, 2]}, c: {shape: [3]}}
parameters: {U: {shape: [2, 2]}, v: {shape: [2]}, s: {shape: [2]}}
model:
  - |
    h[t,k] = tanh(c[t]*sum(j, U[k,j]*h[t+1,j]) + v[k]*h[t+2,k]**2 + x[t,k])
    h[3,k] = s[k]
  - y[t] = sum(k, v[k]*h[t+1,k])
loss: E = sum(t, y[t]**2)/2
"""
OWN = {
    "rnn": RNN,
    "started": STARTED,
    "leaky": LEAKY,
    "two": TWO,
    "far": FAR,
    "from last": FROM_LAST,
}
ALL = (*OWN, "gru", "lstm")


@cache
def walked(name: str) -> Made:
    """What is made of a recurrence."""
    text = OWN.get(name) or scaffold(name, False)
    return make(build(parse_spec(text, f"{name}.yaml", name)))


def proven(name: str, derivation: Derivation | None = None) -> Certificate:
    """The certificate of a recurrence, or of a changed one, without numbers."""
    found = walked(name)
    problem, page = found._written
    return certify(problem, derivation or found.derivation, replace(page, numbers={}))


@pytest.mark.parametrize("name", ALL)
def test_a_recurrence_is_not_written_out(name: str) -> None:
    derivation, found = walked(name).derivation, proven(name)
    assert not stray(found.text)
    about = {t.about for t in found.derivatives}
    for equation in derivation.backward.equations:
        by = equation.quantity.name.removeprefix("adj_")
        assert about_every_derivative(by) in about
    for equation in derivation.forward.equations:
        assert about_every_local(equation.quantity.name) in about
    assert re.search("induction|from_the_last", found.text.partition("Section Derivation.")[2])


def test_the_number_of_steps_is_no_other_length() -> None:
    """Three steps of three units from three inputs: the steps have a length of their own."""
    found = proven("two").text
    assert set(re.findall(r"^Variables (\w+) : nat\.$", found, re.M)) == {"steps_1", "n_2", "n_3"}
    assert "forall _t _k : nat, (_t < steps_1)%nat -> (_k < n_3)%nat" in found


def test_a_longer_recurrence_has_the_same_theorems() -> None:
    longer = LEAKY.replace("0.2]", "0.2, " + ", ".join(["0.3"] * 36) + "]")
    found = make(build(parse_spec(longer, "l.yaml", "l")))
    problem, page = found._written
    text = certify(problem, found.derivation, replace(page, numbers={})).text
    assert (
        text.replace("steps_1_is_40", "steps_1_is_4").replace("= 40.", "= 4.")
        == proven("leaky").text
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("h[t] = w*h[t-1] + x[t]*x[t-1]", "computed place"),
        ("h[t,i] = w*h[t-1,0] + x[t]*z[i]", "computed place"),
        ("h[i,t] = w*h[i,t-1] + x[t]*z[i]", "no first index"),
        ("h[i,t] = w*h[i,t-1] + w*h[i-1,t] + x[t]*z[i]", "several indices"),
    ],
)
def test_what_is_no_walk_from_step_to_step_is_written_out(model: str, words: str) -> None:
    both = "z[i]" in model
    given = f"inputs: {{x: [1, 2, 3]{', z: [1, 2]' * both}}}\nparameters: {{w: 0.3}}\n"
    at = "i,t" if "h[i,t]" in model else "t,i"
    loss = f"sum(i, t, h[{at}]**2)" if both else "sum(t, h[t]**2)"
    text = f"title: t\n{given}model: ['{model}']\nloss: E = {loss}\n"
    derivation = make(build(parse_spec(text, "r.yaml", "r"))).derivation
    with pytest.raises(Unprovable, match=words):
        families_of(derivation)


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ALL, 2))
def test_recurrences_are_checked(name: str) -> None:
    check_theorems(proven(name))


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "started"])
def test_recurrences_are_checked_with_their_numbers(name: str) -> None:
    found = walked(name).certificate
    assert found.prints
    check_theorems(found)


# --- faults ---------------------------------------------------------------------------------


def refused_at(found: Certificate) -> str:
    """What the theorem is about at which a certificate is refused."""
    with pytest.raises(CheckError) as refusal:
        check(found.text, PROGRAM, SECONDS)
    return found.about(refusal.value.theorem)


def wrong(name: str) -> Iterator[tuple[str, str, Derivation]]:
    """Each adjoint with the wrong sign, factor, place, or something left out."""
    derivation = walked(name).derivation
    for equation in derivation.backward.equations:
        own = equation.quantity.name
        for kind in ("sign", "factor", "left out"):
            rhs = KINDS[kind](equation.rhs)
            if rhs not in (equation.rhs, 0):
                yield kind, own, with_adjoint(derivation, own, rhs)
        for each in dict.fromkeys(elements(equation.rhs)):
            near = _nearer(each)
            if near is not None:
                yield (
                    "step",
                    own,
                    with_adjoint(derivation, own, equation.rhs.xreplace({each: near})),
                )
            turned = Element(each.name, *reversed(each.indices))
            if len({str(i) for i in each.indices} & {"k", "l", "j"}) == 2:
                yield (
                    "index",
                    own,
                    with_adjoint(derivation, own, equation.rhs.xreplace({each: turned})),
                )


def _nearer(element: Element) -> Element | None:
    """The same two steps away or at a fixed step, but a step nearer, or later."""
    place, *rest = element.indices or (sympy.S.Zero,)
    distance, letter = place.as_coeff_Add()
    if not element.indices or (letter != 0 and abs(distance) < 2):
        return None
    near = place + 1 if letter == 0 and place == 0 else place - (1 if distance > 0 else -1)
    return Element(element.name, near, *rest)


def wrong_steps(name: str) -> Iterator[tuple[str, Derivation]]:
    """Each local derivative by what stands a step back, with a wrong sign or a factor too much."""
    derivation = walked(name).derivation
    for local in derivation.locals:
        if re.search(r" [-+] [12]\b[,)]", str(local.value)):
            yield local.of, with_local(derivation, local, -local.value)
            yield local.of, with_local(derivation, local, 2 * local.value)


ADJOINTS = [
    (name, kind, own, number)
    for name, step in (
        ("rnn", 1),
        ("far", 1),
        ("from last", 1),
        ("started", 2),
        ("gru", 7),
        ("lstm", 9),
    )
    for number, (kind, own, _) in islice(enumerate(wrong(name)), 0, None, step)
]
STEPS = [
    (name, of, number)
    for name, step in (("rnn", 1), ("far", 1), ("from last", 1), ("leaky", 1), ("gru", 4))
    for number, (of, _) in islice(enumerate(wrong_steps(name)), 0, None, step)
]


def test_there_are_faults_of_all_kinds() -> None:
    assert {kind for _, kind, *_ in ADJOINTS} == {"sign", "factor", "index", "step", "left out"}
    assert len(ADJOINTS) + len(STEPS) >= 40


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "own", "number"), sampled(ADJOINTS, 10))
def test_a_wrong_adjoint_is_refused_where_it_is(
    name: str, kind: str, own: str, number: int
) -> None:
    *_, derivation = next(islice(wrong(name), number, None))
    of = own.removeprefix("adj_")
    below = {plain_name(e.by) for e in families_of(derivation).out_of(of)}
    at = {f"every entry of dE/d{each} from those of its readers" for each in (of, *below)}
    assert refused_at(proven(name, derivation)) in at


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "of", "number"), sampled(STEPS, 10))
def test_a_wrong_derivative_by_the_step_before_is_refused_where_it_is(
    name: str, of: str, number: int
) -> None:
    *_, derivation = next(islice(wrong_steps(name), number, None))
    assert refused_at(proven(name, derivation)) == about_every_local(of)
