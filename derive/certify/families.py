"""A derivation as it stands: quantities over axes, and each local derivative as linear terms.

Nothing is written out: an equation with letters stays one equation, and what it has in common with
another of the graph is told by the letters that both have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import sympy

from derive.certify.names import Identifiers
from derive.certify.steps import STEPS, Walks, in_steps, linked, own_steps, plain_name, walks_of
from derive.certify.steps import carried as carried_of
from derive.certify.terms import Condition, Unprovable, conditions, sure
from derive.expression import (
    Chosen,
    Delta,
    Element,
    Fresh,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
    elements,
    rebuild,
    substitute,
)
from derive.graph import Derivation, Equation, Local, Quantity, adjoint_name
from derive.rules import Rule

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Edge:
    """One linear term of a local derivative: `of` moves by `slope` times the movement of `by`.

    A place of `by` is given by letters of `of`, where a delta links them, and by letters of its
    own, over which the term is added up.
    """

    number: int
    of: str
    by: str
    letters: tuple[Index, ...]
    place: tuple[Index, ...]
    slope: sympy.Expr
    back: bool = False  # whether it reads a step back, as what is carried on does

    @property
    def own(self) -> tuple[Index, ...]:
        """The letters of `by` that no letter of `of` is."""
        return tuple(i for i in self.place if i not in self.letters)

    @property
    def left(self) -> tuple[Index, ...]:
        """The letters of `of` that no letter of `by` is."""
        return tuple(i for i in self.letters if i not in self.place)


@dataclass(frozen=True)
class Families:
    """The quantities of a derivation, those that move in order, and their edges."""

    derivation: Derivation
    given: tuple[Quantity, ...]
    forward: Mapping[str, Equation]
    adjoints: Mapping[str, Equation]
    edges: tuple[Edge, ...]
    walks: Walks = field(default_factory=Walks)
    carried: Mapping[str, Equation] = field(default_factory=dict)

    @property
    def loss(self) -> str:
        """The quantity that is differentiated."""
        return self.derivation.forward.loss.name

    @cached_property
    def moving(self) -> tuple[str, ...]:
        """The quantities by which the loss is differentiated, itself among them."""
        every = [q.name for q in self.given]
        for name in self.forward:
            walk = self.walks.of(name)
            every += walk.kept if walk and walk.first == name else []
            every.append(name)
        return tuple(n for n in every if n == self.loss or n in self.adjoints)

    def quantity(self, name: str) -> Quantity:
        """A quantity of the forward pass, or one step back."""
        if name in self.carried:
            return self.carried[name].quantity
        return self.derivation.forward.quantities[name]

    def letters(self, name: str) -> tuple[Index, ...]:
        """The letters at which a quantity is told."""
        if name in self.forward:
            return self.forward[name].indices
        if name in self.adjoints:
            return self.adjoints[name].indices
        return tuple(Index(f"a#{k}", axis) for k, axis in enumerate(self.quantity(name).axes))

    def out_of(self, name: str) -> tuple[Edge, ...]:
        """The terms by which a quantity moves with those that it reads."""
        return tuple(e for e in self.edges if e.of == name)

    def into(self, name: str) -> tuple[Edge, ...]:
        """The terms by which its readers move with a quantity."""
        return tuple(e for e in self.edges if e.by == name)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        found = [q.shape for q in self.derivation.forward.quantities.values()]
        return tuple(sorted({size for shape in found for size in shape}))

    @cached_property
    def distributions(self) -> tuple[Quantity, ...]:
        """Given quantities whose rows add up to one, where the derivation makes use of it."""
        if not any(step.rule is Rule.NORMALISED for step in self.derivation.steps):
            return ()
        return tuple(q for q in self.given if q.sums_to_one)

    def fixed(self, exprs: Sequence[sympy.Expr]) -> tuple[tuple[int, int], ...]:
        """The places told by a number at which something is read, each with the axis's length."""
        read = (e for expr in exprs for e in elements(expr))
        pairs = (
            (self.quantity(e.name.removeprefix(adjoint_name(""))).shape[k], int(place))
            for e in read
            for k, place in enumerate(e.indices)
            if place.is_Integer
        )
        return tuple(dict.fromkeys(pairs))

    @cached_property
    def conditions(self) -> tuple[tuple[tuple[Index, ...], Condition], ...]:
        """What equations need to have a derivative, for all values of the letters in it."""
        known = _Known(self.forward)
        found = (
            c
            for name in self.moving
            if name in self.forward
            for c in conditions(self.forward[name].rhs)
            if not sure(c, known)
        )
        return tuple((free_letters(c), c) for c in dict.fromkeys(found))


