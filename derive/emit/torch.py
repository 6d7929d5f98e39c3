"""The target `torch`: functions of tensors, forward and backward, and a module for PyTorch.

It shares all forms of arrays with the target `numpy`. The gradients are those derived here: `Loss`
hands them to autograd, so that they meet what PyTorch differentiates itself. All lines can be
differentiated once more, which is why no array is changed that a later derivative would read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import MappingProxyType

from derive.emit.arithmetic import COMPARISONS, Code, Heads, call, choice, polygamma
from derive.emit.arrays import Arrays, vectorised
from derive.emit.dialect import Torch, as_tensor, is_number
from derive.emit.grids import gridded, is_plain, stepwise
from derive.emit.layout import statement
from derive.emit.module import Writing, module
from derive.emit.names import code_name
from derive.emit.numpy import WRITING, guarded, in_groups, record_of
from derive.emit.program import Assignment, lower
from derive.emit.python import CONSTANTS, low, table
from derive.emit.untaken import ARRAY
from derive.emit.windows import without_grids
from derive.functions import ROWS
from derive.graph import Derivation, Quantity
from derive.problem import Problem, Tensor

TEMPLATE = "code/torch.py.j2"
HELPERS = MappingProxyType(
    {
        "log_add_exp": ("as_tensors",),
        "larger": ("as_tensors",),
        "smaller": ("as_tensors",),
        "times_log": ("as_tensors",),
        "times_log1p": ("as_tensors",),
        "ratio": ("as_tensors",),
        "log_sum_exp": (),
        "is_first_largest": ("FEW",),
        "few_total": (),
        "few_largest": (),
        "contracted": (),
        "angle": ("as_tensors",),
        "log_erfc": (),
        "inverse_mills": (),
        "spread": (),
        "filled": (),
        "grid": (),
        "at": ("widened",),
        "over": (),
        "total": (),
        "largest": (),
        "first_place": ("widened",),
        "widened": (),
        "windows": (),
        "folded": (),
        "drawn": (),
    }
)


def _of_tensors(name: str) -> Callable[..., Code]:
    """A function of tensors and numbers, of which the first must be a tensor if none is."""

    def written(*arguments: Code) -> Code:
        texts = [argument.text for argument in arguments]
        if all(map(is_number, texts)):
            texts[0] = as_tensor(texts[0])
        return Code(f"{name}({', '.join(texts)})")

    return written


def _where(condition: Code, yes: Code, no: Code) -> Code:
    if is_number(condition.text):
        return choice(condition, yes, no)
    first = as_tensor(yes.text) if is_number(no.text) else yes.text
    return Code(f"torch.where({condition.text}, {first}, {no.text})")


def _indicator(compare: Callable[..., Code]) -> Callable[..., Code]:
    def written(left: Code, right: Code) -> Code:
        condition = compare(left, right).text
        return Code(f"float({condition})" if is_number(condition) else f"({condition}).to(DTYPE)")

    return written


def _in_steps(written: Callable[..., Code]) -> Callable[..., Code]:
    """A function within a step, where the place of the step may be all that an argument has.

    What is read at a place is a tensor; everything else is made one.
    """

    def safely(*arguments: Code) -> Code:
        texts = (argument.text for argument in arguments)
        return written(*[Code(t if _is_surely_tensor(t) else _made(t)) for t in texts])

    return safely


def _where_in_steps(condition: Code, yes: Code, no: Code) -> Code:
    return _where(Code(f"torch.as_tensor({condition.text})"), yes, no)


def _indicator_in_steps(compare: Callable[..., Code]) -> Callable[..., Code]:
    return lambda left, right: Code(f"torch.as_tensor({compare(left, right).text}).to(DTYPE)")


def _is_surely_tensor(text: str) -> bool:
    return "[" in text or text.startswith("torch.") or is_number(text)


def _made(text: str) -> str:
    return f"torch.as_tensor({text}, dtype=DTYPE)"


NAMES = {row.name: row.torch for row in ROWS if row.torch and row.arity == 1} | {
    name: name for name in ("expm1", "log1p", "sqrt", "abs", "sign", "erfc")
}
OF_TENSORS: Heads = (
    {name: _of_tensors(f"torch.{own}") for name, own in NAMES.items()}
    | {name: _of_tensors(name) for name in ("log_erfc", "inverse_mills")}
    | {"logistic": _of_tensors("torch.sigmoid"), "power": _of_tensors("torch.pow")}
)
OF_ANY: Heads = {
    "polygamma": lambda order, x: Code(f"torch.{polygamma(order, x).text}"),
    "softplus": lambda x: call("log_add_exp")(x, Code("0.0")),
    "log_add_exp": call("log_add_exp"),
    "atan2": call("angle"),
    "times log": call("times_log"),
    "times log1p": call("times_log1p"),
    "ratio": call("ratio"),
    "stop_gradient": lambda value: value,
    ARRAY: lambda value: Code(as_tensor(value.text)),
    "max": call("larger"),
    "min": call("smaller"),
}
HEADS: Heads = {
    **OF_TENSORS,
    **OF_ANY,
    "where": _where,
    **{name: _indicator(compare) for name, compare in COMPARISONS.items()},
}
STEPPED: Heads = {
    **{name: _in_steps(written) for name, written in OF_TENSORS.items()},
    **OF_ANY,
    "where": _where_in_steps,
    **{name: _indicator_in_steps(compare) for name, compare in COMPARISONS.items()},
}
DIALECT = Torch(HEADS, CONSTANTS, stepped=STEPPED)


def emit_torch(problem: Problem, derivation: Derivation) -> str:
    """A module of PyTorch. Raises EmitError for an equation that has no form for whole arrays."""
    return module(lower(problem, derivation), WRITING_OF_TORCH)


def _lines(assignments: Iterable[Assignment], results: Iterable[Quantity]) -> list[str]:
    lines = []
    for group in in_groups(guarded(assignments), results):
        lines += stepwise(group, DIALECT) if group[0].walks else _assigned(group[0])
    return lines


def _assigned(assignment: Assignment) -> list[str]:
    windowed = replace(assignment, value=without_grids(assignment.value))
    if not is_plain(windowed):
        return gridded(assignment, DIALECT)
    value = DIALECT.single(vectorised(windowed, Arrays(DIALECT)))
    return statement(f"{code_name(assignment.quantity.name)} = ", value)


def _dtype(quantity: Quantity) -> str:
    return "torch.int64" if quantity.integer else "DTYPE"


def _data(quantity: Quantity, values: Tensor) -> list[str]:
    return [f"torch.tensor({table(quantity, (), values)}, dtype={_dtype(quantity)})"]


def _drawn(quantity: Quantity) -> str:
    """Made-up values from a generator; where they are a distribution, one output has it all."""
    if quantity.sums_to_one:
        rows, columns = quantity.shape
        return f"torch.eye({columns}, dtype=DTYPE)[torch.arange({rows}) % {columns}]"
    if quantity.integer:
        return f"torch.zeros({quantity.shape}, dtype=torch.int64)"
    return f"drawn(generator, {low(quantity)}, {-low(quantity) or 1.0}, {quantity.shape})"


WRITING_OF_TORCH: Writing = replace(
    WRITING,
    template=TEMPLATE,
    kind=lambda quantity: "Tensor",
    lines=_lines,
    data=_data,
    example=record_of(_drawn),
    zeros=lambda quantity: f"torch.zeros({quantity.shape}, dtype=DTYPE)",
    helpers=HELPERS,
    scalar="Tensor",
    decorator_of_updates="@torch.no_grad()",
)
