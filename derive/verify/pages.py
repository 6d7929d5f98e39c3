"""Route 6: every page is read back from its text and judged, and its numbers are the true ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import sympy
from mpmath import mp

from derive.numbers import NumberFormat, real
from derive.problem import Problem
from derive.proofread import Claim, Finding, Kind, Policy, judge, read, symbol_name
from derive.proofread import Rounding as ReadRounding
from derive.render.blocks import Page
from derive.verify.interpreter import DIGITS
from derive.verify.report import Comparison, Route, Status, judged
from derive.verify.routes import EXACT_TOLERANCE, relative

FORMULA_TOLERANCE = 1e-20


def numbers_route(page: Page, truth: Mapping[Name, Any], numbers: NumberFormat) -> Route:
    """Each number of the page: the unrounded value against the true one, the text against both."""
    values = {name.report: v for name, v in truth.items()}
    forward_only = ALPHA in truth and DECREASE not in truth

    def comparisons() -> Iterator[Comparison]:
        with mp.workdps(DIGITS):
            for name, entry in page.numbers.items():
                if entry.exact is None or entry.page is None or entry.text is None:
                    yield Comparison(f"{name} has no value", math.nan)
                elif name in values:
                    yield Comparison(name, relative(real(entry.exact), values[name]))
                    yield Comparison(f"{name} as printed", _print_error(entry, numbers))
                elif not forward_only:
                    yield Comparison(f"{name} is no name", math.nan)

    return judged("page numbers", comparisons(), EXACT_TOLERANCE)


def _print_error(entry: Entry, numbers: NumberFormat) -> float:
    """How far the text is from the number that the page goes on with, and from the true one."""
    printed = Fraction(Decimal(entry.text or "nan"))
    if numbers.chained:
        return relative(real(printed), real(entry.page or Fraction(0)))
    unit = Fraction(10) ** int(Decimal(entry.text or "nan").as_tuple().exponent)
    return relative(real(printed), real(entry.page or Fraction(0))) if unit else math.nan


def text_route(
    language: str, text: str, page: Page, problem: Problem, truth: Mapping[Name, Any]
) -> Route:
    """The page as its reader sees it: every line recomputed, every formula held to the truth.

    `truth` may be of drawn values if the problem gives none.
    """
    name = f"page {language}"
    items = read(text)
    known = _known(page, truth)
    findings = judge(items, _policy(problem, known))
    fault = _fault(findings) or _lost(items, page) or _changed(text, page)
    checks = [c for item in items if isinstance(item, Claim) for c in _formulas(item, known)]
    count = sum(f.kind is not Kind.SYMBOLIC for f in findings)
    if fault:
        return Route(name, Status.DISAGREES, count, math.nan, fault)
    if not checks and problem.symbolic:
        return Route(name, Status.AGREES, len(findings), 0.0, "no numbers; every line was read")
    route = judged(name, checks, FORMULA_TOLERANCE)
    return Route(name, route.status, count + route.compared, route.worst, route.detail)


def _known(page: Page, truth: Mapping[Name, Any]) -> dict[str, Any]:
    """True values by the names that the proof-reader gives to what it reads."""
    values = {name.report: v for name, v in truth.items()}
    on_page = [e.name for report, e in page.numbers.items() if report in values]
    return {symbol_name(name.tex): values[name.report] for name in (*truth, *on_page)}


def _policy(numbers: NumberFormat, known: Mapping[str, Any]) -> Policy:
    exact = (
        {} if numbers.chained else {name: Decimal(mp.nstr(v, DIGITS)) for name, v in known.items()}
    )
    return Policy(
        digits=numbers.significant_digits,
        decimals=numbers.decimals,
        rounding=ReadRounding(numbers.rounding.value),
        chained=numbers.chained,
        exact=exact,
    )


def _fault(findings: list[Finding]) -> str:
    """The first line that is wrong or unreadable, in words."""
    for finding in findings:
        if finding.kind in (Kind.DISAGREES, Kind.UNREAD):
            return f"line {finding.item.where.line}: {finding.message}"
    return ""


def _lost(items: list[Any], page: Page) -> str:
    """A number that the page should show and the reader did not find."""
    printed = {
        (str(item.lhs), Decimal(item.printed))
        for item in items
        if isinstance(item, Claim) and item.printed is not None
    }
    for display in page.displays():
        shown = display.result is not None and (symbol_name(display.lhs), Decimal(display.result))
        if shown and shown not in printed:
            return f"{display.label} = {display.result} was not found on the page"
    return ""


def _formulas(claim: Claim, known: Mapping[str, Any]) -> Iterator[Comparison]:
    """Each formula of a claim at the unrounded values, where all its names are known."""
    left = str(claim.lhs)
    if left not in known:
        return
    for form in claim.forms:
        names = {str(s): s for s in form.free_symbols}
        if names and set(names) <= known.keys():
            values = {symbol: sympy.Symbol(f"v{k}") for k, symbol in enumerate(names.values())}
            function = sympy.lambdify(list(values.values()), form.xreplace(values), "mpmath")
            with mp.workdps(DIGITS):
                found = function(*[known[name] for name in names])
                yield Comparison(f"line {claim.where.line}", relative(found, known[left]))
