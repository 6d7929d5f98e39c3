"""derive: from a layer spec to a textbook derivation, a code module, and the proof of both.

import derive

problem = derive.load("article")
derivation = derive.differentiate(problem.graph)
print(derive.render(problem, "en"))
print(derive.emit(problem, derivation, "python"))
print(derive.verify(problem).agree)
"""

from __future__ import annotations

from derive.backprop import differentiate
from derive.build import build
from derive.emit import emit
from derive.errors import InputError
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.spec import load_spec
from derive.verify import Report

__all__ = [
    "InputError",
    "Made",
    "Problem",
    "Report",
    "build",
    "differentiate",
    "emit",
    "load",
    "make",
    "render",
    "verify",
]
__version__ = "0.1.0"


def load(spec: str) -> Problem:
    """The problem of a spec file, or of a built-in spec by its name. Raises InputError."""
    return build(load_spec(spec))


def render(problem: Problem, language: str = "en") -> str:
    """The LaTeX write-up of a problem."""
    return make(problem, [language]).texts[language]


def verify(problem: Problem) -> Report:
    """Verify everything that is made of a problem."""
    return make(problem).verify()
