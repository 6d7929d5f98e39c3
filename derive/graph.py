"""The nouns of the program, all frozen: quantities, equations, graphs, derivations; and `check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import sympy

from derive.errors import InputError
from derive.expression import Axis, Element, Index, bound_indices, reads


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
    OTHER = "other"


@dataclass(frozen=True)
class Quantity:
    """Something with a name and a shape; `name` is for code, `tex` for pages."""

    name: str
    tex: str
    axes: tuple[Axis, ...]
    role: Role
    kind: Kind = Kind.OTHER
    layer: int = 0
    sums_to_one: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.length for axis in self.axes)

    @property
    def given(self) -> bool:
        """Whether its values come from outside rather than from an equation."""
        return self.role in (Role.INPUT, Role.PARAMETER, Role.TARGET, Role.CONSTANT)


@dataclass(frozen=True)
class Equation:
    """`quantity[indices] = rhs` for all index values."""

    quantity: Quantity
    indices: tuple[Index, ...]
    rhs: sympy.Expr

    @property
    def lhs(self) -> Element:
        return Element(self.quantity.name, *self.indices)


class GraphError(InputError, ValueError):
    """A graph that breaks a rule of well-formedness."""


@dataclass(frozen=True)
class Graph:
    """Equations in dependency order; every quantity is given or defined once."""

    given: tuple[Quantity, ...]
    equations: tuple[Equation, ...]

    def __post_init__(self) -> None:
        check(self)

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        both = (*self.given, *(equation.quantity for equation in self.equations))
        return MappingProxyType({quantity.name: quantity for quantity in both})

    def of_role(self, *roles: Role) -> tuple[Quantity, ...]:
        return tuple(q for q in self.quantities.values() if q.role in roles)

    @property
    def loss(self) -> Quantity:
        """The quantity that is differentiated. Raises GraphError if there is not exactly one."""
        losses = self.of_role(Role.LOSS)
        if len(losses) != 1:
            raise GraphError(f"a graph needs one loss, this one has {len(losses)}")
        return losses[0]

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
class Derivation:
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


def check(graph: Graph) -> None:
    """Prove a graph well formed. Raises GraphError with the equation and the reason."""
    known = {quantity.name: quantity for quantity in graph.given}
    if len(known) != len(graph.given):
        raise GraphError("a given quantity is listed twice")
    for equation in graph.equations:
        name = equation.quantity.name
        if name in known:
            raise GraphError(f"'{name}' is defined twice")
        _check_equation(equation, known)
        known[name] = equation.quantity


def _check_equation(equation: Equation, known: Mapping[str, Quantity]) -> None:
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


def _whole(position: sympy.Expr) -> bool:
    """Whether an index expression is a polynomial of index letters with whole coefficients."""
    if isinstance(position, sympy.Pow):
        return _whole(position.base) and bool(position.exp.is_Integer and position.exp > 0)
    if isinstance(position, sympy.Add | sympy.Mul):
        return all(map(_whole, position.args))
    return isinstance(position, Index) or bool(position.is_Integer)


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
    for position, axis in zip(element.indices, quantity.axes, strict=True):
        if not _whole(position):
            yield f"the index '{position}' of '{element}' is not made of index letters and integers"
        for symbol in position.free_symbols:
            if isinstance(symbol, Index) and symbol not in scope:
                yield f"the index '{symbol}' of '{element}' is not bound"
        if isinstance(position, Index) and position.axis.size != axis.size:
            yield (
                f"the index '{position}' runs over {position.axis.size} values but meets the "
                f"axis '{axis.name}' of '{element.name}', which has {axis.size}"
            )
