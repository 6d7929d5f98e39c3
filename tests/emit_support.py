"""Models as sources of a target, and how they are judged."""

from __future__ import annotations

from derive.backprop import differentiate
from derive.build import build
from derive.emit import emit
from derive.problem import Problem
from derive.spec import parse_spec
from derive.verify.bench import Bench
from derive.verify.modules import module_route, point
from derive.verify.of_model import model_values
from derive.verify.report import Route


def made(text: str) -> Problem:
    return build(parse_spec(text, "model.yaml", "model"))


def source_of(problem: Problem, target: str) -> str:
    return emit(problem, differentiate(problem.graph, problem.wanted), target)


def judged(problem: Problem, target: str) -> Route:
    """What the verifier says of a source at two seeded points."""
    derivation = differentiate(problem.graph, problem.wanted)
    points = [
        point(problem, Bench(derivation, model_values(problem, derivation, k))) for k in (1, 2)
    ]
    return module_route(target, emit(problem, derivation, target), problem, points)[0]