def free_letters(condition: Condition) -> tuple[Index, ...]:
    """The letters for which a condition must hold, whatever they are."""
    inside = (condition.left.free_symbols | condition.right.free_symbols) & _indices(condition)
    return tuple(sorted(inside, key=str))


def _indices(condition: Condition) -> set[sympy.Basic]:
    return {*condition.left.atoms(Index), *condition.right.atoms(Index)}


class _Known(Mapping[sympy.Expr, sympy.Expr]):
    """What an entry of a quantity is computed as, at any letters."""

    def __init__(self, forward: Mapping[str, Equation]) -> None:
        self.forward = forward

    def __getitem__(self, key: sympy.Expr) -> sympy.Expr:
        if not isinstance(key, Element) or key.name not in self.forward:
            raise KeyError(key)
        equation = self.forward[key.name]
        change = dict(zip(equation.indices, key.indices, strict=True))
        return substitute(equation.rhs, change, Fresh())

    def __iter__(self) -> Iterator[sympy.Expr]:
        return iter(())

    def __len__(self) -> int:
        return 0


def families_of(derivation: Derivation) -> Families:
    """A derivation by its quantities. Raises Unprovable for what is not told by letters alone."""
    walks = walks_of(derivation)
    derivation = own_steps(derivation) if walks.forward else derivation
    graph = derivation.forward
    shapes = {name: quantity.shape for name, quantity in graph.quantities.items()}
    forward = {e.quantity.name: _plain(e, walks, shapes) for e in graph.equations}
    adjoints = {
        e.quantity.name.removeprefix(adjoint_name("")): _plain(e, walks, shapes)
        for e in derivation.backward.equations
    }
    moving = {*adjoints, graph.loss.name}
    found = [
        term
        for local in derivation.locals
        if local.of in moving and local.by in moving
        for term in _terms(local, walks, shapes)
    ]
    edges = [Edge(k, *term) for k, term in enumerate(found, 1)]
    carried = {e.quantity.name: e for e in carried_of(walks, forward)}
    for name, equation in reversed(carried.items()):  # what is carried furthest first
        into = [edge for edge in edges if edge.by == name and not edge.back]
        total, at = _over(into, equation), equation.indices
        if (further := walks.further(name)) in carried:
            total += Element(adjoint_name(walks.ahead(further)), *at)
        adjoints[name] = Equation(equation.quantity, at, total)
        source = next(e.name for e in elements(equation.rhs))
        edges.append(Edge(len(edges) + 1, name, source, at, at, sympy.S.One, True))
    return Families(derivation, tuple(graph.given), forward, adjoints, tuple(edges), walks, carried)


def _over(edges: Sequence[Edge], carried: Equation) -> sympy.Expr:
    """The derivative by what is carried on, which no page has: the sum over its readers."""
    total = sympy.S.Zero
    for edge in edges:
        reader = Element(adjoint_name(edge.of), *edge.letters)
        body, left = reader * edge.slope, list(edge.left)
        fresh = {i: Index(f"{i.name.split('#')[0]}#u{k}", i.axis) for k, i in enumerate(left)}
        change = {**dict(zip(edge.place, carried.indices, strict=True)), **fresh}
        body = substitute(body, change, Fresh())
        for letter in reversed(left):
            body = Total(body, fresh[letter])
        total += body
    return total


