"""Why a printed number differs from the value. Nothing is said rather than what is not so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction
from itertools import islice
from math import prod

from derive.graph import adjoint_name
from derive.names import PUBLISHED
from derive.numbers import decimal
from derive.problem import Published
from derive.sequence import Order
from derive.verify.consequences import key_of
from derive.verify.prints import digits, fraction, places, rounded, unit
from derive.verify.trajectory import Trajectory, UnknownName

LARGEST_FACTOR = 64
MOST_UPDATES = 10
MOST_POWER = 6


def reasons(
    published: Published, exact: Fraction, trajectory: Trajectory, shown: str | None
) -> Iterator[str]:
    """The value, and what would explain a print that differs."""
    printed, text = Fraction(published.printed), published.printed
    yield _value(text, exact)
    if shown is not None and trajectory.problem.numbers.chained:
        yield f"the page, which goes on with rounded numbers, has {shown}"

    def prints(value: Fraction) -> bool:
        return value != 0 and Fraction(rounded(text, value)) == printed

    last, long = unit(text), digits(text)
    cut = exact % last != 0  # a value that ends where the print does is not off by rounding
    if cut and abs(printed - exact) < last:
        yield "it is the value cut or rounded the other way, one unit off in its last digit"
    elif abs(printed - exact) <= 3 * last and long > 1:
        yield _off_by(round(abs(printed - exact) / last))
    elif prints(-exact):
        yield "it has the opposite sign"
    elif long > 1 and _uphill(published.name, prints, trajectory):
        yield "it is the value after a step in the opposite direction, along the gradient"
    else:
        yield from islice(_multiples(long, exact, prints, trajectory), 1)
        if long > 1:  # one digit is that of many a number
            yield from _elsewhere(published.name, _few(long), prints, trajectory)
            yield from _in_other_order(published.name, prints, trajectory)
            yield from _on_other_sample(published.name, _few(long), prints, trajectory)


def _few(digits: int) -> int:
    """So many candidates that one of them has the digits by chance once in a hundred times."""
    return 10 ** min(digits - 2, MOST_POWER)


def _off_by(units: int) -> str:
    word = "one unit" if units <= 1 else f"{units} units"
    return f"it is off by {word} of its last digit"


def _uphill(name: str, prints: Callable[[Fraction], bool], trajectory: Trajectory) -> bool:
    """Whether a print is what an update gives that adds what it should take away."""
    target = key_of(name, trajectory)
    if target is None or not target.is_updated(trajectory):
        return False
    values = trajectory.at(target.update - 1)
    slopes = {key: -v for key, v in values.items() if key[0].startswith(adjoint_name(""))}
    found = fraction(trajectory.updated(target.key, target.update, {**values, **slopes}))
    return found is not None and prints(found)


def _value(printed: str, exact: Fraction) -> str:
    """The value in a few more digits than were printed, and at those that were."""
    expected = rounded(printed, exact)
    number = decimal(exact)
    least = min(-places(printed) - 2, number.adjusted() - 4 if exact else 0)
    with localcontext(prec=400):
        cut = number.quantize(Decimal(1).scaleb(min(least, 0)), ROUND_DOWN)
    words = f"{cut:f}".rstrip("0").rstrip(".") if "." in f"{cut:f}" else f"{cut:f}"
    if Fraction(cut) != exact:
        words += "…"
    if Fraction(expected) == exact:
        return f"the value is {words}"
    return f"the value is {words}, so {expected} at the printed digits"


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
    name: str, most: int, prints: Callable[[Fraction], bool], trajectory: Trajectory
) -> Iterator[str]:
    """Another entry of the same table, or the same entry at another update, with this value.

    Only `most` of them are tried, the other updates first.
    """
    match = PUBLISHED.fullmatch(name)
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
    for other in others[:most]:
        try:
            value = fraction(trajectory.value(other))
        except UnknownName:
            continue
        if value is not None and prints(value):
            tried = f", one of {len(others[:most])} tried" if len(others) > 3 else ""
            yield f"it is the value of {other}{tried}"
            return


def _in_other_order(
    name: str, prints: Callable[[Fraction], bool], trajectory: Trajectory
) -> Iterator[str]:
    """The same number, if parameters change in another order."""
    match, training = PUBLISHED.fullmatch(name), trajectory.problem.training
    mark = match.groups()[-1] if match is not None else None
    if mark is None or int(mark.lstrip("+@") or 1) > MOST_UPDATES:
        return
    for order in set(Order) - {training.order}:
        changed = replace(trajectory.problem, training=replace(training, order=order))
        other = Trajectory(changed, trajectory.derivation, trajectory.given)
        value = fraction(other.value(name))
        if value is not None and prints(value):
            yield f"it is the value with 'order: {order}'"


def _all_places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    places: list[tuple[int, ...]] = [()]
    for size in shape:
        places = [(*place, k) for place in places for k in range(size)]
    return places[:400]


def _on_other_sample(
    name: str, most: int, prints: Callable[[Fraction], bool], trajectory: Trajectory
) -> Iterator[str]:
    """The same number for one of the first `most` samples, whose turn it is not."""
    target, samples = key_of(name, trajectory), len(trajectory.problem.samples)
    if target is None or target.is_updated(trajectory):
        return
    for number in range(min(samples, most)):
        value = fraction(trajectory.on_sample(target.update, number).get(target.key))
        if value is not None and prints(value):
            turn = target.update % samples + 1
            yield f"it is the value for sample {number + 1}; here it is the turn of sample {turn}"
            return
