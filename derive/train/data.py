"""Arrays → the samples of a module: which array is which quantity, and how batches are cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import InputError, nearest, shown
from derive.expression import Index, elements
from derive.graph import Graph, Quantity, Role
from derive.problem import Problem

Array = NDArray[Any]


@dataclass(frozen=True)
class Data:
    """Samples by quantity, all along the first axis, and what is the same for all of them.

    A batch is a part of the samples along that axis; where `one_by_one`, a problem knows no batch,
    and a sample is handed over without that axis.
    """

    varying: Mapping[str, Array]
    constant: Mapping[str, Array]
    one_by_one: bool

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(next(iter(self.varying.values())))

    def batch(self, chosen: Array) -> dict[str, Array]:
        """The values of some samples, by quantity."""
        place = int(chosen[0]) if self.one_by_one else chosen
        return {**self.constant, **{name: array[place] for name, array in self.varying.items()}}


@dataclass(frozen=True)
class Wanted:
    """What a problem takes besides its parameters."""

    quantities: tuple[Quantity, ...]
    values: Mapping[str, Array]
    graph: Graph

    @cached_property
    def by_name(self) -> Mapping[str, Quantity]:
        return {quantity.name: quantity for quantity in self.quantities}

    @cached_property
    def together(self) -> list[set[tuple[str, int]]]:
        """The axes that run together: an equation has one letter for them."""
        groups: list[set[tuple[str, int]]] = []
        for equation in self.graph.equations:
            places: dict[Index, set[tuple[str, int]]] = {}
            for element in (equation.lhs, *elements(equation.rhs)):
                for axis, index in enumerate(element.indices):
                    if isinstance(index, Index):
                        places.setdefault(index, set()).add((element.name, axis))
            for axes in places.values():
                apart = [group for group in groups if not group & axes]
                groups = [*apart, axes.union(*(group for group in groups if group & axes))]
        return groups


def wanted(problem: Problem) -> Wanted:
    """The quantities that data can be of, with the values that the spec has for them."""
    others = [q for q in problem.graph.given if q.role is not Role.PARAMETER]
    values = {
        q.name: _dense(problem.values[q.name], q.shape) for q in others if q.name in problem.values
    }
    return Wanted(tuple(others), values, problem.graph)


def fitted(arrays: Mapping[str, Array], want: Wanted) -> Data:
    """The arrays of files as the samples of a problem. Raises InputError."""
    for name in arrays:
        if name not in want.by_name:
            hint = nearest(name, want.by_name)
            raise InputError(f"the data are of {shown(name)}, which is nothing given; {hint}")
    if not arrays or not all(array.size for array in arrays.values()):
        raise InputError("the data have no sample")
    found = {name: _entries(array, want.by_name[name]) for name, array in arrays.items()}
    missing = [q.name for q in want.quantities if q.name not in {*found, *want.values}]
    if missing:
        raise InputError(f"neither the data nor the spec has values of {shown(missing[0])}")
    one_by_one = _without_batch(found, want)
    lengths = {name: len(array) for name, array in found.items()}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{length:,} of {shown(name)}" for name, length in lengths.items())
        raise InputError(f"the data have samples in different numbers: {told}")
    constant = {name: value for name, value in want.values.items() if name not in found}
    if not one_by_one:
        for name, quantity in want.by_name.items():
            if name in constant and quantity.axes and _count_samples((*found, name), want):
                raise InputError(f"the data have no {shown(name)}, which each sample has one of")
    return Data(found, constant, one_by_one)


def _entries(array: Array, quantity: Quantity) -> Array:
    """An array with the axes of a quantity, a first axis that counts samples, or both.

    Pictures may be laid out flat, and labels stand for rows with a single 1.
    """
    shape = quantity.shape
    if quantity.integer:
        return _fit(_whole(array, quantity), quantity)
    labels = array.ndim == 1 and len(shape) >= 1 and shape[-1] > 1
    if labels and len(shape) in (1, 2) and quantity.role is Role.TARGET:
        places = _whole(array, quantity)
        if places.min() < 0 or places.max() >= shape[-1]:
            raise InputError(
                f"labels of {shown(quantity.name)} are from 0 to {shape[-1] - 1}; the data have "
                f"{places.min()} to {places.max()}"
            )
        return np.eye(shape[-1])[places]
    return _fit(np.asarray(array, dtype=float), quantity)


def _whole(array: Array, quantity: Quantity) -> Array:
    whole = array.astype(np.int64)
    if not (whole == array).all():
        raise InputError(f"{shown(quantity.name)} takes whole numbers; the data have others")
    return whole


def _fit(array: Array, quantity: Quantity) -> Array:
    shape = quantity.shape
    if array.shape[1:] in (shape, shape[1:]) and array.ndim and (shape or array.ndim == 1):
        return array
    size = int(np.prod(array.shape[1:]))
    for form in (shape[1:], shape):  # pictures as rows of pixels, or the reverse
        if array.ndim > 1 and form and int(np.prod(form)) == size:
            return array.reshape(len(array), *form)
    raise InputError(
        f"{shown(quantity.name)} is {_form(shape)}, each sample a first axis more or one along its "
        f"first axis; the data are {_form(array.shape)}"
    )


def _form(shape: Iterable[int]) -> str:
    sizes = [str(size) for size in shape]
    return " × ".join(sizes) if sizes else "a single number"


def _without_batch(found: Mapping[str, Array], want: Wanted) -> bool:
    """Whether each sample fills a quantity as a whole. Raises InputError if only some do.

    Otherwise all quantities of the data begin with one axis, which no parameter has.
    """
    wholes = {name for name, array in found.items() if array.ndim > len(want.by_name[name].axes)}
    if wholes and wholes != set(found):
        rest = min(set(found) - wholes)
        raise InputError(
            f"each sample of {shown(min(wholes))} fills it as a whole, and those of {shown(rest)} "
            "are its first axis; give both in one way"
        )
    if wholes:
        return True
    if not _count_samples(found, want):
        raise InputError(
            f"the first axis of {shown(min(found))} does not count samples; give each sample as a "
            "whole, with a first axis more"
        )
    return False


def _count_samples(names: Iterable[str], want: Wanted) -> bool:
    """Whether the first axes of some quantities run together, and no axis of a parameter does."""
    parameters = {quantity.name for quantity in want.graph.of_role(Role.PARAMETER)}
    firsts = {(name, 0) for name in names}
    return any(
        firsts <= group and not parameters & {name for name, _ in group} for group in want.together
    )


def _dense(table: Mapping[tuple[int, ...], Any], shape: tuple[int, ...]) -> Array:
    array = np.empty(shape)
    for place, value in table.items():
        array[place] = float(value)
    return array
