"""Route 8 for a model: published numbers of any name, each at the digits it was printed with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction
from itertools import islice
from math import prod
from typing import Any

from mpmath import mp

from derive.model.published import NAME
from derive.numbers import NumberFormat, Rounding, Zeros, decimal
from derive.problem import Problem, Published
from derive.render.blocks import Page
from derive.sequence import Order
from derive.verify.algebra import DIGITS
from derive.verify.published import FULL, PRINT, row_of
from derive.verify.report import NumberRow, Status
from derive.verify.trajectory import Trajectory, UnknownName

FINE = NumberFormat(significant_digits=40)
LARGEST_FACTOR = 64
MOST_UPDATES = 10


def model_rows(
    problem: Problem, page: Page, code: Mapping[str, Any], trajectory: Trajectory | None
) -> tuple[NumberRow, ...]:
    """A row for each number of the page and one for each published number."""
    told = [
        row_of(name, entry, code, problem, None)
        for name, entry in page.numbers.items()
        if entry.text is not None
    ]
    if trajectory is None:
        words = "the spec leaves values out, so there is nothing to compare with"
        return (*told, *(_unknown(each, words) for each in problem.published))
    rows = [_published(each, page, trajectory) for each in problem.published]
    return (*told, *_excused(rows, problem.published))


def _unknown(published: Published, words: str) -> NumberRow:
    return NumberRow(
        published.name,
        None,
        None,
        None,
        published.printed,
        Status.DISAGREES,
        words,
        published.where,
    )


def _published(published: Published, page: Page, trajectory: Trajectory) -> NumberRow:
    """One published number beside the exact value and the page's."""
    try:
        value = trajectory.value(published.name)
    except UnknownName as error:
        return _unknown(published, str(error))
    if not PRINT.fullmatch(published.printed):
        return _unknown(published, f"'{published.printed}' is not a plain decimal number")
    exact = _fraction(value)
    entry = page.numbers.get(_on_page(published.name, trajectory))
    shown = entry.text if entry is not None else None
    text = FULL.text(exact) if exact is not None else None
    row = NumberRow(
        published.name,
        text,
        shown or (_rounded(published.printed, exact) if exact is not None else None),
        None,
        published.printed,
        Status.AGREES,
        "",
        published.where,
    )
    if exact is None:
        return replace(row, status=Status.DISAGREES, explanation="the value is not finite")
    if _equal(published, exact, shown):
        return row
    found = "; ".join(_explanations(published, exact, trajectory, shown))
    return replace(row, status=Status.DISAGREES, explanation=found)


def _on_page(name: str, trajectory: Trajectory) -> str:
    """A name as reports have it: `dE/…` for any loss, and `@1` for `+`."""
    loss = trajectory.derivation.forward.loss.name
    plain = re.sub(r"@\s*1$", "+", "".join(name.split()))
    return f"d{loss}/{plain[3:]}" if plain.startswith("dE/") else plain


def _fraction(value: Any) -> Fraction | None:
    if not isinstance(value, mp.mpf) or not mp.isfinite(value):
        return None
    with mp.workdps(DIGITS):
        return FINE.round(value)


def _equal(published: Published, exact: Fraction, shown: str | None) -> bool:
    """Whether a print is the value, rounded either way at a tie, or what the page has."""
    printed = Fraction(published.printed)
    if shown is not None and printed == Fraction(shown):
        return True
    for rounding in Rounding:
        nearest = Fraction(_rounded(published.printed, exact, rounding))
        if abs(nearest - printed) <= published.slack * _unit(published.printed):
            return True
    return False


def _unit(printed: str) -> Fraction:
    """One unit of the last digit of a print."""
    return Fraction(10) ** -_places(printed)


def _places(printed: str) -> int:
    """How many decimals a print has."""
    mantissa, _, exponent = printed.lower().partition("e")
    return len(mantissa.partition(".")[2]) - int(exponent or 0)


def _rounded(printed: str, value: Fraction, rounding: Rounding = Rounding.HALF_UP) -> str:
    """A value with as many decimals as a print."""
    places = _places(printed)
    scale = Fraction(10) ** min(places, 0)
    plain = NumberFormat(None, max(places, 0), rounding, Zeros.PAD, False)
    text = plain.text(value * scale)
    return text if places >= 0 else str(int(Fraction(text) / scale))


def _explanations(
    published: Published, exact: Fraction, trajectory: Trajectory, shown: str | None
) -> Iterator[str]:
    """The value, and what would explain a print that differs."""
    printed, text = Fraction(published.printed), published.printed
    yield _value(text, exact)
    if shown is not None and trajectory.problem.numbers.chained:
        yield f"the page, which goes on with rounded numbers, has {shown}"

    def prints(value: Fraction) -> bool:
        return value != 0 and Fraction(_rounded(text, value)) == printed

    unit, digits = _unit(text), _digits(text)
    rounded = exact.denominator != 1 or "." in text  # a count is not off by rounding
    if rounded and abs(printed - exact) < unit:
        yield "it is the value cut or rounded the other way, one unit off in its last digit"
    elif rounded and digits > 1 and abs(printed - exact) <= 3 * unit:
        yield "it is off by a few units of its last digit, as from rounded intermediate numbers"
    elif prints(-exact):
        yield "it has the opposite sign"
    else:
        yield from islice(_multiples(digits, exact, prints, trajectory), 1)
        yield from _elsewhere(published.name, prints, trajectory)
        yield from _in_other_order(published.name, prints, trajectory)


