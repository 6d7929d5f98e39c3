"""What a program asks of derive: a problem by its spec, its page, its verification."""

from __future__ import annotations

from derive.build import build
from derive.pipeline import make
from derive.problem import Problem
from derive.runs import run_names, run_of
from derive.spec import load_spec
from derive.verify import Report


def load(spec: str, run: str | None = None) -> Problem:
    """The problem of a spec file, or of a built-in spec by its name. Raises InputError.

    Of a spec with `runs` that of one of them, the first if none is named.
    """
    return build(run_of(load_spec(spec), run))


def load_runs(spec: str) -> dict[str, Problem]:
    """The problem of each run of a spec by its name; empty if it has no `runs`."""
    file = load_spec(spec)
    return {name: build(run_of(file, name)) for name in run_names(file)}


def render(problem: Problem, language: str = "en") -> str:
    """The LaTeX write-up of a problem."""
    return make(problem, [language]).texts[language]


def verify(problem: Problem) -> Report:
    """Verify everything that is made of a problem."""
    return make(problem).verify()
