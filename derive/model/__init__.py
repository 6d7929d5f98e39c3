"""Spec → Problem for a model: equations and layers of any graph, wired by name."""

from __future__ import annotations

from dataclasses import replace

from derive.amount import check_amount, place_of
from derive.claimed import read_claims
from derive.fields import number_format, title_of
from derive.graph import Graph, GraphError
from derive.inner import GradientError, with_gradients
from derive.letters import with_letters_apart
from derive.library.loss import Reduction
from derive.model.distributions import with_distributions
from derive.model.given import check_positions, check_read, give
from derive.model.goal import add_loss, add_upstream, wanted
from derive.model.nodes import add_nodes
from derive.model.parts import Parts
from derive.model.published import published
from derive.model.training import samples_of, training_of
from derive.problem import Problem
from derive.spec import SpecFile
from derive.symbols import distinct

LEARNING_RATE = r"\alpha"  # its symbol on the page of a model that is trained

NOTHING_GIVEN = (
    "nothing is given that could be read here; say it under 'inputs' or 'parameters', by its value "
    "as in `inputs: {x: 0.5}`, or by its shape as in `inputs: {x: {shape: [3]}}`"
)


def build_model(file: SpecFile) -> Problem:
    """The problem that a spec with a `model` describes. Raises InputError."""
    spec = file.spec
    if spec.data != type(spec.data)():
        raise file.fail(("data",), "a model gives its data in 'inputs' and 'targets'")
    model = Parts()
    give(file, model)
    if not model.given:
        raise file.fail(("model",) if spec.model else ("loss",), NOTHING_GIVEN)
    add_nodes(file, model)
    upstream = add_upstream(file, model)
    if not upstream:
        add_loss(file, model)
    graph = _graph(file, model)
    check_amount(file, graph)
    taken = [LEARNING_RATE] if "training" in spec.model_fields_set else []
    graph = _with_symbols(graph, [node.name for node in model.nodes if node.row], taken)
    by = wanted(file, graph)
    check_read(file, graph)
    samples = samples_of(file, graph)
    check_positions(file, graph, model.values, samples)
    graph = with_distributions(graph, model.nodes, model.values, samples)
    return Problem(
        name=file.name,
        title=title_of(file),
        graph=graph,
        layers=(),
        inputs=(),
        batch=1,
        reduction=Reduction.SUM,
        loss="",
        values=model.values,
        training=training_of(file, graph, len(samples)),
        numbers=number_format(file),
        languages=tuple(spec.languages),
        published=tuple(published(file, graph)),
        claims=read_claims(file, graph.quantities, "" if not by else graph.loss.name),
        nodes=tuple(model.nodes),
        wanted=by,
        upstream=upstream,
        samples=samples,
    )


def _graph(file: SpecFile, model: Parts) -> Graph:
    """The equations of a model as a graph, with its derivatives written out."""
    try:
        equations = with_gradients(model.given, model.equations)
        return Graph(tuple(model.given.values()), equations)
    except GradientError as error:
        raise file.fail(place_of(file, error.where), str(error)) from None
    except GraphError as error:
        raise file.fail(("model",), str(error)) from None


def _with_symbols(graph: Graph, nodes: list[str], taken: list[str]) -> Graph:
    """The graph with symbols of which no two are the same, and no index letter is one of them."""
    found = distinct({q.name: len(q.axes) for q in graph.quantities.values()}, nodes, taken)
    given = (replace(quantity, tex=found[quantity.name]) for quantity in graph.given)
    equations = (
        replace(
            each,
            quantity=replace(each.quantity, tex=each.quantity.tex and found[each.quantity.name]),
        )
        for each in graph.equations
    )
    named = Graph(tuple(given), tuple(equations))
    apart = tuple(with_letters_apart(each, named.taken) for each in named.equations)
    return Graph(named.given, apart)
