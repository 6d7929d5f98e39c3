"""The functions of the equation language: one row each.

A row with a definition is differentiated through that definition; a row with `slopes` states the
convention at a kink, or a slope that keeps its digits. SymPy differentiates the rest. No row says
how to propagate anything backward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sympy
from mpmath import mp

from derive.exactly import of_error, of_gamma, wave, within


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


class floored(sympy.Function):
    """The largest whole number that is not above x; its derivative is taken as 0 everywhere."""

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, x: sympy.Expr) -> sympy.Expr | None:
        """Of a rational number it is known."""
        return sympy.floor(x) if x.is_Rational else None


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


class angle(sympy.Function):
    """The angle of the point (b, a), from -pi to pi; 0, with the slope 0, where both are 0."""

    nargs = 2
    is_real = True


class _Gamma(sympy.Function):
    """What is known of the gamma function for x > 0."""

    is_real = True

    @classmethod
    def eval(cls, *arguments: sympy.Expr) -> sympy.Expr | None:
        """There is no value at or below 0."""
        x = arguments[-1]
        return sympy.nan if x.is_Rational and x <= 0 else None


class log_gamma(_Gamma):
    """The logarithm of the gamma function, of (x - 1)! where x is whole; for x > 0."""

    nargs = 1


class digamma(_Gamma):
    """The derivative of lgamma, for x > 0."""

    nargs = 1


class polygamma(_Gamma):
    """The derivative of order n of digamma, for x > 0."""

    nargs = 2


class held(sympy.Function):
    """The value of x, held fixed whatever is differentiated."""

    nargs = 1
    is_real = True


class log1p(sympy.Function):
    """log(1 + x), to full precision near 0."""

    nargs = 1
    is_real = True


class expm1(sympy.Function):
    """exp(x) - 1, to full precision near 0."""

    nargs = 1
    is_real = True


class log_add_exp(sympy.Function):
    """log(exp(a) + exp(b)), without overflow."""

    nargs = 2
    is_real = True


class erfc(sympy.Function):
    """1 - erf(x), to full precision where that is small."""

    nargs = 1
    is_real = True


class log_erfc(sympy.Function):
    """log(erfc(x)), also where erfc(x) is below the smallest float."""

    nargs = 1
    is_real = True


class inverse_mills(sympy.Function):
    """exp(-x**2)/erfc(x), also where both are below the smallest float."""

    nargs = 1
    is_real = True


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


def _turned(share: Callable[[sympy.Expr, sympy.Expr], sympy.Expr]) -> Callable[..., sympy.Expr]:
    """A slope of an angle, which is 0 at the origin."""

    def slope(y: sympy.Expr, x: sympy.Expr) -> sympy.Expr:
        square = x**2 + y**2
        return where(greater(square, sympy.S.Zero), share(y, x) / square, sympy.S.Zero)

    return slope


@dataclass(frozen=True)
class Row:
    """A function: its name in the language, its SymPy class, and how it is evaluated exactly.

    `tex` is its command on pages; `math`, `numpy` and `torch` are what these libraries call it, if
    they have it (JAX calls it as NumPy does). A function that is told or computed in another way
    leaves them out, and has a row of its own where that is written. `smooth` says that the slopes
    are those of the values; otherwise slopes without a definition are a convention.
    """

    name: str
    symbol: type[sympy.Function]
    exact: Callable[..., Any]
    definition: Callable[..., sympy.Expr] | None = None
    slopes: tuple[Callable[..., sympy.Expr], ...] | None = None
    arity: int = 1
    tex: str = ""
    math: str = ""
    numpy: str = ""
    torch: str = ""
    smooth: bool = False

    @property
    def chooses(self) -> bool:
        """Whether it moves as what it chooses, by convention, rather than as its values do."""
        return self.slopes is not None and self.definition is None and not self.smooth

    @property
    def holds(self) -> bool:
        """Whether its derivative is 0 everywhere: no derivative goes through it."""
        return self.slopes is not None and all(slope is _nothing for slope in self.slopes)


def _smooth(
    name: str,
    symbol: type[sympy.Function],
    exact: Callable[..., Any],
    tex: str = "",
    numpy: str | None = None,
) -> Row:
    """A function of one variable that all libraries have, and SymPy differentiates."""
    own = name if numpy is None else numpy
    return Row(name, symbol, exact, tex=tex or name, math=name, numpy=own, torch=name)


ROWS = (
    replace(_smooth("exp", sympy.exp, within(lambda x: mp.exp(x))), tex=""),
    _smooth("log", sympy.log, lambda x: mp.log(x), "ln"),
    _smooth("tanh", sympy.tanh, lambda x: mp.tanh(x)),
    _smooth("sin", sympy.sin, wave(lambda x: mp.sin(x))),
    _smooth("cos", sympy.cos, wave(lambda x: mp.cos(x))),
    _smooth("sinh", sympy.sinh, within(lambda x: mp.sinh(x))),
    _smooth("cosh", sympy.cosh, within(lambda x: mp.cosh(x))),
    _smooth("atan", sympy.atan, lambda x: mp.atan(x), "arctan", "arctan"),
    _smooth("asin", sympy.asin, lambda x: mp.asin(x), "arcsin", "arcsin"),
    _smooth("acos", sympy.acos, lambda x: mp.acos(x), "arccos", "arccos"),
    _smooth("erf", sympy.erf, lambda x: of_error(x, mp.prec), numpy=""),
    Row(
        "logistic",
        logistic,
        within(lambda x: 1 / (1 + mp.exp(-x))),
        definition=lambda x: 1 / (1 + sympy.exp(-x)),
    ),
    Row(
        "softplus",
        softplus,
        within(lambda x: mp.log1p(mp.exp(x))),
        definition=lambda x: sympy.log(1 + sympy.exp(x)),
    ),
    Row("max", maximum, lambda a, b: b if b > a else a, slopes=_kinked(True), arity=2),
    Row("min", minimum, lambda a, b: b if b < a else a, slopes=_kinked(False), arity=2),
    Row("abs", absolute, lambda x: abs(x), slopes=(lambda x: sign(x),)),
    Row("sign", sign, lambda x: mp.sign(x), slopes=(_nothing,)),
    Row(
        "floor",
        floored,
        lambda x: mp.floor(x),
        slopes=(_nothing,),
        math="floor",
        numpy="floor",
        torch="floor",
    ),
    Row(
        "atan2",
        angle,
        lambda y, x: mp.atan2(y, x),
        slopes=(_turned(lambda y, x: x), _turned(lambda y, x: -y)),
        arity=2,
        tex="atan2",
        numpy="arctan2",
        torch="atan2",
    ),
    Row(
        "lgamma",
        log_gamma,
        lambda x: of_gamma(-1, x, mp.prec),
        slopes=(lambda x: digamma(x),),
        tex="lgamma",
        math="lgamma",
        torch="lgamma",
        smooth=True,
    ),
    Row(
        "digamma",
        digamma,
        lambda x: of_gamma(0, x, mp.prec),
        slopes=(lambda x: polygamma(1, x),),
        tex="digamma",
        torch="digamma",
        smooth=True,
    ),
    Row("stop_gradient", held, lambda x: x, slopes=(_nothing,)),
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
# Functions of stable forms and of derivatives: code has them, the language has not.
INNER = (
    Row(
        "polygamma",
        polygamma,
        lambda n, x: of_gamma(int(n), x, mp.prec),
        slopes=(_nothing, lambda n, x: polygamma(n + 1, x)),
        arity=2,
        tex="polygamma",
        smooth=True,
    ),
    Row(
        "log1p",
        log1p,
        lambda x: mp.log1p(x),
        definition=lambda x: sympy.log(1 + x),
        slopes=(lambda x: 1 / (1 + x),),
    ),
    Row(
        "expm1",
        expm1,
        lambda x: mp.expm1(x),
        definition=lambda x: sympy.exp(x) - 1,
        slopes=(lambda x: sympy.exp(x),),
    ),
    Row(
        "log_add_exp",
        log_add_exp,
        lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
        definition=lambda a, b: sympy.log(sympy.exp(a) + sympy.exp(b)),
        slopes=(lambda a, b: logistic(a - b), lambda a, b: logistic(b - a)),
        arity=2,
    ),
    Row(
        "erfc",
        erfc,
        lambda x: mp.erfc(x),
        definition=lambda x: 1 - sympy.erf(x),
        slopes=(lambda x: -2 * sympy.exp(-(x**2)) / sympy.sqrt(sympy.pi),),
    ),
    Row(
        "log_erfc",
        log_erfc,
        lambda x: mp.log(mp.erfc(x)),
        definition=lambda x: sympy.log(1 - sympy.erf(x)),
        slopes=(lambda x: -2 * inverse_mills(x) / sympy.sqrt(sympy.pi),),
    ),
    Row(
        "inverse_mills",
        inverse_mills,
        lambda x: mp.exp(-x * x) / mp.erfc(x),
        definition=lambda x: sympy.exp(-(x**2)) / (1 - sympy.erf(x)),
        slopes=(lambda x: 2 * inverse_mills(x) * (inverse_mills(x) / sympy.sqrt(sympy.pi) - x),),
    ),
)
BY_NAME = {row.name: row for row in ROWS}
BY_SYMBOL = {row.symbol: row for row in (*ROWS, *INNER)}
