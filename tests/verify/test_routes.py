"""The routes one by one: distances, slopes at kinks, skipped libraries, large modules."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mpmath import mp, mpf

import derive
from derive.emit import TARGETS, emit
from derive.graph import Graph
from derive.verify import Status, modules
from derive.verify.algebra import DIGITS, EXACT, Dual, slope
from derive.verify.bench import Bench, Slopes
from derive.verify.libraries import by_library
from derive.verify.modules import large_module_route, module_route, point
from derive.verify.of_derivation import derivation_routes
from derive.verify.routes import relative, well_formed
from derive.verify.sampling import drawn_values, spec_values
from tests.verify_support import changed, disagreeing, made, problem

FUNCTIONS = EXACT.functions

DISTANCES = [
    (1.0, 1.0, 0.0),
    (1.1, 1.0, 0.1),
    (-1.0, 1.0, 2.0),
    (0.0, 0.0, 0.0),
    (1e-30, 0.0, 1e-10),
    (math.nan, 1.0, math.nan),
    (1.0, math.nan, math.nan),
    (math.inf, 1.0, math.nan),
    (math.inf, math.inf, math.nan),
    (None, 1.0, math.nan),
    (mpf("1e400"), mpf(1), math.nan),
]


@pytest.mark.parametrize(("found", "expected", "distance"), DISTANCES, ids=str)
def test_the_distance_of_two_values(found: Any, expected: Any, distance: float) -> None:
    result = relative(found, expected if expected is None else mpf(expected))
    assert math.isnan(result) if math.isnan(distance) else result == pytest.approx(distance)


SLOPES: list[tuple[str, Callable[[Any], Any], str]] = [
    ("a product", lambda h: (3 + h) * (2 - h), "-1"),
    ("a quotient", lambda h: (2 + h) / (4 + 3 * h), "-0.125"),
    ("one over", lambda h: 1 / (2 + h), "-0.25"),
    ("a power", lambda h: (2 + h) ** 3, "12"),
    ("nothing", lambda h: 7 + 0 * h, "0"),
    ("no shift at all", lambda h: mpf(7), "0"),
    ("flat", lambda h: h**2, "0"),
    ("flat from both sides", lambda h: h * FUNCTIONS["abs"](h), "0"),
    ("max with 0, at 0", lambda h: FUNCTIONS["max"](mpf(0), h), "0"),
    ("max with 0, above", lambda h: FUNCTIONS["max"](mpf(0), 1 + h), "1"),
    ("the first of two at a tie", lambda h: FUNCTIONS["max"](2 * h, 5 * h), "2"),
    ("the first of two at a tie of min", lambda h: FUNCTIONS["min"](2 * h, 5 * h), "2"),
    ("abs at 0", lambda h: FUNCTIONS["abs"](h), "0"),
    ("abs below 0", lambda h: FUNCTIONS["abs"](h - 2), "-1"),
    ("sign", lambda h: FUNCTIONS["sign"](h), "0"),
    ("a whole number at its end", lambda h: FUNCTIONS["floor"](h), "0"),
    ("an angle at the cut", lambda h: FUNCTIONS["atan2"](3 * h, mpf(-2)), "-1.5"),
    ("an angle upward", lambda h: FUNCTIONS["atan2"](mpf(2), 3 * h), "-1.5"),
    ("an angle at the origin", lambda h: FUNCTIONS["atan2"](h, mpf(0)), "0"),
    ("a step", lambda h: FUNCTIONS["greater"](h, mpf(0)), "0"),
    ("tanh and a kink", lambda h: FUNCTIONS["tanh"](h) + FUNCTIONS["abs"](h), "1"),
    ("exp of a kink", lambda h: FUNCTIONS["exp"](FUNCTIONS["max"](3 * h, 2 * h)), "3"),
    ("a very small argument", lambda h: FUNCTIONS["log"](mpf("1e-90") + h) * mpf("1e-90"), "1"),
]


@pytest.mark.parametrize(
    ("function", "expected"), [row[1:] for row in SLOPES], ids=[row[0] for row in SLOPES]
)
def test_the_slope_of_a_function(function: Callable[[Any], Any], expected: str) -> None:
    with mp.workdps(DIGITS):
        assert abs(slope(function) - mpf(expected)) < mpf("1e-25")


@pytest.mark.parametrize(
    "name", ["logistic", "softplus", "erf", "sin", "cos", "log", "exp", "lgamma", "digamma"]
)
def test_forward_mode_agrees_with_a_difference(name: str) -> None:
    with mp.workdps(DIGITS):
        dual = FUNCTIONS[name](Dual(mpf("0.7"), mpf(1)))
        step = mpf("1e-18")
        high, low = (FUNCTIONS[name](mpf("0.7") + h) for h in (step, -step))
        assert abs(dual.slope - (high - low) / (2 * step)) < mpf("1e-28")


KINK = """
network:
  inputs: 2
  layers:
    - {dense: 2, activation: "ACTIVATION"}
    - {dense: 1, activation: identity}
  loss: half_squared_error
