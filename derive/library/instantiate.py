"""A row of the library in use: its letters get sizes, its names become those of the graph."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from derive.equations import parse_equations
from derive.errors import InputError, nearest
from derive.expression import Axis, Element, rebuild
from derive.graph import Equation, Kind, Quantity, Role
from derive.library.row import Layer, Number, Signature, free_letters, signature, written_out
from derive.symbols import symbol

Wires = Mapping[str, Quantity | Fraction]
_NAME = re.compile(r"[A-Za-z]\w*")


@dataclass(frozen=True)
class Instance:
    """What a use of a layer adds to a graph, and the quantity that goes on.

    `operands` are the names that stand for the operands of the row, in its order.
    """

    given: tuple[Quantity, ...]
    equations: tuple[Equation, ...]
    output: Quantity
    operands: tuple[str, ...] = ()


@dataclass
class _Letters:
    """The axes of the letters as they become known, each with where it was seen."""

    row: Layer
    name: str
    axes: dict[str, Axis] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    def meet(self, letter: str, axis: Axis, where: str) -> None:
        """A letter stands on an axis. Raises InputError if it has another size already."""
        known = self.axes.setdefault(letter, axis)
        self.seen.setdefault(letter, where)
        if known.size != axis.size:
            raise self.fail(
                f"the letter '{letter}' has {known.size} values in {self.seen[letter]} "
                f"but {axis.size} in {where}",
                letter,
            )

    def size(self, letter: str) -> int | None:
        return int(self.axes[letter].size) if letter in self.axes else None

    def full(self, own: str) -> str:
        """The name in the graph of one of the layer's own names."""
        return f"{self.name}_{own}" if self.name else own

    def fail(self, words: str, letter: str = "") -> InputError:
        return InputError(f"{self.row.name} '{self.name}': {words}", letter)


def instantiate(
    row: Layer,
    name: str,
    wires: Wires,
    settings: Mapping[str, Number],
    sizes: Mapping[str, int],
    output: str | None = None,
) -> Instance:
    """A layer as equations of a graph.

    `wires` maps the layer's own names to quantities, or to numbers that stand for all entries. What
    is not wired is made: a parameter `W` is called `{name}_W`, or `W` if the name is empty. Raises
    InputError for sizes that do not fit or are not known, and for anything that must be wired.
    """
    letters = _Letters(row, name)
    operands = [signature(text) for text in row.operands]
    _check_names(letters, operands, wires, settings, sizes)
    extra = _extra(letters, operands, wires)
    chosen = {**row.settings, **settings}
    for operand in operands:
        _meet_wire(letters, operand, extra, wires)
    for letter, count in sizes.items():
        if count < 1:
            raise letters.fail(f"the letter '{letter}' would have {count} values")
        letters.meet(letter, Axis(f"{name}.{letter}", sympy.Integer(count)), "its sizes")
    _compute_sizes(letters, chosen)
    local, made, numbers = _operands(letters, operands, extra, wires)
    alone = [operand.name for operand in operands if _alone(operand, wires)]
    equations = _equations(letters, local, extra, alone, chosen, output)
    equations = tuple(_with_numbers(equation, numbers) for equation in equations)
    wanted = output or name or row.output
    goes_on = next((e.quantity for e in equations if e.quantity.name == wanted), None)
    if goes_on is None:
        raise letters.fail(f"no equation defines its output '{row.output}'")
    read = tuple(quantity.name for quantity in local.values())
    return Instance(tuple(made), equations, goes_on, read)


def _check_names(
    letters: _Letters,
    operands: list[Signature],
    wires: Wires,
    settings: Mapping[str, Number],
    sizes: Mapping[str, int],
) -> None:
    """Everything that a use names must be of the row, and the row must name its own operands."""
    row = letters.row
    own = [operand.name for operand in operands]
    places = " ".join(re.findall(r"\[([^\]]*)\]", row.equations))
    words = set(_NAME.findall(places)) - {*own, *row.settings, "size"}
    words |= {letter for operand in operands for letter in operand.letters}
    for what, used, known in (
        ("operand", wires, own),
        ("setting", settings, row.settings),
        ("letter", sizes, words),
        ("operand", row.optional, own),
        ("operand", row.integers, own),
    ):
        for each in used:
            if each not in known:
                raise letters.fail(f"it has no {what} '{each}'; {nearest(each, known)}")
    if len(set(own)) < len(own):
        raise letters.fail("two of its operands have the same name")


