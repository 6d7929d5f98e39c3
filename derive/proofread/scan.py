"""Finds mathematics in LaTeX and Markdown text; every offset stays the offset in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from derive.proofread.joined import joined

MATH_ENVIRONMENTS = frozenset(
    [
        "equation",
        "align",
        "aligned",
        "alignat",
        "alignedat",
        "flalign",
        "gather",
        "gathered",
        "multline",
        "split",
        "eqnarray",
        "displaymath",
        "math",
    ]
)
_SKIPPED_ENVIRONMENTS = (
    "verbatim|Verbatim|lstlisting|minted|comment|tikzpicture|axis|tabular|tabularx|longtable"
)
_SKIPPED = re.compile(
    r"\\\\|\\%"
    r"|(?P<verb>\\verb\*?(?P<bar>[^\sA-Za-z*])[^\n]*?(?P=bar))"
    rf"|(?P<body>\\begin\{{(?P<env>(?:{_SKIPPED_ENVIRONMENTS})\*?)\}}.*?\\end\{{(?P=env)\}})"
    r"|(?P<comment>%[^\n]*)",
    re.DOTALL,
)
_FENCE = re.compile(r"^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_QUOTE = re.compile(r"^ {0,3}(?:> ?)+", re.MULTILINE)
_LINE_COMMENT = re.compile(r"^[ \t]*%[^\n]*", re.MULTILINE)
_COMMENT = re.compile(r"(\\\\|\\%)|%[^\n]*")
_NOISE = re.compile(
    r"\\(?:label|tag\*?|eqref|ref|intertext|shortintertext|vspace\*?|hspace\*?)\{[^{}]*\}"
    r"|\\(?:nonumber|notag|allowdisplaybreaks|displaystyle|centering|hline)(?![A-Za-z])"
)
_IS_LATEX = re.compile(r"\\documentclass|\\begin\{document\}|\\(?:sub)*section\b|\\chapter\b")
_BEGINS = "\\begin{document}"
_OPENING = re.compile(r"\\\\|\\begin\{([A-Za-z]+)\*?\}|\\\[|\\\(|\$\$|\$|\\.", re.DOTALL)
_CLOSING = {"\\[": "\\]", "\\(": "\\)", "$$": "$$", "$": "$"}
_INLINE = frozenset({"\\(", "$", "math"})


@dataclass(frozen=True)
class Passage:
    """A stretch of mathematics; `body` starts at `offset`; None where no end was found."""

    environment: str
    offset: int
    body: str | None
    end: int = 0  # behind all that it stands in

    @property
    def is_inline(self) -> bool:
        """Whether the passage stands in running text."""
        return self.environment in _INLINE


def blank(text: str) -> str:
    """Replace comments, verbatim matter, drawings, tables and the preamble by spaces.

    What goes on elsewhere in Markdown, in the next cell or display, goes on at once.
    """
    if not _IS_LATEX.search(text):
        text = _FENCE.sub(_spaces, _SKIPPED.sub(_without_body, text))
        return joined(_QUOTE.sub(_spaces, _LINE_COMMENT.sub(_spaces, text)))
    text = _SKIPPED.sub(_without_skipped, text)
    start = max(0, text.find(_BEGINS))
    return re.sub(r"[^\n]", " ", text[:start]) + text[start:]


def preamble(text: str) -> str:
    """What a LaTeX document says before it begins, without its comments."""
    if _BEGINS not in text:
        return ""
    text = _SKIPPED.sub(_without_skipped, text)
    return text[: max(0, text.find(_BEGINS))]


def _spaces(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _without_body(match: re.Match[str]) -> str:
    return _spaces(match) if match.group("body") or match.group("verb") else match.group()


def _without_skipped(match: re.Match[str]) -> str:
    return match.group() if match.group() in ("\\\\", "\\%") else _spaces(match)


def passages(text: str) -> Iterator[Passage]:
    """Yield the mathematics of blanked text in reading order."""
    position = 0
    endless: set[str] = set()  # what is never closed any more is not looked for again
    while (match := _OPENING.search(text, position)) is not None:
        position = match.end()
        found = _passage(text, match, endless)
        if found is None:
            continue
        if found.body is None:
            yield found
            continue
        position = found.offset + len(found.body) + len(_end_mark(found.environment))
        yield replace(_unfolded(found), end=position)


def _end_mark(environment: str) -> str:
    return _CLOSING.get(environment, f"\\end{{{environment}}}")


def _passage(text: str, match: re.Match[str], endless: set[str]) -> Passage | None:
    opening = match.group()
    if match.group(1) is not None:
        if match.group(1) not in MATH_ENVIRONMENTS:
            return None
        opening = opening.removeprefix("\\begin{").removesuffix("}")
    elif opening not in _CLOSING:
        return None
    end = None if opening in endless else _find_end(text, match.end(), _end_mark(opening))
    if end is None and opening != "$":
        endless.add(opening)
    if opening == "$" and (end is None or _is_currency(text, match.end(), end)):
        return None
    if opening == "\\[" and end is not None and "](" in text[match.end() : end]:
        return None  # brackets around a link of Markdown
    body = None if end is None else _without_noise(text[match.end() : end])
    return Passage(opening, match.end(), body)


def _without_noise(body: str) -> str:
    return _NOISE.sub(_spaces, _COMMENT.sub(_keep_escape, body))


def _keep_escape(match: re.Match[str]) -> str:
    return match.group() if match.group(1) else " " * len(match.group())


def _find_end(text: str, start: int, mark: str) -> int | None:
    pattern = re.compile(rf"(?P<end>{re.escape(mark)})|\\.|(?P<gap>\n[ \t]*\n)", re.DOTALL)
    for match in pattern.finditer(text, start):
        if match.group("end"):
            return match.start()
        # Inline mathematics never spans a paragraph; a lone dollar is a currency sign.
        if match.group("gap") and mark == "$":
            return None
    return None


def _is_currency(text: str, start: int, end: int) -> bool:
    opens_amount = text[start : start + 1].isdigit()
    closes_amount = text[end + 1 : end + 2].isdigit() or text[end - 1].isspace()
    return opens_amount and closes_amount and "=" not in text[start:end]


def _unfolded(passage: Passage) -> Passage:
    # `$\begin{align*}…\end{align*}$` is a display in spite of its dollars, and `aligned` inside
    # `equation` holds all of it; anything written around it makes the passage one formula.
    while (inner := _sole_environment(passage)) is not None:
        passage = inner
    return passage


def _sole_environment(passage: Passage) -> Passage | None:
    body = passage.body or ""
    opening = _OPENING.match(body, len(body) - len(body.lstrip()))
    inner = _passage(body, opening, set()) if opening and opening.group(1) else None
    if inner is None or inner.body is None:
        return None
    rest = body[inner.offset + len(inner.body) + len(_end_mark(inner.environment)) :]
    if rest.strip(" \t\n.,;"):
        return None
    return Passage(inner.environment, passage.offset + inner.offset, inner.body)
