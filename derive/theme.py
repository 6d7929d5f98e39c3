"""A theme: how pages look and what they are headed with, from a folder of one's own.

It is data and nothing else: a file `theme.yaml` with a closed schema, and a logo beside it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from derive.definitions import Strict
from derive.errors import InputError, shown
from derive.fieldtypes import Language
from derive.files import read_bytes, read_text
from derive.languages import LANGUAGES
from derive.spec import parse_section
from derive.templating import Wording, phrase, source

FILE = "theme.yaml"
MOST_LOGO = 2**20
LEAST_LETTERS = 3  # of a phrase in Latin letters
SIGNATURES = {".png": b"\x89PNG\r\n", ".jpg": b"\xff\xd8\xff", ".pdf": b"%PDF-"}
MIME = {".png": "image/png", ".jpg": "image/jpeg"}
BOOKS = ("latex/{}.tex.j2", "latex/model_{}.tex.j2")
Line = Annotated[str, Field(max_length=300)]
Phrase = Annotated[str, Field(min_length=1, max_length=1000)]
Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
FontName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]*$", max_length=80)]
LogoFile = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*\.(png|jpg|pdf)$", max_length=80)
]
Words = Annotated[dict[Phrase, Phrase], Field(max_length=200)]


class ColoursSpec(Strict):
    """The colours of pages, each as `"#1f4e79"`."""

    forward: Colour | None = None
    """Of headings, and of the forward pass in pictures."""
    back: Colour | None = None
    """Of the way back in pictures."""
    ink: Colour | None = None
    """Of letters in pictures and on slides."""
    grey: Colour | None = None
    """Of what stands back: lines in pictures, what a slide reminds of."""


class FontsSpec(Strict):
    """Fonts by their names; they are used where they are installed and nowhere else."""

    text: FontName | None = None
    """Of Latin letters."""
    signs: FontName | None = None
    """Of Korean, Japanese and Chinese signs."""


class ThemeSpec(Strict):
    """A theme."""

    title: Line | dict[Language, Line] = ""
    """The title of every page, in place of that of the spec."""
    author: Line = ""
    """Who stands below the title."""
    logo: LogoFile | None = None
    """A picture in the folder, `png`, `jpg` or (for LaTeX only) `pdf`, above the title."""
    colours: ColoursSpec = ColoursSpec()
    fonts: FontsSpec = FontsSpec()
    words: dict[Language, Words] = {}
    """By language: words that stand in sentences of pages, and what is said in their place."""


@dataclass(frozen=True)
class Logo:
    """A picture that stands above the title."""

    name: str
    data: bytes

    @property
    def inline(self) -> str:
        """The picture within a page of HTML. Raises InputError for one that none shows."""
        kind = MIME.get(Path(self.name).suffix)
        if kind is None:
            raise InputError(f"{self.name}: pages of HTML show a logo that is png or jpg")
        return f"data:{kind};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True)
class Theme:
    """What a theme says; each page takes from it what it can show."""

    title: Mapping[str, str] = field(default_factory=dict)
    author: str = ""
    logo: Logo | None = None
    colours: Mapping[str, str] = field(default_factory=dict)
    text_font: str = ""
    signs_font: str = ""
    words: Mapping[str, Wording] = field(default_factory=dict)

    def wording(self, language: str) -> Wording:
        """What is said in one language in place of other words."""
        return self.words.get(language, ())


NO_THEME = Theme()


def load_theme(folder: Path | None) -> Theme:
    """The theme in a folder, or none. Raises InputError."""
    if folder is None:
        return NO_THEME
    place = folder / FILE
    try:
        text = read_text(place, "theme")
    except FileNotFoundError:
        raise InputError(f"{shown(str(folder))}: a theme is a folder with a file {FILE}") from None
    spec = parse_section(ThemeSpec, text, str(place))
    title = spec.title
    named = dict.fromkeys(LANGUAGES, title) if isinstance(title, str) else title
    colours = {name: each[1:].upper() for name, each in spec.colours if each is not None}
    return Theme(
        title={language: line for language, line in named.items() if line},
        author=spec.author,
        logo=_logo(folder, spec.logo) if spec.logo else None,
        colours=colours,
        text_font=spec.fonts.text or "",
        signs_font=spec.fonts.signs or "",
        words={code: _wording(place, code, words) for code, words in spec.words.items()},
    )


def _logo(folder: Path, name: str) -> Logo:
    try:
        data = read_bytes(folder / name, "logo", MOST_LOGO)
    except FileNotFoundError:
        raise InputError(f"{folder / FILE}: logo: there is no file {name} in the folder") from None
    if len(data) > MOST_LOGO:
        raise InputError(f"{folder / name} is longer than 1 MB; a logo is a small picture")
    if not data.startswith(SIGNATURES[Path(name).suffix]):
        raise InputError(f"{folder / name} is no picture of the kind that its name says")
    return Logo(name, data)


def _wording(place: Path, language: str, words: Mapping[str, str]) -> Wording:
    """The phrases of a language, each of which some sentence has."""
    books = [source(book.format(language)) for book in BOOKS]
    for old in words:
        where = f"{place}: words.{language}: {shown(old)}"
        if old.isascii() and sum(map(str.isalpha, old)) < LEAST_LETTERS:
            raise InputError(f"{where} is too short to be found; give the words around it, too")
        if not any(phrase(old.strip()).search(book) for book in books):
            raise InputError(f"{where} stands in no sentence of the pages")
    return tuple((old.strip(), new) for old, new in words.items())


def styled(theme: Theme) -> str:
    """The fonts and colours of a theme as CSS; dark mode keeps its own colours."""
    names = {"forward": "--blue", "back": "--red", "ink": "--ink", "grey": "--line"}
    colours = "".join(f" {names[name]}: #{code};" for name, code in theme.colours.items())
    fonts = [f'"{font}"' for font in (theme.text_font, theme.signs_font) if font]
    rules = [f':root:not([data-theme="dark"]) {{{colours} }}'] if colours else []
    if fonts:
        rules.append(
            f"body, body:lang(ja), body:lang(zh) {{ font-family: {', '.join(fonts)}, sans-serif; }}"
        )
    return "".join(f"{rule}\n" for rule in rules)
