"""Modules of JAX: what they compute, and what may not stand in one.

Where JAX is not installed only the texts are looked at.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache

import pytest

import derive
from derive.backprop import differentiate
from derive.emit import emit
from derive.emit.checked import Refused, checked
from derive.emit.run import Executed, execute, load
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.scaffold import scaffold
from derive.spec import builtin_names, parse_spec
from derive.verify.report import Status
from tests.emit.test_emit_checked import TOP
from tests.emit.test_emit_models import ALL
from tests.sampled import sampled

ROWS = sorted({*LAYERS, *loss_names()})
CLOSE = 1e-11

RECURRENT = """\
parameters: {W: [[0.1, 0.2], [0.3, 0.4]], h0: [0.5, -0.5]}
inputs: {x: [[1, 2], [3, 4], [5, 6]]}
model:
  - |
    h[t,k] = tanh(x[t,k] + sum(j, W[k,j]*h[t-1,j]))
    h[-1,k] = h0[k]
loss: E = sum(t, k, h[t,k]**2)
training: {optimizer: adam}
"""


TWO_LETTERS = """\
parameters: {u: 0.5, v: -0.3}
inputs: {x: [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]}
model:
  - h[i,j] = tanh(x[i,j] + u*h[i-1,j] + v*h[i,j-1])
  - g[i,j] = tanh(h[i,j] + u*g[i-1,j] + v*g[i,j+1])
