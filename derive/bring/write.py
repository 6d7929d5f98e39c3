"""A model as it was read becomes the text of a spec."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from derive.bring.damage import damage
from derive.bring.goal import ABOVE, Goal, goal
from derive.bring.operation import REFUSED, Given, Operation, Traced, Unsayable, Value, refs
from derive.bring.rules import RULES
from derive.bring.table import Nested, Table
from derive.bring.writer import Use, Writer
from derive.build import build
from derive.errors import InputError, printable, shown
from derive.graph import Role
from derive.limits import MOST_BYTES, MOST_VALUES
from derive.problem import Problem
from derive.spec import parse_spec

LINE = 96
SECTIONS = {
    Role.INPUT: "inputs",
    Role.TARGET: "targets",
    Role.CONSTANT: "constants",
    Role.PARAMETER: "parameters",
}


@dataclass(frozen=True)
class Brought:
    """The text of a spec, what one should know of it, and the weights that it has no room for."""

    text: str
    notes: tuple[str, ...]
    weights: Mapping[str, Table]

    @cached_property
    def problem(self) -> Problem:
        """What derive makes of the spec. Raises InputError if it is too much for it."""
        return build(parse_spec(self.text, "the spec of this model", "model"))


def spec_of(traced: Traced, loss: str = "", with_values: bool = True) -> Brought:
    """The spec of a model.

    Raises InputError that names all operations which a spec cannot say, each with its places.
    """
    writer = Writer(traced)
    operations = _needed(traced, writer)
    for name in traced.given:
        writer.define(name, traced.given[name].called)
    _carry_out(writer, operations)
    aim = goal(writer, loss)
    given = _read(writer, aim)
    notes = [*traced.notes, *writer.notes, *aim.notes]
    notes += _left_out(writer, given)
    tables = {writer.quantities[name]: each.numbers for name, each in given.items() if each.numbers}
    held = {name: numbers for name, numbers in tables.items() if numbers is not None}
    known = [each for each in given.values() if each.role is Role.PARAMETER]
    if not with_values or (known and not any(each.numbers for each in known)):
        return Brought(_text(writer, aim, given, {}, notes), tuple(notes), {})
    count = sum(math.prod(writer.values[name].shape) for name in given) + aim.entries
    if count <= MOST_VALUES:
        more = [*notes, *_made_up(writer, given, held, aim)]
        text = _text(writer, aim, given, held, more, True)
        if len(text.encode()) <= MOST_BYTES:
            return Brought(text, tuple(more), {})
    return Brought(_text(writer, aim, given, {}, notes), tuple(notes), held)


def _made_up(
    writer: Writer, given: Mapping[str, Given], held: Mapping[str, Table], aim: Goal
) -> Iterator[str]:
    """What is filled with one number, since the model does not know it."""
    names = [writer.quantities[name] for name in given if writer.quantities[name] not in held]
    names += aim.above
    if names:
        yield f"filled with 0, or with 1 where it is a factor; put in your own: {', '.join(names)}"


def _needed(traced: Traced, writer: Writer) -> list[Operation]:
    """The operations that the results come from; the last one of a layer is called like it."""
    needed, kept, called = set(traced.outputs), [], set[str]()
    for operation in reversed(traced.operations):
        if needed & {*operation.outputs}:
            own = operation.module if operation.module not in called else ""
            called.add(own)
            kept.append(replace(operation, module=own))
            needed |= {*refs(tuple(operation.arguments.values()))}
    writer.needed = frozenset(needed)
    return kept[::-1]


def _carry_out(writer: Writer, operations: Sequence[Operation]) -> None:
    """Write all operations. Raises InputError with every one that cannot be said."""
    refused: dict[str, list[str]] = {}
    for operation in operations:
        try:
            _write(writer, operation)
        except Unsayable as error:
            words = f"{operation.arguments.get('kind', operation.kind)}: {error}"
            refused.setdefault(words, []).append(operation.place)
            for k, name in enumerate(operation.outputs):  # so that what follows is judged, too
                if name not in writer.quantities and name in writer.values:
                    writer.define(name, f"{name}_{k}")
    if refused:
        count = sum(map(len, refused.values()))
        what = "an operation" if count == 1 else f"{count} operations"
        lines = [f"a spec cannot say {what} of this model:"]
        lines += [f"{words} — {_places(places)}" for words, places in refused.items()]
        raise InputError("\n  ".join(lines))


def _write(writer: Writer, operation: Operation) -> None:
    """Write one operation. Raises Unsayable."""
    if operation.kind == REFUSED:
        raise Unsayable(str(operation.arguments["why"]))
    if operation.kind not in RULES:
        raise Unsayable("this operation is not known here")
    try:
        RULES[operation.kind](Use(writer, operation))
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        raise Unsayable(f"its arguments do not go together: {damage(error)}") from error


def _places(places: Sequence[str], most: int = 3) -> str:
    left = len(places) - most
    return "; ".join(places[:most]) + (f"; and {left} more" if left > 0 else "")


def _read(writer: Writer, aim: Goal) -> dict[str, Given]:
    """What is given and read by some line of the model or the loss."""
    words = set(re.findall(r"[A-Za-z]\w*", " ".join((*writer.nodes, *aim.lines))))
    found = {
        name: each for name, each in writer.traced.given.items() if writer.quantities[name] in words
    }
    for name, value in writer.drawn.items():
        writer.quantities[name] = name
        writer.values[name] = value
        found[name] = Given(name, Role.CONSTANT)
    return found | dict(aim.targets)


def _left_out(writer: Writer, given: Mapping[str, Given]) -> Iterator[str]:
    out = [
        each.called
        for name, each in writer.traced.given.items()
        if name not in given and each.role in (Role.INPUT, Role.PARAMETER)
    ]
    if out:
        yield f"left out, since nothing of the result depends on it: {', '.join(map(shown, out))}"
    if writer.drawn:
        names = ", ".join(writer.drawn)
        yield f"drawn at random in the original, and given as a constant here: {names}"


# --- the text -------------------------------------------------------------------------------


def _text(
    writer: Writer,
    aim: Goal,
    given: Mapping[str, Given],
    tables: Mapping[str, Table],
    notes: Sequence[str],
    filled: bool = False,
) -> str:
    lines = [f"# {printable(' '.join(note.split()))}" for note in notes]
    lines.append(f"title: {json.dumps(printable(writer.traced.title), ensure_ascii=False)}")
    for role, section in SECTIONS.items():
        own = [name for name, each in given.items() if each.role is role]
        if own:
            lines.append(f"{section}:")
        for name in own:
            fill = str(int(name in writer.masks)) if filled else ""
            lines += _value(writer.quantities[name], writer.values[name], tables, fill)
    whole = [name for name in given if writer.values[name].whole]
    if whole:
        lines.append(f"integers: [{', '.join(writer.quantities[name] for name in whole)}]")
    if writer.sizes:
        pairs = (f"{letter}: {size}" for letter, size in sorted(writer.sizes.items()))
        lines.append(f"sizes: {{{', '.join(pairs)}}}")
    if writer.nodes:
        lines.append("model:")
        lines += [f"  - {node}" for node in writer.nodes]
    lines += (line.replace(ABOVE, ", values: 1" if filled else "") for line in aim.lines)
    return "\n".join(lines) + "\n"


def _value(name: str, value: Value, tables: Mapping[str, Table], fill: str) -> Iterator[str]:
    """A given quantity: its shape, or its numbers as nested lists."""
    if name not in tables and fill:
        shaped = f"{{shape: {list(value.shape)}, values: {fill}}}"
        yield f"  {name}: {shaped if value.shape else fill}"
        return
    if name not in tables:
        yield (
            f"  {name}: {{shape: {list(value.shape)}}}"
            if value.shape
            else f"  {name}: {{shape: []}}"
        )
        return
    numbers = tables[name].nested()
    flat = f"  {name}: {_flow(numbers)}"
    if len(flat) <= LINE:
        yield flat
    else:
        yield f"  {name}:"
        yield from (f"    {line}" for line in _block(numbers))


def _flow(value: Nested) -> str:
    return value if isinstance(value, str) else f"[{', '.join(map(_flow, value))}]"


def _block(value: Nested) -> Iterator[str]:
    """A list with a line for each row of numbers."""
    for part in value:
        if isinstance(part, str) or not part or isinstance(part[0], str):
            yield f"- {_flow(part)}"
        else:
            first, *rest = _block(part)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
