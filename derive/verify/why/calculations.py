"""Wrong ways to calculate, one row each: what may stand in an equation in place of what is there.

A row changes one spot of one equation, forward or backward; nothing here knows how a gradient
propagates. What a change makes of the other numbers is computed from the changed equations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy

from derive.expression import Element, Fresh, Index, Largest, Total, reads, rebuild, substitute
from derive.functions import at_least, greater, logistic, maximum, where
from derive.graph import Graph, adjoint_name
from derive.verify.why import operands
from derive.verify.why.site import LONGEST_SUM, Changes, Row, Site, shown

# --- numbers --------------------------------------------------------------------------------


def _coefficient(node: sympy.Expr, site: Site) -> Changes:
    share, rest = node.as_coeff_Mul()
    if rest != 1 and abs(share) not in (0, 1):
        sign = 1 if share > 0 else -1
        yield sign * rest, f"the factor {abs(share)} is left out of {site.name}"


def _sum_for_mean(node: sympy.Expr, site: Site) -> Changes:
    share, rest = node.as_coeff_Mul()
    for n in sorted(site.sizes - {1, 2}):
        if rest != 1 and (share * n).is_Integer and share.q % n == 0:
            yield n * node, f"{site.name} is taken with the sum, not with the mean of {n}"


def _mean_for_sum(node: sympy.Expr, site: Site) -> Changes:
    if isinstance(node, Total):
        n = node.index.axis.length
        if n > 1:
            yield node / n, f"{site.name} is taken with the mean of {n}, not with the sum"


def _one_less(node: sympy.Expr, site: Site) -> Changes:
    share, rest = node.as_coeff_Mul()
    if rest == 1 or abs(share.p) != 1:
        return
    for other in (share.q - 1, share.q + 1):
        if other > 1 and share.q > 1 and {share.q, other} & site.sizes:
            yield share.p * rest / other, f"{site.name} is divided by {other}, not by {share.q}"


# --- what is left out -----------------------------------------------------------------------


def _sign(node: sympy.Expr, site: Site) -> Changes:
    if node == site.equation.rhs:
        yield -node, f"the sign of {site.name} is the other one"
    if isinstance(node, sympy.Add):
        for term in node.args:
            words = f"the sign of {shown(term, site)} in {site.name} is the other one"
            yield node - 2 * term, words


def _term(node: sympy.Expr, site: Site) -> Changes:
    if not isinstance(node, sympy.Add):
        return
    for term in node.args:
        above = [name for name in reads(term) if name.startswith(adjoint_name(""))]
        readers = [name.removeprefix(adjoint_name("")) for name in above]
        whole = node == site.equation.rhs and site.backward
        if whole and len(readers) == 1 and len(node.args) > 1:
            yield node - term, f"the path through {readers[0]} is missing in {site.name}"
        else:
            yield node - term, f"{shown(term, site)} is left out of {site.name}"


def _one_of_a_sum(node: sympy.Expr, site: Site) -> Changes:
    if not isinstance(node, Total) or not 1 < node.index.axis.length <= LONGEST_SUM:
        return
    for k in range(node.index.axis.length):
        one = substitute(node.body, {node.index: sympy.Integer(k)}, Fresh())
        where_ = f"{node.index}={k} in {site.name}"
        yield node - one, f"the term with {where_} is left out"
        yield one, f"only the term with {where_} is taken"
        yield node - 2 * one, f"the sign of the term with {where_} is the other one"


def _point_of_one(node: sympy.Expr, site: Site) -> Changes:
    """In one product of a sum the decimal point is a place off."""
    terms: list[sympy.Expr] = []
    if isinstance(node, Total) and 1 < node.index.axis.length <= LONGEST_SUM:
        places = range(node.index.axis.length)
        terms = [substitute(node.body, {node.index: sympy.Integer(k)}, Fresh()) for k in places]
    elif isinstance(node, sympy.Add):
        terms = [term for term in node.args if not term.has(Total)]
    for term in terms:
        for share in (sympy.Integer(9), sympy.Rational(-9, 10)):
            words = f"the decimal point of {shown(term, site)} in {site.name} is one place off"
            yield node + share * term, words


def _groups(node: sympy.Expr) -> Mapping[str, sympy.Expr]:
    """The factors of a product that read one and the same quantity and nothing else."""
    found: dict[str, sympy.Expr] = {}
    for factor in node.args if isinstance(node, sympy.Mul) else ():
        names = reads(factor)
        if len(names) == 1:
            found[names[0]] = found.get(names[0], sympy.Integer(1)) * factor
    return found if len(found) > 1 or any(f.is_number for f in node.args) else {}


def _factor(node: sympy.Expr, site: Site) -> Changes:
    """A factor is forgotten: the slope of an activation, an operand."""
    for group in _groups(node).values():
        if group.has(greater, at_least):
            continue  # a mask is one of the next row
        if site.backward and not isinstance(group, Element):
            words = f"the slope {shown(group, site)} is left out of {site.name}"
        else:
            words = f"the factor {shown(group, site)} is left out of {site.name}"
        yield node / group, words
        if isinstance(group, sympy.Mul):
            for part in group.args:
                yield node / part, f"the factor {shown(part, site)} is left out of {site.name}"


def _mask(node: sympy.Expr, site: Site) -> Changes:
    if isinstance(node, where):
        for kept in node.args[1:]:
            if not kept.is_number:
                yield kept, f"the choice by {shown(node.args[0], site)} is left out of {site.name}"
    if isinstance(node, greater | at_least) and site.backward:
        yield sympy.Integer(1), f"the mask {shown(node, site)} is left out of {site.name}"


def _power(node: sympy.Expr, site: Site) -> Changes:
    if isinstance(node, sympy.Pow) and reads(node.base):
        if node.exp in (2, sympy.Rational(1, 2)):
            word = "square" if node.exp == 2 else "root"
            yield node.base, f"the {word} is left out of {site.name}"
        if node.exp == -sympy.Rational(1, 2):
            yield 1 / node.base, f"the root is left out of {site.name}"
        if node.exp == -2:
            yield 1 / node.base, f"the square is left out of {site.name}"


# --- at the wrong place ---------------------------------------------------------------------


def _elementwise(graph: Graph, name: str) -> Element | None:
    """What a unit is a function of, entry by entry, if it is one of a single quantity."""
    if name not in graph.quantities or graph.quantities[name].given:
        return None
    equation = graph.equation(name)
    read = equation.rhs.atoms(Element)
    if len(read) != 1 or equation.rhs.atoms(Total, Largest):
        return None
    (element,) = read
    linear = isinstance(equation.rhs, Element | sympy.Mul | sympy.Add)
    return element if element.indices == equation.indices and not linear else None


def _replaced(expr: sympy.Expr, name: str, by: Callable[[Element], sympy.Expr]) -> sympy.Expr:
    def change(node: sympy.Expr) -> sympy.Expr:
        return by(node) if isinstance(node, Element) and node.name == name else node

    return rebuild(expr, change)


def _slope_elsewhere(node: sympy.Expr, site: Site) -> Changes:
    """The slope of an activation at its output for that at its input, or the reverse."""
    slopes = _groups(node)
    if not site.backward and isinstance(node, sympy.Mul):
        return
    for name, group in slopes.items():
        if isinstance(group, Element):
            continue
        source = _elementwise(site.graph, name)
        if source is not None:
            at_input = _replaced(group, name, _entry_of(source.name))
            yield node / group * at_input, _at(name, source.name, site)
            again = _again(site.graph, name)
            twice = _replaced(group, name, again)
            yield node / group * twice, _at(source.name, name, site)
        for unit in site.graph.readers(name):
            read = _elementwise(site.graph, unit.quantity.name)
            if read is not None and read.name == name:
                other = unit.quantity.name
                at_output = _replaced(group, name, _entry_of(other))
                yield node / group * at_output, _at(name, other, site)


def _entry_of(name: str) -> Callable[[Element], sympy.Expr]:
    return lambda element: Element(name, *element.indices)


def _at(right: str, wrong: str, site: Site) -> str:
    return f"the slope of the activation is taken at {wrong}, not at {right}, in {site.name}"


def _again(graph: Graph, name: str) -> Callable[[Element], sympy.Expr]:
    """An activation of its own output."""
    equation = graph.equation(name)

    def applied(element: Element) -> sympy.Expr:
        change = dict(zip(equation.indices, element.indices, strict=True))
        moved = substitute(equation.rhs, change, Fresh())
        source = next(iter(equation.rhs.atoms(Element))).name
        return _replaced(moved, source, lambda e: Element(name, *e.indices))

    return applied


# --- another function -----------------------------------------------------------------------


def _kink(node: sympy.Expr, site: Site) -> Changes:
    if isinstance(node, greater | at_least):
        other = at_least if isinstance(node, greater) else greater
        yield other(*node.args), f"the slope at the kink is another one in {site.name}"


def _without_largest(node: sympy.Expr, site: Site) -> Changes:
    """The exponentials of a softmax with, or without, the largest score taken off."""
    if not isinstance(node, sympy.exp):
        return
    (score,) = node.args
    largest = [term for term in sympy.Add.make_args(score) if term.has(Largest)]
    if largest:
        yield sympy.exp(score - sum(largest)), f"the largest score is not taken off in {site.name}"
    elif site.equation.indices:
        index = site.equation.indices[-1]
        if index in score.free_symbols:
            inner = Index(f"{index.name}_", index.axis)
            body = substitute(score, {index: inner}, Fresh())
            words = f"the largest score is taken off in {site.name}"
            yield sympy.exp(score - Largest(body, inner)), words


def _function(node: sympy.Expr, site: Site) -> Changes:
    """A function is forgotten, or another one."""
    if not isinstance(node, sympy.Function) or len(node.args) != 1 or not reads(node):
        return
    (inner,) = node.args
    yield inner, f"{node.func.__name__} is left out of {site.name}"
    if isinstance(node, sympy.log):
        yield node / sympy.log(10), f"the logarithm to the base 10 is taken in {site.name}"
        yield node / sympy.log(2), f"the logarithm to the base 2 is taken in {site.name}"
    for one, other in ((logistic, sympy.tanh), (sympy.tanh, logistic)):
        if isinstance(node, one):
            yield other(inner), f"{other.__name__} stands for {one.__name__} in {site.name}"


def _slope_of_another(node: sympy.Expr, site: Site) -> Changes:
    """The slope of one activation, written with its output, for that of another."""
    for name, group in _groups(node).items():
        for output in sorted(group.atoms(Element), key=str):
            logistic_, tanh_ = output * (1 - output), 1 - output**2
            for own, other, word in ((logistic_, tanh_, "tanh"), (tanh_, logistic_, "logistic")):
                share = (group / own).cancel()
                if share.is_number:
                    words = f"the slope of {word} is taken at {name} in {site.name}"
                    yield node / group * share * other, words


def _activation(node: sympy.Expr, site: Site) -> Changes:
    """Another activation, and its own slope with it."""
    for one, other in ((logistic, sympy.tanh), (sympy.tanh, logistic)):
        if isinstance(node, one) and reads(node):
            words = f"{other.__name__} stands for {one.__name__} in {site.name} and in its slope"
            yield other(*node.args), words


def _rectified(node: sympy.Expr, site: Site) -> Changes:
    if isinstance(node, maximum) and len(node.args) == 2 and any(a.is_number for a in node.args):
        inner = next(a for a in node.args if not a.is_number)
        yield inner, f"the rectifier is left out of {site.name}"


ROWS = (
    Row("sum for the mean", 1, _sum_for_mean, anew=True),
    Row("mean for the sum", 1, _mean_for_sum, backward=False, anew=True),
    Row("a factor forgotten", 1, _coefficient, anew=True),
    Row("n for n - 1", 1, _one_less, anew=True),
    Row("largest score", 1, _without_largest, backward=False),
    Row("a sign", 1, _sign),
    Row("a path or term forgotten", 1, _term),
    Row("a slope or factor forgotten", 1, _factor),
    Row("a mask forgotten", 1, _mask),
    Row("a slope at the wrong place", 1, _slope_elsewhere, forward=False),
    Row("transposed", 1, operands.transposed),
    Row("a power forgotten", 2, _power),
    Row("one term of a sum", 2, _one_of_a_sum),
    Row("an index shifted", 2, operands.shifted),
    Row("the slope at a kink", 2, _kink, forward=False),
    Row("another function", 2, _function, backward=False),
    Row("another function", 2, _rectified, backward=False),
    Row("another activation", 2, _activation, backward=False, anew=True),
    Row("the slope of another activation", 2, _slope_of_another, forward=False),
    Row("transposed", 2, operands.turned, forward=False),
    Row("another index", 2, operands.reversed_),
    Row("decimal point", 3, _point_of_one),
    Row("one term of a sum", 3, operands.of_one_term),
    Row("another index", 3, operands.fixed),
    Row("another operand", 3, operands.other),
)
