"""Index grids: any equation at all as whole arrays, for what has no plainer form.

Every index is an array of its own along an axis of its own; readings broadcast against each other,
sums run over axes. What may lie outside a tensor is read through `at`, which is zero there.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from derive.emit.arithmetic import Code, Level, Spelling, total, write
from derive.emit.arrays import Arrays, assigned
from derive.emit.dialect import Dialect
from derive.emit.formula import position_formula
from derive.emit.layout import STEP, statement
from derive.emit.loops import in_order
from derive.emit.names import code_name
from derive.emit.program import Assignment
from derive.emit.prose import length
from derive.emit.tree import (
    How,
    Loop,
    Node,
    Pick,
    Position,
    Read,
    Reduce,
    Same,
    Within,
    positions_of,
    walk,
)
from derive.emit.views import NONE_FIXED, Fixed, divided_letter, is_fixed, is_view
from derive.emit.windows import used_in
from derive.expression import Index
from derive.graph import Quantity
from derive.places import on_axis, stays_on_axis

TAKEN = frozenset({*keyword.kwlist, "np", "torch", "at", "over", "l", "I", "O", "batch"})


def is_plain(assignment: Assignment, fixed: Fixed = NONE_FIXED) -> bool:
    """Whether every reading takes whole axes or slices, so that the equation needs no grids."""
    return all(_is_plain(node, fixed) for node in walk(assignment.value))


def _is_plain(node: Node, fixed: Fixed) -> bool:
    match node:
        case Read():
            return is_view(node, fixed)
        case Same(left=left, right=right) if any(is_on(side, fixed) for side in (left, right)):
            return all(is_fixed(side, fixed) for side in (left, right))
        case Same(left=left, right=right):
            letters = [side for side in (left, right) if not side.is_Integer]
            return all(isinstance(side, Index) for side in letters) and all(
                on_axis(side, letters[0].axis.size) for side in (left, right)
            )
        case Pick():
            return not any(is_on(p, fixed) for p in node.positions) and _is_array_of_places(node)
        case Position():
            letter = divided_letter(node.index)
            whole = isinstance(node.index, Index) or letter not in (None, *fixed)
            return whole or is_fixed(node.index, fixed)
        case Reduce():
            return len(node.loops) == 1 or node.how is not How.LOG_TOTAL_EXP
        case Within():
            return is_fixed(node.position, fixed)
    return True


def is_on(position: sympy.Expr, fixed: Fixed) -> bool:
    """Whether a letter that is fixed stands in a position."""
    return bool(position.free_symbols & fixed.keys())


def _is_array_of_places(node: Pick) -> bool:
    """Whether places asked for are letters that run as far as those of the largest value."""
    loops, letters = node.largest.loops, [p for p in node.positions if isinstance(p, Index)]
    if len(set(letters)) < len(node.positions):
        return False
    bound = {loop.index for loop in loops}
    return all(
        letter.axis.size == loop.axis.size
        and (letter in bound or not used_in(letter, node.largest))
        for letter, loop in zip(letters, loops, strict=True)
    )


def gridded(assignment: Assignment, dialect: Dialect, indent: int = STEP) -> list[str]:
    """The lines of one assignment."""
    grid = _Grid.of(assignment, {}, dialect)
    return [
        *grid.opening(indent),
        *statement(f"{code_name(assignment.quantity.name)} = ", grid.value(assignment), indent),
    ]


def stepwise(group: Sequence[Assignment], dialect: Dialect, indent: int = STEP) -> list[str]:
    """The lines of a recurrence: empty arrays, then a loop that fills them step by step."""
    pad = " " * indent
    lines = [f"{pad}{code_name(each.quantity.name)} = {empty(each, dialect)}" for each in group]
    steps, first = step_letters(group), group[0]
    for step, turn, loop in zip(steps, first.walks, first.walked, strict=True):
        lines.append(f"{' ' * indent}for {step} in {in_order(turn, loop)}:")
        indent += STEP
    for each in group:
        place, opening, value = at_step(each, steps, dialect, indent)
        target, text = dialect.filling(code_name(each.quantity.name), place, value)
        lines += [*opening, *statement(target, text, indent)]
    return lines


def empty(each: Assignment, dialect: Dialect) -> str:
    """An array of zeros for what an assignment of a recurrence defines."""
    return dialect.zeros([length(loop.axis) for loop in each.loops])


def step_letters(group: Sequence[Assignment]) -> list[str]:
    """The variables that count the steps of a recurrence, the outermost first."""
    read = {node.name for each in group for node in walk(each.value) if isinstance(node, Read)}
    named = {code_name(name) for name in (*read, *(each.quantity.name for each in group))}
    steps: list[str] = []
    for loop in group[0].walked:
        steps.append(_letter(loop.index, {*named, *steps}))
    return steps


def at_step(
    each: Assignment, steps: Sequence[str], dialect: Dialect, indent: int
) -> tuple[str, list[str], str]:
    """The places that one step of a recurrence fills, what is made before, and their values."""
    fixed = {loop.index: step for loop, step in zip(each.walked, steps, strict=True)}
    dialect = dialect.in_steps()
    place = ", ".join(fixed.get(loop.index, ":") for loop in each.loops)
    if is_plain(each, fixed):
        return place, [], assigned(each, Arrays(dialect, fixed))
    grid = _Grid.of(each, fixed, dialect)
    return place, grid.opening(indent), grid.value(each)


def _letter(index: Index, taken: Iterable[str]) -> str:
    letter = index.name
    while letter in TAKEN or letter in taken:
        letter += "_"
    return letter


@dataclass(frozen=True)
class _Grid:
    """The letters of one assignment: those that are fixed, and those with an axis of the grid."""

    fixed: Mapping[Index, str]
    free: tuple[Loop, ...]
    bound: tuple[Loop, ...]
    letters: Mapping[Index, str]
    dialect: Dialect
    whole: tuple[Quantity, ...]

    @classmethod
    def of(cls, assignment: Assignment, fixed: Mapping[Index, str], dialect: Dialect) -> _Grid:
        free = tuple(loop for loop in assignment.loops if loop.index not in fixed)
        bound: dict[Index, Loop] = {}
        names = {code_name(assignment.quantity.name)}
        for node in walk(assignment.value):
            if isinstance(node, Reduce):
                bound |= {loop.index: loop for loop in node.loops}
            if isinstance(node, Read):
                names.add(code_name(node.name))
        letters = dict(fixed)
        for loop in (*free, *bound.values()):
            letters[loop.index] = _letter(loop.index, {*names, *letters.values()})
        inner = tuple(bound.values())
        return cls(fixed, free, inner, letters, dialect, assignment.whole)

    def opening(self, indent: int) -> list[str]:
        """The line that makes the index arrays."""
        loops = (*self.free, *self.bound)
        if not loops:
            return []
        names = ", ".join(self.letters[loop.index] for loop in loops)
        if len(loops) == 1:
            return [f"{' ' * indent}{names} = {self.dialect.places(length(loops[0].axis))}"]
        grid = self.dialect.grid([length(loop.axis) for loop in loops])
        return statement(f"{names} = ", grid, indent)

    def value(self, assignment: Assignment) -> str:
        """The right side, with the axes of the free letters only."""
        spelling = self.spelling()
        text = write(assignment.value, spelling).text
        if not self.free and not self.bound:
            return text
        if not self.free:
            return self.dialect.alone(text)
        sizes = ", ".join(length(loop.axis) for loop in self.free)
        return f"over({text}, {sizes})"

    def spelling(self) -> Spelling:
        return Spelling(
            self.read,
            self.reduce,
            self.pick,
            self.position,
            self.dialect.heads,
            self.dialect.constants,
            lambda condition: self.dialect.indicator(condition).text,
            "(0 <= {0}) & ({0} < {1})",
            counted=self._counted,
        )

    def position(self, position: sympy.Expr) -> Code:
        if isinstance(position, Index):
            return Code(self.letters[position], Level.NAME)
        in_places = replace(self.spelling(), counted=None)
        return write(position_formula(position, self.whole), in_places)

    def _counted(self, position: sympy.Expr) -> Code:
        """A position as a number to count with."""
        place = self.position(position)
        if is_fixed(position, self.fixed):
            return place
        return self.dialect.counted(place)

    def read(self, node: Read) -> Code:
        """A reading; one that may leave its axis goes through `at`."""
        name = code_name(node.name)
        if not node.indices:
            return Code(name, Level.NAME)
        places = [self.position(position).text for position in node.indices]
        pairs = zip(node.indices, node.axes, strict=True)
        if all(stays_on_axis(position, axis.size) for position, axis in pairs):
            return Code(f"{name}[{', '.join(places)}]")
        if any(quantity.name == node.name for quantity in self.whole):
            return Code(self.dialect.whole(f"at({', '.join([name, *places])})"))
        return Code(f"at({', '.join([name, *places])})")

    def reduce(self, node: Reduce) -> Code:
        """A sum, a maximum or a log-sum-exp over axes of the grid, which stay with length 1."""
        body = self._spread(node)
        axes = self._axes(node.loops)
        if node.how is How.LOG_TOTAL_EXP:
            return Code(self.dialect.widened(f"log_sum_exp({body.text}, {axes})", axes))
        name = "total" if node.how is How.TOTAL else "largest"
        return Code(f"{name}({body.text}, {axes})")

    def pick(self, node: Pick) -> Code:
        """Whether a place, counted in reading order, is that of the first largest value."""
        text = ""
        for loop, position in zip(node.largest.loops, node.positions, strict=True):
            here = self.position(position).at(Level.SUM)
            text = f"({text}) * {length(loop.axis)} + {here}" if text else here
        body = self._spread(node.largest).text
        axes = tuple(len(self.free) + self._bound_place(loop) for loop in node.largest.loops)
        return self.dialect.indicator(f"first_place({body}, {axes}) == {text}")

    def _spread(self, node: Reduce) -> Code:
        """The body of a reduction; equal values along an axis are values all the same."""
        body = write(node.body, self.spelling())
        positions = [position for part in walk(node.body) for position in positions_of(part)]
        missing = [
            loop.index for loop in node.loops if not any(p.has(loop.index) for p in positions)
        ]
        zeros = (Code(f"0.0 * {self.letters[index]}", Level.PRODUCT) for index in missing)
        return total([(1, body), *((1, zero) for zero in zeros)])

    def _axes(self, loops: tuple[Loop, ...]) -> str:
        places = [len(self.free) + self._bound_place(loop) for loop in loops]
        return str(places[0]) if len(places) == 1 else str(tuple(places))

    def _bound_place(self, loop: Loop) -> int:
        return [each.index for each in self.bound].index(loop.index)
