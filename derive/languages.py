"""The languages of pages, and what a language does to numbers."""

from __future__ import annotations

import re

LANGUAGES = ("ko", "en", "de", "fr", "es", "ja", "zh")
BABEL = {"de": "german", "fr": "french", "es": "spanish"}  # whose words LaTeX puts in
WITH_COMMA = frozenset(BABEL)
WITHOUT_SPACES = frozenset(("ja", "zh"))  # between words and after the end of a sentence
FORMULA = re.compile(
    r"\\begin\{equation\*?\}.*?\\end\{equation\*?\}|\$\$.*?\$\$|\\\(.*?\\\)"
    r"|(?<!\\)\$(?:\\.|[^$\\])*\$",
    re.DOTALL,
)
POINT = re.compile(r"(?<=\d)\.(?=\d)")
COMMA = re.compile(r"(?<=\d)\{,\}(?=\d)")  # in TeX a comma alone has a space behind it
WIDE = r"\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60"  # Chinese and Japanese signs
BROKEN = re.compile(rf"(?<=[{WIDE}])\n(?=[{WIDE}])")
CLOSE = re.compile(
    r"(?<=[、。，；：])\n?(?=\$[^$\n])"
)  # half of the sign is blank, and TeX takes it away
MATHML = re.compile(r"(?<=<mn>)(\d+)\.(\d+)(?=</mn>)")


def numbers_in(language: str, text: str) -> str:
    """A text in TeX with the numbers of its formulas as a language writes them."""
    if language not in WITH_COMMA:
        return text
    return FORMULA.sub(lambda found: POINT.sub("{,}", found[0]), text)


def numbers_in_mathml(language: str, text: str) -> str:
    """The same for a text with formulas in MathML."""
    return MATHML.sub(r"\1,\2", text) if language in WITH_COMMA else text


def unbroken(language: str, text: str) -> str:
    """A text without ends of lines between signs, where a reader of it would see spaces."""
    return CLOSE.sub(" ", BROKEN.sub("", text)) if language in WITHOUT_SPACES else text


def plain_numbers(language: str, text: str) -> str:
    """A text in TeX with points again: what a language does to numbers is undone."""
    return COMMA.sub(".", text) if language in WITH_COMMA else text
