"""What is wrong is caught at values of any size, and beside much larger ones."""

from __future__ import annotations

from functools import cache

import pytest
import sympy

import derive
from derive import Made
from derive.verify.bench import Bench
from derive.verify.modules import module_route, point
from derive.verify.report import Status, judged
from derive.verify.routes import EXACT_TOLERANCE, by_sympy, differences, steps
from derive.verify.sampling import spec_values
from tests.verify_support import changed, problem, with_adjoint

SPEC = (
    "inputs: {{x: [{0}, -2.5e{1}]}}\ntargets: {{t: 1}}\nparameters: {{v: {0}, u: {2}}}\n"
    "model:\n  - y = sum(i, v*x[i])\n  - z = y*v - t\n  - big = u*u\n"
    "loss: E = tanh(z) + y*v + big\nlanguages: [en]\n"
)
SIZES = {"small": -6, "plain": 0, "large": 3, "small beside large": -6, "plain beside large": 0}
SLIGHTLY = sympy.Rational(10005, 10000)


@cache
def made(case: str) -> Made:
    size = SIZES[case]
    large = "1.7e+9" if "beside" in case else f"1.7e{size}"
    return derive.make(problem(SPEC.format(f"1.3e{size}", size, large)))


def own(whole: Made) -> Bench:
    values = spec_values(whole.problem)
    assert values is not None
    return Bench(whole.derivation, values)


@pytest.mark.parametrize("case", SIZES)
@pytest.mark.parametrize("name", ["v", "x", "u"])
def test_a_slightly_wrong_gradient(case: str, name: str) -> None:
    right = own(made(case))
    wrong = Bench(with_adjoint(right.derivation, name, lambda e: e * SLIGHTLY), right.given)
    for route in (differences, lambda b: by_sympy([b]), steps):
        assert judged("right", route(right), EXACT_TOLERANCE).status is Status.AGREES
        assert judged("wrong", route(wrong), EXACT_TOLERANCE).status is Status.DISAGREES


MODULES = [
    ("a gradient", r"dE_dv: float = ", "dE_dv: float = 1.0005 * "),
    ("a value", r"y: float = ", "y: float = 1.0005 * "),
    ("a value in front", r"big: float = ", "big: float = 1.0005 * "),
]


@pytest.mark.parametrize("case", SIZES)
@pytest.mark.parametrize(("old", "new"), [m[1:] for m in MODULES], ids=[m[0] for m in MODULES])
def test_a_slightly_wrong_module(case: str, old: str, new: str) -> None:
    whole = made(case)
    source, at = whole.modules["python"], point(whole.problem, own(whole))
    right, _ = module_route("python", source, whole.problem, [at])
    assert right.status is Status.AGREES, right.detail
    head, docstring, body = source.rpartition("NamedTuple\n")
    faulty = head + docstring + changed(body, old, new)
    wrong, _ = module_route("python", faulty, whole.problem, [at])
    assert wrong.status is Status.DISAGREES
    assert " instead of " in wrong.detail
