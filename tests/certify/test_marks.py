"""The marks of a page: they stand where there is a theorem, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from derive.build import build
from derive.certify import CheckError, checker, marked
from derive.certify.run import Unfinished
from derive.certify.words import Theorem, about_number
from derive.cli import main
from derive.commands import writing
from derive.notation import Name
from derive.pipeline import Made, make
from derive.render.blocks import Block
from derive.render.document import latex
from derive.render.sheet import Display
from derive.spec import parse_spec
from derive.verify.report import Route, Status
from tests.certify_support import ALL, made, told

FILE = "my_1.5.v"
MARKED = re.compile(r"\\proven\n\\begin\{equation\}\\label\{([^{}]*)\}")


@cache
def carrying(name: str) -> Made:
    """What is made of a spec, with the marks of its certificate."""
    return replace(made(name), certificate_file=FILE)


def page_routes(name: str, texts: dict[str, str]) -> list[Route]:
    routes = carrying(name).verify(texts, {}).routes
    return [route for route in routes if route.name in ("page ko", "page en")]


@pytest.mark.parametrize("name", ALL)
def test_a_page_with_marks_says_nothing_else(name: str) -> None:
    for language, text in made(name).texts.items():
        with_marks = carrying(name).texts[language]
        assert r"\proven" not in text
        body = with_marks.partition(r"\begin{document}")[2].replace("\\proven\n", "")
        before, _, closing = body.rpartition(r"\section*{")
        assert text.partition(r"\begin{document}")[2].startswith(before.rstrip())
        assert r"my\_1.5.v" in closing
        assert set(MARKED.findall(with_marks)) == carrying(name).page.proven


@pytest.mark.parametrize("name", ["article", "softmax"])
def test_a_page_with_marks_is_read_back(name: str) -> None:
    routes = page_routes(name, dict(carrying(name).texts))
    assert routes
    for route in routes:
        assert route.status is Status.AGREES, route.detail


@pytest.mark.parametrize(("name", "label"), [("article", "eq:chain_w5"), ("softmax", "eq:z")])
def test_a_mark_without_a_theorem_is_seen(name: str, label: str) -> None:
    start = rf"\begin{{equation}}\label{{{label}}}"
    texts = {k: t.replace(start, f"\\proven\n{start}") for k, t in carrying(name).texts.items()}
    for route in page_routes(name, texts):
        assert route.status is Status.DISAGREES
        assert "has no theorem" in route.detail


def test_a_mark_that_is_lost_is_seen() -> None:
    texts = {k: t.replace("\\proven\n", "", 1) for k, t in carrying("article").texts.items()}
    for route in page_routes("article", texts):
        assert "no mark says so" in route.detail


ABOUT = [
    ("article", "the printed dE_total/dw5", {"eq:dE_dw5"}),
    ("article", "dE/dw5 is the derivative of the loss", {"eq:dE_dw5"}),
    ("article", "the printed w5+", {"eq:w5_new"}),
    ("article", "the derivatives of net_o1 by what it reads",
     {"eq:dnet_o1_dw5", "eq:dnet_o1_dw6", "eq:dnet_o1_dout_h1", "eq:dnet_o1_dout_h2"}),
    ("softmax", "dE/dW[2,1] is the derivative of the loss", {"eq:d-W"}),
    ("softmax", "the derivatives of z[1] by what it reads", {"eq:d-z-x", "eq:d-z-W", "eq:d-z-b"}),
    ("softmax", "the printed dE1/dz[0]", {"eq:at-dE1_dz_0"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "about", "labels"), ABOUT)
def test_a_mark_falls_with_its_theorem(name: str, about: str, labels: set[str]) -> None:
    found = made(name).certificate
    fewer = replace(
        found,
        derivatives=tuple(t for t in found.derivatives if t.about != about),
        prints=tuple(t for t in found.prints if t.about != about),
    )
    problem, page = told(name)
    there = marked(problem, made(name).derivation, page, found, FILE).proven
    left = marked(problem, made(name).derivation, page, fewer, FILE).proven
    assert left < there
    assert there - left == labels


def test_a_slope_whose_number_alone_has_a_theorem_is_not_marked() -> None:
    problem, page = told("article")
    entry = replace(page.numbers["w5+"], name=Name("dq_dr", "q", "dq/dr"))
    shown = Block("net", {"display": Display("eq:dq_dr", "q", ("1",), "1")})
    page = replace(
        page, blocks=(*page.blocks, shown), numbers={**page.numbers, entry.name.report: entry}
    )
    found = made("article").certificate
    more = replace(found, prints=(*found.prints, Theorem("q", "", about_number("dq/dr"))))
    assert "eq:dq_dr" not in marked(problem, made("article").derivation, page, more, FILE).proven


def test_at_a_kink_no_derivative_is_marked() -> None:
    text = "title: t\ninputs: {x: 0.5}\nparameters: {w: 0.0}\nmodel: ['y = relu(w*x)']\nloss: E = y"
    found = replace(make(build(parse_spec(text, "k.yaml", "k"))), certificate_file=FILE)
    assert not [label for label in found.page.proven if "d-" in label]
    assert "eq:y" in found.page.proven


def test_a_page_of_formulas_marks_derivatives() -> None:
    text = "title: t\ninputs: {x: {shape: [2]}}\nparameters: {w: {shape: [2]}}\n"
    text += "model: ['y = tanh(sum(i, w[i]*x[i]))']\nloss: E = y**2"
    found = replace(make(build(parse_spec(text, "k.yaml", "k"))), certificate_file=FILE)
    assert {"eq:d-w", "eq:d-y"} <= found.page.proven
    assert not {"eq:y", "eq:E"} & found.page.proven
    assert "theorems" not in latex(found.page, "en")


def test_equations_with_letters_are_marked_by_theorems_for_all_letters() -> None:
    text = "title: t\ninputs: {x: {shape: [20]}}\nparameters: {w: {shape: [12, 20]}}\n"
    text += "model: ['y[k] = tanh(sum(i, w[k,i]*x[i]))']\nloss: E = sum(k, y[k]**2)"
    found = replace(make(build(parse_spec(text, "k.yaml", "k"))), certificate_file=FILE)
    assert {"eq:d-w", "eq:d-y", "eq:d-y-w"} <= found.page.proven
    assert not {"eq:y", "eq:E"} & found.page.proven
    without = tuple(t for t in found.certificate.derivatives if "dE/dw is" not in t.about)
    fewer = replace(found.certificate, derivatives=without)
    left = marked(found.problem, found.derivation, found.page, fewer, FILE).proven
    assert found.page.proven - left == {"eq:d-w"}


# --- the command ----------------------------------------------------------------------------


def ask(tmp_path: Path) -> int:
    options = ["--language", "en", "--certificate", f"{tmp_path}/n.v", "-o", f"{tmp_path}/n.tex"]
    return main(["latex", "neuron", *options])


@pytest.mark.skipif(checker() is None, reason="Coq is not installed")
@pytest.mark.slow
def test_the_command_marks_what_was_checked(tmp_path: Path) -> None:
    assert ask(tmp_path) == 0
    assert MARKED.findall((tmp_path / "n.tex").read_text("utf-8"))
    assert "Qed." in (tmp_path / "n.v").read_text("utf-8")


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [(CheckError("no", "w1"), 1, "refused at w1"), (Unfinished("it slept"), 2, "it slept")],
)
def test_nothing_is_written_if_the_proof_is_not_accepted(
    fault: Exception,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(text: str, program: str) -> None:
        raise fault

    monkeypatch.setattr(writing, "checker", lambda: "coqc")
    monkeypatch.setattr(writing, "check", refuse)
    assert ask(tmp_path) == code
    assert words in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_without_coq_no_page_says_that_it_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert ask(tmp_path) == 2
    assert "apt-get install" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]
