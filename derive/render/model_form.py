"""How one model is written: the symbols of its elements, and its equations in index form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from string import ascii_lowercase

import sympy

from derive.expression import (
    Delta,
    Element,
    Fresh,
    Index,
    Total,
    bound_indices,
    elements,
    substitute,
)
from derive.graph import Derivation, Equation, Role, adjoint_name
from derive.letters import Letters, tidy
from derive.notation import ADJOINT, UPDATED, IndexNotation, derivative, names_of
from derive.notation import Name as Names
from derive.problem import Problem
from derive.render.edges import Edge, edges_of, without_edges
from derive.render.index_writer import SMALL_DENOMINATOR, THIN, IndexWriter, outside_first
from derive.render.pieces import Piece, Script, Tightness, number_piece
from derive.render.positions import letter, position

NUMBERS = replace(THIN, dot=r"\cdot ", opening=r"\cdot ")


@dataclass(frozen=True)
class ModelForm:
    """Writes the elements and equations of one model."""

    problem: Problem
    derivation: Derivation

    @cached_property
    def names(self) -> IndexNotation:
        """The names of elements whose indices are numbers."""
        found = names_of(self.problem)
        assert isinstance(found, IndexNotation)
        return found

    @cached_property
    def order(self) -> dict[str, int]:
        """The place of every quantity in the order of computation."""
        return {name: k for k, name in enumerate(self.problem.graph.quantities)}

    @cached_property
    def alphabet(self) -> Letters:
        """The letters of the derivation."""
        return Letters.of(self.derivation.forward, self.derivation.backward)

    @cached_property
    def bounds(self) -> frozenset[str]:
        """Letters that run over axes of different sizes."""
        sizes: dict[str, set[sympy.Expr]] = {}
        graphs = (self.derivation.forward, self.derivation.backward)
        for equation in (e for graph in graphs for e in graph.equations):
            for index in letters_in(equation):
                sizes.setdefault(index.name, set()).add(index.axis.size)
        return frozenset(name for name, found in sizes.items() if len(found) > 1)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The symbols of all quantities."""
        return frozenset(q.tex for q in self.problem.graph.quantities.values())

    @cached_property
    def taken(self) -> frozenset[str]:
        """What an index letter is not called."""
        return self.derivation.forward.taken

    @cached_property
    def script(self) -> Script:
        """Thin spaces between names."""
        return self._without_clash(THIN)

    def _without_clash(self, script: Script) -> Script:
        """No power of Euler's number where something else is called e."""
        return replace(script, exponential=_spelled_exponential) if "e" in self.symbols else script

    # --- symbols ----------------------------------------------------------------------------

    def symbol(self, name: str, places: Iterable[str] = ()) -> str:
        """The symbol of a quantity, of a derivative by it, or of its value after the update."""
        return self._name(name, tuple(places)).tex

    def whole(self, name: str) -> str:
        """A whole quantity within a line of text."""
        return self.names.at(name, ()).inline

    def _name(self, name: str, places: tuple[str, ...]) -> Names:
        if name.startswith(ADJOINT):
            return derivative(self.names.loss(), self._name(name.removeprefix(ADJOINT), places))
        if name.endswith(UPDATED):
            return self._name(name.removesuffix(UPDATED), places).updated()
        return self.names.at(name, places)

    def entry(self, key: Element) -> Names:
        """The names of an element with any positions."""
        return self._name(key.name, tuple(position(place, self.leaf) for place in key.indices))

    def said(self, key: Element) -> str:
        """An element within a line of text."""
        return self.entry(key).inline

    def leaf(self, key: sympy.Expr) -> Piece:
        """An element with any positions, or a letter."""
        if isinstance(key, Index):
            return Piece(letter(key.name), Tightness.ATOM)
        if not isinstance(key, Element):
            return Piece(str(key.name), Tightness.ATOM)
        tex = self.entry(key).tex
        if tex == "e":  # not Euler's number
            return Piece(tex, Tightness.PRODUCT)
        return Piece(tex, Tightness.PRODUCT if self.is_quotient(key.name) else Tightness.ATOM)

    def is_quotient(self, name: str) -> bool:
        """Whether a quantity is written as a quotient, as derivatives without a name are."""
        known = self.problem.graph.quantities.get(name)
        return name.startswith(ADJOINT) or (known is not None and not known.tex)

    def rank(self, key: sympy.Expr) -> tuple[int, ...]:
        """Derivatives of the loss first, then parameters and data, in order of computation.

        Parameters stand before data, W x, but behind them where the model multiplies rows, x W.
        """
        if not isinstance(key, Element):
            return (3, 0)
        base = key.name.removeprefix(ADJOINT).removesuffix(UPDATED)
        if key.name.startswith(ADJOINT):
            return (-1, -self.order[base], *_numbers(key))
        quantity = self.problem.graph.quantities[base]
        if not quantity.tex:
            return (-1, 1, -self.order[base], *_numbers(key))
        group = int((quantity.role is Role.PARAMETER) == self._multiplies_rows)
        return (group, *self._summand(key)[1:])

    def _summand(self, key: sympy.Expr) -> tuple[int, ...]:
        """The place of a term in a sum: data before parameters, so that a bias stands last."""
        if not isinstance(key, Element) or key.name.startswith(ADJOINT):
            return self.rank(key)
        base = key.name.removesuffix(UPDATED)
        quantity = self.problem.graph.quantities[base]
        group = int(quantity.role is Role.PARAMETER)
        first = -1 if quantity.role is Role.TARGET else self.order[base]
        return (group, first, *_numbers(key))

    @cached_property
    def _multiplies_rows(self) -> bool:
        """Whether data stand to the left of their parameters, as in x[n,i]*W[i,h]."""
        quantities = self.problem.graph.quantities
        for equation in self.problem.graph.equations:
            for product in equation.rhs.atoms(sympy.Mul):
                read = [f for f in product.args if isinstance(f, Element) and f.indices]
                own = [quantities[f.name].role is Role.PARAMETER for f in read]
                if sorted(own) == [False, True]:
                    weight, data = sorted(read, key=lambda f: not own[read.index(f)])
                    if len(weight.indices) > 1 and weight.indices[0] == data.indices[-1]:
                        return True
        return False

    # --- equations --------------------------------------------------------------------------

    @cached_property
    def writer(self) -> IndexWriter:
        """Writes names."""
        return IndexWriter(
            self.leaf,
            self.rank,
            self.script,
            self.bounds,
            delta=self._is_free(r"\delta"),
            sigma=self._is_free(r"\sigma"),
            literals=self._literals,
            summand=self._summand,
        )

    def _is_free(self, letter: str) -> bool:
        """Whether no quantity is called by a letter, with or without marks: δ, δ_1."""
        return not any(symbol.startswith(letter) for symbol in self.symbols)

    @cached_property
    def _literals(self) -> frozenset[sympy.Rational]:
        """The decimals that stand in the equations."""
        found = (e.rhs.atoms(sympy.Rational) for e in self.problem.graph.equations)
        return frozenset(n for numbers in found for n in numbers if n.q > SMALL_DENOMINATOR)

    def numbers(self, text: Callable[[Element], str]) -> IndexWriter:
        """Writes numbers where names stood."""

        def leaf(key: sympy.Expr) -> Piece:
            return number_piece(text(key)) if isinstance(key, Element) else self.leaf(key)

        return replace(self.writer, leaf=leaf, script=self._without_clash(NUMBERS), shorten=True)

    @cached_property
    def edges(self) -> dict[str, tuple[Edge, ...]]:
        """What the page says of the values before the first step, by quantity."""
        return edges_of(self.derivation)

    def _plain(self, expr: sympy.Expr) -> sympy.Expr:
        return outside_first(without_edges(expr, self.edges, self.derivation.forward))

    def tex(self, expr: sympy.Expr) -> str:
        """An expression in index form, on one line."""
        return self.writer.tex(self._plain(expr))

    def rows(self, expr: sympy.Expr, room: int) -> str:
        """An expression in index form, broken where it is long."""
        return self.writer.within(self._plain(expr), room)

    def lhs(self, equation: Equation) -> str:
        """The left side of an equation."""
        return self.leaf(equation.lhs).tex

    def letters(self, name: str) -> tuple[Index, ...]:
        """The letters under which a quantity is known."""
        graph = self.derivation.forward
        quantity = graph.quantities[name]
        if not quantity.given:
            return graph.equation(name).indices
        backward = self.derivation.backward.quantities
        if adjoint_name(name) in backward:
            return self.derivation.adjoint(name).indices
        for equation in graph.readers(name):
            for element in elements(equation.rhs):
                places = element.indices
                plain = all(isinstance(i, Index) for i in places) and len({*places}) == len(places)
                if element.name == name and plain:
                    return tuple(places)
        free = (each for each in ascii_lowercase if each not in self.taken)
        return tuple(Index(each, axis) for each, axis in zip(free, quantity.axes, strict=False))


