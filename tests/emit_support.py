"""Models as sources of a target, and how they are judged."""

from __future__ import annotations

from functools import lru_cache

from derive.build import build
from derive.emit import emit
from derive.graph import Derivation
from derive.problem import Problem
from derive.scaffold import scaffold
from derive.spec import parse_spec
from derive.verify.bench import Bench
from derive.verify.modules import module_route, point
from derive.verify.of_model import model_values
from derive.verify.report import Route
from tests.core_support import derived


@lru_cache(maxsize=1000)
def made(text: str) -> Problem:
    return build(parse_spec(text, "model.yaml", "model"))


def of_row(name: str) -> Problem:
    """The model that has a row of the library alone in it."""
    return made(scaffold(name, network=False))


def derivation_of(problem: Problem) -> Derivation:
    return derived(problem.graph, problem.wanted)


def source_of(problem: Problem, target: str) -> str:
    return emit(problem, derivation_of(problem), target)


@lru_cache(maxsize=1000)
def source_of_row(name: str, target: str) -> str:
    """The module of a row, made once for all tests in which nothing else is made of modules."""
    return source_of(of_row(name), target)


def judged(problem: Problem, target: str, source: str | None = None) -> Route:
    """What the verifier says of a source at two seeded points; it is made if there is none yet."""
    derivation = derivation_of(problem)
    points = [
        point(problem, Bench(derivation, model_values(problem, derivation, k))) for k in (1, 2)
    ]
    return module_route(target, source or source_of(problem, target), problem, points)[0]
