"""Right values that stand in a wrong place, or are printed with a slip of the pen; one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod

from derive.graph import Role
from derive.names import PUBLISHED, place_of, update_of
from derive.verify.trajectory import Trajectory

LARGEST_FACTOR = 64
MOST_ENTRIES = 400
FEW_ENTRIES = 8  # of a table, where one is soon taken for another
MOST_MOVED = 3  # places by which a decimal point is moved
Place = tuple[int, ...]


@dataclass(frozen=True)
class Spot:
    """The name of a printed number, taken apart; `of` is what is differentiated, if anything is."""

    of: str
    item: str
    place: Place
    update: int

    @property
    def name(self) -> str:
        entry = f"{self.item}[{','.join(map(str, self.place))}]" if self.place else self.item
        entry = f"d{self.of}/d{entry}" if self.of else entry
        mark = {0: "", 1: "+"}.get(self.update, f"@{self.update}")
        return f"{entry}{mark}"

    @property
    def table(self) -> str:
        """The whole of which this is an entry."""
        return replace(self, place=()).name


def spot(name: str) -> Spot | None:
    """A name taken apart; nothing of what is no name."""
    match = PUBLISHED.fullmatch(name)
    if match is None:
        return None
    of, of_place, by, by_place, item, item_place, mark = match.groups()
    above = f"{of}[{of_place}]" if of_place else (of or "")
    return Spot(above, by or item, place_of(by_place or item_place), update_of(mark))


Places = Iterator[tuple[Spot, str]]


@dataclass(frozen=True)
class Row:
    """Another number of the spec that may have been printed, with the words for it."""

    cause: str
    rank: float
    change: Callable[[Spot, Trajectory], Places]
    whole: bool = False


def _shape(here: Spot, trajectory: Trajectory) -> Place:
    quantity = trajectory.derivation.forward.quantities.get(here.item)
    return quantity.shape if quantity is not None and len(here.place) == len(quantity.shape) else ()


def _earlier(here: Spot, trajectory: Trajectory) -> Places:
    if here.update > 0:
        yield replace(here, update=here.update - 1), "the value one update earlier"


def _later(here: Spot, trajectory: Trajectory) -> Places:
    yield replace(here, update=here.update + 1), "the value one update later"


def _transposed(here: Spot, trajectory: Trajectory) -> Places:
    shape = _shape(here, trajectory)
    if len(shape) == 2 and shape[0] == shape[1] and here.place[0] != here.place[1]:
        yield replace(here, place=here.place[::-1]), "the table transposed"


def _mirrored(here: Spot, trajectory: Trajectory) -> Places:
    shape = _shape(here, trajectory)
    if len(shape) == 2:
        turned = tuple(n - 1 - k for k, n in zip(here.place, shape, strict=True))
        yield replace(here, place=turned), "the table turned by 180 degrees"
    for k, n in enumerate(shape):
        turned = (*here.place[:k], n - 1 - here.place[k], *here.place[k + 1 :])
        yield replace(here, place=turned), f"the table in the reverse order along axis {k}"


def _neighbour(here: Spot, trajectory: Trajectory) -> Places:
    """The whole table is moved by one."""
    for k, n in enumerate(_shape(here, trajectory)):
        for step, word in ((-1, "before"), (1, "after")):
            moved = (*here.place[:k], here.place[k] + step, *here.place[k + 1 :])
            if 0 <= moved[k] < n:
                yield replace(here, place=moved), f"the value one place {word} on axis {k}"


def _line(here: Spot, trajectory: Trajectory) -> Places:
    """A row or a column is printed twice."""
    shape = _shape(here, trajectory)
    for k, n in enumerate(shape if len(shape) > 1 else ()):
        word = ("row", "column")[k] if len(shape) == 2 else f"part on axis {k}"
        for other in range(n):
            if other != here.place[k]:
                place = (*here.place[:k], other, *here.place[k + 1 :])
                words = f"{word} {other} of the table in place of {word} {here.place[k]}"
                yield replace(here, place=place), words


def _entry(here: Spot, trajectory: Trajectory) -> Places:
    places = list(product(*map(range, _shape(here, trajectory))))
    for place in places[:MOST_ENTRIES]:
        if place != here.place:
            other = replace(here, place=place)
            yield other, f"the value of {other.name}"


def _neighbour_entry(here: Spot, trajectory: Trajectory) -> Places:
    if prod(_shape(here, trajectory)) <= FEW_ENTRIES:
        yield from _entry(here, trajectory)


def _another(here: Spot, trajectory: Trajectory) -> Places:
    """The same entry of a table of the same shape and kind."""
    quantities = trajectory.derivation.forward.quantities
    own = quantities.get(here.item)
    for quantity in quantities.values() if own is not None else ():
        alike = own is not None and (quantity.role, quantity.shape) == (own.role, own.shape)
        if alike and quantity is not own and quantity.role is not Role.LOSS:
            other = replace(here, item=quantity.name)
            yield other, f"the value of {other.table}"


def _undone(here: Spot, trajectory: Trajectory) -> Places:
    """A value for the derivative by it, or the reverse."""
    loss = trajectory.loss
    if here.of in (loss, "E"):
        yield replace(here, of=""), "the value itself, not the derivative by it"


ROWS = (
    Row("another step", 0, _earlier),
    Row("another step", 1, _later),
    Row("transposed", 1, _transposed),
    Row("another number", 1, _neighbour_entry),
    Row("a row repeated", 2, _line, True),
    Row("an index shifted", 2, _neighbour, True),
    Row("reversed", 2, _mirrored, True),
    Row("another number", 2, _undone),
    Row("another number", 3, _entry),
    Row("another number", 3, _another),
)

# --- factors --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """A factor by which numbers are off, with the words for what is off by it."""

    cause: str
    rank: float
    factor: Fraction
    words: str


OPPOSITE = Scale("a sign", 0, Fraction(-1), "{} with the opposite sign")


def scales(trajectory: Trajectory) -> Iterator[Scale]:
    """The opposite sign; and what a mean, a sum or a half explains."""
    yield OPPOSITE
    quantities = trajectory.derivation.forward.quantities.values()
    sizes = {size for q in quantities for size in (*q.shape, prod(q.shape))}
    for size in sorted({2} | {n for n in sizes if 2 < n <= LARGEST_FACTOR}):
        rank = 0.5 if size == 2 else 2  # a half or a 2 that was forgotten comes next to a sign
        yield Scale("a factor", rank, Fraction(size), f"{size} times {{}}")
        yield Scale("a factor", rank, Fraction(1, size), f"{{}} divided by {size}")


# --- slips of the pen -----------------------------------------------------------------------


def slips(right: str) -> Iterator[tuple[str, str]]:
    """What a slip of the pen makes of the digits of a number, with the words for it."""
    sign = "-" if right.startswith("-") else ""
    text = right.removeprefix("-")
    for k in range(len(text) - 1):
        a, b = text[k], text[k + 1]
        if a.isdigit() and b.isdigit() and a != b:
            yield f"{sign}{text[:k]}{b}{a}{text[k + 2 :]}", "two digits exchanged"
    first = len(text) - len(text.lstrip("0."))  # a zero before that is a matter of the point
    for k, digit in enumerate(text):
        if digit == "0" and first < k < len(text.rstrip("0")):
            yield f"{sign}{text[:k]}{text[k + 1 :]}", "a zero lost"
            yield f"{sign}{text[: k + 1]}{text[k:]}", "a zero too many"


def moved_points() -> Iterator[Scale]:
    """The decimal point some places off."""
    for places in range(1, MOST_MOVED + 1):
        word = "place" if places == 1 else "places"
        for factor in (Fraction(10) ** places, Fraction(1, 10**places)):
            words = f"{{}} with its decimal point {places} {word} off"
            yield Scale("decimal point", 1, factor, words)
