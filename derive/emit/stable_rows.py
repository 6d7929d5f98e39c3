"""The rewrites that keep a value but let floating-point numbers reach it: one row each.

A row has a name, a rewrite of one node, and the sentence that explains it. In exact arithmetic
nothing changes; in floating point `log(sum(exp(1000)))`, `exp(1000)/sum(exp(…))` and `0*log(0)`
overflow or are undefined, and `log(1 + 1e-12)` loses most of its digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy

from derive.expression import Delta, Index, LogTotalExp, Total
from derive.functions import (
    at_least,
    erfc,
    expm1,
    greater,
    inverse_mills,
    log1p,
    log_add_exp,
    log_erfc,
    logistic,
    softplus,
    where,
)
from derive.rules import match


@dataclass(frozen=True)
class Rewrite:
    """A rewrite of one node: what does not have its form comes back as it is."""

    name: str
    sentence: str
    rewrite: Callable[[sympy.Expr], sympy.Expr]


# --- what is built of exponentials -----------------------------------------------------------


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


def _log_of_total(node: sympy.Expr) -> sympy.Expr:
    """log(sum(k, f)) = logsumexp(k, log(f))."""
    if not isinstance(node, sympy.log) or not isinstance(node.args[0], Total):
        return node
    inside = node.args[0]
    return LogTotalExp(_log(inside.body), inside.index) if is_exponential(inside) else node


def _log_of_sum(node: sympy.Expr) -> sympy.Expr:
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


def _log_of_product(node: sympy.Expr) -> sympy.Expr:
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


def _log_of_choice(node: sympy.Expr) -> sympy.Expr:
    """log(where(c, a, b)) = where(c, log(a), log(b))."""
    if not isinstance(node, sympy.log) or not isinstance(node.args[0], where):
        return node
    test, *branches = node.args[0].args
    return where(test, *map(_log, branches))


def _log_of_the_others(node: sympy.Expr) -> sympy.Expr:
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


def _log_logistic(node: sympy.Expr) -> sympy.Expr:
    """log(logistic(u)) = -softplus(-u)."""
    if isinstance(node, sympy.log) and isinstance(node.args[0], logistic):
        return -softplus(-node.args[0].args[0])
    return node


def _log_near_one(node: sympy.Expr) -> sympy.Expr:
    """log(1 + u) = log1p(u)."""
    if isinstance(node, sympy.log) and isinstance(node.args[0], sympy.Add):
        constant, rest = node.args[0].as_coeff_Add()
        return log1p(rest) if constant == 1 else node
    return node


def _log_of_ratio(node: sympy.Expr) -> sympy.Expr:
    """log((1 + u)/(1 + v)) = log1p((u - v)/(1 + v))."""
    if not isinstance(node, sympy.log) or not isinstance(node.args[0], sympy.Mul):
        return node
    above, below = node.args[0].as_numer_denom()
    (one, u), (other, v) = above.as_coeff_Add(), below.as_coeff_Add()
    if below.is_number or one == 0 or one != other or u == 0:
        return node
    return log1p((u - v) / below)


def _log_of_tail(node: sympy.Expr) -> sympy.Expr:
    """log(erfc(u)), whole."""
    if isinstance(node, sympy.log) and isinstance(node.args[0], erfc):
        return log_erfc(node.args[0].args[0])
    return node


# --- quotients -------------------------------------------------------------------------------


def _joined(node: sympy.Expr) -> sympy.Expr:
    """exp(u)*exp(v) = exp(u + v)."""
    powers = [f for f in sympy.Mul.make_args(node) if isinstance(f, sympy.exp)]
    if len(powers) < 2:
        return node
    rest = [f for f in node.args if f not in powers]
    return sympy.Mul(*rest, sympy.exp(sympy.Add(*[f.args[0] for f in powers])))


def _quotient(node: sympy.Expr) -> sympy.Expr:
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
    rows = (_log_of_total, _log_of_sum, _log_of_choice, _log_of_product)
    moved = (row(plain) for row in rows)
    return next((each for each in moved if each != plain), plain)


def _exponential_divisor(node: sympy.Expr) -> sympy.Pow | None:
    for factor in sympy.Mul.make_args(node):
        divides = isinstance(factor, sympy.Pow) and factor.exp.is_negative
        if divides and _is_exponential_sum(factor.base):
            return factor
    return None


def _quotient_of_sums(node: sympy.Expr) -> sympy.Expr:
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


def _weighted_divisor(node: sympy.Expr) -> sympy.Expr:
    """1/sum(k, w*exp(u)) = exp(-L)/sum(k, w*exp(u - L)) with L = logsumexp(k, u)."""
    for factor in sympy.Mul.make_args(node):
        if isinstance(factor, sympy.Pow) and factor.exp.is_negative:
            found = _weighted(factor.base)
            if found is not None:
                whole, rest = found
                return node / factor * sympy.exp(factor.exp * whole) * rest**factor.exp
    return node


def _log_of_weighted(node: sympy.Expr) -> sympy.Expr:
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
    return any(
        (isinstance(factor, sympy.exp) and not _is_relative(factor))
        or (isinstance(factor, Total) and _has_bare_exp(factor))
        for term in sympy.Add.make_args(expr)
        for factor in sympy.Mul.make_args(term)
    )


def _exp_times_logistic(node: sympy.Expr) -> sympy.Expr:
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


def _expm1_times_logistic(node: sympy.Expr) -> sympy.Expr:
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


def _tail_quotient(node: sympy.Expr) -> sympy.Expr:
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


# --- differences -----------------------------------------------------------------------------

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


def _complement(node: sympy.Expr) -> sympy.Expr:
    """1 - logistic(u) = logistic(-u)."""
    return _difference(node, logistic, lambda u: logistic(-u))


def _one_less_tanh(node: sympy.Expr) -> sympy.Expr:
    """1 - tanh(u) = 2*logistic(-2*u), and 1 + tanh(u) = 2*logistic(2*u)."""
    for share, rest, u in _complements(node, lambda f: _argument(f, sympy.tanh), -1):
        return rest + 2 * share * logistic(2 * u)
    return _difference(node, sympy.tanh, lambda u: 2 * logistic(-2 * u))


def _slope_of_tanh(node: sympy.Expr) -> sympy.Expr:
    """1 - tanh(u)**2 = 4*logistic(2*u)*logistic(-2*u)."""
    for share, rest, u in _complements(node, lambda f: _argument(f, sympy.tanh, 2)):
        return rest + 4 * share * logistic(2 * u) * logistic(-2 * u)
    return node


def _centred(node: sympy.Expr) -> sympy.Expr:
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


def _softplus_difference(node: sympy.Expr) -> sympy.Expr:
    """softplus(u) - softplus(-u) = u."""
    if not isinstance(node, sympy.Add):
        return node
    for term in node.args:
        share, head = term.as_coeff_Mul()
        other = -share * softplus(-head.args[0]) if isinstance(head, softplus) else None
        if other is not None and other in node.args:
            return node - term - other + share * head.args[0]
    return node


def _exp_less_one(node: sympy.Expr) -> sympy.Expr:
    """exp(u) - 1 = expm1(u)."""
    return _difference(node, sympy.exp, lambda u: -expm1(u))


def _one_less_cosine(node: sympy.Expr) -> sympy.Expr:
    """1 - cos(u) = 2*sin(u/2)**2."""
    return _difference(node, sympy.cos, lambda u: 2 * sympy.sin(u / 2) ** 2)


def _tail(node: sympy.Expr) -> sympy.Expr:
    """1 - erf(u) = erfc(u), and 1 + erf(u) = erfc(-u)."""
    for share, rest, u in _complements(node, lambda f: _argument(f, sympy.erf), -1):
        return rest + share * erfc(-u)
    return _difference(node, sympy.erf, erfc)


def _root_less_number(node: sympy.Expr) -> sympy.Expr:
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


# --- choices ---------------------------------------------------------------------------------


def _selection(node: sympy.Expr) -> sympy.Expr:
    """An indicator or a choice times f is a choice of f: the branch not taken is never a factor."""
    if not isinstance(node, sympy.Mul):
        return node
    for factor in node.args:
        if isinstance(factor, greater | at_least | where):
            rest = sympy.Mul(*[f for f in node.args if f != factor])
            test, yes, no = factor.args if isinstance(factor, where) else (factor, 1, 0)
            return where(test, yes * rest, no * rest)
    return node


def _one_choice(node: sympy.Expr) -> sympy.Expr:
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


def _no_choice(node: sympy.Expr) -> sympy.Expr:
    """where(c, a, a) = a."""
    return node.args[1] if isinstance(node, where) and node.args[1] == node.args[2] else node


ROWS: tuple[Rewrite, ...] = (
    Rewrite("selection", "a choice times a factor is a choice of products", _selection),
    Rewrite("one choice", "choices by the same condition are added branch by branch", _one_choice),
    Rewrite("no choice", "a choice between equals is none", _no_choice),
    Rewrite("complement", "1 - logistic(u) = logistic(-u)", _complement),
    Rewrite("tail", "1 - erf(u) = erfc(u)", _tail),
    Rewrite("one less tanh", "1 - tanh(u) = 2*logistic(-2*u)", _one_less_tanh),
    Rewrite("slope of tanh", "1 - tanh(u)**2 = 4*logistic(2*u)*logistic(-2*u)", _slope_of_tanh),
    Rewrite("log of a total", "log(sum(f)) is taken from the logarithms of f", _log_of_total),
    Rewrite("log of a sum", "log(a + b) is taken from log(a) and log(b)", _log_of_sum),
    Rewrite("log of a product", "log(a*b) = log(a) + log(b)", _log_of_product),
    Rewrite("log of a choice", "the logarithm of a choice is a choice", _log_of_choice),
    Rewrite("log of the others", "1 - p is the sum of the other shares", _log_of_the_others),
    Rewrite("log of logistic", "log(logistic(u)) = -softplus(-u)", _log_logistic),
    Rewrite("log of a tail", "log(erfc(u)) is one function", _log_of_tail),
    Rewrite("product of exponentials", "exp(u)*exp(v) = exp(u + v)", _joined),
    Rewrite("quotient of sums", "each term of a sum is divided on its own", _quotient_of_sums),
    Rewrite("weighted divisor", "w*exp(u) is taken relative to all exp(u)", _weighted_divisor),
    Rewrite("log of weighted", "w*exp(u) is taken relative to all exp(u)", _log_of_weighted),
    Rewrite("quotient", "exp(u)/s = exp(u - log(s))", _quotient),
    Rewrite("exp times logistic", "exp(u)*logistic(-u) = logistic(u)", _exp_times_logistic),
    Rewrite("expm1 times logistic", "expm1(u)*logistic(-u) = tanh(u/2)", _expm1_times_logistic),
    Rewrite("quotient by a tail", "exp(-u**2)/erfc(u) is one function", _tail_quotient),
    Rewrite("centred logistic", "2*logistic(u) - 1 = tanh(u/2)", _centred),
    Rewrite("difference of softplus", "softplus(u) - softplus(-u) = u", _softplus_difference),
    Rewrite("exp less one", "exp(u) - 1 keeps its digits as expm1(u)", _exp_less_one),
    Rewrite("one less cosine", "1 - cos(u) = 2*sin(u/2)**2", _one_less_cosine),
    Rewrite("root less number", "sqrt(1 + u) - 1 = u/(sqrt(1 + u) + 1)", _root_less_number),
    Rewrite("log near one", "log(1 + u) keeps its digits as log1p(u)", _log_near_one),
    Rewrite("log of a ratio", "log((1 + u)/(1 + v)) = log1p((u - v)/(1 + v))", _log_of_ratio),
)
