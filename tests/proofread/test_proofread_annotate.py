"""The annotated copy: each finding at its place, everything else as it was, no text obeyed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from derive.cli import main
from derive.proofread.annotate import annotated
from derive.proofread.report import checked

WRONG = r"z = 0.7 \cdot 0.6 = 0.43"
LATEX = (
    "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n"
    f"\\begin{{equation}}\\begin{{aligned}}\n{WRONG.replace(' =', ' &=', 1)}\n"
    "\\end{aligned}\\end{equation} and $q_1 = 1 + 1 = 3$.\n\\end{document}\n"
)
HTML = (
    "<html><body><p title='<'>a &amp; b, \\(x = 2 + 2 = 5\\) and more &lt;</p>\n"
    '<span class="katex"><span class="katex-mathml"><math><semantics><mrow></mrow>'
    f'<annotation encoding="application/x-tex">{WRONG}</annotation></semantics></math></span>'
    '<span class="katex-html"><span>z</span></span></span> end\n'
    '<script type="math/tex">y = 1 + 1 = 3</script></body></html>\n'
)
NOTE = re.compile(r'<span class="derive-finding".*?</span>')


def copy(name: str, text: str) -> str:
    return annotated(checked(name, text), text)


def test_latex_stays_latex_and_notes_stand_behind_the_mathematics() -> None:
    made = copy("note.tex", LATEX)
    assert r"\end{aligned}\end{equation}\derivefinding{wrong: z is printed 0.43" in made
    assert r"= 3$\derivefinding{wrong: q\_1 is printed 3" in made
    assert made.index(r"\providecommand{\derivefinding}") < made.index(r"\begin{document}")
    assert re.sub(r"\\(?:derivefinding\{[^}]*\}|providecommand.*\n)", "", made) == LATEX


def test_a_page_stays_the_page_and_notes_stand_behind_its_formulas() -> None:
    made = copy("note.html", HTML)
    assert NOTE.sub("", made) == HTML
    before = [made[: note.start()][-9:] for note in NOTE.finditer(made)]
    assert before == ["more &lt;", "n></span>", "</script>"]


@pytest.mark.parametrize("name", ["note.md", "note.txt"])
def test_of_text_a_page_is_made_that_shows_it(name: str) -> None:
    made = copy(name, f"# Title\n\n$${WRONG}$$ <b>\n")
    assert r"\cdot 0.6 = <mark>0.43</mark>$$<span" in made
    assert "&lt;b&gt;" in made


def test_cells_of_a_notebook() -> None:
    cells = [{"cell_type": "markdown", "source": f"$${WRONG}$$"}]
    made = copy("note.ipynb", json.dumps({"cells": cells}))
    assert "<h2>cell 1</h2>" in made
    assert "<mark>0.43</mark>" in made


HOSTILE = [
    ("n.md", r"$$\mathrm{<script>alert(1)</script>} = 1 + 1 = 3$$"),
    ("n.md", "$$x = 1 + 1 = 3$$</pre><script>alert(1)</script>"),
    ("n.html", r"<html>$$\mathrm{&lt;script&gt;alert(1)} = 1 + 1 = 3$$"),
]


@pytest.mark.parametrize(("name", "text"), HOSTILE)
def test_no_text_of_the_document_becomes_a_script(name: str, text: str) -> None:
    made = copy(name, text)
    assert "3" in made
    assert "<script" not in made


def test_no_text_of_the_document_becomes_a_command() -> None:
    text = r"\begin{document}$\mathrm{a\_\{b\}} = 1 + 1 = 3$\end{document}"
    (note,) = re.findall(r"\\derivefinding\{(.*)\}\\end", copy("n.tex", text))
    assert not re.search(r"(?<!\\)[_{}](?!\})", note.replace(r"\textbackslash{}", ""))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.md", "--annotate", "a.md"], "would take the place"),
        (["a.md", "a.md", "--annotate", "b.html"], "takes one document"),
        (["a.md", "--annotate", "folder"], "is a folder"),
    ],
)
def test_the_copy_is_another_file(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.md").write_text(f"$${WRONG}$$", "utf-8")
    Path("folder").mkdir()
    assert main(["check", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert main(["check", "a.md", "--annotate", "b.html"]) == 1
    assert "<mark>0.43</mark>" in Path("b.html").read_text("utf-8")
