"""Tokens of TeX mathematics, and a stream that knows how TeX takes arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import NoReturn

MAX_DIGITS = 400


class FormulaError(ValueError):
    """A formula that is not understood, with the position of the first offending token."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position})")
        self.message = message
        self.position = position


class TokenKind(StrEnum):
    """The lexical classes the parser distinguishes."""

    NUMBER = "number"
    NAME = "name"
    COMMAND = "command"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True)
class Token:
    """One lexeme; a number's text is plain decimal notation, a command's has no backslash."""

    kind: TokenKind
    text: str
    position: int


_DIGITS = r"\d{1,3}(?:(?:\\,|\{'\})\d{3})+|\d+"
_DECIMALS = r"(?:\d{3}\\,)+\d{1,3}|\d+"
_SPACING = (
    r"\s+|~|\\[,;:!>\ ]|\\(?:quad|qquad|displaystyle|textstyle|limits|nolimits|mathstrut|strut"
    r"|thinspace|medspace|thickspace|negthinspace|left\.|right\."
    r"|mathopen|mathclose|mathbin|mathrel|mathord|nonumber|notag"
    r"|left|middle|right|[bB]ig{1,2}[lrm]?)(?![A-Za-z])"
    r"|\\(?:hspace|vspace|vphantom|hphantom|phantom|color)\*?\{[^{}]*\}"
)
_LEXEME = re.compile(
    rf"(?P<space>{_SPACING})"
    rf"|(?P<number>(?:(?:{_DIGITS})(?:(?:\.|\{{,\}})(?:{_DECIMALS}))?|\.\d+)"
    r"(?:[eE][-+]?\d+(?![A-Za-z\d]))?)"
    r"|(?P<name>[^\W\d_]+\d*)"
    r"|\\(?P<command>[A-Za-z]+\*?|[{}|_%])"
    r"|(?P<sign>[-+*/^_=,|!'<>:;.()\[\]{}−×·])"
)
_SAME_SIGN = {"−": "-", "×": "*", "·": "*"}
_SAME_COMMAND = {
    "|": "vert", "Vert": "vert", "lVert": "lvert", "rVert": "rvert", "lbrace": "{", "rbrace": "}",
    "bigtriangleup": "Delta", "triangle": "Delta",
}  # fmt: skip
_SIGNS = frozenset("+-*/=")
END = Token(TokenKind.END, "", -1)


@lru_cache(maxsize=20_000)  # a page and its translation have most formulas in common
def tokenize(tex: str) -> tuple[Token, ...]:
    """Split TeX mathematics into tokens; spacing and bracket sizes carry no meaning."""
    tokens: list[Token] = []
    position = 0
    while position < len(tex):
        match = _LEXEME.match(tex, position)
        if match is None:
            raise FormulaError(f"unexpected character {tex[position]!r}", position)
        if match.lastgroup != "space":
            tokens.append(_token(match))
        position = match.end()
    tokens.append(Token(TokenKind.END, "", len(tex)))
    return tuple(_without_ordinary(tokens))


def _without_ordinary(tokens: list[Token]) -> list[Token]:
    """The tokens with `{-}`, a sign in braces that is no script and no argument, as a sign."""
    kept: list[Token] = []
    position = 0
    while position < len(tokens):
        three = [token.text for token in tokens[position : position + 3]]
        before = kept[-1] if kept else None
        takes = before is not None and (
            before.text in "^_" or before.kind is TokenKind.COMMAND or before.text == "}"
        )
        if three[:1] == ["{"] and three[2:] == ["}"] and three[1] in _SIGNS and not takes:
            kept.append(tokens[position + 1])
            position += 3
        else:
            kept.append(tokens[position])
            position += 1
    return kept


def _token(match: re.Match[str]) -> Token:
    kind = TokenKind(str(match.lastgroup))
    text = match.group(kind.value)
    if kind is TokenKind.NUMBER:
        text = text.replace("{,}", ".").replace("\\,", "").replace("{'}", "")
        if len(text) > MAX_DIGITS:
            raise FormulaError(f"a number of more than {MAX_DIGITS} characters", match.start())
    same = _SAME_COMMAND if kind is TokenKind.COMMAND else _SAME_SIGN
    return Token(kind, same.get(text, text), match.start())


class TokenStream:
    """A cursor over tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        ended = bool(tokens) and tokens[-1].kind is TokenKind.END
        last = tokens[-1].position + 1 if tokens else 0
        self._tokens = list(tokens) if ended else [*tokens, replace(END, position=last)]
        self.index = 0

    @property
    def here(self) -> Token:
        """The token under the cursor."""
        return self._tokens[self.index]

    @property
    def following(self) -> Token:
        """The token behind the one under the cursor."""
        return self._tokens[min(self.index + 1, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Return the token under the cursor and step over it, never past the end."""
        token = self.here
        if token.kind is not TokenKind.END:
            self.index += 1
        return token

    def at_sign(self, *texts: str) -> bool:
        """Whether the cursor is on one of these signs."""
        return self.here.kind is TokenKind.SIGN and self.here.text in texts

    def at_command(self, *texts: str) -> bool:
        """Whether the cursor is on one of these commands."""
        return self.here.kind is TokenKind.COMMAND and self.here.text in texts

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.here.kind is TokenKind.END

    def accept(self, *texts: str) -> bool:
        """Step over one of these signs if the cursor is on it."""
        found = self.at_sign(*texts)
        if found:
            self.advance()
        return found

    def fail(self, message: str) -> NoReturn:
        """Raise a FormulaError at the cursor."""
        raise FormulaError(message, self.here.position)

    def until(self, closing: str) -> tuple[Token, ...]:
        """Take everything up to a closing bracket, and step over the bracket."""
        start, depth = self.index, 0
        while not self.at_end():
            token = self.advance()
            if token.kind is TokenKind.SIGN:
                if depth == 0 and token.text == closing:
                    return tuple(self._tokens[start : self.index - 1])
                depth += (token.text in "([{") - (token.text in ")]}")
        self.index = start
        self.fail(f"{closing!r} is missing")

    def argument(self) -> tuple[Token, ...]:
        """Take a TeX argument: a braced group without its braces, or a single character."""
        if self.at_sign("{"):
            return self._group()
        if self.at_end() or self.at_sign("}", "^", "_"):
            self.fail("an argument is missing")
        token = self.here
        if token.kind in (TokenKind.NUMBER, TokenKind.NAME) and len(token.text) > 1:
            return (self._split_first(token),)
        self.advance()
        if token.kind is TokenKind.COMMAND and self.at_sign("{"):
            return (token, self.here, *self._group(), Token(TokenKind.SIGN, "}", token.position))
        return (token,)

    def _split_first(self, token: Token) -> Token:
        # TeX takes one character: `x_12` is x_1 followed by 2.
        rest = token.text[1:]
        kind = TokenKind.NAME if rest[0].isalpha() else TokenKind.NUMBER
        self._tokens[self.index] = Token(kind, rest, token.position + 1)
        return replace(token, text=token.text[0])

    def _group(self) -> tuple[Token, ...]:
        start = self.index
        depth = 0
        while not self.at_end():
            token = self.advance()
            if token.kind is TokenKind.SIGN:
                depth += (token.text == "{") - (token.text == "}")
            if depth == 0:
                return tuple(self._tokens[start + 1 : self.index - 1])
        raise FormulaError("a brace is never closed", self._tokens[start].position)
