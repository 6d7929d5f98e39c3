"""Modules of JAX and of PyTorch: what both compute, and what may not stand in either.

Where a library is not installed only the texts are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

import derive
from derive.emit.checked import Refused, checked
from derive.emit.run import Executed, execute
from derive.emit.targets import TARGETS
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.spec import builtin_names
from derive.verify.report import Status
from tests.emit.test_emit_checked import TOP
from tests.emit.test_emit_models import ALL
from tests.emit_support import made, of_row, source_of
from tests.sampled import sampled

LIBRARIES = {"jax": 6, "torch": 4}  # of so many rows and specs CI computes one
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


def numbers(found: Executed) -> dict[object, float]:
    parts = {"forward": found.forward, "gradients": found.gradients, "updated": found.updated}
    return {(part, *key): value for part, held in parts.items() for key, value in held.items()}


def check(problem: Problem, library: str) -> None:
    """A module computes what that of NumPy does."""
    pytest.importorskip(library)
    if problem.symbolic:
        return
    found, expected = (
        numbers(execute(problem, source_of(problem, target), target))
        for target in (library, "numpy")
    )
    assert found == pytest.approx(expected, rel=CLOSE, abs=CLOSE, nan_ok=True)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", ["article", "deep", "tiny_rnn"])
def test_a_module_computes_what_that_of_numpy_does(name: str, library: str) -> None:
    check(derive.load(name), library)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_recurrence_over_two_letters_goes_either_way(library: str) -> None:
    check(made(TWO_LETTERS), library)


def some(names: Iterable[str]) -> list[Any]:
    """Names with each library, of which CI takes a share."""
    tables = (
        sampled(((name, library) for name in names), every) for library, every in LIBRARIES.items()
    )
    return [case for table in tables for case in table]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "library"), some(ROWS))
def test_a_row_is_computed(name: str, library: str) -> None:
    check(of_row(name), library)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "library"), some(ALL))
def test_an_equation_of_any_kind_is_computed(name: str, library: str) -> None:
    check(made(ALL[name]), library)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "library"), some(builtin_names()))
def test_a_built_in_spec_is_computed(name: str, library: str) -> None:
    check(derive.load(name), library)


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_module_is_a_route_of_verify(library: str) -> None:
    pytest.importorskip(library)
    whole = replace(make(made(RECURRENT)), targets=("python", library))
    assert verdict(whole, library) is Status.AGREES
    right = whole.modules[library]
    broken = right.replace("learning_rate * ", "1.01 * learning_rate * ")
    assert broken != right
    wrong = replace(whole)
    vars(wrong)["modules"] = {**whole.modules, library: broken}
    assert verdict(wrong, library) is Status.DISAGREES


def verdict(whole: Made, library: str) -> Status:
    routes = whole.verify().routes
    return next(route.status for route in routes if route.name == f"module {library}")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_module_is_on_the_list(library: str) -> None:
    for problem in (made(RECURRENT), of_row("gelu"), derive.load("digits")):
        checked(source_of(problem, library))
    assert TARGETS[library].suffix == f"_{library}.py"


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("attack", TOP)
def test_an_attack_is_refused(attack: str, library: str) -> None:
    source = source_of(made(RECURRENT), library)
    place = source.index("\n\nclass Parameters")
    with pytest.raises(Refused):
        checked(f"{source[:place]}\n{attack}\n{source[place:]}")


def attacked(library: str) -> Callable[[str, str], str]:
    """The module of a recurrence, with one text in the place of another that stands in it."""
    source = source_of(made(RECURRENT), library)

    def changed(old: str, new: str) -> str:
        assert old in source
        return source.replace(old, new, 1)

    return changed
