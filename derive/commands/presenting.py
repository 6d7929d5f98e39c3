"""The command that writes slides."""

from __future__ import annotations

import argparse

from derive.api import load
from derive.commands.shared import put
from derive.commands.writing import put_latex
from derive.edge import GOOD, progress
from derive.errors import InputError
from derive.pipeline import make
from derive.slides.beamer import beamer
from derive.slides.reveal import reveal
from derive.theme import load_theme

HTML = (".html", ".htm")


def slides(options: argparse.Namespace) -> int:
    """Write the slides of a page."""
    problem = load(options.spec, options.run)
    language = options.language or problem.languages[0]
    in_html = options.output is not None and options.output.suffix in HTML
    form = options.format or ("reveal" if in_html else "beamer")
    if options.pdf and form == "reveal":
        raise InputError("--pdf is made of LaTeX: use --format beamer, or print the HTML")
    theme = load_theme(options.theme)
    with progress("deriving and writing"):
        page = make(problem, shown=options.show).page
        text = reveal(page, language, theme) if form == "reveal" else beamer(page, language, theme)
    if form == "reveal":
        put(text, options.output)
        return GOOD
    return put_latex(text, options.output, options.pdf, theme.logo)
