"""Trees for fixed index values: sums written out, elements outside their range gone."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import product

import sympy

from derive.emit.names import code_name
from derive.emit.program import Assignment, Program, updated
from derive.emit.tree import (
    Apply,
    Constant,
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
    signed_terms,
    walk,
)
from derive.expression import Element, Index
from derive.graph import adjoint_name
from derive.notation import notation, scalar_names
from derive.problem import Problem
from derive.scalar import positions

Binding = Mapping[Index, int]
Place = tuple[str, tuple[int, ...]]
ZERO, ONE = Number(0), Number(1)
NOTHING = Sum(((-1, Constant("inf")),))


def scalar_codes(problem: Problem, reserved: Iterable[str]) -> dict[Place, str]:
    """The variable of every scalar: its name on the page, unless the module needs that name."""
    names = notation(problem)
    taken = {*reserved, *keyword.kwlist}
    codes: dict[Place, str] = {}
    wanted = {place(element): code for code, element in scalar_names(names, problem.graph).items()}
    for (name, position), code in tuple(wanted.items()):
        quantity = problem.graph.quantities[name]
        adjoint = adjoint_name(name)
        wanted[adjoint, position] = names.name(Element(adjoint, *position)).code
        wanted[updated(quantity).name, position] = f"{code}_new"
    for scalar, code in wanted.items():
        while code in taken:
            code += "_"
        taken.add(code)
        codes[scalar] = code
    return codes


def with_helpers(codes: Mapping[Place, str], program: Program) -> dict[Place, str]:
    """The variables of a program, also of quantities that have no name on the page."""
    found = dict(codes)
    taken = set(codes.values())
    for assignment in (*program.forward, *program.backward):
        for position in positions(assignment.quantity.axes):
            scalar = (assignment.quantity.name, position)
            if scalar not in found:
                units = [str(k + 1) for k in position[1:]]  # the first index is the only sample
                code = "_".join([code_name(assignment.quantity.name), *units])
                while code in taken:
                    code += "_"
                taken.add(code)
                found[scalar] = code
    return found


def place(element: Element) -> Place:
    """An element as plain data."""
    return element.name, tuple(int(index) for index in element.indices)


def bindings(loops: tuple[Loop, ...]) -> Iterator[dict[Index, int]]:
    """Every combination of index values, the last index fastest."""
    for values in product(*[range(loop.axis.length) for loop in loops]):
        yield {loop.index: value for loop, value in zip(loops, values, strict=True)}


def written_out(assignment: Assignment) -> Iterator[tuple[Place, Node]]:
    """One assignment as scalar assignments."""
    for binding in bindings(assignment.loops):
        yield (assignment.quantity.name, tuple(binding.values())), at(assignment.value, binding)


def needed(entries: list[tuple[Place, Node]], wanted: set[Place]) -> list[tuple[Place, Node]]:
    """The entries on which a wanted one depends."""
    kept = []
    for scalar, node in reversed(entries):
        if scalar in wanted:
            kept.append((scalar, node))
            wanted = wanted | {
                (each.name, tuple(map(int, each.indices)))
                for each in walk(node)
                if isinstance(each, Read)
            }
    return kept[::-1]


def value(position: sympy.Expr, binding: Binding) -> int:
    """The value of a position."""
    if isinstance(position, Index):
        return binding[position]
    return int(position.xreplace({index: sympy.Integer(k) for index, k in binding.items()}))


def at(node: Node, binding: Binding) -> Node:
    """A tree for these index values, without zeros, ones and sums over an index."""
    match node:
        case Read():
            position = tuple(value(index, binding) for index in node.indices)
            inside = all(0 <= k < axis.length for k, axis in zip(position, node.axes, strict=True))
            numbers = tuple(map(sympy.Integer, position))
            return Read(node.name, numbers, node.axes) if inside else ZERO
        case Position():
            return Number(value(node.index, binding))
        case Same():
            return Number(int(value(node.left, binding) == value(node.right, binding)))
        case Within():
            return Number(int(0 <= value(node.position, binding) < node.size))
        case Sum():
            return _sum((sign, at(term, binding)) for sign, term in node.terms)
        case Product():
            return _product(
                [at(factor, binding) for factor in node.above],
                [at(factor, binding) for factor in node.below],
            )
        case Power():
            return Power(at(node.base, binding), node.exponent)
        case Apply():
            return _applied(node.head, tuple(at(argument, binding) for argument in node.arguments))
        case Reduce():
            return _reduced(node.how, _bodies(node, binding))
        case Pick():
            return _picked(node, binding)
    return node


def _applied(head: str, arguments: tuple[Node, ...]) -> Node:
    """A function; a choice that is decided by the indices is only the branch taken."""
    if head == "where" and arguments[0] in (ZERO, ONE):
        return arguments[1] if arguments[0] == ONE else arguments[2]
    if head in ("times log", "times log1p", "ratio") and arguments[0] == ZERO:
        return ZERO
    return Apply(head, arguments)


def _bodies(node: Reduce, binding: Binding) -> list[Node]:
    return [at(node.body, {**binding, **below}) for below in bindings(node.loops)]


def _reduced(how: How, bodies: list[Node]) -> Node:
    if how is How.TOTAL:
        return _sum((1, body) for body in bodies)
    if how is How.LOG_TOTAL_EXP:
        bodies = [body for body in bodies if body != NOTHING]
    return bodies[0] if len(bodies) == 1 else Apply(f"{how.value} of", tuple(bodies))


def _picked(node: Pick, binding: Binding) -> Node:
    """The place to be picked, counted in reading order, and all values to compare."""
    number = 0
    for loop, position in zip(node.largest.loops, node.positions, strict=True):
        number = number * loop.axis.length + value(position, binding)
    chosen = Position(sympy.Integer(number))
    return Apply("is first largest", (chosen, *_bodies(node.largest, binding)))


def _sum(terms: Iterable[tuple[int, Node]]) -> Node:
    flat: list[tuple[int, Node]] = []
    constant = Fraction(0)
    for sign, term in terms:
        for below, each in signed_terms(term):
            if isinstance(each, Number):
                constant += sign * below * Fraction(each.numerator, each.denominator)
            else:
                flat.append((sign * below, each))
    if constant:
        number = Number(abs(constant.numerator), constant.denominator)
        flat.append((1 if constant > 0 else -1, number))
    flat.sort(key=lambda term: -term[0])
    if not flat:
        return ZERO
    return flat[0][1] if len(flat) == 1 and flat[0][0] > 0 else Sum(tuple(flat))


def _product(above: list[Node], below: list[Node]) -> Node:
    if ZERO in above:
        return ZERO
    kept = tuple(factor for factor in above if factor != ONE) or (ONE,)
    under = tuple(factor for factor in below if factor != ONE)
    return kept[0] if len(kept) == 1 and not under else Product(kept, under)
