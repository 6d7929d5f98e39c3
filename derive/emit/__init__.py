"""Derivation → source code of a module that computes it."""

from derive.emit.run import Executed, execute, load
from derive.emit.targets import TARGETS, USUAL, Target, counted, emit, module, target_of
from derive.emit.tree import EmitError

__all__ = [
    "TARGETS",
    "USUAL",
    "EmitError",
    "Executed",
    "Target",
    "counted",
    "emit",
    "execute",
    "load",
    "module",
    "target_of",
]
