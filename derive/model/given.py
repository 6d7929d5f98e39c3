"""What a model is given: quantities with a shape, and mostly with values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import sympy

from derive.errors import nearest
from derive.expression import Axis, Element, elements, reads
from derive.fields import check_count, read_tensor
from derive.graph import Graph, Kind, Quantity, Role
from derive.limits import MOST_ENTRIES
from derive.model.parts import Parts, check_name, filled, nested
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
    count = 0
    for section, role in SECTIONS.items():
        for name, entry in getattr(file.spec, section).items():
            path: Path_ = (section, name)
            check_name(file, path, name)
            if name in model.given:
                raise file.fail(path, f"'{name}' is given twice")
            sample = _first_sample(file, name)
            shape, values = _shape(file, path, entry, sample)
            axes = tuple(Axis(f"{name}.{k}", sympy.Integer(size)) for k, size in enumerate(shape))
            whole = name in file.spec.integers
            kind = Kind.WEIGHT if role is Role.PARAMETER else Kind.DATA
            model.given[name] = Quantity(
                name, symbol(name, len(axes)), axes, role, kind, integer=whole
            )
            if values is not None:
                own = entry.get("values") if isinstance(entry, dict) else entry
                place: Path_ = path if own is not None else ("samples", 0, name)
                count = check_count(file, place, shape, count)
                model.values[name] = read_tensor(file, place, values, shape)
                check_whole(file, place, whole, model.values[name])
                _check_sample(file, path, model.values[name], shape)
    for k, name in enumerate(file.spec.integers):
        if name not in model.given:
            hint = nearest(name, model.given)
            raise file.fail(("integers", k), f"nothing given is called '{name}'; {hint}")


def _check_sample(file: SpecFile, path: Path_, values: Tensor, shape: tuple[int, ...]) -> None:
    """Values that the first sample gives, too, must be the same: those are the ones that count."""
    name = str(path[-1])
    sample = _first_sample(file, name)
    if sample is None:
        return
    first = read_tensor(file, ("samples", 0, name), filled(sample, shape), shape)
    if first != values:
        words = f"'{name}' has other values here than in the first of the samples, which count"
        raise file.fail(path, f"{words}; give {{shape: {list(shape)}}} here")


def check_whole(file: SpecFile, path: Path_, whole: bool, values: Tensor) -> None:
    """The values of a whole-number quantity must be whole numbers. Raises InputError."""
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
            return _shape(file, path, entry.get("values"), None)
        sizes = shape if isinstance(shape, list) else [shape]
        if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in sizes):
            raise file.fail((*path, "shape"), "a shape is a list of whole numbers, like [2, 3]")
        if prod(sizes) > MOST_ENTRIES:
            words = f"this has {prod(sizes):,} entries; a quantity has at most {MOST_ENTRIES:,}"
            raise file.fail((*path, "shape"), words)
        values = entry.get("values", sample)
        if values is not None:
            check_count(file, path, tuple(sizes), 0)
        return tuple(sizes), filled(nested(values, tuple(sizes)), tuple(sizes))
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


def check_read(file: SpecFile, graph: Graph) -> None:
    """What is given must be read: otherwise something was forgotten, or has another name.

    But a loss need not depend on a parameter: the derivative by it is zero, and told as such.
    """
    read = {name for equation in graph.equations for name in reads(equation.rhs)}
    for section, role in SECTIONS.items():
        chosen = role is Role.PARAMETER and bool(graph.of_role(Role.LOSS))
        for name in getattr(file.spec, section):
            if name not in read and not chosen:
                raise file.fail((section, name), f"nothing reads '{name}'; leave it out or use it")


def check_positions(
    file: SpecFile,
    graph: Graph,
    values: Mapping[str, Tensor],
    samples: Sequence[Mapping[str, Tensor]],
) -> None:
    """Whole numbers that stand as positions must be on the axis, where zero would be read."""
    for name, (reading, size) in _picked(graph).items():
        section = next((s for s in SECTIONS if name in getattr(file.spec, s)), "inputs")
        tables: list[tuple[Path_, Tensor]] = [((section, name), values.get(name, {}))]
        tables += [(("samples", k, name), each.get(name, {})) for k, each in enumerate(samples)]
        for path, table in tables:
            for place, value in table.items():
                if not 0 <= value < size:
                    entry = f"{name}{list(place)}" if place else name
                    raise file.fail(
                        (*path, *place),
                        f"{entry} is {value}, but {reading} has {size} places there, "
                        f"0 to {size - 1}: positions count from 0",
                    )


def _picked(graph: Graph) -> dict[str, tuple[str, int]]:
    """Whole-number quantities that stand directly as a position: where, and on how many places."""
    found: dict[str, tuple[str, int]] = {}
    for equation in graph.equations:
        for reading in elements(equation.rhs):
            axes = graph.quantities[reading.name].axes
            for position, axis in zip(reading.indices, axes, strict=True):
                if isinstance(position, Element):
                    known = found.get(position.name)
                    if known is None or axis.length < known[1]:
                        found[position.name] = (str(reading).replace(", ", ","), axis.length)
    return found
