"""The verification of a model: the same routes, thinned where a graph has many entries."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import sympy
from mpmath import mp

from derive.amount import work
from derive.backprop import differentiate
from derive.errors import InputError
from derive.expression import Delta, Element
from derive.graph import Derivation, Graph, Quantity, Role, adjoint_name
from derive.limits import MOST_WORK
from derive.notation import Name, names_of
from derive.problem import Problem
from derive.render.blocks import Page
from derive.sequence import Order
from derive.verify.algebra import EXACT, working
from derive.verify.bench import Bench, places
from derive.verify.claims import claims_route
from derive.verify.inner import inner_route
from derive.verify.meaning import Values
from derive.verify.model_numbers import model_rows
from derive.verify.modules import (
    code_values,
    large_module_route,
    module_route,
    points,
)
from derive.verify.of_derivation import derivation_routes
from derive.verify.oracle import ALPHA, DECREASE, check_range
from derive.verify.pages import numbers_route, text_route
from derive.verify.published import published_route
from derive.verify.report import Report, Route, entry, skipped, telling
from derive.verify.routes import differentiated, well_formed
from derive.verify.sampling import TRIES, normalised, shortened, small, spec_values
from derive.verify.stable_forms import stable_route
from derive.verify.tape import all_slopes
from derive.verify.trajectory import Trajectory

SEED = 1
DOUBLES = 1_000  # bits before the point: what is longer may overflow in a module
AMPLE = 8_000  # multiplications above which a derivation is judged on shorter axes


def verify_model(
    problem: Problem,
    derivation: Derivation,
    page: Page,
    texts: Mapping[str, str],
    modules: Mapping[str, str],
) -> Report:
    """Check the derivation of a model, its pages and its modules.

    At the spec's values where it gives them, and at seeded values in general position. Of a graph
    with many entries a seeded choice is compared; every quantity has its share. If there is very
    much to do, the derivation is judged on shorter axes, where it is the same.
    """
    cost = work(problem.graph)
    own = None if cost > MOST_WORK else spec_values(problem)
    routes: list[Route] = [well_formed(derivation, problem.wanted)]
    code: Mapping[str, float] = {}
    trajectory = None if own is None else Trajectory(problem, derivation, own)
    truth: Mapping[Name, Any] = {}
    reduced = _reduced(problem, derivation)
    benches = []
    if cost <= MOST_WORK:
        benches.append(model_bench(problem, derivation, SEED))
        benches += [] if own is None else [Bench(derivation, own)]
    judged_at = benches if reduced is derivation else [model_bench(problem, reduced, SEED)]
    if judged_at:
        cut = shortened(derivation, reduced)
        if not problem.forward_only:
            routes += [telling(route, cut) for route in derivation_routes(judged_at)]
        routes += [telling(route, cut) for route in inner_route(judged_at)]
        routes += stable_route(problem, reduced, judged_at)
    if cost > MOST_WORK:
        routes += [large_module_route(t, source, problem, SEED) for t, source in modules.items()]
        if modules and problem.training.order is not Order.SIMULTANEOUS:
            routes.append(skipped("updates", "the model is too large to follow one in its order"))
    else:
        drawn = partial(model_values, problem, derivation)
        expected = points(problem, benches, drawn) if modules else []
        for target, source in modules.items():
            route, done = module_route(target, source, problem, expected, trajectory)
            routes.append(route)
            if target == "python" and own is not None and page.numbers:
                code = code_values(problem, done)
    if trajectory is not None and page.numbers:
        truth = true_values_of_model(problem, benches[-1], trajectory)
        truth |= _later(page, trajectory)
        if modules:
            check_range((name.report, value) for name, value in truth.items())
            lost = any(r.name.startswith("module ") and math.isnan(r.worst or 0) for r in routes)
            check_range(_farthest(trajectory, lost))
        routes.append(numbers_route(page, truth))
    routes += [
        text_route(name, text, page, problem, truth, derivation) for name, text in texts.items()
    ]
    rows = model_rows(problem, page, code, trajectory)
    published = published_route(problem, rows)
    judged = [route for route in (published, claims_route(problem)) if route is not None]
    return Report((*routes, *judged), rows)


def _reduced(problem: Problem, derivation: Derivation) -> Derivation:
    """The derivation on shorter axes if there is much to do, and if there it is the same.

    Where a size stands in an equation, as in a sum of nothing but ones, there it is another one.
    """
    if work(problem.graph) <= AMPLE:
        return derivation
    reduced = small(derivation)
    return reduced if differentiate(reduced.forward, problem.wanted) == reduced else derivation


# --- values ----------------------------------------------------------------------------------


def model_values(problem: Problem, derivation: Derivation, seed: int) -> Values:
    """Seeded values for everything that is given. Raises InputError as below."""
    return model_bench(problem, derivation, seed).given


def model_bench(problem: Problem, derivation: Derivation, seed: int) -> Bench:
    """Seeded values for everything that is given, at which the loss and its derivatives are finite.

    Whole numbers are those of the spec, or fit the axis on which they pick a place. Where nothing
    else is finite, as where a matrix must be positive definite, values near those of the spec are
    drawn. Raises InputError if no draw gives finite numbers.
    """
    graph = derivation.forward
    for attempt in range(TRIES if problem.symbolic else 2 * TRIES):
        source = random.Random(f"{seed}/{attempt}")
        low = (-1000, 100, None, None)[2 * attempt // TRIES]  # a variance must not be negative
        with working():
            values: Values = {}
            for quantity in graph.given:
                drawn = {
                    place: _drawn(problem, graph, quantity, place, source, low)
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
        if all(isinstance(v, mp.mpf) and mp.isfinite(v) and mp.mag(v) < DOUBLES for v in found):
            return bench
    raise InputError(
        "the loss or a derivative is not a finite number at any of the values tried; is there the "
        "logarithm or the root of something that can be zero or negative, or a tower of powers?"
    )


def _drawn(
    problem: Problem,
    graph: Graph,
    quantity: Quantity,
    place: tuple[int, ...],
    source: random.Random,
    low: int | None,
) -> Fraction:
    """A value for an entry: from `low` on, in thousandths, or if that is None near the spec's."""
    if quantity.integer:
        own = problem.values.get(quantity.name)
        if own is not None and graph is problem.graph:
            return own[place]
        return Fraction(source.randrange(_places_to_pick(graph, quantity.name)))
    if low is None:
        near = problem.values[quantity.name][place]
        return near + (abs(near) or 1) * Fraction(source.randint(-50, 50), 1000)
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


