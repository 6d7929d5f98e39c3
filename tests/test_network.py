"""A network is told as the model that it stands for wherever it asks for more than a chain."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

import derive
from derive import InputError, build
from derive.graph import Role
from derive.library.activations import ACTIVATIONS
from derive.library.losses import BY_NAME, LOSSES
from derive.library.optimizers import OPTIMIZERS
from derive.model import build_model
from derive.network import as_model
from derive.network_values import batch_size
from derive.pipeline import make
from derive.problem import Problem
from derive.render.index_form import IndexForm
from derive.spec import SpecFile, load_spec, parse_spec
from derive.verify.report import Status
from derive.verify.sampling import spec_values
from derive.verify.tape import all_slopes
from tests.sampled import sampled

SMALL = """\
network:
  inputs: [i1, i2]
  layers:
    - {{dense: [h1, h2], bias: {bias}, activation: {activation}}}
    - {{dense: [o1, o2], activation: {last}}}
  loss: {loss}
parameters:
  W1: [[0.15, 0.2], [0.25, 0.3]]
  W2: [[0.35, 0.4], [0.45, 0.5]]
  b2: [0.1, 0.2]
{more}"""
ONE = "data: {inputs: [0.05, 0.1], targets: [0.25, 0.75]}\n"
TWO = "data: {inputs: [[0.05, 0.1], [0.3, -0.4]], targets: [[0.25, 0.75], [1, 0]]}\n"


def spec(
    more: str = ONE,
    *,
    loss: str = "half_squared_error",
    activation: str = "logistic",
    last: str = "logistic",
    bias: str = "none",
) -> str:
    return SMALL.format(more=more, loss=loss, activation=activation, last=last, bias=bias)


def told_as_model(file: SpecFile) -> Problem:
    """The problem of the model that a network stands for."""
    network = file.spec.network
    assert network is not None
    return build_model(as_model(file, network, batch_size(file)))


def problems(text: str) -> tuple[Problem, Problem]:
    """A network as it is built on its own, and as the model that it stands for."""
    file = parse_spec(text, "network.yaml", "network")
    return build(file), told_as_model(file)


def slopes(problem: Problem) -> dict[tuple[str, tuple[int, ...]], float]:
    """The slope of the loss by each parameter, by differences rather than by the calculus."""
    parameters = {quantity.name for quantity in problem.graph.of_role(Role.PARAMETER)}
    given = spec_values(problem)
    assert given is not None
    found = all_slopes(problem.graph, given)
    return {key: float(value) for key, value in found.items() if key[0] in parameters}


SAME = {
    **{f"{name} inside": spec(TWO, activation=name) for name in ACTIVATIONS},
    **{f"{name} last": spec(TWO, last=name) for name in ACTIVATIONS if name != "log_softmax"},
    **{f"{name} of one": spec(ONE, loss=name, last="softmax") for name in LOSSES},
    **{f"{name} of two": spec(TWO, loss=name, last="softmax") for name in LOSSES},
    "summed": spec(TWO, loss="{name: mean_squared_error, batch: sum}"),
    "a formula": spec(TWO, activation="'f(z) = z*tanh(z)'", last="'f(t) = exp(-t)/2'"),
    "a formula over the units": spec(TWO, activation="'y[n,h] = x[n,h]/sum(k, exp(x[n,k]))'"),
    "one of them for a sample": spec(ONE, activation="'y[n,h] = x[n,h]/sum(k, exp(x[n,k]))'"),
    "an activation by its name": spec(
        ONE + "define: {activations: {wave: 'f(x) = sin(x) + x'}}\n", activation="wave"
    ),
    "a loss with its arguments swapped": spec(
        TWO + "define: {losses: {mine: 'f(t, y) = (2*t - y)**2*t'}}\n", loss="mine"
    ),
    "a loss of a sample": spec(
        TWO + "define: {losses: {mine: 'e[n] = sum(o, (y[n,o] - t[n,o])**4)'}}\n", loss="mine"
    ),
    "a loss of one sample": spec(
        ONE + "define: {losses: {mine: 'e[n] = sum(o, (y[n,o] - t[n,o])**4)'}}\n", loss="mine"
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_both_ways_have_the_same_slopes(name: str) -> None:
    own, model = map(slopes, problems(SAME[name]))
    assert own.keys() == model.keys()
    assert {key: pytest.approx(value, rel=1e-12, abs=1e-15) for key, value in own.items()} == model


ASKS = {
    **{
        f"the optimizer {name}": spec(f"training: {{optimizer: {name}, steps: 3}}\n" + ONE)
        for name in OPTIMIZERS
        if name != "gradient_descent"
    },
    **{
        f"the loss {name}": spec(TWO, loss=name)
        for name in BY_NAME
        if name not in LOSSES and "label" not in BY_NAME[name].inputs[-1]
        if name in ("huber", "hinge", "mean_absolute_error", "kl_divergence", "cosine")
    },
    "layer by layer": spec("training: {order: layer_by_layer, steps: 2}\n" + ONE),
    "samples": spec(
        "samples: [{inputs: [0.1, 0.2], targets: [1, 0]}, {inputs: [0.3, 0.2], targets: [0, 1]}]\n"
        "training: {epochs: 2}\n"
    ),
    "states": spec("training: {optimizer: momentum, steps: 2, states: {v: {W1: 0.25}}}\n" + TWO),
    "an optimizer of one's own": spec(
        "training: {optimizer: half, steps: 2}\n"
        "define: {optimizers: {half: {equations: 'w = w - alpha*g/2'}}}\n" + ONE
    ),
    "gradients": spec("gradients: [x, W2]\n" + ONE),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ASKS, 3))
def test_what_a_network_asks_for_is_verified(name: str) -> None:
    report = derive.verify(build(parse_spec(ASKS[name], "network.yaml", "network")))
    assert not [r for r in report.routes if r.status is Status.DISAGREES]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["article", "biases", "tanh", "neuron", "deep"])
def test_the_model_of_a_network_of_the_program_is_verified(name: str) -> None:
    file = load_spec(name)
    bare = replace(file, spec=file.spec.model_copy(update={"published": []}))
    report = derive.verify(told_as_model(bare))
    assert not [r for r in report.routes if r.status is Status.DISAGREES]


PRINTED = {  # of the first sample and the second; the numbers are those of the network's own way
    "w5@2": "W2[0,0]@2",
    "dE/dw1": "dE/dW1[0,0]",
    "dE_total/db2": "dE/db2[1]",
    "out_h2_2": "out1[1,1]",
    "net_o1_1+": "net2[0,0]+",
    "i2_1": "x[0,1]",
    "target_o1_2": "t[1,0]",
    "E_o2_2": "e[1,1]",
    "dE/dnet_o1_1": "dE/dnet2[0,0]",
    "W1[0,1] @ 1": "W1[0,1]@1",
}


@pytest.mark.parametrize("name", PRINTED)
def test_names_of_numbers_are_those_of_a_network(name: str) -> None:
    text = spec(
        TWO + f"published: [{{name: '{name}', printed: '0.1'}}, {{name: b2, printed: [1, 2]}}]\n"
    )
    problem = build(parse_spec(text, "network.yaml", "network"))
    assert [each.name for each in problem.published] == [PRINTED[name], "b2[0]", "b2[1]"]


FAULTS = {
    "an activation": (
        spec("training: {optimizer: adam}\n" + ONE, activation="sigmoyd"),
        "network.layers.0.activation: unknown activation 'sigmoyd'",
    ),
    "a formula": (
        spec("training: {optimizer: adam}\n" + ONE, last="'f(x) = foo(x)'"),
        "network.layers.1.activation: ",
    ),
    "a formula of two": (
        spec("training: {optimizer: adam}\n" + ONE, last="'f(x, y) = x*y'"),
        "network.layers.1.activation: this is a function of x, as in f(x)",
    ),
    "a loss": (spec(loss="hubber"), "network.loss: unknown loss 'hubber'; did you mean 'huber'?"),
    "a loss of labels": (
        spec(loss="label_cross_entropy"),
        "network.loss: label_cross_entropy reads",
    ),
    "an optimizer": (
        spec("training: {optimizer: adamm}\n" + ONE),
        "training.optimizer: unknown optimizer 'adamm'; did you mean 'adam'",
    ),
    "inputs": (
        spec("training: {optimizer: adam}\ndata: {inputs: [1, 2, 3], targets: [1, 2]}\n"),
        "data.inputs: the shape must be 2",
    ),
    "a parameter": (
        spec("training: {optimizer: adam}\n" + ONE).replace("b2:", "b7:"),
        "parameters.b7: there is no parameter 'b7'; known: W1, W2, b2",
    ),
    "a weight": (
        spec("training: {optimizer: adam}\n" + ONE).replace("[0.15, 0.2]", "[0.15]"),
        "parameters.W1.0: the shape must be 2 x 2",
    ),
    "a sample": (
        spec("samples: [{inputs: [1, 2], target: [1, 2]}]\n"),
        "samples.0.target: a sample has inputs and targets; did you mean 'targets'?",
    ),
    "the shape of a sample": (
        spec("samples: [{inputs: [1, 2, 3], targets: [1, 2]}]\n"),
        "samples.0.inputs: the shape must be 2",
    ),
    "a print": (
        spec("published: [{name: w99@2, printed: '1'}]\n" + ONE),
        "published.0.name: there is no 'w99'",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_told_at_the_fields_of_the_network(name: str) -> None:
    text, words = FAULTS[name]
    with pytest.raises(InputError) as error:
        build(parse_spec(text, "network.yaml", "network"))
    assert words in str(error.value)
    assert "network.yaml:" in str(error.value)


ALONE = """\
network: {{inputs: 2, layers: [{{dense: {}, activation: {}}}]}}
parameters: {{W1: {}, b1: {}}}
data: {{inputs: {}}}
"""
FORWARD = {
    "units": ("2", "tanh", "[[0.1, 0.2], [0.3, 0.4]]", "[0, 0.5]", "[1, 2]"),
    "one unit": ("1", "logistic", "[[0.1, 0.2]]", "[0.5]", "[1, 2]"),
    "a batch": ("2", "softmax", "[[0.1, 0.2], [0.3, 0.4]]", "[0, 0.5]", "[[1, 2], [3, 4]]"),
}


@pytest.mark.parametrize("fields", FORWARD.values(), ids=FORWARD)
def test_a_network_without_a_loss_is_a_forward_pass(fields: tuple[str, ...]) -> None:
    problem = build(parse_spec(ALONE.format(*fields), "network.yaml", "network"))
    assert problem.forward_only
    report = derive.verify(problem)
    assert report.agree, str(report)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("training: {steps: 2}\n", "and here is something to be trained"),
        ("samples: [{inputs: [1, 2]}]\n", "and here is something to be trained"),
        ("gradients: [W1]\n", "and here is something to be trained"),
    ],
)
def test_a_network_that_needs_a_loss_says_so(more: str, words: str) -> None:
    text = ALONE.format(*FORWARD["units"])
    with pytest.raises(InputError, match=f"^network.yaml:1: network: the field 'loss' .*{words}"):
        build(parse_spec(text + more, "network.yaml", "network"))
    aimed = text.replace("inputs: [1, 2]", "inputs: [1, 2], targets: [0, 1]")
    with pytest.raises(InputError, match=r"the field 'loss' is missing; .* and here are targets"):
        build(parse_spec(aimed, "network.yaml", "network"))


CONSTANT = {
    "an activation": ("step: f(x) = 1", "activations", "step", "half_squared_error"),
    "a loss": ("far: 'f(y, t) = t**2'", "losses", "tanh", "far"),
}


@pytest.mark.parametrize("case", CONSTANT.values(), ids=CONSTANT)
def test_a_weight_that_the_loss_does_not_see_has_the_derivative_zero(case: tuple[str, ...]) -> None:
    row, kind, activation, loss = case
    text = f"""\