def _plain(equation: Equation, walks: Walks, shapes: Shapes) -> Equation:
    """An equation in which every place is a letter."""
    share, rest = equation.rhs.as_coeff_Mul()
    if share.q > 1 and equation.indices and isinstance(rest, Total) and rest.body.func is Total:
        raise Unprovable("a mean over several axes is written out")
    name = equation.quantity.name
    inner = name.removeprefix(adjoint_name(""))
    rhs = rebuild(equation.rhs, lambda node: _on_axes(node, shapes))
    rhs = in_steps(rhs, walks, walks.back(inner) if inner != name else None)
    return Equation(equation.quantity, equation.indices, _in_letters(rhs, shapes))


def _on_axes(node: sympy.Expr, shapes: Shapes) -> sympy.Expr:
    """What stands at a place that is told by a number and beyond its axis is zero."""
    if not isinstance(node, Element):
        return node
    shape = shapes[node.name.removeprefix(adjoint_name(""))]
    pairs = zip(node.indices, shape, strict=True)
    beyond = any(i.is_Integer and not 0 <= int(i) < n % STEPS for i, n in pairs)
    return sympy.S.Zero if beyond else node


def _in_letters(expr: sympy.Expr, shapes: Shapes) -> sympy.Expr:
    plain = rebuild(rebuild(expr, _log_of_total), _at_number)
    if plain.has(Inside, Chosen, Largest):
        raise Unprovable("maxima and windows are written out place by place")
    if _bare(plain):
        raise Unprovable("a letter stands as a number, and is written out")
    if any(_log_of_sum(node) for node in plain.atoms(Total)):
        raise Unprovable("a sum within a function within a sum over as many places is written out")
    for element in elements(plain):
        shape = shapes[plain_name(element.name.removeprefix(adjoint_name("")))]
        told = zip(element.indices, shape, strict=True)
        if not all(isinstance(i, Index) or (i.is_Integer and n > STEPS) for i, n in told):
            raise Unprovable(f"{element} stands at a computed place, and is written out")
    return plain


def _bare(expr: sympy.Basic) -> bool:
    """Whether a letter stands in an expression itself, not at a place, in a delta or a sum."""
    if isinstance(expr, Element | Delta):
        return False
    return isinstance(expr, Index) or any(
        map(_bare, expr.args[:1] if isinstance(expr, Total) else expr.args)
    )


def _log_of_sum(outer: Total) -> bool:
    """Whether a sum holds a function of a sum of as many terms."""
    functions = outer.body.atoms(sympy.Function)
    inner = {node.index.axis.size for f in functions for node in f.atoms(Total)}
    return outer.index.axis.size in inner


def _at_number(node: sympy.Expr) -> sympy.Expr:
    """The delta of a letter and a number with the letter alone, and first."""
    if not isinstance(node, Delta) or not any(end.is_Integer for end in node.args):
        return node
    number, place = sorted(node.args, key=lambda end: not end.is_Integer)
    distance, letter = place.as_coeff_Add()
    return Delta(letter, number - distance) if isinstance(letter, Index) else node


def _log_of_total(node: sympy.Expr) -> sympy.Expr:
    if isinstance(node, LogTotalExp):
        return sympy.log(Total(sympy.exp(node.body), node.index))
    return node


Term = tuple[str, str, tuple[Index, ...], tuple[Index, ...], sympy.Expr]


def _terms(local: Local, walks: Walks, shapes: Shapes) -> Iterator[Term]:
    """The linear terms of a local derivative, each with its deltas carried out."""
    value = _in_letters(in_steps(local.value, walks), shapes)
    walk = walks.of(local.by)

    def told(expr: sympy.Expr) -> list[tuple[sympy.Expr, str]]:
        return [linked(part, local.at, walk) for part in sympy.Add.make_args(expr)]

    parts = told(value)
    if any(map(_links, _inner_deltas([plain for plain, _ in parts]))):
        parts = told(sympy.expand(value))
    for plain, back in parts:
        yield _term(local, plain, local.by + back)


