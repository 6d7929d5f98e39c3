"""Stable forms of differences that would lose their digits, and of choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from derive.functions import at_least, erfc, expm1, greater, logistic, softplus, where

Find = Callable[[sympy.Expr], sympy.Expr | None]


def _argument(expr: sympy.Expr, head: type[sympy.Expr], power: int = 1) -> sympy.Expr | None:
    """u if the expression is head(u)**power."""
    base, exponent = (expr, 1) if power == 1 else expr.as_base_exp()
    return base.args[0] if isinstance(base, head) and exponent == power else None


def _complements(
    expr: sympy.Expr, find: Find, sign: int = 1
) -> Iterator[tuple[sympy.Expr, sympy.Expr, sympy.Expr]]:
    """Each way to read a sum as c - sign*c*f(u) + rest: c, rest and what is found of f(u)."""
    if not isinstance(expr, sympy.Add):
        return
    for term in expr.args:
        for factor in sympy.Mul.make_args(term):
            found = find(factor)
            if found is None:
                continue
            share = -sign * sympy.Mul(*[f for f in sympy.Mul.make_args(term) if f != factor])
            if share in expr.args:
                yield share, expr - term - share, found
    return


def _difference(
    node: sympy.Expr, head: type[sympy.Expr], value: Callable[[sympy.Expr], sympy.Expr]
) -> sympy.Expr:
    """c - c*head(u) as c*value(u)."""
    for share, rest, u in _complements(node, lambda f: _argument(f, head)):
        return rest + share * value(u)
    return node


def complement(node: sympy.Expr) -> sympy.Expr:
    """1 - logistic(u) = logistic(-u)."""
    return _difference(node, logistic, lambda u: logistic(-u))


def one_less_tanh(node: sympy.Expr) -> sympy.Expr:
    """1 - tanh(u) = 2*logistic(-2*u), and 1 + tanh(u) = 2*logistic(2*u)."""
    for share, rest, u in _complements(node, lambda f: _argument(f, sympy.tanh), -1):
        return rest + 2 * share * logistic(2 * u)
    return _difference(node, sympy.tanh, lambda u: 2 * logistic(-2 * u))


def slope_of_tanh(node: sympy.Expr) -> sympy.Expr:
    """1 - tanh(u)**2 = 4*logistic(2*u)*logistic(-2*u)."""
    for share, rest, u in _complements(node, lambda f: _argument(f, sympy.tanh, 2)):
        return rest + 4 * share * logistic(2 * u) * logistic(-2 * u)
    return node


def centred(node: sympy.Expr) -> sympy.Expr:
    """2*logistic(u) - 1 = tanh(u/2), and logistic(u) - logistic(-u) = tanh(u/2)."""
    if not isinstance(node, sympy.Add):
        return node
    for term in node.args:
        share, head = term.as_coeff_Mul()
        if isinstance(head, logistic):
            u = head.args[0]
            for other, value in ((-share / 2, share / 2), (-share * logistic(-u), share)):
                if other in node.args:
                    return node - term - other + value * sympy.tanh(u / 2)
    return node


def softplus_difference(node: sympy.Expr) -> sympy.Expr:
    """softplus(u) - softplus(-u) = u."""
    if not isinstance(node, sympy.Add):
        return node
    for term in node.args:
        share, head = term.as_coeff_Mul()
        other = -share * softplus(-head.args[0]) if isinstance(head, softplus) else None
        if other is not None and other in node.args:
            return node - term - other + share * head.args[0]
    return node


def exp_less_one(node: sympy.Expr) -> sympy.Expr:
    """exp(u) - 1 = expm1(u)."""
    return _difference(node, sympy.exp, lambda u: -expm1(u))


def one_less_cosine(node: sympy.Expr) -> sympy.Expr:
    """1 - cos(u) = 2*sin(u/2)**2."""
    return _difference(node, sympy.cos, lambda u: 2 * sympy.sin(u / 2) ** 2)


def tail(node: sympy.Expr) -> sympy.Expr:
    """1 - erf(u) = erfc(u), and 1 + erf(u) = erfc(-u)."""
    for share, rest, u in _complements(node, lambda f: _argument(f, sympy.erf), -1):
        return rest + share * erfc(-u)
    return _difference(node, sympy.erf, erfc)


def root_less_number(node: sympy.Expr) -> sympy.Expr:
    """sqrt(c + u) - sqrt(c) = u/(sqrt(c + u) + sqrt(c))."""
    if not isinstance(node, sympy.Add):
        return node
    for term in node.args:
        share, root = term.as_coeff_Mul()
        if not isinstance(root, sympy.Pow) or root.exp != sympy.Rational(1, 2):
            continue
        constant, u = root.base.as_coeff_Add()
        other = -share * sympy.sqrt(constant)
        if constant.is_positive and other in node.args:
            return node - term - other + share * u / (root + sympy.sqrt(constant))
    return node


def selection(node: sympy.Expr) -> sympy.Expr:
    """An indicator or a choice times f is a choice of f: the branch not taken is never a factor."""
    if not isinstance(node, sympy.Mul):
        return node
    for factor in node.args:
        if isinstance(factor, greater | at_least | where):
            rest = sympy.Mul(*[f for f in node.args if f != factor])
            test, yes, no = factor.args if isinstance(factor, where) else (factor, 1, 0)
            return where(test, yes * rest, no * rest)
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
