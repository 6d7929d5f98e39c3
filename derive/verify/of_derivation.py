"""All routes that judge a derivation itself, at some points: thinned where there is much to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from derive.functions import ROWS
from derive.graph import Graph
from derive.verify.algebra import Algebra
from derive.verify.bench import Bench
from derive.verify.interpreter import run
from derive.verify.libraries import LIBRARIES
from derive.verify.meaning import Values
from derive.verify.one_by_one import one_by_one
from derive.verify.report import Comparison, Route, judged, skipped
from derive.verify.routes import (
    BUDGET,
    EXACT_TOLERANCE,
    FEW,
    by_sympy,
    differences,
    local_slopes,
    steps,
    telling_bends,
)
from derive.verify.sampling import work

MOST_TREE = 3_000  # operations in the loss written out as one formula


def derivation_routes(benches: Sequence[Bench]) -> Iterator[Route]:
    """Routes 2, 3, 4 and 7 at all points; of what is too much, each quantity has its share."""
    most = max(FEW, BUDGET // max(1, work(benches[0].graph)))
    if _tree(benches[0].graph, benches[0].given) <= MOST_TREE:
        yield judged("SymPy", by_sympy(benches), EXACT_TOLERANCE)
    else:
        yield skipped("SymPy", "the loss is too long as a single formula")
    tables: dict[str, Callable[[Bench, int], Iterable[Comparison]]] = {
        "differences": differences,
        "local derivatives": local_slopes,
        "steps": steps,
    }
    for name, route in tables.items():
        found = chain.from_iterable(route(bench, most) for bench in benches)
        alone = one_by_one(benches[0]) if route is differences else ()
        judgement = judged(name, chain(found, alone), EXACT_TOLERANCE)
        yield telling_bends(judgement, benches) if route is differences else judgement
    yield from (library(*benches) for library in LIBRARIES)


class _Size:
    """How many operations a number took: a number for the interpreter, which counts them."""

    def __init__(self, size: int = 1) -> None:
        self.size = min(size, 10 * MOST_TREE)

    def _with(self, other: Any) -> _Size:
        return _Size(self.size + (other.size if isinstance(other, _Size) else 1))

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _with
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = _with


def _tree(graph: Graph, given: Values) -> int:
    """How long the loss is when it is written out as one formula."""

    def joined(*sizes: _Size) -> _Size:
        return _Size(1 + sum(size.size for size in sizes))

    algebra = Algebra(lambda _: _Size(1), {row.name: joined for row in ROWS})
    whole = {q.name for q in graph.given if q.integer}
    start = {key: v if key[0] in whole else _Size(1) for key, v in given.items()}
    found = run(graph, start, algebra)[graph.loss.name, ()]
    return int(found.size)