loss: E = sum(i, j, g[i,j]**2)
"""


def problem_of(text: str) -> Problem:
    return derive.build(parse_spec(text, "a.yaml", "a"))


def source_of(problem: Problem, target: str) -> str:
    return emit(problem, differentiate(problem.graph, problem.wanted), target)


def numbers(found: Executed) -> dict[object, float]:
    parts = {"forward": found.forward, "gradients": found.gradients, "updated": found.updated}
    return {(part, *key): value for part, held in parts.items() for key, value in held.items()}


def check(problem: Problem) -> None:
    if problem.symbolic:
        return
    found = numbers(execute(problem, source_of(problem, "jax"), "jax"))
    expected = numbers(execute(problem, source_of(problem, "numpy"), "numpy"))
    assert found == pytest.approx(expected, rel=CLOSE, abs=CLOSE, nan_ok=True)


@pytest.mark.parametrize("name", ["article", "deep", "tiny_rnn"])
def test_a_module_computes_what_that_of_numpy_does(name: str) -> None:
    pytest.importorskip("jax")
    check(derive.load(name))


def test_a_recurrence_over_two_letters_goes_either_way() -> None:
    pytest.importorskip("jax")
    problem = problem_of(TWO_LETTERS)
    source = source_of(problem, "jax")
    assert "unravel_index" in source
    assert "meshgrid" in source
    check(problem)


@pytest.mark.parametrize("text", [RECURRENT, TWO_LETTERS])
def test_the_gradients_are_handed_to_autograd(text: str) -> None:
    """Derivatives of a larger loss, and second ones, are those that JAX finds by itself."""
    jax = pytest.importorskip("jax")
    problem = problem_of(text)
    module = load(problem, source_of(problem, "jax"), "jax").namespace
    given = module["PARAMETERS"], module["SAMPLE"]
    for order in (jax.grad, jax.hessian):
        own, by_jax = (
            order(lambda p, s, of=of: jax.numpy.tanh(module[of](p, s)) * 3)(*given)
            for of in ("differentiable", "loss")
        )
        for found, expected in zip(*map(jax.tree.leaves, (own, by_jax)), strict=True):
            assert jax.numpy.allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_a_wrong_gradient_is_handed_on_as_it_is() -> None:
    jax = pytest.importorskip("jax")
    problem = problem_of(TWO_LETTERS)
    source = source_of(problem, "jax")
    broken = source.replace("upstream * slopes.dE_du", "upstream * 1.01 * slopes.dE_du")
    assert broken != source
    module = load(problem, broken, "jax").namespace
    given = module["PARAMETERS"], module["SAMPLE"]
    assert jax.grad(module["differentiable"])(*given).u != jax.grad(module["loss"])(*given).u


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ROWS, 4))
def test_a_row_is_computed(name: str) -> None:
    pytest.importorskip("jax")
    check(problem_of(scaffold(name, False)))


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ALL, 4))
def test_an_equation_of_any_kind_is_computed(name: str) -> None:
    pytest.importorskip("jax")
    check(problem_of(ALL[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(builtin_names(), 4))
def test_a_built_in_spec_is_computed(name: str) -> None:
    pytest.importorskip("jax")
    check(derive.load(name))


@pytest.mark.slow
def test_a_module_is_a_route_of_verify() -> None:
    pytest.importorskip("jax")
    made = replace(make(problem_of(RECURRENT)), targets=("python", "jax"))
    assert verdict(made) is Status.AGREES
    right = made.modules["jax"]
    broken = right.replace("learning_rate * ", "1.01 * learning_rate * ")
    assert broken != right
    wrong = replace(made)
    vars(wrong)["modules"] = {**made.modules, "jax": broken}
    assert verdict(wrong) is Status.DISAGREES


def verdict(made: Made) -> Status:
    return next(route.status for route in made.verify().routes if route.name == "module jax")


@cache
def recurrent() -> str:
    return source_of(problem_of(RECURRENT), "jax")


def test_a_recurrence_is_a_scan_and_what_computes_is_compiled() -> None:
    tree = ast.parse(recurrent())
    compiled = [f.name for f in tree.body if isinstance(f, ast.FunctionDef) and f.decorator_list]
    assert compiled == ["forward", "value_and_gradients", "differentiable", "update", "step"]
    assert "for " not in recurrent().split("def forward")[1].split("def loss")[0]
    assert recurrent().count("lax.scan(step1, ") == 3
    assert "reverse=True" in recurrent()


def test_a_module_is_on_the_list() -> None:
    checked(recurrent())
    checked(source_of(problem_of(scaffold("gelu", False)), "jax"))


@pytest.mark.parametrize("attack", TOP)
def test_an_attack_is_refused(attack: str) -> None:
    place = recurrent().index("\n\nclass Parameters")
    with pytest.raises(Refused):
        checked(f"{recurrent()[:place]}\n{attack}\n{recurrent()[place:]}")


OF_JAX = [
    ("import jax\n", "import jax\nimport jax.experimental\n"),
    ("import jax\n", "import jax as np\n"),
    ('jax.config.update("jax_enable_x64", True)', 'jax.config.update("jax_compiler_dir", "x")'),
    ('jax.config.update("jax_enable_x64", True)', "x = jax.config"),
    ('jax.config.update("jax_enable_x64", True)', "jax.profiler.start_trace('PWNED')"),
    ("@jax.jit\ndef forward", "@jax.pure_callback\ndef forward"),
    ("differentiable.defvjp(value_and_gradients", "differentiable.defvjp(print"),
    ("differentiable.defvjp(", "forward.defvjp("),
    ("@jax.custom_vjp", "@jax.custom_batching"),
    ("@jax.jit\ndef forward", "@jax.jit\n@print\ndef forward"),
    ("lax.scan(step1, ", "lax.scan(print, "),
    ("lax.scan(step1, ", "lax.map(step1, "),
    ("lax.scan(step1, ", "step1(step1, "),
    ("lax.scan(step1, ", "lax.scan(step1, step1, "),
    ("lax.scan(step1, ", "lax.scan(loss, "),
    ("return (h,), None", "return jax.pure_callback(print, h), None"),
    ("return (h,), None", "return lax.infeed(h), None"),
    ("return (h,), None", "return jax.jit, None"),
]


@pytest.mark.parametrize(("old", "new"), OF_JAX)
def test_an_attack_by_jax_is_refused(old: str, new: str) -> None:
    assert old in recurrent()
    with pytest.raises(Refused):
        checked(recurrent().replace(old, new, 1))
