"""The target `jax`: pure functions of whole arrays that are compiled; recurrences are scans.

It shares all forms of arrays with the target `numpy`, whose functions JAX has under the same names.
What differs is what is written in place there: a step of a recurrence makes new arrays here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from types import MappingProxyType

from derive.emit.arrays import Arrays, vectorised
from derive.emit.dialect import Dialect
from derive.emit.grids import at_step, empty, gridded, is_plain, step_letters
from derive.emit.layout import STEP, WIDTH, statement
from derive.emit.module import Writing, module
from derive.emit.names import code_name
from derive.emit.numpy import CONSTANTS, HEADS, WRITING, in_groups, random_array, record_of
from derive.emit.program import Assignment, lower
from derive.emit.prose import length
from derive.emit.python import table
from derive.emit.tree import Read, walk
from derive.emit.windows import without_grids
from derive.graph import Derivation, Quantity
from derive.problem import Problem, Tensor

TEMPLATE = "code/jax.py.j2"
DIALECT = Dialect(HEADS, CONSTANTS, traced=True)
HELPERS = MappingProxyType(
    dict.fromkeys(WRITING.helpers, ())
    | {"inverse_mills": ("tail_series", "erfc"), "log_erfc": ("tail_series", "erf", "erfc")}
    | {"polygamma": ("math",)}
)


def emit_jax(problem: Problem, derivation: Derivation) -> str:
    """A module of JAX. Raises EmitError for an equation that has no form for whole arrays."""
    return module(lower(problem, derivation), WRITING_OF_JAX)


def _lines(assignments: Iterable[Assignment], results: Iterable[Quantity]) -> list[str]:
    lines, numbers = [], count(1)
    for group in in_groups(assignments, results):
        lines += scanned(group, next(numbers)) if group[0].walks else _assigned(group[0])
    return lines


def _assigned(assignment: Assignment) -> list[str]:
    windowed = replace(assignment, value=without_grids(assignment.value))
    if not is_plain(windowed):
        return gridded(assignment, DIALECT)
    head = f"{code_name(assignment.quantity.name)} = "
    return statement(head, vectorised(windowed, Arrays(DIALECT)))


def scanned(group: Sequence[Assignment], number: int) -> list[str]:
    """The lines of a recurrence: a function of one step, and its scan from empty arrays."""
    names = [code_name(each.quantity.name) for each in group]
    read = {node.name for each in group for node in walk(each.value) if isinstance(node, Read)}
    mark = str(number)
    while {f"step{mark}", f"arrays{mark}", f"steps{mark}"} & {*names, *map(code_name, read)}:
        mark += "_"
    letters = step_letters(group)
    counter = letters[0] if len(letters) == 1 else f"steps{mark}"
    lines = [
        f"    def step{mark}(arrays: Any, {counter}: Any) -> Any:",
        *_apart(names, "arrays", 8),
    ]
    if len(letters) > 1:
        lines += statement(f"{', '.join(letters)} = ", counter, 8)
    for each, name in zip(group, names, strict=True):
        place, opening, value = at_step(each, letters, DIALECT, 8)
        lines += [*opening, *statement(f"{name} = ", f"{name}.at[{place}].set({value})", 8)]
    comma = "," if len(names) == 1 else ""
    lines += statement("return ", f"({', '.join(names)}{comma}), None", 8)
    zeros = f"({', '.join(empty(each, DIALECT) for each in group)}{comma})"
    scan = f"lax.scan(step{mark}, {zeros}, {_steps(group[0])})"
    taken = _apart(names, f"arrays{mark}", STEP)
    return ["", *lines, "", *statement(f"arrays{mark}, _ = ", scan), *taken]


def _steps(first: Assignment) -> str:
    """The steps of a recurrence in their order; of several letters, an array for each."""
    sizes = [length(loop.axis) for loop in first.walked]
    turns = [turn.step for turn in first.walks]
    if len(sizes) == 1:
        return f"np.arange({sizes[0]}){', reverse=True' if turns[0] < 0 else ''}"
    shape = ", ".join(sizes)
    counted = f"np.unravel_index(np.arange({' * '.join(sizes)}), ({shape}))"
    if len(set(turns)) == 1:
        return f"{counted}{', reverse=True' if turns[0] < 0 else ''}"
    grids = ", ".join(
        f"np.arange({size})" if turn > 0 else f"np.arange({size})[::-1]"
        for size, turn in zip(sizes, turns, strict=True)
    )
    return f'[g.ravel() for g in np.meshgrid({grids}, indexing="ij")]'


def _apart(names: Sequence[str], source: str, indent: int) -> list[str]:
    """The lines that give the arrays of a recurrence names of their own."""
    room, targets = " " * indent, ", ".join(names) if len(names) > 1 else f"({names[0]},)"
    line = f"{room}{targets} = {source}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{room}(", *(f"{room}    {name}," for name in names), f"{room}) = {source}"]


def _data(quantity: Quantity, values: Tensor) -> list[str]:
    return [f"np.array({table(quantity, (), values)})"]


WRITING_OF_JAX: Writing = replace(
    WRITING,
    template=TEMPLATE,
    kind=lambda quantity: "Array",
    lines=_lines,
    data=_data,
    example=record_of(lambda quantity: f"np.array({random_array(quantity)})"),  # drawn by NumPy
    zeros=lambda quantity: f"np.zeros({quantity.shape})",
    helpers=HELPERS,
    scalar="Array",
    decorator="@jax.jit",
)
