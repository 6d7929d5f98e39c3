"""Recurrences without written-out steps: what stands one step back has a name of its own.

    h[t,k] = tanh(… h[t-1,j] …)     reads `h before` at [t,j]
    ∂E/∂h[t,k] = … ∂E/∂h[t+1,l] …   reads `∂E/∂h after` at [t,l]

Then every place is a letter again, and `h before` is one more quantity that moves: by one edge it
reads h a step back, and beyond the first and the last step it is zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from derive.certify.terms import Unprovable
from derive.expression import Axis, Delta, Element, Index, elements, rebuild
from derive.graph import Block, Derivation, Equation, Graph, Quantity, adjoint_name

BEFORE, AFTER = " before", " after"
STEPS = 10**12  # is added to the length of an axis of steps, so that it is no length of another


@dataclass(frozen=True)
class Walk:
    """Equations that are computed step by step, in order, and those of them that are carried on."""

    names: tuple[str, ...]
    carried: tuple[str, ...]

    @property
    def first(self) -> str:
        """The equation after which the walk is called."""
        return self.names[0]


@dataclass(frozen=True)
class Walks:
    """The recurrences of a derivation: on the way forward, and on the way back."""

    forward: tuple[Walk, ...] = ()
    backward: tuple[Walk, ...] = ()
    beyond: tuple[str, ...] = ()

    def of(self, name: str) -> Walk | None:
        """The recurrence in which a quantity is computed, or carried on."""
        plain = name.removesuffix(BEFORE)
        return next((w for w in self.forward if plain in w.names), None)

    def back(self, name: str) -> Walk | None:
        """The recurrence in which the derivative by a quantity is computed."""
        return next((w for w in self.backward if name in w.names), None)


def walks_of(derivation: Derivation) -> Walks:
    """The recurrences of a derivation. Raises Unprovable for what is no walk from step to step."""
    forward = tuple(_walk(b, 1, -1) for b in derivation.forward.blocks if b.step)
    backward = tuple(_walk(b, -1, 1) for b in derivation.backward.blocks if b.step)
    ahead = (
        e.name
        for block in derivation.backward.blocks
        if block.step
        for equation in block.equations
        for e in elements(equation.rhs)
        if _offset(e) == 1 and not e.name.startswith(adjoint_name(""))
    )
    back = tuple(
        Walk(*(tuple(n.removeprefix(adjoint_name("")) for n in names) for names in _both(walk)))
        for walk in backward
    )
    missing = {n for walk in forward for n in walk.names} - {n for w in back for n in w.names}
    if missing:
        raise Unprovable("a recurrence of which not all is differentiated is written out")
    return Walks(forward, back, tuple(dict.fromkeys(ahead)))


def _both(walk: Walk) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return walk.names, walk.carried


def _walk(block: Block, step: int, offset: int) -> Walk:
    if block.step != step:
        raise Unprovable("a recurrence that begins at the last step is written out")
    if len(block.walks) > 1:
        raise Unprovable("a recurrence along several indices is written out")
    if any(block.along):
        raise Unprovable("a recurrence whose steps are no first index is written out")
    names = tuple(e.quantity.name for e in block.equations)
    read = {e.name for eq in block.equations for e in elements(eq.rhs) if _offset(e) == offset}
    return Walk(names, tuple(n for n in names if n in read))


def _offset(element: Element) -> int:
    """How many steps away a reading lies; 0 too where it is no step."""
    if not element.indices:
        return 0
    letter, distance = _step(element.indices[0])
    return distance if letter is not None else 0


def _step(place: sympy.Expr) -> tuple[Index | None, int]:
    """A place as a letter and how many steps it lies from it."""
    distance, rest = place.as_coeff_Add()
    return (rest, int(distance)) if isinstance(rest, Index) else (None, 0)


def in_steps(expr: sympy.Expr, walks: Walks, ahead: bool = False) -> sympy.Expr:
    """An expression with names for what stands one step before, or `ahead`."""
    walked = {name for walk in walks.forward for name in walk.names}

    def change(node: sympy.Expr) -> sympy.Expr:
        if not isinstance(node, Element) or not node.indices:
            return node
        letter, distance = _step(node.indices[0])
        if letter is not None and distance == 1 and ahead:
            return Element(node.name + AFTER, letter, *node.indices[1:])
        if letter is not None and distance == -1 and node.name in walked:
            return Element(node.name + BEFORE, letter, *node.indices[1:])
        return node

    return rebuild(expr, change) if walked else expr


def linked(part: sympy.Expr) -> tuple[sympy.Expr, bool]:
    """A term with its delta between a step and the one before as a plain one; whether it has it."""
    for delta in part.atoms(Delta):
        ends = [_step(end) for end in delta.args]
        letters = [letter for letter, _ in ends]
        if None not in letters and sorted(distance for _, distance in ends) == [-1, 0]:
            return part.xreplace({delta: Delta(*letters)}), True
    return part, False


def before(quantity: Quantity) -> Quantity:
    """A quantity one step back."""
    return replace(quantity, name=quantity.name + BEFORE)


def carried(walks: Walks, forward: Mapping[str, Equation]) -> Iterator[Equation]:
    """What is carried on, as quantities of their own: equations without a formula."""
    for walk in walks.forward:
        for name in walk.carried:
            equation = forward[name]
            quantity = before(equation.quantity)
            yield Equation(quantity, equation.indices, Element(name, *equation.indices))


# --- the number of steps -------------------------------------------------------------------------


def own_steps(derivation: Derivation) -> Derivation:
    """A derivation in which the number of steps is no length of another axis, though it be as long.

    What is proven of it then holds for any number of steps, whatever the other lengths.
    """
    groups = _Groups()
    for graph, mark in ((derivation.forward, "forward"), (derivation.backward, "backward")):
        for equation in graph.equations:
            within = f"{mark} {equation.quantity.name}"
            groups.read(within, [equation.lhs, equation.rhs])
    for k, local in enumerate(derivation.locals):
        ends = [Element(local.of, *local.indices), Element(local.by, *local.at)]
        groups.read(f"local {k}", [*ends, local.value])
    walked = [b for b in derivation.forward.blocks if b.step]
    steps = {groups.find((b.equations[0].quantity.name, b.along[0])) for b in walked}
    lengths = {root: (k + 1) * STEPS for k, root in enumerate(sorted(steps, key=str))}

    longer = _Longer(groups, lengths)
    locals_ = tuple(
        replace(
            each,
            indices=tuple(longer.told(i, f"local {k}") for i in each.indices),
            at=tuple(longer.told(i, f"local {k}") for i in each.at),
            value=longer.told(each.value, f"local {k}"),
        )
        for k, each in enumerate(derivation.locals)
    )
    return replace(
        derivation,
        forward=longer.moved(derivation.forward, "forward"),
        backward=longer.moved(derivation.backward, "backward"),
        locals=locals_,
    )


def _plain_name(name: str) -> str:
    return name.removeprefix(adjoint_name(""))


class _Groups:
    """Places of quantities and letters that run over the same axis."""

    def __init__(self) -> None:
        self._above: dict[object, object] = {}

    def find(self, key: object) -> object:
        """The one that stands for all in a group."""
        while (above := self._above.get(key, key)) != key:
            key = above
        return key

    def read(self, within: str, exprs: Sequence[sympy.Expr]) -> None:
        """Enter what is read at which letters, and letters that a delta links."""
        for expr in exprs:
            for element in elements(expr):
                for k, place in enumerate(element.indices):
                    for letter in place.atoms(Index):
                        self._join((_plain_name(element.name), k), (within, letter))
            for delta in expr.atoms(Delta):
                first, *others = sorted(delta.atoms(Index), key=str)[:2] or [None]
                for other in others:
                    self._join((within, first), (within, other))

    def _join(self, one: object, other: object) -> None:
        self._above[self.find(one)] = self.find(other)


@dataclass(frozen=True)
class _Longer:
    """Axes of steps made longer than all others, wherever something runs over them."""

    groups: _Groups
    lengths: Mapping[object, int]

    def axis(self, axis: Axis, key: object) -> Axis:
        """An axis at a place, or of a letter."""
        return Axis(axis.name, axis.size + self.lengths.get(self.groups.find(key), 0))

    def quantity(self, old: Quantity) -> Quantity:
        """A quantity with its axes."""
        name = _plain_name(old.name)
        return replace(old, axes=tuple(self.axis(a, (name, k)) for k, a in enumerate(old.axes)))

    def told(self, expr: sympy.Expr, within: str) -> sympy.Expr:
        """An expression with its letters."""
        letters = expr.atoms(Index)
        return expr.xreplace({i: Index(i.name, self.axis(i.axis, (within, i))) for i in letters})

    def moved(self, old: Graph, mark: str) -> Graph:
        """A graph with all that is in it."""
        equations = tuple(
            Equation(
                self.quantity(e.quantity),
                tuple(self.told(i, f"{mark} {e.quantity.name}") for i in e.indices),
                self.told(e.rhs, f"{mark} {e.quantity.name}"),
            )
            for e in old.equations
        )
        return Graph(tuple(map(self.quantity, old.given)), equations)
