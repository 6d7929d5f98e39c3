"""The command that writes an interactive page."""

from __future__ import annotations

import argparse
import sys

from derive.backprop import differentiate
from derive.build import build_as_model
from derive.commands.shared import loaded, written
from derive.edge import GOOD, progress
from derive.interactive import page
from derive.problem import Problem
from derive.render.order import in_numbers
from derive.spec import load_spec


def html(options: argparse.Namespace) -> int:
    """Write the page. Raises InputError for a spec that has none."""
    problem = _shown(options.spec)
    with progress("deriving and writing"):
        derivation = differentiate(problem.graph, problem.wanted)
        text = page(problem, derivation, options.language or problem.languages[0])
    if options.output is None:
        sys.stdout.write(text)
    else:
        written(options.output, text.encode())
    return GOOD


def _shown(spec: str) -> Problem:
    """The problem of a spec; a network of more numbers than one by one is told as a model."""
    problem, network = loaded(spec), load_spec(spec).spec.network
    if network is None or problem.is_model or problem.symbolic or in_numbers(problem):
        return problem
    return build_as_model(load_spec(spec), network)
