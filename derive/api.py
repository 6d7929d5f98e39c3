"""What a program asks of derive: a problem by its spec, its page, its verification."""

from __future__ import annotations

from derive.build import build
from derive.pipeline import make
from derive.problem import Problem
from derive.spec import load_spec
from derive.verify import Report


def load(spec: str) -> Problem:
    """The problem of a spec file, or of a built-in spec by its name. Raises InputError."""
    return build(load_spec(spec))


def render(problem: Problem, language: str = "en") -> str:
    """The LaTeX write-up of a problem."""
    return make(problem, [language]).texts[language]


def verify(problem: Problem) -> Report:
    """Verify everything that is made of a problem."""
    return make(problem).verify()
