"""Functions of the language, each row on every route: nothing here knows one by name."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from mpmath import mp

from derive import InputError, build
from derive.calculus import head_slope
from derive.errors import LanguageError
from derive.functions import ROWS
from derive.graph import adjoint_name
from derive.language import Scope, parse_expression
from derive.pipeline import make
from derive.second_order import hessian_product
from derive.spec import parse_spec
from derive.sugar import SUGAR
from derive.verify.algebra import EXACT, working
from derive.verify.bench import Slopes
from derive.verify.doubles import DOUBLES, double
from derive.verify.interpreter import run

SMOOTH = {row.name: row for row in ROWS if row.math and not row.slopes}
CURVED = {row.name: row for row in ROWS if row.arity == 1 and not row.chooses}
SPEC = (
    "inputs: {{x: [0.5, 0.25]}}\nparameters: {{w: [0.6, 0.9]}}\n"
    "model:\n  - a[i] = {0}\n  - E = sum(i, (a[i] + w[i])**2)\n"
    "training: {{learning_rate: 0.01, steps: 2}}\n"
)
CALLS = [
    *(f"{name}(w[i]*x[i])" for name in SMOOTH),
    *(
        f"{name}({', '.join(('w[i]*x[i]', '0.1', '0.4')[: row.arity])})"
        for name, row in SUGAR.items()
    ),
    "floor(3*w[i]*x[i])",
    "lgamma(w[i]*x[i])",
    "lgamma(40*w[i]) - lgamma(40*w[i] + x[i])",
    "digamma(w[i]*x[i])",
    "x[i]*digamma(1e-9*w[i])/1e9",
    "atan2(w[i]*x[i], w[i] - 0.6)",
    "x[i]*atan2(w[i] - 0.6, 0.6 - w[i])",
    "x[i]*atan2(0*w[i], w[i] - 0.7)",
    "max(w[i]*x[i], x[i], 0.1)",
    "min(w[i]*x[i], x[i], 0.1)",
    "x[i]*norm(k, w[k]*x[i])",
    "x[i]*logsumexp(k, w[k]*x[i])",
    "x[i]*min(k, w[k]*x[i])",
]


@pytest.mark.parametrize("call", CALLS)
def test_every_route_agrees(call: str) -> None:
    report = make(build(parse_spec(SPEC.format(call), "my.yaml", "my"))).verify()
    assert report.agree, str(report)


@pytest.mark.parametrize("name", SMOOTH)
def test_a_slope_is_that_of_differences(name: str) -> None:
    slope, x = head_slope(SMOOTH[name].symbol)
    with working():
        for at in ("0.3", "0.7"):
            found = slope.subs(x, sympy.Rational(at)).evalf(40)
            expected = mp.diff(SMOOTH[name].exact, mp.mpf(Fraction(at).numerator) / 10)
            assert abs(mp.mpf(str(found)) - expected) < mp.mpf("1e-30")


@pytest.mark.parametrize("name", CURVED)
def test_a_second_derivative_is_that_of_differences(name: str) -> None:
    problem = build(parse_spec(f"inputs: {{x: 0.4}}\nmodel: [y = {name}(x)**2]\n", "my.yaml", "my"))
    second = hessian_product(make(problem).derivation, ("x",))
    with working():
        given = {("x", ()): mp.mpf("0.4"), ("v_x", ()): mp.one}
        values = run(second.forward, given, EXACT)
        found = run(second.backward, values, EXACT)[adjoint_name("x"), ()]
        expected = Slopes(second.forward, given).by(("x", ()))
        assert abs(found - expected) < mp.mpf("1e-25")
        twice = mp.diff(lambda x: CURVED[name].exact(x) ** 2, mp.mpf("0.4"), 2)
        assert abs(found - twice) < mp.mpf("1e-20")


@pytest.mark.parametrize("name", SUGAR)
def test_other_words_take_their_arguments(name: str) -> None:
    scope = Scope({}, {}, {"x": sympy.Symbol("x", real=True)})
    with pytest.raises(LanguageError, match=f"{name} takes"):
        parse_expression(f"{name}(x, x, x, x)", scope)


def test_a_wave_so_far_out_that_no_digit_is_sure_is_refused() -> None:
    spec = (
        "parameters: {w: 1.0e+5}\nloss: E = sin(w**3)\ntraining: {learning_rate: 0.5, steps: 6}\n"
    )
    with pytest.raises(InputError, match=r"a sine or cosine is asked for beyond 10\^99"):
        make(build(parse_spec(spec, "my.yaml", "my"))).verify()


def test_a_parameter_that_code_cannot_hold_is_bad_input() -> None:
    """The page tells of the loss only, which is 0 then."""
    spec = (
        "parameters: {w: [[-1, -2, -1, -1, -2], [-3, -1, -1, -2, -2], [-1, -1, -1, -1, -1]]}\n"
        "loss: 'E = sum(i, k, 10*max(0, 1 - w[i,k]))'\n"
        "training: {learning_rate: 1.6e+307, steps: 2, optimizer: momentum}\ngradients: [w]\n"
    )
    with pytest.raises(InputError, match=r"w\S* is .*, and code holds numbers up to 1\.8e\+308"):
        make(build(parse_spec(spec, "my.yaml", "my"))).verify()


@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_doubles_need_not_be_zero_where_a_sum_of_large_terms_is(name: str) -> None:
    with working():
        found = DOUBLES.functions[name](double(mp.mpf(2)))
        assert found.error >= mp.mpf(2) ** -53
        assert found.error < mp.mpf("1e-14")


@pytest.mark.parametrize("digits", [15, 100, 400])
def test_an_error_function_near_its_ends_is_that_of_many_more_digits(digits: int) -> None:
    """There it is summed by what is missing, where that has the digits."""
    for x in (0.3, -3, 5.5, -9.7, 17, -27.5, 31, -40, 41, -58.5, 1e9, -1e200):
        with mp.workdps(2 * digits + 20):
            exact = mp.erf(mp.mpf(x))
        with mp.workdps(digits):
            found = EXACT.functions["erf"](mp.mpf(x))
            assert abs(found - exact) <= abs(exact) * mp.eps, x
