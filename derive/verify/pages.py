"""Route 6: every page is read back from its text and judged, and its numbers are the true ones."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import sympy
from mpmath import mp
from sympy.core.function import AppliedUndef

from derive.expression import Element
from derive.graph import Derivation
from derive.languages import numbers_in, plain_numbers
from derive.notation import Name, names_of
from derive.numbers import real
from derive.problem import Problem
from derive.proofread import Claim, Finding, FormulaError, Kind, Policy, judge, read, symbol_name
from derive.proofread import Rounding as ReadRounding
from derive.proofread.numerals import printed_number
from derive.proofread.policy import expected_value
from derive.render.blocks import Block, Page
from derive.render.sheet import Display
from derive.verify.algebra import lazy_function, working
from derive.verify.bench import MOST_DIGITS, least
from derive.verify.oracle import ALPHA, DECREASE
from derive.verify.prose import misread
from derive.verify.report import Comparison, Route, Status, judged
from derive.verify.routes import EXACT_TOLERANCE, compared

FORMULA_TOLERANCE = EXACT_TOLERANCE
VERBATIM = frozenset({"tex", "formula", "tikz", "net", "out"})
FIGURE = re.compile(r"\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}", re.DOTALL)
DECIMAL = re.compile(r"\d+\.\d+(?![\d.]|\s*(?:pt|em|ex|mm|cm)\b)")
BREAK = re.compile(r"\\\\\s*&\s*\\quad")  # where a long formula goes on in the next row
SURE = 25  # digits of a value that no difference gets wrong
SHARE = mp.mpf("1e-26")  # of the largest number of a page: what its digits leave of zero
with mp.workdps(MOST_DIGITS):  # as many as the proof-reader may need where a sine is 0
    PI = mp.nstr(+mp.pi, MOST_DIGITS)
EQUATION = re.compile(
    r"(?P<mark>\\proven\b\s*)?\\begin\{equation\}(?:\\label\{(?P<label>[^{}]*)\})?"
)
LITERAL = re.compile(r"[-\d.]+(?: \\cdot 10\^\{-?\d+\})?")
CELL = re.compile(r"(?<!\\)&")


def numbers_route(page: Page, truth: Mapping[Name, Any]) -> Route:
    """Each number of the page: the unrounded value against the true one, the text against it."""
    values = {name.report: v for name, v in truth.items()}
    forward_only = ALPHA in truth and DECREASE not in truth
    floors = _floors(truth)

    def comparisons() -> Iterator[Comparison]:
        with working():
            for name, entry in page.numbers.items():
                if entry.exact is None or entry.page is None or entry.text is None:
                    yield Comparison(f"{name} has no value", math.nan)
                elif name in values:
                    yield compared(name, real(entry.exact), values[name], floors[name])
                    written = real(Fraction(entry.text))
                    yield compared(f"{name} as printed", written, real(entry.page))
                elif not forward_only:
                    yield Comparison(f"{name} is no name", math.nan)

    return judged("page numbers", comparisons(), EXACT_TOLERANCE)


def text_route(
    language: str,
    text: str,
    page: Page,
    problem: Problem,
    truth: Mapping[Name, Any],
    derivation: Derivation | None = None,
) -> Route:
    """The page as its reader sees it: every line recomputed, every formula held to the truth.

    `truth` may be of drawn values if the problem gives none.
    """
    name = f"page {language}"
    if numbers_in(language, text) != text:
        return Route(name, Status.DISAGREES, 0, math.nan, "a number has no decimal comma")
    text = plain_numbers(language, text)
    try:
        return _judged_text(
            name, text, page, problem, truth, misread(text, page, problem, language, derivation)
        )
    except FormulaError as error:
        return Route(name, Status.DISAGREES, 0, math.nan, f"a name cannot be read: {error}")


def _judged_text(
    name: str, text: str, page: Page, problem: Problem, truth: Mapping[Name, Any], wrong: str
) -> Route:
    items = read(text, first=0)
    known = _known(page, truth, {name.report: v for name, v in truth.items()})
    floors = _known(page, truth, _floors(truth))
    findings = judge(items, _policy(problem, known, floors), {} if "pi" in known else {"pi": PI})
    fault = (
        _fault(findings)
        or _lost(items, text, page)
        or _untold(items, known, page)
        or _changed(text, page)
        or _mismarked(text, page)
        or wrong
    )
    claims = [item for item in items if isinstance(item, Claim)]
    checks = [check for claim in claims for check in _formulas(claim, known, floors)]
    count = sum(f.kind is not Kind.SYMBOLIC for f in findings)
    if fault:
        return Route(name, Status.DISAGREES, count, math.nan, fault)
    if not checks and (problem.symbolic or not page.numbers):
        return Route(name, Status.AGREES, len(findings), 0.0, "no numbers; every line was read")
    route = judged(name, checks, FORMULA_TOLERANCE)
    return Route(name, route.status, count + route.compared, route.worst, route.detail)


def _known(page: Page, truth: Mapping[Name, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by the names that the proof-reader gives to what it reads."""
    known: dict[str, Any] = {}
    for name in truth:
        with suppress(FormulaError):  # the truth knows names that nobody writes
            known |= dict.fromkeys(_spellings(name), values[name.report])
    on_page = [e.name for report, e in page.numbers.items() if report in values]
    return known | {spelled: values[n.report] for n in on_page for spelled in _spellings(n)}


