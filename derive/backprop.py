"""Graph → Derivation: reverse mode over equations, every move recorded as a step.

    adj_q[a] = Σ over readers y, Σ_i adj_y[i] · ∂y[i]/∂q[a],     adj_E = 1

The backward pass is again a graph, in the order in which it is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from string import ascii_lowercase

import sympy

from derive.calculus import Term, build, contract, decided, partial, sizes_of
from derive.cancel import simplified
from derive.divisions import divides
from derive.equations import in_order
from derive.expression import (
    Delta,
    Element,
    Fresh,
    Index,
    Slope,
    elements,
    rebuild,
    substitute,
)
from derive.functions import greater
from derive.graph import (
    Derivation,
    Equation,
    Graph,
    GraphError,
    Local,
    Quantity,
    Role,
    Step,
    WrongWay,
    adjoint_name,
    groups,
)
from derive.letters import tidy
from derive.places import Division
from derive.repeats import Result, key_of, names_in, translated
from derive.rules import Rule, in_output
from derive.working import Work, active_in, readers_in, together_in


def differentiate(graph: Graph, by: Iterable[str] | None = None) -> Derivation:
    """Derive ∂E/∂q for the named quantities (all parameters by default).

    Where the loss does not depend on one, it is zero. Where nothing is named, no loss is needed.
    """
    wanted = tuple(by) if by is not None else tuple(q.name for q in graph.of_role(Role.PARAMETER))
    if not wanted:
        return Derivation(graph, Graph(tuple(graph.quantities.values()), ()), (), ())
    active = active_in(graph, wanted)
    work = Work(graph, active, sizes_of(graph), together_in(graph), readers_in(graph, active), {})
    equations: list[Equation] = []
    locals_: list[Local] = []
    steps: list[Step] = []
    ready: dict[str, Equation] = {}
    order = [e.quantity for e in reversed(graph.equations)] + list(reversed(graph.given))
    for quantity in order:
        if quantity.name not in active or quantity.role is Role.LOSS:
            if quantity.name in wanted and quantity.role is not Role.LOSS:
                equations.append(_unreached(quantity, work))
            continue
        equation, found, moves = _adjoint(quantity, work, ready)
        ready[quantity.name] = equation
        equations.append(equation)
        locals_ += found
        steps += moves
    # Of a recurrence some derivatives may be 0, or go no further: they stand in no circle any more.
    turns = tuple(e for group in groups(tuple(equations)) for e in in_order(group))
    try:
        backward = Graph(tuple(graph.quantities.values()), turns)
    except WrongWay as error:
        raise GraphError(_unwalkable(graph, error.name.removeprefix(adjoint_name("")))) from error
    return Derivation(graph, backward, tuple(locals_), tuple(steps))


def _unwalkable(graph: Graph, name: str) -> str:
    """Why the derivatives of a recurrence cannot be computed one step after the other."""
    words = f"the derivatives by '{name}' cannot be computed one step after the other"
    for equation in graph.equations:
        for reading in elements(equation.rhs):
            if reading.name == name == equation.quantity.name:
                pairs = zip(reading.indices, equation.indices, strict=True)
                if not all((place - own).is_Integer for place, own in pairs):
                    shown = str(reading).replace(" ", "")
                    words += (
                        f", for its equation reads {shown}, at a place that changes with the step "
                        "or is not its own; equations of their own for the steps can be derived"
                    )
                    return words
    return words


def _own_indices(quantity: Quantity, work: Work) -> tuple[Index, ...]:
    """The letters of a quantity: those of its equation, or of the first place it is read at."""
    if not quantity.given:
        return work.graph.equation(quantity.name).indices
    for equation in work.readers.get(quantity.name, []):
        own = {*equation.indices}  # before letters that are bound within
        for element in sorted(elements(equation.rhs), key=lambda e: not {*e.indices} <= own):
            places = element.indices
            plain = all(isinstance(i, Index) for i in places) and len(set(places)) == len(places)
            if element.name == quantity.name and plain:
                return tuple(
                    Index(i.name.split("#")[0], axis)
                    for i, axis in zip(places, quantity.axes, strict=True)
                )
    free = (letter for letter in ascii_lowercase if letter not in work.taken)
    return tuple(Index(letter, axis) for letter, axis in zip(free, quantity.axes, strict=False))


def _unreached(quantity: Quantity, work: Work) -> Equation:
    """The adjoint of a quantity on which the loss does not depend."""
    return Equation(_made(quantity), _own_indices(quantity, work), sympy.S.Zero)


def _made(quantity: Quantity) -> Quantity:
    name = adjoint_name(quantity.name)
    return replace(quantity, name=name, role=Role.ADJOINT, sums_to_one=False, slope=None)


def _adjoint(quantity: Quantity, work: Work, ready: Mapping[str, Equation]) -> Result:
    """One adjoint with its derivation: as found before under other names, or derived now."""
    readers = work.readers.get(quantity.name, [])
    at = _own_indices(quantity, work)
    known = [ready[e.quantity.name] for e in readers if e.quantity.name in ready]
    own = () if quantity.given else (work.graph.equation(quantity.name),)
    surroundings = (*own, *readers, *known)
    names = names_in((quantity, *(e.quantity for e in readers)), surroundings)
    more = (
        at,
        tuple(work.recur(e.quantity.name, quantity.name) for e in readers),
        tuple(map(work.nature, names)),
        work.along.get(quantity.name),
    )
    key = key_of(names, surroundings, more)
    made = _made(quantity)
    if key in work.found:
        before, result = work.found[key]
        return translated(result, before, names, made)
    result = _derived(quantity, made, at, work, ready)
    work.found[key] = (names, result)
    return result


def _derived(
    quantity: Quantity,
    made: Quantity,
    at: tuple[Index, ...],
    work: Work,
    ready: Mapping[str, Equation],
) -> Result:
    """The equation of one adjoint, its local derivatives, and the steps that led to it."""
    taken = work.taken | {index.name for index in at}
    fresh = Fresh()
    locals_: list[Local] = []
    steps: list[Step] = []
    uncontracted: list[Term] = []
    for equation in work.readers.get(quantity.name, []):
        local, terms, moves = _local(equation, quantity, at, work, fresh)
        locals_.append(local)
        steps += moves
        upstream = _upstream(equation.quantity, local.indices, ready)
        uncontracted += [
            Term((*local.indices, *term.bound), (*upstream, *term.factors)) for term in terms
        ]
    walks = quantity.name in work.along
    contracted = [contract(term, work.sizes, fresh, walks) for term in uncontracted]
    kept = [term for term in contracted if term is not None]
    if any(divides(_about(term, at), term.bound) for term in kept):
        raise GraphError(_not_turned(quantity.name, work))
    if walks:
        kept = [_walking(term, at[work.along[quantity.name]], fresh) for term in kept]
    value = tidy(build(kept), taken, work.letters)
    steps.append(Step(Rule.CHAIN, quantity.name, build(uncontracted), value, at))
    value, moves = simplified(value, quantity, at, work, ready)
    return Equation(made, at, value), locals_, steps + moves


def _about(term: Term, at: tuple[Index, ...]) -> list[sympy.Expr]:
    """The deltas of a term that say which places an entry was read from."""
    return [f for f in term.factors if isinstance(f, Delta) and {*f.args} & {*at}]


def _not_turned(name: str, work: Work) -> str:
    """Why nobody can tell from an entry at which letters it was read."""
    rhs = (equation.rhs for equation in work.readers.get(name, []))
    readings = (each for expr in rhs for each in elements(expr) if each.name == name)
    shown = next(str(each).replace(" ", "") for each in readings if each.has(Division))
    return (
        f"the derivative by '{name}' cannot be told: from a place of {shown} it is not known which "
        "letters lead there; what is divided may be one letter and a number, as in (i + 1)//2"
    )


def _walking(term: Term, step: Index, fresh: Fresh) -> Term:
    """A term of a recurrence, read at its own step where a delta says that this is the place.

    δ(i,t)·f[i] and δ(i,t)·f[t] are one, but only the second is seen to walk along t.
    """
    for delta in term.factors:
        if isinstance(delta, Delta) and step in delta.args:
            other = delta.args[1] if delta.args[0] == step else delta.args[0]
            if isinstance(other, Index) and other not in term.bound:
                rest = (factor for factor in term.factors if factor is not delta)
                moved = (decided(substitute(f, {other: step}, fresh)) for f in rest)
                term = Term(term.bound, (delta, *moved))
    return term


def _upstream(
    quantity: Quantity, indices: tuple[Index, ...], ready: Mapping[str, Equation]
) -> tuple[sympy.Expr, ...]:
    """adj_y[i] as a factor; an adjoint that is a plain number is written as that number."""
    if quantity.role is Role.LOSS:
        return ()
    equation = ready.get(quantity.name)  # not yet there if both belong to one recurrence
    if equation is not None and equation.rhs.is_number:
        return (equation.rhs,)
    return (Element(adjoint_name(quantity.name), *indices),)


def _local(
    equation: Equation, quantity: Quantity, at: tuple[Index, ...], work: Work, fresh: Fresh
) -> tuple[Local, list[Term], list[Step]]:
    """∂y[i]/∂q[a], first as the calculus finds it, then written in the output where it can be.

    Within a recurrence the chain rule gets the terms with all their deltas: the step of the reader
    must be solved for first, or the adjoint would no longer be seen to walk along one index.
    """
    indices = tuple(fresh(index) for index in equation.indices)
    change = dict(zip(equation.indices, indices, strict=True))
    rhs = substitute(equation.rhs, change, fresh)
    plain = [
        Term(term.bound, tuple(map(work.signs.settled, term.factors)))
        for term in partial(rhs, quantity.name, at, fresh)
    ]
    found = [contract(term, work.sizes, fresh) for term in plain]
    terms = [term for term in found if term is not None]
    free = (*indices, *at)
    names = work.taken | {index.name for index in free}
    raw = tidy(build(terms), names, work.letters)
    before = Slope(rhs, Element(quantity.name, *at))
    steps = [Step(Rule.LOCAL, quantity.name, before, raw, free)]
    lhs = Element(equation.quantity.name, *indices)
    terms = [_written_in_output(term, lhs, indices, rhs) for term in terms]
    value = tidy(build(terms), names, work.letters)
    if value != raw:
        steps.append(Step(Rule.OUTPUT, quantity.name, raw, value, free))
    local = Local(equation.quantity.name, quantity.name, indices, at, value)
    if work.recur(equation.quantity.name, quantity.name):
        terms = [_written_in_output(term, lhs, indices, rhs) for term in plain]
    return local, terms, steps


def _written_in_output(
    term: Term, lhs: Element, indices: tuple[Index, ...], rhs: sympy.Expr
) -> Term:
    """Replace the right-hand side of the equation, whole or as a product, by its left side.

    Where it is a root, that stands below a fraction, and is above zero where what it is of is.
    """
    shorter = {rhs: lhs}
    if isinstance(rhs, sympy.Pow) and rhs.exp == sympy.Rational(1, 2):
        shorter |= {1 / rhs: 1 / lhs, greater(rhs.base, 0): greater(lhs, 0)}
    inside = tuple(rebuild(f, lambda node: shorter.get(node, node)) for f in term.factors)
    return Term(term.bound, in_output(inside, lhs, indices, rhs))
