"""Route 3, too: each equation of the backward graph by itself, at adjoints in general position.

Through many layers a slope may fade until no difference of the loss shows it. Here the adjoints
that an equation reads, and what its layer is fed with, are drawn, so that depth does not matter.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from mpmath import mp

from derive.expression import reads
from derive.graph import Derivation, Equation, Quantity, adjoint_name
from derive.rules import Rule
from derive.verify.algebra import EXACT, slope, working
from derive.verify.bench import Bench, holds, least, places
from derive.verify.interpreter import value
from derive.verify.meaning import Key, Values
from derive.verify.report import Comparison
from derive.verify.routes import compared, differentiated

Readers = Sequence[Equation]


def one_by_one(bench: Bench) -> Iterator[Comparison]:
    """Every backward equation that is a sum over the readers of its quantity, along a line.

    One in which the calculus has put several together is left to the differences of the loss.
    """
    readers = _readers(bench.derivation)
    with working():
        for quantity in differentiated(bench.derivation):
            by = readers.get(quantity.name, ())
            if by and _stands_alone(bench.derivation, quantity, by):
                yield _along_a_line(bench, quantity, by)


def _readers(derivation: Derivation) -> dict[str, list[Equation]]:
    """The equations that read each quantity, as far as the loss depends on them."""
    loss, backward = derivation.forward.loss.name, derivation.backward.quantities
    found: dict[str, list[Equation]] = {}
    for equation in derivation.forward.equations:
        name = equation.quantity.name
        if name == loss or adjoint_name(name) in backward:
            for read in reads(equation.rhs):
                found.setdefault(read, []).append(equation)
    return found


def _stands_alone(derivation: Derivation, quantity: Quantity, by: Readers) -> bool:
    """Whether an adjoint is made of the adjoints of just the equations that read its quantity."""
    loss = derivation.forward.loss.name
    adjoints = {adjoint_name(name) for name in derivation.forward.quantities}
    expected = {adjoint_name(e.quantity.name) for e in by if e.quantity.name != loss}
    return expected == adjoints.intersection(reads(derivation.adjoint(quantity.name).rhs))


def _relies_on_others(derivation: Derivation, quantity: Quantity) -> bool:
    """Whether an adjoint holds only where other equations do, as deviations from a mean are 0."""
    steps = (step.rule for step in derivation.steps if step.quantity == quantity.name)
    return any(rule in (Rule.COLLECTED, Rule.NORMALISED) for rule in steps)


def _along_a_line(bench: Bench, quantity: Quantity, by: Readers) -> Comparison:
    source, loss = random.Random(quantity.name), bench.graph.loss
    adjoint = bench.derivation.adjoint(quantity.name)
    concerned = {quantity.name, *reads(adjoint.rhs), *(e.quantity.name for e in by)}
    concerned.update(*(reads(e.rhs) for e in by))
    here = {key: v for key, v in bench.forward.items() if key[0] in concerned}
    fed = here if _relies_on_others(bench.derivation, quantity) else _fed(bench, by, source, here)
    arriving = {
        (e.quantity.name, place): mp.one if e.quantity == loss else _drawn(source)
        for e in by
        for _, place in places(e.quantity)
    }
    way = {key: _drawn(source) for key in places(quantity)}

    def total(shift: Any) -> Any:
        moved = {**fed, **{key: fed[key] + n * shift for key, n in way.items()}}
        made = [arriving[key] * v for e in by for key, v in _computed(e, moved)]
        return sum(made[1:], made[0])

    values = {**fed, **{(adjoint_name(name), at): v for (name, at), v in arriving.items()}}
    made = dict(_computed(adjoint, values))
    found = mp.fsum(n * made[adjoint_name(name), at] for (name, at), n in way.items())
    floor = least([v for v in values.values() if isinstance(v, mp.mpf)])
    return compared(
        f"∂E/∂{quantity.name} from its readers", found, slope(total, holds=holds(by)), floor
    )


def _fed(bench: Bench, by: Readers, source: random.Random, here: Values) -> Values:
    """Drawn values for what the readers read, of the signs that it has, and what they make of it.

    The values that are `here` where the readers read each other, or where no such values exist.
    """
    graph, made = bench.graph, {e.quantity.name for e in by}
    names = dict.fromkeys(name for e in by for name in reads(e.rhs))
    if made.intersection(names):
        return here
    drawn = [graph.quantities[name] for name in names if not graph.quantities[name].given]
    values = here | {key: _like(here[key], source) for q in drawn for key in places(q)}
    try:
        found = dict(pair for e in by for pair in _computed(e, values))
    except (ArithmeticError, ValueError, TypeError):
        return here
    finite = all(isinstance(v, mp.mpf) and mp.isfinite(v) for v in found.values())
    return values | found if finite else here


def _computed(equation: Equation, values: Values) -> Iterator[tuple[Key, Any]]:
    """What an equation makes of these values, entry by entry."""
    for name, place in places(equation.quantity):
        binding = dict(zip(equation.indices, place, strict=True))
        yield (name, place), value(equation.rhs, values, binding, EXACT)


def _like(there: Any, source: random.Random) -> Any:
    """A drawn number of the sign of one that is there: a root is never below zero."""
    number = _drawn(source)
    return abs(number) * mp.sign(there) if there else number


def _drawn(source: random.Random) -> Any:
    return mp.mpf(source.choice((-1, 1)) * source.randint(100, 1000)) / 1000
