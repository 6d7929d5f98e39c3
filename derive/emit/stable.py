"""Rewrites that keep the value of a graph but let floating-point numbers reach it.

Each is one row, a function from expression to expression. In exact arithmetic nothing changes; in
floating point `exp(1000)/sum(exp(…))`, `0*log(0)` and `exp(1000)*0` would overflow or be undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy

from derive.calculus import same, tidy
from derive.expression import (
    Axis,
    Element,
    Fresh,
    LogTotalExp,
    Total,
    rebuild,
    substitute,
)
from derive.functions import at_least, greater, logistic, softplus, where
from derive.graph import Equation, Graph, Kind, Quantity, Role

Rewrite = Callable[[sympy.Expr], sympy.Expr]


def quotient(node: sympy.Expr) -> sympy.Expr:
    """exp(u)/sum(k, exp(v)) = exp(u - logsumexp(k, v))."""
    factors = list(sympy.Mul.make_args(node))
    above = next((f for f in factors if isinstance(f, sympy.exp)), None)
    below = next((f for f in factors if _reciprocal_of_total_exp(f)), None)
    if above is None or below is None:
        return node
    rest = [factor for factor in factors if factor not in (above, below)]
    total = below.base
    combined = sympy.exp(above.args[0] - LogTotalExp(total.body.args[0], total.index))
    return sympy.Mul(*rest, combined)


def _reciprocal_of_total_exp(factor: sympy.Expr) -> bool:
    return (
        isinstance(factor, sympy.Pow)
        and factor.exp == -1
        and isinstance(factor.base, Total)
        and isinstance(factor.base.body, sympy.exp)
    )


def log_logistic(node: sympy.Expr) -> sympy.Expr:
    """log(logistic(u)) = -softplus(-u) and log(1 - logistic(u)) = -softplus(u)."""
    if not isinstance(node, sympy.log):
        return node
    inside = node.args[0]
    if isinstance(inside, logistic):
        return -softplus(-inside.args[0])
    other = 1 - inside
    return -softplus(other.args[0]) if isinstance(other, logistic) else node


def exp_times_logistic(node: sympy.Expr) -> sympy.Expr:
    """exp(u)*logistic(-u) = logistic(u)."""
    if not isinstance(node, sympy.Mul):
        return node
    for factor in node.args:
        if isinstance(factor, sympy.exp):
            partner = logistic(-factor.args[0])
            if partner in node.args:
                rest = [f for f in node.args if f not in (factor, partner)]
                return sympy.Mul(*rest, logistic(factor.args[0]))
    return node


def selection(node: sympy.Expr) -> sympy.Expr:
    """An indicator or a choice times f is a choice of f: the branch not taken is never a factor."""
    if not isinstance(node, sympy.Mul):
        return node
    for factor in node.args:
        if isinstance(factor, greater | at_least | where):
            rest = sympy.Mul(*[f for f in node.args if f != factor])
            test, yes, no = factor.args if isinstance(factor, where) else (factor, 1, 0)
            return where(test, selection(yes * rest), selection(no * rest))
    return node


def one_choice(node: sympy.Expr) -> sympy.Expr:
    """Choices by the same condition are added up branch by branch."""
    if not isinstance(node, sympy.Add):
        return node
    chosen: dict[sympy.Expr, tuple[sympy.Expr, sympy.Expr]] = {}
    rest = []
    for term in node.args:
        if isinstance(term, where):
            test, yes, no = term.args
            before = chosen.get(test, (sympy.S.Zero, sympy.S.Zero))
            chosen[test] = (before[0] + yes, before[1] + no)
        else:
            rest.append(term)
    return sympy.Add(*rest, *[where(test, *both) for test, both in chosen.items()])


def no_choice(node: sympy.Expr) -> sympy.Expr:
    """where(c, a, a) = a."""
    return node.args[1] if isinstance(node, where) and node.args[1] == node.args[2] else node


ROWS: tuple[Rewrite, ...] = (
    quotient,
    log_logistic,
    exp_times_logistic,
    selection,
    one_choice,
    no_choice,
)


def stable(expr: sympy.Expr) -> sympy.Expr:
    """An expression with every rewrite applied, from the leaves up."""
    for row in ROWS:
        expr = rebuild(expr, row)
    return expr


def stable_graph(graph: Graph) -> Graph:
    """The graph with stable right sides; a log-sum-exp becomes a quantity of its own."""
    equations: dict[str, Equation] = {}
    extra: dict[str, Equation] = {}
    for equation in graph.equations:
        rhs = rebuild(equation.rhs, lambda node: _opened(node, equations))
        rhs = tidy(stable(rhs), frozenset(index.name for index in equation.indices))
        rhs = rebuild(rhs, lambda node: _named(node, extra, graph))
        equations.update(extra)
        equations[equation.quantity.name] = replace(equation, rhs=rhs)
    return Graph(graph.given, tuple(equations.values()))


def stable_equations(graph: Graph) -> tuple[Equation, ...]:
    """The equations with stable right sides, none added."""
    return tuple(
        replace(e, rhs=tidy(stable(e.rhs), frozenset(index.name for index in e.indices)))
        for e in graph.equations
    )


def _opened(node: sympy.Expr, equations: Mapping[str, Equation]) -> sympy.Expr:
    """log(q) and log(1 - q), where q is defined by an exponential or a logistic function."""
    if not isinstance(node, sympy.log):
        return node
    inside = node.args[0]
    for read, kinds in ((inside, (sympy.exp, logistic)), (1 - inside, (logistic,))):
        if isinstance(read, Element) and read.name in equations:
            equation = equations[read.name]
            if isinstance(equation.rhs, kinds):
                change = dict(zip(equation.indices, read.indices, strict=True))
                definition = substitute(equation.rhs, change, Fresh())
                return sympy.log(definition if read is inside else 1 - definition)
    return node


def _named(node: sympy.Expr, extra: dict[str, Equation], graph: Graph) -> sympy.Expr:
    """A log-sum-exp as the element of a quantity; equal ones share it."""
    if not isinstance(node, LogTotalExp):
        return node
    free = tuple(sorted(node.free_symbols, key=str))
    for name, known in extra.items():
        if known.indices == free and same(known.rhs, node):
            return Element(name, *free)
    name = f"logsum{len(extra) + 1}"
    axes = tuple(_axis_of(index, node, graph) for index in free)
    quantity = Quantity(name, r"\log\Sigma", axes, Role.HIDDEN, Kind.OTHER)
    extra[name] = Equation(quantity, free, node)
    return Element(name, *free)


def _axis_of(index: sympy.Symbol, node: sympy.Expr, graph: Graph) -> Axis:
    """The axis at which an index is read."""
    for element in node.atoms(Element):
        for position, axis in zip(
            element.indices, graph.quantities[element.name].axes, strict=True
        ):
            if position == index:
                return axis
    found: Axis = index.axis
    return found
