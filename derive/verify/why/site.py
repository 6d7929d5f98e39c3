"""An equation in which a wrong way to calculate is looked for, and what such a way is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import sympy

from derive.expression import reads
from derive.functions import at_least, greater
from derive.graph import Equation, Graph, Role, adjoint_name

LONGEST_SUM = 8  # terms of a sum that are looked at one by one
LONGEST_TEXT = 40
Change = tuple[sympy.Expr, str]
Changes = Iterator[Change]


@dataclass(frozen=True)
class Site:
    """An equation of a derivation, in which a spot is looked at."""

    graph: Graph
    equation: Equation

    @property
    def name(self) -> str:
        """What the equation defines, as reports have it."""
        return told(self.equation.quantity.name, self.graph)

    @property
    def backward(self) -> bool:
        return self.equation.quantity.role is Role.ADJOINT

    def shape(self, name: str) -> tuple[int, ...]:
        quantity = self.graph.quantities.get(name.removeprefix(adjoint_name("")))
        return quantity.shape if quantity is not None else ()

    @property
    def sizes(self) -> frozenset[int]:
        """The lengths of all axes, and how many entries each quantity has."""
        quantities = self.graph.quantities.values()
        return frozenset(n for q in quantities for n in (*q.shape, prod(q.shape)))


@dataclass(frozen=True)
class Row:
    """A wrong way to calculate: its name, how likely it is (0 first), and what it changes.

    If it is a way to read the model (`anew`), the gradient is derived once more with it.
    """

    cause: str
    rank: float
    change: Callable[[sympy.Expr, Site], Changes]
    forward: bool = True
    backward: bool = True
    anew: bool = False


def told(name: str, graph: Graph) -> str:
    """A quantity or an adjoint as reports name it."""
    plain = name.removeprefix(adjoint_name(""))
    return f"d{graph.loss.name}/d{plain}" if plain != name and plain in graph.quantities else name


def shown(expr: sympy.Expr, site: Site) -> str:
    """An expression in words that fit a line; what is long is not written out."""
    if isinstance(expr, greater | at_least):
        sign = ">" if isinstance(expr, greater) else ">="
        return f"{shown(expr.args[0], site)}{sign}{shown(expr.args[1], site)}"
    names = {name for name in reads(expr) if name not in site.graph.quantities}
    text = str(expr).replace(" ", "")
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, told(name, site.graph))
    return text if len(text) <= LONGEST_TEXT else "a part"
