"""TeX takes every page without a fault that a reader would see."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import derive
from derive import typeset as module
from derive.typeset import ADVICE, ENGINES, TypesetError, engine, faults, typeset
from tests.render_support import BUILTIN, LANGUAGES, Small, made
from tests.sampled import sampled

ARTICLE = [("article", language) for language in LANGUAGES]
OTHERS = [  # of each two pages the one in English and in Korean in turn comes first
    (name, language)
    for k, name in enumerate(name for name in BUILTIN if name != "article")
    for language in (LANGUAGES if k % 2 else LANGUAGES[::-1])
]
GOOD = r"\documentclass{article}\begin{document}Text.\end{document}"
LOG = r"""
This is XeTeX
Overfull \hbox (12.3pt too wide) in paragraph at lines 5--6
Underfull \hbox (badness 10000) in paragraph at lines 7--8
LaTeX Warning: Reference `eq:x' on page 1 undefined on input line 9.
LaTeX Warning: There were undefined references.
LaTeX Font Warning: Font shape `TU/lmr/bx/sc' undefined
Missing character: There is no ㄱ in font lmroman10-regular!
Overfull \hbox (12.3pt too wide) in paragraph at lines 5--6
Overfull \vbox (3.0pt too high) has occurred while \output is active
"""


def needs(program: str) -> Any:
    missing = shutil.which(program) is None
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")


XELATEX, LUALATEX = needs("xelatex"), needs("lualatex")
ANY = pytest.mark.skipif(engine() is None, reason="no TeX engine is installed")


# --- without TeX ----------------------------------------------------------------------------------


def test_faults_are_what_a_reader_would_see() -> None:
    assert faults(LOG) == (
        r"Overfull \hbox (12.3pt too wide) in paragraph at lines 5--6",
        "LaTeX Warning: Reference `eq:x' on page 1 undefined on input line 9.",
        "LaTeX Warning: There were undefined references.",
        "Missing character: There is no ㄱ in font lmroman10-regular!",
    )
    assert faults("This is XeTeX\nOutput written on page.pdf (3 pages).\n") == ()


@pytest.mark.parametrize(
    ("installed", "expected"),
    [((), None), (("lualatex",), "lualatex"), (("lualatex", "xelatex"), "xelatex")],
)
def test_the_first_engine_that_is_installed(
    installed: tuple[str, ...], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name in installed else None)
    assert engine() == expected
    assert ENGINES[0] in ADVICE.lower()


def run_as(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    monkeypatch.setattr(module.subprocess, "run", run)


def test_an_engine_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **options: Any) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    run_as(monkeypatch, hang)
    with pytest.raises(TypesetError, match=r"xelatex did not finish within \d+ seconds"):
        typeset(GOOD, "xelatex")


def test_an_engine_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypesetError, match="no-such-engine could not be run"):
        typeset(GOOD, "no-such-engine")


def test_runs_until_references_are_settled_and_never_with_a_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = []

    def engine_(command: list[str], cwd: Path, **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        again = "LaTeX Warning: Label(s) may have changed." if len(commands) < 2 else ""
        (cwd / "page.log").write_text(again, encoding="utf-8")
        (cwd / "page.pdf").write_bytes(b"%PDF")
        return subprocess.CompletedProcess(command, 0, b"", b"")

    run_as(monkeypatch, engine_)
    assert typeset(GOOD, "xelatex").pdf == b"%PDF"
    assert len(commands) == 2
    assert all("-no-shell-escape" in command for command in commands)


def test_a_refusal_without_a_log_shows_what_was_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, 1, b"no format file \xff", b"")

    run_as(monkeypatch, refuse)
    with pytest.raises(TypesetError, match="no format file"):
        typeset(GOOD, "xelatex")


# --- with TeX -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.tex
@XELATEX
@pytest.mark.parametrize(("name", "language"), ARTICLE)
def test_the_article(name: str, language: str) -> None:
    made_pdf = typeset(made(name).texts[language], "xelatex")
    assert made_pdf.faults == ()
    assert made_pdf.pdf.startswith(b"%PDF")


@pytest.mark.tex
@pytest.mark.slow
@XELATEX
@pytest.mark.parametrize(("name", "language"), sampled(OTHERS, 9))
def test_every_built_in_problem(name: str, language: str) -> None:
    assert typeset(made(name).texts[language], "xelatex").faults == ()


@pytest.mark.tex
@pytest.mark.slow
@LUALATEX
@pytest.mark.parametrize(("name", "language"), [*ARTICLE, *sampled(OTHERS, 31)])
def test_the_other_engine(name: str, language: str) -> None:
    assert typeset(made(name).texts[language], "lualatex").faults == ()


@pytest.mark.tex
@pytest.mark.slow
@XELATEX
@pytest.mark.parametrize(
    "small",
    [
        Small((3, 3, 1), ("tanh", "logistic"), "half_squared_error", ("none", "none"), seed=None),
        Small((4, 3), ("softmax",), "categorical_cross_entropy", ("none",)),
        Small((1, 2, 2), ("relu", "softmax"), "half_squared_error", ("shared", "each")),
        Small((9, 9, 9), ("tanh", "identity"), "half_squared_error", ("each", "each"), batch=3),
        Small((2, 2, 2), ("tanh", "logistic"), "binary_cross_entropy", ("each", "each"),
              numbers="{decimals: 12, chained: false}"),
        Small((2, 14), ("softmax",), "categorical_cross_entropy", ("each",)),
    ],
    ids=["symbolic", "softmax", "coupled", "wide", "long numbers", "many outputs"],
)  # fmt: skip
def test_other_shapes(small: Small) -> None:
    text = derive.make(small.problem(), ["en"]).texts["en"]
    assert typeset(text, "xelatex").faults == ()


@pytest.mark.tex
@ANY
def test_the_same_source_makes_the_same_file() -> None:
    program = str(engine())
    source = GOOD.replace("Text.", r"\label{a}\ref{a} $x^2$")
    assert typeset(source, program).pdf == typeset(source, program).pdf


@pytest.mark.tex
@pytest.mark.slow
@XELATEX
def test_the_article_is_the_same_file_again() -> None:
    source = made("article").texts["ko"]
    assert typeset(source, "xelatex").pdf == typeset(source, "xelatex").pdf


@pytest.mark.tex
@ANY
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (r"\nosuchcommand", "Undefined control sequence"),
        ("$x", "Missing \\$ inserted"),
        (r"\begin{center} x", "ended by"),
    ],
)
def test_a_broken_document_is_refused_in_the_words_of_tex(body: str, words: str) -> None:
    with pytest.raises(TypesetError, match=words):
        typeset(GOOD.replace("Text.", body), str(engine()))


@pytest.mark.tex
@ANY
def test_a_document_may_not_run_programs() -> None:
    source = GOOD.replace("Text.", r"\immediate\write18{touch was-here}Text.")
    assert typeset(source, str(engine())).pdf
    assert not list(Path.cwd().glob("was-here"))


@pytest.mark.tex
@ANY
def test_faults_of_a_real_log() -> None:
    body = r"\ref{nowhere} \hbox to \textwidth{\rule{50cm}{1pt}} \fontencoding{TU}\selectfont ㄱ"
    found = typeset(GOOD.replace("Text.", body), str(engine())).faults
    assert any("nowhere" in fault for fault in found)
    assert any("Missing character" in fault for fault in found)
