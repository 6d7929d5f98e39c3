"""Stable forms of what is made of exponentials: logarithms of sums, and quotients."""

from __future__ import annotations

import sympy

from derive.expression import Delta, Index, LogTotalExp, Total
from derive.functions import (
    erfc,
    expm1,
    inverse_mills,
    log1p,
    log_add_exp,
    log_erfc,
    logistic,
    softplus,
    where,
)
from derive.rules import match


def _is_positive(expr: sympy.Expr) -> bool:
    """Whether an expression is surely positive, or zero by choice; only exponentials are known."""
    match expr:
        case sympy.exp() | logistic():
            return True
        case sympy.Mul() | sympy.Add():
            return all(map(_is_positive, expr.args))
        case sympy.Pow():
            return _is_positive(expr.base) and bool(expr.exp.is_number)
        case Total():
            return _is_positive(expr.body)
        case where():
            return all(branch == 0 or _is_positive(branch) for branch in expr.args[1:])
    return bool(expr.is_number and expr.is_positive)


def is_exponential(expr: sympy.Expr) -> bool:
    """Whether an expression is positive because it is made of exponentials."""
    return expr.has(sympy.exp, logistic) and _is_positive(expr)


def _is_exponential_sum(expr: sympy.Expr) -> bool:
    return isinstance(expr, sympy.Add | Total | where) and is_exponential(expr)


def _log(expr: sympy.Expr) -> sympy.Expr:
    return -sympy.oo if expr == 0 else sympy.log(expr)


# --- logarithms ------------------------------------------------------------------------------


def log_of_total(node: sympy.Expr) -> sympy.Expr:
    """log(sum(k, f)) = logsumexp(k, log(f))."""
    if not isinstance(node, sympy.log) or not isinstance(node.args[0], Total):
        return node
    inside = node.args[0]
    return LogTotalExp(_log(inside.body), inside.index) if is_exponential(inside) else node


def log_of_sum(node: sympy.Expr) -> sympy.Expr:
    """log(a + b) = logaddexp(log(a), log(b))."""
    if not isinstance(node, sympy.log) or not isinstance(node.args[0], sympy.Add):
        return node
    return _log_of_terms(node.args[0].args) if is_exponential(node.args[0]) else node


def _log_of_terms(terms: tuple[sympy.Expr, ...]) -> sympy.Expr:
    numbers = sympy.Add(*[term for term in terms if term.is_number])
    others = sorted((term for term in terms if not term.is_number), key=sympy.default_sort_key)
    logs = [_log(term) for term in others]
    if numbers == 1:
        logs[-1] = softplus(logs[-1])
    elif numbers != 0:
        logs.append(sympy.log(numbers))
    whole = logs[-1]
    for each in reversed(logs[:-1]):
        whole = log_add_exp(each, whole)
    return whole


def log_of_product(node: sympy.Expr) -> sympy.Expr:
    """log(a*b) = log(a) + log(b) and log(a**n) = n*log(a), a being positive."""
    if not isinstance(node, sympy.log):
        return node
    inside = node.args[0]
    if isinstance(inside, sympy.Pow) and is_exponential(inside):
        return inside.exp * sympy.log(inside.base)
    if not isinstance(inside, sympy.Mul):
        return node
    apart = [f for f in inside.args if is_exponential(f) or isinstance(f, erfc)]
    if not apart:
        return node
    rest = sympy.Mul(*[f for f in inside.args if f not in apart])
    return sympy.Add(*map(sympy.log, apart)) + (sympy.log(rest) if rest != 1 else 0)


def log_of_choice(node: sympy.Expr) -> sympy.Expr:
    """log(where(c, a, b)) = where(c, log(a), log(b))."""
    if not isinstance(node, sympy.log) or not isinstance(node.args[0], where):
        return node
    test, *branches = node.args[0].args
    return where(test, *map(_log, branches))


def log_of_the_others(node: sympy.Expr) -> sympy.Expr:
    """log(1 - exp(u[h] - logsumexp(k, u[k]))) = logsumexp(k but h, u[k]) - logsumexp(k, u[k])."""
    if not isinstance(node, sympy.log):
        return node
    share, head = node.args[0].as_coeff_Mul()
    if not isinstance(head, expm1):  # which is what became of the difference
        return node
    exponent = head.args[0]
    for term in sympy.Add.make_args(exponent):
        whole = -term
        if isinstance(whole, LogTotalExp) and whole.index.axis.size != 1:
            others = _all_but(whole, exponent - term)
            if others is not None:
                return sympy.log(-share) + LogTotalExp(others, whole.index) - whole
    return node


