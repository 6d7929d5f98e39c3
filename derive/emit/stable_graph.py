"""Stable graphs: logarithms see through definitions, and a log-sum-exp is a quantity of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from derive.backprop import differentiate
from derive.calculus import same, tidy
from derive.emit.formula import axis_of
from derive.emit.stable import stable
from derive.expression import Delta, Element, Fresh, LogTotalExp, rebuild, substitute
from derive.functions import logistic, where
from derive.graph import Equation, Graph, Kind, Quantity, Role

Equations = Mapping[str, Equation]


def stable_graph(graph: Graph) -> Graph:
    """The graph with stable right sides; a log-sum-exp becomes a quantity of its own."""
    names = graph.taken
    equations: dict[str, Equation] = {}
    extra: dict[str, Equation] = {}
    for equation in graph.equations:
        rhs = rebuild(equation.rhs, lambda node: _opened(node, equations))
        rhs = tidy(stable(rhs), names | {index.name for index in equation.indices})
        rhs = rebuild(rhs, lambda node: _named(node, extra, graph))
        equations.update(extra)
        equations[equation.quantity.name] = replace(equation, rhs=rhs)
    return Graph(graph.given, tuple(equations.values()))


def stable_equations(
    equations: tuple[Equation, ...], names: frozenset[str]
) -> tuple[Equation, ...]:
    """The equations with stable right sides, none added; `names` are no letters."""
    return tuple(
        replace(e, rhs=tidy(stable(e.rhs), names | {index.name for index in e.indices}))
        for e in equations
    )


def stable_backward(
    forward: Graph,
    backward: Graph,
    page: tuple[Equation, ...],
    wanted: tuple[str, ...] | None = None,
) -> Graph:
    """The backward graph, derived anew from stable equations if some of `page` needs that.

    A loss that divides by an output, or by what an output lacks to 1, has an adjoint that is 0/0
    once the output is 0 or 1 in floating point. The derivative of the stable loss is not.
    """
    definitions = {equation.quantity.name: equation for equation in forward.equations}
    if not any(_divides_by_saturating(equation.rhs, definitions) for equation in page):
        return backward
    return differentiate(stable_graph(forward), wanted).backward


def _divides_by_saturating(expr: sympy.Expr, definitions: Equations) -> bool:
    return any(
        isinstance(read, Element)
        and read.name in definitions
        and isinstance(stable(definitions[read.name].rhs), sympy.exp | logistic)
        for power in expr.atoms(sympy.Pow)
        if power.exp.is_negative
        for read in (power.base, 1 - power.base)
    )


def _opened(node: sympy.Expr, equations: Equations) -> sympy.Expr:
    """log(q) and log(1 - q), where q is defined by an exponential or a logistic function."""
    if not isinstance(node, sympy.log):
        return node
    inside = node.args[0]
    equation = _definition(inside, equations)
    if equation is not None and isinstance(equation.rhs, sympy.exp | logistic):
        return sympy.log(equation.rhs)
    equation = _definition(1 - inside, equations)
    if equation is not None and isinstance(equation.rhs, logistic):
        return sympy.log(1 - equation.rhs)
    if equation is not None and isinstance(equation.rhs, sympy.exp):
        return _log_of_the_others(equation, equations) or node
    return node


def _definition(read: sympy.Expr, equations: Equations) -> Equation | None:
    """The equation of an element, written for its indices."""
    if not isinstance(read, Element) or read.name not in equations:
        return None
    equation = equations[read.name]
    change = dict(zip(equation.indices, read.indices, strict=True))
    rhs = substitute(equation.rhs, change, Fresh())
    return Equation(equation.quantity, read.indices, rhs)


def _log_of_the_others(softmax: Equation, equations: Equations) -> sympy.Expr | None:
    """log(1 - exp(u_h - logsumexp(k, u_k))) = logsumexp(k but h, u_k) - logsumexp(k, u_k)."""
    exponent = softmax.rhs.args[0]
    for term in sympy.Add.make_args(exponent):
        whole = _definition(-term, equations)
        if whole is None or not isinstance(whole.rhs, LogTotalExp):
            continue
        body, k = whole.rhs.body, whole.rhs.index
        for h in softmax.indices:
            alone = k.axis.size == 1 or substitute(body, {k: h}, Fresh()) != exponent - term
            if not alone:
                others = where(Delta(k, h), -sympy.oo, body)
                return LogTotalExp(others, k) + term
    return None


def _named(node: sympy.Expr, extra: dict[str, Equation], graph: Graph) -> sympy.Expr:
    """A log-sum-exp as the element of a quantity; equal ones share it."""
    if not isinstance(node, LogTotalExp):
        return node
    free = tuple(sorted(node.free_symbols, key=str))
    for name, equation in extra.items():
        if equation.indices == free and same(equation.rhs, node):
            return Element(name, *free)
    name = f"logsum{len(extra) + 1}"
    known = {**graph.quantities, **{key: equation.quantity for key, equation in extra.items()}}
    axes = tuple(axis_of(index, node, known) for index in free)
    quantity = Quantity(name, r"\log\Sigma", axes, Role.HIDDEN, Kind.OTHER)
    extra[name] = Equation(quantity, free, node)
    return Element(name, *free)
