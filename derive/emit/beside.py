"""A test that stands beside a module: its derivatives against differences of its own loss."""

from __future__ import annotations

from collections.abc import Mapping

from derive.emit.names import code_name
from derive.emit.program import lower
from derive.emit.prose import documented
from derive.emit.scalars import Place
from derive.emit.targets import target_of
from derive.errors import InputError
from derive.graph import Derivation, Quantity, Role, adjoint_name
from derive.problem import Problem
from derive.scalar import positions
from derive.templating import environment

SUMMARY = "The derivatives of {}, against differences of its own loss."


def test_of(problem: Problem, derivation: Derivation, target: str, file: str) -> str:
    """The source of a test, for pytest, of the module in a file beside it.

    Raises InputError if the target is no module of Python, or there is nothing to be tested.
    """
    row = target_of(target)
    if row.probe is None:
        raise InputError(f"a test is written for modules of Python, not for the target '{target}'")
    if problem.forward_only:
        raise InputError("a forward pass alone has no derivatives that a test could check")
    library, moved = row.probe
    gradients = {gradient.name for gradient in lower(problem, derivation).gradients}
    codes = row.codes(problem)
    return (
        environment("code")
        .get_template("code/test.py.j2")
        .render(
            summary=documented([SUMMARY.format(file)])[0],
            quoted=repr(file),
            library=library,
            moved=moved,
            symbolic=problem.symbolic,
            names=[
                (int(quantity.role is not Role.PARAMETER), name, slope)
                for quantity in problem.graph.given
                if adjoint_name(quantity.name) in gradients
                for name, slope in _fields(quantity, codes)
            ],
        )
    )


def _fields(quantity: Quantity, codes: Mapping[Place, str]) -> list[tuple[str, str]]:
    """The fields of a quantity and of the derivative by it, of which a module may have many."""
    adjoint = adjoint_name(quantity.name)
    if not codes:
        return [(code_name(quantity.name), code_name(adjoint))]
    return [(codes[quantity.name, p], codes[adjoint, p]) for p in positions(quantity.axes)]
