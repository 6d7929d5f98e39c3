"""What of a formula was left out, taken twice, or taken with the other sign, as a print shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction

import sympy

from derive.proofread.align import Template
from derive.proofread.behind import FAILURES
from derive.proofread.policy import Policy, expected_value
from derive.proofread.spread import significant
from derive.proofread.values import exact_value, value_of

ENOUGH_DIGITS = 4  # a dozen changes of one formula are tried: by chance one fits in 400 times
LONGEST = 40  # characters of a part that is told
MOST_CHANGES = 24


def omission(formula: Template, known: Mapping[str, Fraction], printed: str, policy: Policy) -> str:
    """The one change of a formula that gives the print; empty if there is none or several."""
    if len(significant(printed)) < ENOUGH_DIGITS or not formula.names <= known.keys():
        return ""
    values, names = formula.values(known), formula.texts()
    target = exact_value(printed)
    found: dict[str, None] = {}
    for count, (words, changed) in enumerate(_changes(formula.shape, names)):
        if count >= MOST_CHANGES:
            return ""  # of so many one fits by chance
        with suppress(*FAILURES):
            if expected_value(policy, value_of(changed, values), printed) == target:
                found[words] = None
    return next(iter(found)) if len(found) == 1 else ""


def _changes(shape: sympy.Expr, names: Mapping[str, str]) -> Iterator[tuple[str, sympy.Expr]]:
    """A formula with one thing changed in it, and what that is."""
    yield "it is 2 times the value", 2 * shape
    yield "it is half the value", shape / 2
    for sum_ in [node for node in sympy.preorder_traversal(shape) if node.is_Add]:
        for term in sum_.args:
            if not term.is_number:
                told = _told(term, names)
                yield f"the term {told} is missing", shape.xreplace({sum_: sum_ - term})
                flipped = shape.xreplace({sum_: sum_ - 2 * term})
                yield f"the sign of {told} is the other one", flipped
    for factor in shape.args if shape.is_Mul else ():
        if not factor.is_number:
            told = _told(factor, names)
            yield f"the factor {told} is missing", shape / factor
            yield f"the factor {told} is taken twice", shape * factor


def _told(part: sympy.Expr, names: Mapping[str, str]) -> str:
    """A part of a formula in its own names and numbers."""
    symbols = {s: sympy.Symbol(names[s.name]) for s in part.free_symbols if s.name in names}
    text = sympy.sstr(part.xreplace(symbols), order="none")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