def ranges(indices: Iterable[Index]) -> str:
    r"""`0 \le n < 2` for each letter, in one formula."""
    return r",\ ".join(rf"0 \le {letter(i.name)} < {i.axis.size}" for i in dict.fromkeys(indices))


def open_letters(equation: Equation) -> Iterator[Index]:
    """The letters of an equation whose range it does not state: a sum can state that of its own."""
    yield from equation.indices
    for node in sympy.preorder_traversal(equation.rhs):
        if not isinstance(node, Total):
            yield from bound_indices(node)


def letters_in(equation: Equation) -> Iterator[Index]:
    """Every letter of an equation, bound ones included."""
    yield from equation.indices
    for node in sympy.preorder_traversal(equation.rhs):
        if isinstance(node, Index):
            yield node


def renamed(
    exprs: Iterable[sympy.Expr],
    own: tuple[Index, ...],
    at: tuple[Index, ...],
    taken: frozenset[str],
    letters: Letters | None = None,
) -> tuple[tuple[Index, ...], list[sympy.Expr]]:
    """Fresh letters under names that a reader would choose: their own, with primes if taken."""
    used = {index.name for index in at}
    change: dict[Index, Index] = {}
    for index in own:
        name = index.name.split("#")[0]
        while name in used:
            name += "'"
        used.add(name)
        change[index] = Index(name, index.axis)
    fresh = Fresh()
    found = [tidy(substitute(e, change, fresh), taken | used, letters) for e in exprs]
    return tuple(change.values()), found


def deltas(expr: sympy.Expr) -> int:
    """How many deltas an expression has."""
    return sum(isinstance(node, Delta) for node in sympy.preorder_traversal(expr))


def _numbers(key: Element) -> tuple[int, ...]:
    return tuple(int(place) for place in key.indices if place.is_Integer)


def _spelled_exponential(exponent: Piece) -> Piece:
    tall = r"\frac" in exponent.tex or r"\sum" in exponent.tex
    inside = rf"\left({exponent.tex}\right)" if tall else f"({exponent.tex})"
    return Piece(rf"\exp{inside}", Tightness.POWER)
