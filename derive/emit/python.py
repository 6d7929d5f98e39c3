"""The target `python`: the standard library only, a line per scalar or nested lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import sqrt
from types import MappingProxyType

import sympy

from derive.emit.arithmetic import (
    COMPARISONS,
    Code,
    Level,
    Spelling,
    call,
    choice,
    digamma,
    floating,
    polygamma,
    write,
)
from derive.emit.layout import statement
from derive.emit.loops import grouped, looped, recurrent, zeros
from derive.emit.module import Writing, module
from derive.emit.names import RESERVED, code_name
from derive.emit.program import Assignment, Program, is_scalar, lower
from derive.emit.scalars import Place, needed, scalar_codes, with_helpers, written_out
from derive.emit.tree import EmitError, Number, Pick, Read, Reduce
from derive.functions import ROWS
from derive.graph import Derivation, Quantity, Role
from derive.problem import Problem, Tensor
from derive.scalar import positions

TEMPLATE = "code/python.py.j2"
HELPERS = MappingProxyType(
    {
        "logistic": ("math",),
        "softplus": ("math",),
        "times_log": ("math",),
        "times_log1p": ("math",),
        "ratio": (),
        "sign": (),
        "atan2": ("math",),
        "polygamma": ("math",),
        "log_add_exp": ("math",),
        "log_erfc": ("math", "tail_series"),
        "inverse_mills": ("math", "tail_series"),
        "tail_series": (),
        "log_sum_exp": ("math", "Sequence"),
        "is_first_largest": ("Sequence",),
        "dot": ("Sequence",),
    }
)
NAMES = RESERVED | HELPERS.keys() | {"math", "random", "generator", "NamedTuple", "Sequence"}
CONSTANTS = MappingProxyType(
    {name: f"math.{name}" for name in ("pi", "e", "inf")}
    | {"batch": "batch", "learning_rate": "learning_rate", "step": "number"}
)
TYPES = ("float", "Vector", "Matrix")


def _indicator(compare: Callable[..., Code]) -> Callable[..., Code]:
    return lambda left, right: call("float")(compare(left, right))


def _of_list(name: str) -> Callable[..., Code]:
    return lambda *values: Code(f"{name}([{', '.join(value.text for value in values)}])")


def _picked(place: Code, *values: Code) -> Code:
    return Code(f"is_first_largest({place.text}, [{', '.join(v.text for v in values)}])")


MATH = {row.name: row.math for row in ROWS if row.math} | {
    name: name for name in ("expm1", "log1p", "erfc", "sqrt")
}
OWN = ("logistic", "softplus", "atan2", "log_add_exp", "log_erfc", "inverse_mills")
HEADS = MappingProxyType(
    {name: call(f"math.{own}") for name, own in MATH.items()}
    | {name: call(name) for name in (*OWN, "max", "min", "abs", "sign")}
    | {name: _indicator(compare) for name, compare in COMPARISONS.items()}
    | {"digamma": digamma, "polygamma": polygamma}
    | {
        "where": choice,
        "stop_gradient": lambda value: value,
        "power": call("math.pow"),
        "times log": call("times_log"),
        "times log1p": call("times_log1p"),
        "ratio": call("ratio"),
        "logsumexp of": _of_list("log_sum_exp"),
        "max of": call("max"),
        "is first largest": _picked,
    }
)


def python_codes(problem: Problem) -> Mapping[Place, str]:
    """The variables of a module with a line per scalar; none for nested lists."""
    return scalar_codes(problem, NAMES) if is_scalar(problem) else {}


def emit_python(problem: Problem, derivation: Derivation) -> str:
    """A module of plain Python."""
    if is_scalar(problem):
        program = lower(problem, derivation, batch=sympy.Integer(1))
        return module(program, _straight(program))
    program = lower(problem, derivation)
    return module(program, _nested(program))


def _straight(program: Program) -> Writing:
    """A line per scalar, under the names of the page."""
    codes = with_helpers(python_codes(program.problem), program)

    def fields(quantities: Iterable[Quantity]) -> list[str]:
        return [codes[q.name, place] for q in quantities for place in positions(q.axes)]

    return Writing(
        TEMPLATE,
        fields,
        kind=lambda quantity: "float",
        lines=lambda assignments, results: _scalar_lines(assignments, results, codes),
        data=_floats,
        example=_random_scalars,
        batch="1",
        helpers=HELPERS,
        zeros=zeros,
        straight=True,
    )


def _scalar_lines(
    assignments: Iterable[Assignment], results: Iterable[Quantity], codes: Mapping[Place, str]
) -> list[str]:
    """A line for every entry that the results need."""

    def read(node: Read) -> Code:
        return Code(codes[node.name, tuple(map(int, node.indices))], Level.NAME)

    spelling = Spelling(
        read, _unexpected, _unexpected, lambda k: Code(str(k), Level.NAME), HEADS, CONSTANTS
    )
    entries = [entry for assignment in assignments for entry in written_out(assignment)]
    wanted = {(q.name, place) for q in results for place in positions(q.axes)}
    lines = []
    for place, node in needed(entries, wanted):
        code = write(node, spelling)
        text = floating(code).text if isinstance(node, Number) else code.text
        lines += statement(f"{codes[place]} = ", text)
    return lines


def _unexpected(node: Reduce | Pick) -> Code:
    raise EmitError(f"{type(node).__name__} is left in a scalar equation")


def _floats(quantity: Quantity, values: Tensor) -> list[str]:
    return [repr(float(values[place])) for place in positions(quantity.axes)]


def _random_scalars(record: str, quantities: Iterable[Quantity]) -> str:
    """A record of made-up scalars; where the target is a distribution, one output has it all."""
    parts = []
    for quantity in quantities:
        places = list(positions(quantity.axes))
        start = -1.0 if quantity.role is Role.PARAMETER else 0.0
        text = f"generator.uniform({start}, 1.0)"
        if quantity.sums_to_one:
            parts += [repr(float(place[-1] == 0)) for place in places]
        else:
            parts.append(f"*[{text} for _ in range({len(places)})]" if len(places) > 1 else text)
    return f"{record}._make([{', '.join(parts)}])"


def _nested(program: Program) -> Writing:
    """Nested lists under the names of the quantities."""
    quantities = (
        program.sample + program.parameters + program.values + program.gradients + program.updated
    )
    taken = NAMES | {code_name(quantity.name) for quantity in quantities}
    return Writing(
        TEMPLATE,
        fields=lambda quantities: [code_name(quantity.name) for quantity in quantities],
        kind=_type,
        lines=lambda assignments, _: [
            line
            for group in grouped(assignments)
            for line in (
                recurrent(group, HEADS, CONSTANTS, taken, _type)
                if group[0].walks
                else looped(group[0], HEADS, CONSTANTS, taken, _type(group[0].quantity))
            )
        ],
        data=lambda quantity, values: [table(quantity, (), values)],
        example=_random_tables,
        batch="len(x)",
        helpers=HELPERS,
        zeros=zeros,
    )


def _type(quantity: Quantity) -> str:
    rank = len(quantity.axes)
    if quantity.integer:
        return f"{'list[' * rank}int{']' * rank}"
    return TYPES[rank] if rank < len(TYPES) else f"{'list[' * rank}float{']' * rank}"


def table(quantity: Quantity, place: tuple[int, ...], values: Tensor) -> str:
    """The values of a quantity as nested lists."""
    if len(place) == len(quantity.shape):
        return repr(int(values[place]) if quantity.integer else float(values[place]))
    rows = range(quantity.shape[len(place)])
    return f"[{', '.join(table(quantity, (*place, k), values) for k in rows)}]"


def _random_tables(record: str, quantities: Iterable[Quantity]) -> str:
    """A record of made-up tables; where the target is a distribution, one output has it all."""
    return f"{record}({', '.join(f'{code_name(q.name)}={_random_table(q)}' for q in quantities)})"


def _random_table(quantity: Quantity) -> str:
    if quantity.sums_to_one:
        rows, columns = quantity.shape
        row = f"[float(o == n % {columns}) for o in range({columns})]"
        return f"[{row} for n in range({rows})]"
    text = f"generator.uniform({low(quantity)}, {-low(quantity) or 1.0})"
    if quantity.integer:
        text = "0"
    for axis in reversed(quantity.axes):
        text = f"[{text} for _ in range({axis.length})]"
    return text


def low(quantity: Quantity) -> float:
    """The lower end of made-up values; weights shrink with the number of inputs of a unit."""
    if quantity.role is not Role.PARAMETER:
        return 0.0
    return -round(1 / sqrt(quantity.shape[-1]), 3) if len(quantity.axes) > 1 else -0.1
