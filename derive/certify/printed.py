"""The numbers of a page, each with what it is computed from: the numbers printed before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sympy

from derive.certify.scalars import Scalars, adjoint_of
from derive.certify.terms import Unprovable, elements_in
from derive.expression import Element
from derive.graph import Role
from derive.library.optimizers import plain_step
from derive.notation import UPDATED, Names
from derive.numbers import NumberFormat
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.weights import ALPHA
from derive.sequence import Order

NOTHING = Fraction(1, 10**30)  # what is printed as 0 is that to so many places
MORE = "it is not told how it comes from the numbers before it"


@dataclass(frozen=True)
class Printed:
    """A number of a page: its name in reports and in code, its formula, and the operands' prints.

    Keys are those of the page: elements, an updated one with its mark, and symbols.
    """

    report: str
    code: str
    key: sympy.Expr
    formula: sympy.Expr
    operands: Mapping[sympy.Expr, Fraction]
    value: Fraction
    half_unit: Fraction


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
    formulas = {} if not problem.is_model else _of_model(problem, scalars)
    given = {names.name(scalar).report for scalar in scalars.given} | {ALPHA.name}
    found: list[Printed] = []
    without: list[tuple[str, str]] = []
    for report, entry in page.numbers.items():
        if report in given or entry.text is None:
            continue
        formula = formulas.get(keys[report]) if problem.is_model else entry.formula
        if formula is None:
            without.append((report, MORE))
            continue
        try:
            operands = _operands(formula, page, names)
        except Unprovable as error:
            without.append((report, str(error)))
            continue
        half = half_unit(entry.text, problem.numbers)
        value = Fraction(entry.text)
        key = keys[report]
        found.append(Printed(report, entry.name.code, key, formula, operands, value, half))
    return tuple(found), tuple(without)


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


def updated(scalar: Element) -> Element:
    """A scalar after the update."""
    return Element(scalar.name + UPDATED, *scalar.indices)


def _operands(formula: sympy.Expr, page: Page, names: Names) -> dict[sympy.Expr, Fraction]:
    """The prints that a formula is computed from. Raises Unprovable if one is not on the page."""
    found: dict[sympy.Expr, Fraction] = {}
    symbols = formula.atoms(sympy.Symbol) - {s for e in formula.atoms(Element) for s in e.args}
    for key in (*elements_in([formula]), *sorted(symbols, key=str)):
        report = names.name(key).report if isinstance(key, Element) else str(key.name)
        entry = page.numbers.get(report)
        if entry is None or entry.text is None:
            raise Unprovable(f"it is computed from {report}, which the page does not print")
        found[key] = Fraction(entry.text)
    return found


def _of_model(problem: Problem, scalars: Scalars) -> dict[sympy.Expr, sympy.Expr]:
    """The formulas of both passes, of the new parameters, and of the pass after them."""
    training = problem.training
    found: dict[sympy.Expr, sympy.Expr] = {**scalars.forward, **scalars.adjoints}
    if training.optimizer.states or training.order is not Order.SIMULTANEOUS:
        return found
    if len(training.optimizer.lines) != 1:
        return found
    step = plain_step(training.optimizer, {**training.optimizer.settings, **training.settings})
    moved = {}
    for scalar in scalars.given:
        role = problem.graph.quantities[scalar.name].role
        if role is Role.PARAMETER and scalar.name not in training.frozen:
            moved[scalar] = updated(scalar)
            adjoint = adjoint_of(scalar)
            if adjoint in scalars.adjoints:
                found[updated(scalar)] = step(scalar, ALPHA, adjoint)
    after = {**moved, **{scalar: updated(scalar) for scalar in scalars.forward}}
    found |= {updated(scalar): rhs.xreplace(after) for scalar, rhs in scalars.forward.items()}
    return found
