"""Fresh values for a problem, in the manner of its own: few digits, its ranges, its signs.

What a value stands for is not to be seen in a spec, so what its own values have in common is kept:
zeros and ones stay zeros and ones, a distribution keeps its entries in another order, constants of
the model stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor, log10
from random import Random

from derive.graph import Quantity, Role
from derive.problem import Problem, Tensor
from derive.scalar import positions

MOST_DECIMALS = 2
MOST_DIGITS = 4  # of a large number; zeros follow
UNKNOWN = {  # what is drawn where a spec gives no values: sign, smallest, largest, decimals
    Role.INPUT: (True, Fraction(1, 2), Fraction(2), 1),
    Role.PARAMETER: (True, Fraction(1, 10), Fraction(9, 10), 1),
    Role.CONSTANT: (True, Fraction(1, 10), Fraction(9, 10), 1),
    Role.TARGET: (False, Fraction(1, 10), Fraction(9, 10), 1),
}
AROUND = (Fraction(1, 2), Fraction(3, 2))  # of a value that stands alone
ROOM = 3  # times as many values as entries, so that no two of them need be equal
LEAST_WHOLE = 3  # up to which whole numbers go at least
LEAST_CHOICE = 1000  # different tables, or else their numbers have one digit more


def drawn(problem: Problem, random: Random) -> dict[str, Tensor]:
    """A value for every given quantity."""
    upstream = set(problem.upstream.values())
    return {q.name: _tensor(problem, q, q.name in upstream, random) for q in problem.graph.given}


def _tensor(problem: Problem, quantity: Quantity, upstream: bool, random: Random) -> Tensor:
    """Fresh entries of one quantity."""
    places = list(positions(quantity.axes))
    own = problem.values.get(quantity.name)
    if own is None:
        values = _unknown(quantity, len(places), random)
        return dict(zip(places, values, strict=True))
    known = [own[place] for place in places]
    if quantity.role is Role.CONSTANT and not upstream:
        return own
    if quantity.integer or {*known} <= {0, 1} or {*known} <= {-1, 1}:
        values = _shuffled(known, quantity, random) if len({*known}) > 1 else known
    elif quantity.sums_to_one or _is_distribution(known, quantity):
        values = _shuffled(known, quantity, random)
    else:
        values = _in_manner(known, quantity, random)
    return dict(zip(places, values, strict=True))


def _unknown(quantity: Quantity, count: int, random: Random) -> list[Fraction]:
    if quantity.sums_to_one:
        rows = [_one_hot(quantity.shape[-1], random) for _ in range(count // quantity.shape[-1])]
        return [value for row in rows for value in row]
    if quantity.integer:
        return [Fraction(0)] * count
    signed, low, high, decimals = UNKNOWN[quantity.role]
    return _numbers(count, low, high, decimals, signed, random)


def _one_hot(size: int, random: Random) -> list[Fraction]:
    one = random.randrange(size)
    return [Fraction(k == one) for k in range(size)]


def _is_distribution(known: Sequence[Fraction], quantity: Quantity) -> bool:
    """Whether every row of a quantity is a distribution."""
    size = quantity.shape[-1] if quantity.axes else 1
    rows = [known[k : k + size] for k in range(0, len(known), size)]
    return size > 1 and all(min(row) >= 0 and sum(row) == 1 for row in rows)


def _shuffled(known: Sequence[Fraction], quantity: Quantity, random: Random) -> list[Fraction]:
    """The same entries in another order, row by row if rows have several."""
    size = quantity.shape[-1] if quantity.axes else 1
    found: list[Fraction] = []
    for k in range(0, len(known), size):
        row = list(known[k : k + size])
        random.shuffle(row)
        found += row
    return found


def _in_manner(known: Sequence[Fraction], quantity: Quantity, random: Random) -> list[Fraction]:
    """Numbers with the sizes, the signs and the digits of known ones."""
    sizes = [abs(value) for value in known if value] or [Fraction(1)]
    low, high = min(sizes), max(sizes)
    if high < 2 * low:
        low, high = low * AROUND[0], high * AROUND[1]
    readable = MOST_DIGITS - 1 - floor(log10(high))
    decimals = min(MOST_DECIMALS, readable, max(map(_decimals, known)))
    signed = min(known) < 0
    return _numbers(len(known), low, high, decimals, signed, random)


def _decimals(value: Fraction) -> int:
    """How many decimals a value has; of one without an end, as many as are drawn at most."""
    return next(
        (k for k in range(MOST_DECIMALS) if (value * 10**k).denominator == 1), MOST_DECIMALS
    )


def _numbers(
    count: int, low: Fraction, high: Fraction, decimals: int, signed: bool, random: Random
) -> list[Fraction]:
    """Numbers between two sizes that are not 0, different ones if there are enough."""
    signs = 2 if signed else 1
    sizes = _sizes(low, high if decimals else max(high, Fraction(LEAST_WHOLE)), decimals)
    while (signs * len(sizes)) ** count < LEAST_CHOICE and decimals < MOST_DECIMALS:
        decimals += 1
        sizes = _sizes(low, high, decimals)
    places = range(signs * len(sizes))  # first all sizes, then their negatives
    if len(places) >= ROOM * count:
        chosen = random.sample(places, count)
    else:
        chosen = [random.choice(places) for _ in range(count)]
    unit = Fraction(10) ** -decimals
    return [(1 - 2 * (k // len(sizes))) * sizes[k % len(sizes)] * unit for k in chosen]


def _sizes(low: Fraction, high: Fraction, decimals: int) -> range:
    """The numbers between two sizes, in units of their last digit."""
    units = Fraction(10) ** decimals
    first = max(1, ceil(low * units))
    return range(first, max(first, floor(high * units)) + 1)
