"""The numbers of a page, each with what it is computed from: the numbers printed before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sympy

from derive.certify.largest import value
from derive.certify.scalars import Scalars, adjoint_of
from derive.certify.terms import Unprovable, elements_in
from derive.certify.updates import formulas_of_model, updated
from derive.expression import Element
from derive.notation import Names
from derive.numbers import NumberFormat
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.weights import ALPHA

NOTHING = Fraction(1, 10**30)  # what is printed as 0 is that to so many places
MORE = "it is not told how it comes from the numbers before it"


@dataclass(frozen=True)
class Printed:
    """A number of a page: its name in reports and in code, its formula, and the operands' prints.

    Keys are those of the page: elements, an updated one with its mark, and symbols. A number on the
    way, as the state of an optimizer is, is rounded as prints are, and stands in no table.
    """

    report: str
    code: str
    key: sympy.Expr
    formula: sympy.Expr
    operands: Mapping[sympy.Expr, Fraction]
    value: Fraction
    half_unit: Fraction
    on_the_way: bool = False


def half_unit(text: str, numbers: NumberFormat) -> Fraction:
    """Half a unit of the last digit that a page prints, zeros left away or not."""
    number = Decimal(text)
    if numbers.decimals is not None:
        exponent = -numbers.decimals
    elif number == 0:
        return NOTHING
    else:
        exponent = number.adjusted() - (numbers.significant_digits or 4) + 1
    return Fraction(1, 2) * Fraction(10) ** exponent


def printed(
    problem: Problem, page: Page, scalars: Scalars, names: Names
) -> tuple[tuple[Printed, ...], tuple[tuple[str, str], ...]]:
    """The numbers of a page that have a formula, and those that have none, with the reason."""
    keys = dict(_keys(problem, page, scalars, names))
    last = max((int(r.rpartition("@")[2]) for r in page.numbers if "@" in r), default=1)
    formulas = formulas_of_model(problem, scalars, names, last) if problem.is_model else {}
    told = {names.name(scalar).report for scalar in (*scalars.given, *scalars.whole)}
    given = told | {ALPHA.name}
    found: dict[sympy.Expr, Printed] = {}
    without: list[tuple[str, str]] = []
    for report, entry in page.numbers.items():
        if report in given or entry.text is None:
            continue
        key = keys[report]
        formula = formulas.get(key) if problem.is_model else entry.formula
        if formula is None:
            without.append((report, MORE))
            continue
        for step in _on_the_way(formula, formulas, page, found):
            operands = _operands(formulas[step], page, names, found)
            found[step] = _rounded(problem.numbers, step, formulas[step], operands)
        try:
            operands = _operands(formula, page, names, found)
        except Unprovable as error:
            without.append((report, str(error)))
            continue
        half = half_unit(entry.text, problem.numbers)
        shown = Fraction(entry.text)
        found[key] = Printed(report, entry.name.code, key, formula, operands, shown, half)
    return tuple(_in_order(found)), tuple(without)


def _in_order(found: Mapping[sympy.Expr, Printed]) -> Iterator[Printed]:
    """Each number after those that it is computed from, as a table of rounds need not have them."""
    done: set[sympy.Expr] = set()
    waiting = [(key, False) for key in reversed(found)]
    while waiting:
        key, ready = waiting.pop()
        if ready:
            yield found[key]
        elif key not in done:
            done.add(key)
            read = [each for each in found[key].operands if each in found]
            waiting += [(key, True), *((each, False) for each in reversed(read))]


def _on_the_way(
    formula: sympy.Expr,
    formulas: Mapping[sympy.Expr, sympy.Expr],
    page: Page,
    known: Mapping[sympy.Expr, Printed],
) -> Iterator[sympy.Symbol]:
    """What a formula reads that has a formula, and no number on the page; each after its own."""
    seen: set[sympy.Expr] = set()
    waiting = [(key, False) for key in _steps(formula, formulas, page)]
    while waiting:
        key, ready = waiting.pop()
        if ready:
            yield key
        elif key not in seen and key not in known:
            seen.add(key)
            waiting.append((key, True))
            waiting += [(each, False) for each in _steps(formulas[key], formulas, page)]


def _steps(
    formula: sympy.Expr, formulas: Mapping[sympy.Expr, sympy.Expr], page: Page
) -> list[sympy.Symbol]:
    found = formula.atoms(sympy.Symbol) & formulas.keys()
    return sorted((key for key in found if str(key) not in page.numbers), key=str, reverse=True)


def _rounded(
    numbers: NumberFormat,
    key: sympy.Symbol,
    formula: sympy.Expr,
    operands: Mapping[sympy.Expr, Fraction],
) -> Printed:
    """A number on the way, rounded as the page goes on with it."""
    report = str(key)
    text = numbers.text(value(formula, operands.__getitem__)) if numbers.chained else "0"
    code = re.sub(r"\W+", "_", report).strip("_")
    half = half_unit(text, numbers)
    return Printed(report, code, key, formula, operands, Fraction(text), half, True)


def _keys(
    problem: Problem, page: Page, scalars: Scalars, names: Names
) -> Iterator[tuple[str, sympy.Expr]]:
    """What the numbers of a page are of: scalars, adjoints, updated ones; else a symbol."""
    for report in page.numbers:
        yield report, sympy.Symbol(report, real=True)
    if problem.forward_only:
        return
    for scalar in (*scalars.given, *scalars.forward):
        yield names.name(scalar).report, scalar
        new = updated(scalar)
        yield names.name(new).report, new
        if adjoint_of(scalar) in scalars.adjoints:
            yield names.name(adjoint_of(scalar)).report, adjoint_of(scalar)


def _operands(
    formula: sympy.Expr, page: Page, names: Names, before: Mapping[sympy.Expr, Printed]
) -> dict[sympy.Expr, Fraction]:
    """The prints that a formula is computed from. Raises Unprovable if one is not on the page."""
    found: dict[sympy.Expr, Fraction] = {}
    symbols = formula.atoms(sympy.Symbol) - {s for e in formula.atoms(Element) for s in e.args}
    for key in (*elements_in([formula]), *sorted(symbols, key=str)):
        if key in before:
            found[key] = before[key].value
            continue
        report = names.name(key).report if isinstance(key, Element) else str(key.name)
        entry = page.numbers.get(report)
        if entry is None or entry.text is None:
            raise Unprovable(f"it is computed from {report}, which the page does not print")
        found[key] = Fraction(entry.text)
    return found