def _farthest(trajectory: Trajectory, without_numbers: bool) -> Iterator[tuple[str, Any]]:
    """The largest number of each update that the page tells of.

    And the largest derivative, if modules come to no numbers; mostly their stable forms do not meet
    it.
    """
    for update, ((name, place), value) in enumerate(trajectory.farthest(slopes=False), 1):
        yield f"{entry(name, place)}@{update}", value
    for (name, place), value in trajectory.farthest(slopes=True) if without_numbers else ():
        yield f"the derivative by {entry(name.removeprefix(adjoint_name('')), place)}", value


def true_values_of_model(problem: Problem, bench: Bench, trajectory: Trajectory) -> dict[Name, Any]:
    """The values of every name of a page."""
    names = names_of(problem)
    values = dict(trajectory.at(0))
    with working():
        if not problem.forward_only:
            wanted = {q.name for q in differentiated(bench.derivation) if q.role is not Role.LOSS}
            slopes = all_slopes(bench.graph, bench.given).items()
            values |= {(adjoint_name(n), place): v for (n, place), v in slopes if n in wanted}
        found = {ALPHA: EXACT.number(problem.training.learning_rate)}
        # Where nothing is said of training, a quantity may be called alpha, and comes after it.
        found |= {names.name(Element(name, *place)): v for (name, place), v in values.items()}
        if any(
            q.name not in problem.training.frozen for q in problem.graph.of_role(Role.PARAMETER)
        ):
            loss = (problem.graph.loss.name, ())
            after = trajectory.at(1)
            for (name, place), v in after.items():
                found[names.name(Element(name, *place)).updated()] = v
            found[DECREASE] = values[loss] - after[loss]
    return found
