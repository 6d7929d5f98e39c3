"""What a program asks of derive: a problem by its spec, its page, its verification."""

from __future__ import annotations

import io
from typing import Any

from derive.bring.torch_file import read_torch
from derive.bring.write import Brought, spec_of
from derive.build import build
from derive.errors import InputError
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


def from_torch(module: Any, example_inputs: tuple[Any, ...], loss: str = "") -> Brought:
    """The spec of a module of PyTorch, exported with these inputs: its `text`, its `problem`.

    `loss` is one of the library, or `none` for gradients from above; one that fits is taken if it
    is left out. Raises InputError that names every operation that a spec cannot say.
    """
    try:
        import torch
    except ImportError:
        raise InputError("a module of PyTorch needs PyTorch: pip install torch") from None
    held = io.BytesIO()
    torch.export.save(torch.export.export(module, example_inputs), held)
    return spec_of(read_torch(held.getvalue(), "the module", type(module).__name__), loss)
