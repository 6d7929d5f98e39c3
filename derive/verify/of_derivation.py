"""All routes that judge a derivation itself, at some points: thinned where there is much to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from derive.amount import work
from derive.expression import reads
from derive.functions import ROWS
from derive.graph import Derivation, Graph, Role, adjoint_name, needed
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
    NO_GIVEN,
    by_sympy,
    differences,
    local_slopes,
    of_hidden_alone,
    steps,
    telling_bends,
)

MOST_TREE = 3_000  # operations in the loss written out as one formula
MOST_DEPTH = 100  # of them within each other; SymPy walks down by itself, some frames a step


def _asks(derivation: Derivation) -> bool:
    """Whether the loss depends on anything that it may be differentiated by."""
    graph = derivation.forward
    seen = {name for e in needed(graph.equations, [graph.loss.name]) for name in reads(e.rhs)}
    found = derivation.backward.quantities
    asked = {
        name
        for name, quantity in graph.quantities.items()
        if quantity.role is Role.PARAMETER or adjoint_name(name) in found
    }
    return bool(seen & asked)


def derivation_routes(benches: Sequence[Bench]) -> Iterator[Route]:
    """Routes 2, 3, 4 and 7 at all points; of what is too much, each quantity has its share."""
    most = max(FEW, BUDGET // max(1, work(benches[0].graph)))
    tree = _tree(benches[0].graph, benches[0].given)
    if of_hidden_alone(benches[0].derivation):
        yield skipped("SymPy", NO_GIVEN)
    elif tree.size <= MOST_TREE and tree.depth <= MOST_DEPTH:
        yield judged("SymPy", by_sympy(benches), EXACT_TOLERANCE)
    else:
        word = "long" if tree.size > MOST_TREE else "deep"
        yield skipped("SymPy", f"the loss is too {word} as a single formula")
    tables: dict[str, Callable[[Bench, int], Iterable[Comparison]]] = {
        "differences": differences,
        "local derivatives": local_slopes,
        "steps": steps,
    }
    if not _asks(benches[0].derivation):
        tables = {"differences": differences}
    for name, route in tables.items():
        found = chain.from_iterable(route(bench, most) for bench in benches)
        alone = one_by_one(benches[0]) if route is differences else ()
        judgement = judged(name, chain(found, alone), EXACT_TOLERANCE)
        yield telling_bends(judgement, benches) if route is differences else judgement
    yield from (library(*benches) for library in LIBRARIES)


class _Size:
    """How many operations a number took: a number for the interpreter, which counts them.

    And how many of them wait for each other.
    """

    def __init__(self, size: int = 1, depth: int = 1) -> None:
        self.size = min(size, 10 * MOST_TREE)
        self.depth = depth

    def _with(self, other: Any) -> _Size:
        return _together([self, other])

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _with
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = _with


def _together(parts: Sequence[Any]) -> _Size:
    """The size of parts that an operation joins."""
    sizes = [part if isinstance(part, _Size) else _Size() for part in parts]
    return _Size(sum(s.size for s in sizes), 1 + max(s.depth for s in sizes))


def _applied(*arguments: _Size) -> _Size:
    """The size of a function of some arguments."""
    inner = _together(arguments)
    return _Size(1 + inner.size, inner.depth)


def _tree(graph: Graph, given: Values) -> _Size:
    """How long and how deep the loss is when it is written out as one formula."""

    algebra = Algebra(lambda _: _Size(), {row.name: _applied for row in ROWS}, _together)
    whole = {q.name for q in graph.given if q.integer}
    start = {key: v if key[0] in whole else _Size(1) for key, v in given.items()}
    found = run(graph, start, algebra)[graph.loss.name, ()]
    return found if isinstance(found, _Size) else _Size()
