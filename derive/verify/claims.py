"""Formulas that somebody printed, held against the equations of the spec.

The equations are written out, number by number, and a derivative is what they make of a small move;
nothing that the derivation says is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod

import sympy

from derive.errors import InputError
from derive.expression import Element, Index
from derive.functions import (
    BY_SYMBOL,
    absolute,
    at_least,
    greater,
    maximum,
    minimum,
    sign,
    where,
)
from derive.graph import Graph
from derive.notation import names_of, scalar_names
from derive.problem import Claimed, Problem
from derive.proofread.behind import Behind, Point, Stated, points
from derive.proofread.claim import Claim, Where
from derive.proofread.formula import symbol_name
from derive.proofread.formulas import wrong_formula
from derive.scalar import expand, scalar_equations, shapes_of
from derive.verify.report import Route, Status, skipped

NAME = "claims"
MOST_SCALARS = 600  # numbers of a graph that is written out
MOST_INSTANCES = 40  # of one formula, for values of its letters
Call = Callable[[Element], str]


def network_behind(graph: Graph, call: Call) -> Behind | None:
    """The equations of a graph number by number; None if there are too many."""
    entries = sum(prod(quantity.shape) for quantity in graph.quantities.values())
    if entries > MOST_SCALARS:
        return None
    shapes = shapes_of(graph)
    return Behind(
        {
            call(element): plain(expression, call)
            for equation in graph.equations
            for element, expression in scalar_equations(equation, shapes)
        },
        closed=True,
    )


def stated_by(problem: Problem) -> Stated:
    """What a spec says of a document about it, by the names on its page.

    Raises InputError if there is too much of it.
    """
    names = names_of(problem)

    def call(element: Element) -> str:
        return symbol_name(names.name(element).tex)

    network = network_behind(problem.graph, call)
    if network is None:
        raise InputError(
            f"{problem.name}: documents can be held against a spec of at most {MOST_SCALARS} "
            "numbers, and this one has more"
        )
    values = {
        call(Element(name, *place)): value
        for name, tensor in problem.values.items()
        for place, value in tensor.items()
    }
    return Stated(network, values)


def plain(expression: sympy.Expr, call: Call) -> sympy.Expr:
    """An expression of single numbers in SymPy's own functions."""
    if isinstance(expression, Element):
        return sympy.Symbol(call(expression), real=True)
    if not expression.args:
        return expression
    arguments = [plain(argument, call) for argument in expression.args]
    known = _PLAIN.get(expression.func)
    if known is not None:
        return known(*arguments)
    row = BY_SYMBOL.get(expression.func)
    if row is not None and row.definition is not None:
        return row.definition(*arguments)
    return expression.func(*arguments)


def _above(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    return sympy.Heaviside(a - b, 0)


_PLAIN: Mapping[type[sympy.Function], Callable[..., sympy.Expr]] = {
    maximum: sympy.Max,
    minimum: sympy.Min,
    absolute: sympy.Abs,
    sign: sympy.sign,
    greater: _above,
    at_least: lambda a, b: 1 - _above(b, a),
    where: lambda test, yes, no: test * yes + (1 - test) * no,
}


def claims_route(problem: Problem) -> Route | None:
    """All claims as one route; None if the spec has none."""
    if not problem.claims:
        return None
    names = names_of(problem)

    def call(element: Element) -> str:
        return names.name(element).report

    network = network_behind(problem.graph, call)
    if network is None:
        return skipped(NAME, "the model is too large to be written out number by number")
    at = list(points(network))
    codes = {} if problem.is_model else scalar_names(names, problem.graph)
    judged = [(each, _judged(each, problem.graph, codes, call, at)) for each in problem.claims]
    faults = list(_faults(judged))
    count = sum(compared for _, (compared, _) in judged)
    known = sum(bool(each.misprint) for each, (_, words) in judged if words)
    detail = "; ".join(faults) or (f"{known} known misprints" if known else "")
    return Route(NAME, Status.DISAGREES if faults else Status.AGREES, count, None, detail)


def _faults(judged: Sequence[tuple[Claimed, tuple[int, str]]]) -> Iterator[str]:
    for claimed, (_, words) in judged:
        place = f" ({claimed.where})" if claimed.where else ""
        if words and claimed.misprint is None:
            yield f"{claimed.formula}{place}: {words}"
        elif not words and claimed.misprint is not None:
            yield f"{claimed.formula}{place}: this is right, though the spec calls it a misprint"


def _judged(
    claimed: Claimed, graph: Graph, codes: Mapping[str, Element], call: Call, at: Sequence[Point]
) -> tuple[int, str]:
    """For how many values of its letters a claim was compared, and what is wrong with it."""
    count = 0
    for claim, letters in _instances(claimed, graph, codes, call):
        count += 1
        words = wrong_formula(claim, at, sure=True)
        if words is not None:
            return count, words + (f", at {letters}" if letters else "")
    return count, ""


def _instances(
    claimed: Claimed, graph: Graph, codes: Mapping[str, Element], call: Call
) -> Iterator[tuple[Claim, str]]:
    """A claim for values of its index letters, and these in words."""
    shapes = shapes_of(graph)
    sizes = {**shapes, **dict.fromkeys(codes, ())}
    axes = {name: len(sizes[of]) for name, (of, _) in claimed.slopes.items()}
    sizes |= {name: (*sizes[of], *sizes[by]) for name, (of, by) in claimed.slopes.items()}

    def called(element: Element) -> str:
        if element.name in claimed.slopes:
            of, by = claimed.slopes[element.name]
            cut = axes[element.name]
            above = called(Element(of, *element.indices[:cut]))
            return f"∂{above}/∂{called(Element(by, *element.indices[cut:]))}"
        return call(codes.get(element.name, element))

    free = {s for side in claimed.sides for s in side.free_symbols if isinstance(s, Index)}
    letters = sorted(free, key=str)
    every = product(*[range(letter.axis.length) for letter in letters])
    step = max(1, prod(letter.axis.length for letter in letters) // MOST_INSTANCES)
    for places in islice(every, 0, None, step):
        binding = dict(zip(letters, places, strict=True))
        first, *others = (plain(expand(s, binding, sizes), called) for s in claimed.sides)
        place = Where(0, NAME)
        claim = Claim(first, tuple(others), None, place, claimed.formula, "", ("",) * len(others))
        yield claim, ", ".join(f"{letter.name} = {k}" for letter, k in binding.items())
