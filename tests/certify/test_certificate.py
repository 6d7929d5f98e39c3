"""The text of a certificate: everything on the page is in it, and nothing steers Coq."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from derive.build import build
from derive.certify import certify
from derive.certify.names import Identifiers, comment, identifier, reserved
from derive.certify.scalars import scalars_of
from derive.certify.words import about_derivative, about_every_derivative
from derive.errors import InputError
from derive.expression import Element
from derive.notation import names_of
from derive.pipeline import make
from derive.scalar import positions
from derive.spec import parse_spec
from tests.certify_support import ALL, made, told
from tests.coq_text import sentences, stray

WORDS = ("Definition", "Lemma", "Theorem", "Hypothesis")


@pytest.mark.parametrize("name", ALL)
def test_every_derivative_and_every_number_has_a_theorem(name: str) -> None:
    problem, page = told(name)
    certificate = made(name).certificate
    about = {t.about for t in certificate.derivatives}
    names = names_of(problem)
    derivation = made(name).derivation
    by = [e.quantity.name.removeprefix("adj_") for e in derivation.backward.equations]
    for each in by:
        for place in positions(problem.graph.quantities[each].axes):
            report = names.name(Element(each, *place)).report
            assert {about_derivative(report), about_every_derivative(each)} & about
    given = {q.name for q in problem.graph.given}
    proven = {t.about.removeprefix("the printed ") for t in certificate.prints}
    listed = {what for what, _ in certificate.without}
    for report, entry in page.numbers.items():
        is_given = report.partition("[")[0] in given or entry.name.code in _given(name)
        if entry.text is not None and not is_given and report != "alpha":
            assert report in proven | listed, report


def _given(name: str) -> set[str]:
    names = names_of(told(name)[0])
    return {names.name(s).code for s in scalars_of(told(name)[0], made(name).derivation).given}


@pytest.mark.parametrize("name", ALL)
def test_a_certificate_holds_only_definitions_and_proofs(name: str) -> None:
    assert not stray(made(name).certificate.text)


def test_the_same_certificate_is_written_again() -> None:
    problem, page = told("article")
    again = certify(problem, made("article").derivation, page)
    assert again.text == made("article").certificate.text


def test_what_has_no_theorem_is_listed() -> None:
    text = "title: t\ninputs: {x: 0.5}\nparameters: {w: 0.0}\nmodel: ['y = relu(w*x)']\nloss: E = y"
    found = make(build(parse_spec(text, "k.yaml", "k"))).certificate
    assert [why for _, why in found.without if "kink" in why]
    assert "No theorem" in found.text


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("y = stop_gradient(w*x)*w", "stop_gradient"),
        ("y = digamma(w*x)", "digamma"),
    ],
)
def test_what_cannot_be_stated_is_refused_in_words(model: str, words: str) -> None:
    text = f"title: t\ninputs: {{x: 0.5}}\nparameters: {{w: 0.3}}\nmodel: ['{model}']\nloss: E = y"
    with pytest.raises(InputError, match=words):
        _ = make(build(parse_spec(text, "k.yaml", "k"))).certificate


def test_without_values_there_are_theorems_and_no_numbers() -> None:
    text = "title: t\ninputs: {x: {shape: [2]}}\nparameters: {w: {shape: [2]}}\n"
    text += "model: ['y = tanh(sum(i, w[i]*x[i]))']\nloss: E = y**2"
    found = make(build(parse_spec(text, "k.yaml", "k"))).certificate
    assert found.derivatives
    assert not found.prints


# --- the border -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "w1",
        "δ_1",
        "exp",
        "forall",
        "moves",
        "a b",
        "1x",
        "_x",
        "",
        "a*)b",
        'q"',
        "x'",
        "가",
        "Qed.",
    ],
)
def test_a_name_becomes_an_identifier(name: str) -> None:
    found = identifier(name)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", found)
    assert found not in reserved()


def test_no_identifier_is_given_twice() -> None:
    made_ = Identifiers()
    found = [made_.new(name) for name in ("a", "a", "a_2", "exp", "exp_", "é", "ue9_")]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "text",
    ["*) Quit. (*", "(* open", '" open', "(*)", "*", ")", "(", "a\nb", "(", "((**))", '"*)"'],
)
def test_a_comment_ends_where_it_ends(text: str) -> None:
    line = comment(text)
    assert "\n" not in line
    assert [*sentences(f"{line}\nDefinition a := 1.")] == ["Definition a := 1."]
    assert line.count("(*") == line.count("*)") == 1
    assert '"' not in line


def test_the_words_of_the_prelude_are_reserved() -> None:
    assert {"logistic", "moves_plus", "surely_not_below", "over_only"} <= reserved()


def test_a_hostile_sentence_is_seen() -> None:
    good = made("neuron").certificate.text
    assert stray(f"{good}\nQuit.")
    assert stray(good.replace("Section Derivation.", 'Redirect "x" Print nat.'))
    assert stray(f"{good}\nAxiom a : False.")
    assert stray(f"(* (* open *)\n{good}")


def test_the_certificate_of_a_renamed_network_differs_only_in_names() -> None:
    problem, page = told("neuron")
    title = replace(problem, title={"en": "*) Axiom a : False. (*"})
    found = certify(title, made("neuron").derivation, page).text
    assert not stray(found)
    assert found.splitlines()[1:] == made("neuron").certificate.text.splitlines()[1:]


def test_what_is_too_near_an_edge_for_bounds_is_listed() -> None:
    spec = parse_spec(
        "inputs: {x: 1.5}\ntargets: {t: 0}\nparameters: {w: 400}\n"
        "model: [y = logistic(w*x)]\nloss: E = -t*log(y) - (1 - t)*log(1 - y)\n",
        "my.yaml",
        "my",
    )
    certificate = make(build(spec)).certificate
    assert {what for what, why in certificate.without if "no bounds" in why} == {"E", "dE/dy"}
    assert "the printed y" in {theorem.about for theorem in certificate.prints}
