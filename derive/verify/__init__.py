"""Verification: independent routes that must agree, and a report of what they found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import sympy
from mpmath import mp

from derive.amount import work
from derive.graph import Derivation
from derive.limits import MOST_NETWORK_WORK
from derive.notation import Name
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.order import in_numbers, path_view
from derive.verify.algebra import DIGITS
from derive.verify.bench import Bench, enough_digits
from derive.verify.claims import claims_route
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from derive.verify.modules import (
    code_values,
    large_module_route,
    module_route,
    other_batches,
    points,
    samples_are_enough,
)
from derive.verify.network_numbers import judged_network
from derive.verify.of_derivation import derivation_routes
from derive.verify.of_model import verify_model
from derive.verify.oracle import check_range, true_values
from derive.verify.pages import numbers_route, text_route
from derive.verify.published import number_rows, published_route
from derive.verify.report import NumberRow, Report, Route, Status, telling
from derive.verify.routes import well_formed
from derive.verify.sampling import drawn_values, shortened, small, spec_values
from derive.verify.stable_forms import stable_route

__all__ = ["NumberRow", "Report", "Route", "Status", "verify"]

SEED = 1
WAVES, FAR = 4 * DIGITS, 1000  # digits, and from which size of a value on they are needed


def verify(
    problem: Problem,
    derivation: Derivation,
    page: Page,
    texts: Mapping[str, str],
    modules: Mapping[str, str],
) -> Report:
    """Check a derivation, its pages (text by language) and its modules (source by target).

    At the spec's values where it gives them, and at seeded values in general position.
    """
    judged = verify_model if problem.is_model else _verify_network
    with mp.workdps(_digits(problem)):
        return judged(problem, derivation, page, texts, modules)


def _digits(problem: Problem) -> int:
    """How many digits the loss needs at the spec's values, if it is computed at them at all."""
    own = None if work(problem.graph) > MOST_NETWORK_WORK else spec_values(problem)
    if own is None:
        return DIGITS
    digits = enough_digits(problem.graph, own)
    with mp.workdps(digits):
        return max(digits, WAVES) if _turns_far(problem, own) else digits


def _turns_far(problem: Problem, own: Values) -> bool:
    """Whether waves may be taken far out, where each update of a training loses digits anew."""
    if not any(e.rhs.has(sympy.sin, sympy.cos) for e in problem.graph.equations):
        return False
    values = run(problem.graph, own).values()
    return any(abs(value) > FAR for value in values if isinstance(value, mp.mpf))


def _verify_network(
    problem: Problem,
    derivation: Derivation,
    page: Page,
    texts: Mapping[str, str],
    modules: Mapping[str, str],
) -> Report:
    reduced = small(derivation)
    large = work(problem.graph) > MOST_NETWORK_WORK
    given = [drawn_values(reduced.forward, SEED)]
    own = None if large else spec_values(problem)
    if own is not None and reduced is derivation:
        given.append(own)
    benches = [Bench(reduced, values) for values in given]
    cut = shortened(derivation, reduced)
    routes = [well_formed(derivation)]
    routes += [telling(route, cut) for route in derivation_routes(benches)]
    routes += stable_route(problem, reduced, benches)
    code: Mapping[str, float] = {}
    if large:
        routes += [large_module_route(t, source, problem, SEED) for t, source in modules.items()]
    else:
        drawn = partial(drawn_values, problem.graph)
        if reduced is not derivation:
            given = [own] if own is not None else [drawn(SEED)]
            if own is not None and not samples_are_enough(problem, modules.values()):
                given.insert(0, drawn(SEED))
            benches = [Bench(derivation, values) for values in given]
        expected = points(problem, benches, drawn) if modules else []
        batches = other_batches(problem) if modules else []
        for target, source in modules.items():
            route, done = module_route(target, source, problem, expected, None, batches)
            routes.append(route)
            if target == "python" and own is not None and in_numbers(problem):
                code = code_values(problem, done)
    truth: Mapping[Name, Any] = {}
    printed = own is not None and in_numbers(problem)
    if printed or path_view(problem):
        truth = true_values(problem, own or drawn_values(problem.graph, SEED))
    if modules and own is not None:
        check_range((name.report, value) for name, value in truth.items())
    if printed:
        routes.append(numbers_route(page, truth))
    routes += [
        text_route(name, text, page, problem, truth, derivation) for name, text in texts.items()
    ]
    rows = number_rows(problem, page, code)
    if own is not None and routes[0].status is Status.AGREES:  # it can be computed with
        rows = judged_network(rows, problem, derivation, own)
    published = published_route(problem, rows)
    judged = [route for route in (published, claims_route(problem)) if route is not None]
    return Report((*routes, *judged), rows)
