"""Nested lists: assignments as comprehensions over their indices."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import sympy

from derive.emit.arithmetic import Code, Heads, Level, Spelling, floating, write
from derive.emit.formula import position_formula
from derive.emit.layout import statement
from derive.emit.names import code_name
from derive.emit.program import Assignment, Walked
from derive.emit.prose import length
from derive.emit.tree import How, Loop, Node, Pick, Product, Read, Reduce, walk
from derive.expression import Index
from derive.graph import Quantity
from derive.places import on_axis, stays_on_axis

CONFUSING = ("l", "I", "O")


def looped(
    assignment: Assignment,
    heads: Heads,
    constants: Mapping[str, str],
    taken: Iterable[str],
    annotation: str,
) -> list[str]:
    """The lines of one assignment."""
    spelling = _Loops(letters(assignment, taken), heads, constants, assignment.whole).spelling()
    text = floating(write(assignment.value, spelling)).text
    for loop in reversed(assignment.loops):
        letter = spelling.position(loop.index).text
        text = f"[{text} for {letter} in range({length(loop.axis)})]"
    return statement(f"{code_name(assignment.quantity.name)}: {annotation} = ", text)


def recurrent(
    group: Sequence[Assignment],
    heads: Heads,
    constants: Mapping[str, str],
    taken: Iterable[str],
    annotation: Callable[[Quantity], str],
) -> list[str]:
    """The lines of a recurrence: empty tables, then a loop that fills them step by step."""
    lines: list[str] = []
    for each in group:
        name = code_name(each.quantity.name)
        lines += statement(f"{name}: {annotation(each.quantity)} = ", zeros(each.quantity))
    used = {name for each in group for name in letters(each, taken).values()}
    steps: list[str] = []
    for turn, loop in zip(group[0].walks, group[0].walked, strict=True):
        step = loop.index.name
        while step in {*taken, *steps, *CONFUSING, *keyword.kwlist, *dir(builtins)}:
            step += "_"
        lines.append(f"{' ' * 4 * (len(steps) + 1)}for {step} in {in_order(turn, loop)}:")
        steps.append(step)
    for each in group:
        lines += _filled(each, steps, used, heads, constants, taken)
    return lines


def in_order(turn: Walked, loop: Loop) -> str:
    """The steps of a walk, as a loop of Python goes through them."""
    size = length(loop.axis)
    return f"range({size})" if turn.step > 0 else f"reversed(range({size}))"


def _filled(
    each: Assignment,
    steps: Sequence[str],
    used: set[str],
    heads: Heads,
    constants: Mapping[str, str],
    taken: Iterable[str],
) -> list[str]:
    """The lines that compute one quantity of a recurrence at one step."""
    walking = [loop.index for loop in each.walked]
    names = {**letters(each, {*taken, *steps}), **dict(zip(walking, steps, strict=True))}
    spelling = _Loops(names, heads, constants, each.whole).spelling()
    lines, indent = [], 4 * (len(steps) + 1)
    for loop in each.others:
        lines.append(f"{' ' * indent}for {names[loop.index]} in range({length(loop.axis)}):")
        indent += 4
    place = "".join(f"[{names[loop.index]}]" for loop in each.loops)
    value = floating(write(each.value, spelling)).text
    return [*lines, *statement(f"{code_name(each.quantity.name)}{place} = ", value, indent)]


def zeros(quantity: Quantity) -> str:
    """A table of zeros."""
    text = "0.0"
    for axis in reversed(quantity.axes):
        short = f"[{text}] * {length(axis)}"
        text = short if text == "0.0" else f"[{text} for _ in range({length(axis)})]"
    return text


def grouped(assignments: Iterable[Assignment]) -> Iterator[tuple[Assignment, ...]]:
    """Assignments one by one, those of a recurrence together."""
    for _, same in groupby(assignments, key=lambda each: (each.group, bool(each.walks))):
        together = tuple(same)
        if together[0].walks:
            yield together
        else:
            yield from ((each,) for each in together)


def letters(assignment: Assignment, taken: Iterable[str]) -> dict[Index, str]:
    """A variable for every index of an assignment, different from all that is taken."""
    return letters_beside((assignment,), {*taken, *CONFUSING, *keyword.kwlist, *dir(builtins)})


def letters_beside(
    assignments: Iterable[Assignment], taken: Iterable[str], more: Iterable[Loop] = ()
) -> dict[Index, str]:
    """A variable for every index of some assignments, and of some more loops."""
    found: dict[Index, str] = {}
    used = set(taken)
    for assignment in assignments:
        loops = [*assignment.loops, *more]
        for node in walk(assignment.value):
            loops += node.loops if isinstance(node, Reduce) else ()
        for loop in loops:
            if loop.index not in found:
                # the place in a window is called by what it is, such as `d - u`
                letter = loop.index.name if loop.index.name.isidentifier() else "k"
                while letter in used:
                    letter += "_"
                found[loop.index] = letter
                used.add(letter)
    return found


class _Loops:
    """How nested lists are read, and how they are reduced."""

    def __init__(
        self,
        letters: Mapping[Index, str],
        heads: Heads,
        constants: Mapping[str, str],
        whole: tuple[Quantity, ...],
    ) -> None:
        self.letters = letters
        self.heads = heads
        self.constants = constants
        self.whole = whole

    def spelling(self) -> Spelling:
        return Spelling(
            self.read, self.reduce, self.pick, self.position, self.heads, self.constants
        )

    def position(self, position: sympy.Expr) -> Code:
        if isinstance(position, Index):
            return Code(self.letters[position], Level.NAME)
        return write(position_formula(position, self.whole), self.spelling())

    def read(self, node: Read) -> Code:
        """An entry; a position that may leave its axis is guarded, because outside it is zero."""
        text = code_name(node.name)
        guards = []
        for position, axis in zip(node.indices, node.axes, strict=True):
            place = self.position(position)
            text += f"[{place.text}]"
            if not stays_on_axis(position, axis.size):
                guards.append(f"0 <= {place.at(Level.SUM)} < {length(axis)}")
        if guards:
            zero = "0" if any(q.name == node.name for q in self.whole) else "0.0"
            return Code(f"{text} if {' and '.join(guards)} else {zero}", Level.CHOICE)
        return Code(text, Level.CALL if node.indices else Level.NAME)

    def reduce(self, node: Reduce) -> Code:
        if node.how is How.TOTAL:
            dot = self._dot(node)
            return dot or Code(f"sum({self._values(node, '', '')})")
        name = {How.LOG_TOTAL_EXP: "log_sum_exp", How.LARGEST: "max"}[node.how]
        return Code(f"{name}({self._values(node, '[', ']')})")

    def pick(self, node: Pick) -> Code:
        """Whether a place, counted in reading order, is that of the first largest value."""
        text = ""
        for loop, position in zip(node.largest.loops, node.positions, strict=True):
            here = self.position(position).at(Level.SUM)
            text = f"({text}) * {length(loop.axis)} + {here}" if text else here
        return Code(f"is_first_largest({text}, {self._values(node.largest, '[', ']')})")

    def _values(self, node: Reduce, opening: str, closing: str) -> str:
        """The values of the body: a row of a list where they are one, otherwise a comprehension."""
        if len(node.loops) == 1 and _is_row(node.body, node.loops[0]):
            return self._row(node.body)
        loops = "".join(
            f" for {self.letters[loop.index]} in range({length(loop.axis)})" for loop in node.loops
        )
        return f"{opening}{write(node.body, self.spelling()).text}{loops}{closing}"

    def _row(self, node: Node) -> str:
        assert isinstance(node, Read)
        places = "".join(f"[{self.position(index).text}]" for index in node.indices[:-1])
        return f"{code_name(node.name)}{places}"

    def _dot(self, node: Reduce) -> Code | None:
        """The scalar product of two rows, if the sum is one."""
        body = node.body
        if not isinstance(body, Product) or body.below or len(body.above) != 2:
            return None
        if len(node.loops) != 1 or not all(_is_row(f, node.loops[0]) for f in body.above):
            return None
        return Code(f"dot({', '.join(map(self._row, body.above))})")


def _is_row(node: Node, loop: Loop) -> bool:
    """Whether a tree reads a whole row: the index of the loop is the last one and nowhere else."""
    return (
        isinstance(node, Read)
        and bool(node.indices)
        and node.indices[-1] == loop.index
        and all(isinstance(i, Index) and i != loop.index for i in node.indices[:-1])
        and all(on_axis(i, a.size) for i, a in zip(node.indices, node.axes, strict=True))
    )
