"""The verification of a model: the same routes, thinned where a graph has many entries."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, TypeVar

import sympy
from mpmath import mp

from derive.errors import InputError
from derive.expression import Delta, Element
from derive.functions import ROWS
from derive.graph import Derivation, Graph, Quantity, Role, adjoint_name
from derive.notation import Name, names_of
from derive.problem import Problem
from derive.render.blocks import Page
from derive.sequence import Order
from derive.verify.algebra import DIGITS, EXACT, Algebra
from derive.verify.bench import Bench, places
from derive.verify.interpreter import Values, element_slope, run, value
from derive.verify.libraries import LIBRARIES
from derive.verify.model_numbers import model_rows
from derive.verify.modules import (
    code_values,
    further_seeds,
    large_module_route,
    module_route,
    more_points,
    point,
)
from derive.verify.oracle import ALPHA, DECREASE, check_range
from derive.verify.pages import numbers_route, text_route
from derive.verify.published import published_route
from derive.verify.report import Comparison, Report, Route, entry, judged, skipped
from derive.verify.routes import (
    EXACT_TOLERANCE,
    arrivals,
    by_sympy,
    compared,
    differentiated,
    telling_bends,
    well_formed,
)
from derive.verify.sampling import TRIES, normalised, spec_values, work
from derive.verify.stable_forms import stable_route
from derive.verify.trajectory import Trajectory

Item = TypeVar("Item")
SEED = 1
BUDGET = 150_000  # multiplications that a route may take
MOST_WORK = 40_000  # a larger graph is only checked as a module
MOST_TREE = 3_000  # operations in the loss written out as one formula
FEW = 24
MOST_PLACES = 80  # of one local derivative, or of one step


def verify_model(
    problem: Problem,
    derivation: Derivation,
    page: Page,
    texts: Mapping[str, str],
    modules: Mapping[str, str],
) -> Report:
    """Check the derivation of a model, its pages and its modules.

    At the spec's values where it gives them, and at seeded values in general position. Of a graph
    with many entries a seeded choice is compared; every quantity has its share.
    """
    cost = work(problem.graph)
    own = None if cost > MOST_WORK else spec_values(problem)
    routes: list[Route] = [well_formed(derivation, problem.wanted)]
    code: Mapping[str, float] = {}
    trajectory = None if own is None else Trajectory(problem, derivation, own)
    truth: Mapping[Name, Any] = {}
    if cost > MOST_WORK:
        routes += [large_module_route(t, source, problem, SEED) for t, source in modules.items()]
        if modules and problem.training.order is not Order.SIMULTANEOUS:
            routes.append(skipped("updates", "the model is too large to follow one in its order"))
    else:
        benches = [model_bench(problem, derivation, SEED)]
        if own is not None:
            benches.append(Bench(derivation, own))
        routes += list(_derivation_routes(benches, cost))
        routes += stable_route(problem, derivation, benches)
        expected = [point(problem, bench) for bench in benches] if modules else []
        seeds = further_seeds(cost) if modules else ()
        more = [model_values(problem, derivation, seed) for seed in seeds]
        expected[1:1] = more_points(derivation, more)
        for target, source in modules.items():
            route, done = module_route(target, source, problem, expected, trajectory)
            routes.append(route)
            if target == "python" and own is not None:
                code = code_values(problem, done)
    if trajectory is not None:
        truth = true_values_of_model(problem, benches[-1], trajectory, cost)
        truth |= _later(page, trajectory)
        check_range(truth if modules else {})
        if page.numbers:
            routes.append(numbers_route(page, truth))
    routes += [
        text_route(name, text, page, problem, truth, derivation) for name, text in texts.items()
    ]
    rows = model_rows(problem, page, code, trajectory)
    published = published_route(problem, rows)
    return Report((*routes, *([published] if published else [])), rows)


def _derivation_routes(benches: Sequence[Bench], cost: int) -> Iterator[Route]:
    most = max(FEW, BUDGET // max(1, cost))
    if _tree(benches[0].graph, benches[0].given) <= MOST_TREE:
        yield judged("SymPy", by_sympy(benches), EXACT_TOLERANCE)
    else:
        yield skipped("SymPy", "the loss is too long as a single formula")
    for name, route in (
        ("differences", _differences),
        ("local derivatives", _local_slopes),
        ("steps", _steps),
    ):
        found = judged(name, (c for b in benches for c in route(b, most)), EXACT_TOLERANCE)
        yield telling_bends(found, benches) if route is _differences else found
    yield from (library(*benches) for library in LIBRARIES)


def some(items: Sequence[Item], most: int) -> list[Item]:
    """All items, or a seeded choice if they are too many."""
    if len(items) <= most:
        return list(items)
    return random.Random(f"{SEED}/{len(items)}").sample(list(items), most)


def _differences(bench: Bench, most: int) -> Iterator[Comparison]:
    """Route 3: adjoints against central differences with 50 digits.

    Of a quantity with many elements a choice, and a line on which all of them move.
    """
    quantities = differentiated(bench.derivation)
    share = most // (3 * max(1, len(quantities)))
    for quantity in quantities:
        for key in some(places(quantity), share):
            yield compared(f"∂E/∂{entry(*key)}", bench.adjoint(key), bench.by(key), bench.floor)
    many = [quantity for quantity in quantities if len(places(quantity)) > share]
    for together in _parts(many, most):
        way, expected = bench.line(together)
        names = ", ".join(quantity.name for quantity in together)
        what = f"∂E/∂({names}) on a line"
        yield compared(what, bench.adjoint_on(way), expected, bench.floor)


def _parts(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Items in order, in at most so many parts."""
    size = max(1, math.ceil(len(items) / most))
    return [items[k : k + size] for k in range(0, len(items), size)]


