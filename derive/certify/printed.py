"""The numbers of a page, each with what it is computed from: the numbers printed before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sympy

from derive.certify.scalars import Scalars, adjoint_of
from derive.certify.terms import Unprovable, elements_in
from derive.expression import Element
from derive.graph import Role
from derive.notation import UPDATED, Names
from derive.numbers import NumberFormat, evaluate
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.model_update import moves
from derive.render.weights import ALPHA
from derive.render.whole_update import RATE, state_of
from derive.sequence import Stage, stages

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
    formulas = {} if not problem.is_model else _of_model(problem, scalars)
    given = {names.name(scalar).report for scalar in scalars.given} | {ALPHA.name}
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
        for step in _on_the_way(formula, formulas, page):
            operands = _operands(formulas[step], page, names, found)
            found.setdefault(step, _rounded(problem.numbers, step, formulas[step], operands))
        try:
            operands = _operands(formula, page, names, found)
        except Unprovable as error:
            without.append((report, str(error)))
            continue
        half = half_unit(entry.text, problem.numbers)
        value = Fraction(entry.text)
        found[key] = Printed(report, entry.name.code, key, formula, operands, value, half)
    return tuple(found.values()), tuple(without)


def _on_the_way(
    formula: sympy.Expr, formulas: Mapping[sympy.Expr, sympy.Expr], page: Page
) -> Iterator[sympy.Symbol]:
    """What a formula reads that has a formula, and no number on the page."""
    for key in sorted(formula.atoms(sympy.Symbol) & formulas.keys(), key=str):
        if str(key) not in page.numbers:
            yield from _on_the_way(formulas[key], formulas, page)
            yield key


def _rounded(
    numbers: NumberFormat,
    key: sympy.Symbol,
    formula: sympy.Expr,
    operands: Mapping[sympy.Expr, Fraction],
) -> Printed:
    """A number on the way, rounded as the page goes on with it."""
    report = str(key)
    text = numbers.text(evaluate(formula, operands.__getitem__)) if numbers.chained else "0"
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


def updated(scalar: Element) -> Element:
    """A scalar after the update."""
    return Element(scalar.name + UPDATED, *scalar.indices)


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


def _of_model(problem: Problem, scalars: Scalars) -> dict[sympy.Expr, sympy.Expr]:
    """The formulas of both passes, of the new parameters, and of the pass after them."""
    training = problem.training
    found: dict[sympy.Expr, sympy.Expr] = {**scalars.forward, **scalars.adjoints}
    if training.optimizer.looks_around:
        return found  # a line may read entries of all parameters, of which nothing is printed
    parameters = [q.name for q in problem.graph.of_role(Role.PARAMETER)]
    trained = [name for name in parameters if name not in training.frozen]
    now: dict[sympy.Expr, sympy.Expr] = {}  # what has another value than in the first pass
    order = stages(scalars.derivation.backward, trained, training.order)
    for number, stage in enumerate(order):
        if number:
            found |= _again(stage, scalars, now)
        for scalar in scalars.given:
            if scalar.name in stage.parameters and adjoint_of(scalar) in scalars.adjoints:
                found |= _moved(problem, scalar, now)
        now |= {s: updated(s) for s in scalars.given if s.name in stage.parameters}
    after = {s: new for s, new in now.items() if s in scalars.given}
    after |= {scalar: updated(scalar) for scalar in scalars.forward}
    found |= {updated(scalar): rhs.xreplace(after) for scalar, rhs in scalars.forward.items()}
    return found


def _again(
    stage: Stage, scalars: Scalars, now: dict[sympy.Expr, sympy.Expr]
) -> dict[sympy.Expr, sympy.Expr]:
    """The adjoints that a later stage of an update computes with what has changed; enters them."""
    names = {equation.quantity.name for equation in stage.equations}
    found: dict[sympy.Expr, sympy.Expr] = {}
    for adjoint, rhs in scalars.adjoints.items():
        formula = rhs.xreplace(now)
        if adjoint.name in names and formula != rhs:
            now[adjoint] = sympy.Symbol(f"{_told(adjoint)} by then", real=True)
            found[now[adjoint]] = formula
    return found


def _moved(
    problem: Problem, scalar: Element, now: Mapping[sympy.Expr, sympy.Expr]
) -> dict[sympy.Expr, sympy.Expr]:
    """The first update of a parameter, line by line: a line reads what those before it came to."""
    training, place = problem.training, tuple(map(int, scalar.indices))
    names: dict[sympy.Expr, sympy.Expr] = {Element(RATE): ALPHA}
    adjoint = adjoint_of(scalar)
    names[adjoint] = now.get(adjoint, adjoint)
    for state in training.optimizer.states:
        first = training.states.get((state, scalar.name), {}).get(place, 0)
        names[Element(state_of(state, scalar.name), *place)] = sympy.Rational(first)
    found: dict[sympy.Expr, sympy.Expr] = {}
    for (name, at), step in moves(problem, (scalar.name, place), 1):
        new = updated(Element(name, *at))
        told = f"{_told(Element(name, *at))}{UPDATED}"
        key = new if name == scalar.name else sympy.Symbol(told, real=True)
        if key in found:
            return {}  # of a line that a later one overwrites nothing is printed
        found[key] = step.xreplace(names)
        names[new] = key
    return found


def _told(element: Element) -> str:
    """A number on the way in words."""
    places = ",".join(map(str, element.indices))
    return f"{element.name}[{places}]" if places else element.name
