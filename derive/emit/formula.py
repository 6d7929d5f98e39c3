"""SymPy → trees, in the order in which people write arithmetic.

SymPy keeps factors and terms in an order of its own. Here numbers come first, then adjoints, data,
weights, brackets and functions; positive terms come before negative ones and a bias comes last. All
targets print these trees, so the order is decided once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from derive.emit.tree import (
    Apply,
    Constant,
    Divided,
    EmitError,
    How,
    Loop,
    Node,
    Number,
    Pick,
    Position,
    Power,
    Product,
    Read,
    Reduce,
    Same,
    Sum,
    Within,
)
from derive.emit.zeros import Ratio, TimesLog, TimesLog1p
from derive.expression import (
    Axis,
    Chosen,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
    elements,
)
from derive.functions import BY_SYMBOL
from derive.graph import Kind, Quantity, Role
from derive.places import Division, Remainder, linear_range

Known = Mapping[str, Quantity]
LARGE = 1000


def formula(expr: sympy.Expr, known: Known) -> Node:
    """The tree of an expression. Raises EmitError for a node that no target knows."""
    match expr:
        case sympy.Rational():
            return Number(int(expr.p), int(expr.q))
        case sympy.core.numbers.NegativeInfinity():
            return Sum(((-1, Constant("inf")),))
        case sympy.core.numbers.Infinity():
            return Constant("inf")
        case Index() | Division():
            return Position(expr)
        case sympy.Symbol():
            return Constant(expr.name)
        case Element():
            return Read(expr.name, expr.indices, known[expr.name].axes)
        case sympy.Add():
            return _sum(expr, known)
        case sympy.Mul():
            return _product(expr, known)
        case sympy.Pow():
            return _power(expr, known)
        case Delta():
            return Same(*sorted(expr.args, key=lambda position: position.is_Integer))
        case Inside():
            return Within(expr.args[0], int(expr.args[1]))
    return _named(expr, known)


def position_formula(position: sympy.Expr, whole: Iterable[Quantity]) -> Node:
    """The tree of a position, which may read quantities of whole numbers."""
    known = {quantity.name: quantity for quantity in whole}
    if not isinstance(position, Division):
        return formula(position, known)
    ends = linear_range(position.position)
    remains = isinstance(position, Remainder)
    divided = formula(position.position, known)
    return Divided(divided, position.divisor, remains, ends[0] if ends else None)


def _named(expr: sympy.Expr, known: Known) -> Node:
    """Reductions, constants and functions."""
    match expr:
        case Total():
            return _reduce(How.TOTAL, expr.body, (expr.index,), known)
        case LogTotalExp():
            return _reduce(How.LOG_TOTAL_EXP, expr.body, (expr.index,), known)
        case Largest():
            return _reduce(How.LARGEST, expr.body, expr.bound, known)
        case Chosen():
            largest = expr.largest
            reduced = _reduce(How.LARGEST, largest.body, largest.bound, known)
            return Pick(reduced, expr.positions)
    if expr in (sympy.pi, sympy.E):
        return Constant(str(expr).lower())
    if isinstance(expr, TimesLog | TimesLog1p | Ratio):
        head = {TimesLog: "times log", TimesLog1p: "times log1p", Ratio: "ratio"}[expr.func]
        return Apply(head, tuple(formula(argument, known) for argument in expr.args))
    row = BY_SYMBOL.get(expr.func)
    if row is None:
        raise EmitError(f"'{expr}' cannot be written as code: no row for {type(expr).__name__}")
    return Apply(row.name, tuple(formula(argument, known) for argument in expr.args))


def _reduce(how: How, body: sympy.Expr, indices: tuple[Index, ...], known: Known) -> Reduce:
    loops = tuple(Loop(index, axis_of(index, body, known)) for index in indices)
    return Reduce(how, formula(body, known), loops)


def axis_of(index: Index, body: sympy.Expr, known: Known) -> Axis:
    """The axis at which an index is read; equal indices may carry another axis of equal size."""
    for element in elements(body):
        for position, axis in zip(element.indices, known[element.name].axes, strict=True):
            if position == index and axis.size == index.axis.size:
                return axis
    return index.axis


def _sum(expr: sympy.Expr, known: Known) -> Node:
    whole, rest = _bracket(expr, known)
    terms = [whole] if whole is not None else []
    for argument in sympy.Add.make_args(rest) if rest != 0 else ():
        sign = -1 if argument.as_coeff_Mul()[0] < 0 else 1
        terms.append((sign, formula(argument if sign > 0 else -argument, known)))
    if len(terms) == 1 and terms[0][0] > 0:
        return terms[0][1]

    def order(term: tuple[int, Node]) -> tuple[bool, int, int]:
        # u - largest is exact where both are large; the small logarithm comes after that
        return _is_log_total(term[1], known), -term[0], _term_rank(term[1], known)

    return Sum(tuple(sorted(terms, key=order)))


def _bracket(expr: sympy.Expr, known: Known) -> tuple[tuple[int, Node] | None, sympy.Expr]:
    """A large number before its bracket again, as a term with its sign, and the other terms.

    SymPy multiplies it in, and in `z + 1e30*m - 1e30` floats lose the z of `z - 1e30*(1 - m)`.
    """
    number, rest = expr.as_coeff_Add()
    if abs(number) < LARGE:
        return None, expr
    shared = [t for t in sympy.Add.make_args(rest) if abs(t.as_coeff_Mul()[0]) == abs(number)]
    if not shared:
        return None, expr
    inside = formula(sympy.Add(1, *[term / number for term in shared]), known)
    product = Product((Number(abs(int(number.p)), int(number.q)), inside))
    return (1 if number > 0 else -1, product), rest - sympy.Add(*shared)


def _is_log_total(node: Node, known: Known) -> bool:
    return isinstance(node, Read) and known[node.name].kind is Kind.LOG_TOTAL


def _term_rank(node: Node, known: Known) -> int:
    match node:
        case Number():
            return 3
        case Read() if known[node.name].role is Role.PARAMETER:
            return 2
        case Read() if known[node.name].kind is Kind.LARGEST:
            return 4
        case Product() if any(isinstance(factor, Reduce) for factor in node.above):
            return 0
        case Reduce():
            return 0
    return 1


def _product(expr: sympy.Expr, known: Known) -> Node:
    coefficient, rest = expr.as_coeff_Mul()
    if coefficient < 0:
        return Sum(((-1, formula(-expr, known)),))
    above: list[Node] = [Number(int(coefficient.p))] if coefficient.p != 1 else []
    below: list[Node] = [Number(int(coefficient.q))] if coefficient.q != 1 else []
    for factor in sympy.Mul.make_args(rest):
        if isinstance(factor, sympy.Pow) and factor.exp.is_negative:
            below.append(formula(1 / factor, known))
        else:
            above.append(formula(factor, known))

    def rank(node: Node) -> int:
        return _factor_rank(node, known)

    ordered = tuple(sorted(above, key=rank)) or (Number(1),)
    return Product(ordered, tuple(sorted(below, key=rank)))


def _factor_rank(node: Node, known: Known) -> int:
    match node:
        case Number():
            return 0
        case Constant() | Position() | Same() | Within():
            return 1
        case Read():
            role = known[node.name].role
            return {Role.ADJOINT: 2, Role.PARAMETER: 4}.get(role, 3)
        case Power():
            return _factor_rank(node.base, known)
        case Sum():
            return 5
        case Reduce():
            return 7
    return 6


def _power(expr: sympy.Expr, known: Known) -> Node:
    base, exponent = expr.args
    if exponent.is_negative:
        return Product((Number(1),), (formula(1 / expr, known),))
    if exponent == sympy.Rational(1, 2):
        return Apply("sqrt", (formula(base, known),))
    if exponent.is_Integer:
        return Power(formula(base, known), int(exponent))
    return Apply("power", (formula(base, known), formula(exponent, known)))
