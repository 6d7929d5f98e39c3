"""An equation over letters as a template: the page puts in the numbers of any entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy

from derive.expression import (
    Chosen,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
)
from derive.functions import at_least, greater, where
from derive.interactive.mathml import mathml
from derive.interactive.rows import DIGITS, HOLE, numbered, with_holes
from derive.interactive.trees import Tree
from derive.notation import ADJOINT, UPDATED
from derive.numbers import literal
from derive.render.model_form import ModelForm
from derive.render.pieces import Piece, Tightness, number_piece
from derive.render.whole_update import RATE

SUM = "sum "  # what a sum over a letter is called while the rest is written
SETTING = "setting "  # and a setting of an optimizer
DECIDED = (Chosen, Delta, Inside, Largest, LogTotalExp, where, at_least, greater)


@dataclass(frozen=True)
class Worked:
    """Writes templates of a model; `leaf` is what the program calls an entry."""

    form: ModelForm
    leaf: Callable[[sympy.Expr], Tree]

    def template(self, expr: sympy.Expr, settings: bool = False) -> dict[str, Any] | None:
        """The formula with a hole for each number, and for each sum over a letter.

        The numbers that stand in it are `settings` of an optimizer, or those of an equation.

        None for a formula whose shape depends on the entry or on the numbers, and for a number.
        """
        if expr.has(*DECIDED) or not expr.has(Element):
            return None
        sums: dict[Element, Total] = {}

        def without(node: sympy.Expr) -> sympy.Expr:
            if isinstance(node, Total):
                key = Element(f"{SUM}{len(sums)}")
                sums[key] = node
                return key
            if settings and node.is_Rational and not node.is_Integer and node != sympy.S.Half:
                return Element(f"{SETTING}{literal(Fraction(int(node.p), int(node.q)))}")
            if isinstance(node, Element) or not node.args:
                return node
            return node.func(*map(without, node.args))

        outer = without(expr)
        if _counts(outer):
            return None
        inner = {key: self.template(total.body) for key, total in sums.items()}
        if None in inner.values():
            return None
        tex, keys, when = self._written(outer)
        holes: list[object] = []
        for key in keys:
            if key in sums:
                index = sums[key].index
                holes.append({"letter": index.name, "size": index.axis.length, "body": inner[key]})
            elif key.name.startswith(SETTING):
                holes.append(key.name.removeprefix(SETTING))
            else:
                holes.append(self.leaf(key))
        return {"m": mathml(tex, "block"), "x": tex, "g": when, "h": holes}

    def _written(self, expr: sympy.Expr) -> tuple[str, list[Element], str]:
        """A formula with its holes in order, the keys that they are for, which need brackets."""

        def leaf(key: sympy.Expr) -> Piece:
            piece = number_piece(DIGITS)
            return replace(piece, hold=Tightness.SUM) if key.name.startswith(SUM) else piece

        tex, keys, when = with_holes(lambda leaf: str(self._writer(leaf).tex(expr)), leaf)
        return numbered(tex), [keys[sign] for sign in HOLE.findall(tex)], when

    def _known(self, key: sympy.Expr) -> bool:
        """Whether a key is of a quantity of the model, a derivative, or a new value."""
        base = key.name.removeprefix(ADJOINT).removesuffix(UPDATED)
        return isinstance(key, Element) and base in self.form.problem.graph.quantities

    def _writer(self, leaf: Callable[[sympy.Expr], Piece]) -> Any:
        writer = self.form.numbers(lambda key: DIGITS)

        def ranked(rank: Callable[[sympy.Expr], tuple[int, ...]]) -> Any:
            return lambda key: rank(key) if self._known(key) else _rank(key)

        return replace(
            writer,
            leaf=leaf,
            rank=ranked(writer.rank),
            summand=ranked(writer.summand or writer.rank),
            shorten=False,
        )


def _rank(key: sympy.Expr) -> tuple[int, ...]:
    """The learning rate first, then settings and states, sums last."""
    if key.name.startswith((SUM, SETTING)):
        return (9 if key.name.startswith(SUM) else -1, 0)
    return (-2 if key.name == RATE else 2, 0)


def _counts(expr: sympy.Expr) -> bool:
    """Whether a letter stands in an expression as a number, outside the elements."""
    if isinstance(expr, Element):
        return False
    return isinstance(expr, Index) or any(map(_counts, expr.args))
