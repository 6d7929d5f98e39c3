"""Modules of JAX: how they are written and meet `jax.grad`, and what may not stand in one.

Where JAX is not installed only the texts are looked at.
"""

from __future__ import annotations

import ast

import pytest

from derive.emit.checked import Refused, checked
from derive.emit.run import load
from tests.emit.test_emit_libraries import RECURRENT, TWO_LETTERS, attacked
from tests.emit_support import made, source_of


def test_a_recurrence_over_two_letters_counts_its_steps() -> None:
    source = source_of(made(TWO_LETTERS), "jax")
    assert "unravel_index" in source
    assert "meshgrid" in source


@pytest.mark.parametrize("text", [RECURRENT, TWO_LETTERS])
def test_the_gradients_are_handed_to_autograd(text: str) -> None:
    """Derivatives of a larger loss, and second ones, are those that JAX finds by itself."""
    jax = pytest.importorskip("jax")
    problem = made(text)
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
    problem = made(TWO_LETTERS)
    source = source_of(problem, "jax")
    broken = source.replace("upstream * slopes.dE_du", "upstream * 1.01 * slopes.dE_du")
    assert broken != source
    module = load(problem, broken, "jax").namespace
    given = module["PARAMETERS"], module["SAMPLE"]
    assert jax.grad(module["differentiable"])(*given).u != jax.grad(module["loss"])(*given).u


def test_a_recurrence_is_a_scan_and_what_computes_is_compiled() -> None:
    source = source_of(made(RECURRENT), "jax")
    tree = ast.parse(source)
    compiled = [f.name for f in tree.body if isinstance(f, ast.FunctionDef) and f.decorator_list]
    assert compiled == ["forward", "value_and_gradients", "differentiable", "update", "step"]
    assert "for " not in source.split("def forward")[1].split("def loss")[0]
    assert source.count("lax.scan(step1, ") == 3
    assert "reverse=True" in source


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
    with pytest.raises(Refused):
        checked(attacked("jax")(old, new))
