"""Values at which a problem is verified: the spec's own, and seeded ones in general position."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import sympy
from mpmath import mp

from derive.errors import InputError
from derive.expression import Axis, Index, elements
from derive.graph import Derivation, Equation, Graph, Local, Quantity, Role, Step
from derive.library.loss import Reduction
from derive.problem import Problem
from derive.verify.algebra import EXACT, working
from derive.verify.bench import Slopes
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from derive.verify.tape import all_slopes

TRIES = 20
MOST_SCALARS = 100
MOST_ENTRIES = 400  # of one parameter after an update, beside its corners
SMALL, DEEP = 3, 8  # places on an axis; equations
SCALES = tuple(map(Fraction, ("1", "2", "0.3")))  # of parameters
HUGE = 10_000
FADED = 1e-9


def spec_values(problem: Problem) -> Values | None:
    """The values that the spec gives, with all digits that anything is computed with here.

    None if it leaves some out.
    """
    if problem.symbolic:
        return None
    with working(problem.numbers.working):
        return {
            (name, place): EXACT.number(value)
            for name, tensor in problem.values.items()
            for place, value in tensor.items()
        }


def drawn_values(graph: Graph, seed: int) -> Values:
    """Seeded values for everything that is given, as below."""
    return drawn_slopes(graph, seed).given


def drawn_slopes(graph: Graph, seed: int) -> Slopes:
    """Seeded values for everything that is given, at which the loss is finite and feels it all.

    Through many layers, or through wide ones, a slope may fade to nothing or a value grow beyond
    all use; then parameters of another size are tried. Raises InputError if no draw gives a finite
    loss.
    """
    finite: Slopes | None = None
    for attempt in range(TRIES):
        scale = SCALES[attempt % len(SCALES)]
        with working():
            values = _draw(graph, random.Random(f"{seed}/{attempt}"), scale)
            slopes = Slopes(graph, values)
            try:
                known = _at_hand(slopes)
            except (ValueError, ZeroDivisionError, TypeError):
                continue
            loss = known[graph.loss.name, ()]
            if not isinstance(loss, mp.mpf) or not mp.isfinite(loss):
                continue
            if _alive(slopes, known):
                return slopes
        finite = slopes if finite is None else finite
        if attempt >= len(SCALES) - 1:
            break
    if finite is not None:
        return finite
    raise InputError(
        "the loss is not a finite number at any of the values tried; does it take the logarithm "
        "of an output that can be negative?"
    )


def _at_hand(slopes: Slopes) -> Values:
    """All values at a draw, most of which are tried only: with more digits where it takes them."""
    try:
        return run(slopes.graph, slopes.given)
    except (ValueError, ZeroDivisionError):
        return slopes.forward


def _alive(slopes: Slopes, known: Values) -> bool:
    """Whether no value is huge and the loss still feels what is farthest from it."""
    if any(abs(value) > HUGE for value in known.values()):
        return False
    found, first = all_slopes(slopes.graph, slopes.given), slopes.graph.of_role(Role.PARAMETER)[:1]
    felt = [abs(found[quantity.name, place]) for quantity in first for place in _places(quantity)]
    return not felt or max(felt) > FADED


def float_values(problem: Problem, seed: int) -> dict[str, dict[tuple[int, ...], float]]:
    """The spec's values, or seeded ones of a size at which wide layers stay in range."""
    source = random.Random(seed)
    values = {}
    for quantity in problem.graph.given:
        places = _places(quantity)
        if quantity.sums_to_one:
            columns = quantity.shape[-1]
            chosen = {place: source.randrange(columns) for place in _rows(quantity)}
            table = {p: float(p[-1] == chosen[p[:-1]]) for p in places}
        else:
            low = 0.1 if quantity.role is Role.TARGET else -0.3
            table = {place: source.uniform(low, 0.3) for place in places}
        values[quantity.name] = table
    return values


