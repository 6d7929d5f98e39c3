r"""Iverson's bracket: `[a > b]` is 1 where it holds and 0 elsewhere, `[0 \le p < n]` a product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import sympy

from derive.proofread.tokens import Token, TokenKind

_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")


def _above(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    return sympy.Heaviside(a - b, 0)


def _apart(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    return _above(a, b) + _above(b, a)


_RELATIONS: Mapping[str, Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = MappingProxyType(
    {
        ">": _above,
        "<": lambda a, b: _above(b, a),
        "ge": lambda a, b: 1 - _above(b, a),
        "le": lambda a, b: 1 - _above(a, b),
        "=": lambda a, b: 1 - _apart(a, b),
        "ne": _apart,
    }
)
_SPELLINGS = {"geq": "ge", "leq": "le", "neq": "ne", "gt": ">", "lt": "<"}


def relation(token: Token) -> str:
    """The relation that a token stands for, or nothing."""
    if token.kind is TokenKind.NUMBER or token.kind is TokenKind.NAME:
        return ""
    text = _SPELLINGS.get(token.text, token.text)
    return text if text in _RELATIONS else ""


def sides(tokens: Sequence[Token]) -> tuple[list[list[Token]], list[str]]:
    """The sides of a condition and the relations between them; one side if there is none."""
    parts: list[list[Token]] = [[]]
    relations = []
    depth = 0
    for token in tokens:
        if token.kind is TokenKind.SIGN:
            depth += (token.text in _OPENS) - (token.text in _CLOSES)
        found = relation(token) if depth == 0 else ""
        if found:
            relations.append(found)
            parts.append([])
        else:
            parts[-1].append(token)
    return parts, relations


def is_list(tokens: Sequence[Token]) -> bool:
    """Whether a side is several places, `(r,s)`, so that it has no value."""
    return any(token.text == "," for token in tokens) and tokens[0].text == "("


def indicator(values: Sequence[sympy.Expr], relations: Sequence[str]) -> sympy.Expr:
    """The value of a condition: the product over its relations."""
    pairs = zip(values, values[1:], relations, strict=False)
    return sympy.Mul(*[_RELATIONS[sign](left, right) for left, right, sign in pairs])
