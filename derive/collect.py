"""Collecting a derivative that reaches a quantity directly and through its own averages.

A normalisation reads its input three times: in the mean, in the variance and in the normalised
value. Its derivative becomes short once the derivatives by mean and variance are put in, deviations
from the mean are seen to add up to zero, and the normalised value is recognised:

    ∂E/∂x = (g - mean(g) - xhat·mean(g·xhat))/sqrt(var + eps),    g = ∂E/∂xhat
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import sympy

from derive.calculus import Term, build
from derive.expression import Element, Fresh, Index, Total, substitute, total
from derive.graph import Equation
from derive.rules import in_output, match

ROUNDS = 4
MOST_TERMS = 40


def collected(
    value: sympy.Expr,
    inner: Mapping[str, Equation],
    readers: Iterable[Equation],
    means: Iterable[Equation],
) -> sympy.Expr | None:
    """`value` with the adjoints in `inner` put in and everything collected.

    The right-hand sides of `readers` are recognised, and `means` may be what something deviates
    from. None if nothing is gained.
    """
    fresh = Fresh()
    terms = list(_opened(value, fresh))
    for _ in range(ROUNDS):
        if any(_reads(term, inner) for term in terms):
            terms = [new for term in terms for new in _put_in(term, inner, fresh)]
    if any(_reads(term, inner) for term in terms) or len(terms) > MOST_TERMS:
        return None
    kept = [term for term in terms if not _is_nothing(term, list(means))]
    if not inner:
        return build(kept) if len(kept) < len(terms) else None
    split = [Term(term.bound, tuple(_halves(term.factors))) for term in kept]
    named = [_named(term, list(readers)) for term in split]
    if named == split:
        return None
    return _common(named)


def _reads(term: Term, names: Mapping[str, Equation]) -> bool:
    return any(isinstance(factor, Element) and factor.name in names for factor in term.factors)


def _opened(expr: sympy.Expr, fresh: Fresh) -> Iterator[Term]:
    """Terms with their plain factors; a bracket stays whole, what it has in common before it."""
    for part in sympy.Add.make_args(expr):
        bound: list[Index] = []
        factors: list[sympy.Expr] = []
        waiting = list(sympy.Mul.make_args(part))
        while waiting:
            factor = waiting.pop(0)
            if isinstance(factor, Total):
                index = fresh(factor.index)
                bound.append(index)
                body = substitute(factor.body, {factor.index: index}, fresh)
                waiting += sympy.Mul.make_args(body)
            else:
                factors += _plain(factor)
        yield Term(tuple(bound), tuple(factors))


def _plain(factor: sympy.Expr) -> list[sympy.Expr]:
    """A factor, with the number that its bracket has in common on its own."""
    base, exponent = factor.as_base_exp()
    if not isinstance(base, sympy.Add) or not exponent.is_Integer:
        return [factor]
    share, rest = base.primitive()
    if _leading_is_negative(rest):
        share, rest = -share, -rest
    return [factor] if share == 1 else [share**exponent, rest**exponent]


def _leading_is_negative(bracket: sympy.Add) -> bool:
    """Whether the summand with the most indices is subtracted."""
    leading = max(bracket.args, key=lambda a: (len(a.free_symbols), str(a)))
    return bool(leading.as_coeff_Mul()[0] < 0)


def _put_in(term: Term, inner: Mapping[str, Equation], fresh: Fresh) -> Iterator[Term]:
    """One term with the first adjoint in it replaced by its definition."""
    for k, factor in enumerate(term.factors):
        if isinstance(factor, Element) and factor.name in inner:
            equation = inner[factor.name]
            change = dict(zip(equation.indices, factor.indices, strict=True))
            rest = (*term.factors[:k], *term.factors[k + 1 :])
            for part in _opened(substitute(equation.rhs, change, fresh), fresh):
                yield Term((*term.bound, *part.bound), (*rest, *part.factors))
            return
    yield term


def _is_nothing(term: Term, means: list[Equation]) -> bool:
    """Whether a bracket adds up to zero over an index that stands nowhere else."""
    for index in term.bound:
        holding = [factor for factor in term.factors if index in factor.free_symbols]
        alone = len(holding) == 1 and isinstance(holding[0], sympy.Add)
        if alone and _sums_to_zero(holding[0], term.bound, means):
            return True
    return False


def _sums_to_zero(bracket: sympy.Add, bound: tuple[Index, ...], means: list[Equation]) -> bool:
    """Whether a bracket is deviations from a mean: Σ (x - mean(x)) = 0."""
    over = tuple(index for index in bound if index in bracket.free_symbols)
    count = sympy.Integer(1)
    for index in over:
        count *= index.axis.size
    moving = [part for part in bracket.args if set(over) <= part.free_symbols]
    still = [part for part in bracket.args if not set(over) & part.free_symbols]
    if len(moving) + len(still) != len(bracket.args) or len(moving) != 1 or len(still) != 1:
        return False
    read = -still[0]
    if not isinstance(read, Element):
        return False
    for equation in means:
        if equation.quantity.name == read.name:
            change = dict(zip(equation.indices, read.indices, strict=True))
            mean = substitute(equation.rhs, change, Fresh())
            for order in _orders(over):
                binding: dict[Index, sympy.Expr] = {}
                if match(total(moving[0], order) / count, mean, binding):
                    return True
    return False


def _orders(indices: tuple[Index, ...]) -> Iterator[tuple[Index, ...]]:
    """The orders in which sums may be nested."""
    if not indices:
        yield ()
    for k, index in enumerate(indices):
        for rest in _orders((*indices[:k], *indices[k + 1 :])):
            yield (index, *rest)


def _named(term: Term, readers: list[Equation]) -> Term:
    """A term in which the right-hand sides of readers are written by their names."""
    factors = term.factors
    for equation in readers:
        if not any(isinstance(node, Total) for node in equation.rhs.args):
            found = in_output(factors, equation.lhs, equation.indices, equation.rhs)
            factors = found if len(found) < len(factors) else factors
    return Term(term.bound, factors)


def _halves(factors: tuple[sympy.Expr, ...]) -> Iterator[sympy.Expr]:
    """Powers like s^(-3/2) as repeated s^(-1/2), so that parts of them can be recognised."""
    for factor in factors:
        base, exponent = factor.as_base_exp()
        if exponent.is_Rational and exponent.q == 2 and abs(exponent.p) <= 9:
            sign = 1 if exponent > 0 else -1
            yield from [base ** sympy.Rational(sign, 2)] * abs(int(exponent.p))
        elif exponent.is_Integer and exponent < 0 and isinstance(base, sympy.Add):
            yield from [base ** sympy.Rational(-1, 2)] * (2 * abs(int(exponent)))
        else:
            yield factor


def _common(terms: list[Term]) -> sympy.Expr:
    """The terms added up, what they all share standing before the bracket."""
    if not terms:
        return sympy.S.Zero
    free = [
        Counter(f for f in term.factors if not set(term.bound) & f.free_symbols and not f.is_Number)
        for term in terms
    ]
    shared = free[0].copy()
    for other in free[1:]:
        shared &= other
    rest = []
    for term in terms:
        left = Counter(shared)
        factors = []
        for factor in term.factors:
            if left[factor] > 0:
                left[factor] -= 1
            else:
                factors.append(factor)
        rest.append(Term(term.bound, tuple(factors)))
    return sympy.Mul(*shared.elements(), build(rest))
