"""The page in Markdown: the same words and numbers, read back by the proof-reader."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import derive
from derive.builtin import builtin_names
from derive.cli import main
from derive.render.document import escape as tex_escape
from derive.render.markdown import MATH, escape, markdown
from derive.spec import parse_spec
from tests.render_support import made

NAMES = [name for name in builtin_names() if name not in {"many_rounds", "deep", "digits"}]
TAG = re.compile(r"\\tag\{(\d+)\}")
SMALL = (
    "inputs: {x: [1, 2]}\nparameters: {w: [0.5, 0.25]}\nloss: E = sum(i, w[i]*x[i])**2\n"
    "training: {learning_rate: 0.1, optimizer: OPTIMIZER, steps: 40}\n"
)


@pytest.mark.parametrize(
    ("name", "language"), [(name, ("en", "ko")[k % 2]) for k, name in enumerate(NAMES)]
)
def test_a_page_in_markdown_says_what_the_page_says(
    name: str, language: str, tmp_path: Path
) -> None:
    whole = made(name)
    text = markdown(whole.page, language)
    tags = TAG.findall(text)
    assert tags == [str(k + 1) for k in range(len(tags))]
    labels = re.findall(r"\\label\{(eq:[^{}]*)\}", whole.texts[language])
    assert len(tags) == len(set(labels))
    assert "+ -" not in text
    prose = MATH.sub("", text)
    assert not re.search(r"\\[A-Za-z]|[{}~$]", prose)
    file = tmp_path / "page.md"
    file.write_text(text, "utf-8")
    assert main(["check", str(file)]) == 0


def test_references_have_the_numbers_of_their_equations() -> None:
    text = markdown(derive.make(derive.load("article"), ["en"]).page, "en")
    (before, after), *_ = re.findall(r"from \((\d+)\) and \$[^$]*\$ from \((\d+)\)", text)
    error, slope = (
        next(d for d in MATH.findall(text) if f"\\tag{{{number}}}" in d)
        for number in (before, after)
    )
    assert error.startswith("$$\n\\begin{aligned}\n\\frac{\\partial E_{\\mathrm{total}}}")
    assert "\\partial \\mathrm{out}_{o1}" in slope


def test_nothing_is_said_of_pictures() -> None:
    spec = SMALL.replace("OPTIMIZER", "gradient_descent")
    made = derive.make(derive.build(parse_spec(spec, "spec.yaml", "spec")), ["en"])
    assert "Figure" in made.texts["en"]
    text = markdown(made.page, "en")
    assert "Figure" not in text and "tikz" not in text


def test_pictures_that_a_graph_draws_lie_beside_the_text(tmp_path: Path) -> None:
    file = tmp_path / "my page.md"
    assert main(["markdown", "max_pooling", "--language", "de", "-o", str(file)]) == 0
    text = file.read_text("utf-8")
    shown = re.findall(r"!\[([^\]]+)\]\(([^)]*)\)\n\n\*Abbildung (\d): ", text)
    assert [(name, number) for _, name, number in shown] == [
        ("my%20page-window-Z.svg", "1"),
        ("my%20page-window-d-A.svg", "2"),
    ]
    for alt, name, number in shown:
        drawn = (tmp_path / name.replace("%20", " ")).read_text("utf-8")
        assert f"{alt}</desc>" in drawn
        assert f"Abbildung {number} zeigt ein Fenster" in text
    assert main(["check", str(file)]) == 0
    book = derive.make(derive.load("max_pooling"), ["en"]).notebook("en")
    assert book.count("](data:image/svg+xml;base64,") == 2


@pytest.mark.parametrize(
    ("title", "printed"),
    [
        ("a_b *c* [d](e) `f` $g$", r"a\_b \*c\* \[d\](e) \`f\` \$g\$"),
        ("<script>alert(1)</script> & #1", r"&lt;script&gt;alert(1)&lt;/script&gt; &amp; \#1"),
        ("one\ntwo\\three", r"one two\\three"),
    ],
)
def test_the_words_of_a_user_are_printed_as_they_are(title: str, printed: str) -> None:
    assert escape(title) == printed


def test_what_tex_escapes_is_plain_between_formulas() -> None:
    own = "define: {optimizers: {my_own: {equations: w = w - alpha*g}}}\n"
    spec = SMALL.replace("OPTIMIZER", "my_own") + own
    page = derive.make(derive.build(parse_spec(spec, "spec.yaml", "spec")), ["en"]).page
    assert "The rule is my own, for every entry" in markdown(page, "en")
    words = {"words": tex_escape("50% of {a} ~ b_c & <d>")}
    told = replace(
        page, blocks=tuple(replace(b, fields={**b.fields, **words}) for b in page.blocks)
    )
    text = markdown(told, "en")
    assert r"The rule is 50% of {a} \~ b\_c &amp; &lt;d&gt;, for every" in text


def test_the_command_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.md"
    assert main(["markdown", "neuron", "--language", "ko", "-o", str(file)]) == 0
    assert file.read_text("utf-8").startswith("# ")
    capsys.readouterr()
    assert main(["markdown", "neuron"]) == 0
    assert capsys.readouterr().out.startswith("# ")
