"""Page → slides in one file of HTML, marked up as reveal.js has it; nothing is loaded.

Formulas are MathML with their TeX beside them, pictures are SVG.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from html import escape, unescape

import yaml
from markupsafe import Markup

from derive.interactive.mathml import mathml
from derive.languages import numbers_in_mathml
from derive.render.blocks import Page
from derive.render.markdown import braced
from derive.slides.deck import deck
from derive.slides.height import MATH
from derive.slides.pieces import Drawn, Grid, Piece, Said, Shown, Tables
from derive.slides.svg import svg
from derive.templating import environment, source
from derive.theme import NO_THEME, Theme, styled

OPENING = '<math xmlns="http://www.w3.org/1998/Math/MathML"'
COMMAND = re.compile(r"\\(emph|texttt|eqref|ref|texorpdfstring)\{")
MARKS = {"emph": "em", "texttt": "code"}
PLAIN = {
    r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~",
    r"\textless{}": "<", r"\textgreater{}": ">", r"\{": "{", r"\}": "}", r"\&": "&",
    r"\%": "%", r"\_": "_", r"\#": "#", r"\$": "$", "~": "\u00a0", "``": "“", "''": "”",
}  # fmt: skip
ESCAPED = re.compile("|".join(map(re.escape, PLAIN)))
HOLE = "\ue000"
POINTED = re.compile(rf"{HOLE}([.,;:!?)…]+)")  # no line ends between a formula and such a sign
SLASH = "<mo>&#x0002F;</mo>"
TAGS = re.compile(r"<annotation.*?</annotation>|<[^>]*>")


def reveal(page: Page, language: str, theme: Theme = NO_THEME) -> str:
    """The whole document."""
    slides = deck(page, language, theme)
    put = _Put(slides.numbers, _words(language))
    style, program = source("slides/style.css") + styled(theme), source("slides/deck.js")
    text = (
        environment("html")
        .get_template("slides/reveal.html.j2")
        .render(
            language=language,
            say=_words(language),
            title=put.text(slides.title),
            plain_title=_plain(put.text(slides.title)),
            deck=slides,
            author=put.text(slides.author),
            logo=theme.logo.inline if theme.logo else "",
            text=put.text,
            put=put.piece,
            style=Markup(style),
            style_hash=_hash(style),
            program=Markup(program),
            program_hash=_hash(program),
        )
    )
    return numbers_in_mathml(language, text)


class _Put:
    """Sets the pieces of slides, with the numbers that are referred to."""

    def __init__(self, numbers: Mapping[str, str], words: Mapping[str, str]) -> None:
        self.numbers = numbers
        self.words = words

    def piece(self, piece: Piece) -> Markup:
        """A piece in HTML."""
        match piece:
            case Said():
                return Markup(f"<p>{self.text(piece.tex)}</p>")
            case Shown():
                return self.formula(piece)
            case Drawn():
                caption = self.text(piece.caption)
                name = f"{self.words['figure']} {self.numbers[piece.label]}"
                picture = svg(piece.tikz, self.text, escape(f"{name}: {_plain(caption)}"))
                inner = f"{picture}<figcaption>{name}: {caption}</figcaption>"
                return Markup(f"<figure>{inner}</figure>")
            case Tables():
                grids = "".join(map(self.grid, piece.grids))
                return Markup(f'<div class="tables">{grids}</div>')

    def formula(self, shown: Shown) -> Markup:
        """A formula, its lines below each other, with its number."""
        lines = [line.partition("&") for line in shown.lines]
        if len(lines) == 1:
            inner, notes = _inner(shown.alone), shown.alone
        else:
            rows = (
                f"<mtr><mtd>{_inner(left)}</mtd><mtd>{_inner(right)}</mtd></mtr>"
                for left, _, right in lines
            )
            inner = f'<mtable class="steps" displaystyle="true">{"".join(rows)}</mtable>'
            notes = r" \\ ".join(shown.lines)
            notes = rf"\begin{{aligned}}{notes}\end{{aligned}}"
        number = f"<span>({self.numbers[shown.label]})</span>" if shown.label else ""
        kind = "formula reminder" if shown.reminder else "formula"
        set_out = _math(inner, notes, ' display="block"')
        return Markup(f'<div class="{kind}"><div>{set_out}</div>{number}</div>')

    def grid(self, grid: Grid) -> str:
        """A table."""
        heads = "".join(f'<th scope="col">{self.text(head)}</th>' for head in grid.heads)
        rows = ("".join(f"<td>{self.text(cell)}</td>" for cell in row) for row in grid.rows)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"

    def text(self, tex: str) -> Markup:
        """Text with formulas, emphasis and references."""
        formulas = iter([_math(_inner(tex), tex) for tex in MATH.findall(tex)])
        said = self._marked(MATH.sub(HOLE, tex))
        whole = POINTED.sub(rf'<span class="whole">{HOLE}\1</span>', said)
        return Markup(re.sub(HOLE, lambda _: next(formulas), whole))

    def _marked(self, tex: str) -> str:
        done, at = "", 0
        while (found := COMMAND.search(tex, at)) is not None:
            inner, end = braced(tex, found.end())
            done += _escaped(tex[at : found.start()])
            match found[1]:
                case "eqref":
                    done += f"({self.numbers[inner]})"
                case "ref":
                    done += self.numbers[inner]
                case "texorpdfstring":
                    done += self._marked(inner)
                    end = braced(tex, end + 1)[1]
                case name:
                    done += f"<{MARKS[name]}>{self._marked(inner)}</{MARKS[name]}>"
            at = end
        return done + _escaped(tex[at:])


def _escaped(tex: str) -> str:
    """Text without commands: the one border where it enters HTML."""
    return escape(ESCAPED.sub(lambda found: PLAIN[found[0]], tex), quote=False)


def _plain(text: str) -> str:
    """What a text in HTML says without its marks."""
    return unescape(TAGS.sub("", text))


def _inner(tex: str) -> str:
    """What stands within `<math>`; a slash has no space around it, as in TeX."""
    if not tex.strip():
        return ""
    inner = mathml(tex.replace(r"\displaystyle", "").strip(), "block")
    return inner.replace(SLASH, SLASH.replace("<mo>", '<mo lspace="0" rspace="0">'))


def _math(inner: str, tex: str, kind: str = "") -> str:
    note = f'<annotation encoding="application/x-tex">{escape(tex, quote=False)}</annotation>'
    return f"{OPENING}{kind}><semantics><mrow>{inner}</mrow>{note}</semantics></math>"


def _hash(text: str) -> str:
    """What the policy of the document knows its own style and program by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _words(language: str) -> Mapping[str, str]:
    """What slides say of their own."""
    found: Mapping[str, str] = yaml.safe_load(source(f"slides/{language}.yaml"))
    return found
