"""The command that writes an interactive page."""

from __future__ import annotations

import argparse
import sys

from derive.backprop import differentiate
from derive.commands.shared import loaded, written
from derive.edge import GOOD, progress
from derive.interactive import page


def html(options: argparse.Namespace) -> int:
    """Write the page. Raises InputError for a spec that has none."""
    problem = loaded(options.spec)
    with progress("deriving and writing"):
        derivation = differentiate(problem.graph, problem.wanted)
        text = page(problem, derivation, options.language or problem.languages[0])
    if options.output is None:
        sys.stdout.write(text)
    else:
        written(options.output, text.encode())
    return GOOD
