"""Derivation → Derivation of a Hessian-vector product: `differentiate`, applied to its own result.

    H v = ∂/∂w Σ v·∂E/∂w

The gradient of the first pass becomes part of a forward graph; its product with a direction `v` is
the quantity that the second pass differentiates. Nothing new is known about derivatives here.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from derive.backprop import differentiate
from derive.expression import Element, rebuild, total
from derive.graph import (
    Derivation,
    Equation,
    Graph,
    GraphError,
    Kind,
    Quantity,
    Role,
    adjoint_name,
)

SLOPE = "slope_"
DIRECTION = "v_"


def hessian_product(derivation: Derivation, by: tuple[str, ...] | None = None) -> Derivation:
    """The derivation of H v for the named quantities, all that were differentiated by if none.

    In the result `slope_W` is ∂E/∂W, `v_W` the direction, and `adj_W` the product (H v) for W.
    Raises GraphError if the loss has no second derivative by any of them.
    """
    names = by if by is not None else _wanted(derivation)
    forward = derivation.forward
    taken = set(forward.quantities)
    fresh = {adjoint_name(name): f"{SLOPE}{name}" for name in forward.quantities}
    for name in (*fresh.values(), *(f"{DIRECTION}{name}" for name in names), "product"):
        if name in taken:
            raise GraphError(f"'{name}' is needed for the second derivative; rename it")
    loss = forward.equation(forward.loss.name)
    plain = replace(loss, quantity=replace(loss.quantity, role=Role.HIDDEN))
    slopes = tuple(_renamed(e, fresh) for e in derivation.backward.equations)
    directions = [_direction(forward.quantities[name]) for name in names]
    whole: sympy.Expr = sympy.S.Zero
    for name, direction in zip(names, directions, strict=True):
        letters = derivation.adjoint(name).indices
        term = Element(direction.name, *letters) * Element(f"{SLOPE}{name}", *letters)
        whole += total(term, letters)
    product = Quantity("product", r"v^{\top}g", (), Role.LOSS, Kind.ERROR)
    graph = Graph(
        (*forward.given, *directions),
        (
            *(plain if e is loss else e for e in forward.equations),
            *slopes,
            Equation(product, (), whole),
        ),
    )
    return differentiate(graph, names)


def _wanted(derivation: Derivation) -> tuple[str, ...]:
    """The given quantities of which there is a derivative."""
    found = derivation.backward.quantities
    return tuple(q.name for q in derivation.forward.given if adjoint_name(q.name) in found)


def _renamed(equation: Equation, names: dict[str, str]) -> Equation:
    def change(node: sympy.Expr) -> sympy.Expr:
        if isinstance(node, Element) and node.name in names:
            return Element(names[node.name], *node.indices)
        return node

    quantity = replace(equation.quantity, name=names[equation.quantity.name])
    return Equation(quantity, equation.indices, rebuild(equation.rhs, change))


def _direction(quantity: Quantity) -> Quantity:
    tex = f"v^{{({quantity.name})}}" if quantity.axes else f"v_{{{quantity.name}}}"
    return Quantity(f"{DIRECTION}{quantity.name}", tex, quantity.axes, Role.CONSTANT, Kind.DATA)
