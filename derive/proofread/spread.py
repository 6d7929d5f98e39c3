"""How far a value can move when its decimals are rounded copies of unrounded operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy

from derive.proofread.formula import parse_formula
from derive.proofread.policy import printed_exponent
from derive.proofread.values import exact_value, value_of


@dataclass(frozen=True)
class Known:
    """A value printed earlier, and half a unit of its last digit (nothing for a given)."""

    value: Fraction
    half_unit: Fraction


def rounded_copy(printed: str) -> Known:
    """A printed number taken as the rounding of an unrounded one."""
    return Known(exact_value(printed), Fraction(10) ** printed_exponent(printed) / 2)


def spread(tex: str, ledger: Mapping[str, Known]) -> Fraction:
    """The error that rounded decimals in a form can cause, summed over them one by one.

    Integers are exact, and so is a decimal equal to a given value.
    """
    exact = {known.value for known in ledger.values() if not known.half_unit}
    operands: dict[str, Known] = {}

    def read_operand(text: str) -> sympy.Expr:
        if "." not in text or exact_value(text) in exact:
            return sympy.Rational(text)
        # Names from the page never contain a blank, so these cannot meet one.
        name = f"operand {len(operands)}"
        operands[name] = rounded_copy(text)
        return sympy.Symbol(name, real=True)

    expression = parse_formula(tex, read_operand)
    everything = {**ledger, **operands}
    used = sorted(str(symbol) for symbol in expression.free_symbols)
    return sum((_shift(expression, name, everything) for name in used), Fraction(0))


def _shift(expression: sympy.Expr, name: str, known: Mapping[str, Known]) -> Fraction:
    values = {each: entry.value for each, entry in known.items()}
    half_unit = known[name].half_unit
    if not half_unit:
        return Fraction(0)
    centre = value_of(expression, values)
    ends = (values[name] - half_unit, values[name] + half_unit)
    return max(abs(value_of(expression, {**values, name: end}) - centre) for end in ends)
