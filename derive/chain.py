"""A chain of dense layers as its page reads it: units and counted weights instead of positions.

The equations are those of the model; here they get the letters, axes and symbols of a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy

from derive.expression import Axis, Element, Index, elements
from derive.graph import Equation, Graph, Kind, Quantity, Role, letters_by_place
from derive.letters import letter_beside
from derive.library.loss import Reduction
from derive.problem import LayerUse, Problem, Unit

EACH, TOTAL = "E_each", r"E_{\mathrm{total}}"


def in_layers(
    problem: Problem,
    layers: tuple[LayerUse, ...],
    inputs: tuple[Unit, ...],
    reduction: Reduction,
    distribution: bool,
) -> Problem | None:
    """A model that is a chain of layers, every sample with an axis, as the network that it is.

    The input is x, the target t, the error e, the loss E, as a network is written as a model; the
    error of an output is E, as the whole is, on a page that tells of single numbers. Targets of a
    `distribution` sum to one. None where a formula of the author's own makes something beside the
    net inputs and activations, or a letter runs over two things.
    """
    problem = _with_settings(problem)
    batch = Axis("batch", problem.graph.quantities["x"].axes[0].size)
    sizes = [len(inputs), *(len(use.units) for use in layers)]
    names = ["inputs", *(f"layer {use.number}" for use in layers)]
    axes = [Axis(name, sympy.Integer(size)) for name, size in zip(names, sizes, strict=True)]
    found = dict(_quantities(problem, layers, batch, axes))
    found["t"] = replace(found["t"], sums_to_one=distribution)
    if not _is_chain(problem.graph, found):
        return None
    graph = Graph(
        tuple(found[quantity.name] for quantity in problem.graph.given),
        tuple(
            _told(equation, found, _letters(found[equation.quantity.name], batch, axes))
            for equation in problem.graph.equations
        ),
    )
    return replace(
        problem,
        graph=graph,
        layers=layers,
        inputs=inputs,
        batch=batch.length,
        reduction=reduction,
        nodes=(),
        wanted=None,
    )


def _with_settings(problem: Problem) -> Problem:
    """The settings of activations, which are equations of a model, as the numbers that they are."""
    equations = problem.graph.equations
    settings = {each.lhs: each.rhs for each in equations if each.rhs.is_number and not each.indices}
    if not settings:
        return problem
    left = (each for each in equations if each.lhs not in settings)
    told = tuple(replace(each, rhs=each.rhs.xreplace(settings)) for each in left)
    return replace(problem, graph=Graph(problem.graph.given, told))


def _is_chain(graph: Graph, told: Mapping[str, Quantity]) -> bool:
    """Whether all is told, in its shape, and each letter of an equation runs over one axis."""
    for quantity in graph.quantities.values():
        if quantity.name not in told or told[quantity.name].shape != quantity.shape:
            return False
    for equation in graph.equations:
        axes: dict[sympy.Expr, set[Axis]] = {}
        for index, axis in _standing(equation, told):
            axes.setdefault(index, set()).add(axis)
        if any(len(each) > 1 for each in axes.values()):
            return False
    return True


def _standing(equation: Equation, told: Mapping[str, Quantity]) -> Iterator[tuple[Index, Axis]]:
    """Every letter of an equation with the axis of the place where it stands."""
    for reading in (equation.lhs, *elements(equation.rhs)):
        yield from letters_by_place(reading, told)


def _quantities(
    problem: Problem, layers: tuple[LayerUse, ...], batch: Axis, axes: list[Axis]
) -> Iterator[tuple[str, Quantity]]:
    """Every quantity by its name in the model, with the axes and the symbol of a network."""
    yield "x", Quantity("x", "x", (batch, axes[0]), Role.INPUT, Kind.DATA)
    for use in layers:
        k = use.number
        own = {"W": (axes[k], axes[k - 1]), "b": (axes[k],)}
        for name in use.parameters:
            letter, shape = name[0], problem.graph.quantities[name].axes
            kind = Kind.BIAS if letter == "b" else Kind.WEIGHT
            own_axes = own[letter] if shape else ()
            yield name, Quantity(name, letter, own_axes, Role.PARAMETER, kind, k)
        yield use.net, Quantity(use.net, "net", (batch, axes[k]), Role.HIDDEN, Kind.NET, k)
        yield use.out, Quantity(use.out, "out", (batch, axes[k]), Role.HIDDEN, Kind.OUT, k)
    last = len(layers)
    yield "t", Quantity("t", "target", (batch, axes[last]), Role.TARGET, Kind.DATA, last)
    each = (batch, axes[last])[: len(problem.graph.quantities["e"].axes)]
    yield "e", Quantity(EACH, "E", each, Role.HIDDEN, Kind.ERROR, last)
    yield "E", Quantity("E", TOTAL, (), Role.LOSS, Kind.ERROR, last)


def _letters(quantity: Quantity, batch: Axis, axes: list[Axis]) -> Mapping[Axis, str]:
    """The letter of each axis in an equation: h and i within the network, o at its outputs."""
    last, k = len(axes) - 1, quantity.layer
    before = "h" if 1 < k == last else "i"
    return {batch: "n", axes[k - 1]: before, axes[k]: "o" if k == last else "h"}


def _told(
    equation: Equation, quantities: Mapping[str, Quantity], letters: Mapping[Axis, str]
) -> Equation:
    """An equation in the quantities of the network, each index with the letter of its axis.

    A second index of an axis keeps the letter that it has.
    """
    quantity = quantities[equation.quantity.name]
    told: dict[Index, Index] = {}
    taken: set[str] = set()
    for index, axis in dict(_standing(equation, quantities)).items():
        letter = letters[axis]
        new = letter_beside(index, taken).name if letter in taken else letter
        told[index] = Index(new, axis)
        taken.add(new)
    rhs = equation.rhs.xreplace(told)
    named = {each: Element(quantities[each.name].name, *each.indices) for each in elements(rhs)}
    indices = tuple(told[index] for index in equation.indices)
    return Equation(quantity, indices, rhs.xreplace(named))
