"""Loops of C: an assignment as nested loops, its reductions as variables of their own.

A reduction is computed in the outermost loop in which all its letters have values, and once for all
that reads it there.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import sympy

from derive.emit.apart import Products, terms_of
from derive.emit.arithmetic import (
    COMPARISONS,
    Code,
    Heads,
    Level,
    Spelling,
    call,
    digamma,
    number,
    polygamma,
    write,
)
from derive.emit.c_products import product_lines
from derive.emit.c_sums import Added, parted, total_of
from derive.emit.contractions import Contraction
from derive.emit.formula import position_formula
from derive.emit.layout import WIDTH
from derive.emit.loops import letters_beside
from derive.emit.program import Assignment
from derive.emit.prose import length
from derive.emit.python import MATH
from derive.emit.tree import (
    Divided,
    How,
    Loop,
    Node,
    Number,
    Pick,
    Read,
    Reduce,
    positions_of,
    walk,
)
from derive.expression import Axis, Index
from derive.graph import Quantity
from derive.places import stays_on_axis

STEP = 4
UNBROKEN = "\u00a0"
POINTER = re.compile(r"\b(Parameters|Sample|Forward|Gradients|State|double) (?=\*)")
TEMPORARY = {How.TOTAL: "sum", How.LARGEST: "most", How.LOG_TOTAL_EXP: "log_sum"}


def _indicator(compare: Callable[..., Code]) -> Callable[..., Code]:
    return lambda left, right: Code(f"(double)({compare(left, right).text})")


def _where(test: Code, yes: Code, no: Code) -> Code:
    text = f"{test.at(Level.COMPARISON)} ? {yes.at(Level.SUM)} : {no.at(Level.SUM)}"
    return Code(text, Level.CHOICE)


def _power(base: Code, exponent: int) -> Code:
    if exponent == 2:
        return Code(f"square({base.text})")
    return Code(f"whole_power({base.text}, {exponent})")


def _double(node: Number) -> Code:
    """A number in doubles: 1 / 2 is nothing among the integers of C."""
    shown = number(node)
    parts = [
        part if "." in part or "e" in part else f"{part}.0" for part in shown.text.split(" / ")
    ]
    return Code(" / ".join(parts), shown.level)


def _divided(node: Divided, position: Code) -> Code:
    """A division rounded down; that of C is rounded to zero, so nothing below it is divided."""
    by = node.divisor
    if node.low is None:
        left = f"({position.at(Level.POWER)} % {by} + {by}) % {by}"
        if node.remains:
            return Code(left, Level.SUM)
        return Code(f"({position.at(Level.SUM)} - {left}) / {by}", Level.SUM)
    often = max(-(node.low // by), 0)
    above = Code(f"{position.at(Level.SUM)} + {often * by}", Level.SUM) if often else position
    if node.remains:
        return Code(f"{above.at(Level.POWER)} % {by}", Level.SUM)
    found = Code(f"{above.at(Level.POWER)} / {by}", Level.SUM)
    return Code(f"{found.text} - {often}", Level.SUM) if often else found


HEADS: Heads = {
    **{name: call(own) for name, own in MATH.items()},
    **{
        name: call(name)
        for name in ("logistic", "softplus", "log_add_exp", "log_erfc", "inverse_mills", "sign")
    },
    **{name: _indicator(compare) for name, compare in COMPARISONS.items()},
    "abs": call("fabs"),
    "atan2": call("angle"),
    "digamma": digamma,
    "polygamma": polygamma,
    "max": call("larger"),
    "min": call("smaller"),
    "where": _where,
    "stop_gradient": lambda value: value,
    "power": call("pow"),
    "times log": call("times_log"),
    "times log1p": call("times_log1p"),
    "ratio": call("ratio"),
}
VECTORS = {"exp": call("exponential"), "tanh": call("tangent")}  # of large tables
CONSTANTS = {
    "pi": "3.141592653589793",
    "e": "2.718281828459045",
    "inf": "INFINITY",
    "learning_rate": "learning_rate",
    "step": "number",
}


@dataclass(frozen=True)
class Scope:
    """Where each quantity stands in C, names that letters may not have, and whole numbers.

    `fresh` numbers the variables of a function; in `large` ones tables are worth vectors.
    """

    places: Mapping[str, str]
    taken: frozenset[str]
    whole: tuple[Quantity, ...] = ()
    large: bool = False
    fresh: Iterator[int] = field(default_factory=lambda: count(1))

    def stands(self, assignment: Assignment) -> bool:
        """Whether an assignment says of a place that it holds what it holds."""
        value, own = assignment.value, self.places[assignment.quantity.name]
        return (
            isinstance(value, Read)
            and self.places[value.name] == own
            and value.indices == tuple(loop.index for loop in assignment.loops)
        )


def assigned(assignment: Assignment, scope: Scope) -> list[str]:
    """The lines of an assignment that is no part of a recurrence."""
    terms, products = terms_of(assignment)
    if products:
        return _with_products(assignment, total_of(terms), products, scope)
    rest, added = parted(assignment)
    each = replace(assignment, value=rest)
    lines = []
    if not (added and (added[0].alone or scope.stands(each))):
        lines = _Writer(scope, letters_beside((each,), scope.taken)).filled(each, each.loops)
    for part in added:
        lines += _Writer(
            scope, letters_beside((replace(each, value=part.body),), scope.taken, part.loops)
        ).added(each, part)
    return lines


def _with_products(
    assignment: Assignment, rest: Node, products: Products, scope: Scope
) -> list[str]:
    """What entries begin with, and then the products of matrices that are added."""
    each = replace(assignment, value=rest)
    lines = [] if scope.stands(each) else assigned(each, scope)
    writer = _Writer(scope, letters_beside((assignment,), scope.taken))
    for sign, product in products:
        lines += writer.multiplied(product, sign)
    return lines


def recurrent(group: Sequence[Assignment], scope: Scope) -> list[str]:
    """The lines of a recurrence: a loop over its steps, in which each quantity gets its entries."""
    letters, first = letters_beside(group, scope.taken), group[0]
    steps = [letters[loop.index] for loop in first.walked]
    for each in group:
        letters |= {loop.index: step for loop, step in zip(each.walked, steps, strict=True)}
    writer = _Writer(scope, letters)
    lines = [line for each in group for line in writer.at_a_step(each)]
    for turn, loop, step in reversed([*zip(first.walks, first.walked, steps, strict=True)]):
        lines = nested(step, loop.axis, lines, upward=turn.step > 0)
    return lines


def wrapped(line: str) -> list[str]:
    """A line of C, broken between words where it is too long."""
    pad = " " * (len(line) - len(line.lstrip()) + STEP)
    kept = POINTER.sub(f"\\1{UNBROKEN}", line)
    parts = textwrap.wrap(
        kept, WIDTH, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False
    )
    return [part.replace(UNBROKEN, " ") for part in parts]


def nested(letter: str, axis: Axis, lines: Iterable[str], upward: bool = True) -> list[str]:
    """Lines in a loop over an axis."""
    size = length(axis)
    run = f"{letter} = 0; {letter} < {size}; {letter}++"
    if not upward:
        run = f"{letter} = {size} - 1; {letter} >= 0; {letter}--"
    return [f"for (int {run}) {{", *(f"{' ' * STEP}{line}" for line in lines), "}"]


@dataclass
class _Open:
    """A loop whose lines are being written, and the variables that its reductions have there."""

    loop: Loop | None
    lines: list[str] = field(default_factory=list)
    known: dict[Node, str] = field(default_factory=dict)


class _Writer:
    """Writes expressions; what they need before them goes into the open loops, outermost first."""

    def __init__(self, scope: Scope, letters: Mapping[Index, str]) -> None:
        self.scope, self.letters = scope, letters
        self.open: list[_Open] = []
        heads = {**HEADS, **VECTORS} if scope.large else HEADS
        self.spelling = Spelling(
            self._read, self._reduce, self._pick, self._position, heads, CONSTANTS,
            indicator="(double)({})".format, both="0 <= {0} && {0} < {1}",
            number=_double, power=_power, counted=self._counted, divided=_divided,
        )  # fmt: skip

    def filled(self, assignment: Assignment, loops: Iterable[Loop]) -> list[str]:
        """The lines that give every entry its value, in these loops."""
        self.open = [_Open(None), *map(_Open, loops)]
        value = write(assignment.value, self.spelling).text
        places = "".join(f"[{self.letters[loop.index]}]" for loop in assignment.loops)
        target = self.scope.places[assignment.quantity.name]
        self.open[-1].lines.append(f"{target}{places} = {value};")
        self._closed(1)
        return self.open[0].lines

    def at_a_step(self, assignment: Assignment) -> list[str]:
        """The lines of a quantity at one step of a recurrence."""
        terms, products = terms_of(assignment)
        each = replace(assignment, value=total_of(terms)) if products else assignment
        lines = self.filled(each, each.others)
        for sign, product in products:
            lines += self.multiplied(product, sign)
        return lines

    def multiplied(self, product: Contraction, sign: int) -> list[str]:
        """The lines that add a product of matrices."""
        self.open = [_Open(None)]
        return product_lines(product, self._factor, self._position, self.scope.places, sign)

    def _factor(self, node: Node) -> str:
        return write(node, self.spelling).at(Level.PRODUCT)

    def added(self, assignment: Assignment, part: Added) -> list[str]:
        """The lines that add to the entries."""
        self.open = [_Open(None), *map(_Open, part.loops)]
        value = write(part.body, self.spelling)
        text, guard = self._entry(
            assignment.quantity.name,
            [(part.places.get(loop.index, loop.index), loop.axis) for loop in assignment.loops],
        )
        line = f"{text} {'+' if part.sign > 0 else '-'}= {value.text};"
        if part.alone:
            line = f"{text} = {value.text};"
        lines = [f"if ({guard}) {{", f"    {line}", "}"] if guard else [line]
        self.open[-1].lines += lines
        self._closed(1)
        return self.open[0].lines

    def _closed(self, depth: int) -> None:
        """Every open loop from a depth on, as a line of the one around it."""
        for inner, outer in zip(self.open[: depth - 1 : -1], self.open[-2::-1], strict=False):
            assert inner.loop is not None
            outer.lines += nested(self.letters[inner.loop.index], inner.loop.axis, inner.lines)
        del self.open[depth:]

    def _reduce(self, node: Reduce) -> Code:
        return Code(self._found(node, self._reduced), Level.NAME)

    def _pick(self, node: Pick) -> Code:
        """Whether a place, counted in reading order, is that of the first largest value."""
        first = self._found(replace(node, positions=()), self._first)
        place = ""
        for loop, position in zip(node.largest.loops, node.positions, strict=True):
            here = self._position(position).at(Level.SUM)
            place = f"({place}) * {length(loop.axis)} + {here}" if place else here
        return Code(f"(double)({place} == {first})")

    def _fresh(self, what: str) -> str:
        """A name for a variable that nothing else has."""
        names = (f"{what}{number}" for number in self.scope.fresh)
        return next(name for name in names if name not in self.scope.taken)

    def _found(self, node: Reduce | Pick, compute: Callable[[Any], str]) -> str:
        """The variable of a reduction, computed as far outside as its letters allow."""
        letters = {s for part in walk(node) for p in positions_of(part) for s in p.free_symbols}
        home = max(
            k for k, each in enumerate(self.open) if each.loop is None or each.loop.index in letters
        )
        block = self.open[home]
        if node not in block.known:
            deeper, self.open = self.open[home + 1 :], self.open[: home + 1]
            block.known[node] = compute(node)
            self.open += deeper
        return block.known[node]

    def _loops(self, loops: Iterable[Loop], start: Sequence[str]) -> int:
        """Opens loops after some lines; where the first of them stands."""
        depth = len(self.open)
        self.open[-1].lines += start
        self.open += map(_Open, loops)
        return depth

    def _reduced(self, node: Reduce) -> str:
        name = self._fresh(TEMPORARY[node.how])
        if node.how is How.LOG_TOTAL_EXP and not any(
            isinstance(part, Reduce) for part in walk(node.body)
        ):
            return self._log_of_sum(node, name)
        start = {
            How.TOTAL: [f"double {name} = 0.0;"],
            How.LARGEST: [f"double {name} = -INFINITY;"],
            How.LOG_TOTAL_EXP: [f"double {name} = -INFINITY;", f"double {name}_share = 0.0;"],
        }[node.how]
        line = {
            How.TOTAL: f"{name} += {{}};",
            How.LARGEST: f"{name} = larger({name}, {{}});",
            How.LOG_TOTAL_EXP: f"add_exp(&{name}, &{name}_share, {{}});",
        }[node.how]
        home = self._run(node, start, line)
        if node.how is How.LOG_TOTAL_EXP:
            home.lines.append(f"{name} += log({name}_share);")
        return name

    def _run(self, node: Reduce, start: Sequence[str], line: str) -> _Open:
        """Lines of a reduction, of which the last is written for each of its values."""
        home = self.open[-1]
        depth = self._loops(node.loops, start)
        value = write(node.body, self.spelling)
        self.open[-1].lines.append(line.format(value.at(Level.PRODUCT)))
        self._closed(depth)
        return home

    def _log_of_sum(self, node: Reduce, name: str) -> str:
        """First the largest, then the sum of the exponentials of what is left without it.

        Without one that is a number, nothing is taken away: the exponentials are 0 or infinite.
        """
        self._run(node, [f"double {name} = -INFINITY;"], f"{name} = larger({name}, {{}});")
        exp = "exponential" if self.scope.large else "exp"
        start = [
            f"{name} = fabs({name}) < INFINITY ? {name} : 0.0;",
            f"double {name}_share = 0.0;",
        ]
        line = f"{name}_share += {exp}({{}} - {name});"
        self._run(node, start, line).lines.append(f"{name} += log({name}_share);")
        return name

    def _first(self, node: Pick) -> str:
        name = self._fresh("first")
        start = [f"double {name} = 0.0, {name}_place = 0.0, {name}_most = -INFINITY;"]
        depth = self._loops(node.largest.loops, start)
        value = write(node.largest.body, self.spelling).text
        self.open[-1].lines += [
            f"const double {name}_value = {value};",
            f"{name} = {name}_value > {name}_most ? {name}_place : {name};",
            f"{name}_most = larger({name}_most, {name}_value);",
            f"{name}_place += 1.0;",
        ]
        self._closed(depth)
        return name

    def _position(self, position: sympy.Expr) -> Code:
        if isinstance(position, Index):
            return Code(self.letters[position], Level.NAME)
        whole = replace(self.spelling, number=number, counted=None)
        return write(position_formula(position, self.scope.whole), whole)

    def _counted(self, position: sympy.Expr) -> Code:
        """A position as a number, in doubles."""
        return Code(f"(double){self._position(position).at(Level.CALL)}")

    def _read(self, node: Read) -> Code:
        """An entry; outside its axes it is zero."""
        text, guard = self._entry(node.name, zip(node.indices, node.axes, strict=True))
        if guard:
            zero = "0" if any(q.name == node.name for q in self.scope.whole) else "0.0"
            return Code(f"{guard} ? {text} : {zero}", Level.CHOICE)
        return Code(text, Level.CALL)

    def _entry(self, name: str, pairs: Iterable[tuple[sympy.Expr, Axis]]) -> tuple[str, str]:
        """An entry, and what must hold for it to be there; nothing if it always is."""
        text, guards = self.scope.places[name], []
        for position, axis in pairs:
            place = self._position(position)
            text += f"[{place.text}]"
            if not stays_on_axis(position, axis.size):
                here = place.at(Level.SUM)
                guards.append(f"0 <= {here} && {here} < {length(axis)}")
        return text, " && ".join(guards)