def _all_but(whole: LogTotalExp, one: sympy.Expr) -> sympy.Expr | None:
    """The body of a log-sum-exp without the one of its terms that is given."""
    binding: dict[Index, sympy.Expr] = {whole.index: None}
    if not match(whole.body, one, binding) or binding[whole.index] is None:
        return None
    return where(Delta(whole.index, binding[whole.index]), -sympy.oo, whole.body)


def log_logistic(node: sympy.Expr) -> sympy.Expr:
    """log(logistic(u)) = -softplus(-u)."""
    if isinstance(node, sympy.log) and isinstance(node.args[0], logistic):
        return -softplus(-node.args[0].args[0])
    return node


def log_near_one(node: sympy.Expr) -> sympy.Expr:
    """log(1 + u) = log1p(u)."""
    if isinstance(node, sympy.log) and isinstance(node.args[0], sympy.Add):
        constant, rest = node.args[0].as_coeff_Add()
        return log1p(rest) if constant == 1 else node
    return node


def log_of_ratio(node: sympy.Expr) -> sympy.Expr:
    """log((1 + u)/(1 + v)) = log1p((u - v)/(1 + v))."""
    if not isinstance(node, sympy.log) or not isinstance(node.args[0], sympy.Mul):
        return node
    above, below = node.args[0].as_numer_denom()
    (one, u), (other, v) = above.as_coeff_Add(), below.as_coeff_Add()
    if below.is_number or one == 0 or one != other or u == 0:
        return node
    return log1p((u - v) / below)


def log_of_tail(node: sympy.Expr) -> sympy.Expr:
    """log(erfc(u)), whole."""
    if isinstance(node, sympy.log) and isinstance(node.args[0], erfc):
        return log_erfc(node.args[0].args[0])
    return node


# --- quotients -------------------------------------------------------------------------------


def joined(node: sympy.Expr) -> sympy.Expr:
    """exp(u)*exp(v) = exp(u + v)."""
    powers = [f for f in sympy.Mul.make_args(node) if isinstance(f, sympy.exp)]
    if len(powers) < 2:
        return node
    rest = [f for f in node.args if f not in powers]
    return sympy.Mul(*rest, sympy.exp(sympy.Add(*[f.args[0] for f in powers])))


def quotient(node: sympy.Expr) -> sympy.Expr:
    """exp(u)/s = exp(u - log(s)), s a sum of exponentials; exp(u)/(exp(u) + s) = logistic(…)."""
    below = _exponential_divisor(node)
    if below is None:
        return node
    factors = [f for f in sympy.Mul.make_args(node) if f != below]
    above = [f for f in factors if f.has(sympy.exp) and is_exponential(f)]
    rest = [f for f in factors if f not in above]
    whole = sympy.Mul(*above)
    if below.exp == -1 and isinstance(below.base, sympy.Add) and whole in below.base.args:
        return sympy.Mul(*rest, logistic(_whole_log(whole) - _whole_log(below.base - whole)))
    exponent = sympy.Add(*map(_whole_log, above)) + below.exp * _whole_log(below.base)
    return sympy.Mul(*rest, sympy.exp(exponent))


def _whole_log(exponentials: sympy.Expr) -> sympy.Expr:
    """The logarithm of a sum of exponentials; SymPy would take a plain one apart again."""
    plain = sympy.log(exponentials)
    rows = (log_of_total, log_of_sum, log_of_choice, log_of_product)
    moved = (row(plain) for row in rows)
    return next((each for each in moved if each != plain), plain)


def _exponential_divisor(node: sympy.Expr) -> sympy.Pow | None:
    for factor in sympy.Mul.make_args(node):
        divides = isinstance(factor, sympy.Pow) and factor.exp.is_negative
        if divides and _is_exponential_sum(factor.base):
            return factor
    return None


def quotient_of_sums(node: sympy.Expr) -> sympy.Expr:
    """(a + b)*d = a*d + b*d and sum(k, a)*d = sum(k, a*d), if a has exponentials that d tames."""
    if not isinstance(node, sympy.Mul):
        return node
    for tame in filter(None, map(_taming, node.args)):
        for factor in node.args:
            if not _has_bare_exp(factor) or is_exponential(factor):
                continue
            rest = node / factor / tame
            if isinstance(factor, sympy.Add):
                return rest * sympy.Add(*[term * tame for term in factor.args])
            if isinstance(factor, Total) and factor.index not in tame.free_symbols:
                return rest * Total(factor.body * tame, factor.index)
    return node


