"""What of a formula was left out, taken twice, or for something else, as a print shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import combinations, islice

import sympy

from derive.proofread.align import Template
from derive.proofread.behind import family
from derive.proofread.policy import Policy, expected_value
from derive.proofread.spread import significant
from derive.proofread.values import FAILURES, exact_value, value_of

ENOUGH_DIGITS = 4
LONGEST = 40  # characters of a part that is told
MOST_CHANGES = 2_000


def omission(formula: Template, known: Mapping[str, Fraction], printed: str, policy: Policy) -> str:
    """The one change of a formula that gives the print; empty if there is none or several.

    So few are tried that by chance one of them has all the digits once in a hundred times.
    """
    digits = len(significant(printed))
    if digits < ENOUGH_DIGITS or not formula.names <= known.keys():
        return ""
    few = min(MOST_CHANGES, 10 ** (digits - 2) // 2)
    found: dict[Fraction, str] = {}
    for words, value in islice(_values(formula, known), few):
        if expected_value(policy, value, printed) == exact_value(printed):
            found.setdefault(value, words)  # what is the same number is the same change
    return next(iter(found.values())) if len(found) == 1 else ""


def _values(formula: Template, known: Mapping[str, Fraction]) -> Iterator[tuple[str, Fraction]]:
    """What changes of a formula come to."""
    values, names = formula.values(known), formula.texts()
    for words, changed in _changes(formula.shape, names):
        with suppress(*FAILURES):
            yield words, value_of(changed, values)
    yield from _exchanged(formula, known)
    for words, changed in _without_two(formula.shape, names):
        with suppress(*FAILURES):
            yield words, value_of(changed, values)


def _exchanged(formula: Template, known: Mapping[str, Fraction]) -> Iterator[tuple[str, Fraction]]:
    """What a formula comes to with another name of the same kind in the place of one."""
    values, names = formula.values(known), formula.texts()
    for slot, name in names.items():
        if slot in values and name in known:
            for other in _kin(name, known):
                with suppress(*FAILURES):
                    value = value_of(formula.shape, {**values, slot: known[other]})
                    yield f"it is right with {other} in place of {name}", value


def _changes(shape: sympy.Expr, names: Mapping[str, str]) -> Iterator[tuple[str, sympy.Expr]]:
    """A formula with one thing changed in it, and what that is; the likeliest first."""
    yield "it is 2 times the value", 2 * shape
    yield "it is half the value", shape / 2
    nodes = list(sympy.preorder_traversal(shape))
    for product in (node for node in nodes if node.is_Mul):
        factors = [factor for factor in product.args if not factor.is_number]
        for factor in factors:
            told = _told(factor, names)
            yield f"the factor {told} is missing", shape.xreplace({product: product / factor})
            yield f"the factor {told} is taken twice", shape.xreplace({product: product * factor})
    for whole in (node for node in nodes if node.is_Add):
        for term in (each for each in whole.args if not each.is_number):
            told = _told(term, names)
            yield f"the term {told} is missing", shape.xreplace({whole: whole - term})
            flipped = shape.xreplace({whole: whole - 2 * term})
            yield f"the sign of {told} is the other one", flipped


def _without_two(shape: sympy.Expr, names: Mapping[str, str]) -> Iterator[tuple[str, sympy.Expr]]:
    """A formula without two factors of a product, as a slope y(1 - y) that was forgotten."""
    for product in (node for node in sympy.preorder_traversal(shape) if node.is_Mul):
        factors = [factor for factor in product.args if not factor.is_number]
        for pair in combinations(factors, 2):
            told = " and ".join(_told(factor, names) for factor in pair)
            without = product / sympy.Mul(*pair)
            yield f"the factors {told} are missing", shape.xreplace({product: without})


def _told(part: sympy.Expr, names: Mapping[str, str]) -> str:
    """A part of a formula in its own names and numbers."""
    symbols = {s: sympy.Symbol(names[s.name]) for s in part.free_symbols if s.name in names}
    text = sympy.sstr(part.xreplace(symbols), order="none")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _kin(name: str, known: Mapping[str, Fraction]) -> Iterator[str]:
    """Names that differ by their numbers only."""
    own = family(name)
    return (other for other in known if other != name and family(other) == own)


def namesake(name: str, known: Mapping[str, Fraction], printed: str) -> str:
    """The other number of the same kind that was printed once more; empty if there is none."""
    if not name or len(significant(printed)) < ENOUGH_DIGITS:
        return ""
    same = [other for other in _kin(name, known) if known[other] == exact_value(printed)]
    return f"it is the number of {same[0]}" if len(same) == 1 else ""