def _extra(letters: _Letters, operands: list[Signature], wires: Wires) -> tuple[str, ...]:
    """The letters that `...` stands for, from what the inputs are wired to."""
    row = letters.row
    taken = frozenset(x for operand in operands for x in operand.letters)
    taken |= frozenset(_NAME.findall(row.equations)) | row.sizes.keys()
    found: tuple[str, ...] | None = None
    for operand in operands:
        wire = wires.get(operand.name)
        if operand.open is None or not isinstance(wire, Quantity):
            continue
        count = len(wire.axes) - len(operand.letters)
        if count < 0:
            raise letters.fail(
                f"'{wire.name}' has {len(wire.axes)} axes but "
                f"{operand.name}[{','.join(operand.letters)}] needs {len(operand.letters)}"
            )
        if count == 0:  # one for all: it is read without the further axes
            continue
        if found is None:
            found = free_letters(count, taken)
        elif len(found) != count:
            own = ",".join(("...", *operand.letters))
            raise letters.fail(
                f"'{wire.name}' has {len(wire.axes)} axes where {operand.name}[{own}] has "
                f"{len(found) + len(operand.letters)} as the inputs before it do"
            )
    return found or ()


def _alone(operand: Signature, wires: Wires) -> bool:
    """Whether an operand is wired to something without the further axes: one for all samples."""
    wire = wires.get(operand.name)
    no_more = isinstance(wire, Quantity) and len(wire.axes) == len(operand.letters)
    return no_more and operand.open is not None


def _meet_wire(letters: _Letters, operand: Signature, extra: tuple[str, ...], wires: Wires) -> None:
    row = letters.row
    wire = wires.get(operand.name)
    if not isinstance(wire, Quantity):
        if wire is None and operand.name in {signature(text).name for text in row.inputs}:
            raise letters.fail(f"its input '{operand.name}' is not wired")
        return
    if (operand.name in row.integers) != wire.integer:
        need = "whole numbers: list it under 'integers'" if not wire.integer else "real numbers"
        raise letters.fail(f"'{wire.name}' stands for {operand.name}, which holds {need}")
    own = operand.letters if _alone(operand, wires) else operand.over(extra)
    if len(own) != len(wire.axes):
        raise letters.fail(
            f"'{wire.name}' has {len(wire.axes)} axes but {operand.name}[{','.join(own)}] "
            f"has {len(own)}"
        )
    for letter, axis in zip(own, wire.axes, strict=True):
        letters.meet(letter, axis, f"'{wire.name}'")


def _compute_sizes(letters: _Letters, settings: Mapping[str, Number]) -> None:
    """Work out the sizes that the row tells from others; those already known must agree."""
    waiting = dict(letters.row.sizes)
    while waiting:
        ready = {}
        for letter, text in waiting.items():
            size = _size(text, letters, settings)
            if size is not None:
                ready[letter] = size
        for letter, size in ready.items():
            if size < 1:
                raise letters.fail(f"the letter '{letter}' would have {size} values")
            axis = Axis(f"{letters.name}.{letter}", sympy.Integer(size))
            letters.meet(letter, axis, f"{waiting.pop(letter)}")
        if not ready:
            return


