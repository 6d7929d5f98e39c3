"""The command that writes a module; it loads nothing that only pages and checks need."""

from __future__ import annotations

import argparse

from derive.backprop import differentiate
from derive.build import build
from derive.commands.shared import put
from derive.edge import GOOD
from derive.emit import counted, module
from derive.emit.beside import test_of
from derive.errors import InputError
from derive.graph import Derivation
from derive.problem import Problem
from derive.runs import run_of
from derive.spec import load_spec


def code(options: argparse.Namespace) -> int:
    """Write a module, or how many operations it takes.

    Raises InputError if the target cannot compute the problem, or a test has no module beside it.
    """
    problem = build(run_of(load_spec(options.spec), options.run))
    derivation = differentiate(problem.graph, problem.wanted)
    if options.stats:
        print("\n".join(counted(problem, derivation)))
        return GOOD
    text = module(problem, derivation, options.target, options.single)
    if options.test is not None:
        _beside(problem, derivation, options)
    put(text, options.output)
    return GOOD


def _beside(problem: Problem, derivation: Derivation, options: argparse.Namespace) -> None:
    """Write the test of a module into the folder of the module."""
    module_file, test_file = options.output, options.test
    if module_file is None:
        raise InputError("--test needs --output: it checks the module that is written there")
    if test_file.resolve().parent != module_file.resolve().parent:
        raise InputError("--test: the test stands in the folder of its module")
    if test_file.resolve() == module_file.resolve():
        raise InputError("--test: the test and the module are two files")
    put(test_of(problem, derivation, options.target, module_file.name), test_file)
