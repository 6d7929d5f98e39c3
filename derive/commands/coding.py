"""The command that writes a module; it loads nothing that only pages and checks need."""

from __future__ import annotations

import argparse
import sys

from derive.backprop import differentiate
from derive.build import build
from derive.edge import GOOD
from derive.emit import module
from derive.files import write
from derive.spec import load_spec


def code(options: argparse.Namespace) -> int:
    """Write a module. Raises InputError if the target cannot compute the problem."""
    problem = build(load_spec(options.spec))
    text = module(problem, differentiate(problem.graph, problem.wanted), options.target)
    if options.output is None:
        sys.stdout.write(text)
    else:
        write(options.output, text.encode())
        print(f"wrote {options.output}")
    return GOOD
