"""What a graph means: a slow nested-loop interpreter over any kind of number.

It is the oracle of the routes, so it shares no code with the calculus, the scalar view or the
emitters. Numbers may be `mpf`, `Dual`, SymPy expressions, or scalars of a tensor library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

import sympy

from derive.expression import Element, Index
from derive.graph import Equation, Graph, needed
from derive.verify.algebra import EXACT, Algebra
from derive.verify.meaning import Key, Values, meaning_of, slope_by, slot_of, slots_of


def element_slope(expr: sympy.Expr, values: Values, binding: Mapping[Index, int], key: Key) -> Any:
    """How fast an expression moves with one element that it reads."""
    return slope_by(expr, values, slots_of(binding), key)


def run(
    graph: Graph, given: Values, algebra: Algebra = EXACT, moved: Mapping[Key, Any] | None = None
) -> Values:
    """The value of every element of the graph; `moved` adds to an element once it is known."""
    return Program(graph, algebra).run(given, moved)


def value_of(key: Key, equations: Sequence[Equation], known: Values) -> Any:
    """The value of one element, of no more equations than it takes; None if there is none."""
    rules = {e.quantity.name: _rule(e, EXACT) for e in equations}
    missing = [e for e in equations if any((e.quantity.name, place) not in known
                                           for place in rules[e.quantity.name].places)]  # fmt: skip
    values = _OnDemand(rules, {})
    values.update(known)
    for equation in needed(tuple(missing), [key[0]]):
        for place in rules[equation.quantity.name].places:
            values.compute((equation.quantity.name, place))
    return values.get(key)


class Program:
    """A graph that is made ready once and run as often as wanted."""

    def __init__(self, graph: Graph, algebra: Algebra = EXACT) -> None:
        self.rules = {e.quantity.name: _rule(e, algebra) for e in graph.equations}
        self.order = [(name, place) for name, rule in self.rules.items() for place in rule.places]

    def run(self, known: Values, moved: Mapping[Key, Any] | None = None) -> Values:
        """The value of every element; of what the equations define, only the unknown is found."""
        shifts = moved or {}
        values = _OnDemand(self.rules, shifts)
        values.update({key: v + shifts[key] if key in shifts else v for key, v in known.items()})
        for key in self.order:
            values.compute(key)
        return dict(values)

    def readers(self, values: Values) -> dict[Key, list[Key]]:
        """Which elements each element is read by."""
        found: dict[Key, list[Key]] = {}
        for key in self.order:
            watched = Watched(values)
            self.rules[key[0]].at(watched, key[1])
            for read in watched.asked:
                found.setdefault(read, []).append(key)
        return found


class _Rule:
    """An equation that is made ready."""

    def __init__(self, equation: Equation, algebra: Algebra) -> None:
        self.shape = equation.quantity.shape
        self.slots = [slot_of(index) for index in equation.indices]
        self.meaning = meaning_of(equation.rhs, algebra)
        places = list(product(*map(range, self.shape)))
        self.places = places[::-1] if _looks_ahead(equation) else places

    def at(self, values: Values, place: tuple[int, ...]) -> Any:
        return self.meaning(values, dict(zip(self.slots, place, strict=True)))


@lru_cache(maxsize=20_000)
def _rule(equation: Equation, algebra: Algebra) -> _Rule:
    return _Rule(equation, algebra)


class _OnDemand(dict[Key, Any]):
    """Values that are computed when they are first asked for: that is all a recurrence needs."""

    def __init__(self, rules: Mapping[str, _Rule], shifts: Mapping[Key, Any]) -> None:
        super().__init__()
        self.rules, self.shifts = rules, shifts
        self.busy: set[Key] = set()

    def get(self, key: Key, default: Any = None) -> Any:
        if key in self:
            return self[key]
        rule = self.rules.get(key[0])
        if rule is None or not all(0 <= k < n for k, n in zip(key[1], rule.shape, strict=True)):
            return default
        return self.compute(key)

    def compute(self, key: Key) -> Any:
        if key in self:
            return self[key]
        if key in self.busy:
            raise ValueError(f"{key[0]}{list(key[1])} depends on itself")
        self.busy.add(key)
        try:
            result = self.rules[key[0]].at(self, key[1])
        finally:  # what has no value may be asked for again, where a factor before it is 0
            self.busy.remove(key)
        self[key] = result + self.shifts[key] if key in self.shifts else result
        return self[key]


class Watched(dict[Key, Any]):
    """Values that remember which of them were read; it is empty, so that all are asked for."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self.known = values
        self.asked: set[Key] = set()

    def get(self, key: Key, default: Any = None) -> Any:
        self.asked.add(key)
        return self.known.get(key, default)


def _looks_ahead(equation: Equation) -> bool:
    """Whether an equation reads itself beyond the entry it defines; then the last comes first."""
    return any(
        (position - index).is_positive
        for element in equation.rhs.atoms(Element)
        if element.name == equation.quantity.name
        for position, index in zip(element.indices, equation.indices, strict=True)
    )


def value(expr: sympy.Expr, values: Values, binding: Mapping[Index, int], algebra: Algebra) -> Any:
    """The value of an expression with its free indices bound."""
    return meaning_of(expr, algebra)(values, slots_of(binding))
