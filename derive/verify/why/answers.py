"""All that may have been printed instead of a value: single conventions, and two at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from derive.amount import work
from derive.verify.trajectory import Trajectory
from derive.verify.why.elsewhere import ROWS, Row, Scale, moved_points, scales
from derive.verify.why.question import Answer, Convention, Offer, Question, read, read_at
from derive.verify.why.worlds import Wanted, World, worlds

RANKS = range(4)  # of single conventions
SCALED, ELSEWHERE, TWICE = 4, 5, 6  # of two: a factor, another place, another calculation
COMMON = 1  # up to this rank calculations are tried two at a time
MOST_UPDATES = 10  # through which every calculation is followed
MOST_FOLLOWED = 400_000  # multiplications for which another training is followed further
LIGHT = 10  # multiplications that an update costs besides its own
COST_OF_READING = 5
OVERHEAD = 60  # multiplications that a calculation costs besides its own


def simple(trajectory: Trajectory) -> Iterator[Answer]:
    """Other numbers of the spec, and values off by a factor: what costs nearly nothing."""
    for scale in (*scales(trajectory), *moved_points()):
        yield _off_by(scale)
    for row in ROWS:
        yield _moved(row, trajectory)


def pairs(trajectory: Trajectory, known: Sequence[World], wanted: Wanted) -> Iterator[Answer]:
    """Two conventions at once, of which one is a known calculation; what costs least first."""
    cost = cost_of(trajectory)
    for world in known:
        yield _scaled_world(calculated(world, cost), trajectory)
    for world in known:
        for row in ROWS:
            if max(world.rank, row.rank) <= COMMON + 1:
                yield _moved(row, world.trajectory, world)
    for world in known:
        for second in range(COMMON + 1) if world.rank <= COMMON else ():
            for other in worlds(world.trajectory, second, wanted):
                if other.words > world.words:  # either order is the same
                    yield _both(world, other, cost)


def _both(first: World, second: World, cost: int) -> Answer:
    """Two calculations at once, the second made in the world of the first."""
    cause = f"{first.cause} and {second.cause}"
    words = f"what comes out if {first.words}, and {second.words}"
    convention = Convention(cause, words, TWICE)

    def offers(question: Question) -> Iterator[Offer]:
        if _concerns(first, question) and _concerns(second, question):
            for value in read(question, second.trajectory):
                yield convention, value

    return Answer(offers, cost)


def calculated(world: World, cost: int) -> Answer:
    """What comes out of another calculation."""
    convention = Convention(world.cause, f"what comes out if {world.words}", world.rank)

    def offers(question: Question) -> Iterator[Offer]:
        if _concerns(world, question):
            for value in read(question, world.trajectory):
                yield convention, value

    return Answer(offers, cost)


def _scaled(scale: Scale, inner: Convention, value: Any, rank: float) -> Offer:
    cause = " and ".join(filter(None, (inner.cause, scale.cause)))
    factor = scale.factor
    made = Convention(cause, scale.words.format(inner.words), rank)
    return made, value * factor.numerator / factor.denominator


def _off_by(scale: Scale) -> Answer:
    """The value times a factor."""

    def offers(question: Question) -> Iterator[Offer]:
        for value in question.values:
            yield _scaled(scale, Convention("", "the value", 0), value, scale.rank)

    return Answer(offers)


def _scaled_world(answer: Answer, trajectory: Trajectory) -> Answer:
    """What comes out of another calculation, times any factor."""
    factors = list(scales(trajectory))

    def offers(question: Question) -> Iterator[Offer]:
        for inner, value in answer.offers(question):
            for scale in factors:
                yield _scaled(scale, inner, value, SCALED)

    return Answer(offers, answer.cost)


def _moved(row: Row, trajectory: Trajectory, world: World | None = None) -> Answer:
    """Another number, as it is or as it comes out of another calculation."""

    def offers(question: Question) -> Iterator[Offer]:
        for place, words in row.change(question.spot, trajectory):
            far = place.update > MOST_UPDATES
            if far and (world is not None or place.update > question.spot.update):
                continue
            for value in read_at(place, trajectory):
                if world is None:
                    yield Convention(row.cause, words, row.rank, row.whole), value
                else:
                    both = f"{words}, as it comes out if {world.words}"
                    cause = f"{world.cause} and {row.cause}"
                    yield Convention(cause, both, ELSEWHERE, row.whole), value

    return Answer(offers, COST_OF_READING)


def cost_of(trajectory: Trajectory) -> int:
    """About how many multiplications it takes to calculate everything once."""
    return OVERHEAD + 3 * work(trajectory.derivation.forward)


def _concerns(world: World, question: Question) -> bool:
    """Whether another calculation may change a print."""
    update = question.spot.update
    if update > MOST_UPDATES:
        share = LIGHT + work(world.trajectory.derivation.forward)
        return world.followed and update * share <= MOST_FOLLOWED
    if world.updating:
        return update > 0
    return not world.changed or question.may_change(world.changed, world.anew)
