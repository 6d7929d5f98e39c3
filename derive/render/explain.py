"""One weight's derivation as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import InputError, nearest
from derive.graph import Derivation
from derive.notation import notation
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.network import scalar_network
from derive.render.order import weights_in_order
from derive.render.pieces import PLAIN
from derive.render.sheet import Display, Sheet
from derive.render.story import given_sheet
from derive.render.weights import Story


def explain(
    problem: Problem, derivation: Derivation, weight: str, forward: bool = False
) -> list[str]:
    """The lines of the derivation of one weight. Raises InputError for an unknown weight.

    `w5` and `dE/dw5` mean the same. The `forward` pass, from whose numbers they are computed,
    stands before them if it is asked for.
    """
    return carried(problem, lambda told: list(_explained(told, derivation, weight, forward)))[1]


def _explained(
    problem: Problem, derivation: Derivation, weight: str, forward: bool
) -> Iterator[str]:
    weight = weight.rpartition("/d")[2]
    sheet = given_sheet(problem, Sheet(notation(problem), problem.numbers, PLAIN))
    story = Story(problem, scalar_network(derivation), sheet)
    found = {sheet.name(w).report: w for w in weights_in_order(problem)}
    if weight not in found:
        hint = nearest(weight, found)
        raise InputError(f"there is no weight '{weight}'; {hint}")
    passed = [sheet.define(node, expr) for node, expr in story.network.equations.items()]
    if forward:
        yield "Forward pass"
        for display in passed:
            yield from _lines(display)
        yield ""
    yield f"The gradient of {weight}, factor by factor"
    for block in story.weight_blocks(found[weight], set()):
        if block.kind == "weight":
            yield from _lines(block["formula"])
        for copy in block.fields.get("copies", ()):
            yield f"  {copy['tex']}"
        if isinstance(block.fields.get("display"), Display):
            yield from _lines(block["display"])


def _lines(display: Display) -> Iterator[str]:
    """A display on as many lines as it has rows; a broken row goes on below its own beginning."""
    indent = " " * len(display.lhs)
    for number, row in enumerate(display.rows):
        start, *more = row.splitlines()
        yield f"  {indent if number else display.lhs} = {start}"
        yield from (f"  {indent}   {line.strip()}" for line in more)