def _size(text: str, letters: _Letters, settings: Mapping[str, Number]) -> int | None:
    """The value of a size formula; None while a letter in it is not known. Raises InputError."""

    def read(node: ast.expr) -> int | None:
        match node:
            case ast.Constant(value=int() as number):
                return number
            case ast.Name() if node.id in settings:
                return _whole(settings[node.id], f"the setting '{node.id}'", letters)
            case ast.Call(func=ast.Name(id="size"), args=[ast.Name(id=letter)]):
                return letters.size(letter)
            case ast.Call(func=ast.Name(id="max"), args=[first, second]):
                left, right = read(first), read(second)
                return None if left is None or right is None else max(left, right)
            case ast.BinOp() if type(node.op) in _WHOLE:
                left, right = read(node.left), read(node.right)
                if left is None or right is None:
                    return None
                if right == 0 and isinstance(node.op, ast.FloorDiv | ast.Div):
                    raise letters.fail(f"the size '{text}' divides by zero")
                return _whole(_WHOLE[type(node.op)](left, right), f"the size '{text}'", letters)
        raise letters.fail(
            f"the size '{text}' is not made of size(), max(), settings and + - * / //"
        )

    try:
        return read(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise letters.fail(f"the size '{text[:40]}' is no formula") from None


def _whole(number: Number, what: str, letters: _Letters) -> int:
    """A number that must be whole: a remainder would leave entries out without a word."""
    if number.denominator != 1:
        raise letters.fail(f"{what} is {number}, but it must be a whole number")
    return int(number)


_WHOLE: Mapping[type[ast.operator], Callable[[int, int], Number]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: Fraction,
    ast.FloorDiv: lambda a, b: a // b,
}


def _operands(
    letters: _Letters, operands: list[Signature], extra: tuple[str, ...], wires: Wires
) -> tuple[dict[str, Quantity], list[Quantity], dict[str, Fraction]]:
    """The quantity for each operand, those that are made here, and those that are numbers."""
    row = letters.row
    parameters = {signature(text).name for text in row.parameters}
    local: dict[str, Quantity] = {}
    made: list[Quantity] = []
    numbers: dict[str, Fraction] = {}
    for operand in operands:
        wire = wires.get(operand.name, row.optional.get(operand.name))
        if isinstance(wire, Quantity):
            local[operand.name] = wire
            continue
        own = operand.over(extra)
        axes = tuple(_axis(letters, letter, operand) for letter in own)
        kind = Kind.DATA
        if operand.name in parameters:
            kind = Kind.BIAS if operand.name.startswith("b") else Kind.WEIGHT
        quantity = Quantity(
            letters.full(operand.name),
            symbol(operand.name, len(axes)),
            axes,
            Role.PARAMETER if operand.name in parameters else Role.CONSTANT,
            kind,
            integer=operand.name in row.integers,
        )
        local[operand.name] = quantity
        if wire is None:
            made.append(quantity)
        elif operand.name in row.integers and (wire < 0 or wire.denominator != 1):
            raise letters.fail(f"{operand.name} holds whole numbers from 0 on, but here is {wire}")
        else:
            numbers[quantity.name] = Fraction(wire)
    return local, made, numbers


def _axis(letters: _Letters, letter: str, operand: Signature) -> Axis:
    axis = letters.axes.get(letter)
    if axis is None:
        raise letters.fail(
            f"the size of the letter '{letter}' of {operand.name} is unknown; say "
            f"'sizes: {{{letter}: 3}}' or wire '{operand.name}' to a quantity"
        )
    return axis


def _equations(
    letters: _Letters,
    local: Mapping[str, Quantity],
    extra: tuple[str, ...],
    alone: list[str],
    settings: Mapping[str, Number],
    output: str | None,
) -> tuple[Equation, ...]:
    """The equations of the row under the names of the graph."""
    row, name = letters.row, letters.name
    taken = {quantity.name for quantity in local.values()}

    def describe(own: str, axes: tuple[Axis, ...]) -> Quantity:
        goes_on = own == row.output
        full = (output or name or own) if goes_on else letters.full(own)
        if full in taken:
            raise letters.fail(f"what it defines and what it reads are both called '{full}'")
        return Quantity(full, symbol(full if goes_on else own, len(axes)), axes, Role.HIDDEN)

    variables = {key: sympy.Rational(value) for key, value in settings.items()}
    clash = variables.keys() & (letters.axes.keys() | local.keys())
    if clash:
        raise letters.fail(f"'{min(clash)}' is a setting and something else, too")
    text = written_out(row.equations, extra, alone)
    return parse_equations(text, local, letters.axes, describe, variables)


def _with_numbers(equation: Equation, numbers: Mapping[str, Fraction]) -> Equation:
    """An equation in which numbers stand for the operands that are no quantities."""

    def change(node: sympy.Expr) -> sympy.Expr:
        if not isinstance(node, Element):
            return node
        if node.name in numbers:
            return sympy.Rational(numbers[node.name])
        return Element(node.name, *[rebuild(position, change) for position in node.indices])

    if not numbers:
        return equation
    return Equation(equation.quantity, equation.indices, rebuild(equation.rhs, change))
