"""The nouns of the program, all frozen: quantities, equations, graphs, derivations; and `check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

import sympy

from derive.errors import InputError
from derive.expression import Axis, Element, Index, bound_indices, elements, reads
from derive.places import Division
from derive.recurrence import Line, Walk, no_way, walks
from derive.seen import SeenAsFormula


class Role(StrEnum):
    """What a quantity is for."""

    INPUT = "input"
    PARAMETER = "parameter"
    TARGET = "target"
    CONSTANT = "constant"
    HIDDEN = "hidden"
    LOSS = "loss"
    ADJOINT = "adjoint"


class Kind(StrEnum):
    """What a hidden quantity is to a reader of the page."""

    DATA = "data"
    WEIGHT = "weight"
    BIAS = "bias"
    NET = "net input"
    OUT = "activation"
    ERROR = "error"
    LARGEST = "largest term"
    LOG_TOTAL = "log of the total"
    OTHER = "other"


@dataclass(frozen=True)
class SlopeOf:
    """Which derivative a quantity of a model is: of one entry by another.

    `at` names the own axis that stands at each place of what is differentiated; behind the first
    ones, `before` of them, stand those of what it is differentiated by.
    """

    of: str
    by: str
    at: tuple[int, ...]
    before: int


@dataclass(frozen=True)
class Quantity:
    """Something with a name and a shape; `name` is for code, `tex` for pages.

    An `integer` quantity holds whole numbers (tokens, labels) and may stand in a position; `slope`
    says of a derivative that belongs to the model which one it is.
    """

    name: str
    tex: str
    axes: tuple[Axis, ...]
    role: Role
    kind: Kind = Kind.OTHER
    layer: int = 0
    sums_to_one: bool = False
    integer: bool = False
    slope: SlopeOf | None = None

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.length for axis in self.axes)

    @property
    def given(self) -> bool:
        """Whether its values come from outside rather than from an equation."""
        return self.role in (Role.INPUT, Role.PARAMETER, Role.TARGET, Role.CONSTANT)


@dataclass(frozen=True)
class Equation(SeenAsFormula):
    """`quantity[indices] = rhs` for all index values."""

    quantity: Quantity
    indices: tuple[Index, ...]
    rhs: sympy.Expr

    @property
    def lhs(self) -> Element:
        return Element(self.quantity.name, *self.indices)


def letters_by_place(
    reading: Element, quantities: Mapping[str, Quantity]
) -> Iterator[tuple[Index, Axis]]:
    """Every letter that is a place of a reading by itself, with the axis of that place.

    The axis of the letter itself may have another name: letters are equal by name and size, and
    SymPy exchanges what is equal.
    """
    for index, axis in zip(reading.indices, quantities[reading.name].axes, strict=True):
        if isinstance(index, Index):
            yield index, axis


class GraphError(InputError, ValueError):
    """A graph that breaks a rule of well-formedness."""


class WrongWay(GraphError):
    """A circle of equations that is no recurrence because of one reading."""

    def __init__(self, words: str, name: str, reading: Element) -> None:
        super().__init__(words)
        self.name = name
        self.reading = reading


@dataclass(frozen=True)
class Graph(SeenAsFormula):
    """Equations in dependency order; every quantity is given or defined once.

    Equations that depend on each other through a shift (`h[t]` on `h[t-1]`) stand side by side, in
    the order in which one step computes them.
    """

    given: tuple[Quantity, ...]
    equations: tuple[Equation, ...]

    def __post_init__(self) -> None:
        check(self)

    @cached_property
    def quantities(self) -> Mapping[str, Quantity]:
        both = (*self.given, *(equation.quantity for equation in self.equations))
        return MappingProxyType({quantity.name: quantity for quantity in both})

    @cached_property
    def taken(self) -> frozenset[str]:
        """What an index letter must not be called: the names and symbols of the quantities."""
        return frozenset(word for q in self.quantities.values() for word in (q.name, q.tex))

    def of_role(self, role: Role) -> tuple[Quantity, ...]:
        return tuple(self._by_role.get(role, ()))

    @cached_property
    def _by_role(self) -> Mapping[Role, Sequence[Quantity]]:
        found: dict[Role, list[Quantity]] = {}
        for quantity in self.quantities.values():
            found.setdefault(quantity.role, []).append(quantity)
        return found

    @cached_property
    def loss(self) -> Quantity:
        """The quantity that is differentiated. Raises GraphError if there is not exactly one."""
        losses = self.of_role(Role.LOSS)
        if len(losses) != 1:
            raise GraphError(f"a graph needs one loss, this one has {len(losses)}")
        return losses[0]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The equations as they are computed: alone, or together step by step."""
        return blocks(self.equations)

    def equation(self, name: str) -> Equation:
        return next(e for e in self.equations if e.quantity.name == name)

    def readers(self, name: str) -> tuple[Equation, ...]:
        return tuple(e for e in self.equations if name in reads(e.rhs))


