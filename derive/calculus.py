"""The index calculus: differentiate an equation by an element, contract the deltas.

A product of sums is opened into terms (bound indices, factors). Differentiation works on those
lists, because rebuilding nested sums on the way is slow and captures indices:

    adj_q[a] = Σ over y, Σ_i adj_y[i] · ∂rhs_y[i]/∂q[a],     ∂q[b]/∂q[a] = Π_k δ(b_k, a_k)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import sympy

from derive.divisions import divides, in_digits, split
from derive.errors import InputError
from derive.expression import (
    Axis,
    Chosen,
    Delta,
    Element,
    Fresh,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
    alike,
    bound_indices,
    reads,
    rebuild,
    substitute,
)
from derive.functions import BY_SYMBOL, greater, where
from derive.graph import Graph, adjoint_name
from derive.places import linear_range, stays_on_axis
from derive.rules import recognise, slope_in_output


class CalculusError(InputError, ValueError):
    """An expression the calculus refuses rather than guesses at."""


@dataclass(frozen=True)
class Term:
    """Σ over the bound indices of the product of the factors."""

    bound: tuple[Index, ...]
    factors: tuple[sympy.Expr, ...]

    def times(self, *more: sympy.Expr) -> Term:
        return Term(self.bound, (*more, *self.factors))

    def replace(self, change: Mapping[Index, sympy.Expr], fresh: Fresh) -> Term:
        """The term with indices replaced, in the factors only."""
        return Term(self.bound, tuple(substitute(f, change, fresh) for f in self.factors))


@cache
def head_slope(head: type[sympy.Function]) -> tuple[sympy.Expr, sympy.Symbol]:
    """The derivative of a function of one variable, derived once, and its variable."""
    row = BY_SYMBOL[head]
    x = sympy.Symbol("_x", real=True)
    body = row.definition(x) if row.definition else row.symbol(x)
    return slope_in_output(row.symbol(x), recognise(sympy.diff(body, x)), x), x


def slopes_of(expr: sympy.Function) -> tuple[sympy.Expr, ...]:
    """The derivatives of a function by each of its arguments, at these arguments.

    At a kink it matters what the arguments are, so a stated convention is asked each time.
    """
    row = BY_SYMBOL.get(expr.func)
    if row is None:
        raise CalculusError(f"the function {expr.func} has no row in the table of functions")
    if row.slopes is not None:
        return tuple(slope(*expr.args) for slope in row.slopes)
    slope, x = head_slope(expr.func)
    return (slope.xreplace({x: expr.args[0]}),)


def partial(expr: sympy.Expr, name: str, at: tuple[Index, ...], fresh: Fresh) -> list[Term]:
    """∂expr/∂name[at] as terms, deltas not yet contracted."""
    if name not in reads(expr):
        return []
    match expr:
        case Element():
            if expr.name != name:  # the name only stands in a position, which is a whole number
                return []
            pairs = zip(expr.indices, at, strict=True)
            return [Term((), tuple(Delta(position, index) for position, index in pairs))]
        case sympy.Add():
            return [term for argument in expr.args for term in partial(argument, name, at, fresh)]
        case sympy.Mul():
            return _product(expr, name, at, fresh)
        case sympy.Pow():
            return _power(expr, name, at, fresh)
        case Total():
            index = fresh(expr.index)
            body = substitute(expr.body, {expr.index: index}, fresh)
            return [Term((index, *t.bound), t.factors) for t in partial(body, name, at, fresh)]
        case LogTotalExp():
            index = fresh(expr.index)
            body = substitute(expr.body, {expr.index: index}, fresh)
            weight = sympy.exp(body - expr)
            inner = partial(body, name, at, fresh)
            return [Term((index, *t.bound), (weight, *t.factors)) for t in inner]
        case Largest():
            change = {index: fresh(index) for index in expr.bound}
            body = substitute(expr.body, change, fresh)
            chosen = Chosen(expr, *change.values())
            inner = partial(body, name, at, fresh)
            return [Term((*change.values(), *t.bound), (chosen, *t.factors)) for t in inner]
        case Chosen() | Delta() | Inside():
            return []
        case where():
            return _branches(expr, name, at, fresh)
        case sympy.Function():
            return _applied(expr, name, at, fresh)
    raise CalculusError(f"no rule for the derivative of {type(expr).__name__} in {expr}")


def _product(expr: sympy.Mul, name: str, at: tuple[Index, ...], fresh: Fresh) -> list[Term]:
    terms = []
    for k, factor in enumerate(expr.args):
        others = (*expr.args[:k], *expr.args[k + 1 :])
        terms += [term.times(*others) for term in partial(factor, name, at, fresh)]
    return terms


def _power(expr: sympy.Pow, name: str, at: tuple[Index, ...], fresh: Fresh) -> list[Term]:
    base, exponent = expr.args
    outer = exponent * base ** (exponent - 1)
    if steep_at_zero(exponent):
        outer = where(greater(base, 0), outer, sympy.S.Zero)
    terms = [term.times(*_factors(outer)) for term in partial(base, name, at, fresh)]
    if name in reads(exponent):
        inner = partial(exponent, name, at, fresh)
        terms += [term.times(expr, sympy.log(base)) for term in inner]
    return terms


def steep_at_zero(exponent: sympy.Expr) -> bool:
    """Whether a power has a value at 0 but no slope, as a root has; it is taken as 0 there."""
    return bool(exponent.is_Rational and 0 < exponent < 1)


def _branches(expr: where, name: str, at: tuple[Index, ...], fresh: Fresh) -> list[Term]:
    """A choice branch by branch, where(c, f, g)' = where(c, f', g'): the other is never asked.

    Only the deltas stand before the choice, where they can be solved.
    """
    test, *branches = expr.args
    terms: list[Term] = []
    both: dict[tuple[sympy.Expr, ...], list[sympy.Expr]] = {}
    for k, branch in enumerate(branches):
        for term in partial(branch, name, at, fresh):
            deltas = tuple(f for f in term.factors if isinstance(f, Delta))
            rest = sympy.Mul(*[f for f in term.factors if not isinstance(f, Delta)])
            if term.bound:
                chosen = (rest, sympy.S.Zero) if k == 0 else (sympy.S.Zero, rest)
                terms.append(Term(term.bound, (*deltas, where(test, *chosen))))
            else:
                both.setdefault(deltas, [sympy.S.Zero, sympy.S.Zero])[k] += rest
    terms += [Term((), (*deltas, *_either(test, *pair))) for deltas, pair in both.items()]
    return terms


def _either(test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> tuple[sympy.Expr, ...]:
    return _factors(yes) if yes == no else (where(test, yes, no),)


def _applied(expr: sympy.Function, name: str, at: tuple[Index, ...], fresh: Fresh) -> list[Term]:
    terms = []
    for argument, outer in zip(expr.args, slopes_of(expr), strict=True):
        if outer != 0:
            inner = partial(argument, name, at, fresh)
            terms += [term.times(*_factors(outer)) for term in inner]
    return terms


def _factors(expr: sympy.Expr) -> tuple[sympy.Expr, ...]:
    return sympy.Mul.make_args(expr)


Sizes = Mapping[tuple[str, int], Axis]


def contract(term: Term, sizes: Sizes, fresh: Fresh, multiples: bool = False) -> Term | None:
    """Use every delta to drop a bound index. None if a delta can never be 1.

    `δ(f, g)` with `f - g` linear in a bound index k with coefficient ±1 is solved for k; the
    solution replaces k, and a guard stays unless the solution surely lies on the axis of k. Where
    the solution would divide by an entry outside its range, the delta stays as an indicator. A
    choice that is zero but where a delta is 1 is solved like the delta. With `multiples` the letter
    of `2*i + 1` is solved for, too, with the condition that the place is such a one.
    """
    bound, factors = list(term.bound), list(map(decided, term.factors))
    divided = divides((f for f in factors if isinstance(f, Delta)), bound)
    while True:
        if any(factor == 0 for factor in factors):
            return None
        if divided and (digits := in_digits(factors, bound)) is not None:
            factors = list(map(decided, digits))
            continue
        if multiples:  # by places before it is by a whole number that is read
            factors.sort(key=lambda factor: isinstance(factor, Delta) and factor.has(Element))
        found = _solvable(bound, factors, sizes) or _chosen(bound, factors)
        if found is None and multiples and (digits := in_digits(factors, bound, True)):
            factors = list(map(decided, digits))
            continue
        if found is None and (parts := _parted(bound, factors, sizes, fresh)) is not None:
            bound, factors = parts
            continue
        if found is None:
            return Term(tuple(bound), tuple(f for f in factors if f != 1 and not _holds(f)))
        delta, index, solution = found
        bound.remove(index)
        factors.remove(delta)
        if isinstance(delta, where):
            factors.append(delta.args[1])
        safe = _covered(index, solution, factors, sizes)
        factors = [decided(substitute(f, {index: solution}, fresh)) for f in factors]
        if not safe:
            factors.append(Inside(solution, index.axis.size))


def _parted(
    bound: list[Index], factors: list[sympy.Expr], sizes: Sizes, fresh: Fresh
) -> tuple[list[Index], list[sympy.Expr]] | None:
    """A letter that is divided in a delta as the two that it is made of."""
    found = split(bound, factors, lambda i, at: _breaks(i, at, factors, sizes), fresh)
    if found is None:
        return None
    index, made, moved = found
    return [*(i for i in bound if i != index), *made], list(map(decided, moved))


def decided(expr: sympy.Expr) -> sympy.Expr:
    """An expression without the deltas that are never 1, as δ(t + 1, 0), and choices by them."""
    return rebuild(expr, _without_never) if expr.has(Delta, where) else expr


def _without_never(node: sympy.Expr) -> sympy.Expr:
    if isinstance(node, Delta):
        ends = linear_range(node.args[0] - node.args[1])
        return node if ends is None or ends[0] <= 0 <= ends[1] else sympy.S.Zero
    if isinstance(node, where) and node.args[0].is_number:
        return node.args[1] if node.args[0] else node.args[2]
    return node


def _chosen(
    bound: Iterable[Index], factors: Iterable[sympy.Expr]
) -> tuple[sympy.Expr, Index, sympy.Expr] | None:
    """A choice `where(δ, f, 0)` of which the delta can be solved for an index within its axis."""
    for factor in factors:
        if isinstance(factor, where) and isinstance(factor.args[0], Delta) and factor.args[2] == 0:
            for index, solution in _solutions(factor.args[0], bound):
                if stays_on_axis(solution, index.axis.size):
                    return factor, index, solution
    return None


def _solutions(delta: Delta, bound: Iterable[Index]) -> Iterator[tuple[Index, sympy.Expr]]:
    """The indices for which a delta can be solved, each with its solution."""
    difference = sympy.expand(delta.args[0] - delta.args[1])
    for index in bound:
        slope = difference.coeff(index, 1)
        rest = difference - slope * index
        if abs(slope) == 1 and index not in rest.free_symbols:
            yield index, sympy.expand(-rest / slope)


def _holds(factor: sympy.Expr) -> bool:
    """Whether a factor is a guard that is always 1."""
    return isinstance(factor, Inside) and stays_on_axis(*factor.args)


def _solvable(
    bound: list[Index], factors: list[sympy.Expr], sizes: Sizes
) -> tuple[sympy.Expr, Index, sympy.Expr] | None:
    for delta in factors:
        if isinstance(delta, Delta):
            for index, solution in _solutions(delta, bound):
                safe = stays_on_axis(solution, index.axis.size)
                if safe or not _breaks(index, solution, factors, sizes):
                    return delta, index, solution
    return None


def _breaks(
    index: Index, solution: sympy.Expr, factors: Iterable[sympy.Expr], sizes: Sizes
) -> bool:
    """Whether a factor may have no finite value where the solution leaves the axis of the index.

    Beyond its range an element is zero, so `1/s[solution]` has no value there.
    """

    def beyond(node: sympy.Expr) -> sympy.Expr:
        if isinstance(node, Element):
            for k, place in enumerate(node.indices):
                axis = sizes.get((node.name, k))
                moved = place.xreplace({index: solution})
                if moved != place and (axis is None or not stays_on_axis(moved, axis.size)):
                    return sympy.Integer(0)
        if bound_indices(node) and node.args[0] == 0:
            return node.args[0]
        row = BY_SYMBOL.get(node.func)
        if row is not None and all(argument == 0 for argument in node.args):
            return sympy.Integer(0) if row.exact(*map(int, node.args)) == 0 else node
        return node

    for factor in factors:
        if index in factor.free_symbols:
            empty = rebuild(factor, beyond)
            if empty.has(sympy.zoo, sympy.nan, sympy.oo):
                return True
            if any(power.base == 0 for power in empty.atoms(sympy.Pow)):
                return True
    return False


def _covered(
    index: Index, solution: sympy.Expr, factors: Iterable[sympy.Expr], sizes: Sizes
) -> bool:
    """Whether the solution cannot leave the axis of the index, or a factor is zero if it does."""
    if stays_on_axis(solution, index.axis.size):
        return True
    for factor in factors:
        if isinstance(factor, Element) and index in factor.indices:
            axis = sizes.get((factor.name, factor.indices.index(index)))
            if axis is not None and axis.size == index.axis.size:
                return True
    return False


def build(terms: Iterable[Term]) -> sympy.Expr:
    """The expression that a list of terms stands for; like terms are added up."""
    result = sympy.Integer(0)
    for term in terms:
        body = sympy.Mul(*(part for factor in term.factors for part in _apart(factor)))
        for index in reversed(term.bound):
            free = [f for f in _factors(body) if index not in f.free_symbols]
            held = [f for f in _factors(body) if index in f.free_symbols]
            summed = Total(sympy.Mul(*held), index) if held else index.axis.size
            body = sympy.Mul(*free, summed)
        result += body
    return result


def _apart(factor: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """A bracket with the whole number that its terms have in common before it."""
    if isinstance(factor, sympy.Add):
        share, rest = factor.primitive()
        if share != 1 and share.is_Integer:
            return share, rest
    return (factor,)


def open_terms(expr: sympy.Expr, fresh: Fresh) -> list[Term]:
    """An expression as terms; products over sums are opened, functions are left alone."""
    match expr:
        case sympy.Add():
            return [term for argument in expr.args for term in open_terms(argument, fresh)]
        case sympy.Mul():
            terms = [Term((), ())]
            for argument in expr.args:
                inner = _as_factor(argument, fresh)
                terms = [
                    Term((*a.bound, *b.bound), (*a.factors, *b.factors))
                    for a in terms
                    for b in inner
                ]
            return terms
    return _as_factor(expr, fresh)


def _as_factor(expr: sympy.Expr, fresh: Fresh) -> list[Term]:
    """A sum over an index is opened; a bracket stays one factor, so that it can cancel whole."""
    if isinstance(expr, Total):
        index = fresh(expr.index)
        body = substitute(expr.body, {expr.index: index}, fresh)
        return [Term((index, *t.bound), t.factors) for t in open_terms(body, fresh)]
    return [Term((), (expr,))]


def sizes_of(graph: Graph) -> Sizes:
    """The axis at each place of every quantity and of its adjoint."""
    sizes = {}
    for quantity in graph.quantities.values():
        for name in (quantity.name, adjoint_name(quantity.name)):
            sizes.update({(name, k): axis for k, axis in enumerate(quantity.axes)})
    return sizes


def same(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether two expressions are equal up to the names of bound indices."""
    return alike(left, right, {})
