"""The chain rule entry by entry, with factors that may be printed ones.

Who computes ∂E/∂w5 as ∂E/∂out · ∂out/∂net · ∂net/∂w5 goes on with the three numbers. Slopes that
are not printed are differences of the forward equations, so nothing of a derivation is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpmath import mp

from derive.graph import Graph
from derive.verify.interpreter import Program, element_slope
from derive.verify.meaning import Key, Values

Factors = Mapping[tuple[Key, Key], Any]  # ∂of/∂by, by both


class Chain:
    """The derivatives of a loss at some values, computed as they are asked for.

    `adjoints` are derivatives of the loss that are known, by what they are by.
    """

    def __init__(self, graph: Graph, values: Values, factors: Factors, adjoints: Values) -> None:
        self.graph, self.values, self.factors = graph, values, factors
        self.readers = Program(graph).readers(values)
        self.found: Values = {(graph.loss.name, ()): mp.one, **adjoints}

    def by(self, key: Key) -> Any:
        """The derivative by one entry."""
        if key not in self.found:
            above = self.readers.get(key, ())
            self.found[key] = mp.fsum(self.by(one) * self.factor(one, key) for one in above)
        return self.found[key]

    def factor(self, of: Key, by: Key) -> Any:
        """How fast an entry moves with one that its equation reads."""
        if (of, by) in self.factors:
            return self.factors[of, by]
        return slope_at(self.graph, of, by, self.values)


def slope_at(graph: Graph, of: Key, by: Key, values: Values) -> Any:
    """How fast the equation of an entry alone moves with another one; None of what is given."""
    if of[0] not in graph.quantities or graph.quantities[of[0]].given or by not in values:
        return None
    equation = graph.equation(of[0])
    binding = dict(zip(equation.indices, of[1], strict=True))
    return element_slope(equation.rhs, values, binding, by)
