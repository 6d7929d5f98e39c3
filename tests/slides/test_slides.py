"""Slides: the page cut into frames that nothing runs off, with the page's formulas and numbers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import derive
from derive.cli import main
from derive.languages import LANGUAGES, plain_numbers
from derive.render.blocks import Page
from derive.slides.axes import ticks
from derive.slides.beamer import beamer
from derive.slides.deck import SPARE, TAIL, deck
from derive.slides.height import ROOM, height, text_width
from derive.slides.pieces import BREAK, Drawn, Said, Shown, Tables
from derive.slides.reveal import reveal
from derive.slides.svg import svg
from derive.typeset import engine, typeset
from tests.render_support import BUILTIN, made
from tests.sampled import sampled
from tests.test_hostile import HOSTILE, harmless

FEW = ("article", "max_pooling", "digits")
TOLD = [(name, LANGUAGES[k % len(LANGUAGES)]) for k, name in enumerate(BUILTIN)]
SET = (  # (spec, language): what is compiled, both kinds, all languages
    *(
        ("neuron", "ko"),
        ("gru_by_hand", "zh"),
        ("deep", "de"),
        ("wgan_gp", "es"),
        ("article", "en"),
    ),
    *(("attention_by_hand", "ja"), ("batch_norm_feature", "fr"), ("pinn_burgers", "en")),
)
WRITTEN = re.compile(r"\\(?:begin|end)\{aligned\}|\\quad|[&\s]")


def lines(tex: str) -> list[str]:
    """The lines of a formula without what sets them."""
    return [re.sub(r"\\\\(?:\[\d+pt\])?$", "", WRITTEN.sub("", line)) for line in BREAK.split(tex)]


def told(page: Page, language: str) -> None:
    """What the slides of a page must be."""
    slides = deck(page, language)
    assert all(frame.pieces for frame in slides.frames)
    crowded = [f.title for f in slides.frames if sum(map(height, f.pieces)) > ROOM + SPARE]
    assert not crowded
    shown = [p for f in slides.frames for p in f.pieces if isinstance(p, Shown) and not p.reminder]
    found = Counter(
        line for p in shown for tex in p.lines for line in lines(plain_numbers(language, tex))
    )
    for display in page.displays():
        first, *more = (line for row in display.rows for line in lines(f"={row}" if row else row))
        wanted = [lines(f"{display.lhs}{first}")[0], *more]
        assert all(any(line.endswith(each) for line in found) for each in wanted), display
    ends = [slides.numbers[p.label] for p in shown if p.label]
    assert ends == [str(k + 1) for k in range(len(ends))]
    assert len(ends) == len(
        {d.label for d in page.displays()} | {p.label for p in shown if p.label}
    )


@pytest.mark.parametrize("name", FEW)
def test_slides_have_every_formula_of_the_page_and_room_for_it(name: str) -> None:
    told(made(name).page, dict(TOLD)[name])


def test_what_a_graph_draws_of_itself_is_drawn_on_slides() -> None:
    slides, html = (form(made("max_pooling").page, "ko") for form in (beamer, reveal))
    drawn = sum(block.kind == "model_window" for block in made("max_pooling").page.blocks)
    assert drawn and html.count("<svg viewBox") == slides.count(r"\begin{tikzpicture}") + 1
    assert html.count('<rect class="reached"') == slides.count(r"\draw[derive reached]") > 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), sampled(TOLD, 6))
def test_slides_of_every_spec_in_every_language(name: str, language: str) -> None:
    page = made(name).page
    told(page, language)
    assert reveal(page, language).count("<section>") == len(deck(page, language).frames)


def test_the_end_of_a_sentence_does_not_stand_alone() -> None:
    frames = deck(made("neuron").page, "ko").frames + deck(made("article").page, "ko").frames
    texts = [
        "".join(p.tex if isinstance(p, Said) else "  " * TAIL for p in f.pieces) for f in frames
    ]
    assert min(map(text_width, texts)) > TAIL


def test_one_step_stands_on_one_frame_with_the_chain_above_it() -> None:
    frames = [f for f in deck(made("article").page, "en").frames if "$w_8$" in f.title]
    assert [f.part for f in frames] == [1, 2, 3, 4]
    chain, factor, gradient, update = (f.pieces for f in frames)
    reminder = next(p for p in chain if isinstance(p, Shown)).lines
    for pieces in (factor, gradient):
        assert isinstance(pieces[0], Shown) and pieces[0].reminder and pieces[0].lines == reminder
    assert not any(isinstance(p, Shown) and p.reminder for p in update)


def test_a_table_that_is_too_high_goes_on_under_its_heads() -> None:
    frames = deck(made("article").page, "en").frames
    tables = [p for f in frames if f.title == "All numbers" for p in f.pieces]
    grids = [grid for p in tables if isinstance(p, Tables) for grid in p.grids]
    assert len(grids) > 1 and len({grid.heads for grid in grids}) == 1
    rows = [row for grid in grids for row in grid.rows]
    (table,) = (block for block in made("article").page.blocks if block.kind == "table")
    wanted = [f"${each.name}$" for pair in table["pairs"] for each in pair if each]
    assert [name for row in rows for name in row[::3] if name] == wanted


class Tree(HTMLParser):
    """Whether elements are closed in the order in which they were opened, and what is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(value) for key, value in attrs if key in ("src", "href", "data")]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_slides_in_html_load_nothing_and_are_right_to_the_proof_reader(tmp_path: Path) -> None:
    text = reveal(made("single_neuron").page, "de")
    tree = Tree()
    tree.feed(text)
    assert tree.open == [] and tree.loads == []
    said = re.sub(r"<math.*?</math>|<(script|style)>.*?</\1>|<[^>]*>", "", text, flags=re.DOTALL)
    assert not re.search(r"\\[A-Za-z]|[{}$\ue000-\uf8ff]", said)
    (tmp_path / "slides.html").write_text(reveal(made("single_neuron").page, "en"), "utf-8")
    assert main(["check", str(tmp_path / "slides.html")]) == 0


