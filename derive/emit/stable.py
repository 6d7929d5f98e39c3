"""Stable forms of expressions: the rewrites applied from the leaves up, each move recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy

from derive.emit.stable_rows import ROWS, Rewrite
from derive.expression import Chosen, Element

MOST = 400  # moves in one expression; more are taken for rewrites that undo each other
Record = Callable[[str, sympy.Expr, sympy.Expr], None]


class Unsettled(RuntimeError):
    """Rewrites that never come to an end."""


def stable(expr: sympy.Expr, record: Record | None = None) -> sympy.Expr:
    """An expression to which no rewrite applies; `record` is told each move: row, before, after."""
    return _Settling(ROWS, record).settled(expr)


class _Settling:
    """One walk through an expression; what is settled is not looked at again."""

    def __init__(self, rows: Sequence[Rewrite], record: Record | None) -> None:
        self.rows, self.record = rows, record
        self.done: dict[sympy.Expr, sympy.Expr] = {}
        self.moves = 0

    def settled(self, expr: sympy.Expr) -> sympy.Expr:
        """The expression after all moves within it; what `Chosen` is about stays as it is."""
        if not expr.args or isinstance(expr, Element | Chosen):
            return expr
        if expr not in self.done:
            self.done[expr] = self._moved(self._inside(expr))
        return self.done[expr]

    def _inside(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression with settled parts; a divisor is judged with the product it stands in."""
        product = isinstance(expr, sympy.Mul)
        below = [
            self._inside(part) if product and part.is_Pow else self.settled(part)
            for part in expr.args
        ]
        same = all(a is b for a, b in zip(below, expr.args, strict=True))
        return expr if same else expr.func(*below)

    def _moved(self, node: sympy.Expr) -> sympy.Expr:
        """A node whose parts are settled, after the first row that applies and all that follow."""
        for row in self.rows:
            new = row.rewrite(node)
            if new != node:
                self.moves += 1
                if self.moves > MOST:
                    raise Unsettled(f"'{row.name}' and other rewrites do not come to an end")
                if self.record is not None:
                    self.record(row.name, node, new)
                return self.settled(new)
        return node
