"""The command that writes an interactive page."""

from __future__ import annotations

import argparse

from derive.backprop import differentiate
from derive.build import build, build_as_model
from derive.commands.shared import noted, put
from derive.edge import GOOD, progress
from derive.interactive import page
from derive.problem import Problem
from derive.render.order import in_numbers
from derive.runs import run_of
from derive.spec import load_spec
from derive.theme import load_theme


def html(options: argparse.Namespace) -> int:
    """Write the page. Raises InputError for a spec that has none."""
    theme = load_theme(options.theme)
    problem = _shown(options.spec, options.run)
    with progress("deriving and writing"):
        derivation = differentiate(problem.graph, problem.wanted)
        text = page(problem, derivation, options.language or problem.languages[0], theme)
    put(text, options.output)
    return GOOD


def _shown(spec: str, run: str | None) -> Problem:
    """The problem of a spec; a network of more numbers than one by one is told as a model."""
    file = run_of(load_spec(spec), run)
    problem, network = noted(build(file)), file.spec.network
    if network is None or problem.is_model or problem.symbolic or in_numbers(problem):
        return problem
    return build_as_model(file, network)
