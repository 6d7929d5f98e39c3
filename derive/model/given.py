"""What a model is given: quantities with a shape, and mostly with values."""

from __future__ import annotations

from typing import Any

import sympy

from derive.errors import nearest
from derive.expression import Axis
from derive.fields import read_tensor
from derive.graph import Kind, Quantity, Role
from derive.model.parts import Parts, check_name, filled
from derive.problem import Tensor
from derive.spec import Path_, SpecFile
from derive.symbols import symbol

SECTIONS = {
    "inputs": Role.INPUT,
    "parameters": Role.PARAMETER,
    "targets": Role.TARGET,
    "constants": Role.CONSTANT,
}


def give(file: SpecFile, model: Parts) -> None:
    """Add the quantities that the spec gives, with their values."""
    for section, role in SECTIONS.items():
        for name, entry in getattr(file.spec, section).items():
            path: Path_ = (section, name)
            check_name(file, path, name)
            if name in model.given:
                raise file.fail(path, f"'{name}' is given twice")
            shape, values = _shape(file, path, entry, _first_sample(file, name))
            axes = tuple(Axis(f"{name}.{k}", sympy.Integer(size)) for k, size in enumerate(shape))
            whole = name in file.spec.integers
            kind = Kind.WEIGHT if role is Role.PARAMETER else Kind.DATA
            model.given[name] = Quantity(
                name, symbol(name, len(axes)), axes, role, kind, integer=whole
            )
            if values is not None:
                model.values[name] = read_tensor(file, path, values, shape)
                _check_whole(file, path, whole, model.values[name])
    for k, name in enumerate(file.spec.integers):
        if name not in model.given:
            hint = nearest(name, model.given)
            raise file.fail(("integers", k), f"nothing given is called '{name}'; {hint}")


def _check_whole(file: SpecFile, path: Path_, whole: bool, values: Tensor) -> None:
    for value in values.values():
        if whole and (value.denominator != 1 or value < 0):
            raise file.fail(path, f"this holds whole numbers from 0 on, but here is {value}")


def _first_sample(file: SpecFile, name: str) -> Any:
    return file.spec.samples[0].get(name) if file.spec.samples else None


def _shape(
    file: SpecFile, path: Path_, entry: Any, sample: Any
) -> tuple[tuple[int, ...], Any | None]:
    """The shape of an entry and its values, if it gives any."""
    if entry is None and sample is not None:
        entry = sample
    if isinstance(entry, dict):
        unknown = set(entry) - {"shape", "values"}
        if unknown or not entry:
            raise file.fail(path, "a quantity is given by numbers, or by {shape: [2, 3]}")
        shape = entry.get("shape")
        if shape is None:
            return _shape(file, path, entry["values"], None)
        sizes = shape if isinstance(shape, list) else [shape]
        if not all(isinstance(n, int) and not isinstance(n, bool) and 0 < n < 10**6 for n in sizes):
            raise file.fail((*path, "shape"), "a shape is a list of whole numbers, like [2, 3]")
        values = entry.get("values", sample)
        return tuple(sizes), filled(values, tuple(sizes))
    if entry is None:
        raise file.fail(path, "the value is missing; without one say {shape: [2, 3]}")
    found = []
    level = entry
    while isinstance(level, list):
        if not level:
            raise file.fail(path, "an empty list has no values")
        found.append(len(level))
        level = level[0]
    return tuple(found), entry
