"""Equal layers are differentiated once: what a derivation depends on, and results under new names.

Two quantities of equal surroundings (the same equations read them, the same adjoints are known)
have the same derivation up to the names in it. The key of a quantity is those surroundings with
every name replaced by the number of its appearance.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

import sympy

from derive.expression import Element, elements
from derive.graph import Equation, Local, Quantity, Step, adjoint_name

Result = tuple[Equation, list[Local], list[Step]]


def names_in(quantities: Iterable[Quantity], equations: Iterable[Equation]) -> tuple[str, ...]:
    """Quantities, their adjoints, and the names that equations mention, in order of appearance."""
    found: dict[str, None] = {}
    for quantity in quantities:
        found |= {quantity.name: None, adjoint_name(quantity.name): None}
    for equation in equations:
        found[equation.quantity.name] = None
        found |= {element.name: None for element in elements(equation.rhs)}
    return tuple(found)


def key_of(names: tuple[str, ...], equations: Iterable[Equation], more: Hashable) -> Hashable:
    """What the derivation by a quantity depends on, whatever the names are."""
    numbers = {name: str(number) for number, name in enumerate(names)}
    texts = tuple(
        (numbers[e.quantity.name], e.quantity.role, e.indices, renamed(e.rhs, numbers))
        for e in equations
    )
    return texts, more


def renamed(expr: sympy.Expr, names: Mapping[str, str]) -> sympy.Expr:
    """An expression with other names for the quantities that it reads."""
    if not expr.args:
        return expr
    if isinstance(expr, Element):
        places = [renamed(position, names) for position in expr.indices]
        return Element(names.get(expr.name, expr.name), *places)
    return expr.func(*[renamed(argument, names) for argument in expr.args])


def translated(
    result: Result, before: tuple[str, ...], after: tuple[str, ...], quantity: Quantity
) -> Result:
    """A derivation under other names; `quantity` is the adjoint that it now belongs to."""
    names = dict(zip(before, after, strict=True))
    equation, locals_, steps = result
    return (
        Equation(quantity, equation.indices, renamed(equation.rhs, names)),
        [
            replace(x, of=names[x.of], by=names[x.by], value=renamed(x.value, names))
            for x in locals_
        ],
        [
            replace(
                step,
                quantity=names[step.quantity],
                before=renamed(step.before, names),
                after=renamed(step.after, names),
            )
            for step in steps
        ],
    )
