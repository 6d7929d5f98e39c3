"""Wrong operands: another entry, another index, another table than the one that is read."""

from __future__ import annotations

import sympy

from derive.expression import Element, Fresh, Index, Total, substitute
from derive.graph import adjoint_name
from derive.verify.why.site import LONGEST_SUM, Changes, Site, shown, told


def transposed(node: sympy.Expr, site: Site) -> Changes:
    """A square table is read transposed."""
    if isinstance(node, Element) and len(node.indices) == 2:
        shape = site.shape(node.name)
        if len(shape) == 2 and shape[0] == shape[1] and node.indices[0] != node.indices[1]:
            other = Element(node.name, *reversed(node.indices))
            yield other, f"{told(node.name, site.graph)} is transposed in {site.name}"


def _walked(site: Site) -> frozenset[tuple[str, int]]:
    """The axes along which something reads a neighbour."""
    found = set()
    for equation in (*site.graph.equations, site.equation):
        for element in equation.rhs.atoms(Element):
            for k, position in enumerate(element.indices):
                if isinstance(position, sympy.Add) and any(a.is_Integer for a in position.args):
                    found.add((element.name, k))
    return frozenset(found)


def shifted(node: sympy.Expr, site: Site) -> Changes:
    """A neighbour is read, or the neighbour is not."""
    if not isinstance(node, Element):
        return
    walked = {length for name, k in _walked(site) for length in site.shape(name)[k : k + 1]}
    shape = site.shape(node.name)
    for k, position in enumerate(node.indices):
        if len(shape) <= k or shape[k] not in walked or position.is_Integer:
            continue
        for step in (-1, 1):
            places = (*node.indices[:k], position + step, *node.indices[k + 1 :])
            other = Element(node.name, *places)
            yield other, f"{shown(other, site)} stands for {shown(node, site)} in {site.name}"


def fixed(node: sympy.Expr, site: Site) -> Changes:
    """An index is another one, as in the gradient by w8 with the unit of w7."""
    if not isinstance(node, Element):
        return
    shape = site.shape(node.name)
    for k, position in enumerate(node.indices):
        if isinstance(position, Index) and k < len(shape) and 1 < shape[k] <= LONGEST_SUM:
            for other in range(shape[k]):
                places = (*node.indices[:k], sympy.Integer(other), *node.indices[k + 1 :])
                taken = Element(node.name, *places)
                yield taken, f"{shown(taken, site)} stands for {shown(node, site)} in {site.name}"


def other(node: sympy.Expr, site: Site) -> Changes:
    """Another quantity of the same shape and kind is read."""
    if not isinstance(node, Element):
        return
    adjoint = node.name.startswith(adjoint_name(""))
    own = site.graph.quantities.get(node.name.removeprefix(adjoint_name("")))
    if own is None or own.integer:
        return
    for quantity in site.graph.quantities.values():
        alike = (quantity.shape, quantity.role) == (own.shape, own.role)
        if alike and quantity is not own and quantity.name != site.equation.quantity.name:
            name = adjoint_name(quantity.name) if adjoint else quantity.name
            other = Element(name, *node.indices)
            yield other, f"{shown(other, site)} stands for {shown(node, site)} in {site.name}"


def of_one_term(node: sympy.Expr, site: Site) -> Changes:
    """In one product of a sum an operand is another entry of its table."""
    if not isinstance(node, Total) or not 1 < node.index.axis.length <= LONGEST_SUM:
        return
    for k in range(node.index.axis.length):
        term = substitute(node.body, {node.index: sympy.Integer(k)}, Fresh())
        for element in sorted(term.atoms(Element), key=str):
            for taken in _other_entries(element, site):
                words = f"{shown(taken, site)} stands for {shown(element, site)} in {site.name}"
                yield node - term + term.xreplace({element: taken}), words


def _other_entries(element: Element, site: Site) -> list[Element]:
    """The entries of a table that differ from one in one place, of those that are few."""
    found, shape = [], site.shape(element.name)
    for axis, position in enumerate(element.indices[: len(shape)]):
        for other in range(shape[axis] if shape[axis] <= LONGEST_SUM else 0):
            if position != other:
                places = (
                    *element.indices[:axis],
                    sympy.Integer(other),
                    *element.indices[axis + 1 :],
                )
                found.append(Element(element.name, *places))
    return found


def reversed_(node: sympy.Expr, site: Site) -> Changes:
    """A table is read in the reverse order; of two units each with what is the other's."""
    if not isinstance(node, Element):
        return
    shape = site.shape(node.name)
    for axis, position in enumerate(node.indices[: len(shape)]):
        if isinstance(position, Index) and 1 < shape[axis] <= LONGEST_SUM:
            mirrored = shape[axis] - 1 - position
            taken = Element(node.name, *node.indices[:axis], mirrored, *node.indices[axis + 1 :])
            yield taken, f"{shown(taken, site)} stands for {shown(node, site)} in {site.name}"


def turned(node: sympy.Expr, site: Site) -> Changes:
    """A square table is the transposed one."""
    if node != site.equation.rhs or len(site.equation.indices) != 2:
        return
    row, column = site.equation.indices
    if row.axis.size == column.axis.size:
        swapped = substitute(node, {row: column, column: row}, Fresh())
        yield swapped, f"{site.name} is transposed"
