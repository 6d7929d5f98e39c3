"""All that may have been printed instead of a value: single conventions, and two at once."""

from __future__ import annotations

from collections.abc import Iterator

from derive.amount import work
from derive.graph import needed
from derive.verify.trajectory import Trajectory
from derive.verify.why.elsewhere import ROWS, Row, Scale, moved_points, scales
from derive.verify.why.question import Answer, Convention, Offer, Question, read, read_at
from derive.verify.why.worlds import World, worlds

RANKS = range(4)  # of single conventions
SCALED, ELSEWHERE, TWICE = 4, 5, 6  # of two: a factor, another place, another calculation
COMMON = 1  # up to this rank calculations are tried two at a time
MOST_UPDATES = 10
OVERHEAD = 20  # multiplications that a calculation costs besides its own


def singles(trajectory: Trajectory, rank: int) -> Iterator[Answer]:
    """Single conventions of a rank."""
    for scale in (*scales(trajectory), *moved_points()):
        if scale.rank == rank:
            yield scaled(Answer(lambda question: _right(question, trajectory)), scale, rank)
    for row in ROWS:
        if row.rank == rank:
            yield _moved(row, trajectory)
    for world in worlds(trajectory, rank):
        yield calculated(world)


def pairs(trajectory: Trajectory) -> Iterator[Answer]:
    """Two conventions at once, those first that cost least."""
    known = [world for rank in RANKS for world in worlds(trajectory, rank)]
    for world in known:
        for scale in scales(trajectory):
            yield scaled(calculated(world), scale, SCALED)
    for world in known:
        for row in ROWS:
            if max(world.rank, row.rank) <= COMMON + 1:
                yield _moved(row, world.trajectory, world)
    for world in known:
        if world.rank <= COMMON:
            for second in range(COMMON + 1):
                for other in worlds(world.trajectory, second):
                    if other.words > world.words:  # either order is the same
                        yield calculated(_both(world, other))


def _both(first: World, second: World) -> World:
    cause = f"{first.cause} and {second.cause}"
    words = f"{first.words}, and {second.words}"
    return World(cause, words, TWICE, second.trajectory, "")


def _right(question: Question, trajectory: Trajectory) -> Iterator[Offer]:
    for value in read(question, trajectory):
        yield Convention("", "the value", 0), value


def calculated(world: World) -> Answer:
    """What comes out of another calculation."""
    convention = Convention(world.cause, f"what comes out if {world.words}", world.rank)

    def offers(question: Question) -> Iterator[Offer]:
        if _concerns(world, question):
            for value in read(question, world.trajectory):
                yield convention, value

    return Answer(offers, _cost(world.trajectory))


def scaled(answer: Answer, scale: Scale, rank: int) -> Answer:
    """What an answer offers, times a factor."""

    def offers(question: Question) -> Iterator[Offer]:
        for inner, value in answer.offers(question):
            cause = " and ".join(filter(None, (inner.cause, scale.cause)))
            words = scale.words.format(inner.words)
            yield (
                Convention(cause, words, rank),
                scale.factor.numerator * value / (scale.factor.denominator),
            )

    return Answer(offers, answer.cost)


def _moved(row: Row, trajectory: Trajectory, world: World | None = None) -> Answer:
    """Another number, as it is or as it comes out of another calculation."""

    def offers(question: Question) -> Iterator[Offer]:
        for place, words in row.change(question.spot, trajectory):
            if place.update > question.spot.update and place.update > MOST_UPDATES:
                continue
            for value in read_at(place, trajectory):
                if world is None:
                    yield Convention(row.cause, words, row.rank, row.whole), value
                else:
                    both = f"{words}, as it comes out if {world.words}"
                    cause = f"{world.cause} and {row.cause}"
                    yield Convention(cause, both, ELSEWHERE, row.whole), value

    return Answer(offers, OVERHEAD)


def _cost(trajectory: Trajectory) -> int:
    return OVERHEAD + 3 * work(trajectory.derivation.forward)


def _concerns(world: World, question: Question) -> bool:
    """Whether another calculation may change a print at all."""
    if question.spot.update > MOST_UPDATES:
        return False
    if question.spot.update > 0 or question.target is None:
        return True
    if not world.changed:
        return not world.updating
    derivation = world.trajectory.derivation
    equations = (*derivation.forward.equations, *derivation.backward.equations)
    names = {e.quantity.name for e in needed(equations, [question.target.key[0]])}
    return world.changed in names
