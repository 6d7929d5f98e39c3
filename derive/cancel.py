"""How an adjoint is made short: averages put in, denominators of the loss cancelled."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from derive.calculus import Term, build, contract, open_terms
from derive.collect import collected
from derive.expression import (
    Delta,
    Element,
    Fresh,
    Index,
    Inside,
    Total,
    reads,
    rebuild,
    substitute,
)
from derive.graph import (
    Equation,
    Graph,
    Quantity,
    Step,
    adjoint_name,
)
from derive.letters import tidy
from derive.places import on_axis
from derive.rules import Rule
from derive.working import Work


def simplified(
    value: sympy.Expr,
    quantity: Quantity,
    at: tuple[Index, ...],
    work: Work,
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
    shorter = fused != value and fused.count_ops() <= value.count_ops()
    if shorter and _denominators(fused, work) < below:
        steps.append(Step(Rule.CANCEL, quantity.name, value, fused, at))
        value = fused
        one = rebuild(value, lambda node: _normalised(node, work.graph))
        if one != value:
            steps.append(Step(Rule.NORMALISED, quantity.name, value, one, at))
            value = one
    return value, steps


def _collected(
    value: sympy.Expr, quantity: Quantity, work: Work, ready: Mapping[str, Equation]
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


def _fuse(value: sympy.Expr, work: Work, ready: Mapping[str, Equation]) -> sympy.Expr:
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


def _settled(term: Term, work: Work, fresh: Fresh) -> Term | None:
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


def _denominators(expr: sympy.Expr, work: Work) -> int:
    """How many divisions by a forward quantity an expression contains."""
    names = work.names
    return sum(
        1
        for power in expr.atoms(sympy.Pow)
        if power.exp.is_negative and any(name in names for name in reads(power.base))
    )


def _denominators_through(value: sympy.Expr, work: Work, ready: Mapping[str, Equation]) -> int:
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
