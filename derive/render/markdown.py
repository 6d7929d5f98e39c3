"""Page → Markdown in one language, as GitHub, MkDocs, Quarto and notebooks read it.

What is said is in the same books as for LaTeX; only what they mark, headings and references, is
put into the signs of Markdown here. Formulas stay as they are, between dollars. Pictures that a
graph draws are SVG, if there is a place for them; others are TikZ and are left out, with the blocks
that speak of them.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape as escape_html
from urllib.parse import quote

from derive.languages import numbers_in
from derive.render.blocks import Block, Page
from derive.render.document import DRAWN, Book, title_in, without_gaps
from derive.render.pictures.as_svg import spoken, svg
from derive.theme import NO_THEME, Theme

LABEL = re.compile(r"\\label\{([^{}]*)\}")
MATH = re.compile(r"(\$\$.*?\$\$|(?<!\\)\$(?:\\.|[^$\\])*\$)", re.DOTALL)
HOLE, FRAME = "\ue000", "\ue001"  # signs that no text has
COMMAND = re.compile(r"\\(section|subsection|emph|eqref|ref|texttt|texorpdfstring|label)\*?\{")
PICTURE = re.compile(r"\\picture\{([^{}]*)\}\{")
BRACE = re.compile(r"\\.|[{}]")
SIGNS = re.compile(r"([\\`*_\[\]#|$])")
PLAIN = {
    r"\textbackslash{}": r"\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": r"\~",
    r"\textless{}": "&lt;", r"\textgreater{}": "&gt;", r"\{": "{", r"\}": "}", r"\&": "&amp;",
    r"\%": "%", "~": " ",
}  # fmt: skip
ESCAPED = re.compile("|".join(map(re.escape, PLAIN)))
TIKZ = "tikz"  # the field of a block that has a picture
FIGURE = "fig:"  # how the label of one begins
Link = Callable[[str, str], str]  # from a picture's name and its SVG to the address of it
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
    """A page in Markdown, a passage for each block; `numbers` are those of equations and pictures.

    The SVG of each picture stands under its name.
    """

    title: str
    passages: tuple[Passage, ...]
    numbers: Mapping[str, str]
    pictures: Mapping[str, str]
    author: str = ""

    @property
    def head(self) -> str:
        """The title, and the author below it if there is one."""
        return f"# {self.title}" + (f"\n\n*{self.author}*" if self.author else "")

    @property
    def text(self) -> str:
        """All of it."""
        body = "\n\n".join(passage.text for passage in self.passages)
        return without_gaps(f"{self.head}\n\n{body}")


def markdown(page: Page, language: str, theme: Theme = NO_THEME) -> str:
    """The whole document, without pictures."""
    return passages(page, language, theme=theme).text


def beside(stem: str) -> Link:
    """Pictures in files that lie beside that of the text and begin like it."""
    return lambda name, _: f"{quote(stem)}-{name}.svg"


def within(_: str, drawn: str) -> str:
    """A picture in the text itself."""
    return f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"


def passages(
    page: Page, language: str, link: Link | None = None, theme: Theme = NO_THEME
) -> Document:
    """The document in pieces; with its pictures if there is a place for them."""
    book = Book.themed("markdown", language, theme)
    kept = [_without_picture(block, link is None) for block in page.blocks]
    blocks = [block for block in kept if block is not None]
    said = [numbers_in(language, book.say(block)) for block in blocks]
    said, frames = _framed(said, blocks, book)
    labels = dict.fromkeys(LABEL.findall("".join(MATH.findall("\n\n".join(said)))))
    numbers = {label: str(number) for number, label in enumerate(labels, 1)}
    numbers |= {frame.label: str(number) for number, frame in enumerate(frames, 1)}
    title = escape(title_in(theme.title or page.title, language)) or book.default_title
    images = iter([frame.image(link) for frame in frames] if link is not None else [])
    texts = [_written(text, numbers) for text in said]
    texts = [re.sub(FRAME, lambda _: next(images), text) for text in texts]
    pictures = {frame.name: frame.drawn for frame in frames}
    told = tuple(map(Passage, blocks, texts))
    return Document(title, told, numbers, pictures, escape(theme.author))


@dataclass(frozen=True)
class Frame:
    """A picture of a document: its label, its SVG, and what it shows in plain words."""

    label: str
    drawn: str
    told: str

    @property
    def name(self) -> str:
        """What it is called, without what all labels begin with."""
        return self.label.removeprefix(FIGURE)

    def image(self, link: Link) -> str:
        """The sign that shows it."""
        return f"![{escape(self.told)}]({link(self.name, self.drawn)})"


def _framed(
    said: Sequence[str], blocks: Sequence[Block], book: Book
) -> tuple[list[str], list[Frame]]:
    """What is said with a sign in the place of each picture, its caption below it."""
    texts, frames = [], list[Frame]()
    for text, block in zip(said, blocks, strict=True):
        found = pictured(text)
        if found is not None:
            (start, end), label, caption = found
            drawn = svg(block[DRAWN], caption, book.language, label.removeprefix(FIGURE))
            frames.append(Frame(label, drawn, spoken(caption)))
            below = rf"\emph{{{book.figure(len(frames))}{caption}}}"
            text = f"{text[:start]}{FRAME}\n\n{below}{text[end:]}"
        texts.append(text)
    return texts, frames


def _written(said: str, numbers: Mapping[str, str]) -> str:
    """What is said of a block with its formulas as they are, and the rest in Markdown."""
    rest = iter([_set(formula, numbers) for formula in MATH.findall(said)])
    return re.sub(HOLE, lambda _: next(rest), _marked(MATH.sub(HOLE, said), numbers))


def pictured(said: str) -> tuple[tuple[int, int], str, str] | None:
    """Where in what is said of a block a picture stands, its label and its caption."""
    found = PICTURE.search(said)
    if found is None:
        return None
    caption, end = braced(said, found.end())
    return (found.start(), end), found[1], caption.strip()


def _without_picture(block: Block, every: bool) -> Block | None:
    """A block without its picture, if it is TikZ only; nothing if it is about the picture only."""
    if not block.fields.get(TIKZ) or (block.fields.get(DRAWN) and not every):
        return block
    if block.kind != KEPT:
        return None
    return replace(block, fields={**block.fields, TIKZ: ""})


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
            case "ref":
                done += numbers[inner]
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
