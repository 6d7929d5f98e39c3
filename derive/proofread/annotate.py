"""A copy of a document with each finding marked at its place, and nothing else changed.

Of LaTeX the copy is LaTeX, of a page it is the page; of other text it is a page that shows it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from derive.proofread.documents import Part, is_latex, is_page
from derive.proofread.reading import Remark, Verdict
from derive.proofread.report import Checked, said

_BEGINS = "\\begin{document}"
_COMMAND = "\\providecommand{\\derivefinding}[1]{\\textbf{[#1]}}\n"
_STYLE = "background:#ffe3df;color:#7a1500;border-left:3px solid #c8501e;padding:0 .4em"
_ESCAPES = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#",
    "∂": "$\\partial$", "Δ": "$\\Delta$", "%": "\\%",
    "_": "\\_", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}",
}  # fmt: skip
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>{title}</title>
<style>pre {{ white-space: pre-wrap }} mark {{ background: #ffc9c0 }}</style></head><body>
{body}</body></html>
"""


@dataclass(frozen=True)
class _Note:
    """What is said behind a place of a text, and the stretch before it that it is about."""

    start: int
    stop: int
    end: int
    words: str


def annotated(found: Checked, text: str) -> str:
    """The copy of a document, of which this is the text."""
    if is_page(found.name, text):
        return _put(text, sorted(_places(found)))
    parts = list(dict.fromkeys(part for part, _ in found.places))
    if is_latex(found.name, text):
        return _in_latex(text, [note for part in parts for note in _notes(found, part)])
    body = "".join(_shown(part, _notes(found, part)) for part in parts or [Part("", text)])
    name = PurePath(found.name).name
    return _PAGE.format(title=html.escape(name), body=body)


def _in_latex(text: str, notes: Sequence[_Note]) -> str:
    if not notes:
        return text
    start = max(0, text.find(_BEGINS))
    return _put(text, [(start, _COMMAND), *((n.end, _in_tex(n.words)) for n in notes)])


def _put(text: str, insertions: Sequence[tuple[int, str]]) -> str:
    """A text with something put at some places of it, which are in order."""
    pieces, position = [], 0
    for place, words in insertions:
        pieces += [text[position:place], words]
        position = place
    return "".join([*pieces, text[position:]])


def _notes(found: Checked, part: Part) -> Iterator[_Note]:
    """What is said of a part, in its order."""
    notes = []
    for remark in found.remarks:
        where, item = found.places[remark.place]
        if where == part and _is_finding(remark):
            place = item.where
            start, stop = _printed(part.text[place.start : place.end], remark.printed)
            words = _words(found, remark)
            notes.append(_Note(place.start + start, place.start + stop, place.end, words))
    yield from sorted(notes, key=lambda note: (note.end, note.start))


def _is_finding(remark: Remark) -> bool:
    return remark.verdict in (Verdict.WRONG, Verdict.DIGITS, Verdict.FOLLOWS)


def _words(found: Checked, remark: Remark) -> str:
    if remark.follows is None:
        return _seen(f"{remark.verdict.value}: {said(remark)}")
    line = found.where(found.remarks[remark.follows])[1]
    return _seen(f"{said(remark)}; follows from line {line}")


def _seen(words: str) -> str:
    """Words without letters that would not be seen, or would steer what shows them."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words
    )


def _printed(text: str, printed: str) -> tuple[int, int]:
    """Where a number stands in a formula; none of it if it is not written in digits there."""
    digits = printed.removeprefix("-")
    start = text.rfind(digits) if digits else -1
    return (0, 0) if start < 0 else (start, start + len(digits))


def _places(found: Checked) -> Iterator[tuple[int, str]]:
    """Where in the file of a page something is said, and what."""
    for part in dict.fromkeys(part for part, _ in found.places):
        for note in _notes(found, part):
            spots = [spot for spot in part.spots if spot.start < note.end]
            if spots:
                words = html.escape(note.words)
                span = f'<span class="derive-finding" role="note" style="{_STYLE}">{words}</span>'
                yield spots[-1].place(note.end), span


def _shown(part: Part, notes: Iterable[_Note]) -> str:
    """The text of a part as a page shows it."""
    marks: list[tuple[int, int, str]] = []
    for note in notes:
        if note.stop > note.start:
            marks += [(note.start, 1, "<mark>"), (note.stop, 0, "</mark>")]
        words = html.escape(note.words)
        marks.append((note.end, 2, f'<span role="note" style="{_STYLE}">{words}</span>'))
    pieces, position = [], 0
    for place, _, words in sorted(set(marks)):
        pieces += [html.escape(part.text[position:place]), words]
        position = max(position, place)
    pieces.append(html.escape(part.text[position:]))
    title = f"<h2>{html.escape(part.label)}</h2>\n" if part.label else ""
    return f"{title}<pre>{''.join(pieces)}</pre>\n"


def _in_tex(words: str) -> str:
    return f"\\derivefinding{{{''.join(_ESCAPES.get(letter, letter) for letter in words)}}}"
