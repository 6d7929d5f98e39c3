"""How far a value can move when its decimals are rounded copies of unrounded operands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sympy

from derive.proofread.formula import parse_formula
from derive.proofread.policy import Policy, last_exponent
from derive.proofread.values import ValueFailure, exact_value, value_of

POWER_OF_TEN = re.compile(r"(\d+(?:\.\d+)?)\s*\\(?:cdot|times)\s*10\^\{(-?\d{1,4})\}")
MANY = 300  # zeros that are not written out
WIDE = Fraction(1, 2)  # of a move within which a sine turns at most once


@dataclass(frozen=True)
class Known:
    """A value printed earlier, and half a unit of its last digit (nothing for a given)."""

    value: Fraction
    half_unit: Fraction


class Ledger(dict[str, Known]):
    """What was printed, by name, with its values and the sizes of exact and of rounded ones.

    Kept up as it grows: a long document asks for them at every line. A number that was not printed
    before is exact, too, if it has fewer than `rounded_from` digits.
    """

    def __init__(self, known: Mapping[str, Known] | None = None, rounded_from: int = 0) -> None:
        super().__init__()
        self.rounded_from = rounded_from
        self.numbers: dict[str, Fraction] = {}
        self.exact: set[Fraction] = set()
        self.rounded: set[Fraction] = set()
        for name, entry in (known or {}).items():
            self[name] = entry

    def __setitem__(self, name: str, entry: Known) -> None:
        super().__setitem__(name, entry)
        self.numbers[name] = entry.value
        (self.rounded if entry.half_unit else self.exact).add(abs(entry.value))


def rounded_copy(printed: str, policy: Policy) -> Known:
    """A printed number taken as the rounding of an unrounded one: `780` of two digits, by tens."""
    value = exact_value(printed)
    if not value and policy.digits is not None:  # whatever is not zero has digits
        return Known(value, value)
    exponent = last_exponent(policy, value, printed)
    return Known(value, Fraction(10) ** exponent / 2)


def spread(tex: str, ledger: Ledger, policy: Policy) -> Fraction:
    """The error that rounded numbers in a form can cause together.

    A number is exact if it is a given value, and an integer if nothing was rounded to it.
    """
    operands: dict[str, Known] = {}

    def read_operand(text: str) -> sympy.Expr:
        value = exact_value(text)
        whole = "." not in text and "e-" not in text
        is_rounded = value in ledger.rounded or value in policy.rounded_prints
        is_data = value in ledger.exact or len(significant(text)) < ledger.rounded_from
        if not is_rounded and (whole or is_data):
            return sympy.Rational(text)
        # Names from the page never contain a blank, so these cannot meet one.
        name = f"operand {len(operands)}"
        operands[name] = rounded_copy(text, policy)
        return sympy.Symbol(name, real=True)

    expression = parse_formula(POWER_OF_TEN.sub(_written_out, tex), read_operand)
    used = {str(symbol) for symbol in expression.free_symbols} & ledger.keys()
    known = {name: ledger[name] for name in used} | operands
    if not known.keys() >= {str(symbol) for symbol in expression.free_symbols}:
        return Fraction(0)  # it has a value without all of its names: one of its factors is 0
    zeros = [name for name, entry in operands.items() if not entry.value]
    far = reach(*_without_waves(expression, known))
    if len(zeros) < 2:
        return far
    # Of a product of zeros none can move alone, as in |0|·sgn(0): they may all be one number.
    one = {sympy.Symbol(name, real=True): sympy.Symbol(zeros[0], real=True) for name in zeros}
    return max(far, reach(*_without_waves(expression.xreplace(one), known)))


def significant(printed: str) -> str:
    """The digits of a print from the first that is not 0."""
    mantissa = printed.lower().partition("e")[0]
    return "".join(c for c in mantissa if c.isdigit()).lstrip("0")


def _written_out(number: re.Match[str]) -> str:
    """A number with a power of ten as one literal, without its many zeros if there are many."""
    if number[2].startswith("-") or int(number[2]) > MANY:
        return f"{number[1]}e{number[2]}"
    return f"{Decimal(f'{number[1]}E{number[2]}'):f}"


def _without_waves(
    expression: sympy.Expr, known: Mapping[str, Known]
) -> tuple[sympy.Expr, Mapping[str, Known]]:
    """Each sine and cosine whose argument may move by much as an operand of its own.

    And each condition that is not met at its edge as what it is: rounding turns no order round.
    Between the ends of such a move it turns, so that the ends do not tell how far it goes; but it
    never goes farther than its argument, and never beyond 1.
    """
    everything, changes = dict(known), {}
    for wave in sorted(expression.atoms(sympy.sin, sympy.cos), key=sympy.default_sort_key):
        far = reach(wave.args[0], known)
        if far > WIDE:
            name = f"wave {len(everything)}"
            centre = value_of(wave, {name: entry.value for name, entry in known.items()})
            everything[name] = Known(centre, min(far, 1 + abs(centre)))
            changes[wave] = sympy.Symbol(name, real=True)
    values = {name: entry.value for name, entry in known.items()}
    for step in expression.atoms(sympy.Heaviside):
        if value_of(step.args[0], values):
            changes[step] = sympy.Integer(int(value_of(step, values)))
    return expression.xreplace(changes), everything


def reach(expression: sympy.Expr, known: Mapping[str, Known]) -> Fraction:
    """How far a value goes up or down."""
    used = sorted(str(symbol) for symbol in expression.free_symbols)
    return max(_farthest(expression, used, known, sign) for sign in (1, -1))


def _value(expression: sympy.Expr, values: Mapping[str, Fraction]) -> Fraction | None:
    """A value; none beyond the end of a root or a logarithm, where an operand cannot have been."""
    try:
        return value_of(expression, values)
    except (ValueFailure, ZeroDivisionError):
        return None


def _farthest(
    expression: sympy.Expr, names: Sequence[str], known: Mapping[str, Known], sign: int
) -> Fraction:
    """How far up or down a value goes when one operand after the other moves to its worst end."""
    values = {name: entry.value for name, entry in known.items()}
    centre = best = value_of(expression, values)
    for name in names:
        half_unit, here = known[name].half_unit, values[name]
        for end in (here - half_unit, here + half_unit) if half_unit else ():
            there = _value(expression, {**values, name: end})
            if there is not None and sign * there > sign * best:
                best, values[name] = there, end
    return abs(best - centre)
