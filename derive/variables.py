"""Functions of variables, `f(x) = x*tanh(x)`, as functions of expressions."""

from __future__ import annotations

import re
from collections.abc import Callable

import sympy

from derive.errors import LanguageError
from derive.functions import BY_NAME
from derive.language import CONSTANTS, Scope, parse_expression
from derive.names import IDENTIFIER


def parse_function(text: str, arity: int) -> Callable[..., sympy.Expr]:
    """`f(x) = x*tanh(x)` as a function of expressions. Raises LanguageError."""
    match = re.fullmatch(r"\s*[A-Za-z]\w*\(([^()]*)\)\s*=(?!=)\s*(.+)", text, re.DOTALL)
    if match is None:
        raise LanguageError(text, 0, "a function is written like f(x) = x*tanh(x)")
    names = [name.strip() for name in match[1].split(",")]
    if len(names) != arity or len(set(names)) != arity:
        raise LanguageError(text, text.index("("), f"this needs {arity} different variables")
    for name in names:
        if not IDENTIFIER.match(name) or name in BY_NAME or name in CONSTANTS:
            raise LanguageError(text, text.index("("), f"'{name}' cannot be a variable")
    symbols = [sympy.Symbol(name, real=True) for name in names]
    scope = Scope({}, {}, dict(zip(names, symbols, strict=True)))
    body = parse_expression(match[2], scope)
    return lambda *values: body.xreplace(dict(zip(symbols, values, strict=True)))
