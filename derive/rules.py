"""Named rewrites: each is one row, a name and a function from expression to expression.

The sentence that explains a rule to a reader stands in the phrase books of `templates/`, under the
rule's name. Every application becomes a `Step`, so it is printed and proven.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import combinations
from typing import Any

import sympy
from mpmath import mp

from derive.expression import Element, Index, LogTotalExp, Total
from derive.functions import BY_SYMBOL, logistic, softplus
from derive.places import on_axis

MOST_FACTORS = 8  # of an output that is looked for in a product; choosing among more takes long


class Rule(StrEnum):
    """The moves a derivation is made of."""

    LOCAL = "local derivative"
    CHAIN = "chain rule"
    OUTPUT = "written in the output"
    CANCEL = "cancelled against the loss"
    NORMALISED = "targets sum to one"
    COLLECTED = "collected"
    STABLE = "stable form"


def recognise(expr: sympy.Expr) -> sympy.Expr:
    """Name the logistic function and the softplus where they are written out."""
    if not expr.args or isinstance(expr, Element):
        return expr
    if isinstance(expr, sympy.Mul):  # its powers are looked at together with its other factors
        parts = [
            factor.func(*map(recognise, factor.args)) if factor.is_Pow else recognise(factor)
            for factor in expr.args
        ]
        return _recognise_node(sympy.Mul(*parts))
    return _recognise_node(expr.func(*map(recognise, expr.args)))


def _recognise_node(node: sympy.Expr) -> sympy.Expr:
    """1/(1+exp(-u)), exp(u)/(1+exp(u)) and log(1+exp(u)), at one node."""
    if isinstance(node, sympy.log):
        exponent = _one_plus_exp(node.args[0])
        return softplus(exponent) if exponent is not None else node
    if isinstance(node, sympy.Mul | sympy.Pow):
        return _recognise_product(node)
    return node


def _recognise_product(node: sympy.Expr) -> sympy.Expr:
    factors = list(sympy.Mul.make_args(node))
    for position, factor in enumerate(factors):
        if not isinstance(factor, sympy.Pow) or not factor.exp.is_Integer or factor.exp >= 0:
            continue
        exponent = _one_plus_exp(factor.base)
        if exponent is None:
            continue
        rest = [*factors[:position], *factors[position + 1 :]]
        count = -int(factor.exp)
        if sympy.exp(exponent) in rest:
            rest.remove(sympy.exp(exponent))
            return sympy.Mul(*rest, logistic(exponent), logistic(-exponent) ** (count - 1))
        return sympy.Mul(*rest, logistic(-exponent) ** count)
    return node


def _one_plus_exp(expr: sympy.Expr) -> sympy.Expr | None:
    """u if the expression is 1 + exp(u)."""
    if isinstance(expr, sympy.Add) and len(expr.args) == 2 and sympy.S.One in expr.args:
        other = next(argument for argument in expr.args if argument != 1)
        if isinstance(other, sympy.exp):
            return other.args[0]
    return None


def slope_in_output(output: sympy.Expr, slope: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
    """The slope of a function as a polynomial of its output, if it is one: σ' = y(1-y).

    Found by undetermined coefficients, f' = a + b·f + c·f² through three points, and kept only if
    it also holds at further points to 40 digits; so any function that has the form is found, and
    nobody states it.
    """
    with mp.workdps(60):
        points = [mp.mpf(k) / 7 for k in (-9, -4, -1, 2, 5, 11)]
        try:
            outputs = [_at(output, variable, point) for point in points]
            slopes = [_at(slope, variable, point) for point in points]
        except (ValueError, ZeroDivisionError):
            return slope
        if not all(isinstance(value, mp.mpf) for value in outputs + slopes):
            return slope
        for degree in range(3):
            found = _polynomial(outputs, slopes, degree)
            if found is not None:
                return _factored(found, output)
    return slope


def _at(expr: sympy.Expr, variable: sympy.Symbol, point: mp.mpf) -> mp.mpf:
    if expr == variable:
        return point
    if expr.is_Rational:
        return mp.mpf(expr.p) / expr.q
    if expr in (sympy.pi, sympy.E):
        return +mp.pi if expr == sympy.pi else +mp.e
    if not expr.args:
        raise ValueError(f"{expr} has no value here")
    values = [_at(argument, variable, point) for argument in expr.args]
    if isinstance(expr, sympy.Add):
        return mp.fsum(values)
    if isinstance(expr, sympy.Mul):
        return mp.fprod(values)
    if isinstance(expr, sympy.Pow):
        return values[0] ** values[1]
    row = BY_SYMBOL.get(expr.func)
    if row is None:
        raise ValueError(f"{expr.func} has no value here")
    return row.exact(*values)


def _polynomial(outputs: list[Any], slopes: list[Any], degree: int) -> list[sympy.Rational] | None:
    rows = [[y**k for k in range(degree + 1)] for y in outputs]
    try:
        solved = mp.lu_solve(mp.matrix(rows[: degree + 1]), mp.matrix(slopes[: degree + 1]))
    except ZeroDivisionError:
        return None
    exact = [sympy.Rational(int(mp.nint(c * 720720)), 720720) for c in solved]
    for powers, slope in zip(rows, slopes, strict=True):
        total = mp.fsum(p * mp.mpf(c.p) / c.q for p, c in zip(powers, exact, strict=True))
        if abs(total - slope) > mp.mpf(10) ** -40:
            return None
    return exact


def _factored(coefficients: list[sympy.Rational], output: sympy.Expr) -> sympy.Expr:
    low = next((k for k, c in enumerate(coefficients) if c != 0), 0)
    bracket = sympy.Add(*[c * output ** (k - low) for k, c in enumerate(coefficients) if k >= low])
    return sympy.Mul(output**low, bracket, evaluate=True)


def match(pattern: sympy.Basic, expr: sympy.Basic, binding: dict[Index, sympy.Expr]) -> bool:
    """Whether `expr` is `pattern` with its free indices replaced; fills in the replacement.

    A replacement stays on the axis of its index: beyond it the pattern says nothing.
    """
    if isinstance(pattern, Index) and pattern in binding:
        if binding[pattern] is None and on_axis(expr, pattern.axis.size):
            binding[pattern] = expr
        return bool(binding[pattern] == expr)
    if pattern.func != expr.func or len(pattern.args) != len(expr.args):
        return False
    if not pattern.args:
        return bool(pattern == expr)
    if isinstance(pattern, Total | LogTotalExp):
        trial = dict(binding) | {pattern.index: None}
        if not match(pattern.body, expr.body, trial) or trial.pop(pattern.index) != expr.index:
            return False
        binding.update(trial)
        return expr.index not in trial.values()
    return all(match(a, b, binding) for a, b in zip(pattern.args, expr.args, strict=True))


def in_output(
    factors: tuple[sympy.Expr, ...], lhs: Element, indices: tuple[Index, ...], rhs: sympy.Expr
) -> tuple[sympy.Expr, ...]:
    """Replace factors that make up a whole right-hand side by the quantity it defines."""
    wanted = list(sympy.Mul.make_args(rhs))
    if len(wanted) > MOST_FACTORS or not set(indices) <= rhs.free_symbols:
        return factors
    pool = _split_powers(factors)
    replaced = True
    while replaced:
        replaced = False
        for chosen in combinations(_viable(wanted, pool, indices), len(wanted)):
            binding: dict[Index, sympy.Expr] = dict.fromkeys(indices)
            parts = [pool[k] for k in chosen]
            if _match_all(wanted, parts, binding):
                kept = [f for k, f in enumerate(pool) if k not in chosen]
                new = Element(lhs.name, *[binding[i] for i in indices])
                pool, replaced = [*kept, new], True
                break
    return tuple(pool)


def _viable(
    wanted: list[sympy.Expr], pool: list[sympy.Expr], indices: tuple[Index, ...]
) -> list[int]:
    """The factors that may be one of those wanted; none if one of those is there in no form."""
    found: set[int] = set()
    for each in wanted:
        fitting = {k for k, part in enumerate(pool) if match(each, part, dict.fromkeys(indices))}
        if not fitting:
            return []
        found |= fitting
    return sorted(found)


def _match_all(
    wanted: list[sympy.Expr], parts: list[sympy.Expr], binding: dict[Index, sympy.Expr]
) -> bool:
    """Match a few factors in any order, backtracking."""
    if not wanted:
        return all(value is not None for value in binding.values())
    for k, part in enumerate(parts):
        trial = dict(binding)
        rest = parts[:k] + parts[k + 1 :]
        if match(wanted[0], part, trial) and _match_all(wanted[1:], rest, trial):
            binding.update(trial)
            return True
    return False


def _split_powers(factors: tuple[sympy.Expr, ...]) -> list[sympy.Expr]:
    """Integer powers as repeated factors, so that a part of a power can be taken out."""
    pool: list[sympy.Expr] = []
    for factor in factors:
        for part in sympy.Mul.make_args(factor):
            if isinstance(part, sympy.Pow) and part.exp.is_Integer and abs(part.exp) <= 4:
                one = part.base ** (1 if part.exp > 0 else -1)
                pool += [one] * abs(int(part.exp))
            else:
                pool.append(part)
    return pool
