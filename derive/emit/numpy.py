"""The target `numpy`: whole arrays, for a batch of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from derive.emit.arithmetic import CHOICE, COMPARISONS, Code, call, choice, digamma, polygamma
from derive.emit.arrays import Arrays, vectorised
from derive.emit.dialect import Dialect
from derive.emit.grids import gridded, is_plain, stepwise
from derive.emit.hoisting import hoisted
from derive.emit.layout import STEP, statement
from derive.emit.loops import grouped
from derive.emit.module import Writing, module
from derive.emit.names import code_name
from derive.emit.program import Assignment, depended_on, lower
from derive.emit.python import low, table
from derive.emit.reuse import reusing
from derive.emit.sharing import shared
from derive.emit.tree import Apply, Constant, Number, Read, Sum, has_arrays, walk
from derive.emit.untaken import ARRAY, has_choice, without_errors
from derive.emit.windows import without_grids
from derive.functions import ROWS
from derive.graph import Derivation, Quantity
from derive.problem import Problem, Tensor

TEMPLATE = "code/numpy.py.j2"
HELPERS = MappingProxyType(
    {
        "logistic": (),
        "softplus": (),
        "times_log": (),
        "times_log1p": (),
        "ratio": (),
        "log_sum_exp": (),
        "is_first_largest": ("FEW",),
        "few_total": ("places",),
        "few_largest": ("places",),
        "places": ("math",),
        "contracted": ("as_matrix",),
        "as_matrix": ("math",),
        "atan2": (),
        "lgamma": ("math",),
        "polygamma": ("math",),
        "erf": ("math",),
        "erfc": ("math",),
        "log_erfc": ("math", "tail_series", "erf", "erfc"),
        "inverse_mills": ("math", "tail_series", "erfc"),
        "tail_series": (),
        "at": (),
        "over": (),
        "total": (),
        "largest": (),
        "first_place": (),
        "windows": (),
        "folded": (),
    }
)


def _indicator(compare: Callable[..., Code]) -> Callable[..., Code]:
    return lambda left, right: Code(f"np.where({compare(left, right).text}, 1.0, 0.0)")


NAMES = {row.name: row.numpy for row in ROWS if row.numpy} | {
    name: name for name in ("expm1", "log1p", "sqrt", "abs", "sign", "where")
}
OWN = (
    *("logistic", "softplus", "atan2", "lgamma", "erf", "erfc", "log_erfc", "inverse_mills"),
    "ratio",
)
HEADS = MappingProxyType(
    {name: call(f"np.{own}") for name, own in NAMES.items()}
    | {name: call(name) for name in OWN}
    | {"digamma": digamma, "polygamma": polygamma}
    | {"log_add_exp": call("np.logaddexp"), "times log": call("times_log")}
    | {"times log1p": call("times_log1p")}
    | {"power": call("np.float_power"), "stop_gradient": lambda value: value}
    | {"max": call("np.maximum"), "min": call("np.minimum")}
    | {name: _indicator(compare) for name, compare in COMPARISONS.items()}
    | {ARRAY: lambda number: Code(f"np.asarray({number.text}, dtype=float)")}
)
CONSTANTS = MappingProxyType(
    {name: f"np.{name}" for name in ("pi", "e", "inf")}
    | {"batch": "batch", "learning_rate": "learning_rate", "step": "number"}
)
DIALECT = Dialect({**HEADS, CHOICE: choice}, CONSTANTS)
QUIET = 'with np.errstate(over="ignore", divide="ignore", invalid="ignore"):'


def emit_numpy(problem: Problem, derivation: Derivation) -> str:
    """A module of NumPy. Raises EmitError for an equation that has no form for whole arrays."""
    return module(lower(problem, derivation), WRITING)


def in_groups(
    assignments: Iterable[Assignment], results: Iterable[Quantity]
) -> Iterator[tuple[Assignment, ...]]:
    """What the results need, with all that is computed once; a recurrence is one group."""
    return grouped(hoisted(shared(depended_on(reusing(assignments), results))))


def guarded(assignments: Iterable[Assignment]) -> list[Assignment]:
    """Lines of which no branch that is not taken makes an error."""
    return [
        replace(each, value=without_errors(each.value)) if has_choice(each.value) else each
        for each in assignments
    ]


def _lines(assignments: Iterable[Assignment], results: Iterable[Quantity]) -> list[str]:
    lines = []
    for group in in_groups(guarded(assignments), results):
        if group[0].walks:
            lines += _quiet(group, partial(stepwise, group, DIALECT))
        else:
            lines += _assigned(group[0])
    return lines


def _quiet(group: Iterable[Assignment], written: Callable[..., list[str]]) -> list[str]:
    """Lines, written as deep as they stand, in which a branch that is not taken may overflow."""
    nodes = (node for assignment in group for node in walk(assignment.value))
    if not any(isinstance(node, Apply) and _may_overflow(node) for node in nodes):
        return written(indent=STEP)
    return [" " * STEP + QUIET, *written(indent=2 * STEP)]


def _assigned(assignment: Assignment) -> list[str]:
    """An assignment; where it chooses, the branch not taken is computed too, and may overflow."""
    windowed = replace(assignment, value=without_grids(assignment.value))
    if not is_plain(windowed):
        return _quiet([assignment], partial(gridded, assignment, DIALECT))
    assignment = windowed
    text = vectorised(assignment, Arrays(DIALECT))
    head = f"{code_name(assignment.quantity.name)} = "
    if any(isinstance(node, Apply) and _may_overflow(node) for node in walk(assignment.value)):
        return [" " * STEP + QUIET, *statement(head, text, 2 * STEP)]
    return statement(head, text)


def _may_overflow(node: Apply) -> bool:
    branches = node.arguments[1:] if node.head == "where" and has_arrays(node) else ()
    parts = (part for branch in branches for part in walk(branch))
    return not all(isinstance(part, Number | Constant | Read | Sum) for part in parts)


def _kind(quantity: Quantity) -> str:
    if quantity.integer:
        return "Whole" if quantity.axes else "int"
    return "Array" if quantity.axes else "float"


def _data(quantity: Quantity, values: Tensor) -> list[str]:
    text = table(quantity, (), values)
    return [f"np.array({text})" if quantity.axes else text]


def record_of(drawn: Callable[[Quantity], str]) -> Callable[[str, Iterable[Quantity]], str]:
    """How a record of made-up arrays is written, each of which is drawn in this way."""

    def written(record: str, quantities: Iterable[Quantity]) -> str:
        return f"{record}({', '.join(f'{code_name(q.name)}={drawn(q)}' for q in quantities)})"

    return written


def random_array(quantity: Quantity) -> str:
    """Made-up values from a generator; where they are a distribution, one output has it all."""
    if quantity.sums_to_one:
        rows, columns = quantity.shape
        return f"np.eye({columns})[np.arange({rows}) % {columns}]"
    if quantity.integer:
        return f"np.zeros({quantity.shape}, dtype=np.int64)" if quantity.axes else "0"
    size = f", size={quantity.shape}" if quantity.axes else ""
    return f"generator.uniform({low(quantity)}, {-low(quantity) or 1.0}{size})"


WRITING = Writing(
    TEMPLATE,
    fields=lambda quantities: [code_name(quantity.name) for quantity in quantities],
    kind=_kind,
    lines=_lines,
    data=_data,
    example=record_of(random_array),
    batch="x.shape[0]",
    helpers=HELPERS,
    zeros=lambda quantity: f"np.zeros({quantity.shape})" if quantity.axes else "0.0",
)
