"""Graph → Derivation: reverse mode over equations, every move recorded as a step.

    adj_q[a] = Σ over readers y, Σ_i adj_y[i] · ∂y[i]/∂q[a],     adj_E = 1

The backward pass is again a graph, in the order in which it is computed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from string import ascii_lowercase

import sympy

from derive.calculus import (
    Letters,
    Sizes,
    Term,
    build,
    contract,
    open_terms,
    partial,
    sizes_of,
    tidy,
)
from derive.collect import collected
from derive.expression import (
    Delta,
    Element,
    Fresh,
    Index,
    Inside,
    Slope,
    Total,
    elements,
    on_axis,
    reads,
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
)
from derive.repeats import Result, key_of, names_in, translated
from derive.rules import Rule, in_output
from derive.signs import Signs, signs_of


def differentiate(graph: Graph, by: Iterable[str] | None = None) -> Derivation:
    """Derive ∂E/∂q for the named quantities (all parameters by default).

    Where the loss does not depend on one, it is zero. Raises GraphError if it depends on none.
    """
    wanted = tuple(by) if by is not None else tuple(q.name for q in graph.of_role(Role.PARAMETER))
    active = _active(graph, wanted)
    if not active & set(wanted):
        raise GraphError("the loss depends on none of the quantities to differentiate by")
    work = _Work(graph, active, sizes_of(graph), _together(graph), _readers(graph, active), {})
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
    try:
        backward = Graph(tuple(graph.quantities.values()), tuple(equations))
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


@dataclass(frozen=True)
class _Work:
    """What stays the same during one differentiation."""

    graph: Graph
    active: frozenset[str]
    sizes: Sizes
    together: Mapping[str, int]
    readers: Mapping[str, list[Equation]]
    found: dict[Hashable, tuple[tuple[str, ...], Result]]

    @cached_property
    def names(self) -> Mapping[str, Quantity]:
        """The quantities of the forward pass."""
        return self.graph.quantities

    @cached_property
    def taken(self) -> frozenset[str]:
        """What an index letter must not be called."""
        return self.graph.taken

    @cached_property
    def signs(self) -> Signs:
        """What is known of the signs of the quantities."""
        return signs_of(self.graph)

    @cached_property
    def letters(self) -> Letters:
        """The letters of the forward pass, and those that were chosen since."""
        return Letters.of(self.graph)

    def nature(self, name: str) -> Hashable:
        """All that a derivation asks of a quantity but its name."""
        forward = self.names.get(name)
        quantity = forward or self.names[name.removeprefix(adjoint_name(""))]
        sizes = tuple(axis.size for axis in quantity.axes)
        signs = name in self.signs.above, name in self.signs.not_below
        return forward is not None, sizes, quantity.sums_to_one, signs

    def recur(self, left: str, right: str) -> bool:
        """Whether two quantities belong to the same recurrence."""
        return left in self.together and self.together[left] == self.together.get(right)


def _active(graph: Graph, wanted: tuple[str, ...]) -> frozenset[str]:
    """The quantities that depend on a wanted one and that the loss depends on."""
    unknown = [name for name in wanted if name not in graph.quantities]
    if unknown:
        raise GraphError(f"there is no quantity '{unknown[0]}'")
    read = {equation.quantity.name: reads(equation.rhs) for equation in graph.equations}
    forward = set(wanted)
    while more := {n for n, below in read.items() if n not in forward and forward & set(below)}:
        forward |= more
    backward = {graph.loss.name}
    while more := {below for n in backward for below in read.get(n, ())} - backward:
        backward |= more
    return frozenset(forward & backward)


def _readers(graph: Graph, active: frozenset[str]) -> dict[str, list[Equation]]:
    """The equations on the way to the loss that read a quantity."""
    readers: dict[str, list[Equation]] = {}
    for equation in graph.equations:
        if equation.quantity.name in active or equation.quantity.role is Role.LOSS:
            for name in reads(equation.rhs):
                readers.setdefault(name, []).append(equation)
    return readers


def _together(graph: Graph) -> dict[str, int]:
    """The number of the recurrence to which a quantity belongs."""
    return {
        equation.quantity.name: number
        for number, block in enumerate(graph.blocks)
        for equation in block.equations
        if block.step
    }


def _own_indices(quantity: Quantity, work: _Work) -> tuple[Index, ...]:
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


def _unreached(quantity: Quantity, work: _Work) -> Equation:
    """The adjoint of a quantity on which the loss does not depend."""
    return Equation(_made(quantity), _own_indices(quantity, work), sympy.S.Zero)


def _made(quantity: Quantity) -> Quantity:
    return replace(quantity, name=adjoint_name(quantity.name), role=Role.ADJOINT, sums_to_one=False)


def _adjoint(quantity: Quantity, work: _Work, ready: Mapping[str, Equation]) -> Result:
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
    work: _Work,
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
    contracted = [contract(term, work.sizes, fresh) for term in uncontracted]
    kept = [term for term in contracted if term is not None]
    value = tidy(build(kept), taken, work.letters)
    steps.append(Step(Rule.CHAIN, quantity.name, build(uncontracted), value, at))
    value, moves = _simplify(value, quantity, at, work, ready)
    return Equation(made, at, value), locals_, steps + moves


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
    equation: Equation, quantity: Quantity, at: tuple[Index, ...], work: _Work, fresh: Fresh
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


def _simplify(
    value: sympy.Expr,
    quantity: Quantity,
    at: tuple[Index, ...],
    work: _Work,
    ready: Mapping[str, Equation],
) -> tuple[sympy.Expr, list[Step]]:
    """Put averages in, or cancel a denominator of the loss; use normalised targets."""
    steps = []
    taken = work.taken | {index.name for index in at}
    short = _collected(value, quantity, work, ready)
    if short is not None:
        short = tidy(short, taken, work.letters)
        return short, [Step(Rule.COLLECTED, quantity.name, value, short, at)]
    below = _denominators_through(value, work, ready)
    fused = tidy(_fuse(value, work, ready), taken, work.letters) if below else value
    shorter = fused.count_ops() <= value.count_ops()
    if shorter and _denominators(fused, work) < below:
        steps.append(Step(Rule.CANCEL, quantity.name, value, fused, at))
        value = fused
        one = rebuild(value, lambda node: _normalised(node, work.graph))
        if one != value:
            steps.append(Step(Rule.NORMALISED, quantity.name, value, one, at))
            value = one
    return value, steps


def _collected(
    value: sympy.Expr, quantity: Quantity, work: _Work, ready: Mapping[str, Equation]
) -> sympy.Expr | None:
    """The derivative with those by averages of the quantity put in, if that makes it short."""
    readers = work.readers.get(quantity.name, [])
    inner = {
        adjoint_name(reader.quantity.name): ready[reader.quantity.name]
        for reader in readers
        if reader.quantity.name in ready and 0 < len(reader.quantity.axes) < len(quantity.axes)
    }
    if not set(inner) <= set(reads(value)):
        inner = {}
    own = () if quantity.given else (work.graph.equation(quantity.name),)
    return collected(value, inner, readers, (*readers, *own))


def _fuse(value: sympy.Expr, work: _Work, ready: Mapping[str, Equation]) -> sympy.Expr:
    """Put the definitions of the adjoints that `value` reads into it and multiply out."""
    fresh = Fresh()
    definitions = {adjoint_name(name): equation for name, equation in ready.items()}
    result = []
    for term in open_terms(value, fresh):
        options = [Term(term.bound, ())]
        for factor in term.factors:
            inner = [Term((), (factor,))]
            equation = definitions.get(factor.name) if isinstance(factor, Element) else None
            if equation is not None and _within(factor, equation.quantity):
                change = dict(zip(equation.indices, factor.indices, strict=True))
                inner = open_terms(substitute(equation.rhs, change, fresh), fresh)
            options = [
                Term((*a.bound, *b.bound), (*a.factors, *b.factors)) for a in options for b in inner
            ]
        found = [_settled(option, work, fresh) for option in options]
        result += [term for term in found if term is not None]
    joined = build(result)
    expanded = sympy.expand(joined, multinomial=False)
    return min(joined, expanded, key=lambda e: e.count_ops())


def _settled(term: Term, work: _Work, fresh: Fresh) -> Term | None:
    """A term whose deltas have been used, also to make factors cancel: δ(j,i)·p[i]/p[j] = δ(j,i).

    Where a term divides by an entry, that entry lies within its range, so no guard need say so.
    """
    divided = {
        (position, axis.size)
        for factor in term.factors
        if isinstance(factor, sympy.Pow) and factor.exp.is_negative
        for element in factor.base.atoms(Element)
        for k, position in enumerate(element.indices)
        if (axis := work.sizes.get((element.name, k))) is not None
    }
    found = contract(term, work.sizes, fresh)
    if found is None:
        return None
    factors = [
        f
        for f in found.factors
        if not (isinstance(f, Inside) and (f.args[0], f.args[1]) in divided)
    ]
    for delta in [f for f in factors if isinstance(f, Delta)]:
        others = [f for f in factors if f is not delta]
        for index, place in (delta.args, reversed(delta.args)):
            if isinstance(index, Index):
                moved = [substitute(f, {index: place}, fresh) for f in others]
                if sympy.Mul(*moved).count_ops() < sympy.Mul(*others).count_ops():
                    factors = [delta, *sympy.Mul.make_args(sympy.Mul(*moved))]
                    break
    return Term(found.bound, tuple(factors))


def _within(element: Element, quantity: Quantity) -> bool:
    """Whether an element is surely read inside its range, where its definition holds."""
    pairs = zip(element.indices, quantity.axes, strict=True)
    return all(on_axis(position, axis.size) for position, axis in pairs)


def _denominators(expr: sympy.Expr, work: _Work) -> int:
    """How many divisions by a forward quantity an expression contains."""
    names = work.names
    return sum(
        1
        for power in expr.atoms(sympy.Pow)
        if power.exp.is_negative and any(name in names for name in reads(power.base))
    )


def _denominators_through(value: sympy.Expr, work: _Work, ready: Mapping[str, Equation]) -> int:
    """The divisions in `value` and in the adjoints that it reads."""
    definitions = {adjoint_name(name): equation.rhs for name, equation in ready.items()}
    below = sum(_denominators(definitions[n], work) for n in reads(value) if n in definitions)
    return _denominators(value, work) + below


def _normalised(node: sympy.Expr, graph: Graph) -> sympy.Expr:
    """A whole distribution sums to one."""
    if isinstance(node, Total) and isinstance(node.body, Element):
        quantity = graph.quantities.get(node.body.name)
        if quantity is not None and quantity.sums_to_one and _within(node.body, quantity):
            *rest, last = node.body.indices
            if last == node.index and node.index not in rest:
                return sympy.Integer(1)
    return node
