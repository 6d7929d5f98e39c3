"""The derivation by one quantity of a model, as plain text in the equation language."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import InputError, nearest
from derive.expression import reads
from derive.graph import Derivation, adjoint_name
from derive.rules import Rule
from derive.second_order import DIRECTION, SLOPE, hessian_product
from derive.text import line, shape, slopes, text

REASONS = {
    Rule.LOCAL: "local derivative",
    Rule.OUTPUT: "written in the output",
    Rule.CHAIN: "chain rule, deltas collapsed",
    Rule.CANCEL: "the denominators cancel",
    Rule.NORMALISED: "the targets sum to one",
    Rule.COLLECTED: "put together: deviations add up to zero",
}


def explain_model(derivation: Derivation, name: str) -> Iterator[str]:
    """Every move that leads to the derivative by one quantity. Raises InputError."""
    _check(derivation, name)
    graph = derivation.forward
    names = slopes(graph.loss.name)
    quantity = graph.quantities[name]
    yield f"{name}: {quantity.role.value}, {shape(quantity)}"
    yield "Read by"
    for equation in graph.readers(name):
        yield f"  {line(equation)}"
    yield f"The derivative of {graph.loss.name} by {name}"
    for step in derivation.steps:
        if step.quantity == name:
            yield f"  {REASONS[Rule(step.rule)]}"
            yield f"      {text(step.before, names)}"
            yield f"    = {text(step.after, names)}"
    yield "Result"
    result = derivation.adjoint(name)
    yield f"  {line(result, names)}"
    for other in reads(result.rhs):
        inner = other.removeprefix(adjoint_name(""))
        if inner != other and inner != name:
            yield f"  with {line(derivation.adjoint(inner), names)}"


def explain_second_order(derivation: Derivation, name: str) -> Iterator[str]:
    """The Hessian of the loss by one quantity times a direction v. Raises InputError."""
    _check(derivation, name)
    loss = derivation.forward.loss.name
    second = hessian_product(derivation, (name,))

    def names(other: str) -> str:
        inner = other.removeprefix(adjoint_name(""))
        if inner == other:
            plain = other.removeprefix(SLOPE)
            return f"d{loss}/d{plain}" if plain != other else other
        return "Hv" if inner == name else f"d(v.g)/d({names(inner)})"

    yield f"{DIRECTION}{name}: the direction, {shape(second.forward.quantities[name])}"
    yield f"g = d{loss}/d{name}, from the first pass:"
    for equation in second.forward.equations:
        if equation.quantity.name.startswith(SLOPE):
            yield f"  {line(equation, names)}"
    yield "v.g, differentiated once more:"
    for equation in second.backward.equations:
        yield f"  {line(equation, names)}"
    yield f"Hv is the Hessian of {loss} by {name}, times v."


def _check(derivation: Derivation, name: str) -> None:
    found = derivation.backward.quantities
    known = [q for q in derivation.forward.quantities if adjoint_name(q) in found]
    if name not in known:
        raise InputError(f"there is no derivative by '{name}'; {nearest(name, known)}")
