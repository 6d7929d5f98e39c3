"""The command that writes a module; it loads nothing that only pages and checks need."""

from __future__ import annotations

import argparse

from derive.backprop import differentiate
from derive.build import build
from derive.commands.shared import put
from derive.edge import GOOD
from derive.emit import counted, module
from derive.runs import run_of
from derive.spec import load_spec


def code(options: argparse.Namespace) -> int:
    """Write a module, or how many operations it takes.

    Raises InputError if the target cannot compute the problem.
    """
    problem = build(run_of(load_spec(options.spec), options.run))
    derivation = differentiate(problem.graph, problem.wanted)
    if options.stats:
        print("\n".join(counted(problem, derivation)))
        return GOOD
    text = module(problem, derivation, options.target)
    put(text, options.output)
    return GOOD
