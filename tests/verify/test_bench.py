"""Slopes at one point: what is not computed anew must not matter, and a line misses nothing."""

from __future__ import annotations

import pytest
import sympy
from mpmath import mp

from derive import InputError, build
from derive.backprop import differentiate
from derive.emit import emit
from derive.expression import Delta
from derive.graph import Derivation
from derive.spec import parse_spec
from derive.verify import modules, of_model, routes
from derive.verify.algebra import DIGITS, EXACT, slope, slope_and_bend
from derive.verify.bench import Bench, Slopes, places
from derive.verify.interpreter import run
from derive.verify.meaning import Key, Values
from derive.verify.modules import module_route, point
from derive.verify.report import Status, judged
from derive.verify.routes import EXACT_TOLERANCE, relative
from derive.verify.tape import all_slopes
from tests.emit.test_emit_models import SPECS
from tests.verify_support import with_adjoint

MODEL = (
    "inputs: {x: {shape: [3, 4]}}\nparameters: {W: {shape: [5, 4]}}\n"
    "model:\n  - h[n,k] = tanh(sum(i, W[k,i]*x[n,i]))\n  - y[n] = sum(k, h[n,k]**2)\n"
    "loss: E = sum(n, y[n]**2)\n"
)


def bench(text: str) -> Bench:
    problem = build(parse_spec(text, "model.yaml", "model"))
    derivation = differentiate(problem.graph, problem.wanted)
    return of_model.model_bench(problem, derivation, 1)


def from_scratch(slopes: Slopes, given: Values, key: Key) -> sympy.Expr:
    loss = (slopes.graph.loss.name, ())
    return slope(lambda shift: run(slopes.graph, given, moved={key: shift})[loss])


@pytest.mark.parametrize("name", ["two steps back", "backward in time", "gathers", "scalars"])
def test_what_a_moved_element_does_not_touch_is_kept(name: str) -> None:
    whole = bench(SPECS[name])
    with mp.workdps(DIGITS):
        for quantity in whole.graph.quantities.values():
            for key in places(quantity) if not quantity.integer else ():
                expected = from_scratch(whole, whole.given, key)
                assert relative(whole.by(key), expected) < EXACT_TOLERANCE, key


@pytest.mark.parametrize("z", [3, 208, 900])
def test_a_difference_has_the_digits_that_a_saturated_unit_needs(z: int) -> None:
    """Of 1 - y the first 90 of 100 digits are zeros at 208, and all of them at 900."""
    made = bench("inputs: {z: {shape: []}}\nmodel: ['y = logistic(z)']\nloss: E = -log(1 - y)\n")
    there = Bench(made.derivation, {("z", ()): mp.mpf(z)})
    with mp.workdps(DIGITS):
        expected = 1 / (1 + mp.exp(-mp.mpf(z)))
        assert relative(there.by(("z", ())), expected) < EXACT_TOLERANCE
        assert relative(there.adjoint(("z", ())), expected) < EXACT_TOLERANCE


def differences(derivation: Derivation, given: Values, most: int) -> Status:
    comparisons = routes.differences(Bench(derivation, given), most)
    return judged("differences", comparisons, EXACT_TOLERANCE).status


@pytest.mark.parametrize("most", [1, 2, 24, 10_000])
@pytest.mark.parametrize("name", ["W", "x", "h"])
def test_one_wrong_entry_is_caught_however_few_slopes_are_affordable(name: str, most: int) -> None:
    whole = bench(MODEL)
    row = whole.derivation.adjoint(name).indices[0]
    slightly = 1 + Delta(row, 2) * sympy.Rational(5, 10000)
    wrong = with_adjoint(whole.derivation, name, lambda rhs: rhs * slightly)
    assert differences(whole.derivation, whole.given, most) is Status.AGREES
    assert differences(wrong, whole.given, most) is Status.DISAGREES


def test_a_value_that_is_no_number_is_caught_on_a_line() -> None:
    whole = bench(MODEL)
    whole.derived["adj_W", (2, 1)] = mp.nan
    comparisons = routes.differences(whole, 1)
    assert judged("differences", comparisons, EXACT_TOLERANCE).status is Status.DISAGREES


