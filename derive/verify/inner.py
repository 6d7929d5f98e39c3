"""The derivatives that belong to a model, `grad(f, w)`, against differences.

The forward pass computes them by equations that were derived; a difference of f, as w moves, knows
nothing of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from derive.graph import Quantity, SlopeOf
from derive.verify.bench import Bench
from derive.verify.meaning import Key
from derive.verify.report import Comparison, Route, entry, judged
from derive.verify.routes import EXACT_TOLERANCE, FEW, compared, some


def inner_route(benches: Sequence[Bench]) -> Iterator[Route]:
    """The route, where a model has derivatives of its own."""
    if benches and any(q.slope for q in benches[0].graph.quantities.values()):
        found = chain.from_iterable(map(_inner, benches))
        yield judged("inner gradients", found, EXACT_TOLERANCE)


def _inner(bench: Bench) -> Iterator[Comparison]:
    """Every derivative within the model, of many entries a choice."""
    for quantity in bench.graph.quantities.values():
        if quantity.slope is not None:
            for place in some(quantity.shape, FEW):
                of, by = _pair(quantity, quantity.slope, place)
                expected = bench.of_by(of, by)
                what = f"∂{entry(*of)}/∂{entry(*by)}"
                yield compared(what, bench.forward[quantity.name, place], expected, bench.floor)


def _pair(quantity: Quantity, slope: SlopeOf, place: tuple[int, ...]) -> tuple[Key, Key]:
    """What is differentiated by what, where a derivative has an entry."""
    of = (slope.of, tuple(place[k] for k in slope.at))
    return of, (slope.by, place[slope.before :])
