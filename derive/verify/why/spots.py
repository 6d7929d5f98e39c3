"""Every place of an expression at which something else could stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from derive.expression import Chosen, Delta, Element, Index, Inside, Largest

Put = Callable[[sympy.Expr], sympy.Expr]


def spots(expr: sympy.Expr, put: Put = lambda new: new) -> Iterator[tuple[sympy.Expr, Put]]:
    """Each node, the whole first, with what makes of another node the whole that has it there.

    What picks places (positions, deltas, guards, largest terms) is left as it is.
    """
    if isinstance(expr, Index | sympy.Number):
        return
    yield expr, put
    if isinstance(expr, Element | Chosen | Delta | Inside | Largest):
        return
    for k in range(len(expr.args)):
        yield from spots(expr.args[k], _within(expr, k, put))


def _within(expr: sympy.Expr, k: int, put: Put) -> Put:
    return lambda new: put(expr.func(*expr.args[:k], new, *expr.args[k + 1 :]))
