"""The lines of a network: those of its page, for weights that are drawn where it tells each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from random import Random

import sympy

from derive.exercise.lines import Connection, Given, Line, Setting, Status, Told, part_of
from derive.expression import Element
from derive.graph import Derivation, Kind
from derive.notation import notation
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.drawings import Drawings
from derive.render.index_form import IndexForm, inlined
from derive.render.network import scalar_network
from derive.render.order import path_view, weights_in_order
from derive.render.sheet import Display, Entry
from derive.render.story import tell

FIRST_SAMPLE = re.compile(r"_\{1,")
ERROR = "E_"  # how the error of one output, which only the sum of them reads, is called


def network_lines(problem: Problem, derivation: Derivation, random: Random) -> Told:
    """What the page of a network tells, of one weight of each layer if it tells them one by one."""
    page = tell(problem, derivation, Drawings(), _weights(problem, random))
    displays = {display.label: display for display in _displays(page)}
    entries = [e for e in page.numbers.values() if e.text is not None]
    numbers = [e for e in entries if e.formula is None]
    given = [Given(e.name.tex, _shown(problem, e)) for e in numbers]
    lines = []
    for entry in entries:
        if entry.formula is not None:
            line = _line(problem, entry, displays.get(f"eq:{entry.name.code}"))
            if line.status is Status.ASKED or not entry.name.report.startswith(ERROR):
                lines.append(line)
    rows = groupby(numbers, lambda entry: re.sub(r"[\d_].*", "", entry.name.report))
    tables = tuple(tuple(f"{e.name.tex} = {_shown(problem, e)}" for e in row) for _, row in rows)
    return Told(page.title, _setting(problem, derivation), tuple(given), tables, tuple(lines))


def _setting(problem: Problem, derivation: Derivation) -> Setting:
    """Activations and the error in index form, and what comes into each node."""
    form, graph = IndexForm(problem), problem.graph
    equations = [form.equation(graph.equation(use.out)) for use in problem.layers]
    error = inlined(graph.equation("E").rhs, graph.equation("E_each"))
    equations.append(f"{form.lhs(graph.equation('E').lhs)} = {form.tex(error)}")
    connections = tuple(_connections(problem, derivation))
    return Setting(tuple(dict.fromkeys(equations)), connections, problem.batch)


def _connections(problem: Problem, derivation: Derivation) -> Iterator[Connection]:
    """What comes into each node, read off the net inputs of the first sample."""
    network, names = scalar_network(derivation), notation(problem)
    for node, expr in network.equations.items():
        if network.kind(node) is not Kind.NET or node.indices[0] != 0:
            continue
        ways: list[tuple[str, str]] = []
        bias = ""
        for term in sympy.Add.make_args(expr):
            parts = {network.kind(e): names.name(e).tex for e in term.atoms(Element)}
            if Kind.BIAS in parts:
                bias = parts[Kind.BIAS]
            else:
                weight = parts.pop(Kind.WEIGHT)
                (source,) = parts.values()
                ways.append((_of_any_sample(source), weight))
        net = _of_any_sample(names.name(node).tex)
        yield Connection(net, tuple(sorted(ways, key=lambda way: _number(way[1]))), bias)


def _of_any_sample(tex: str) -> str:
    """A symbol without the number of the first sample."""
    return FIRST_SAMPLE.sub("_{", tex)


def _number(weight: str) -> int:
    return int(re.sub(r"\D", "", weight))


def _shown(problem: Problem, entry: Entry) -> str:
    return problem.numbers.shown(entry.text or "")


def _weights(problem: Problem, random: Random) -> list[str]:
    """The weights that are worked out: one of each layer, drawn; none for all."""
    if not path_view(problem):
        return []
    names = notation(problem)
    told = [w for w in weights_in_order(problem) if w.name not in problem.training.frozen]
    layers = {w.name: problem.graph.quantities[w.name].layer for w in told}
    chosen = []
    for layer in sorted(set(layers.values()), reverse=True):
        own = [w for w in told if layers[w.name] == layer]
        chosen.append(names.name(random.choice(own)).report)
    return chosen


def _displays(page: Page) -> Iterator[Display]:
    """The displays of numbers, those of copied values among them."""
    for block in page.blocks:
        for copy in block.fields.get("copies", ()):
            yield _copied(copy["tex"], copy["label"])
    yield from (display for display in page.displays() if display.formula)


def _copied(tex: str, label: str) -> Display:
    """`slope = weight = number`, which the page has on one line."""
    lhs, *rows = tex.split(" = ")
    result = rows[-1] if len(rows) > 1 else None
    formula = tuple(rows[:-1])
    return Display(label, lhs, (" = ".join(rows),), result, formula=formula)


def _line(problem: Problem, entry: Entry, display: Display | None) -> Line:
    assert entry.text is not None and entry.exact is not None
    asked = display is not None and bool(display.formula)
    return Line(
        entry.name.report,
        entry.name.tex if display is None else display.lhs,
        Status.ASKED if asked else Status.KNOWN,
        part_of(entry.name.report),
        entry.text,
        _shown(problem, entry),
        entry.exact,
        display.formula if display is not None and asked else (),
        display if asked else None,
    )
