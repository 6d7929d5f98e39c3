"""Reads a text into claims; what it cannot read it reports, it never drops a display."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import sympy

from derive.proofread.claim import Claim, Item, Unread, Where
from derive.proofread.formula import MAX_EXPONENT, parse_formula, symbol_name
from derive.proofread.matrices import MatrixError, cells, entry_names
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
from derive.proofread.scan import Passage, blank, passages, where
from derive.proofread.tokens import FormulaError, Token, TokenKind, tokenize

_WRAPPERS = frozenset({"boxed", "mathbf", "underline", "textbf", "bm", "boldsymbol", "mathrm"})
_BRACKETS = frozenset({("{", "}"), ("(", ")"), ("[", "]")})
_LITERAL = re.compile(r"(?P<sign>[-+]?)(?P<number>[\d.]\S*)(?: [*] 10 \^ (?P<exponent>[-+]?\d+))?")
LONGEST = 100_000  # characters of one display


def read(text: str) -> list[Item]:
    """Every claim and every unreadable place of a LaTeX or Markdown text, in reading order."""
    blanked = blank(text)
    return [item for passage in passages(blanked) for item in _passage_items(blanked, passage)]


def _passage_items(text: str, passage: Passage) -> Iterator[Item]:
    place = where(text, passage.offset, passage.environment)
    if passage.body is None:
        yield Unread(place, text[passage.offset :][:80], "the environment is never closed")
        return
    if len(passage.body) > LONGEST:
        yield Unread(place, passage.body[:80], f"this has more than {LONGEST:,} characters")
        return
    found = False
    for statement in statements(passage):
        found = True
        yield from _statement_items(text, passage, statement)
    if not found and not passage.is_inline:
        yield Unread(place, passage.body, "the display is empty")


def _statement_items(text: str, passage: Passage, statement: Span) -> Iterator[Item]:
    place = where(text, statement.offset, passage.environment)
    source = without_edge(statement.text).strip()
    relation = other_relation(statement.text)
    if passage.is_inline and (relation or not has_relation(statement.text)):
        return
    if relation:
        yield Unread(place, source, f"the relation {relation} makes no chain of equals")
        return
    try:
        found = chains(statement)
    except RowError as error:
        yield Unread(place, source, str(error))
        return
    if not found:
        yield Unread(place, source, "no relation is stated")
    for chain in found:
        yield from _chain_items(chain, where(text, chain.offset, passage.environment))


def _chain_items(chain: Span, place: Where) -> Iterator[Item]:
    """One claim, or one for each entry if the chain ends in a matrix."""
    source = without_edge(chain.text).strip()
    parts = [part.text.strip() for part in split_top(source, RELATION)]
    table = cells(parts[-1]) if len(parts) == 2 else None
    if table is None:
        yield _chain_item(source, parts, place)
        return
    try:
        for name, cell in entry_names(symbol_name(parts[0]), *table):
            lhs = sympy.Symbol(name, real=True)
            printed = printed_number(cell)
            tex = () if printed is not None else (cell,)
            forms = tuple(map(parse_formula, tex))
            yield Claim(lhs, forms, printed, place, f"{name} = {cell}", name, tex)
    except (FormulaError, MatrixError) as error:
        yield Unread(place, source, str(error))


def _chain_item(source: str, parts: list[str], place: Where) -> Item:
    if not all(parts):
        return Unread(place, source, "a side of the relation is empty")
    try:
        printed = printed_number(parts[-1])
        tex = tuple(parts[1:-1] if printed is not None else parts[1:])
        forms = tuple(parse_formula(part) for part in tex)
        return Claim(parse_formula(parts[0]), forms, printed, place, source, parts[0], tex)
    except FormulaError as error:
        return Unread(place, source, str(error))


def printed_number(tex: str) -> str | None:
    """The bare number `tex` consists of, in the syntax of Decimal and with its digits; or None."""
    tokens = _unwrapped(list(tokenize(tex)[:-1]))
    words = [_word(token) for token in tokens]
    match = _LITERAL.fullmatch(_spell(words))
    if match is None:
        return None
    exponent = int(match["exponent"] or 0)
    if abs(exponent) > MAX_EXPONENT:
        return None
    try:
        value = Decimal(f"{match['sign']}{match['number']}E{exponent}")
    except InvalidOperation:  # as 1.2.3
        return None
    if abs(value.adjusted()) > MAX_EXPONENT:
        return None
    power = value.as_tuple().exponent
    return format(value, "f") if isinstance(power, int) and power <= 0 else str(value)


def _unwrapped(tokens: list[Token]) -> list[Token]:
    while len(tokens) > 2:
        if tokens[0].kind is TokenKind.COMMAND and tokens[0].text in _WRAPPERS:
            tokens = tokens[1:]
        elif (tokens[0].text, tokens[-1].text) in _BRACKETS:
            tokens = tokens[1:-1]
        else:
            break
    return tokens


def _word(token: Token) -> str:
    return "*" if token.text in ("times", "cdot") else token.text


def _spell(words: list[str]) -> str:
    spelled = " ".join(word for word in words if word not in ("{", "}"))
    return re.sub(r"(?<![\d.]) ?([-+]) ", r" \1", spelled).strip()