@dataclass(frozen=True)
class Local:
    """The local derivative ∂y[indices]/∂q[at] of one equation by one quantity that it reads."""

    of: str
    by: str
    indices: tuple[Index, ...]
    at: tuple[Index, ...]
    value: sympy.Expr


@dataclass(frozen=True)
class Step:
    """One move of the derivation: `before == after` for all values of the free indices."""

    rule: str
    quantity: str
    before: sympy.Expr
    after: sympy.Expr
    indices: tuple[Index, ...]


@dataclass(frozen=True)
class Derivation(SeenAsFormula):
    """A forward graph, the backward graph that was derived from it, and every step on the way."""

    forward: Graph
    backward: Graph
    locals: tuple[Local, ...]
    steps: tuple[Step, ...]

    def adjoint(self, name: str) -> Equation:
        """The equation of ∂E/∂name."""
        return self.backward.equation(adjoint_name(name))

    def local(self, of: str, by: str) -> Local:
        return next(each for each in self.locals if (each.of, each.by) == (of, by))


def adjoint_name(name: str) -> str:
    """The name, in code, of ∂E/∂name."""
    return f"adj_{name}"


def needed(equations: tuple[Equation, ...], wanted: Iterable[str]) -> tuple[Equation, ...]:
    """The equations on which a wanted quantity depends."""
    read = {equation.quantity.name: reads(equation.rhs) for equation in equations}
    found = set(wanted)
    waiting = list(found)
    while waiting:
        more = set(read.get(waiting.pop(), ())) - found
        found |= more
        waiting += more
    return tuple(equation for equation in equations if equation.quantity.name in found)


@dataclass(frozen=True)
class Block:
    """Equations that are computed together.

    A recurrence walks along one index, or within each step of it along another, and so on. Any
    other block is a single equation.
    """

    equations: tuple[Equation, ...]
    walks: tuple[Walk, ...] = ()

    @property
    def step(self) -> int:
        """Which way the outermost walk goes; 0 where there is none."""
        return self.walks[0].step if self.walks else 0

    @property
    def along(self) -> tuple[int, ...]:
        """The places of the index of the outermost walk."""
        return self.walks[0].along if self.walks else ()

    def walked(self, number: int) -> tuple[Index, ...]:
        """The indices along which an equation is walked, the outermost first."""
        return tuple(self.equations[number].indices[walk.along[number]] for walk in self.walks)


def groups(equations: tuple[Equation, ...]) -> Iterator[tuple[Equation, ...]]:
    """Equations as they stand, up to the last one that is read ahead of its turn together."""
    place = {equation.quantity.name: k for k, equation in enumerate(equations)}
    start = 0
    while start < len(equations):
        stop, last = start + 1, start
        while last < stop:
            stop = max([stop, *(place[n] + 1 for n in reads(equations[last].rhs) if n in place)])
            last += 1
        yield equations[start:stop]
        start = stop


def blocks(equations: tuple[Equation, ...]) -> tuple[Block, ...]:
    """Equations grouped into recurrences and single ones. Raises GraphError for a true circle."""
    return tuple(
        Block(group)
        if len(group) == 1 and group[0].quantity.name not in reads(group[0].rhs)
        else _recurrence(group)
        for group in groups(equations)
    )


