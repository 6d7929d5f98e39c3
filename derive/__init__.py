"""derive: from a layer spec to a textbook derivation, a code module, and the proof of both.

import derive

problem = derive.load("article")
derivation = derive.differentiate(problem.graph)
print(derive.render(problem, "en"))
print(derive.emit(problem, derivation, "python"))
print(derive.verify(problem).agree)
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derive.api import load, load_runs, render, verify
    from derive.backprop import differentiate
    from derive.bring.torch_module import from_torch
    from derive.build import build
    from derive.emit import emit
    from derive.errors import InputError
    from derive.pipeline import Made, make
    from derive.problem import Problem
    from derive.verify.report import Report

__all__ = [
    "InputError",
    "Made",
    "Problem",
    "Report",
    "build",
    "differentiate",
    "emit",
    "from_torch",
    "load",
    "load_runs",
    "make",
    "render",
    "verify",
]
__version__ = "0.1.0"


class _Asked:
    """A name of the package, imported when it is asked for: SymPy takes a third of a second.

    Where a module has the same name, as `derive.build`, the import system binds that, too; the
    name stays that of the function.
    """

    def __init__(self, home: str, name: str) -> None:
        self.home, self.name = home, name

    def __get__(self, package: ModuleType, owner: type[ModuleType]) -> object:
        return getattr(import_module(self.home), self.name)

    def __set__(self, package: ModuleType, module: object) -> None:
        """The import system binds a module, which `sys.modules` has."""


class _Package(ModuleType):
    InputError = _Asked("derive.errors", "InputError")
    Made = _Asked("derive.pipeline", "Made")
    Problem = _Asked("derive.problem", "Problem")
    Report = _Asked("derive.verify.report", "Report")
    build = _Asked("derive.build", "build")
    differentiate = _Asked("derive.backprop", "differentiate")
    emit = _Asked("derive.emit", "emit")
    from_torch = _Asked("derive.bring.torch_module", "from_torch")
    load = _Asked("derive.api", "load")
    load_runs = _Asked("derive.api", "load_runs")
    make = _Asked("derive.pipeline", "make")
    render = _Asked("derive.api", "render")
    verify = _Asked("derive.api", "verify")


sys.modules[__name__].__class__ = _Package
