"""Numbers as they are printed, with all their digits."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from derive.proofread.formula import MAX_EXPONENT
from derive.proofread.tokens import Token, TokenKind, tokenize

_WRAPPERS = frozenset(
    ("boxed", "mathbf", "underline", "textbf", "bm", "boldsymbol", "mathrm", "text", "mathit")
)
_BRACKETS = frozenset({("{", "}"), ("(", ")"), ("[", "]")})
_LITERAL = re.compile(
    r"(?P<sign>[-+]?)(?P<number>[\d.]\S*?)(?: [*] 10 \^ (?P<exponent>[-+]?\d+))?(?P<percent> %)?"
)


def printed_number(tex: str) -> str | None:
    """The bare number `tex` consists of, in the syntax of Decimal and with its digits; or None."""
    tokens = _unwrapped(list(tokenize(tex)[:-1]))
    words = [_word(token) for token in tokens]
    match = _LITERAL.fullmatch(_spell(words))
    if match is None:
        return None
    exponent = int(match["exponent"] or 0) - (2 if match["percent"] else 0)
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
