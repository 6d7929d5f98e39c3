"""The derivation by one quantity of a model, as plain text in the equation language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from derive.errors import InputError, nearest
from derive.expression import reads
from derive.graph import Derivation, Equation, Role, adjoint_name
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.explain_numbers import shown
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


@dataclass(frozen=True)
class Asked:
    """A quantity, the place of one of its entries if only that one is asked for, and when."""

    name: str
    place: tuple[int, ...] | None = None
    update: int = 0


def explain_model(problem: Problem, derivation: Derivation, asked: str) -> list[str]:
    """Every move that leads to the derivative by a quantity, with its numbers if they are known.

    `W`, `W[0,1]`, `dE/dW` and `dE/dW[0,1]` are understood; `@3` after them asks for the numbers
    after three updates, `+` after one. Raises InputError.
    """
    found = asked_of(derivation, asked)
    _, numbers = carried(problem, lambda told: list(_numbers(told, derivation, found)))
    return [*_moves(derivation, found.name), *numbers]


def asked_of(derivation: Derivation, asked: str) -> Asked:
    """What is asked for. Raises InputError."""
    what, update = _when(asked)
    return replace(_read(derivation, what), update=update)


def entries_of(derivation: Derivation, asked: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The places of entries that a page is to work out, one of a quantity. Raises InputError."""
    found: dict[str, tuple[int, ...]] = {}
    for each in asked:
        entry = asked_of(derivation, each)
        name = entry.name
        if entry.update:
            words = f"a page tells of the first update; `derive explain SPEC '{each}'` tells more"
            raise InputError(words)
        axes = derivation.forward.quantities[name].axes
        if entry.place is None and axes:
            raise InputError(f"say which entry, such as '{name}[{','.join('0' for _ in axes)}]'")
        if entry.place is not None and found.setdefault(name, entry.place) != entry.place:
            raise InputError(f"a page works out one entry of {name}, and two are asked for")
    return found


def _moves(derivation: Derivation, name: str) -> Iterator[str]:
    graph = derivation.forward
    quantity = graph.quantities[name]
    yield f"{name}: {quantity.role.value}, {shape(quantity)}"
    readers = graph.readers(name)
    if readers:
        yield "Read by"
    for equation in readers:
        yield f"  {line(equation)}"
    if is_forward_pass(derivation):
        yield "There is no loss, so nothing is differentiated"
        return
    names = slopes(graph.loss.name)
    yield f"The derivative of {graph.loss.name} by {name}"
    for step in derivation.steps:
        if step.quantity == name:
            yield f"  {REASONS[Rule(step.rule)]}"
            yield f"      {text(step.before, names)}"
            yield f"    = {text(step.after, names)}"
    if not any(step.quantity == name for step in derivation.steps):
        yield f"  {graph.loss.name} does not depend on it"
    yield "Result"
    result = derivation.adjoint(name)
    yield f"  {line(result, names)}"
    for other in reads(result.rhs):
        inner = other.removeprefix(adjoint_name(""))
        if inner != other and inner != name:
            yield f"  with {line(derivation.adjoint(inner), names)}"


def _numbers(problem: Problem, derivation: Derivation, asked: Asked) -> Iterator[str]:
    """One entry worked out, the asked one or the first that is not zero, and all of them."""
    graph, told = derivation.forward, _told(derivation, asked.name)
    names = slopes("" if problem.forward_only else graph.loss.name)
    try:
        written = shown(problem, derivation, names, asked.update)
    except (ArithmeticError, ValueError) as error:
        yield f"No numbers: at these values one is not finite and real ({error})"
        return
    if told is None or (written.bench is None and asked.place is None):
        return  # what stands above says as much
    place = written.first(told) if asked.place is None else asked.place
    words = {0: "", 1: " after one update"}.get(asked.update, f" after {asked.update} updates")
    yield f"With numbers{words}" if written.bench else "One entry"
    if not graph.quantities[asked.name].given and not problem.forward_only:
        yield from written.entry(graph.equation(asked.name), place)
    elif asked.update:
        yield f"  {written.value(asked.name, place)}"
    yield from written.entry(told, place)
    yield from written.table(told)


def _told(derivation: Derivation, name: str) -> Equation | None:
    """The equation whose numbers are shown: the derivative, or without a loss the quantity."""
    graph = derivation.forward
    if not is_forward_pass(derivation):
        return derivation.adjoint(name)
    return None if graph.quantities[name].given else graph.equation(name)


def explain_second_order(derivation: Derivation, asked: str) -> Iterator[str]:
    """The Hessian of the loss by one quantity times a direction v. Raises InputError."""
    found = _read(derivation, asked)
    name, place = found.name, found.place
    if place is not None:
        raise InputError(f"the Hessian is told by a whole quantity; ask for '{name}'")
    if is_forward_pass(derivation):
        raise InputError("there is no loss, so there is no Hessian")
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


def _when(asked: str) -> tuple[str, int]:
    """What is asked for, and after how many updates. Raises InputError."""
    found = re.fullmatch(r"([^@+]*)(?:(\+)|@\s*(\d{1,9}))?", asked.strip())
    if found is None:
        raise InputError(f"'{asked}' is no name; `W@2` is W after 2 updates, `W+` after one")
    return found[1], 1 if found[2] else int(found[3] or 0)


def _read(derivation: Derivation, asked: str) -> Asked:
    """What is asked for: `dE/dW[0,1]` is an entry of W. Raises InputError."""
    whole, bracket, positions = asked.replace(" ", "").partition("[")
    of, _, name = whole.rpartition("/d")
    _check(derivation, name)
    loss = "" if is_forward_pass(derivation) else derivation.forward.loss.name
    if of and not loss:
        raise InputError("there is no loss, so nothing is differentiated")
    if of not in ("", f"d{loss}"):
        raise InputError(f"'{of}' is not differentiated; did you mean 'd{loss}/d{name}'?")
    quantity = derivation.forward.quantities[name]
    if not bracket:
        return Asked(name)
    if not quantity.axes:
        raise InputError(f"'{name}' is a single number; ask for '{name}'")
    place = _place(positions)
    within = [k < side for k, side in zip(place, quantity.shape, strict=False)]
    if len(place) != len(quantity.shape) or not all(within):
        last = ",".join(str(side - 1) for side in quantity.shape)
        first = ",".join("0" for _ in quantity.shape)
        raise InputError(
            f"'{name}' has no entry [{positions}; it is {shape(quantity)}, "
            f"from {name}[{first}] to {name}[{last}]"
        )
    return Asked(name, place)


def _place(positions: str) -> tuple[int, ...]:
    """`0,1]` as numbers; nothing if it is not of that form."""
    if not re.fullmatch(r"[0-9]{1,9}(,[0-9]{1,9})*\]", positions):
        return ()
    return tuple(map(int, positions.rstrip("]").split(",")))


def _check(derivation: Derivation, name: str) -> None:
    found = derivation.backward.quantities
    every = derivation.forward.quantities
    known = [q for q in every if is_forward_pass(derivation) or adjoint_name(q) in found]
    if name not in known:
        what = f"'{name}'" if is_forward_pass(derivation) else f"derivative by '{name}'"
        raise InputError(f"there is no {what}; {nearest(name, known)}")


def is_forward_pass(derivation: Derivation) -> bool:
    """Whether there is no loss, and nothing is differentiated."""
    return not derivation.forward.of_role(Role.LOSS)
