"""Spec → Problem: a model of any graph, or a network as the model that says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

from derive.chain import in_layers
from derive.claimed import read_claims
from derive.errors import InputError
from derive.expression import Element
from derive.graph import Quantity, Role
from derive.library.activations import ACTIVATIONS
from derive.library.layers import LAYERS
from derive.library.losses import BY_NAME, LOSSES
from derive.library.optimizers import OPTIMIZERS
from derive.library.row import signature
from derive.model import build_model
from derive.model.goal import reached
from derive.names import reserved, wrong_reserved
from derive.network import DENSE, as_model
from derive.network_values import batch_size, check_complete, check_distributions
from derive.notation import notation, scalar_names
from derive.problem import Claimed, LayerUse, Problem, Published, Unit
from derive.runs import run_of
from derive.schema import LossSpec, NetworkSpec
from derive.sequence import Order
from derive.spec import Path_, SpecFile

RESERVED = ("alpha", "decrease", "pi", "e")  # they mean something on the page
MOST_NAMES = 2000
MODEL_ONLY = ("inputs", "targets", "constants", "integers", "sizes", "loss", "upstream")


def build(file: SpecFile) -> Problem:
    """The problem that a spec describes, of several runs the first.

    Raises InputError with file, line and field.
    """
    file = run_of(file) if file.spec.runs else file
    network = file.spec.network
    if network is None:
        return build_model(file)
    for section in MODEL_ONLY:
        if getattr(file.spec, section):
            raise file.fail((section,), "this belongs to a 'model'; here is a 'network'")
    loss = LossSpec(name=network.loss) if isinstance(network.loss, str) else network.loss
    if loss is None or _asks_for_more(file, loss):
        return build_as_model(file, network)
    return _by_layers(file, network, loss) or build_as_model(file, network)


def build_as_model(file: SpecFile, network: NetworkSpec) -> Problem:
    """The same for a network told as the model that it stands for."""
    return build_model(as_model(file, network, batch_size(file)))


def _asks_for_more(file: SpecFile, loss: LossSpec) -> bool:
    """Whether a network wants something that is told in index form only, as of a model."""
    spec, training = file.spec, file.spec.training
    optimizer = OPTIMIZERS.get(training.optimizer)
    return (
        bool(spec.samples or spec.gradients or training.states)
        or (loss.name in BY_NAME and loss.name not in LOSSES)
        or training.optimizer in spec.define.optimizers
        or (optimizer is not None and optimizer.name != "gradient_descent")
        or bool(training.schedule or training.clip or training.weight_decay)
        or isinstance(training.learning_rate, str)
        or training.order is not Order.SIMULTANEOUS
        or training.epochs is not None
        or any(
            bool({"@", "["} & {*p.name}) or isinstance(p.printed, list) or p.slack
            for p in spec.published
        )
    )


def _by_layers(file: SpecFile, network: NetworkSpec, loss: LossSpec) -> Problem | None:
    """A network in the terms of its layers and units.

    None where the loss does not depend on every parameter, for only the page of a model can say
    that a derivative is 0, and where it is more than a chain.
    """
    inputs = _units(file, ("network", "inputs"), network.inputs, "i")
    layers = tuple(_layers(file, network))
    model = build_model(as_model(file, network, batch_size(file), in_layers=True))
    parameters = {quantity.name for quantity in model.graph.of_role(Role.PARAMETER)}
    if model.training.frozen >= parameters:
        raise file.fail(("training", "frozen"), "at least one parameter must be trained")
    check_complete(file, model)
    row = LOSSES.get(loss.name)
    distribution = row is not None and row.distribution
    if distribution:
        check_distributions(file, model.values)
    chain = in_layers(model, layers, inputs, loss.batch, distribution)
    if chain is None or not parameters <= reached(model.graph):
        return None
    published = (
        Published(p.name, str(p.printed), p.where, p.misprint, p.slack) for p in file.spec.published
    )
    problem = replace(chain, loss=loss.name, published=tuple(published))
    return replace(problem, claims=_claims(file, problem, _distinct_names(file, problem)))


def _claims(
    file: SpecFile, problem: Problem, scalars: Mapping[str, Element]
) -> tuple[Claimed, ...]:
    """Claims of a network are about single numbers, by the names that its page has for them."""
    named = {name: Quantity(name, name, (), Role.CONSTANT) for name in scalars}
    loss = problem.graph.loss.name
    codes = [name for name, element in scalars.items() if element.name == loss]
    return read_claims(file, named, codes[0] if codes else loss)


def _distinct_names(file: SpecFile, problem: Problem) -> Mapping[str, Element]:
    """Names of units must not clash with names that the pages and the code make up."""
    if sum(prod(quantity.shape) for quantity in problem.graph.quantities.values()) > MOST_NAMES:
        return {}
    try:
        return scalar_names(notation(problem), problem.graph)
    except InputError as error:
        raise file.fail(("network",), str(error)) from None


def _units(file: SpecFile, path: Path_, given: int | list[str], letter: str) -> tuple[Unit, ...]:
    """The units of a layer, named by the spec or counted with a letter."""
    if isinstance(given, int):
        return tuple(Unit(f"{letter}{k}", f"{letter}{k}") for k in range(1, given + 1))
    if not given:
        raise file.fail(path, "a layer needs at least one unit")
    seen: set[str] = set()
    for k, name in enumerate(given):
        if reserved(name, RESERVED):
            raise file.fail((*path, k), wrong_reserved(name))
        if name in seen:
            raise file.fail((*path, k), f"the name '{name}' is used twice")
        seen.add(name)
    return tuple(Unit(name, name.replace("_", r"\_")) for name in given)


def _layers(file: SpecFile, network: NetworkSpec) -> Iterator[LayerUse]:
    """Every layer with its units, and what its quantities are called in the model."""
    own = file.spec.define.activations
    for number, layer in enumerate(network.layers, 1):
        path: Path_ = ("network", "layers", number - 1, "dense")
        row = LAYERS[DENSE[layer.bias]]
        library = None if layer.activation in own else ACTIVATIONS.get(layer.activation)
        yield LayerUse(
            number,
            row.name,
            _units(file, path, layer.dense, "o" if number == len(network.layers) else "h"),
            tuple(f"{signature(text).name}{number}" for text in row.parameters),
            f"net{number}",
            f"out{number}",
            layer.activation,
            library is not None and library.couples,
        )
