"""Where the templates are, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, cast

import jinja2
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

LAYOUTS = {
    "latex": "latex/common.tex.j2",
    "markdown": "markdown/common.md.j2",
    "slides": "slides/common.j2",
}
SIGNS = {
    "start": "\ue000",
    "stop": "\ue001",
    "next": "\ue002",
    "cell": "\ue003",
}  # no text has them


def _root() -> Path:
    """`derive/templates` in an installed package, `templates/` beside it in a checkout."""
    inside = Path(str(resources.files("derive"))) / "templates"
    return inside if inside.is_dir() else inside.parent.parent / "templates"


Wording = tuple[tuple[str, str], ...]  # what the books say, and what is said instead


def phrase(words: str) -> re.Pattern[str]:
    """Where words stand in a phrase book: not within longer ones, nor in a command or a label."""
    inner = r"\s+".join(map(re.escape, words.split()))
    front = r"(?<![\\:\w])" if words[:1].isascii() else ""
    return re.compile(front + inner + (r"(?!\w|:[a-z])" if words[-1:].isascii() else ""))


class Reworded(Extension):
    """Says other words where a phrase book has some; formulas and fields are not looked at."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The parts of a template, those that are text in other words."""
        wording = cast(Wording, self.environment.globals["wording"])
        patterns = [(phrase(old), new) for old, new in wording]
        layout = stream.name in LAYOUTS.values()
        for token in stream:
            text = token.type == "data" or (token.type == "string" and " " in token.value)
            if text and not layout:
                said = token.value
                for pattern, new in patterns:
                    said = pattern.sub(lambda _, new=new: new, said)  # type: ignore[misc]
                token = Token(token.lineno, token.type, said)
            yield token


@cache
def environment(
    kind: Literal["code", "latex", "markdown", "slides", "html", "sheet"], wording: Wording = ()
) -> jinja2.Environment:
    """The environment of one kind of template; an unknown name in a template is an error.

    What is said on a page is the same in LaTeX, in Markdown and on slides; `layout` says how it is
    set, and for slides it marks the pieces with signs. Sheets of
    exercises say the same in TeX and in HTML: their templates have the signs of those of pages, and
    for HTML the kind that escapes text. With a `wording` the phrase books say other words.
    """
    loader = jinja2.FileSystemLoader(_root())
    if kind == "html":
        return jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, autoescape=True)
    if kind == "code":
        return jinja2.Environment(
            loader=loader,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
    words = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=kind == "sheet",
    )
    if kind in LAYOUTS:
        words.globals["layout"] = LAYOUTS[kind]
    if kind == "slides":
        words.globals.update(SIGNS)
    if wording:
        words.globals["wording"] = wording
        words.add_extension(Reworded)
    return words


@cache
def source(name: str) -> str:
    """The text of a file among the templates that is no template itself."""
    return (_root() / name).read_text("utf-8")
