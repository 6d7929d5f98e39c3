"""Rewrites that keep the value of a graph but let floating-point numbers reach it.

Each is one row, a function from expression to expression. In exact arithmetic nothing changes; in
floating point `exp(1000)/sum(exp(…))`, `0*log(0)` and `exp(1000)*0` would overflow or be undefined.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from derive.expression import (
    LogTotalExp,
    Total,
    rebuild,
)
from derive.functions import at_least, greater, logistic, softplus, where

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


def masked_quotient(node: sympy.Expr) -> sympy.Expr:
    """[c]·exp(u)/sum(k, [d]·exp(v)) = exp(u or -inf - logsumexp(k, v or -inf)).

    A masked score is never exponentiated, however large it is.
    """
    factors = list(sympy.Mul.make_args(node))
    for below in factors:
        inner = _masked_exp(below.base.body) if _reciprocal_of_total(below) else None
        if inner is None:
            continue
        for mask in factors:
            for above in factors:
                masked = _masked_exp(mask * above) if isinstance(above, sympy.exp) else None
                if masked is not None:
                    rest = [f for f in factors if f not in (below, mask, above)]
                    whole = LogTotalExp(_or_nothing(*inner), below.base.index)
                    return sympy.Mul(*rest, sympy.exp(_or_nothing(*masked) - whole))
    return node


def _masked_exp(expr: sympy.Expr) -> tuple[sympy.Expr, bool, sympy.Expr] | None:
    """The condition, whether it must hold, and the exponent of an indicator times exp."""
    parts = sympy.Mul.make_args(expr)
    mask = next((p for p in parts if isinstance(p, where) and set(p.args[1:]) == {0, 1}), None)
    power = next((p for p in parts if isinstance(p, sympy.exp)), None)
    if mask is None or power is None or len(parts) != 2:
        return None
    return mask.args[0], bool(mask.args[1] == 1), power.args[0]


def _or_nothing(test: sympy.Expr, holds: bool, exponent: sympy.Expr) -> sympy.Expr:
    yes, no = (exponent, -sympy.oo) if holds else (-sympy.oo, exponent)
    return where(test, yes, no)


def _reciprocal_of_total(factor: sympy.Expr) -> bool:
    return isinstance(factor, sympy.Pow) and factor.exp == -1 and isinstance(factor.base, Total)


def _reciprocal_of_total_exp(factor: sympy.Expr) -> bool:
    return _reciprocal_of_total(factor) and isinstance(factor.base.body, sympy.exp)


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
    masked_quotient,
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