def _spellings(name: Name) -> list[str]:
    """What the proof-reader calls a name: as it is written, and as an entry of a table."""
    return [symbol_name(tex) for tex in (name.tex, name.inside) if tex]


def _floors(truth: Mapping[Name, Any]) -> dict[str, Any]:
    """The size below which each number of a page is compared absolutely: beside its values.

    Not beside its slopes; by a probability that vanishes they are large beyond measure. Nor are
    numbers before an update compared beside those after it, which may have left for good.
    """
    values = {name.report: v for name, v in truth.items() if "/" not in name.report}
    first = least([v for name, v in values.items() if not _is_later(name)], SHARE)
    all_of_them = least(values.values(), SHARE)
    return {n.report: all_of_them if _is_later(n.report) else first for n in truth}


def _is_later(report: str) -> bool:
    """Whether a number is one after an update."""
    return report.endswith("+") or "@" in report or report == DECREASE.report


def _policy(problem: Problem, known: Mapping[str, Any], floors: Mapping[str, Any]) -> Policy:
    numbers = problem.numbers
    policy = Policy(
        digits=numbers.significant_digits,
        decimals=numbers.decimals,
        rounding=ReadRounding(numbers.rounding.value),
        chained=numbers.chained,
    )
    if numbers.chained or not known:
        return policy
    computed = frozenset(known) - _given(problem)
    exact = {  # below the noise, differences cannot tell a value from zero
        n: v for n, v in known.items() if n in computed and abs(v) > floors[n] * EXACT_TOLERANCE
    }
    texts = {n: _sure(v, policy) for n, v in exact.items()}
    sure = {n: text for n, text in texts.items() if text is not None}
    return replace(policy, exact=sure, computed=computed)


def _sure(value: Any, policy: Policy) -> Decimal | None:
    """A value with so few digits that a tie is one; None if more tell it from one."""
    few, many = (Decimal(mp.nstr(value, digits)) for digits in (SURE, 2 * SURE))
    prints = {expected_value(policy, Fraction(each), str(few)) for each in (few, many)}
    return few if len(prints) == 1 else None


def _given(problem: Problem) -> set[str]:
    """What is printed with all its digits, not rounded."""
    names = names_of(problem)
    elements = [
        Element(quantity.name, *place)
        for quantity in problem.graph.given
        for place in product(*map(range, quantity.shape))
    ]
    return {symbol_name(name.tex) for name in (ALPHA, *map(names.name, elements))}


def _fault(findings: list[Finding]) -> str:
    """The first line that is wrong or unreadable, in words."""
    for finding in findings:
        if finding.kind in (Kind.DISAGREES, Kind.UNREAD):
            return f"line {finding.item.where.line}: {finding.message}"
    return ""


def _lost(items: list[Any], text: str, page: Page) -> str:
    """A display, or the number that it ends with, that is not on the page."""
    printed = {
        (str(item.lhs), Decimal(item.printed))
        for item in items
        if isinstance(item, Claim) and item.printed is not None
    }
    for display in page.displays():
        place = _spaced(text.partition(rf"\label{{{display.label}}}")[2].partition(r"\label{")[0])
        if not all(_spaced(part) in place for part in (display.lhs, *display.rows)):
            return f"{display.label} was not found on the page"
        result = None if display.result is None else printed_number(display.result)
        if result is not None and (symbol_name(display.lhs), Decimal(result)) not in printed:
            return f"{display.label} = {display.result} was not found on the page"
    return ""


def _untold(items: list[Any], known: Mapping[str, Any], page: Page) -> str:
    """A number or a formula that the page does not give like this.

    Where no values are known, a formula that a phrase puts together is not told from a wrong one.
    """
    texts = {s: entry.text for entry in page.numbers.values() for s in _spellings(entry.name)}
    strings = "\n".join(_joined(each) for block in page.blocks for each in _strings(block.fields))
    told = _told(page)
    for item in items:
        if not isinstance(item, Claim):
            continue
        left, place = str(item.lhs), f"line {item.where.line}"
        stated = f"{_spaced(item.lhs_tex)} = {item.printed}"
        constant = left not in texts and (
            item.printed in told.get(_spaced(item.lhs_tex), ())
            or (left not in known and stated in strings)
        )
        if item.printed is not None and item.lhs.is_Symbol and not constant:
            text = texts.get(left)
            if text is None or Fraction(item.printed) != Fraction(text):
                return f"{place}: {item.lhs_tex} is {text or 'unknown'}, printed is {item.printed}"
        elif known and left not in known and r"\\" not in item.source:
            for side in (item.lhs_tex, *item.form_tex):
                if _joined(side) not in strings:
                    return f"{place}: nothing gives '{_spaced(side)[:60]}'"
    return ""


