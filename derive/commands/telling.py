"""The commands that tell: a derivative, the library, a spec to start from, the reference."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable

from derive.backprop import differentiate
from derive.builtin import DEFAULT, builtin_names
from derive.commands.shared import loaded
from derive.edge import GOOD, progress
from derive.errors import InputError
from derive.errors import shown as shown_text
from derive.files import write
from derive.graph import Role
from derive.reference import reference as reference_text
from derive.render.explain import explain as explain_weight
from derive.render.explain_model import explain_model, explain_second_order
from derive.render.explain_numbers import fitted
from derive.render.explain_values import explain_values
from derive.scaffold import scaffold
from derive.schema import Spec
from derive.showcase import listing, shown


def explain(options: argparse.Namespace) -> int:
    """Tell the derivation by one weight or quantity."""
    if len(options.names) > 2:
        raise InputError("explain takes a spec and a weight, or only a weight")
    *spec, name = options.names
    if not spec and (os.path.isfile(name) or name in builtin_names()):
        words = f"{shown_text(name)} is a spec; say also what of it, as in"
        raise InputError(f"{words} `derive explain {name} {_first(name, options.run)}`")
    problem = loaded(spec[0] if spec else DEFAULT, options.run)
    if options.forward and problem.is_model:
        raise InputError("--forward is for a network; of a model ask for a quantity")
    derivation = differentiate(problem.graph, problem.wanted)
    if options.json:
        if options.order == 2:
            raise InputError("--json tells a value; the Hessian is told in formulas")
        with progress("deriving"):
            values = explain_values(problem, derivation, name)
        print(json.dumps(values, indent=1, ensure_ascii=False))
        return GOOD
    told: Iterable[str]
    with progress("deriving"):
        if options.order == 2:
            told = list(explain_second_order(derivation, name))
        elif problem.is_model:
            told = explain_model(problem, derivation, name)
        else:
            told = explain_weight(problem, derivation, name, options.forward)
    width = _window()
    for line in told:
        for part in fitted(line, width) if width else [line]:
            print(part)
    return GOOD


def _window() -> int:
    """The width of the terminal; 0 where there is none, and lines stay as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _first(spec: str, run: str | None) -> str:
    """Something of a spec that can be told."""
    problem = loaded(spec, run)
    if not problem.is_model:
        return "w1"
    parameters = [q.name for q in problem.graph.of_role(Role.PARAMETER)]
    return [*(problem.wanted or parameters), problem.graph.equations[0].quantity.name][0]


def layers(options: argparse.Namespace) -> int:
    """List the library, or show one of its rows."""
    for line in listing() if options.name is None else shown(options.name):
        print(line)
    return GOOD


def new(options: argparse.Namespace) -> int:
    """Write a spec to start from."""
    text = scaffold(options.layer, options.network)
    if options.file is None:
        sys.stdout.write(text)
        return GOOD
    if options.file.exists():
        raise InputError(f"'{options.file}' is already there")
    write(options.file, text.encode())
    print(f"wrote {options.file}; try: derive verify {options.file}")
    return GOOD


def reference(_: argparse.Namespace) -> int:
    """Print the reference of the spec language."""
    sys.stdout.write(reference_text())
    return GOOD


def schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of a spec."""
    sys.stdout.write(json.dumps(Spec.model_json_schema(), indent=1, ensure_ascii=False) + "\n")
    return GOOD
