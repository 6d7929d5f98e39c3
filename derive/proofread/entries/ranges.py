r"""What a text says that an index runs over: `0 \le t < 3`, `i = 1, \dots, n`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.proofread.conditions import sides
from derive.proofread.names import spelled
from derive.proofread.rows import split_top
from derive.proofread.scan import passages
from derive.proofread.tokens import FormulaError, Token, TokenKind, tokenize

_COMMA = re.compile("[,;]|\\\\q?quad")
_LETTER = re.compile(r"[A-Za-z]'*")
_DOTS = re.compile(r"(?P<head>.*=\s*\d+)\s*,\s*\\[lc]?dots\s*,\s*(?P<last>\d+)\s*")
MOST = 10_000


def declared(text: str) -> dict[str, range]:
    """The ranges of letters; one that is given two has none."""
    found: dict[str, set[range]] = {}
    for passage in passages(text):
        body = passage.body or ""
        if passage.is_inline and len(body) < MOST:
            for letter, each in _ranges(body):
                found.setdefault(letter, set()).add(each)
    return {letter: next(iter(each)) for letter, each in found.items() if len(each) == 1}


def _ranges(body: str) -> Iterator[tuple[str, range]]:
    dots = _DOTS.fullmatch(body)
    if dots is not None:
        yield from _run(dots["head"], int(dots["last"]))
        return
    for part in split_top(body, _COMMA):
        try:
            sides_, relations = sides(tokenize(part.text)[:-1])
        except FormulaError:
            continue
        if len(sides_) == 3 and set(relations) <= {"le", "<"}:
            yield from _between(sides_, relations)


def _run(head: str, last: int) -> Iterator[tuple[str, range]]:
    letter, _, first = head.partition("=")
    if _LETTER.fullmatch(letter.strip()) and first.strip().isdigit() and last < MOST:
        yield letter.strip(), range(int(first), last + 1)


def _between(
    parts: Sequence[Sequence[Token]], relations: Sequence[str]
) -> Iterator[tuple[str, range]]:
    low, letter, high = parts
    whole = all(
        len(s) == 1 and s[0].kind is TokenKind.NUMBER and s[0].text.isdigit() for s in (low, high)
    )
    name = spelled(letter)
    if whole and _LETTER.fullmatch(name) and int(high[0].text) < MOST:
        first = int(low[0].text) + (relations[0] == "<")
        yield name, range(first, int(high[0].text) + (relations[1] == "le"))