def test_a_module_with_many_gradients_is_held_to_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modules, "MOST_DIFFERENCES", 2)
    problem = build(parse_spec(MODEL, "model.yaml", "model"))
    derivation = differentiate(problem.graph, problem.wanted)
    whole = of_model.model_bench(problem, derivation, 1)
    wrong = with_adjoint(derivation, "W", lambda rhs: rhs * sympy.Rational(10005, 10000))
    # The derived gradients are as wrong as the module, so only the difference can tell.
    deceived = point(problem, Bench(wrong, whole.given))
    source = emit(problem, wrong, "python")
    route, _ = module_route("python", source, problem, [deceived])
    assert route.status is Status.DISAGREES
    assert route.detail.startswith("worst at ∂E/∂W[")


@pytest.mark.parametrize("name", ["two steps back", "backward in time", "gathers", "scalars"])
def test_all_slopes_at_once_are_the_slopes_one_by_one(name: str) -> None:
    whole = bench(SPECS[name])
    found = all_slopes(whole.graph, whole.given)
    moving = [q for q in whole.graph.quantities.values() if not q.integer]
    assert set(found) == {key for quantity in moving for key in places(quantity)}
    assert all(relative(v, whole.by(key)) < EXACT_TOLERANCE for key, v in found.items())


def test_all_slopes_lose_nothing_in_a_saturated_softmax() -> None:
    whole = bench(
        "parameters: {z: {shape: [2]}}\nmodel:\n  - y[i] = exp(z[i]) / sum(j, exp(z[j]))\n"
        "loss: E = -log(y[1])\n"
    )
    given = {("z", (0,)): mp.mpf(200), ("z", (1,)): mp.mpf(-200)}
    found = all_slopes(whole.graph, given)
    assert abs(found["z", (0,)] - 1) < 1e-40
    assert abs(found["z", (1,)] + 1) < 1e-40


CHOSEN = {  # a loss by z, at some z, and its slope
    "no noise": ("abs(logistic(z))", -200, 1e-87),
    "noise of equals": ("abs(tanh(z) - (exp(z) - exp(-z))/(exp(z) + exp(-z)))", 2, 0.0),
    "the greater of two of many nines": ("max(tanh(z), tanh(z + 1))*3 + z", 400, 1.0),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_next_to_nothing_is_no_noise(name: str) -> None:
    loss, z, expected = CHOSEN[name]
    made = bench(f"inputs: {{z: {{shape: []}}}}\nloss: E = {loss}\n")
    there = Bench(made.derivation, {("z", ()): mp.mpf(z)})
    found = there.by(("z", ()))
    assert relative(found, there.adjoint(("z", ())), 1e-300) < EXACT_TOLERANCE
    assert float(found) == pytest.approx(expected, rel=0.5, abs=1e-300)


LARGER = EXACT.functions["max"]


@pytest.mark.parametrize(
    ("function", "expected", "bent"),
    [
        (lambda x: 5 * x + LARGER(x, 3 * x) * 1e-11, 5 + 1e-11, True),  # of a tie, the first
        (lambda x: 1e30 * (2 + x) ** 3, 12e30, False),  # steep, and no jump
        (lambda x: mp.sin(1e6 * x), 1e6, False),
    ],
    ids=["small kink", "steep", "wave"],
)
def test_a_kink_is_found_beside_any_slope(function, expected, bent) -> None:  # type: ignore[no-untyped-def]
    with mp.workdps(DIGITS):
        found, found_bent = slope_and_bend(function)
    assert (relative(found, mp.mpf(expected)) < 1e-15, found_bent) == (True, bent)


def test_a_loss_without_a_derivative_is_refused_in_words() -> None:
    spec = "parameters: {w: [0, 0]}\nmodel: ['r = sum(i, w[i]**2)']\nloss: 'E = w[0]/r**(1/2)'\n"
    problem = build(parse_spec(spec, "model.yaml", "model"))
    derivation = differentiate(problem.graph, problem.wanted)
    given = {("w", (0,)): mp.mpf(0), ("w", (1,)): mp.mpf(0)}
    with pytest.raises(InputError, match="no derivative"):
        Bench(derivation, given).by(("w", (0,)))
