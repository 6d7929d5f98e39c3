"""Specs of models: what they say becomes a graph, and mistakes are pointed at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from derive import InputError, Problem, build
from derive.backprop import differentiate
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.pipeline import make
from derive.reference import reference
from derive.render.blocks import Page
from derive.scaffold import scaffold
from derive.schema import Spec
from derive.spec import parse_spec
from derive.verify.of_model import verify_model

GIVEN = "inputs: {x: [1, 2]}\nparameters: {W: [[1, 2], [3, 4]]}\n"
LINE = "model:\n  - y[h] = sum(i, W[h,i]*x[i])\n"
DOCS = Path(__file__).parent.parent / "docs"


def made(text: str) -> Problem:
    return build(parse_spec(text, "my.yaml", "my"))


def agree(problem: Problem) -> bool:
    derivation = differentiate(problem.graph, problem.wanted)
    return verify_model(problem, derivation, Page({}, (), {}), {}, {}).agree


ASKED = GIVEN + LINE + "gradients: [W]\n"
REFUSED = {
    "empty model": ("model: []\n", "my.yaml:1: model: this list must not be empty"),
    "no formula": (GIVEN + "model:\n  - y[h] = sum(i, W[h,i]*x[i]\n", "4: model.0: this is not"),
    "unbound": (GIVEN + "model:\n  - y[h] = sum(i, W[h,i]*x[j])\n", "the index 'j' of 'x[j]'"),
    "unknown": (GIVEN + "model:\n  - y[h] = W[h,0]*z\n", "'z' is unknown; known: W, pi, x, y"),
    "sizes": (
        "inputs: {x: [1, 2, 3], z: [1, 2]}\nmodel:\n  - E = sum(i, x[i]*z[i])\n",
        "the index 'i' runs over 3 values but meets an axis of 'z' with 2",
    ),
    "no loss": (ASKED, "my.yaml:4: model.0: 'y' is no single number (shape 2)"),
    "no loss, and what could be one": (ASKED, "`loss: E = sum(h, y[h]**2)/2`"),
    "no loss, and a gradient from above": (ASKED, "`upstream: {y: 1}`"),
    "no loss, and a training": (GIVEN + LINE + "training: {steps: 2}\n", "no single number"),
    "the loss itself": ("inputs: {x: 1}\nmodel: [L = x]\ngradients: [L]\n", "is the loss itself"),
    "a forward pass, and a stranger": (
        "inputs: {x: [1, 2]}\nparameters: {v: 1}\nmodel: ['y[i] = 2*x[i]']\n",
        "parameters.v: nothing reads 'v'; leave it out or use it",
    ),
    "a forward pass, and a slope": (
        GIVEN + LINE + "published: [{name: dE/dW, printed: 1}]\n",
        "there is no 'E'",
    ),
    "nothing given": ("model: [y = tanh(x)]\n", "my.yaml:1: model: nothing is given that could be"),
    "nothing given to a loss": ("loss: E = x**2\n", "my.yaml:1: loss: nothing is given that could"),
    "loss of many": (GIVEN + LINE + "loss: y\n", "my.yaml:5: loss: 'y' is no single number"),
    "both": (GIVEN + LINE + "loss: E = y[0]\nupstream: {y: 1}\n", "either a loss or an upstream"),
    "upstream name": (GIVEN + LINE + "upstream: {z: 1}\n", "does not compute 'z'; known: y"),
    "upstream shape": (GIVEN + LINE + "upstream: {y: [1, 2, 3]}\n", "but here is a list of 3"),
    "upstream in another shape": (
        GIVEN + LINE + "upstream: {y: {shape: [3], values: 1}}\n",
        "my.yaml:5: upstream.y.shape: the shape of 'y' is [2], and so is that of the gradient",
    ),
    "gradient": (GIVEN + LINE + "upstream: {y: 1}\ngradients: [Q]\n", "no quantity 'Q'"),
    "integers": (GIVEN + LINE + "upstream: {y: 1}\nintegers: [q]\n", "nothing given is called"),
    "not whole": ("inputs: {x: 1.5}\nintegers: [x]\nmodel: [y = 2*x]\n", "holds whole numbers"),
    "ragged": ("inputs: {x: [1, [2]]}\nmodel: ['y = 1']\n", "a number is expected (shape 2)"),
    "no value": ("inputs: {x: }\nmodel: ['y = 1']\n", "without one say {shape: [2, 3]}"),
    "empty list": ("inputs: {x: []}\nmodel: ['y = 1']\n", "an empty list has no values"),
    "keyword": ("inputs: {lambda: 1}\nmodel: ['y = 1']\n", "'lambda' is a reserved word"),
    "shape": ("inputs: {x: {shape: [2, -1]}}\nmodel: ['y = 1']\n", "a list of whole numbers"),
    "entry": ("inputs: {x: {size: 2}}\nmodel: ['y = 1']\n", "given by numbers, or by"),
    "layer": ("inputs: {x: 1}\nmodel:\n  - {layer: denze, inputs: x}\n", "did you mean 'dense'"),
    "wire": ("inputs: {x: [1]}\nmodel:\n  - {layer: tanh, inputs: q}\n", "no quantity 'q' yet"),
    "operand": (
        "inputs: {x: [1]}\nmodel:\n  - {layer: dense, inputs: x, operands: {V: 1}}\n",
        "dense has no 'V' here; known: W, b",
    ),
    "setting": (
        "inputs: {x: [1]}\nmodel:\n  - {layer: elu, inputs: x, settings: {b: 1}}\n",
        "elu has no such setting; known: a",
    ),
    "layer sizes": (
        "inputs: {x: [1]}\nmodel:\n  - {layer: dense, inputs: x}\n",
        "the size of the letter 'h' of W is unknown; say 'sizes: {h: 3}'",
    ),
    "nothing to move": (
        "constants: {a: 1}\nmodel: [y = 2*a]\nloss: y\n",
        "my.yaml:3: loss: nothing is given as a parameter or an input",
    ),
    "twice": ("inputs: {x: 1}\nmodel: [y = x, y = 2*x]\n", "'y' is defined twice"),
    "given twice": ("inputs: {x: 1}\nmodel: [x = 2*x]\n", "'x' is defined twice"),
    "sample": ("inputs: {x: 1}\nmodel: [y = 2*x]\nsamples: [{z: 1}]\n", "'z' is no input"),
    "optimizer": ("inputs: {x: 1}\nmodel: [y = x]\ntraining: {optimizer: adamm}\n", "'adam'"),
    "state": (
        "inputs: {x: 1}\nparameters: {w: 1}\nmodel: [y = w*x]\n"
        "training: {optimizer: adam, states: {q: {w: 1}}}\n",
        "adam has no state 'q'; known: m, v",
    ),
    "both kinds": ("network: {inputs: 2, layers: [{dense: 2}], loss: half_squared_error}\n"
                   "model: [y = x]\n", "either 'network' or 'model'"),
    "of a model": ("network: {inputs: 2, layers: [{dense: 2}], loss: half_squared_error}\n"
                   "upstream: {y: 1}\n", "belongs to a 'model'"),
    "of a network": ("inputs: {x: 1}\nmodel: [y = x]\ndata: {inputs: [1]}\n", "gives its data in"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_is_pointed_at(name: str) -> None:
    text, words = REFUSED[name]
    with pytest.raises(InputError) as caught:
        made(text)
    assert words in str(caught.value)
    assert str(caught.value).startswith("my.yaml")


def tutorial() -> dict[str, str]:
    """The specs of the tutorial by their titles."""
    found = re.findall(r"```yaml\n(.*?)```", (DOCS / "tutorial.md").read_text("utf-8"), re.DOTALL)
    return {text.partition("\n")[0].removeprefix("title: "): text for text in found}


@pytest.mark.parametrize("title", tutorial())
def test_the_tutorial_is_true(title: str) -> None:
    assert agree(made(tutorial()[title]))


def test_the_reference_is_current() -> None:
    assert (DOCS / "reference.md").read_text("utf-8") == reference()


def test_the_reference_names_every_field_and_row() -> None:
    text = reference()
    for name in (*Spec.model_fields, *LAYERS):
        assert f"`{name}`" in text


@pytest.mark.parametrize("layer", [None, *LAYERS, *loss_names()])
def test_a_scaffold_is_a_spec(layer: str | None) -> None:
    problem = made(scaffold(layer, network=False))
    assert differentiate(problem.graph, problem.wanted).backward.equations
    assert not problem.symbolic


def test_a_scaffold_of_a_network_is_a_spec() -> None:
    assert made(scaffold(None, network=True)).layers


def test_a_tied_weight_adds_up_its_gradients() -> None:
    problem = made(
        "inputs: {x: 2}\nparameters: {w: 3}\nmodel: ['a = w*x', 'E = w*a']\n"
        "published: [{name: dE/dw, printed: '12'}]\n"
    )
    assert agree(problem)


def test_several_losses_are_weighed() -> None:
    problem = made(
        "inputs: {x: [1, 2]}\ntargets: {t: [0, 0]}\nparameters: {w: 3}\n"
        "model: ['y[i] = w*x[i]']\n"
        "loss:\n  - {loss: half_squared_error, inputs: [y, t], weight: 2}\n"
        "  - {loss: l2_penalty, inputs: w, weight: 0.5}\n"
        "published: [{name: E, printed: '49.5'}, {name: dE/dw, printed: '33'}]\n"
    )
    assert agree(problem)


UPDATES = (
    "inputs: {x: 1}\ntargets: {t: 0}\nparameters: {w: 1}\nmodel: ['E = (w*x - t)**2/2']\n"
    "samples: [{x: 1, t: 0}, {x: 2, t: 1}]\ntraining: {learning_rate: 0.1, epochs: 2}\n"
    "published:\n  - {name: w@1, printed: '0.9'}\n  - {name: E@1, printed: '0.32'}\n"
    "  - {name: w@2, printed: '0.74'}\n"
)


def test_samples_take_turns() -> None:
    assert agree(made(UPDATES))
    assert not agree(made(UPDATES.replace("0.74", "0.75")))
    assert agree(made(UPDATES.replace("printed: '0.74'", "printed: '0.75', misprint: a slip")))
    assert not agree(made(UPDATES.replace("printed: '0.74'", "printed: '0.74', misprint: none")))


GATES = (
    "inputs: {x: [1, 2], h: [3]}\nparameters: {W: [[1, 2, 3], [4, 5, 6]]}\n"
    "model:\n  - y[k] = sum(i, W[k,i + 0]*x[i]) + sum(j, W[k,size(i) + j]*h[j])\n"
    "loss: E = sigmoid(y[0]/9) + relu(-y[1]) + ln(y[1])\nsizes: {i: 2}\n"
)


def test_a_part_of_an_axis_may_be_read() -> None:
    problem = made(GATES)
    assert agree(problem)
    with pytest.raises(InputError, match=r"'i \+ 0' would mean a part of it"):
        made(GATES.replace("i + 0", "i"))


def test_a_letter_is_no_quantity() -> None:
    with pytest.raises(InputError, match="'h' is a quantity; use another letter"):
        made(GATES.replace("y[k]", "y[h]"))
    with pytest.raises(InputError, match="'x' is a quantity; use another letter"):
        made(GATES.replace("sum(i, W[k,i + 0]*x[i])", "sum(x, W[k,x + 0])"))


def test_fractions_are_numbers() -> None:
    problem = made("inputs: {x: 1/3}\nmodel: [y = 3*x]\npublished: [{name: y, printed: '1.0'}]\n")
    assert agree(problem)


FORWARD = {
    "a table": GIVEN + LINE,
    "a softmax": GIVEN + LINE + "  - p[h] = exp(y[h])/sum(k, exp(y[k]))\n",
    "constants": "constants: {a: 2}\nmodel: [y = a**2]\n",
    "a recurrence": "inputs: {x: [1, -2]}\nmodel: ['h[t] = tanh(x[t] + h[t-1])']\n",
    "no values": "inputs: {x: {shape: [2]}}\nmodel: ['y[i] = x[i]**2']\n",
    "a print": GIVEN + LINE + "published: [{name: y, printed: ['5', '11']}]\n",
}


@pytest.mark.parametrize("text", FORWARD.values(), ids=FORWARD)
def test_a_forward_pass_alone_is_told_and_verified(text: str) -> None:
    whole = make(made(text))
    assert whole.problem.forward_only
    assert "def gradients" not in whole.modules["python"]
    report = whole.verify()
    assert report.agree, str(report)
    assert "\\frac{\\partial" not in whole.texts["en"]


def test_a_wrong_number_of_a_forward_pass_is_found() -> None:
    whole = make(made(FORWARD["a table"]))
    wrong = {name: text.replace("y = x", "y = 2.0 * x") for name, text in whole.modules.items()}
    wrong |= {"python": whole.modules["python"].replace("dot(x", "2 * dot(x")}
    routes = {route.name: route.status for route in whole.verify(modules=wrong).routes}
    assert routes["module python"] == routes["module numpy"] == "disagrees"
    pages = {k: text.replace("11 \\end", "12 \\end") for k, text in whole.texts.items()}
    assert not whole.verify(texts=pages).agree


UNSEEN = {
    "read by nothing": "inputs: {x: 3}\nparameters: {w: 2, v: [1, 2]}\nmodel: [y = w*x]\n",
    "read, but not by the loss": "inputs: {x: 3}\nparameters: {w: 2}\nmodel: [z = w, y = x*x]\n",
    "by nothing at all": "inputs: {x: 3}\nparameters: {w: 2}\nmodel: [z = w*x, y = 2]\n",
    "asked for": "inputs: {x: 3}\nparameters: {w: 2}\nmodel: [y = x]\ngradients: [w]\n",
}


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_a_parameter_that_no_loss_sees_has_the_derivative_zero(text: str) -> None:
    whole = make(made(text))
    report = whole.verify()
    assert report.agree, str(report)
    assert "does not depend on" in whole.texts["en"]


ABOVE = {
    "no numbers at all": "inputs: {x: {shape: [2, 3]}}\nparameters: {W: {shape: [4, 3]}}\n",
    "numbers of the rest": "inputs: {x: [[1, 2, 3], [0, 1, 1]]}\n"
    "parameters: {W: {shape: [4, 3], values: 0.5}}\n",
}
PASSED = "model: ['z[n,h] = sum(i, W[h,i]*x[n,i])', 'y[n,h] = tanh(z[n,h])']\n"


@pytest.mark.parametrize("text", ABOVE.values(), ids=ABOVE)
@pytest.mark.parametrize("given", ["y: {shape: [2, 4]}", "y: {shape: [2, 4]}, z: 1"])
def test_a_gradient_from_above_may_be_a_shape(text: str, given: str) -> None:
    whole = make(made(f"{text}{PASSED}upstream: {{{given}}}\n"))
    assert whole.problem.symbolic
    report = whole.verify()
    assert report.agree, str(report)
    assert "gradient from above" in whole.texts["en"]
