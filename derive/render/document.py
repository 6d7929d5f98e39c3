"""Page → LaTeX document in one language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from derive.languages import BABEL, WITH_COMMA, numbers_in, unbroken
from derive.render.blocks import Block, Page
from derive.render.korean import particle
from derive.templating import Wording, environment
from derive.theme import NO_THEME, Theme

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}

Format = Literal["latex", "markdown", "slides"]
MARK = r"\proven"
NUMBERED = re.compile(r"^\\begin\{equation\}\\label\{([^{}]*)\}", re.MULTILINE)
DRAWN = "drawn"  # the field of a block that has a picture which a graph has drawn
MODEL = "model_"  # how the kinds of blocks begin that only the page of a model has


def escape(text: str) -> str:
    """Text of a user as TeX that prints it: the one border where such text enters a page."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return "".join(_ESCAPES.get(sign, sign) for sign in printable)


def latex(page: Page, language: str, theme: Theme = NO_THEME) -> str:
    """The whole document, ready for XeLaTeX or LuaLaTeX."""
    book = Book.themed("latex", language, theme)
    text = (
        environment("latex")
        .get_template("latex/document.tex.j2")
        .render(
            language=language,
            babel=BABEL.get(language, ""),
            comma=language in WITH_COMMA,
            title=title_of(page, language, theme) or book.default_title,
            theme=theme,
            author=escape(theme.author),
            parts=[book.say(block) for block in page.blocks],
            marks=bool(page.proven),
            drawn=any(block.fields.get(DRAWN) for block in page.blocks),
        )
    )
    marked = NUMBERED.sub(lambda found: _marked(found, page), text)
    return without_gaps(numbers_in(language, marked))


@dataclass(frozen=True)
class Book:
    """The phrase books of a language, for pages that are set in one format."""

    format: Format
    language: str
    wording: Wording = ()

    @classmethod
    def themed(cls, form: Format, language: str, theme: Theme) -> Book:
        """The books with the words of a theme."""
        wording = theme.wording(language)
        return cls(form, language, tuple((escape(old), escape(new)) for old, new in wording))

    def say(self, block: Block) -> str:
        """What a page says of a block."""
        books = self._of_model if block.kind.startswith(MODEL) else self._of_network
        return unbroken(self.language, str(getattr(books, block.kind)(block)))

    @property
    def default_title(self) -> str:
        """What a page without a title is called."""
        return str(self._of_network.default_title)

    def figure(self, number: int) -> str:
        """What stands before the caption of a picture."""
        return str(self._of_network.figure).format(number)

    @cached_property
    def _of_network(self) -> Any:
        return self._module("latex/{}.tex.j2")

    @cached_property
    def _of_model(self) -> Any:
        return self._module("latex/model_{}.tex.j2")

    def _module(self, name: str) -> Any:
        chosen = (self.format, self.wording) if self.wording else (self.format,)
        jinja = environment(*chosen)
        jinja.filters["particle"] = particle
        return jinja.get_template(name.format(self.language)).module


def title_of(page: Page, language: str, theme: Theme) -> str:
    """The title of a page in TeX, that of a theme before its own."""
    return escape(title_in(theme.title or page.title, language))


def title_in(title: Mapping[str, str], language: str) -> str:
    """A title in a language, or in another if there is none; empty if there is no title."""
    return title.get(language) or next(filter(None, title.values()), "")


def _marked(found: re.Match[str], page: Page) -> str:
    """A numbered equation, announced as proven if it is."""
    return f"{MARK}\n{found[0]}" if found[1] in page.proven else found[0]


def without_gaps(text: str) -> str:
    """At most one empty line in a row, no space at the end of a line."""
    lines: list[str] = []
    for line in (each.rstrip() for each in text.splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"
