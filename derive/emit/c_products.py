"""Products of matrices in C: calls of one function, in the loops over what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy

from derive.emit.arithmetic import Code, Level
from derive.emit.contractions import Contraction, Matrix
from derive.emit.prose import length
from derive.emit.tree import Node
from derive.expression import Index

STEP = 4
Position = Callable[[sympy.Expr], Code]


def product_lines(
    product: Contraction,
    factor: Callable[[Node], str],
    position: Position,
    places: Mapping[str, str],
    sign: int,
) -> list[str]:
    """The lines that add a product of matrices to a table."""
    scale = factor(product.scale)
    left, right, result = (
        _from(matrix, product, position, places)
        for matrix in (product.left, product.right, product.result)
    )
    rows, columns, depth = product.rows, product.columns, product.depth
    numbers = (
        *(rows.count, columns.count, depth.count, scale if sign > 0 else f"-{scale}"),
        *(left, rows.step(product.left), depth.step(product.left)),
        *(right, depth.step(product.right), columns.step(product.right)),
        *(result, rows.step(product.result)),
    )
    lines = [f"add_product({', '.join(map(str, numbers))});"]
    guards = []
    for place, axis in product.guards:
        here = position(place).at(Level.SUM)
        guards.append(f"0 <= {here} && {here} < {length(axis)}")
    for letter, (start, stop) in reversed(product.outer):
        name = position(letter).text
        run = f"for (int {name} = {start}; {name} < {stop}; {name}++) {{"
        lines = [run, *(f"{' ' * STEP}{line}" for line in lines), "}"]
    if guards:
        guard = f"if ({' && '.join(dict.fromkeys(guards))}) {{"
        lines = [guard, *(f"{' ' * STEP}{line}" for line in lines), "}"]
    return lines


def _from(
    matrix: Matrix, product: Contraction, position: Position, places: Mapping[str, str]
) -> str:
    """Where a matrix begins: its entry for the first of all letters."""
    first: Mapping[Index, sympy.Integer] = {
        letter: sympy.Integer(start) for letter, start in product.first.items()
    }
    entry = "".join(f"[{position(i.xreplace(first)).text}]" for i in matrix.read.indices)
    return f"&{places[matrix.read.name]}{entry}"
