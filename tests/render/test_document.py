"""Page → LaTeX: user text enters it escaped, and each language keeps to its own words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.render.blocks import Block, Page
from derive.render.document import escape, latex
from derive.templating import environment
from tests.render_support import BUILTIN, LANGUAGES, braces, made


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("plain", "plain"),
        ("100% & more", r"100\% \& more"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("$x_1^2$", r"\$x\_1\textasciicircum{}2\$"),
        ("a~b #1", r"a\textasciitilde{}b \#1"),
        ("<< b >> <% c %>", r"\textless{}\textless{} b \textgreater{}\textgreater{} "
                            r"\textless{}\% c \%\textgreater{}"),
        ("one\ntwo\t\x00three", "one two  three"),
        ("\u202e오차\u200b", " 오차 "),
        ("", ""),
    ],
)  # fmt: skip
def test_escape(text: str, tex: str) -> None:
    assert escape(text) == tex


@given(st.text())
def test_nothing_escapes(text: str) -> None:
    """No sign of the text keeps a meaning for TeX: what is left has matching braces only."""
    tex = escape(text)
    assert "\n" not in tex and "\r" not in tex
    assert list(braces(tex)) == []
    bare = re.sub(r"\\(?:[{}$&#%_]|text[a-z]+\{\})", "", tex)
    assert not set(bare) & set("\\{}$&#%_^~<>")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ({"en": "50% off", "ko": "50% 할인"}, {"en": r"50\% off", "ko": r"50\% 할인"}),
        ({"ko": "제목"}, {"en": "제목", "ko": "제목"}),
        ({"en": "Title", "ko": ""}, {"en": "Title", "ko": "Title"}),
        ({}, {"en": "A worked derivation", "ko": "손으로 따라가는 유도"}),
        ({"en": r"}\end{document}", "ko": "}"}, {"en": r"\}\textbackslash{}end\{document\}",
                                                 "ko": r"\}"}),
    ],
    ids=["own", "other", "empty", "none", "hostile"],
)  # fmt: skip
def test_titles(titles: dict[str, str], expected: dict[str, str], language: str) -> None:
    tex = latex(Page(titles, (), {}), language)
    assert expected[language] in tex
    assert tex.count(r"\end{document}") == 1
    assert list(braces(tex)) == []


def test_blocks_in_order() -> None:
    page = Page({}, (Block("interlude"), Block("closing", {"path_view": True})), {})
    tex = latex(page, "en")
    assert tex.index("the pen may rest") < tex.index(r"\section*{What to take away}")


# --- languages ------------------------------------------------------------------------------------


def prose(tex: str) -> str:
    """The sentences of a document without figures, displays and commands; a formula is a 0."""
    body = tex[tex.index(r"\begin{document}") :]
    for environment_ in ("tikzpicture", "equation", "equation*", "longtable", "tabular"):
        name = re.escape(environment_)
        body = re.sub(rf"\\begin\{{{name}\}}.*?\\end\{{{name}\}}", "", body, flags=re.DOTALL)
    body = re.sub(r"\$[^$]*\$|\\(?:eq)?ref\{[^}]*\}", "0", body)
    body = re.sub(r"\\(?:label|begin|end)\{[^}]*\}", "", body)
    return re.sub(r"\\[A-Za-z]+\*?", "", body)


def macros(language: str) -> str:
    loader = environment("latex").loader
    assert loader is not None
    return loader.get_source(environment("latex"), f"latex/{language}.tex.j2")[0]


@pytest.mark.parametrize("name", BUILTIN)
def test_english_pages_have_no_korean(name: str) -> None:
    assert re.findall("[가-힣ㄱ-ㅣ]", made(name).texts["en"]) == []


@pytest.mark.parametrize("name", BUILTIN)
def test_korean_pages_have_no_english_sentences(name: str) -> None:
    text = re.sub(r"\([a-z -]+\)", "", prose(made(name).texts["ko"]))
    assert re.findall(r"(?:[A-Za-z']+ ){2,}[A-Za-z']+", text) == []
    assert len(re.findall("[가-힣]", text)) > 400


@pytest.mark.parametrize("name", BUILTIN)
def test_korean_words_are_followed_by_one_particle(name: str) -> None:
    """No pair of particles is left unchosen."""
    tex = made(name).texts["ko"]
    assert re.findall(r"[은이을과]/[는가를와]|으로/로|이라고/라고|[은이을]\([는가를]\)", tex) == []


def test_both_books_have_the_same_phrases() -> None:
    said = [set(re.findall(r"<% macro (\w+)\(b\)", macros(language))) for language in LANGUAGES]
    assert said[0] == said[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BUILTIN)
def test_lines_are_tidy(name: str, language: str) -> None:
    tex = made(name).texts[language]
    assert "\n\n\n" not in tex
    assert not re.search(r"[ \t]$", tex, re.MULTILINE)
    assert tex.endswith("\\end{document}\n")
    assert re.findall(r"\S  +\S", prose(tex)) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BUILTIN)
def test_sentences_are_punctuated(name: str, language: str) -> None:
    text = prose(made(name).texts[language])
    assert re.findall(r".{0,30}(?: [.,;:]|,,|\.\.|\(\)).{0,10}", text) == []
