"""Problem and derivation → Page: the sections of the write-up in reading order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from derive.expression import Element
from derive.graph import Derivation, Kind, Role
from derive.notation import UPDATED, notation
from derive.problem import Problem
from derive.render.blocks import Block, Page
from derive.render.carried import manner
from derive.render.deltas import delta_blocks, delta_forward, delta_given
from derive.render.drawings import Drawings
from derive.render.ending import ending_blocks
from derive.render.loss import loss_blocks
from derive.render.network import scalar_network, unwritten_network
from derive.render.order import first_weight, in_numbers, path_view, weights_in_order
from derive.render.pieces import TEX, Script
from derive.render.sheet import Sheet, values_of
from derive.render.weights import ALPHA, ALPHA_NAME, Story
from derive.scalar import positions


def tell(
    problem: Problem,
    derivation: Derivation,
    drawings: Drawings,
    only: Sequence[str] = (),
) -> Page:
    """The page of a problem; `only` restricts the weights that are told, by their report names."""
    told = problem if in_numbers(problem) else replace(problem, values={})
    story = begin(told, derivation)
    blocks = blocks_of(story, drawings, only, too_many=told is not problem)
    return Page(problem.title, tuple(blocks), values_of(story.sheet.entries))


def blocks_of(
    story: Story, drawings: Drawings, only: Sequence[str] = (), too_many: bool = False
) -> list[Block]:
    """The blocks of a page; every number on the way enters the sheet of the story."""
    problem = story.problem
    blocks = [
        *_setting(story, drawings),
        *(_forward(story) if path_view(problem) else delta_forward(story)),
        *loss_blocks(story),
        *_descent(story, drawings),
    ]
    if path_view(problem):
        chosen = [w for w in weights_in_order(problem) if not only or _named(story, w) in only]
        blocks += _weights(story, chosen, drawings)
    else:
        blocks += delta_blocks(story)
    if not only:
        blocks += ending_blocks(story, drawings, too_many)
    return blocks


def begin(problem: Problem, derivation: Derivation, script: Script = TEX) -> Story:
    """A story with the given values on its sheet and nothing told yet."""
    sheet = Sheet(notation(problem), problem.numbers, script)
    written = path_view(problem) or not problem.symbolic
    sheet = given_sheet(problem, sheet) if written else sheet
    network = scalar_network(derivation) if written else unwritten_network(derivation)
    return Story(problem, network, sheet)


def given_sheet(problem: Problem, sheet: Sheet) -> Sheet:
    """The sheet with the given values entered."""
    for quantity in problem.graph.given:
        for position in positions(quantity.axes):
            value = problem.values.get(quantity.name, {}).get(position)
            sheet.give(Element(quantity.name, *position), value)
    rate = None if problem.symbolic else problem.training.learning_rate
    sheet.give(ALPHA, rate, ALPHA_NAME)
    return sheet


def _named(story: Story, weight: Element) -> str:
    return story.sheet.name(weight).report


def _setting(story: Story, drawings: Drawings) -> Iterator[Block]:
    problem, sheet = story.problem, story.sheet
    weights = [q for q in problem.graph.of_role(Role.PARAMETER) if q.kind is Kind.WEIGHT]
    biases = [q for q in problem.graph.of_role(Role.PARAMETER) if q.kind is Kind.BIAS]
    first = Element(weights[0].name, *(0 for _ in weights[0].axes))
    last = Element(weights[-1].name, *(size - 1 for size in weights[-1].shape))
    yield Block(
        "setting",
        {
            "layers": len(problem.layers),
            "hidden_layers": len(problem.layers) - 1,
            "sizes": [len(problem.inputs), *(len(use.units) for use in problem.layers)],
            "inputs": len(problem.inputs),
            "outputs": len(problem.layers[-1].units),
            "activations": list(dict.fromkeys(u.activation for u in problem.layers)),
            "loss": problem.loss,
            "weights": sum(prod(q.shape) for q in weights),
            "biases": sum(prod(q.shape) for q in biases),
            "first_weight": sheet.name(first).tex,
            "last_weight": sheet.name(last).tex,
            "batch": problem.batch,
            "reduction": problem.reduction.value,
            "symbolic": problem.symbolic,
            "path_view": path_view(problem),
        },
    )
    if drawings.network:
        yield Block("network_figure", {"tikz": drawings.network})
    if not problem.symbolic and not path_view(problem):
        yield from delta_given(story)
    elif not problem.symbolic:
        yield Block("given", _given(story))
        if drawings.weights:
            yield Block("weights_figure", {"tikz": drawings.weights})


def _given(story: Story) -> dict[str, object]:
    """The given numbers, each as a small equation."""
    sheet, problem = story.sheet, story.problem

    def all_of(role: Role, kind: Kind | None = None) -> list[str]:
        found = []
        for quantity in problem.graph.of_role(role):
            if kind is None or quantity.kind is kind:
                for position in positions(quantity.axes):
                    key = Element(quantity.name, *position)
                    found.append(f"{sheet.name(key).tex} = {sheet.text(key)}")
        return found

    return {
        "inputs": all_of(Role.INPUT),
        "targets": all_of(Role.TARGET),
        "weights": all_of(Role.PARAMETER, Kind.WEIGHT),
        "biases": all_of(Role.PARAMETER, Kind.BIAS),
        "alpha": f"{ALPHA_NAME.tex} = {sheet.text(ALPHA)}",
    }


def _forward(story: Story) -> Iterator[Block]:
    """One display for each net input and each activation."""
    yield Block("forward", {"format": manner(story.problem.numbers)})
    seen: set[str] = set()
    for use in story.problem.layers:
        for net, out in _pairs(story, use.net, use.out):
            display = story.sheet.define(net, story.network.equations[net])
            yield Block(
                "net",
                {
                    "display": display,
                    "name": story.sheet.name(net).tex,
                    "unit": use.units[int(net.indices[1])].tex,
                    "first": "net" not in seen,
                    "new_layer": use.net not in seen and len(seen) > 0,
                    "bias": len(use.parameters) > 1,
                },
            )
            seen |= {"net", use.net}
            if use.couples:
                continue
            yield _out_block(story, out, use.activation, use.activation not in seen, len(seen) < 4)
            seen |= {use.activation, "out"}
        if use.couples:
            for _, out in _pairs(story, use.net, use.out):
                yield _out_block(story, out, use.activation, use.activation not in seen, False)
                seen.add(use.activation)


def _out_block(story: Story, out: Element, activation: str, first: bool, announce: bool) -> Block:
    display = story.sheet.define(out, story.network.equations[out])
    return Block(
        "out",
        {
            "display": display,
            "name": story.sheet.name(out).tex,
            "activation": activation,
            "first": first,
            "announce": announce and display.result is not None,
            "format": manner(story.problem.numbers),
        },
    )


def _pairs(story: Story, net: str, out: str) -> list[tuple[Element, Element]]:
    quantity = story.problem.graph.quantities[net]
    return [(Element(net, *p), Element(out, *p)) for p in positions(quantity.axes)]


def _descent(story: Story, drawings: Drawings) -> Iterator[Block]:
    weight = drawings.descent_weight or first_weight(story.problem)
    sheet, slope = story.sheet, story.sheet.name(story.total(weight))
    name = sheet.name(weight).tex
    updated = sheet.name(Element(weight.name + UPDATED, *weight.indices)).tex
    yield Block(
        "descent",
        {
            "weight": name,
            "gradient_inline": slope.inline,
            "formula": rf"{updated} = {name} - {ALPHA_NAME.tex} {slope.tex}",
            "alpha": sheet.text(ALPHA),
            "loss": sheet.name(Element("E")).tex,
            "parameters": sum(prod(q.shape) for q in story.problem.graph.of_role(Role.PARAMETER)),
            "tikz": drawings.descent,
        },
    )


def _weights(story: Story, chosen: Sequence[Element], drawings: Drawings) -> Iterator[Block]:
    told: set[str] = set()
    for weight in chosen:
        report = story.sheet.name(weight).report
        begun, was_hidden = bool(told), "hidden" in told
        blocks = list(story.weight_blocks(weight, told))
        if begun and "hidden" in told and not was_hidden:
            yield Block("interlude", {})
        yield blocks[0]
        if report in drawings.paths:
            yield Block(
                "path_figure",
                {
                    "tikz": drawings.paths[report],
                    "name": story.sheet.name(weight).tex,
                    "hidden": was_hidden != ("hidden" in told),
                    "several": blocks[0]["several"],
                },
            )
        yield from blocks[1:]
