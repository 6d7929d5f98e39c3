r"""Reads a text into claims; what it cannot read it reports, it never drops a display."""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.proofread.claim import Claim, Item, Unread, Where
from derive.proofread.formula import parse_formula
from derive.proofread.macros import Expander
from derive.proofread.matrices import MatrixError
from derive.proofread.numerals import printed_number
from derive.proofread.rows import (
    RELATION,
    RowError,
    Span,
    chains,
    has_relation,
    other_relation,
    split_top,
    statements,
    without_edge,
)
from derive.proofread.scan import Passage, passages
from derive.proofread.source import Source, prepared
from derive.proofread.tables import is_table_chain, settled, table_items
from derive.proofread.tokens import FormulaError

LONGEST = 100_000  # characters of one display
_BOXED = re.compile(r"\s*\\(?:boxed|fbox|displaystyle|bbox)\s*(?P<brace>\{)")
_OPENING_MARK = re.compile(
    r"(?:\s|~|\\[,;:! ])*\\(?:therefore|because|implies|Rightarrow)(?![A-Za-z])"
)


def read(text: str, expander: Expander | None = None, first: int | None = None) -> list[Item]:
    """Every claim and every unreadable place of a LaTeX or Markdown text, in reading order.

    An expander knows the macros of what was read before; `first` is from where entries of tables
    are counted, where that is known.
    """
    source = prepared(text, Expander() if expander is None else expander)
    return settled([i for p in passages(source.text) for i in _passage_items(source, p)], first)


def _passage_items(source: Source, passage: Passage) -> Iterator[Item]:
    place = source.where(passage.offset, passage.environment)
    if passage.body is None:
        yield Unread(place, source.text[passage.offset :][:80], "the environment is never closed")
        return
    if len(passage.body) > LONGEST:
        yield Unread(place, passage.body[:80], f"this has more than {LONGEST:,} characters")
        return
    found = False
    for statement in statements(passage):
        found = True
        yield from _statement_items(source, passage, _bare(statement))
    if not found and not passage.is_inline:
        yield Unread(place, passage.body, "the display is empty")


def _bare(statement: Span) -> Span:
    """A statement without the box around all of it, and without a word such as `therefore`."""
    text = statement.text
    opening = _OPENING_MARK.match(text)
    if opening is not None:
        return _bare(Span(statement.offset + opening.end(), text[opening.end() :]))
    boxed = _BOXED.match(text)
    if boxed is None:
        return statement
    start = boxed.end()
    depth, end = 1, start
    while end < len(text) and depth:
        depth += (text[end] == "{") - (text[end] == "}")
        end += 2 if text[end] == "\\" else 1
    if depth or without_edge(text[end:]).strip() or not has_relation(text[start : end - 1]):
        return statement
    return _bare(Span(statement.offset + start, text[start : end - 1]))


def _statement_items(source: Source, passage: Passage, statement: Span) -> Iterator[Item]:
    place = source.where(statement.offset, passage.environment, passage.end)
    tex = without_edge(statement.text).strip()
    relation = other_relation(statement.text)
    if passage.is_inline and (relation or not has_relation(statement.text)):
        return
    if relation:
        yield Unread(place, tex, f"the relation {relation} makes no chain of equals")
        return
    try:
        found = chains(statement)
    except RowError as error:
        yield Unread(place, tex, str(error))
        return
    if not found:
        yield _alone(tex, place)
    for chain in found:
        yield from _chain_items(chain, source.where(chain.offset, passage.environment, passage.end))


def _alone(tex: str, place: Where) -> Item:
    """A formula of which nothing is said."""
    try:
        return Claim(parse_formula(tex), (), None, place, tex, tex, ())
    except FormulaError as error:
        return Unread(place, tex, f"no relation is stated, and {error}")


def _chain_items(chain: Span, place: Where) -> Iterator[Item]:
    """One claim, or one for each entry if there are tables in the chain."""
    source = without_edge(chain.text).strip()
    parts = [part.text.strip() for part in split_top(source, RELATION)]
    if not all(parts):
        yield Unread(place, source, "a side of the relation is empty")
        return
    try:
        if is_table_chain(parts):
            yield from list(table_items(source, parts, place))
        else:
            yield _claim(source, parts, place)
    except (FormulaError, MatrixError) as error:
        yield Unread(place, source, str(error))


def _claim(source: str, parts: list[str], place: Where) -> Claim:
    printed = printed_number(parts[-1])
    tex = tuple(parts[1:-1] if printed is not None else parts[1:])
    forms = tuple(parse_formula(part) for part in tex)
    return Claim(parse_formula(parts[0]), forms, printed, place, source, parts[0], tex)
