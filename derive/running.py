"""Products and running sums of equations, written as recurrences.

    prod(i, f[i])      P[i] = P[i-1]*f[i] with P[-1] = 1, read at the last i
    cumprod(i, f[i])   the same, read at i
    cumsum(i, f[i])    S[i] = S[i-1] + f[i], read at i

So the derivative of a product is that of its recurrence, which divides by no factor: it is right
where factors are zero.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

import sympy

from derive.expression import (
    Axis,
    Delta,
    Element,
    Fresh,
    Index,
    Running,
    alike,
    reads,
    rebuild,
    substitute,
)
from derive.graph import Equation, Kind, Quantity, needed
from derive.letters import letter_beside, tidy

Describe = Callable[[str, tuple[Axis, ...]], Quantity]


@dataclass
class Recurrences:
    """What running products and sums became: `owners` are the equations in which they stood."""

    taken: set[str]
    describe: Describe
    equations: list[Equation] = field(default_factory=list)
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)
    found: list[tuple[Running, str]] = field(default_factory=list)

    def add(self, name: str, equation: Equation) -> None:
        """An equation by its own name; `y[i] = cumsum(i, x[i])` alone is the recurrence itself."""
        rhs, places = equation.rhs, set(equation.indices)
        alone = isinstance(rhs, Running) and rhs.position in places and rhs.free_symbols == places
        if alone:
            rhs = substitute(rhs.body, {rhs.index: rhs.position}, Fresh())
        made = replace(equation, rhs=self._read(rhs, name, equation))
        if alone:
            made = _walked(made, equation.rhs.word, equation.rhs.position)
        self.equations.append(made)

    def _read(self, expr: sympy.Expr, of: str, equation: Equation) -> sympy.Expr:
        return rebuild(expr, lambda node: self._entry(node, of, equation))

    def _entry(self, node: sympy.Expr, of: str, equation: Equation) -> sympy.Expr:
        """A running product or sum as an entry of a quantity of its own."""
        if not isinstance(node, Running):
            return node
        free = _free(node, equation)
        whole = Running(node.word, node.body, node.index, node.index)
        names = [name for other, name in self.found if alike(whole, other, {})]
        if not names:
            names = [self._recurrence(node, free, of)]
            self.found.append((whole, names[0]))
        return _at(Element(names[0], *free, node.position), node.word, node.position)

    def _recurrence(self, node: Running, free: tuple[Index, ...], of: str) -> str:
        """A new quantity for a running product or sum; its name."""
        numbers = (f"{of}_{node.word}{k or ''}" for k in count())
        name = next(each for each in numbers if each not in self.taken)
        change: dict[Index, Index] = {}
        along = node.position if isinstance(node.position, Index) else node.index
        for index, like in (*zip(free, free, strict=True), (node.index, along)):
            change[index] = letter_beside(like, {i.name for i in change.values()} | self.taken)
        places = tuple(change.values())
        quantity = self.describe(name, tuple(Axis(i.name, i.axis.size) for i in places))
        self.taken |= {name, quantity.name}
        self.owners[quantity.name] = (of, node.word)
        body = substitute(node.body, change, Fresh())
        made = Equation(replace(quantity, kind=Kind.OTHER), places, body)
        self.equations.append(_walked(made, node.word, places[-1]))
        return quantity.name

    def in_a_circle(self) -> tuple[str, str] | None:
        """An equation that a product or sum within it leads back to, and the word for that."""
        for equation in self.equations:
            name = equation.quantity.name
            others = tuple(each for each in self.equations if each is not equation)
            below = {each.quantity.name for each in needed(others, reads(equation.rhs))}
            if name in self.owners and any(name in reads(self._by(each).rhs) for each in below):
                return self.owners[name]
        return None

    def _by(self, name: str) -> Equation:
        return next(each for each in self.equations if each.quantity.name == name)


def as_recurrences(
    equations: Mapping[str, Equation], known: Collection[str], describe: Describe
) -> Recurrences:
    """Equations without running products and sums, which are recurrences among them.

    Raises GraphError where there is no place for a quantity more.
    """
    names = {equation.quantity.name for equation in equations.values()}
    made = Recurrences({*known, *names}, describe)
    for name, equation in equations.items():
        made.add(name, equation)
    return made


def _free(node: Running, equation: Equation) -> tuple[Index, ...]:
    """The indices on which what runs depends, those of the left side first."""
    free = [s for s in node.body.free_symbols if isinstance(s, Index) and s != node.index]
    left = [index for index in equation.indices if index in free]
    return (*left, *sorted((i for i in free if i not in left), key=lambda index: index.name))


def _walked(equation: Equation, word: str, along: Index) -> Equation:
    """What an equation says of one step, as the recurrence that runs along an index."""
    places = [index - 1 if index == along else index for index in equation.indices]
    before = _at(Element(equation.quantity.name, *places), word, along - 1)
    rhs = before + equation.rhs if word == "cumsum" else before * equation.rhs
    return replace(equation, rhs=tidy(rhs, frozenset(i.name for i in equation.indices)))


def _at(entry: Element, word: str, position: sympy.Expr) -> sympy.Expr:
    """An entry of what runs; before its first step a product is 1."""
    starts = word != "cumsum" and not isinstance(position, Index)
    return entry + Delta(position + 1, 0) if starts else entry
