"""Letters of indices: short ones for bound indices, none for two sizes, none that is a name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy

from derive.expression import (
    Element,
    Fresh,
    Index,
    bound_indices,
    substitute,
)
from derive.graph import Equation, Graph


@dataclass(frozen=True)
class Letters:
    """The sizes of the axes over which each letter runs, so that a new letter gets one only."""

    sizes: dict[str, set[sympy.Expr]]

    @classmethod
    def of(cls, *graphs: Graph) -> Letters:
        """The letters of some graphs."""
        letters = cls({})
        for equation in (each for graph in graphs for each in graph.equations):
            for expr in (equation.lhs, equation.rhs):
                for node in sympy.preorder_traversal(expr):
                    if isinstance(node, Index):
                        letters.keep(node)
        return letters

    def keep(self, index: Index) -> None:
        """Remember a letter."""
        self.sizes.setdefault(index.name.split("#")[0], set()).add(index.axis.size)

    def elsewhere(self, size: sympy.Expr) -> set[str]:
        """The letters that run over another size."""
        return {letter for letter, sizes in self.sizes.items() if sizes != {size}}

    def free(self, index: Index, outside: set[str]) -> Index:
        """A bound index under its own letter if that is free, else under one of its own size."""
        name = index.name.split("#")[0]
        size = index.axis.size
        if name in outside or size not in self.sizes.get(name, {size}):
            name = _letter(name, outside | self.elsewhere(size))
        found = Index(name, index.axis)
        self.keep(found)
        return found


def tidy(expr: sympy.Expr, taken: frozenset[str], letters: Letters | None = None) -> sympy.Expr:
    """Give bound indices short letters again: their own if free, otherwise the next letter.

    With the letters of a derivation, none runs over axes of two sizes because of this.
    """
    inner = bound_indices(expr)
    if isinstance(expr, Element) or not expr.args:
        return expr
    if not inner:
        return expr.func(*[tidy(argument, taken, letters) for argument in expr.args])
    names = dict[Index, Index]()
    for index in inner:
        outside = {s.name for s in expr.free_symbols} | taken | {i.name for i in names.values()}
        names[index] = (letters or Letters({})).free(index, outside)
    below = taken | {index.name for index in names.values()}
    fresh = Fresh()
    arguments = [substitute(argument, names, fresh) for argument in expr.args]
    return expr.func(*[tidy(argument, below, letters) for argument in arguments])


def with_letters_apart(equation: Equation, names: frozenset[str]) -> Equation:
    """An equation none of whose index letters is also the name of a quantity."""
    outside = {symbol.name for symbol in equation.rhs.free_symbols} | names
    own: dict[Index, Index] = {}
    for index in equation.indices:
        if index.name in names:
            own[index] = Index(_letter(index.name, outside), index.axis)
            outside |= {own[index].name}
    indices = tuple(own.get(index, index) for index in equation.indices)
    taken = names | {index.name for index in indices}
    return replace(
        equation, indices=indices, rhs=tidy(substitute(equation.rhs, own, Fresh()), taken)
    )


def letter_beside(index: Index, taken: set[str]) -> Index:
    """An index under its own letter, without the mark of a fresh one, or under the next free."""
    return Index(_letter(index.name.split("#")[0], taken), index.axis)


def _letter(wanted: str, taken: set[str] | frozenset[str]) -> str:
    if wanted not in taken:
        return wanted
    letters = "ijklmnopqrstuvwabcdefgh"
    start = letters.index(wanted[0]) if wanted[0] in letters else 0
    for letter in letters[start:] + letters[:start]:
        if letter not in taken:
            return letter
    return next(f"{wanted}{k}" for k in range(1, len(taken) + 2) if f"{wanted}{k}" not in taken)