network: {{inputs: 2, layers: [{{dense: 1, activation: {activation}}}], loss: {loss}}}
parameters: {{W1: [[0.1, 0.2]], b1: [0.5]}}
data: {{inputs: [1, 2], targets: [0.5]}}
define: {{{kind}: {{{row}}}}}
"""
    whole = make(build(parse_spec(text, "network.yaml", "network")))
    assert whole.verify().agree
    assert "does not depend on" in whole.texts["en"]


def test_values_of_a_network_are_given_as_those_of_a_model() -> None:
    given = "W1: [[0.15, 0.2], [0.25, 0.3]]"
    whole = build(parse_spec(spec(), "a.yaml", "a"))
    flat = build(parse_spec(spec().replace(given, "W1: [0.15, 0.2, 0.25, 0.3]"), "a.yaml", "a"))
    single = build(parse_spec(spec().replace(given, "W1: 0.5"), "a.yaml", "a"))
    assert whole.layers and flat.values == whole.values
    assert {*single.values["W1"].values()} == {Fraction(1, 2)}


def test_an_activation_of_several_equations_is_told_in_index_form() -> None:
    own = "define: {activations: {mine: 'y[n,h] = x[n,h]**2 + z[n,h]; z[n,h] = tanh(x[n,h])'}}\n"
    made = make(build(parse_spec(spec(ONE + own, activation="mine"), "a.yaml", "a")))
    assert made.problem.is_model and made.verify().agree


def test_a_sample_is_not_written_where_there_is_one() -> None:
    """Whatever equal letters, of axes with other names, were written in this process before."""
    told_as_model(parse_spec(spec(), "a.yaml", "a"))
    problem = build(parse_spec(spec(), "a.yaml", "a"))
    form = IndexForm(problem)
    assert not [e for e in problem.graph.equations if "n" in form.equation(e).replace("net", "")]
