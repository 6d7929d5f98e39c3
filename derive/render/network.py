"""The scalar network of a derivation: who reads whom, and where a chain of factors may stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from derive.expression import Element, elements
from derive.graph import Derivation, Kind, Role
from derive.rules import Rule
from derive.scalar import expand, local_slope, scalar_equations, shapes_of


@dataclass(frozen=True)
class ScalarNetwork:
    """Scalar equations, the readers of every scalar, and the quantities whose adjoint is fused."""

    derivation: Derivation
    equations: Mapping[Element, sympy.Expr]
    readers: Mapping[Element, tuple[Element, ...]]
    fused: frozenset[str]
    shapes: Mapping[str, tuple[int, ...]]

    def slope(self, of: Element, by: Element) -> sympy.Expr:
        """∂of/∂by for a scalar and one that it reads."""
        return local_slope(self.derivation.local(of.name, by.name), of, by, self.shapes)

    def adjoint(self, node: Element) -> sympy.Expr:
        """∂E/∂node as the backward graph has it."""
        equation = self.derivation.adjoint(node.name)
        binding = {i: int(k) for i, k in zip(equation.indices, node.indices, strict=True)}
        return expand(equation.rhs, binding, self.shapes)

    def role(self, node: Element) -> Role:
        return self.derivation.forward.quantities[node.name].role

    def kind(self, node: Element) -> Kind:
        return self.derivation.forward.quantities[node.name].kind

    def at_loss(self, node: Element) -> bool:
        """Whether only the error reads this node, or its adjoint is known in closed form."""
        if node.name in self.fused:
            return True
        kinds = {self.kind(reader) for reader in self.readers[node]}
        return kinds == {Kind.ERROR}

    def stops(self, node: Element) -> bool:
        """Whether a chain of factors ends here, with ∂E/∂node as its first factor."""
        return self.at_loss(node) or len(self.readers[node]) != 1

    def chain(self, node: Element) -> tuple[Element, ...]:
        """The nodes from the one where the chain stops down to this one."""
        if self.stops(node):
            return (node,)
        return (*self.chain(self.readers[node][0]), node)


def scalar_network(derivation: Derivation) -> ScalarNetwork:
    """Write a derivation out element by element."""
    shapes = shapes_of(derivation.forward) | shapes_of(derivation.backward)
    equations = {
        left: right
        for equation in derivation.forward.equations
        for left, right in scalar_equations(equation, shapes)
    }
    readers: dict[Element, dict[Element, None]] = {}
    for reader, right in equations.items():
        for element in elements(right):
            readers.setdefault(element, {})[reader] = None
    return ScalarNetwork(
        derivation,
        equations,
        {node: tuple(by) for node, by in readers.items()},
        _fused(derivation),
        shapes,
    )


def unwritten_network(derivation: Derivation) -> ScalarNetwork:
    """The network of a problem too large to be written out, or without numbers to put in."""
    return ScalarNetwork(derivation, {}, {}, _fused(derivation), {})


def _fused(derivation: Derivation) -> frozenset[str]:
    return frozenset(s.quantity for s in derivation.steps if s.rule is Rule.CANCEL)