def _told(page: Page) -> dict[str, set[str | None]]:
    """The rows of the displays of a page by their left sides; of a number, as it is read, too."""
    told: dict[str, set[str | None]] = {}
    for display in page.displays():
        rows = told.setdefault(_spaced(display.lhs), set())
        rows |= {*display.rows, *map(printed_number, filter(LITERAL.fullmatch, display.rows))}
    return told


def _changed(text: str, page: Page) -> str:
    """What differs between the page as it was told and the page as it stands."""
    body = FIGURE.sub("", text.partition(r"\begin{document}")[2])
    whole, rows = _spaced(text), _table_rows(body)
    told: set[str] = set()
    for each in _strings(page.title):
        told |= set(DECIMAL.findall(each))
    for block in page.blocks:
        told |= {number for each in _strings(block.fields) for number in DECIMAL.findall(each)}
        for piece in _pieces(block.fields):
            if _spaced(piece) not in whole:
                return f"'{_spaced(piece)[:60]}' was not found on the page"
        for row in _rows(block.fields):
            if not any(_holds(found, row) for found in rows):
                return f"the row {' & '.join(row)} was not found on the page"
    for number in DECIMAL.findall(body):
        if number not in told:
            return f"{number} stands on the page, but nothing gives it"
    return ""


def _mismarked(text: str, page: Page) -> str:
    """An equation that is marked as proven and has no theorem, or the other way round."""
    for found in EQUATION.finditer(text):
        if found["label"] in page.proven and not found["mark"]:
            return f"{found['label']} is proven, and no mark says so"
        if found["mark"] and found["label"] not in page.proven:
            return f"{found['label']} is marked as proven, and has no theorem"
    return ""


def _joined(text: str) -> str:
    """A formula on one line."""
    return _spaced(BREAK.sub(" ", text))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _pieces(value: Any) -> Iterator[str]:
    """Formulas and figures, which stand on a page as they are."""
    if isinstance(value, Mapping):
        yield from (value[key] for key in VERBATIM & value.keys() if isinstance(value[key], str))
        for part in value.values():
            yield from _pieces(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _pieces(part)


def _rows(value: Any) -> Iterator[list[str]]:
    """The cells of every row of a table."""
    if is_dataclass(value) and not isinstance(value, Display | Block):
        cells = [getattr(value, each.name) for each in fields(value)]
        if isinstance(cells[0], str) and all(isinstance(c, str | tuple) for c in cells):
            yield list(_strings(cells))
            return
        value = cells
    parts = value.values() if isinstance(value, Mapping) else value
    if isinstance(parts, Iterable) and not isinstance(parts, str):
        for part in parts:
            yield from _rows(part)


def _strings(value: Any) -> Iterator[str]:
    """Every finished string of a block."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        yield from _strings([getattr(value, each.name) for each in fields(value)])
    elif isinstance(value, Mapping):
        yield from _strings(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)


def _table_rows(body: str) -> list[list[str]]:
    """The cells of every line that ends like the row of a table."""
    lines = (line.strip() for line in body.splitlines())
    rows = [line.removesuffix(r"\\") for line in lines if "&" in line and line.endswith(r"\\")]
    return [[cell.strip().strip("$") for cell in CELL.split(row)] for row in rows]


def _holds(found: list[str], row: list[str]) -> bool:
    """Whether a row of the page holds the cells one after the other."""
    return any(found[k : k + len(row)] == row for k in range(len(found) - len(row) + 1))


def _formulas(
    claim: Claim, known: Mapping[str, Any], floors: Mapping[str, Any]
) -> Iterator[Comparison]:
    """Each formula of a claim at the unrounded values, where all its names are known.

    A form that names nothing but π holds rounded numbers; a sum over an index has no value alone.
    """
    left = str(claim.lhs)
    if left not in known:
        return
    with working():
        values = {"pi": mp.mpf(PI), **known}
        for tex, form in zip(claim.form_tex, claim.forms, strict=True):
            names = {str(s): s for s in form.free_symbols}
            readable = set(names) <= values.keys() and not form.has(AppliedUndef)
            if readable and known.keys() & names.keys():
                ordered = sorted(names)
                function = _function(form, tuple(names[name] for name in ordered))
                found = function(*[values[name] for name in ordered])
                what = f"line {claim.where.line}: {claim.lhs_tex} = {_spaced(tex)[:60]}"
                yield compared(what, found, known[left], floors[left])


@lru_cache(maxsize=5_000)  # a page and its translation have their formulas in common
def _function(form: sympy.Expr, symbols: tuple[sympy.Symbol, ...]) -> Callable[..., Any]:
    """A form as a function of its names."""
    return lazy_function(symbols, form)