def _inner_deltas(parts: Sequence[sympy.Expr]) -> Iterator[sympy.Basic]:
    """The deltas that are no factors of the terms."""
    for part in parts:
        yield from _rest(part).atoms(Delta)


def _links(factor: sympy.Expr) -> bool:
    """Whether a factor is a delta of two letters; one of a letter and a number is a number."""
    return isinstance(factor, Delta) and all(isinstance(end, Index) for end in factor.args)


def _rest(part: sympy.Expr) -> sympy.Expr:
    """What a term is without its deltas."""
    return sympy.Mul(*[f for f in sympy.Mul.make_args(part) if not _links(f)])


def _term(local: Local, part: sympy.Expr, by: str) -> Term:
    slope, change = _rest(part), {}
    for factor in sympy.Mul.make_args(part):
        if _links(factor):
            mine, other = factor.args
            if mine not in local.indices:
                mine, other = other, mine
            if mine not in local.indices or other not in local.at or other in change:
                raise Unprovable(f"{factor} links no two letters")
            change[other] = mine
    if any(_links(delta) for delta in slope.atoms(Delta)):
        raise Unprovable("a delta stands within a function")
    place = tuple(change.get(i, i) for i in local.at)
    if len(set(place)) < len(place):
        raise Unprovable("a place is linked twice")
    return local.of, by, local.indices, place, substitute(slope, change, Fresh())


@dataclass(frozen=True)
class Letters:
    """The identifiers of letters, sizes, and of what belongs to quantities."""

    families: Families
    made: Identifiers = field(default_factory=Identifiers)
    known: dict[object, str] = field(default_factory=dict)

    def __call__(self, key: sympy.Expr) -> str:
        """A letter, a size, or an entry of a quantity."""
        if isinstance(key, Index):
            return self.letter(key)
        if isinstance(key, Element):
            places = [f"{i}%nat" if i.is_Integer else self(i) for i in key.indices]
            return f"({' '.join([self.of(key.name), *places])})" if places else self.of(key.name)
        return self.size(int(key))

    def of(self, name: str) -> str:
        """A quantity, or ∂E/∂quantity."""
        inner = name.removeprefix(adjoint_name(""))
        return self.adjoint(inner) if inner != name else self.role("{}", name)

    def adjoint(self, name: str) -> str:
        """∂E/∂quantity."""
        loss = self.role("{}", self.families.loss)
        return self.role(f"d{loss}_d{{}}", name)

    def role(self, pattern: str, name: str) -> str:
        """What belongs to a quantity."""
        if pattern == "{}":
            return self._new(name, name.replace(" ", "_"))
        return self._new((pattern, name), pattern.format(self.role("{}", name)))

    def named(self, name: str) -> str:
        """What belongs to no quantity alone."""
        return self._new(("named", name), name)

    def slope(self, edge: Edge) -> str:
        """The local derivative of an edge."""
        of, by = (self.role("{}", n) for n in (edge.of, edge.by))
        return self._new(("slope", edge.number), f"d{of}_d{by}")

    def size(self, length: int) -> str:
        """The length of axes."""
        walk, plain = divmod(length, STEPS)
        return self._new(("size", length), f"steps_{walk}" if walk else f"n_{plain}")

    def letter(self, index: Index) -> str:
        """A letter; it begins with an underscore, so it is the name of nothing else."""
        if index not in self.known:
            base = re.sub(r"[^a-z0-9]", "_", f"_{index.name.lower()}")
            same = [k for k in self.known.values() if k.startswith(base)]
            self.known[index] = f"{base}_{len(same)}_" if same else base
        return self.known[index]

    def _new(self, key: object, name: str) -> str:
        if key not in self.known:
            self.known[key] = self.made.new(name)
        return self.known[key]
