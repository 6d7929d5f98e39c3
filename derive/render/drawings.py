"""Problem and curves → figures: what is drawn, in the terms of `figures`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from derive.expression import Element
from derive.graph import Derivation, Kind
from derive.notation import Notation, derivative, names_of, notation
from derive.numbers import NumberFormat, literal
from derive.problem import LayerUse, Problem
from derive.render.figures import (
    DescentLabels,
    Edge,
    Network,
    Node,
    Path,
    descent_figure,
    network_figure,
    path_figure,
    training_figure,
)
from derive.render.network import ScalarNetwork, scalar_network
from derive.render.order import path_view, weights_in_order
from derive.scalar import positions

Point = tuple[float, float]
MOST_COLUMNS, MOST_UNITS, MOST_EDGES = 8, 40, 400
SHORT = NumberFormat(significant_digits=4)


@dataclass(frozen=True)
class Curves:
    """The loss along one weight, and over the updates; computed by the emitted module."""

    weight: Element
    slice: Sequence[Point]
    current: Point
    updated: Point
    slope: float
    training: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Drawings:
    """TikZ source of the figures of a page; an empty string where there is none."""

    network: str = ""
    weights: str = ""
    descent: str = ""
    descent_weight: Element | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    training: str = ""
    last_loss: str = ""


NO_DRAWINGS = Drawings()


def draw(problem: Problem, derivation: Derivation, curves: Curves | None) -> Drawings:
    """All figures of a problem; without curves (a symbolic problem) only the networks.

    A network of more layers, units or connections than an eye can follow is not drawn.
    """
    names = notation(problem)
    drawings = Drawings()
    if _can_be_drawn(problem):
        named = _network(problem, names, lambda e: names.name(e).tex)
        drawings = Drawings(
            network=network_figure(named), paths=_paths(problem, derivation, names, named)
        )
    return drawings if curves is None else _with_numbers(problem, names, drawings, curves)


def draw_training(problem: Problem, training: Sequence[tuple[int, float]]) -> Drawings:
    """The loss over the updates of a model."""
    if not training:
        return Drawings()
    loss = names_of(problem).loss().tex
    figure = training_figure(training, "", f"${loss}$")
    return Drawings(training=figure, last_loss=_short(training[-1][1]))


def _can_be_drawn(problem: Problem) -> bool:
    sizes = [len(problem.inputs), *(len(use.units) for use in problem.layers)]
    edges = sum(before * after for before, after in pairwise(sizes))
    return len(sizes) <= MOST_COLUMNS and max(sizes) <= MOST_UNITS and edges <= MOST_EDGES


def _paths(
    problem: Problem, derivation: Derivation, names: Notation, network: Network
) -> dict[str, str]:
    """The figures of the ways to the weights that are told in full."""
    if not path_view(problem):
        return {}
    scalars = scalar_network(derivation)
    found = {
        names.name(weight).report: _path(problem, names, scalars, network, weight)
        for weight in _told_in_full(problem)
    }
    return {name: figure for name, figure in found.items() if figure}


def _with_numbers(
    problem: Problem, names: Notation, drawings: Drawings, curves: Curves
) -> Drawings:
    weights = ""
    if problem.batch == 1 and drawings.network:
        weights = network_figure(_network(problem, names, lambda e: _value(problem, e)))
    weight = names.name(curves.weight).tex
    loss = names.loss().tex
    return Drawings(
        network=drawings.network,
        weights=weights,
        descent=descent_figure(
            curves.slice,
            curves.current,
            curves.updated,
            None,
            f"${weight}$",
            f"${loss}$",
            DescentLabels(f"${weight}$", f"${weight}^{{+}}$"),
            slope=curves.slope,
        ),
        descent_weight=curves.weight,
        paths=drawings.paths,
        training=training_figure(curves.training, r"", f"${loss}$") if curves.training else "",
        last_loss=_short(curves.training[-1][1]) if curves.training else "",
    )


def _short(value: float) -> str:
    """A number of four digits; a tiny one as a power of ten."""
    if value == 0 or abs(value) >= 1e-4:
        return SHORT.text(Fraction(value))
    mantissa, exponent = f"{value:.3e}".split("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}"


def _value(problem: Problem, element: Element) -> str:
    place = tuple(int(index) for index in element.indices)
    return literal(problem.values[element.name][place])


def _network(problem: Problem, names: Notation, label: Callable[[Element], str]) -> Network:
    """Inputs, layers and connections; `label` names the given things."""
    columns = [
        [Node(f"u0_{k}", label(Element("x", 0, k))) for k in range(len(problem.inputs))]
        if problem.batch == 1
        else [Node(f"u0_{k}", unit.tex) for k, unit in enumerate(problem.inputs)]
    ]
    edges: list[Edge] = []
    for use in problem.layers:
        columns.append([Node(f"u{use.number}_{k}", u.tex) for k, u in enumerate(use.units)])
        edges += _edges(problem, use, columns[-2], label)
    last = problem.layers[-1]
    single = problem.batch == 1
    outputs = [
        Node(f"out_{k}", names.name(Element(last.out, 0, k)).tex) for k in range(len(last.units))
    ]
    targets = [Node(f"target_{k}", label(Element("t", 0, k))) for k in range(len(last.units))]
    return Network(
        tuple(map(tuple, columns)),
        tuple(edges),
        tuple(targets) if single else (),
        tuple(outputs) if single else (),
    )


def _edges(
    problem: Problem, use: LayerUse, before: list[Node], label: Callable[[Element], str]
) -> list[Edge]:
    """The connections of a layer; a bias node is added to the column before it."""
    edges = []
    for name in use.parameters:
        quantity = problem.graph.quantities[name]
        if quantity.kind is Kind.WEIGHT:
            for h, i in positions(quantity.axes):
                source = f"u{use.number - 1}_{i}"
                edges.append(Edge(source, f"u{use.number}_{h}", label(Element(name, h, i))))
            continue
        before.append(Node(f"bias{use.number}", "1"))
        for h in range(len(use.units)):
            element = Element(name, h) if quantity.axes else Element(name)
            edges.append(Edge(f"bias{use.number}", f"u{use.number}_{h}", label(element)))
    return edges


def _told_in_full(problem: Problem) -> list[Element]:
    """The first weight of the last layer and, with a hidden layer, the first of all."""
    weights = weights_in_order(problem)
    first = weights[0]
    hidden = [w for w in weights if problem.graph.quantities[w.name].layer < len(problem.layers)]
    return [first, *hidden[:1]]


def _path(
    problem: Problem, names: Notation, scalars: ScalarNetwork, network: Network, weight: Element
) -> str:
    """The ways from the error to a weight, each factor beside its stage."""
    outputs = problem.layers[-1]
    errors = [
        Node(f"E{k}", names.name(e).tex)
        for k, e in enumerate(e for e in scalars.equations if e.name == "E_each")
    ]
    if len(errors) != len(outputs.units) or outputs.couples:
        return ""
    total = Node("E", names.loss().tex)
    paths = [
        Path(
            (*nodes, _source(weight, problem)),
            (*labels, _factor(names, reader, weight)),
        )
        for nodes, labels, reader in _ways(problem, names, scalars, weight)
    ]
    return path_figure(network, paths, errors, total)


def _source(weight: Element, problem: Problem) -> str:
    quantity = problem.graph.quantities[weight.name]
    if quantity.kind is Kind.BIAS:
        return f"bias{quantity.layer}"
    return f"u{quantity.layer - 1}_{int(weight.indices[-1])}"


def _factor(names: Notation, of: Element, by: Element) -> str:
    return derivative(names.name(of), names.name(by)).tex


def _ways(
    problem: Problem, names: Notation, scalars: ScalarNetwork, weight: Element
) -> list[tuple[list[str], list[str], Element]]:
    """Every way from the error down to the net input that reads the weight."""
    found: list[tuple[list[str], list[str], Element]] = []
    for reader in scalars.readers[weight]:
        for way in _upwards(scalars, reader):
            stations = ["E"]
            labels = []
            for above, node in pairwise(way):
                stations.append(_station(problem, node))
                labels.append("" if above.name == "E" else _factor(names, above, node))
            found.append((stations, labels, reader))
    return found


def _upwards(scalars: ScalarNetwork, node: Element) -> list[list[Element]]:
    if node not in scalars.readers:
        return [[node]]
    return [[*way, node] for reader in scalars.readers[node] for way in _upwards(scalars, reader)]


def _station(problem: Problem, node: Element) -> str:
    quantity = problem.graph.quantities[node.name]
    k = int(node.indices[-1])
    if quantity.kind is Kind.ERROR:
        return f"E{k}"
    return f"u{quantity.layer}_{k}.{'net' if quantity.kind is Kind.NET else 'out'}"
