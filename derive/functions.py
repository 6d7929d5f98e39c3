"""The functions of the equation language: one row each.

A row with a definition is differentiated through that definition; a row with `slopes` states the
convention at a kink. SymPy differentiates the rest. No row says how to propagate anything backward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from mpmath import mp


class logistic(sympy.Function):
    """1/(1 + exp(-x))."""

    nargs = 1
    is_real = True


class softplus(sympy.Function):
    """log(1 + exp(x))."""

    nargs = 1
    is_real = True


class maximum(sympy.Function):
    """The larger of two values. At a tie a constant wins, otherwise the first argument."""

    nargs = 2
    is_real = True


class minimum(sympy.Function):
    """The smaller of two values. At a tie a constant wins, otherwise the first argument."""

    nargs = 2
    is_real = True


class absolute(sympy.Function):
    """|x|, with the derivative 0 at 0."""

    nargs = 1
    is_real = True


class sign(sympy.Function):
    """-1, 0 or 1 by the sign of x; its derivative is taken as 0 everywhere."""

    nargs = 1
    is_real = True


class greater(sympy.Function):
    """1 if the first argument exceeds the second, else 0; its derivative is taken as 0."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """A comparison of constants is decided."""
        constant = a == b or (a.is_Rational and b.is_Rational)
        return sympy.Integer(int(a != b and bool(a > b))) if constant else None


class at_least(sympy.Function):
    """1 if the first argument is not below the second, else 0; its derivative is taken as 0."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """A comparison of constants is decided."""
        constant = a == b or (a.is_Rational and b.is_Rational)
        return sympy.Integer(int(a == b or bool(a >= b))) if constant else None


class where(sympy.Function):
    """`where(c, a, b)`: a if the indicator c is 1, b if it is 0; the other branch is not used."""

    nargs = 3
    is_real = True

    @classmethod
    def eval(cls, test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr | None:
        """A choice by a constant is the branch taken."""
        if test in (0, 1):
            return yes if test == 1 else no
        return None


def _select(chosen: Any, yes: Any, no: Any) -> Any:
    return yes if chosen == 1 else no


def _kinked(larger: bool) -> tuple[Callable[..., sympy.Expr], ...]:
    """The two slopes of max or min: the tie goes to a constant, otherwise to the first."""

    def first(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
        test = greater if b.is_number else at_least
        return test(a, b) if larger else test(b, a)

    def second(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
        return greater(b, a) if larger else greater(a, b)

    return first, second


def _nothing(*_: sympy.Expr) -> sympy.Expr:
    return sympy.Integer(0)


@dataclass(frozen=True)
class Row:
    """A function: its name in the language, its SymPy class, and how it is evaluated exactly."""

    name: str
    symbol: type[sympy.Function]
    exact: Callable[..., Any]
    definition: Callable[..., sympy.Expr] | None = None
    slopes: tuple[Callable[..., sympy.Expr], ...] | None = None
    arity: int = 1


ROWS = (
    Row("exp", sympy.exp, lambda x: mp.exp(x)),
    Row("log", sympy.log, lambda x: mp.log(x)),
    Row("tanh", sympy.tanh, lambda x: mp.tanh(x)),
    Row("sin", sympy.sin, lambda x: mp.sin(x)),
    Row("cos", sympy.cos, lambda x: mp.cos(x)),
    Row("erf", sympy.erf, lambda x: mp.erf(x)),
    Row(
        "logistic",
        logistic,
        lambda x: 1 / (1 + mp.exp(-x)),
        definition=lambda x: 1 / (1 + sympy.exp(-x)),
    ),
    Row(
        "softplus",
        softplus,
        lambda x: mp.log1p(mp.exp(x)),
        definition=lambda x: sympy.log(1 + sympy.exp(x)),
    ),
    Row("max", maximum, lambda a, b: b if b > a else a, slopes=_kinked(True), arity=2),
    Row("min", minimum, lambda a, b: b if b < a else a, slopes=_kinked(False), arity=2),
    Row("abs", absolute, lambda x: abs(x), slopes=(lambda x: sign(x),)),
    Row("sign", sign, lambda x: mp.sign(x), slopes=(_nothing,)),
    Row("greater", greater, lambda a, b: mp.mpf(a > b), slopes=(_nothing, _nothing), arity=2),
    Row("at_least", at_least, lambda a, b: mp.mpf(a >= b), slopes=(_nothing, _nothing), arity=2),
    Row(
        "where",
        where,
        _select,
        slopes=(
            _nothing,
            lambda c, a, b: where(c, sympy.Integer(1), sympy.Integer(0)),
            lambda c, a, b: where(c, sympy.Integer(0), sympy.Integer(1)),
        ),
        arity=3,
    ),
)
BY_NAME = {row.name: row for row in ROWS}
BY_SYMBOL = {row.symbol: row for row in ROWS}
