"""What follows from a wrong print: a number may be right for those printed before it.

Each wrong print is computed once more from what is printed for everything else. If that gives it at
all of its digits, it is no error of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from derive.expression import reads
from derive.graph import adjoint_name
from derive.names import PUBLISHED, place_of, update_of
from derive.problem import Published
from derive.sequence import Order
from derive.verify.algebra import EXACT, working
from derive.verify.factors import Chain, slope_at
from derive.verify.meaning import Key, Values
from derive.verify.prints import digits, fraction, gives, unit
from derive.verify.published import PRINT
from derive.verify.trajectory import Trajectory, UnknownName

MOST_WRONG = 80  # a source in which nearly all is wrong has another reason
FEW_UPDATES = 3  # through which what is printed before them is gone on with
LEAST_DIGITS = 3
MOST_ROOTS = 4  # of which three are told
REACH = 100  # units of its last digit that a print may be off by the rounding of its operands


@dataclass(frozen=True)
class Target:
    """An entry of a quantity, an adjoint or a state, after a number of updates.

    Or the derivative by it of an entry (`of`) that is computed from it.
    """

    key: Key
    update: int
    of: Key | None = None

    def is_updated(self, trajectory: Trajectory) -> bool:
        """Whether an update makes it, rather than an equation."""
        quantity = trajectory.derivation.forward.quantities.get(self.key[0])
        adjoint = self.key[0] in trajectory.derivation.backward.quantities and quantity is None
        simultaneous = trajectory.problem.training.order is Order.SIMULTANEOUS
        return (
            self.update > 0
            and self.of is None
            and not adjoint
            and (quantity is None or quantity.given)
            and simultaneous
        )


@dataclass(frozen=True)
class Print:
    """One published number with what it is a number of; `wrong` if it is not the value.

    `shift` is how far from the print the number may be that was gone on with.
    """

    published: Published
    target: Target
    wrong: bool
    shift: Fraction = Fraction(0)

    @cached_property
    def value(self) -> Any:
        """What is printed, as a number."""
        return EXACT.number(Fraction(self.published.printed) + self.shift)


def key_of(name: str, trajectory: Trajectory) -> Target | None:
    """The entry that a name means, or the factor of a chain; None for other derivatives."""
    match = PUBLISHED.fullmatch(name)
    if match is None:
        return None
    of, of_place, by, by_place, item, item_place, mark = match.groups()
    graph, loss = trajectory.derivation.forward, trajectory.loss
    place, update = place_of(by_place or item_place), update_of(mark)
    if of is not None and of in (loss, "E"):
        return Target((adjoint_name(by), place), update)
    if of is not None:
        read = of in graph.quantities and not graph.quantities[of].given
        direct = read and by in reads(graph.equation(of).rhs)
        return Target((by, place), update, (of, place_of(of_place))) if direct else None
    unknown = item == "E" and item not in graph.quantities
    return Target((loss if unknown else item, place), update)


def printed_keys(
    published: Sequence[Published], wrong: Sequence[bool], trajectory: Trajectory
) -> list[Print]:
    """The published numbers that name an entry, with whether each is wrong."""
    found = []
    for each, off in zip(published, wrong, strict=True):
        target = key_of(each.name, trajectory)
        if target is not None and PRINT.fullmatch(each.printed):
            found.append(Print(each, target, off))
    return found


def follows(prints: Sequence[Print], trajectory: Trajectory) -> Mapping[Print, tuple[Print, ...]]:
    """The wrong prints that others give, each with those that it is wrong by.

    They are wrong without an origin themselves. If there are none, rounded prints were gone on
    with.
    """
    wrong = [each for each in prints if each.wrong]
    if not 0 < len(wrong) <= MOST_WRONG:
        return {}
    derived = [each for each in wrong if _gives(each, prints, trajectory)]
    above = {each: _operands(each, prints, trajectory) for each in derived}
    return {each: tuple(_roots(each, above))[:MOST_ROOTS] for each in derived}


def _operands(each: Print, prints: Sequence[Print], trajectory: Trajectory) -> list[Print]:
    """The wrong prints of which a print would be another one if they were right."""
    others = [other for other in prints if other.target != each.target]
    if not _is_from(each, prints, trajectory):
        others = [other for other in others if other.wrong]
    whole = value_from(each.target, others, trajectory)

    def if_right(one: Print) -> Any:
        right = fraction(value_from(one.target, [], trajectory))
        shift = Fraction(0) if right is None else right - Fraction(one.published.printed)
        rest = [other for other in others if other.target != one.target]
        return value_from(each.target, [*rest, replace(one, shift=shift)], trajectory)

    return [other for other in others if other.wrong and if_right(other) != whole]


def _roots(each: Print, above: Mapping[Print, Sequence[Print]]) -> Iterator[Print]:
    """The prints that others follow from and that follow from none, the first first."""
    waiting, seen = list(above[each]), set()
    while waiting:
        one = waiting.pop(0)
        if one not in seen:
            seen.add(one)
            if one in above:
                waiting += above[one]
            else:
                yield one


def goes_on_rounded(
    prints: Sequence[Print], origins: Mapping[Print, Sequence[Print]], trajectory: Trajectory
) -> bool:
    """Whether more of the prints are computed from rounded ones than only from exact numbers."""
    rounded_on = sum(not roots for roots in origins.values())
    if not rounded_on:
        return False
    right = [each for each in prints if not each.wrong]
    return sum(not _is_from(each, right, trajectory) for each in right) < rounded_on


def _is_from(each: Print, prints: Sequence[Print], trajectory: Trajectory) -> bool:
    """Whether a print is right for the others, as they are rounded, factors among them or not."""
    others = [other for other in prints if other.target != each.target]
    plain = [other for other in others if other.target.of is None]
    printed = each.published.printed
    for operands in (others, plain) if len(plain) < len(others) else (others,):
        found = fraction(value_from(each.target, operands, trajectory))
        if gives(found, printed):
            return True
    return False


def _gives(each: Print, prints: Sequence[Print], trajectory: Trajectory) -> bool:
    """Whether the other prints, or the wrong ones alone, give this one at all of its digits.

    Of the wrong ones more digits may have been gone on with than were printed.
    """
    others = [other for other in prints if other.target != each.target]
    wrong = [other for other in others if other.wrong]
    printed = each.published.printed
    exact = fraction(value_from(each.target, [], trajectory))
    if gives(exact, printed):
        return False  # it has fewer digits than others, and nothing else is wrong with it
    if _is_from(each, prints, trajectory):
        return True
    found = fraction(value_from(each.target, wrong, trajectory))
    if gives(found, printed):
        return True
    return found is not None and _reaches(each, wrong, found, trajectory)


def _reaches(
    each: Print, operands: Sequence[Print], found: Fraction, trajectory: Trajectory
) -> bool:
    """Whether a print lies where the digits that its operands do not show may have led.

    Of operands of one or two digits that would be said of nearly anything.
    """
    last = unit(each.published.printed)
    gap, slack = abs(found - Fraction(each.published.printed)), last / 2
    coarse = any(digits(operand.published.printed) < LEAST_DIGITS for operand in operands)
    if coarse or gap > REACH * last:
        return False
    for k, operand in enumerate(operands):
        moved = replace(operand, shift=unit(operand.published.printed) / 2)
        value = fraction(
            value_from(each.target, (*operands[:k], moved, *operands[k + 1 :]), trajectory)
        )
        slack += abs(value - found) if value is not None else 0
    return gap <= slack


def value_from(target: Target, prints: Sequence[Print], trajectory: Trajectory) -> Any:
    """The value of an entry where prints stand for what they are prints of; None if it has none."""

    def at(key: Key, update: int) -> Any:
        return _entry(Target(key, update), prints, trajectory)

    try:
        if not target.is_updated(trajectory):
            return _entry(target, prints, trajectory)
        last = target.update - 1
        values, before = trajectory.at(last), _values(prints, last)
        reading = [key for key in values if key[1] == target.key[1] and _moves(key[0], target)]
        found = {key: at(key, last) for key in reading}
        return trajectory.updated(target.key, target.update, values | found, before)
    except (ArithmeticError, ValueError, TypeError, UnknownName):
        return None  # these prints give no number, or only a complex one


def _values(prints: Sequence[Print], update: int) -> Values:
    """What is printed for entries at an update."""
    return {
        each.target.key: each.value
        for each in prints
        if each.target.update == update and each.target.of is None
    }


def _entry(target: Target, prints: Sequence[Print], trajectory: Trajectory) -> Any:
    """What an equation makes of prints, or the chain rule where factors of it are printed."""
    known, graph = _known(target.update, prints, trajectory), trajectory.derivation.forward
    factors = {
        (each.target.of, each.target.key): each.value
        for each in prints
        if each.target.of is not None and each.target.update == target.update
    }
    adjoint = adjoint_name("")
    by = target.key[0].removeprefix(adjoint), target.key[1]
    if target.of is not None:
        values = trajectory.forward_from(target.update, known)
        with working():
            return slope_at(graph, target.of, target.key, values)
    if not factors or by == target.key or target.key in known:
        return trajectory.from_prints(target.key, target.update, known)
    values = trajectory.forward_from(target.update, known)
    slopes = {key: v for key, v in known.items() if key[0] not in graph.quantities}
    above = {(name.removeprefix(adjoint), place): v for (name, place), v in slopes.items()}
    with working():
        return Chain(graph, values, factors, above).by(by)


def _known(update: int, prints: Sequence[Print], trajectory: Trajectory) -> Values:
    """What is printed at an update, and the parameters that wrong prints before it lead to."""
    known = _values(prints, update)
    simultaneous = trajectory.problem.training.order is Order.SIMULTANEOUS
    if not 0 < update <= FEW_UPDATES or not simultaneous or trajectory.late:
        return known
    if not any(each.wrong and each.target.update < update for each in prints):
        return known
    return trajectory.updated_from(update, _known(update - 1, prints, trajectory)) | known


def _moves(name: str, target: Target) -> bool:
    """Whether something is the parameter that an update is of, or the gradient by it."""
    plain = name.removeprefix(adjoint_name(""))
    return target.key[0] == plain or target.key[0].endswith(f"_{plain}")
