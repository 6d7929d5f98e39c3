"""Recurrences without written-out steps: what stands some steps away has a name of its own.

    h[t,k] = tanh(… h[t-1,j] …)     reads `h before` at [t,j]
    ∂E/∂h[t,k] = … ∂E/∂h[t+1,l] …   reads `∂E/∂h after` at [t,l]

Then every place is a letter again, and `h before` is one more quantity that moves: by one edge it
reads h a step back, and beyond the first and the last step it is zero. What stands two steps back
is `h before before`, which reads `h before` a step back; and a recurrence that begins at the last
step carries `h after`.
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


def plain_name(name: str) -> str:
    """A quantity, whichever steps away it stands."""
    return name.split(" ")[0]


@dataclass(frozen=True)
class Walk:
    """Equations that are computed step by step, in order, and what of them is carried on.

    What is carried on two steps is carried on one step, and from there another. `beyond` is what
    the equations read some steps away of other quantities: beyond the ends it is zero.
    """

    names: tuple[str, ...]
    carried: tuple[str, ...]
    step: int = 1
    beyond: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """The equation after which the walk is called."""
        return self.names[0]

    @property
    def mark(self) -> str:
        """What follows the name of a quantity that was computed a step earlier."""
        return BEFORE if self.step == 1 else AFTER

    @property
    def kept(self) -> tuple[str, ...]:
        """What is carried on, at the step to which it comes."""
        return tuple(name + self.mark for name in self.carried)

    @property
    def reach(self) -> int:
        """From how many steps away something is read."""
        return max((name.count(self.mark) + 1 for name in self.carried), default=0)

    def place(self, name: str) -> int | None:
        """Where what is carried to a step stands; None for what is computed at it."""
        return self.kept.index(name) if name in self.kept else None


@dataclass(frozen=True)
class Walks:
    """The recurrences of a derivation: on the way forward, and on the way back."""

    forward: tuple[Walk, ...] = ()
    backward: tuple[Walk, ...] = ()

    def of(self, name: str) -> Walk | None:
        """The recurrence in which a quantity is computed, or carried on."""
        return next((w for w in self.forward if plain_name(name) in w.names), None)

    def back(self, name: str) -> Walk | None:
        """The recurrence in which the derivative by a quantity is computed."""
        return next((w for w in self.backward if name in w.names), None)

    def further(self, name: str) -> str:
        """A quantity one step earlier on the way forward."""
        walk = self.of(name)
        return name + walk.mark if walk else name

    def source(self, name: str) -> str:
        """A quantity one step later, where it was before it was carried on."""
        walk = self.of(name)
        return name.removesuffix(walk.mark) if walk else name

    def ahead(self, name: str) -> str:
        """A quantity one step later on the way forward."""
        walk = self.of(name)
        return name + (AFTER if walk is None or walk.step == 1 else BEFORE)


def walks_of(derivation: Derivation) -> Walks:
    """The recurrences of a derivation. Raises Unprovable for what is no walk from step to step."""
    forward = tuple(_walk(block) for block in derivation.forward.blocks if block.step)
    back = tuple(_walk(block) for block in derivation.backward.blocks if block.step)
    missing = {n for walk in forward for n in walk.names} - {n for w in back for n in w.names}
    if missing:
        raise Unprovable("a recurrence of which not all is differentiated is written out")
    return Walks(forward, back)


def _walk(block: Block) -> Walk:
    if len(block.walks) > 1:
        raise Unprovable("a recurrence along several indices is written out")
    if any(block.along):
        raise Unprovable("a recurrence whose steps are no first index is written out")
    names = tuple(e.quantity.name for e in block.equations)
    mark = BEFORE if block.step == 1 else AFTER
    away: dict[str, int] = {}
    for equation in block.equations:
        for e in elements(equation.rhs):
            away[e.name] = max(away.get(e.name, 0), -block.step * _offset(e))
    carried = [_inner(n) + mark * k for n in names for k in range(away.get(n, 0))]
    adjoint = all(n.startswith(adjoint_name("")) for n in names)
    others = [n + mark * k for n in away if n not in names for k in range(1, away[n] + 1)]
    inner = tuple(map(_inner, names))
    return Walk(inner, tuple(carried), block.step, tuple(others) if adjoint else ())


def _inner(name: str) -> str:
    return name.removeprefix(adjoint_name(""))


def _offset(element: Element) -> int:
    """How many steps away a reading lies; 0 too where it is no step."""
    return _step(element.indices[0])[1] if element.indices else 0


def _step(place: sympy.Expr) -> tuple[Index | None, int]:
    """A place as a letter and how many steps it lies from it."""
    distance, rest = place.as_coeff_Add()
    return (rest, int(distance)) if isinstance(rest, Index) else (None, 0)


def in_steps(expr: sympy.Expr, walks: Walks, within: Walk | None = None) -> sympy.Expr:
    """An expression with names for what stands some steps away, as in a walk `within` all may."""

    def change(node: sympy.Expr) -> sympy.Expr:
        distance = _offset(node) if isinstance(node, Element) else 0
        if not distance or not any(
            w and w.step * distance < 0 for w in (walks.of(node.name), within)
        ):
            return node
        name = node.name + (BEFORE if distance < 0 else AFTER) * abs(distance)
        return Element(name, _step(node.indices[0])[0], *node.indices[1:])

    return rebuild(expr, change) if walks.forward else expr


def linked(part: sympy.Expr, at: Sequence[Index], walk: Walk | None) -> tuple[sympy.Expr, str]:
    """A term with its delta between a step and an earlier one as a plain one; what it then reads.

    That is told by what follows the name of what the term is a derivative by, at the letters `at`.
    """
    for delta in part.atoms(Delta) if walk and at else ():
        ends = sorted(map(_step, delta.args), key=lambda end: end[0] == at[0])
        (mine, distance), (other, its) = ends
        steps = (its - distance) * walk.step if walk else 0
        if mine is not None and other == at[0] and steps > 0:
            return part.xreplace({delta: Delta(mine, other)}), walk.mark * steps if walk else ""
    return part, ""


def carried(walks: Walks, forward: Mapping[str, Equation]) -> Iterator[Equation]:
    """What is carried on, as quantities of their own: equations that read where it is from."""
    for walk in walks.forward:
        for source, name in zip(walk.carried, walk.kept, strict=True):
            equation = forward[plain_name(name)]
            quantity = replace(equation.quantity, name=name)
            yield Equation(quantity, equation.indices, Element(source, *equation.indices))


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
                        self._join((_inner(element.name), k), (within, letter))
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
        name = _inner(old.name)
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