def _local_slopes(bench: Bench, most: int) -> Iterator[Comparison]:
    """Route 3, too: local derivatives against differences of the equation they belong to."""
    derivation, values = bench.derivation, bench.forward
    share = max(4, min(MOST_PLACES, 20 * most // max(1, len(derivation.locals))))
    with mp.workdps(DIGITS):
        for local in derivation.locals:
            equation = derivation.forward.equation(local.of)
            own = len(local.indices)
            free = (*local.indices, *local.at)
            for place in some(list(product(*[range(i.axis.length) for i in free])), share):
                found = value(local.value, values, dict(zip(free, place, strict=True)), EXACT)
                binding = dict(zip(equation.indices, place[:own], strict=True))
                by = (local.by, place[own:])
                expected = element_slope(equation.rhs, values, binding, by)
                what = f"∂{entry(local.of, place[:own])}/∂{entry(*by)}"
                yield compared(what, found, expected, bench.floor)


def _steps(bench: Bench, most: int) -> Iterator[Comparison]:
    """Route 4: both sides of every step, for a choice of values of its free indices."""
    derivation, values = bench.derivation, bench.derived
    share = max(2, min(MOST_PLACES, 20 * most // max(1, len(derivation.steps))))
    with mp.workdps(DIGITS):
        for step in derivation.steps:
            for place in some(list(product(*[range(i.axis.length) for i in step.indices])), share):
                binding = dict(zip(step.indices, place, strict=True))
                before = value(step.before, values, binding, EXACT)
                after = value(step.after, values, binding, EXACT)
                what = f"{step.rule} of {entry(step.quantity, place)}"
                yield compared(what, after, before, bench.floor)
        for equation in derivation.backward.equations:
            yield from arrivals(bench, equation)


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


# --- values ----------------------------------------------------------------------------------


def model_values(problem: Problem, derivation: Derivation, seed: int) -> Values:
    """Seeded values for everything that is given. Raises InputError as below."""
    return model_bench(problem, derivation, seed).given


def model_bench(problem: Problem, derivation: Derivation, seed: int) -> Bench:
    """Seeded values for everything that is given, at which the loss and its derivatives are finite.

    Whole numbers are those of the spec, or fit the axis on which they pick a place. Raises
    InputError if no draw gives finite numbers.
    """
    graph = problem.graph
    for attempt in range(TRIES):
        source = random.Random(f"{seed}/{attempt}")
        low = -1000 if attempt < TRIES // 2 else 100  # a variance must not be negative
        with mp.workdps(DIGITS):
            values: Values = {}
            for quantity in graph.given:
                drawn = {
                    place: _drawn(problem, quantity, place, source, low)
                    for _, place in places(quantity)
                }
                if quantity.sums_to_one:
                    drawn = normalised(drawn)
                values |= {(quantity.name, p): EXACT.number(v) for p, v in drawn.items()}
            bench = Bench(derivation, values)
            try:
                found = [*bench.forward.values(), *bench.derived.values()]
            except (ValueError, ZeroDivisionError, TypeError):
                continue
        if all(isinstance(v, mp.mpf) and mp.isfinite(v) for v in found):
            return bench
    raise InputError(
        "the loss or a derivative is not a finite number at any of the values tried; is there the "
        "logarithm or the root of something that can be zero or negative?"
    )


def _drawn(
    problem: Problem, quantity: Quantity, place: tuple[int, ...], source: random.Random, low: int
) -> Fraction:
    if quantity.integer:
        own = problem.values.get(quantity.name)
        if own is not None:
            return own[place]
        return Fraction(source.randrange(_places_to_pick(problem.graph, quantity.name)))
    if quantity.role is Role.TARGET:
        return Fraction(source.randint(100, 900), 1000)
    return Fraction(source.randint(low, 1000), 1000)


def _places_to_pick(graph: Graph, name: str) -> int:
    """The size of the axis on which a whole-number quantity picks a place."""
    sizes = [1]
    for equation in graph.equations:
        for node in sympy.preorder_traversal(equation.rhs):
            if isinstance(node, Element):
                axes = graph.quantities[node.name].axes
                pairs = zip(node.indices, axes, strict=True)
                sizes += [axis.length for position, axis in pairs if _is(position, name)]
            elif isinstance(node, Delta) and any(_is(side, name) for side in node.args):
                sizes += [s.axis.length for s in node.free_symbols if s not in node.args[0].args]
    return max(sizes)


def _is(position: sympy.Expr, name: str) -> bool:
    return isinstance(position, Element) and position.name == name


def _later(page: Page, trajectory: Trajectory) -> dict[Name, Any]:
    """The true values of what a page says of later updates, `w@2`."""
    later = [entry.name for report, entry in page.numbers.items() if "@" in report]
    return {name: trajectory.value(name.report) for name in later}


def true_values_of_model(
    problem: Problem, bench: Bench, trajectory: Trajectory, cost: int
) -> dict[Name, Any]:
    """The values of every name of a page: by differences where that is affordable."""
    names = names_of(problem)
    values = dict(trajectory.at(0))
    with mp.workdps(DIGITS):
        quantities = [q for q in differentiated(bench.derivation) if q.role is not Role.LOSS]
        keys = [key for q in quantities for key in places(q) if key not in bench.found]
        affordable = BUDGET // max(1, 3 * cost) - len(bench.found)
        for key in some(keys, max(FEW, affordable)):
            bench.by(key)
        values |= {(adjoint_name(name), place): v for (name, place), v in bench.found.items()}
        found = {names.name(Element(name, *place)): v for (name, place), v in values.items()}
        found[ALPHA] = EXACT.number(problem.training.learning_rate)
        if any(
            q.name not in problem.training.frozen for q in problem.graph.of_role(Role.PARAMETER)
        ):
            loss = (problem.graph.loss.name, ())
            after = trajectory.at(1)
            for (name, place), v in after.items():
                found[names.name(Element(name, *place)).updated()] = v
            found[DECREASE] = values[loss] - after[loss]
    return found
