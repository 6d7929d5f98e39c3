r"""Differentials: `\partial E`, `dy`, `\partial^2 L`, and what stands in place of a name there.

A power in a differential is part of its name, and so is what a function is applied to.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from derive.proofread.names import Name, read_name, spelled, starts_name, with_scripts
from derive.proofread.tokens import FormulaError, Token, TokenKind, TokenStream


def read_differential(stream: TokenStream) -> tuple[str, str] | None:
    """Read `\\partial name` or `d name`; None, with the cursor kept, where there is none."""
    start = stream.index
    if stream.at_command("partial"):
        if not _names_something(stream):
            return None
        stream.advance()
        return "∂", _with_power(_braced(stream) or read_name(stream))
    name = _upright_differential(stream) or _letter_differential(stream)
    if name is None or name.power is not None:
        stream.index = start
        return None
    return "d", name.canonical


def _names_something(stream: TokenStream) -> bool:
    """Whether a name can stand behind a sign of differentiation."""
    start = stream.index
    stream.advance()
    found = starts_name(stream) or stream.at_sign("{")
    stream.index = start
    return found


def _braced(stream: TokenStream) -> Name | None:
    """A name in braces, as `{loss}_t`."""
    if not stream.at_sign("{"):
        return None
    return with_scripts(Name(spelled(stream.argument())), stream)


def _with_power(name: Name) -> str:
    return name.canonical + ("" if name.power is None else f"^{spelled(name.power)}")


def whole_differential(tokens: Sequence[Token]) -> tuple[str, str] | None:
    """The differential that all of some tokens are; None if they are none."""
    if not tokens:
        return None
    stream = TokenStream(tokens)
    with suppress(FormulaError):
        part = read_differential(stream)
        if part is not None and stream.at_end():
            return part
    signs = [token.text for token in tokens[:2]]
    if tokens[0].kind is TokenKind.COMMAND and signs[0] == "partial" and len(tokens) > 1:
        return "∂", spelled(tokens[1:])
    if tokens[0].kind is TokenKind.NAME and signs[0].startswith("d") and len(tokens) > 1:
        rest = [replace(tokens[0], text=signs[0][1:]), *tokens[1:]]
        return None if signs[0] == "d" and signs[1] in "_'" else ("d", spelled(rest))
    return None


def operator(tokens: Sequence[Token]) -> str:
    """The sign of differentiation if it stands alone above a fraction, else nothing."""
    stream = TokenStream(tokens)
    if not (stream.at_command("partial") or (stream.here.text == "d" and len(tokens) > 0)):
        return ""
    sign = "∂" if stream.advance().kind is TokenKind.COMMAND else "d"
    order = f"^{spelled(stream.argument())}" if stream.accept("^") else ""
    return sign + order if stream.at_end() else ""


def _upright_differential(stream: TokenStream) -> Name | None:
    start = stream.index
    if stream.at_command("mathrm", "text"):
        stream.advance()
        if spelled(stream.argument()) == "d" and starts_name(stream):
            return read_name(stream)
    stream.index = start
    return None


def _letter_differential(stream: TokenStream) -> Name | None:
    token = stream.here
    if token.kind is not TokenKind.NAME or token.text[0] != "d":
        return None
    stream.advance()
    if token.text == "d":
        return read_name(stream) if starts_name(stream) else None
    # The lexer keeps `dout` together; the scripts that follow belong to `out`.
    return with_scripts(Name(token.text[1:]), stream) if token.text[1].isalpha() else None
