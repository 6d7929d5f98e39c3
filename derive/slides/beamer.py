"""Page → slides in LaTeX, for the class beamer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from derive.languages import BABEL, WITH_COMMA
from derive.render.blocks import Page
from derive.render.document import without_gaps
from derive.slides.deck import deck
from derive.slides.pieces import Drawn, Grid, Piece, Said, Shown, Tables
from derive.templating import environment
from derive.theme import NO_THEME, Theme

REFERENCE = re.compile(r"\\(eq)?ref\{([^{}]*)\}")


def beamer(page: Page, language: str, theme: Theme = NO_THEME) -> str:
    """The whole document, ready for XeLaTeX or LuaLaTeX."""
    slides = deck(page, language, theme)
    text = (
        environment("slides")
        .get_template("slides/beamer.tex.j2")
        .render(
            language=language,
            babel=BABEL.get(language, ""),
            comma=language in WITH_COMMA,
            deck=slides,
            theme=theme,
            put=lambda piece: _set(piece, slides.numbers),
        )
    )
    return without_gaps(text)


def _set(piece: Piece, numbers: Mapping[str, str]) -> str:
    """A piece in TeX."""
    match piece:
        case Said():
            return f"{_referring(piece.tex, numbers)}\n"
        case Shown():
            return _formula(piece, numbers)
        case Drawn():
            caption = _referring(piece.caption, numbers)
            number = f"\\figurename~{numbers[piece.label]}: "
            return f"\\drawn{{%\n{piece.tikz.strip()}}}{{{number}{caption}}}"
        case Tables():
            grids = "\\qquad\n".join(_grid(grid) for grid in piece.grids)
            return f"{{\\centering\\roomy\\lineskip=8pt\\lineskiplimit=8pt\n{grids}\\par}}"


def _referring(tex: str, numbers: Mapping[str, str]) -> str:
    """Text with the numbers that it refers to."""
    return REFERENCE.sub(
        lambda found: f"({numbers[found[2]]})" if found[1] else numbers[found[2]], tex
    )


def _formula(shown: Shown, numbers: Mapping[str, str]) -> str:
    """A formula with its number; one that has stood before is grey."""
    inside = shown.alone
    if len(shown.lines) > 1:
        gaps = (r" \\[4pt]" if r"\frac" in line else r" \\[1pt]" for line in shown.lines[1:])
        rows = "".join(f"{gap}\n  {line}" for gap, line in zip(gaps, shown.lines[1:], strict=True))
        inside = f"\\begin{{aligned}}\n  {shown.lines[0]}{rows}\n\\end{{aligned}}"
    number = f"({numbers[shown.label]})" if shown.label else ""
    colour = r"\color{derivegrey}" if shown.reminder else ""
    return f"\\shown{{{colour}%\n{inside}}}{{{number}}}"


def _grid(grid: Grid) -> str:
    """A table."""
    rows = "".join(f"{' & '.join(row)} \\\\\n" for row in grid.rows)
    return (
        f"\\grid{{\\begin{{tabular}}[t]{{{grid.columns}}}\n\\toprule\n"
        f"{' & '.join(grid.heads)} \\\\\n\\midrule\n{rows}\\bottomrule\n\\end{{tabular}}}}%\n"
    )
