"""What a graph draws itself beside an interactive page: recurrences and windows, without numbers.

Numbers of the page change, so the pictures have none; they are true whatever is typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from derive.interactive.mathml import mathml
from derive.languages import LANGUAGES
from derive.render.blocks import Block
from derive.render.document import DRAWN, Book
from derive.render.markdown import pictured
from derive.render.model_form import ModelForm
from derive.render.pictures.as_svg import svg
from derive.render.pictures.of_model import step_blocks, window_back_blocks, window_blocks
from derive.theme import Theme

FORMULA = "$"
SPACES = (("~", "\u00a0"), (r"\,", "\u202f"))


def drawings(form: ModelForm, language: str, theme: Theme) -> str:
    """The pictures with their captions in every language, of which the page shows one."""
    books = {code: Book.themed("markdown", code, theme) for code in LANGUAGES}
    return "".join(_figure(block, books, language) for block in _blocks(form))


def _blocks(form: ModelForm) -> Iterator[Block]:
    graph = form.problem.graph
    for block in graph.blocks:
        if block.step:
            yield from step_blocks(form, block)
        for equation in block.equations:
            yield from window_blocks(form, None, equation)
    for name in form.problem.graph.quantities:
        yield from window_back_blocks(form, None, name)


def _figure(block: Block, books: dict[str, Book], language: str) -> str:
    captions = {}
    for code, book in books.items():
        found = pictured(book.say(block))
        assert found is not None  # a block that is drawn has its picture in every language
        captions[code] = found[2]
    label = block["label"].replace(":", "-")
    picture = svg(block[DRAWN], captions[language], language, label, alone=False)
    told = "".join(f'<p lang="{code}">{_html(tex)}</p>' for code, tex in captions.items())
    return f"<figure>{picture}<figcaption>{told}</figcaption></figure>"


def _html(caption: str) -> str:
    """A caption with its formulas in MathML."""
    parts = caption.split(FORMULA)
    return "".join(
        f"<math>{mathml(part)}</math>" if k % 2 else _text(part) for k, part in enumerate(parts)
    )


def _text(tex: str) -> str:
    for sign, space in SPACES:
        tex = tex.replace(sign, space)
    return escape(tex, quote=False)
