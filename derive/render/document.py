"""Page → LaTeX document in one language."""

from __future__ import annotations

import re

from derive.render.blocks import Page
from derive.render.korean import particle
from derive.templating import environment

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

MARK = r"\proven"
NUMBERED = re.compile(r"^\\begin\{equation\}\\label\{([^{}]*)\}", re.MULTILINE)
MODEL = "model_"  # how the kinds of blocks begin that only the page of a model has


def escape(text: str) -> str:
    """Text of a user as TeX that prints it: the one border where such text enters a page."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return "".join(_ESCAPES.get(sign, sign) for sign in printable)


def latex(page: Page, language: str) -> str:
    """The whole document, ready for XeLaTeX or LuaLaTeX."""
    jinja = environment("latex")
    jinja.filters["particle"] = particle
    say = jinja.get_template(f"latex/{language}.tex.j2").module
    of_model = jinja.get_template(f"latex/model_{language}.tex.j2").module
    title = page.title.get(language) or next(filter(None, page.title.values()), "")
    text = jinja.get_template("latex/document.tex.j2").render(
        language=language,
        title=escape(title) or say.default_title,  # type: ignore[attr-defined]
        blocks=page.blocks,
        marks=bool(page.proven),
        say={
            block.kind: getattr(of_model if block.kind.startswith(MODEL) else say, block.kind)
            for block in page.blocks
        },
    )
    return without_gaps(NUMBERED.sub(lambda found: _marked(found, page), text))


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
