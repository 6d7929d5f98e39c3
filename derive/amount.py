"""How much a graph computes, so that what nobody could compute is refused where it is asked for."""

from __future__ import annotations

import re
from math import prod

import sympy

from derive.expression import Index, bound_indices
from derive.graph import Equation, Graph
from derive.limits import (
    MOST_AXES,
    MOST_ENTRIES,
    MOST_EQUATIONS,
    MOST_FOLLOWED,
    MOST_TERMS,
    too_many,
)
from derive.spec import Path_, SpecFile

OVERHEAD = 10  # multiplications that an update costs besides those of its equations


def check_amount(file: SpecFile, graph: Graph) -> None:
    """Refuse quantities and sums of more entries than memory or time are for. Raises InputError."""
    if len(graph.equations) > MOST_EQUATIONS:
        words = too_many(len(graph.equations), MOST_EQUATIONS, "equations", "a model")
        raise file.fail(("model",), f"{words}, with those of its layers")
    for quantity in graph.quantities.values():
        if len(quantity.axes) > MOST_AXES:
            words = f"'{quantity.name}' has {len(quantity.axes)} axes"
            limit = f"a quantity has at most {MOST_AXES}"
            raise file.fail(place_of(file, quantity.name), f"{words}; {limit}")
        count = prod(quantity.shape)
        if count > MOST_ENTRIES:
            words = f"'{quantity.name}' has {count:,} entries"
            limit = f"a quantity has at most {MOST_ENTRIES:,}"
            raise file.fail(place_of(file, quantity.name), f"{words}; {limit}")
    for equation in graph.equations:
        count = terms(equation)
        if count > MOST_TERMS:
            name = equation.quantity.name
            words = f"the equation of '{name}' adds up {count:,} terms"
            raise file.fail(
                place_of(file, name), f"{words}; an equation has at most {MOST_TERMS:,}"
            )


def too_far(graph: Graph, update: int) -> str:
    """What is wrong with asking for the numbers of an update; nothing if it can be followed."""
    share = OVERHEAD + sum(map(terms, graph.equations))
    most = MOST_FOLLOWED // max(1, share)
    if update <= most:
        return ""
    return f"update {update:,} is too far to be followed digit by digit; here {most:,} is the last"


def terms(equation: Equation) -> int:
    """How many terms an equation adds up, over all entries of what it defines."""
    return prod(equation.quantity.shape) * _summed(equation.rhs)


def work(graph: Graph) -> int:
    """About how many multiplications one forward pass takes, every entry of every sum by itself."""
    total = 0
    for equation in graph.equations:
        nodes = sympy.preorder_traversal(equation.rhs)
        letters = {node for node in nodes if isinstance(node, Index)} | {*equation.indices}
        total += prod(index.axis.length for index in letters)
    return total


def _summed(expr: sympy.Basic) -> int:
    own = prod(index.axis.length for index in bound_indices(expr))
    return own * max(map(_summed, expr.args), default=1)


def place_of(file: SpecFile, name: str) -> Path_:
    """Where in the spec of a model a quantity comes from."""
    spec = file.spec
    for section in ("inputs", "parameters", "targets", "constants"):
        if name in getattr(spec, section):
            return (section, name)
    for k, node in enumerate(spec.model or ()):
        if isinstance(node, str):
            if re.search(rf"(?:^|[;\n])\s*{name}\s*[\[=]", node):
                return ("model", k)
        elif name == (node.output or node.name) or name.startswith(f"{node.name or node.output}_"):
            return ("model", k)
    return ("loss",) if spec.loss is not None else ("model",)
