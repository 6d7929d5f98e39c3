"""Presentation MathML as TeX, read by the XML parser of the standard library."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree

DEEPEST = 100
LONGEST = 200_000
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|apos);)[A-Za-z]\w*;")
_ACCENTS = {
    "^": "hat", "ˆ": "hat", "¯": "bar", "‾": "bar", "~": "tilde", "˜": "tilde", "→": "vec",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "hat", "\N{COMBINING MACRON}": "bar", "˙": "dot",
}  # fmt: skip
_PLAIN = ("mrow", "math", "mstyle", "mpadded", "menclose", "mtd")
_SPECIAL = {"{": "\\{", "}": "\\}", "%": "\\%", "#": "\\#", "&": "\\&", "_": "\\_", "\\": ""}


class MathMLError(ValueError):
    """A formula in MathML that cannot be written as TeX, and why."""


def tex_of_mathml(source: str) -> str:
    """The TeX of one `math` element. Raises MathMLError."""
    if len(source) > LONGEST:
        raise MathMLError("it is too long")
    named = _ENTITY.sub(lambda found: html.unescape(found.group()), source)
    try:
        return _tex(ElementTree.fromstring(named), 0).strip()
    except ElementTree.ParseError:
        raise MathMLError("it is no well-formed XML") from None


def _tex(element: ElementTree.Element, depth: int) -> str:
    if depth > DEEPEST:
        raise MathMLError("it is nested too deep")
    tag = element.tag.rpartition("}")[2]
    if tag in _TOKENS:
        return _TOKENS[tag]("".join((element.text or "").split()))
    if tag in ("mspace", "annotation", "annotation-xml", "none", "mphantom"):
        return " "
    children = [_tex(child, depth + 1) for child in element]
    if tag in _PLAIN:
        return "".join(children)
    if tag == "semantics":
        return children[0] if children else ""
    if tag not in _LAYOUTS:
        raise MathMLError(f"<{tag}> is not understood")
    count, write = _LAYOUTS[tag]
    if count and len(children) != count:
        raise MathMLError(f"<{tag}> takes {count} parts")
    return write(children)


def _word(text: str) -> str:
    return f"{text} " if len(text) == 1 else f"\\mathrm{{{_escaped(text)}}}"


def _operator(text: str) -> str:
    return f" {_escaped(text)} "


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


_TOKENS: Mapping[str, Callable[[str], str]] = {
    "mi": _word,
    "mn": lambda text: f" {_escaped(text)} ",
    "mo": _operator,
    "mtext": lambda text: f"\\text{{{_escaped(text)}}}",
    "ms": lambda text: f"\\text{{{_escaped(text)}}}",
}


def _over(parts: list[str]) -> str:
    accent = _ACCENTS.get(parts[1].strip())
    return f"\\{accent}{{{parts[0]}}}" if accent else f"{parts[0]}^{{{parts[1]}}}"


def _table(rows: list[str]) -> str:
    body = " \\\\ ".join(rows)
    return f"\\begin{{matrix}}{body}\\end{{matrix}}"


_LAYOUTS: Mapping[str, tuple[int, Callable[[list[str]], str]]] = {
    "mfrac": (2, lambda p: f"\\frac{{{p[0]}}}{{{p[1]}}}"),
    "msub": (2, lambda p: f"{p[0]}_{{{p[1]}}}"),
    "msup": (2, lambda p: f"{p[0]}^{{{p[1]}}}"),
    "msubsup": (3, lambda p: f"{p[0]}_{{{p[1]}}}^{{{p[2]}}}"),
    "munder": (2, lambda p: f"{p[0]}_{{{p[1]}}}"),
    "munderover": (3, lambda p: f"{p[0]}_{{{p[1]}}}^{{{p[2]}}}"),
    "mover": (2, _over),
    "msqrt": (0, lambda p: f"\\sqrt{{{''.join(p)}}}"),
    "mroot": (2, lambda p: f"\\sqrt[{p[1]}]{{{p[0]}}}"),
    "mfenced": (0, lambda p: f"({','.join(p)})"),
    "mtr": (0, lambda p: " & ".join(p)),
    "mtable": (0, _table),
}
