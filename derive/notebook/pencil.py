"""The numbers of a worked line, as they stand on the page, as arithmetic of Python.

The line is read as the proof-reader reads it, with a sign for each number, so that nothing is
computed on the way and the numbers keep the digits and the order of the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import count
from typing import Any

import sympy

from derive.emit.arithmetic import Code, Level, call, power, product, total
from derive.proofread import FormulaError
from derive.proofread.formula import parse_formula
from derive.render.sheet import Display

BREAK = re.compile(r"\\\\\s*&\s*\\quad")
NUMBER = re.compile(r"(?<=\()-\d+(?:\.\d+)?(?=\))|\d+(?:\.\d+)? \\cdot 10\^\{-?\d+\}|\d+(?:\.\d+)?")
POWER = re.compile(r" \\cdot 10\^\{(-?\d+)\}")
FUNCTIONS: Mapping[Any, tuple[str, Callable[..., float]]] = {
    sympy.exp: ("math.exp", math.exp),
    sympy.log: ("math.log", math.log),
    sympy.tanh: ("math.tanh", math.tanh),
    sympy.sin: ("math.sin", math.sin),
    sympy.cos: ("math.cos", math.cos),
    sympy.erf: ("math.erf", math.erf),
    sympy.Abs: ("abs", abs),
    sympy.Max: ("max", max),
    sympy.Min: ("min", min),
}


@dataclass(frozen=True)
class Sum:
    """What a line computes, in Python, and what comes out in floats."""

    code: Code
    value: float

    @property
    def text(self) -> str:
        return self.code.text


class _Unsaid(ValueError):
    """There is a name in it, or a function for which Python has no word."""


def in_numbers(display: Display) -> Sum | None:
    """The last row of a display before its result; None if it is not one of numbers alone."""
    *before, last = display.rows
    row = last.removesuffix(f" = {display.result}") if last != display.result else ""
    row = row or (before[-1] if before else "")
    row = BREAK.sub(" ", row)
    numbers = [POWER.sub(r"e\1", text) for text in NUMBER.findall(row)]
    places = count()
    try:
        expr = parse_formula(NUMBER.sub(lambda _: str(next(places)), row), _place)
        return _said(expr, numbers)
    except (FormulaError, _Unsaid, ArithmeticError, ValueError):
        return None


def _place(text: str) -> sympy.Expr:
    """The sign for the number at a place."""
    return sympy.Symbol(text, real=True)


def _said(expr: sympy.Expr, numbers: list[str]) -> Sum:
    match expr:
        case sympy.Integer():
            return Sum(Code(str(expr), Level.NAME if expr >= 0 else Level.SUM), float(expr))
        case sympy.Symbol() if expr.name.isdigit():
            text = numbers[int(expr.name)]
            return Sum(Code(text, Level.SUM if text < "0" else Level.NAME), float(text))
        case sympy.Add():
            return _sum(expr, numbers)
        case sympy.Mul():
            return _product(expr, numbers)
        case sympy.Pow():
            return _power(expr, numbers)
    if expr in (sympy.pi, sympy.Symbol("pi", real=True)):
        return Sum(Code("math.pi"), math.pi)
    name, function = FUNCTIONS.get(expr.func, ("", None))
    if function is None:
        raise _Unsaid(expr)
    given = [_said(argument, numbers) for argument in _in_order(expr.args)]
    code = call(name)(*(each.code for each in given))
    return Sum(code, float(function(*(each.value for each in given))))


def _sum(expr: sympy.Expr, numbers: list[str]) -> Sum:
    terms = []
    for term in _in_order(expr.args):
        sign = -1 if term.as_coeff_Mul()[0] < 0 else 1
        terms.append((sign, _said(term * sign, numbers)))
    value = sum(sign * term.value for sign, term in terms)
    return Sum(total((sign, term.code) for sign, term in terms), value)


def _product(expr: sympy.Expr, numbers: list[str]) -> Sum:
    if expr.as_coeff_Mul()[0] < 0:
        term = _said(-expr, numbers)
        return Sum(total([(-1, term.code)]), -term.value)
    above: list[Sum] = []
    below: list[Sum] = []
    for factor in _in_order(expr.args):
        under = factor.is_Pow and factor.exp.as_coeff_Mul()[0] < 0
        (below if under else above).append(_said(1 / factor if under else factor, numbers))
    bare = [factor for factor in above if factor.text != "1"] or above[:1]
    front = bare or [Sum(Code("1", Level.NAME), 1.0)]
    code = product((each.code for each in front), (each.code for each in below))
    value = reduce(lambda a, b: a * b.value, front, 1.0)
    return Sum(code, reduce(lambda a, b: a / b.value, below, value))


def _power(expr: sympy.Expr, numbers: list[str]) -> Sum:
    base, exponent = expr.args
    if exponent == sympy.Rational(1, 2):
        root = _said(base, numbers)
        return Sum(call("math.sqrt")(root.code), math.sqrt(root.value))
    if exponent.as_coeff_Mul()[0] < 0:
        under = _said(1 / expr, numbers)
        return Sum(product([Code("1", Level.NAME)], [under.code]), 1 / under.value)
    low, high = _said(base, numbers), _said(exponent, numbers)
    if high.text.isdigit():
        return Sum(power(low.code, int(high.text)), low.value ** int(high.text))
    return Sum(call("math.pow")(low.code, high.code), math.pow(low.value, high.value))


def _in_order(arguments: tuple[sympy.Expr, ...]) -> list[sympy.Expr]:
    """Parts of a formula in the order in which the page has their numbers."""
    return sorted(arguments, key=_first)


def _first(expr: sympy.Expr) -> int:
    """The place of the first number of a part; what has none is said first."""
    return min((int(s.name) for s in expr.free_symbols if s.name.isdigit()), default=-1)