def _value(printed: str, exact: Fraction) -> str:
    """The value in a few more digits than were printed, and at those that were."""
    expected = _rounded(printed, exact)
    number = decimal(exact)
    least = min(-_places(printed) - 2, number.adjusted() - 4 if exact else 0)
    with localcontext(prec=400):
        cut = number.quantize(Decimal(1).scaleb(min(least, 0)), ROUND_DOWN)
    words = f"{cut:f}".rstrip("0").rstrip(".") if "." in f"{cut:f}" else f"{cut:f}"
    if Fraction(cut) != exact:
        words += "…"
    if Fraction(expected) == exact:
        return f"the value is {words}"
    return f"the value is {words}, so {expected} at the printed digits"


def _digits(printed: str) -> int:
    """How many significant digits a print has."""
    mantissa = printed.lower().partition("e")[0]
    return len(re.sub(r"\D", "", mantissa).lstrip("0"))


def _multiples(
    digits: int, exact: Fraction, prints: Callable[[Fraction], bool], trajectory: Trajectory
) -> Iterator[str]:
    """A factor that a mean, a sum or a half explains; with few digits it would be chance."""
    quantities = trajectory.derivation.forward.quantities.values()
    sizes = {size for q in quantities for size in (*q.shape, prod(q.shape))}
    likely = sorted(size for size in sizes if 2 < size <= LARGEST_FACTOR)
    for factor in (*((2,) if digits > 1 else ()), *(likely if digits > 2 else ())):
        if prints(exact * factor):
            yield f"it is {factor} times the value"
        if prints(exact / factor):
            yield f"it is the value divided by {factor}"


def _elsewhere(
    name: str, prints: Callable[[Fraction], bool], trajectory: Trajectory
) -> Iterator[str]:
    """Another entry of the same table, or the same entry at another update, with this value."""
    match = NAME.fullmatch(name)
    if match is None:
        return
    stem = name.rstrip("+").partition("@")[0].strip()
    mark = name.strip()[len(stem) :]
    others = [f"{stem}{other}" for other in ("", "+", "@2") if other != mark]
    table, bracket, _ = stem.rpartition("[")
    if bracket:
        base = table.rpartition("/d")[2] if "/" in table else table
        quantity = trajectory.derivation.forward.quantities.get(base)
        if quantity is not None:
            places = _all_places(quantity.shape)
            others += [f"{table}[{','.join(map(str, p))}]{mark}" for p in places]
    for other in others:
        try:
            value = _fraction(trajectory.value(other))
        except UnknownName:
            continue
        if value is not None and prints(value):
            yield f"it is the value of {other}"
            return


def _in_other_order(
    name: str, prints: Callable[[Fraction], bool], trajectory: Trajectory
) -> Iterator[str]:
    """The same number, if parameters change in another order."""
    match, training = NAME.fullmatch(name), trajectory.problem.training
    mark = match.groups()[-1] if match is not None else None
    if mark is None or int(mark.lstrip("+@") or 1) > MOST_UPDATES:
        return
    for order in set(Order) - {training.order}:
        changed = replace(trajectory.problem, training=replace(training, order=order))
        other = Trajectory(changed, trajectory.derivation, trajectory.given)
        value = _fraction(other.value(name))
        if value is not None and prints(value):
            yield f"it is the value with 'order: {order}'"


def _all_places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    places: list[tuple[int, ...]] = [()]
    for size in shape:
        places = [(*place, k) for place in places for k in range(size)]
    return places[:400]


def _excused(rows: list[NumberRow], published: tuple[Published, ...]) -> Iterator[NumberRow]:
    """Known misprints as such. One that is no misprint, nor in a table with one, is a finding."""
    wrong = {
        (p.misprint, p.where, p.name.partition("[")[0])
        for p, row in zip(published, rows, strict=True)
        if p.misprint is not None and row.status is Status.DISAGREES
    }
    for each, row in zip(published, rows, strict=True):
        if each.misprint is None:
            yield row
        elif row.status is Status.DISAGREES:
            words = f"{row.explanation}; {each.misprint}"
            yield replace(row, status=Status.MISPRINT, explanation=words)
        elif (each.misprint, each.where, each.name.partition("[")[0]) in wrong:
            yield row
        else:
            words = "this is no misprint: it is what comes out"
            yield replace(row, status=Status.DISAGREES, explanation=words)