def _taming(factor: sympy.Expr) -> sympy.Expr | None:
    """What of a factor can make up for an exponential: one divisor, a logistic function."""
    base, exponent = factor.as_base_exp()
    if isinstance(factor, sympy.exp):
        return factor if _is_relative(factor) else None
    if exponent.is_negative and _is_exponential_sum(base):
        return 1 / base
    return base if exponent.is_positive and isinstance(base, logistic) else None


def _is_relative(power: sympy.exp) -> bool:
    """Whether an exponent is less the logarithm of a sum."""
    terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(power.args[0])]
    return any(isinstance(t, LogTotalExp | log_add_exp | softplus) and n < 0 for n, t in terms)


def weighted_divisor(node: sympy.Expr) -> sympy.Expr:
    """1/sum(k, w*exp(u)) = exp(-L)/sum(k, w*exp(u - L)) with L = logsumexp(k, u)."""
    for factor in sympy.Mul.make_args(node):
        if isinstance(factor, sympy.Pow) and factor.exp.is_negative:
            found = _weighted(factor.base)
            if found is not None:
                whole, rest = found
                return node / factor * sympy.exp(factor.exp * whole) * rest**factor.exp
    return node


def log_of_weighted(node: sympy.Expr) -> sympy.Expr:
    """log(sum(k, w*exp(u))) = L + log(sum(k, w*exp(u - L))) with L = logsumexp(k, u)."""
    found = _weighted(node.args[0]) if isinstance(node, sympy.log) else None
    return found[0] + sympy.log(found[1]) if found is not None else node


def _weighted(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """L and the rest of a sum of exponentials whose weights may have any sign."""
    if not isinstance(expr, Total) or is_exponential(expr):
        return None
    power = next((f for f in sympy.Mul.make_args(expr.body) if isinstance(f, sympy.exp)), None)
    if power is None or expr.index not in power.free_symbols or power.has(LogTotalExp):
        return None
    whole = LogTotalExp(power.args[0], expr.index)
    return whole, Total(expr.body / power * sympy.exp(power.args[0] - whole), expr.index)


def _has_bare_exp(expr: sympy.Expr) -> bool:
    """Whether a term of a sum has an exponential as a factor that nothing makes up for."""
    if isinstance(expr, Total):
        return _has_bare_exp(expr.body)
    if isinstance(expr, where):
        return any(map(_has_bare_exp, expr.args[1:]))
    return any(
        (isinstance(factor, sympy.exp) and not _is_relative(factor))
        or (isinstance(factor, Total | where) and _has_bare_exp(factor))
        for term in sympy.Add.make_args(expr)
        for factor in sympy.Mul.make_args(term)
    )


def exp_times_logistic(node: sympy.Expr) -> sympy.Expr:
    """exp(u)*logistic(-u) = logistic(u); otherwise exp(u)*logistic(v) = exp(u - softplus(-v))."""
    if not isinstance(node, sympy.Mul):
        return node
    above = next((f for f in node.args if isinstance(f, sympy.exp)), None)
    below = [f for f in node.args if isinstance(_base(f), logistic)]
    if above is None or not below:
        return node
    u = above.args[0]
    chosen = next((f for f in below if _base(f).args[0] == -u), below[0])
    v, count = _base(chosen).args[0], chosen.as_base_exp()[1]
    rest = sympy.Mul(*[f for f in node.args if f not in (above, chosen)])
    if v == -u:
        return rest * logistic(u) * logistic(-u) ** (count - 1)
    return rest * sympy.exp(u - count * softplus(-v))


def expm1_times_logistic(node: sympy.Expr) -> sympy.Expr:
    """expm1(u)*logistic(-u) = tanh(u/2)."""
    if not isinstance(node, sympy.Mul):
        return node
    for factor in node.args:
        if isinstance(factor, expm1):
            u = factor.args[0]
            partner = next((f for f in node.args if _base(f) == logistic(-u)), None)
            if partner is not None:
                return node / factor / logistic(-u) * sympy.tanh(u / 2)
    return node


def _base(factor: sympy.Expr) -> sympy.Expr:
    """The base of a positive power, or the factor."""
    base, exponent = factor.as_base_exp()
    return base if exponent.is_positive and not isinstance(factor, sympy.exp) else factor


def tail_quotient(node: sympy.Expr) -> sympy.Expr:
    """exp(-u**2)/erfc(u), whole."""
    if not isinstance(node, sympy.Mul):
        return node
    for below in node.args:
        if isinstance(below, sympy.Pow) and below.exp == -1 and isinstance(below.base, erfc):
            u = below.base.args[0]
            above = sympy.exp(-(u**2))
            if above in node.args:
                rest = [f for f in node.args if f not in (above, below)]
                return sympy.Mul(*rest, inverse_mills(u))
    return node
