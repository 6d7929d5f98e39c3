"""Page → Markdown in one language, as GitHub, MkDocs, Quarto and notebooks read it.

What is said is in the same books as for LaTeX; only what they mark, headings and references, is
put into the signs of Markdown here. Formulas stay as they are, between dollars. Pictures are TikZ
and are left out, with the blocks that speak of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape as escape_html

from derive.languages import numbers_in
from derive.render.blocks import Block, Page
from derive.render.document import Book, title_in, without_gaps

LABEL = re.compile(r"\\label\{([^{}]*)\}")
MATH = re.compile(r"(\$\$.*?\$\$|(?<!\\)\$(?:\\.|[^$\\])*\$)", re.DOTALL)
HOLE = "\ue000"  # a sign that no text has
COMMAND = re.compile(r"\\(section|subsection|emph|eqref|texttt|texorpdfstring|label)\*?\{")
BRACE = re.compile(r"\\.|[{}]")
SIGNS = re.compile(r"([\\`*_\[\]#|$])")
PLAIN = {
    r"\textbackslash{}": r"\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": r"\~",
    r"\textless{}": "&lt;", r"\textgreater{}": "&gt;", r"\{": "{", r"\}": "}", r"\&": "&amp;",
    r"\%": "%", "~": " ",
}  # fmt: skip
ESCAPED = re.compile("|".join(map(re.escape, PLAIN)))
DRAWN = "tikz"  # the field of a block that has a picture
KEPT = "descent"  # a block that says something without its picture, too


def escape(text: str) -> str:
    """Text of a user as Markdown that prints it: the one border where such text enters it."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return SIGNS.sub(r"\\\1", escape_html(printable, quote=False))


@dataclass(frozen=True)
class Passage:
    """What a page says of a block, in Markdown."""

    block: Block
    text: str


@dataclass(frozen=True)
class Document:
    """A page in Markdown, a passage for each block; `numbers` are those of its equations."""

    title: str
    passages: tuple[Passage, ...]
    numbers: Mapping[str, str]


def markdown(page: Page, language: str) -> str:
    """The whole document."""
    document = passages(page, language)
    body = "\n\n".join(passage.text for passage in document.passages)
    return without_gaps(f"# {document.title}\n\n{body}")


def passages(page: Page, language: str) -> Document:
    """The document in pieces."""
    book = Book("markdown", language)
    blocks = [block for block in map(_without_picture, page.blocks) if block is not None]
    said = [numbers_in(language, book.say(block)) for block in blocks]
    labels = dict.fromkeys(LABEL.findall("".join(MATH.findall("\n\n".join(said)))))
    numbers = {label: str(number) for number, label in enumerate(labels, 1)}
    title = escape(title_in(page.title, language)) or book.default_title
    texts = (_written(text, numbers) for text in said)
    return Document(title, tuple(map(Passage, blocks, texts)), numbers)


def _written(said: str, numbers: Mapping[str, str]) -> str:
    """What is said of a block with its formulas as they are, and the rest in Markdown."""
    rest = iter([_set(formula, numbers) for formula in MATH.findall(said)])
    return re.sub(HOLE, lambda _: next(rest), _marked(MATH.sub(HOLE, said), numbers))


def _without_picture(block: Block) -> Block | None:
    """A block without its picture; nothing if it is about the picture only."""
    if not block.fields.get(DRAWN):
        return block
    if block.kind != KEPT:
        return None
    return replace(block, fields={**block.fields, DRAWN: ""})


def _set(formula: str, numbers: Mapping[str, str]) -> str:
    """A formula with its number; a display stands alone, or not every reader sees it."""
    tagged = LABEL.sub(lambda found: rf"\tag{{{numbers[found[1]]}}}", formula)
    return f"\n{tagged}\n" if tagged.startswith("$$") else tagged


def _marked(text: str, numbers: Mapping[str, str]) -> str:
    """Text with holes for its formulas, with what it marks in the signs of Markdown."""
    done, at = "", 0
    while (found := COMMAND.search(text, at)) is not None:
        inner, end = braced(text, found.end())
        done += _plain(text[at : found.start()])
        match found[1]:
            case "section" | "subsection":
                level = "##" if found[1] == "section" else "###"
                done += f"{level} {_marked(inner, numbers)}\n\n"
            case "emph":
                done += f"*{_marked(inner, numbers)}*"
            case "eqref":
                done += f"({numbers[inner]})"
            case "texttt":
                done += f"`{_plain(inner)}`"
            case "texorpdfstring":
                done += inner
                end = braced(text, end + 1)[1]
        at = end
    return done + _plain(text[at:])


def braced(text: str, start: int) -> tuple[str, int]:
    """What stands between a brace that is open and the one that closes it, and where that ends."""
    depth = 1
    for found in BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return text[start : found.start()], found.end()
    raise ValueError(f"a brace is not closed in {text[start : start + 40]!r}")


def _plain(text: str) -> str:
    """Text without commands; what TeX escapes is plain, or escaped for Markdown."""
    return ESCAPED.sub(lambda found: PLAIN[found[0]], text)
