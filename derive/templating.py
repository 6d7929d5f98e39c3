"""Where the templates are, and how they are read."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import jinja2

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


@cache
def environment(
    kind: Literal["code", "latex", "markdown", "slides", "html", "sheet"],
) -> jinja2.Environment:
    """The environment of one kind of template; an unknown name in a template is an error.

    What is said on a page is the same in LaTeX, in Markdown and on slides; `layout` says how it is
    set, and for slides it marks the pieces with signs. Sheets of
    exercises say the same in TeX and in HTML: their templates have the signs of those of pages, and
    for HTML the kind that escapes text.
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
    return words


@cache
def source(name: str) -> str:
    """The text of a file among the templates that is no template itself."""
    return (_root() / name).read_text("utf-8")
