"""Functions the parser knows, and guards that keep hostile formulas finite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import sympy

MAX_POWER_BITS = 60_000  # the fourth power of what a page may print

Builder = Callable[..., sympy.Expr]


def _sigmoid(x: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-x))


def _relu(x: sympy.Expr) -> sympy.Expr:
    return sympy.Max(sympy.Integer(0), x, evaluate=False)


def _softplus(x: sympy.Expr) -> sympy.Expr:
    return sympy.log(1 + sympy.exp(x))


class LogOfZero(sympy.Function):
    """A logarithm without a value, which SymPy leaves alone."""


def _log(x: sympy.Expr) -> sympy.Expr:
    """A logarithm; that of 0 has no value of its own, but 0·log 0 is 0."""
    return LogOfZero(x) if x == 0 else sympy.log(x)


def _step(x: sympy.Expr) -> sympy.Expr:
    """The unit step with the value 0 at 0, as used for the slope of the rectifier."""
    return sympy.Heaviside(x, 0)


# evaluate=False where SymPy would otherwise compare huge numbers while only reading.
def _max(*arguments: sympy.Expr) -> sympy.Expr:
    return sympy.Max(*arguments, evaluate=False)


def _min(*arguments: sympy.Expr) -> sympy.Expr:
    return sympy.Min(*arguments, evaluate=False)


def _fixed(x: sympy.Expr) -> sympy.Expr:
    """What is held fixed when anything is differentiated has its value."""
    return x


def _lgamma(x: sympy.Expr) -> sympy.Expr:
    return sympy.loggamma(x, evaluate=False)


def _digamma(x: sympy.Expr) -> sympy.Expr:
    return sympy.polygamma(0, x, evaluate=False)


def _polygamma(order: sympy.Expr, x: sympy.Expr) -> sympy.Expr:
    return sympy.polygamma(order, x, evaluate=False)


def _atan2(y: sympy.Expr, x: sympy.Expr) -> sympy.Expr:
    return sympy.atan2(y, x, evaluate=False)


UNARY: Mapping[str, Builder] = MappingProxyType(
    {
        "sigma": _sigmoid,
        "sigmoid": _sigmoid,
        "logistic": _sigmoid,
        "tanh": sympy.tanh,
        "tan": sympy.tan,
        "exp": sympy.exp,
        "ln": _log,
        "log": _log,
        "sqrt": sympy.sqrt,
        "sinh": sympy.sinh,
        "cosh": sympy.cosh,
        "arctan": sympy.atan,
        "arcsin": sympy.asin,
        "arccos": sympy.acos,
        "sin": sympy.sin,
        "cos": sympy.cos,
        "relu": _relu,
        "ReLU": _relu,
        "softplus": _softplus,
        "erf": sympy.erf,
        "lgamma": _lgamma,
        "digamma": _digamma,
        "sgn": sympy.sign,
        "sign": sympy.sign,
        "H": _step,
        "sg": _fixed,
    }
)
VARIADIC: Mapping[str, Builder] = MappingProxyType({"max": _max, "min": _min})
BINARY: Mapping[str, Builder] = MappingProxyType({"atan2": _atan2, "polygamma": _polygamma})
# Commands that are functions by themselves; `sigma` is one only before a bracket.
COMMANDS = frozenset(
    {
        *("tanh", "exp", "ln", "log", "sin", "cos", "tan", "max", "min"),
        *("sinh", "cosh", "arctan", "arcsin", "arccos"),
    }
)


def absolute(x: sympy.Expr) -> sympy.Expr:
    """|x|, left alone by SymPy."""
    return sympy.Abs(x, evaluate=False)


def power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """base**exponent; refuses a number of more than MAX_POWER_BITS bits."""
    if base.is_Rational and exponent.is_Rational:
        bits = max(abs(int(base.p)).bit_length(), int(base.q).bit_length())
        if bits * abs(exponent) > MAX_POWER_BITS:
            raise OverflowError("a power too large to write out")
    return base**exponent