parameters: {W1: [[1, -1], [0.5, 0.25]], b1: [0, 0], W2: [[0.5, 0.5]], b2: [0.1]}
data: {inputs: [0.5, 0.5], targets: [1]}
languages: [en]
"""
KINKS = [
    ("relu", 0),
    ("f(x) = max(x, 0)", 0),
    ("f(x) = max(0, x)", 0),
    ("f(x) = min(x, 0)", 0),
    ("f(x) = max(x, x/2)", 1),
    ("f(x) = max(x/2, x)", 0.5),
    ("f(x) = abs(x)", 0),
    ("f(x) = x*abs(x)", 0),
    ("f(x) = where(x > 0, x, x/10)", 0.1),
]


@pytest.mark.parametrize(("activation", "expected"), KINKS, ids=[name for name, _ in KINKS])
def test_page_code_and_derivation_keep_the_convention_at_a_kink(
    activation: str, expected: float
) -> None:
    whole = derive.make(problem(KINK.replace("ACTIVATION", activation)))
    entry = whole.page.numbers["dout_h1/dnet_h1"]
    assert whole.page.numbers["net_h1"].exact == 0
    assert entry.exact is not None
    assert float(entry.exact) == expected
    report = whole.verify()
    assert report.agree, [route for route in report.routes if route.status is Status.DISAGREES]
    code = {row.name: row.code for row in report.numbers}
    share = float(whole.page.numbers["dE_total/dout_o1"].exact or 0) * 0.5 * 0.5
    assert float(code["dE_total/dw1"] or "nan") == pytest.approx(share * expected)


def test_the_slope_of_a_hidden_element_moves_it_after_it_is_computed() -> None:
    whole = made("article")
    values = spec_values(whole.problem)
    assert values is not None
    with mp.workdps(DIGITS):
        found = Slopes(whole.problem.graph, values).by(("out2", (0, 0)))
    assert abs(found - mpf("0.5842723173")) < 1e-9


def test_a_library_that_is_not_installed_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    bench = Bench(made("article").derivation, {})
    monkeypatch.setattr(importlib, "import_module", missing)
    route = by_library("torch", lambda *_: {})(bench)
    assert (route.name, route.status, route.detail) == ("torch", Status.SKIPPED, "not installed")


def test_a_module_whose_target_is_not_installed_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(TARGETS["numpy"], missing=lambda: "numpy is not installed")
    monkeypatch.setattr(modules, "TARGETS", {**TARGETS, "numpy": absent})
    whole = made("article")
    report = whole.verify()
    statuses = {route.name: route.status for route in report.routes}
    assert statuses["module numpy"] is Status.SKIPPED
    assert statuses["module python"] is Status.AGREES
    assert report.agree


def test_every_route_that_cannot_be_taken_is_in_the_report() -> None:
    names = [route.name for route in made("article").verify().routes]
    assert {"torch", "jax"} <= set(names)
    assert len(names) == len(set(names))


def test_a_derivation_without_anything_is_empty() -> None:
    derivation = made("article").derivation
    nothing = type(derivation)(
        derivation.forward, Graph(derivation.backward.given, ()), derivation.locals, ()
    )
    route = well_formed(nothing)
    assert (route.status, route.detail) == (Status.DISAGREES, "the derivation is empty")


LARGE = [
    ("as it is", None, "", Status.AGREES),
    ("slope", r"1 - out1\b", "1.1 - out1", Status.DISAGREES),
    ("factor", r"dE_dW1 = ", "dE_dW1 = 1.0005 * ", Status.DISAGREES),
    ("update", r"W1 - learning_rate", "W1 + learning_rate", Status.DISAGREES),
    ("raises", r"net1 = ", "net1 = [][0] + ", Status.DISAGREES),
]


@pytest.mark.parametrize(
    ("old", "new", "status"), [row[1:] for row in LARGE], ids=[row[0] for row in LARGE]
)
def test_a_large_module_is_judged_along_a_line(old: str | None, new: str, status: Status) -> None:
    pytest.importorskip("numpy")
    whole = made("article")
    source = whole.modules["numpy"]
    source = source if old is None else changed(source, rf"(?s:(.*)){old}", rf"\g<1>{new}")
    assert large_module_route("numpy", source, whole.problem, 1).status is status


def test_a_module_that_runs_too_long_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made("article")
    few = replace(TARGETS["python"], most=10)
    monkeypatch.setattr(modules, "TARGETS", {**TARGETS, "python": few})
    route = large_module_route("python", whole.modules["python"], whole.problem, 1)
    assert route.status is Status.SKIPPED and "too many to be run" in route.detail


@pytest.mark.parametrize(
    ("steps", "status", "detail"),
    [(20, Status.AGREES, ""), (110, Status.SKIPPED, "the loss is too deep as a single formula")],
)
def test_a_formula_that_is_too_deep_is_left_to_the_other_routes(
    steps: int, status: Status, detail: str
) -> None:
    lines = "".join(f"  - a{k + 1} = sin(a{k})\n" for k in range(steps))
    text = f"parameters: {{w: 0.5}}\nmodel:\n  - a0 = w\n{lines}loss: E = a{steps}\n"
    whole = derive.make(problem(text + "languages: [en]\n"))
    route = next(r for r in derivation_routes(_benches(whole)) if r.name == "SymPy")
    assert (route.status, route.detail) == (status, detail)


def _benches(whole: derive.Made) -> list[Bench]:
    return [Bench(whole.derivation, drawn_values(whole.problem.graph, 1))]


def test_a_point_of_many_parameters_takes_some_gradients_from_the_derivation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modules, "MOST_DIFFERENCES", 2)
    whole = made("article")
    given = drawn_values(whole.problem.graph, 1)
    few = point(whole.problem, Bench(whole.derivation, given))
    monkeypatch.setattr(modules, "MOST_DIFFERENCES", 100)
    every = point(whole.problem, Bench(whole.derivation, given))
    assert few.gradients.keys() == every.gradients.keys()
    assert all(relative(few.gradients[k], v) < 1e-25 for k, v in every.gradients.items())


def test_a_module_gives_its_numbers_at_the_last_point() -> None:
    whole = made("article")
    own = spec_values(whole.problem)
    assert own is not None
    points = [
        point(whole.problem, Bench(whole.derivation, v))
        for v in (drawn_values(whole.problem.graph, 1), own)
    ]
    source = emit(whole.problem, whole.derivation, "python")
    route, done = module_route("python", source, whole.problem, points)
    assert route.status is Status.AGREES
    assert done is not None
    assert done.loss == pytest.approx(0.2396740076)
    assert disagreeing(made("article").verify()) == set()
