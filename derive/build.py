"""Spec → Problem: layers become equations, sizes are inferred, values are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod

import sympy

from derive.amount import check_amount
from derive.claimed import read_claims
from derive.equations import parse_equations
from derive.errors import InputError, LanguageError, nearest
from derive.expression import Axis, Element, Grad, Index, Total, reads
from derive.fields import number_format, title_of
from derive.graph import Equation, Graph, Kind, Quantity, Role
from derive.library.activations import ACTIVATIONS
from derive.library.aliases import nearest_row
from derive.library.layers import LAYERS
from derive.library.loss import Reduction
from derive.library.losses import BY_NAME, LOSSES
from derive.library.optimizers import OPTIMIZERS
from derive.library.row import NOTHING, Number, signature, written_out
from derive.model import build_model
from derive.names import reserved, wrong_reserved
from derive.network import as_model
from derive.network_values import batch_size, values_of, with_distributions
from derive.notation import notation, scalar_names
from derive.problem import Claimed, LayerUse, Problem, Published, Training, Unit
from derive.runs import run_of
from derive.schema import LayerSpec, LossSpec, NetworkSpec
from derive.sequence import Order
from derive.spec import Path_, SpecFile
from derive.variables import parse_function

BIAS_ROWS = {"each": "dense", "shared": "dense_shared_bias", "none": "dense_without_bias"}
RESERVED = ("alpha", "decrease", "pi", "e")  # they mean something on the page
MOST_NAMES = 2000
NO_GRADIENT = "a derivative within a network makes equations of its own; write it as a `model:`"
MODEL_ONLY = (*("inputs", "targets", "constants", "integers", "sizes", "loss", "upstream"),)


@dataclass
class _Network:
    """The graph while it grows."""

    batch: Axis
    quantities: dict[str, Quantity] = field(default_factory=dict)
    given: list[Quantity] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)

    def give(self, quantity: Quantity) -> Quantity:
        self.quantities[quantity.name] = quantity
        self.given.append(quantity)
        return quantity

    def define(
        self,
        text: str,
        local: Mapping[str, Quantity],
        letters: Mapping[str, Axis],
        describe: Callable[[str, tuple[Axis, ...]], Quantity],
        settings: Mapping[str, Number] = NOTHING,
    ) -> Quantity:
        """Add equations written in local names; returns the first quantity they define."""
        variables = {name: sympy.Rational(value) for name, value in settings.items()}
        made = parse_equations(text, local, letters, describe, variables)
        if any(each.rhs.has(Grad) for each in made):
            raise LanguageError(text, 0, NO_GRADIENT)
        self.equations += made
        self.quantities.update({e.quantity.name: e.quantity for e in made})
        return made[0].quantity

    def reletter(self, start: int, letters: Mapping[str, str]) -> None:
        """Write the equations from `start` on with other index letters."""

        def renamed(index: Index) -> Index:
            return Index(letters.get(index.name, index.name), index.axis)

        for k in range(start, len(self.equations)):
            old = self.equations[k]
            found = {node for node in sympy.preorder_traversal(old.rhs) if isinstance(node, Index)}
            rhs = old.rhs.xreplace({index: renamed(index) for index in found})
            self.equations[k] = Equation(old.quantity, tuple(map(renamed, old.indices)), rhs)


def build(file: SpecFile) -> Problem:
    """The problem that a spec describes, of several runs the first.

    Raises InputError with file, line and field.
    """
    file = run_of(file) if file.spec.runs else file
    if file.spec.network is None:
        return build_model(file)
    for section in MODEL_ONLY:
        if getattr(file.spec, section):
            raise file.fail((section,), "this belongs to a 'model'; here is a 'network'")
    loss = file.spec.network.loss
    if loss is None or _asks_for_more(file, file.spec.network):
        return build_as_model(file, file.spec.network)
    chosen = loss if isinstance(loss, LossSpec) else LossSpec(name=loss)
    return _build_network(file, file.spec.network, chosen)


def build_as_model(file: SpecFile, network: NetworkSpec) -> Problem:
    """The same for a network told as the model that it stands for."""
    return build_model(as_model(file, network, batch_size(file)))


def _asks_for_more(file: SpecFile, network: NetworkSpec) -> bool:
    """Whether a network wants something that is told in index form only, as of a model."""
    spec, training = file.spec, file.spec.training
    loss = network.loss.name if isinstance(network.loss, LossSpec) else network.loss
    optimizer = OPTIMIZERS.get(training.optimizer)
    return (
        bool(spec.samples or spec.gradients or training.states)
        or (loss in BY_NAME and loss not in LOSSES)
        or training.optimizer in spec.define.optimizers
        or (optimizer is not None and optimizer.name != "gradient_descent")
        or training.order is not Order.SIMULTANEOUS
        or training.epochs is not None
        or any(
            bool({"@", "["} & {*p.name}) or isinstance(p.printed, list) or p.slack
            for p in spec.published
        )
    )


def _build_network(file: SpecFile, described: NetworkSpec, chosen: LossSpec) -> Problem:
    spec = file.spec
    batch = batch_size(file)
    network = _Network(Axis("batch", sympy.Integer(batch)))
    inputs = _units(file, ("network", "inputs"), described.inputs, "i")
    axis = Axis("inputs", sympy.Integer(len(inputs)))
    current = network.give(
        Quantity("x", "x", (network.batch, axis), Role.INPUT, Kind.DATA, layer=0)
    )
    uses = []
    for number, layer in enumerate(described.layers, 1):
        last = number == len(described.layers)
        use, current = _layer(file, network, layer, number, current, last)
        uses.append(use)
    _loss(file, network, chosen, current, len(uses))
    graph = Graph(tuple(network.given), tuple(network.equations))
    check_amount(file, graph)
    if not _connected(graph):
        return build_as_model(file, described)  # of which a page can say that a derivative is 0
    values = values_of(file, graph)
    graph = with_distributions(file, graph, values)
    problem = Problem(
        name=file.name,
        title=title_of(file),
        graph=graph,
        layers=tuple(uses),
        inputs=inputs,
        batch=batch,
        reduction=chosen.batch,
        loss=chosen.name,
        values=values,
        training=_training(file, graph),
        numbers=number_format(file),
        languages=tuple(spec.languages),
        published=tuple(
            Published(p.name, str(p.printed), p.where, p.misprint, p.slack) for p in spec.published
        ),
    )
    return replace(problem, claims=_claims(file, problem, _distinct_names(file, problem)))


def _claims(
    file: SpecFile, problem: Problem, scalars: Mapping[str, Element]
) -> tuple[Claimed, ...]:
    """Claims of a network are about single numbers, by the names that its page has for them."""
    named = {name: Quantity(name, name, (), Role.CONSTANT) for name in scalars}
    loss = problem.graph.loss.name
    codes = [name for name, element in scalars.items() if element.name == loss]
    return read_claims(file, named, codes[0] if codes else loss)


def _connected(graph: Graph) -> bool:
    """Whether the loss depends on every parameter."""
    reached = {graph.loss.name}
    for equation in reversed(graph.equations):
        if equation.quantity.name in reached:
            reached |= set(reads(equation.rhs))
    return all(quantity.name in reached for quantity in graph.of_role(Role.PARAMETER))


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


def _layer(
    file: SpecFile,
    network: _Network,
    layer: LayerSpec,
    number: int,
    before: Quantity,
    last: bool,
) -> tuple[LayerUse, Quantity]:
    """Add one layer and its activation; the last quantity is what the next layer reads."""
    path: Path_ = ("network", "layers", number - 1)
    units = _units(file, (*path, "dense"), layer.dense, "o" if last else "h")
    row = LAYERS[BIAS_ROWS[layer.bias]]
    parameters = [signature(text) for text in row.parameters]
    axis = Axis(f"layer {number}", sympy.Integer(len(units)))
    letters = {"n": network.batch, "i": before.axes[1], "h": axis}
    local = {"x": before}
    for name, own in ((each.name, each.letters) for each in parameters):
        axes = tuple(letters[letter] for letter in own)
        kind = Kind.BIAS if name == "b" else Kind.WEIGHT
        local[name] = network.give(
            Quantity(f"{name}{number}", name, axes, Role.PARAMETER, kind, number)
        )
    start = len(network.equations)
    net = network.define(
        written_out(row.equations, ("n",)),
        local,
        letters,
        lambda name, axes: Quantity(f"net{number}", "net", axes, Role.HIDDEN, Kind.NET, number),
    )
    text, couples, settings, where = _activation(file, (*path, "activation"), layer.activation)
    if couples and len(units) == 1:
        raise file.fail(where, f"{layer.activation} over a single unit is always 1; give two")
    try:
        out = _apply_activation(network, text, settings, net, number)
    except LanguageError as error:
        raise file.fail(where, str(error)) from None
    if out.axes != net.axes:
        raise file.fail(where, "an activation gives one value per unit: y[n,h] = ...")
    if last:
        network.reletter(start, {"h": "o", "i": "h"} if number > 1 else {"h": "o"})
    used = tuple(f"{each.name}{number}" for each in parameters)
    use = LayerUse(number, row.name, units, used, net.name, out.name, layer.activation, couples)
    return use, out


def _activation(
    file: SpecFile, path: Path_, name: str
) -> tuple[str, bool, Mapping[str, Number], Path_]:
    """The text of an activation with its settings, from the spec, the library, or a formula.

    Also whether it couples the units, and the place to which an error belongs.
    """
    own = file.spec.define.activations
    if name in own:
        return own[name], False, NOTHING, ("define", "activations", name)
    if name in ACTIVATIONS:
        row = ACTIVATIONS[name]
        return row.equation, row.couples, row.settings, path
    if "=" in name:
        return name, False, NOTHING, path
    raise file.fail(path, f"unknown activation '{name}'; {nearest_row(name, {*ACTIVATIONS, *own})}")


def _apply_activation(
    network: _Network, text: str, settings: Mapping[str, Number], net: Quantity, number: int
) -> Quantity:
    def describe(name: str, axes: tuple[Axis, ...]) -> Quantity:
        return Quantity(f"out{number}", "out", axes, Role.HIDDEN, Kind.OUT, number)

    if "[" in text:
        letters = {"n": network.batch, "h": net.axes[1]}
        return network.define(text, {"x": net}, letters, describe, settings)
    indices = (Index("n", network.batch), Index("h", net.axes[1]))
    value = parse_function(text, 1)(Element(net.name, *indices))
    quantity = describe("y", net.axes)
    return _add(network, Equation(quantity, indices, value))


def _add(network: _Network, equation: Equation) -> Quantity:
    network.equations.append(equation)
    network.quantities[equation.quantity.name] = equation.quantity
    return equation.quantity


def _loss(file: SpecFile, network: _Network, loss: LossSpec, output: Quantity, layers: int) -> None:
    """Add the target, the errors, and the loss as their sum or mean."""
    own = file.spec.define.losses
    path: Path_ = ("network", "loss")
    outputs, distribution = Reduction.SUM, False
    if loss.name in own:
        path = ("define", "losses", loss.name)
        text = own[loss.name]
    elif loss.name in LOSSES:
        row = LOSSES[loss.name]
        text, outputs, distribution = row.equation, row.outputs, row.distribution
    else:
        hint = nearest_row(loss.name, {*BY_NAME, *own})
        raise file.fail(path, f"unknown loss '{loss.name}'; {hint}")
    target = network.give(
        Quantity(
            "t", "target", output.axes, Role.TARGET, Kind.DATA, layers, sums_to_one=distribution
        )
    )
    try:
        error = _error(network, text, output, target)
    except LanguageError as problem:
        raise file.fail(path, str(problem)) from None
    if error.axes not in (output.axes, output.axes[:1]):
        raise file.fail(path, "a loss gives one error per output or per sample: e[n,o] or e[n]")
    n, o = Index("n", network.batch), Index("o", output.axes[1])
    total: sympy.Expr = Element(error.name, *(n, o)[: len(error.axes)])
    if len(error.axes) == 2:
        total = Total(total, o) / (o.axis.size if outputs is Reduction.MEAN else 1)
    total = Total(total, n) / (n.axis.size if loss.batch is Reduction.MEAN else 1)
    whole = Quantity("E", r"E_{\mathrm{total}}", (), Role.LOSS, Kind.ERROR, layers)
    _add(network, Equation(whole, (), total))


def _error(network: _Network, text: str, output: Quantity, target: Quantity) -> Quantity:
    """Add the equation of the error of one output or of one sample."""

    def describe(name: str, axes: tuple[Axis, ...]) -> Quantity:
        return Quantity("E_each", "E", axes, Role.HIDDEN, Kind.ERROR, output.layer)

    n, o = Index("n", network.batch), Index("o", output.axes[1])
    if "[" in text:
        letters = {"n": network.batch, "o": output.axes[1]}
        return network.define(text, {"y": output, "t": target}, letters, describe)
    value = parse_function(text, 2)(Element(output.name, n, o), Element(target.name, n, o))
    return _add(network, Equation(describe("e", output.axes), (n, o), value))


def _training(file: SpecFile, graph: Graph) -> Training:
    training = file.spec.training
    known = [quantity.name for quantity in graph.of_role(Role.PARAMETER)]
    for k, name in enumerate(training.frozen):
        if name not in known:
            hint = nearest(name, known)
            raise file.fail(("training", "frozen", k), f"there is no parameter '{name}'; {hint}")
    if set(known) == set(training.frozen):
        raise file.fail(("training", "frozen"), "at least one parameter must be trained")
    if training.optimizer not in OPTIMIZERS:
        hint = nearest_row(training.optimizer, OPTIMIZERS)
        words = f"unknown optimizer '{training.optimizer}'; {hint}"
        raise file.fail(("training", "optimizer"), words)
    row = OPTIMIZERS[training.optimizer]
    for name in training.settings:
        if name not in row.settings:
            hint = nearest(name, row.settings)
            raise file.fail(("training", "settings", name), f"no such setting; {hint}")
    return Training(
        training.learning_rate,
        training.steps,
        frozenset(training.frozen),
        row,
        {**row.settings, **training.settings},
    )
