"""One point at which a derivation is judged, and what is known there; each thing is found once.

The slopes come from the forward graph alone. Only `derived` is what the derivation says.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any

from mpmath import mp

from derive.errors import InputError
from derive.functions import held
from derive.graph import Derivation, Equation, Graph, Quantity, Role, adjoint_name
from derive.verify.algebra import DIGITS, STEP, noting, slope_and_bend, working
from derive.verify.doubles import DOUBLES, Double, double
from derive.verify.interpreter import Program, run
from derive.verify.meaning import Key, Values

# A difference leaves its step at a bend, and elsewhere what the step makes of the last digits.
BEND = mp.mpf(10) ** (20 - STEP)
SHARE = mp.mpf(10) ** (STEP + 26 - DIGITS)
KEPT = mp.mpf(10) ** (20 - DIGITS)  # how far off a loss may be, so that a difference means it
MOST_DIGITS = 16 * DIGITS
NO_SLOPE = (
    "at these values the loss has no derivative: on the way to it something is divided by zero"
)
Way = Mapping[Key, Any]  # how far each element moves


def enough_digits(graph: Graph, given: Values) -> int:
    """So many digits that the loss keeps what a difference needs of them, and no choice changes.

    Without a loss every value has to keep them.

    Of 1 - y hardly any are left where y is saturated, and a small step does not show in those; and
    with few digits next to nothing is taken for the noise of nothing. Where none are left of it, a
    logarithm on the way has no value, though the loss may have one.
    """
    choices: list[int] = []
    program = Program(graph, noting(choices))

    ends = graph.of_role(Role.LOSS) or [equation.quantity for equation in graph.equations]
    keys = [key for quantity in ends for key in places(quantity)]

    def found(digits: int) -> tuple[list[Any], list[int], bool]:
        choices.clear()
        with mp.workdps(digits):
            values = program.run(given)
            finite = all(map(mp.isfinite, values.values()))
            return [values[key] for key in keys], choices.copy(), finite

    def kept(finer: Sequence[Any], value: Sequence[Any]) -> bool:
        pairs = zip(finer, value, strict=True)
        return all(abs(fine - old) <= KEPT * max(1, abs(fine)) for fine, old in pairs)

    digits = max(DIGITS, mp.dps)
    value, chosen, finite = found(digits)
    while digits < MOST_DIGITS:
        more = 2 * digits if all(chosen) else MOST_DIGITS  # a tie may be one of rounded numbers
        finer, again, ended = found(more)
        if finite and again == chosen and kept(finer, value):
            break
        digits, value, chosen, finite = more, finer, again, ended
    return digits


class Slopes:
    """How fast the loss of a graph moves with its elements, by central differences in 50 digits."""

    def __init__(self, graph: Graph, given: Values) -> None:
        self.graph, self.given = graph, given
        self.found: dict[Key, Any] = {}
        self.bent: set[Key] = set()  # by what the loss has a kink, a step or an end here

    @cached_property
    def forward(self) -> Values:
        with mp.workdps(self.digits):
            return self._program.run(self.given)

    @cached_property
    def digits(self) -> int:
        """With how many digits everything is computed here."""
        return enough_digits(self.graph, self.given)

    @cached_property
    def floor(self) -> Any:
        """The size below which values are compared absolutely: what a difference leaves of zero."""
        return least([v for v in self.forward.values() if isinstance(v, mp.mpf)])

    def by(self, key: Key) -> Any:
        """∂E/∂key; a hidden element is moved after it is computed."""
        if key not in self.found:
            self.found[key], bent = self._along({key: 1})
            self.bent |= {key} if bent else set()
        return self.found[key]

    def line(self, quantities: Sequence[Quantity]) -> tuple[Way, Any]:
        """A seeded way on which all elements of some quantities move, and the slope along it.

        One slope that no element escapes, where a slope for each would cost too much.
        """
        keys = [key for quantity in quantities for key in places(quantity)]
        source = random.Random(" ".join(quantity.name for quantity in quantities))
        with working():
            way = {
                key: mp.mpf(source.choice((-1, 1)) * source.randint(50, 150)) / (100 * len(keys))
                for key in keys
            }
        return way, self._along(way)[0]

    def of_by(self, of: Key, by: Key) -> Any:
        """∂of/∂by, of anything that is computed."""
        return self._along({by: 1}, of)[0]

    def _along(self, way: Way, of: Key | None = None) -> tuple[Any, bool]:
        loss = of or (self.graph.loss.name, ())
        with mp.workdps(self.digits):
            most = 2 * len(way) > len(self.given)
            still = self.given if most else self._untouched(way)

            def moved(shift: Any) -> Any:
                return self._program.run(still, {key: n * shift for key, n in way.items()})[loss]

            try:
                return slope_and_bend(moved, self.forward[loss], holds(self.graph.equations))
            except ZeroDivisionError:
                raise InputError(NO_SLOPE) from None

    def _untouched(self, way: Iterable[Key]) -> Values:
        """All values but those that depend on a moving element."""
        touched: set[Key] = set()
        waiting = list(way)
        while waiting:
            new = [key for key in self._readers.get(waiting.pop(), ()) if key not in touched]
            touched.update(new)
            waiting += new
        return {key: v for key, v in self.forward.items() if key not in touched}

    @cached_property
    def _program(self) -> Program:
        return Program(self.graph)

    @cached_property
    def _readers(self) -> dict[Key, list[Key]]:
        with working():
            return self._program.readers(self.forward)


class Bench(Slopes):
    """A point with the derivation that is judged there."""

    def __init__(self, derivation: Derivation, given: Values) -> None:
        super().__init__(derivation.forward, given)
        self.derivation = derivation

    @cached_property
    def derived(self) -> Values:
        """What the derivation says: the backward graph at the forward values."""
        with mp.workdps(self.digits):
            try:
                return run(self.derivation.backward, self.forward)
            except ZeroDivisionError:
                raise InputError(NO_SLOPE) from None

    @cached_property
    def doubts(self) -> Values:
        """How far off each value and each adjoint may be where doubles compute it."""
        return doubts_of(self.given, self.graph, self.derivation.backward)

    def doubt(self, key: Key) -> Any:
        """How far off ∂E/∂key may be in doubles."""
        return self.doubts.get((adjoint_name(key[0]), key[1]), mp.zero)

    def adjoint(self, key: Key) -> Any:
        """∂E/∂key as it was derived."""
        return self.derived[adjoint_name(key[0]), key[1]]

    def adjoint_on(self, way: Way) -> Any:
        """The slope along a way as it was derived."""
        with working():
            return mp.fsum(n * self.adjoint(key) for key, n in way.items())


def doubts_of(given: Values, *graphs: Graph) -> Values:
    """How far off each value may be where doubles compute one graph after the other."""
    whole = {q.name for q in graphs[0].given if q.integer}
    with working():
        values = {key: v if key[0] in whole else double(v) for key, v in given.items()}
        for graph in graphs:
            values = Program(graph, DOUBLES).run(values)
    return {key: v.error for key, v in values.items() if isinstance(v, Double)}


def holds(equations: Iterable[Equation]) -> bool:
    """Whether something is held fixed in some equations."""
    return any(equation.rhs.has(held) for equation in equations)


def least(numbers: Iterable[Any], share: Any = SHARE) -> Any:
    """The size below which numbers are compared absolutely, beside others of some size."""
    return BEND + max([abs(number) for number in numbers], default=mp.zero) * share


def places(quantity: Quantity) -> list[Key]:
    """Every element of a quantity."""
    return [(quantity.name, place) for place in product(*map(range, quantity.shape))]
