"""`grad(f, w)` in an equation, written as equations: the calculus called once more.

    g[k, b] = ∂f[k]/∂w[b]

The adjoints of f on the way back to w become quantities of the model, so that whatever follows
them (a loss, its derivatives, a page, code) meets nothing but equations. A place of f that every
equation on the way from w to f keeps, as that of a sample, needs no axis of its own: what is found
for f[n] is zero but at n. Where a place is not kept, each entry of f has a derivative of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

import sympy

from derive.backprop import differentiate
from derive.calculus import Sizes, build, contract, open_terms, sizes_of
from derive.expression import (
    Delta,
    Element,
    Fresh,
    Grad,
    Index,
    elements,
    reads,
    rebuild,
    substitute,
    total,
)
from derive.graph import (
    Equation,
    Graph,
    GraphError,
    Kind,
    Quantity,
    Role,
    SlopeOf,
    adjoint_name,
    blocks,
    needed,
)
from derive.letters import Letters, tidy

SEED = "seed"
Equations = Mapping[str, Equation]
Kept = Mapping[
    str, tuple[int | None, ...]
]  # where each place of f stands in a quantity, if it does


class GradientError(GraphError):
    """A derivative within a model that cannot be; `where` is the quantity that asks for it."""

    def __init__(self, where: str, words: str) -> None:
        super().__init__(words)
        self.where = where


def with_gradients(given: Mapping[str, Quantity], equations: Equations) -> tuple[Equation, ...]:
    """The equations of a model with each `grad(f, w)` written out. Raises GradientError."""
    found = dict(equations)
    if not any(equation.rhs.has(Grad) for equation in found.values()):
        return tuple(found.values())
    while asked := list(_asked(found)):
        of = _first(found, [grad for _, grad in asked], asked[0][0])
        by: dict[str, str] = {}
        for where, grad in asked:
            if grad.of.name == of:
                by.setdefault(grad.by.name, where)
        found = _written(found, given, of, by)
    return tuple(found.values())


def _asked(equations: Equations) -> Iterator[tuple[str, Grad]]:
    """The innermost derivatives that equations ask for, with the quantity of the equation."""
    for name, equation in equations.items():
        for node in sympy.preorder_traversal(equation.rhs):
            if isinstance(node, Grad) and not node.of.has(Grad):
                if not isinstance(node.of, Element) or not isinstance(node.by, Element):
                    words = "a derivative is of one entry by another, as in grad(u[n], x[n])"
                    reason = f"{words}; here is more than an entry, so give it an equation"
                    raise GradientError(name, reason)
                yield name, node


def _first(equations: Equations, asked: Sequence[Grad], where: str) -> str:
    """What can be differentiated now: its own equations ask for no derivative any more."""
    for grad in asked:
        if grad.of.name not in equations:
            words = f"'{grad.of.name}' is given, so it depends on nothing"
            raise GradientError(where, f"{words}; grad(f, w) differentiates what is computed")
        way = needed(tuple(equations.values()), [grad.of.name])
        if not any(equation.rhs.has(Grad) for equation in way):
            return str(grad.of.name)
    shown = str(asked[0]).replace(" ", "")
    words = f"{shown} needs its own result: '{asked[0].of.name}' is computed from it"
    reason = f"{words}; write the steps of a training out, each with an equation of its own"
    raise GradientError(where, reason)


# --- one quantity, by all that it is differentiated by --------------------------------------


def _written(
    found: dict[str, Equation], given: Mapping[str, Quantity], of: str, by: Mapping[str, str]
) -> dict[str, Equation]:
    """The equations with the derivatives of one quantity written out."""
    way = _Way(found, given, of, tuple(by))
    for name, where in by.items():
        way.check(name, where)
    made = _Made(way, _derived(way.graph, way.by), _names_by_users(found, way, way.by))
    new = {
        name: _under_own_letters(equation, found[name]) if name in found else equation
        for name, equation in made.equations().items()
    }
    written: dict[str, Equation] = {}
    for block in blocks(tuple(found.values())):
        if any(_asks(equation, of) for equation in block.equations):
            written |= new  # which read nothing that stands behind the first who asks
        for equation in block.equations:
            name = equation.quantity.name
            if name not in new:
                written[name] = replace(equation, rhs=rebuild(equation.rhs, made.read))
    return written


def _asks(equation: Equation, of: str) -> bool:
    """Whether an equation asks for a derivative of a quantity."""
    return any(
        isinstance(node.of, Element) and node.of.name == of for node in equation.rhs.atoms(Grad)
    )


@dataclass(frozen=True)
class _Way:
    """What one quantity is computed from, as a graph whose loss is made of it.

    By what it does not depend on its derivative is 0, as is that of a derivative of a linear thing.
    """

    found: Equations
    given: Mapping[str, Quantity]
    of: str
    by: tuple[str, ...]

    @cached_property
    def quantity(self) -> Quantity:
        return self.found[self.of].quantity

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        return needed(tuple(self.found.values()), [self.of])

    @cached_property
    def graph(self) -> Graph:
        """The loss is f itself, or the sum of its entries, each by a factor held fixed."""
        plain = tuple(
            replace(e, quantity=replace(e.quantity, role=Role.HIDDEN)) for e in self.equations
        )
        aside = {*self.by} - {*self.given, *(e.quantity.name for e in plain)}
        still = (replace(self.found[n].quantity, role=Role.CONSTANT) for n in self.by if n in aside)
        given = (*self.given.values(), *still)
        own = next(e for e in plain if e.quantity.name == self.of)
        if not own.indices:
            loss = replace(own, quantity=replace(own.quantity, role=Role.LOSS))
            return Graph(given, tuple(loss if e is own else e for e in plain))
        seed = Quantity(self.seed, self.seed, own.quantity.axes, Role.CONSTANT, Kind.DATA)
        product = Element(seed.name, *own.indices) * own.lhs
        whole = Quantity(f"{seed.name}ed", "", (), Role.LOSS)
        loss = Equation(whole, (), total(product, own.indices))
        return Graph((*given, seed), (*plain, loss))

    @cached_property
    def seed(self) -> str:
        return free(SEED, {*self.found, *self.given})

    def check(self, by: str, where: str) -> None:
        """Refuse a derivative that is no derivative of anything."""
        read = {name for equation in self.equations for name in reads(equation.rhs)}
        if by == self.of:
            raise GradientError(where, f"'{by}' is differentiated by itself, which is 1")
        if by not in read and self.quantity.slope is None:
            words = f"'{self.of}' does not depend on '{by}', so its derivative by it is 0"
            others = sorted(name for name in read if name in self.given)
            hint = f"; it depends on {', '.join(others)}" if others else ""
            raise GradientError(where, f"{words}{hint}")

    @cached_property
    def kept(self) -> Kept:
        """Where each place of f is kept, for everything on the way."""
        quantities = self.graph.quantities
        places = range(len(self.quantity.axes))
        tables = [_kept(self.equations, self.of, place, quantities) for place in places]
        return {name: tuple(table.get(name) for table in tables) for name in quantities}


def way_to(graph: Graph, of: str, by: Sequence[str]) -> Graph:
    """The part of a graph that one quantity is computed from, which is then what is differentiated.

    Of one with axes that is the sum of its entries, each by a factor held fixed.
    """
    equations = {equation.quantity.name: equation for equation in graph.equations}
    return _Way(equations, {q.name: q for q in graph.given}, of, tuple(by)).graph


def _name(of: str, by: str) -> str:
    """What a derivative is called; `dE_dw` is in code that of the loss, whatever it is called."""
    return f"d{of}_d{by}" if of != "E" else f"slope_{of}_{by}"


def free(wanted: str, taken: set[str]) -> str:
    """A name that nothing has yet: the wanted one, or one with a number behind it."""
    numbered = (f"{wanted}{number or ''}" for number in count())
    return next(name for name in numbered if name not in taken)


def _kept(
    equations: Sequence[Equation], of: str, place: int, quantities: Mapping[str, Quantity]
) -> dict[str, int]:
    """Which place of each quantity is surely the given one of `of`, wherever that depends on it.

    It has as many values there: a part of a longer axis is read by no entry of `of`.
    """
    size = quantities[of].axes[place].size
    kept = {of: place}
    for reader in reversed(equations):
        if reader.quantity.name in kept:
            letter = reader.indices[kept[reader.quantity.name]]
            for reading in elements(reader.rhs):
                axes = quantities[reading.name].axes
                for k, (position, axis) in enumerate(zip(reading.indices, axes, strict=True)):
                    if position == letter and axis.size == size:
                        kept.setdefault(reading.name, k)
    while lost := {name for reader in equations for name in _lost(reader, kept)}:
        kept = {name: k for name, k in kept.items() if name not in lost}
    return kept


def _lost(reader: Equation, kept: Mapping[str, int]) -> Iterator[str]:
    """What one equation reads elsewhere than at the place that it keeps."""
    own = kept.get(reader.quantity.name)
    for reading in elements(reader.rhs):
        place = kept.get(reading.name)
        if place is not None and (own is None or reading.indices[place] != reader.indices[own]):
            yield reading.name


def _derived(graph: Graph, by: tuple[str, ...]) -> tuple[Equation, ...]:
    """The adjoints that lead to those by some quantities."""
    backward = differentiate(graph, by).backward.equations
    return needed(backward, [adjoint_name(name) for name in by])


def _names_by_users(found: Equations, way: _Way, by: tuple[str, ...]) -> dict[str, str]:
    """The derivatives that have an equation of their own, as in `u_x[n] = grad(u[n], x[n])`."""
    names: dict[str, str] = {}
    for name, equation in found.items():
        grad = equation.rhs
        if isinstance(grad, Grad) and isinstance(grad.of, Element) and grad.of.name == way.of:
            kept = way.kept[grad.by.name]
            at = grad.of.indices
            own = (*(p for p, k in zip(at, kept, strict=True) if k is None), *grad.by.indices)
            same = all(
                p == grad.by.indices[k] for p, k in zip(at, kept, strict=True) if k is not None
            )
            if own == equation.indices and same and grad.by.name in by:
                names.setdefault(grad.by.name, name)
    return names


def _under_own_letters(made: Equation, asked: Equation) -> Equation:
    """A derivative under the letters of the equation that asked for it."""
    change = dict(zip(made.indices, asked.indices, strict=True))
    taken = frozenset(index.name for index in asked.indices)
    rhs = tidy(substitute(made.rhs, change, Fresh()), taken)
    return Equation(replace(asked.quantity, slope=made.quantity.slope), asked.indices, rhs)


@dataclass(frozen=True)
class _Made:
    """The adjoints of one quantity as quantities of the model."""

    way: _Way
    adjoints: tuple[Equation, ...]
    own: Mapping[str, str]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What the derivative by each quantity is called."""
        taken = {*self.way.found, *self.way.given}
        found = dict(self.own)
        for equation in self.adjoints:
            by = equation.quantity.name.removeprefix(adjoint_name(""))
            if by not in found and not (by == self.way.of and self._is_seed(equation)):
                found[by] = free(_name(self.way.of, by), taken)
                taken.add(found[by])
        return found

    def _is_seed(self, equation: Equation) -> bool:
        return bool(equation.rhs == Element(self.way.seed, *equation.indices))

    @cached_property
    def sizes(self) -> Sizes:
        """The axes at each place of what an adjoint reads."""
        sizes = dict(sizes_of(self.way.graph))
        for by, name in self.names.items():
            sizes |= {(name, k): axis for k, axis in enumerate(self._quantity(by).axes)}
        return sizes

    def read(self, node: sympy.Expr) -> sympy.Expr:
        """What stands for `grad(f, w)` in an equation."""
        if not isinstance(node, Grad) or not isinstance(node.of, Element):
            return node
        if node.of.name != self.way.of:
            return node
        return self._entry(node.by.name, node.of.indices, node.by.indices)

    def _entry(
        self, by: str, at: tuple[sympy.Expr, ...], places: tuple[sympy.Expr, ...]
    ) -> sympy.Expr:
        """∂f[at]/∂by[places]: zero where a place that is kept is another one."""
        if by not in self.names:  # f by itself
            return sympy.Mul(*[Delta(a, b) for a, b in zip(at, places, strict=True)])
        pairs = list(zip(at, self.way.kept[by], strict=True))
        same = [Delta(a, places[k]) for a, k in pairs if k is not None]
        more = [a for a, k in pairs if k is None]
        return sympy.Mul(*same, Element(self.names[by], *more, *places))

    def equations(self) -> dict[str, Equation]:
        """The derivatives as equations of the model, in the order in which they are computed."""
        letters = Letters.of(Graph((*self.way.given.values(),), self.way.equations))
        made = [self._equation(each, letters) for each in self.adjoints if self._has_name(each)]
        return {equation.quantity.name: equation for equation in made}

    def _has_name(self, equation: Equation) -> bool:
        return equation.quantity.name.removeprefix(adjoint_name("")) in self.names

    def _quantity(self, by: str) -> Quantity:
        """The derivative by a quantity; its axes are the places not kept, and those of that."""
        quantity = self.way.graph.quantities[by]
        kept = self.way.kept[by]
        more = [axis for axis, k in zip(self.way.quantity.axes, kept, strict=True) if k is None]
        places = iter(range(len(more)))
        at = tuple(next(places) if k is None else len(more) + k for k in kept)
        slope = SlopeOf(self.way.of, by, at, len(more))
        axes = (*more, *quantity.axes)
        return Quantity(self.names[by], "", axes, Role.HIDDEN, slope=slope)

    def _equation(self, adjoint: Equation, letters: Letters) -> Equation:
        """One adjoint of the entry of f whose places are the letters before its own."""
        by = adjoint.quantity.name.removeprefix(adjoint_name(""))
        fresh = Fresh()
        own = self.way.found[self.way.of].indices
        at = tuple(
            adjoint.indices[k] if k is not None else fresh(letter)
            for letter, k in zip(own, self.way.kept[by], strict=True)
        )

        def change(node: sympy.Expr) -> sympy.Expr:
            if not isinstance(node, Element):
                return node
            if node.name == self.way.seed:
                pairs = zip(at, node.indices, strict=True)
                return sympy.Mul(*[Delta(a, place) for a, place in pairs])
            name = node.name.removeprefix(adjoint_name(""))
            return self._entry(name, at, node.indices) if name != node.name else node

        rhs = rebuild(adjoint.rhs, change)
        if rhs.atoms(Delta) - adjoint.rhs.atoms(Delta):
            terms = [contract(term, self.sizes, fresh) for term in open_terms(rhs, fresh)]
            rhs = build(term for term in terms if term is not None)
        more = [a for a, k in zip(at, self.way.kept[by], strict=True) if k is None]
        return self._with_letters(by, more, adjoint.indices, rhs, letters)

    def _with_letters(
        self,
        by: str,
        more: Sequence[Index],
        places: tuple[Index, ...],
        rhs: sympy.Expr,
        letters: Letters,
    ) -> Equation:
        """The equation under short letters, of which none is a name."""
        taken = {*self.way.found, *self.way.given}
        outside = taken | {index.name for index in places}
        change: dict[Index, sympy.Expr] = {}
        for index in more:
            change[index] = letters.free(index, outside)
            outside |= {change[index].name}
        indices = (*change.values(), *places)
        names = frozenset(taken | {index.name for index in indices})
        rhs = tidy(substitute(rhs, change, Fresh()), names, letters)
        return Equation(self._quantity(by), indices, rhs)