def test_a_title_is_never_a_command() -> None:
    page = replace(made("neuron").page, blocks=made("neuron").page.blocks[:4])
    for text in HOSTILE:
        titled = replace(page, title={"en": text})
        harmless(beamer(titled, "en"))
        tree = Tree()
        tree.feed(html := reveal(titled, "en"))
        assert tree.open == [] and html.count("<script>") == 1


def test_pictures_that_are_none_of_ours_are_refused() -> None:
    for line in (r"\draw[derive edge] (0,0) circle (1);", r"\fill (0,0);", r"\input{x}"):
        with pytest.raises(ValueError, match="this is in no picture"):
            svg(line, str, "")


@pytest.mark.parametrize(
    ("low", "top", "logarithmic", "named"),
    [
        (-0.45, 0.14, False, ["$-0.4$", "$-0.3$", "$-0.2$", "$-0.1$", "$0.0$", "$0.1$"]),
        (0.0, 1000.0, False, ["$0$", "$200$", "$400$", "$600$", "$800$", "$1000$"]),
        (0.001, 1.0, True, ["$10^{-3}$", "$10^{-2}$", "$10^{-1}$", "$10^{0}$"]),
    ],
)  # fmt: skip
def test_the_values_that_an_axis_names(
    low: float, top: float, logarithmic: bool, named: list[str]
) -> None:
    assert [tex for _, tex in ticks(low, top, logarithmic)] == named


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tex, html = tmp_path / "s.tex", tmp_path / "s.html"
    assert main(["slides", "single_neuron", "-o", str(tex)]) == 0
    assert main(["slides", "single_neuron", "-o", str(html), "--language", "fr"]) == 0
    assert r"{beamer}" in tex.read_text("utf-8")
    assert '<html lang="fr">' in html.read_text("utf-8")
    assert main(["slides", "single_neuron", "--format", "reveal", "--pdf"]) == 2
    assert main(["slides", "single_neuron", "--pdf"]) == 2
    assert "--pdf needs --output" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.tex
@pytest.mark.skipif(engine() is None, reason="no TeX")
@pytest.mark.parametrize(("name", "language"), sampled(SET, 8))
def test_no_slide_in_latex_has_a_fault(name: str, language: str) -> None:
    page = derive.make(derive.load(name)).page
    assert any(isinstance(p, Drawn | Said) for f in deck(page, language).frames for p in f.pieces)
    assert typeset(beamer(page, language), str(engine())).faults == ()
