"""Themes: what they change, what they never touch, and what no text in them can do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from derive.backprop import differentiate
from derive.cli import main
from derive.errors import InputError
from derive.interactive import page as interactive
from derive.languages import FORMULA
from derive.pipeline import make
from derive.render.blocks import Page
from derive.render.document import latex
from derive.render.markdown import markdown
from derive.slides.beamer import beamer
from derive.slides.reveal import reveal
from derive.theme import Theme, ThemeSpec, load_theme
from tests.render_support import made
from tests.test_hostile import HOSTILE, changed, harmless, sections, slots

PNG = b"\x89PNG\r\n\x1a\n"
WHOLE = """\
title: {en: Week 3, ko: 3주차}
author: A. Author
logo: logo.png
colours: {forward: "#7a1f5c", back: "#0b6e4f", ink: "#222222", grey: "#777777"}
fonts: {text: DejaVu Serif, signs: NanumGothic}
words: {en: {The forward pass: Forward propagation}}
"""


def theme(folder: Path, text: str) -> Theme:
    """The theme of a text, with a logo beside it."""
    (folder / "theme.yaml").write_text(text, "utf-8", newline="\n")
    (folder / "logo.png").write_bytes(PNG)
    return load_theme(folder)


def beginning() -> Page:
    """The first blocks of a page, which have text, a picture and formulas."""
    page = made("single_neuron").page
    return replace(page, blocks=page.blocks[:7])


def test_each_page_has_what_a_theme_says(tmp_path: Path) -> None:
    own, page = theme(tmp_path, WHOLE), beginning()
    for text in (latex(page, "en", own), beamer(page, "en", own)):
        assert "Week 3" in text and "A. Author" in text and "{logo.png}" in text
        assert r"\definecolor{deriveblue}{HTML}{7A1F5C}" in text
        assert r"\setsansfont{DejaVu Serif}" in text
        assert "{Forward propagation}" in text and "The forward pass" not in text
    assert r"\setsanshangulfont{NanumGothic}" in beamer(page, "ko", own)
    problem = made("single_neuron").problem
    for text in (
        reveal(page, "en", own),
        interactive(problem, differentiate(problem.graph, problem.wanted), "en", own),
    ):
        assert "Week 3" in text and "A. Author" in text and "data:image/png;base64," in text
        assert "--blue: #7A1F5C;" in text and '"DejaVu Serif", "NanumGothic"' in text
    text = markdown(page, "en", own)
    assert text.startswith("# Week 3\n\n*A. Author*\n") and "## Forward propagation" in text
    cells = json.loads(make(problem, theme=own).notebook("en"))["cells"]
    assert "".join(cells[0]["source"]).startswith("# Week 3\n\n*A. Author*")
    assert any("## Forward propagation" in "".join(cell["source"]) for cell in cells)


def test_words_change_no_formula_no_reference_and_no_number(tmp_path: Path) -> None:
    words = ("net", "out", "error", "weight", "eq", "fig", "emph", "section", "update", "The", "is")
    words += ("center", "figure", "tabular", "equation")
    own = Theme(words={"en": tuple((word, "GOOSE") for word in words)})
    page = made("neuron").page
    before, after = latex(page, "en"), latex(page, "en", own)
    assert after.count("GOOSE") > 50
    assert FORMULA.findall(after) == FORMULA.findall(before)
    commands = r"\\(?:begin|end)\{\w+\}|\\[A-Za-z]+(?:\*?\{(?:eq|fig|sec):[^{}]*\})?"
    assert re.findall(commands, after) == re.findall(commands, before)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("titel: x", "theme.yaml:1: titel: unknown field 'titel'; did you mean 'title'?"),
        ("colours: {forward: red}", "colours.forward: String should match pattern"),
        ('fonts: {text: "x}"}', "fonts.text: String should match pattern"),
        ("logo: ../logo.png", "logo: String should match pattern"),
        ("logo: none.png", "there is no file none.png in the folder"),
        ("logo: theme.jpg", "theme.jpg is no picture of the kind that its name says"),
        ("words: {en: {The backward pas: x}}", "'The backward pas' stands in no sentence"),
        ("words: {en: {a: x}}", "'a' is too short to be found"),
        ("- x", "this must be a mapping"),
    ],
)
def test_a_wrong_theme_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "theme.jpg").write_bytes(b"#!/bin/sh")
    with pytest.raises(InputError, match=re.escape(said)):
        theme(tmp_path, text)


def test_a_folder_without_a_theme_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a theme is a folder with a file theme\.yaml"):
        load_theme(tmp_path)


@pytest.mark.slow
def test_hostile_texts_in_every_field(tmp_path: Path) -> None:
    page, texts, taken = beginning(), cycle(HOSTILE), 0
    spec: Any = yaml.safe_load(WHOLE)
    for section, path in sections(ThemeSpec, spec, ()):
        for name, field in section.model_fields.items():
            for slot in slots(field.annotation):
                for text in HOSTILE if name in ("title", "author") else islice(texts, 5):
                    changing = changed(spec, (*path, name), slot(text))
                    try:
                        own = theme(tmp_path, yaml.safe_dump(changing))
                    except InputError:
                        continue
                    taken += 1
                    assert own.logo is None or own.logo.name == "logo.png"
                    said(page, replace(own, words={}))
    assert taken > 30
    for text in HOSTILE[::9]:
        said(page, Theme(words={"en": (("The forward pass", text), ("logistic function", text))}))


def said(page: Page, own: Theme) -> None:
    """No word of a theme is a command on a page."""
    harmless(latex(page, "en", own))
    assert reveal(page, "en", own).count("<script") == 1
    assert "<script" not in markdown(page, "en", own)


def test_the_logo_is_put_beside_the_page_and_replaces_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder := tmp_path / "theme").mkdir()
    theme(folder, WHOLE)
    command = ["latex", "single_neuron", "--theme", str(folder), "-o", str(tmp_path / "x.tex")]
    assert main(command) == 0
    assert (tmp_path / "logo.png").read_bytes() == PNG
    (tmp_path / "logo.png").write_bytes(b"mine")
    assert main(command) == 2
    assert (tmp_path / "logo.png").read_bytes() == b"mine"
    assert "is another file than the logo of the theme" in capsys.readouterr().err