def _recurrence(group: tuple[Equation, ...]) -> Block:
    """The block of equations that read each other, if indices lead through them all."""
    lines = [Line(each.quantity.name, each.indices, each.rhs) for each in group]
    found = walks(lines)
    if found:
        return Block(group, found)
    words, reading = no_way(lines)
    if reading is None:
        raise GraphError(words)
    raise WrongWay(words, reading.line.name, reading.read)


def check(graph: Graph) -> None:
    """Prove a graph well formed. Raises GraphError with the equation and the reason."""
    known = {quantity.name: quantity for quantity in graph.given}
    if len(known) != len(graph.given):
        raise GraphError("a given quantity is listed twice")
    for block in blocks(graph.equations):
        for equation in block.equations:
            if equation.quantity.name in known:
                raise GraphError(f"'{equation.quantity.name}' is defined twice")
            known[equation.quantity.name] = equation.quantity
        for equation in block.equations:
            check_equation(equation, known)


def check_equation(equation: Equation, known: Mapping[str, Quantity]) -> None:
    """Prove one equation well formed, given what it may read. Raises GraphError."""
    name = equation.quantity.name
    if len(set(equation.indices)) != len(equation.indices):
        raise GraphError(f"'{name}' repeats an index on its left side")
    sizes = [index.axis.size for index in equation.indices]
    if sizes != [axis.size for axis in equation.quantity.axes]:
        raise GraphError(f"the indices of '{name}' do not fit its axes")
    for problem in _problems(equation.rhs, known, frozenset(equation.indices)):
        raise GraphError(f"in the equation of '{name}': {problem}")


def _problems(
    node: sympy.Basic, known: Mapping[str, Quantity], scope: frozenset[Index]
) -> Iterator[str]:
    if isinstance(node, Element):
        yield from _element_problems(node, known, scope)
        return
    if isinstance(node, Index) and node not in scope:
        yield f"the index '{node}' is not bound"
    inner = bound_indices(node)
    if any(index in scope for index in inner):
        yield f"the index '{inner[0]}' is bound twice"
    for argument in node.args:
        yield from _problems(argument, known, scope | frozenset(inner))


def is_whole(position: sympy.Expr, known: Mapping[str, Quantity]) -> bool:
    """Whether a position is a polynomial of index letters and whole-number quantities."""
    if isinstance(position, sympy.Pow):
        return is_whole(position.base, known) and bool(position.exp.is_Integer and position.exp > 0)
    if isinstance(position, sympy.Add | sympy.Mul | Division):
        return all(is_whole(argument, known) for argument in position.args)
    if isinstance(position, Element):
        return position.name in known and known[position.name].integer
    return isinstance(position, Index) or bool(position.is_Integer)


def _unsaid(position: sympy.Expr, known: Mapping[str, Quantity]) -> str:
    """What to write if a position would do were its given quantities known as whole numbers."""
    read = {each.name for each in elements(position)}
    given = sorted(name for name in read & known.keys() if known[name].given)
    told = {name: replace(known[name], integer=True) for name in given}
    if not given or not is_whole(position, {**known, **told}):
        return ""
    *most, last = [f"'{name}'" for name in given if not known[name].integer]
    names = f"{', '.join(most)} and {last}" if most else last
    hold = "hold" if most else "holds"
    listed = ", ".join(given)
    return f"; if {names} {hold} whole numbers, say `integers: [{listed}]`"


def _element_problems(
    element: Element, known: Mapping[str, Quantity], scope: frozenset[Index]
) -> Iterator[str]:
    quantity = known.get(element.name)
    if quantity is None:
        yield f"'{element.name}' is read before it is defined"
        return
    if len(element.indices) != len(quantity.axes):
        yield (
            f"'{element.name}' has {len(quantity.axes)} axes but is read with "
            f"{len(element.indices)} indices"
        )
        return
    for position in element.indices:
        if not is_whole(position, known):
            yield (
                f"the index '{position}' of '{element}' is not made of index letters and integers"
                f"{_unsaid(position, known)}"
            )
        for symbol in position.free_symbols:
            if isinstance(symbol, Index) and symbol not in scope:
                yield f"the index '{symbol}' of '{element}' is not bound"
        for inner in elements(position):
            yield from _element_problems(inner, known, scope)