def spread(quantity: Quantity) -> list[tuple[int, ...]]:
    """All entries, or if they are too many its corners and one out of each of equal stretches.

    Out of each a drawn one: at even steps they might all stand in the same columns.
    """
    places = _places(quantity)
    if len(places) <= MOST_ENTRIES:
        return places
    source = random.Random(quantity.name)
    ends = [k * len(places) // MOST_ENTRIES for k in range(MOST_ENTRIES + 1)]
    drawn = [places[source.randrange(*stretch)] for stretch in pairwise(ends)]
    return sorted({*product(*[{0, size - 1} for size in quantity.shape]), *drawn})


def _rows(quantity: Quantity) -> list[tuple[int, ...]]:
    return list(dict.fromkeys(place[:-1] for place in _places(quantity)))


def _draw(graph: Graph, source: random.Random, scale: Fraction) -> Values:
    values: Values = {}
    for quantity in graph.given:
        places = _places(quantity)
        low, high = (-1000, 1000) if quantity.role is not Role.TARGET else (100, 900)
        size = scale if quantity.role is Role.PARAMETER else 1
        drawn = {p: size * Fraction(source.randint(low, high), 1000) for p in places}
        if quantity.sums_to_one:
            drawn = normalised(drawn)
        values |= {(quantity.name, p): EXACT.number(v) for p, v in drawn.items()}
    return values


def normalised(drawn: dict[tuple[int, ...], Fraction]) -> dict[tuple[int, ...], Fraction]:
    """Rows scaled so that each sums to one."""
    totals: dict[tuple[int, ...], Fraction] = {}
    for place, value in drawn.items():
        totals[place[:-1]] = totals.get(place[:-1], Fraction(0)) + value
    return {place: value / totals[place[:-1]] for place, value in drawn.items()}


def _places(quantity: Quantity) -> list[tuple[int, ...]]:
    return list(product(*map(range, quantity.shape)))


def small(derivation: Derivation) -> Derivation:
    """The same derivation with long axes cut short: it holds for every size, so for this one.

    Axes of one size stay axes of one size, and of different sizes different: letters are told
    apart by name and size, so anything else would tear a letter off its axis.
    """
    quantities = derivation.forward.quantities.values()
    if sum(math.prod(q.shape) for q in quantities) <= MOST_SCALARS:
        return derivation
    deep = len(derivation.forward.equations) > DEEP
    sizes = _shorter({size for q in quantities for size in q.shape}, deep)
    return derivation if all(a == b for a, b in sizes.items()) else _resized(derivation, sizes)


def shortened(whole: Derivation, reduced: Derivation) -> str:
    """How the axes of a derivation were cut, in words; nothing if they were not."""
    quantities = reduced.forward.quantities
    pairs = {
        (long, short)
        for quantity in whole.forward.quantities.values()
        for long, short in zip(quantity.shape, quantities[quantity.name].shape, strict=True)
        if long != short
    }
    cuts = ", ".join(f"{short} for {long}" for long, short in sorted(pairs))
    return f"at drawn values on shorter axes: {cuts}" if cuts else ""


def of_batch(problem: Problem, size: int) -> Graph:
    """The graph of a network with another number of samples.

    A letter counts samples where it stands in their place; SymPy may have exchanged it for an equal
    one whose axis has another name.
    """
    number, mean = sympy.Integer(size), problem.reduction is Reduction.MEAN
    quantities = problem.graph.quantities

    def quantity(old: Quantity) -> Quantity:
        return replace(
            old, axes=tuple(Axis(a.name, number) if a.name == "batch" else a for a in old.axes)
        )

    def equation(old: Equation) -> Equation:
        change = {
            letter: Index(letter.name, Axis("batch", number))
            for element in (old.lhs, *elements(old.rhs))
            for letter, axis in zip(element.indices, quantities[element.name].axes, strict=True)
            if axis.name == "batch" and isinstance(letter, Index)
        }
        rhs = old.rhs.xreplace(change)
        if mean and old.quantity.role is Role.LOSS:
            rhs = rhs * problem.batch / number
        indices = tuple(change.get(index, index) for index in old.indices)
        return Equation(quantity(old.quantity), indices, rhs)

    return Graph(
        tuple(map(quantity, problem.graph.given)), tuple(map(equation, problem.graph.equations))
    )


def _shorter(sizes: set[int], deep: bool) -> dict[int, int]:
    """For each size a smaller one, in the same order."""
    several = sorted(sizes - {1})
    first = SMALL if len(several) == 1 and not deep else SMALL - 1
    return {1: 1, **{size: min(size, first + k) for k, size in enumerate(several)}}


def _resized(derivation: Derivation, sizes: Mapping[int, int]) -> Derivation:
    def axis(old: Axis) -> Axis:
        return Axis(old.name, sympy.Integer(sizes.get(old.length, old.length)))

    def index(old: Index) -> Index:
        return Index(old.name, axis(old.axis))

    def expr(old: sympy.Expr) -> sympy.Expr:
        return old.xreplace({i: index(i) for i in _indices(old)})

    def quantity(old: Quantity) -> Quantity:
        return replace(old, axes=tuple(map(axis, old.axes)))

    def graph(old: Graph) -> Graph:
        equations = tuple(
            Equation(quantity(e.quantity), tuple(map(index, e.indices)), expr(e.rhs))
            for e in old.equations
        )
        return Graph(tuple(map(quantity, old.given)), equations)

    return Derivation(
        graph(derivation.forward),
        graph(derivation.backward),
        tuple(
            Local(x.of, x.by, tuple(map(index, x.indices)), tuple(map(index, x.at)), expr(x.value))
            for x in derivation.locals
        ),
        tuple(
            Step(s.rule, s.quantity, expr(s.before), expr(s.after), tuple(map(index, s.indices)))
            for s in derivation.steps
        ),
    )


def _indices(expr: sympy.Expr) -> set[Index]:
    return {node for node in sympy.preorder_traversal(expr) if isinstance(node, Index)}
