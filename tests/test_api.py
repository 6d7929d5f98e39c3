"""The functions of the package as a user calls them, on built-in specs and on many small ones."""

from __future__ import annotations

import itertools
import random
import re

import pytest

import derive
from derive import Made, Problem, Report
from derive.emit import USUAL, execute
from derive.spec import builtin_names
from derive.verify import Status
from tests.verify_support import NEURON, made, problem

SLOW = {"many_rounds", "deep"}


def wrong(report: Report) -> list[object]:
    """What a report disagrees on, to be shown when a test fails."""
    return [each for each in (*report.routes, *report.numbers) if each.status is Status.DISAGREES]


def test_the_example_of_the_package() -> None:
    spec = derive.load("article")
    derivation = derive.differentiate(spec.graph)
    text = derive.render(spec, "en")
    source = derive.emit(spec, derivation, "python")
    report = derive.verify(spec)
    assert isinstance(spec, Problem)
    assert text == made("article").texts["en"]
    assert source == made("article").modules["python"]
    assert report.agree, wrong(report)
    assert all(hasattr(derive, name) for name in derive.__all__)


def test_a_page_in_either_language() -> None:
    spec = derive.load("neuron")
    assert "A single neuron" in derive.render(spec)
    assert "뉴런 하나" in derive.render(spec, "ko")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in builtin_names()
        if name != "digits"
    ],
)
def test_built_in_specs_verify(name: str) -> None:
    report = made(name).verify()
    assert report.agree, wrong(report)
    assert {r.name for r in report.routes} >= {"SymPy", "differences", "steps", "module python"}


@pytest.mark.parametrize("target", sorted(USUAL))
def test_a_large_classifier_is_emitted(target: str) -> None:
    spec = derive.load("digits")
    assert spec.symbolic
    source = derive.emit(spec, derive.differentiate(spec.graph), target)
    compile(source, target, "exec")
    assert "784" in source


def test_the_numbers_of_the_article() -> None:
    report = made("article").verify()
    published = [row for row in report.numbers if row.published is not None]
    misprints = {row.name: row.published for row in published if row.status is Status.MISPRINT}
    assert len(published) == 64
    assert sum(row.status is Status.AGREES for row in published) == 59
    assert misprints == {
        "dE_total/dw5": "0.0714",
        "dE_total/dout_h1": "0.0099",
        "dE_total/dw2": "0.0002475",
        "dE_total/dout_h2": "0.01255",
        "dE_total/dw4": "0.0003136",
    }
    assert all(row.explanation for row in published if row.status is Status.MISPRINT)


def test_an_unknown_weight_is_refused_with_the_nearest() -> None:
    with pytest.raises(derive.InputError, match="did you mean 'w5'"):
        derive.make(derive.load("article"), ["en"], ["w55"])


@pytest.mark.parametrize("name", ["artcle", "no such file.yaml"])
def test_an_unknown_spec_is_refused(name: str) -> None:
    with pytest.raises(derive.InputError, match="no built-in spec of that name"):
        derive.load(name)


def shown(text: str) -> str:
    """The body of a page without its figures."""
    body = text.partition(r"\begin{document}")[2]
    return re.sub(r"\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}", "", body, flags=re.S)


def test_a_symbolic_page_has_no_numbers() -> None:
    whole = derive.make(problem(without_values(NEURON)))
    assert re.findall(r"\d+\.\d+(?!\d*pt)", shown(whole.texts["en"])) == []
    texts = {entry.text for entry in whole.page.numbers.values()}
    assert texts == {None, "1"}  # the derivative by a bias is 1 whatever the values
    report = whole.verify()
    assert report.agree, wrong(report)
    module = execute(whole.problem, whole.modules["python"], "python", numbers_for(whole))
    assert module.loss > 0


def without_values(text: str) -> str:
    """A spec without its numbers."""
    return re.sub(r"^(parameters|data):.*?(?=^\S)", "", text, flags=re.S | re.M)


def numbers_for(whole: Made) -> dict[str, dict[tuple[int, ...], float]]:
    return {
        q.name: dict.fromkeys(itertools.product(*map(range, q.shape)), 0.5)
        for q in whole.problem.graph.given
    }


OWN = """
network:
  inputs: 2
  layers:
    - {dense: 2, activation: mish}
    - {dense: 1, activation: "f(x) = x/(1 + abs(x))"}
  loss: pseudo_huber
parameters: {W1: [[0.4, -0.7], [1.1, 0.3]], b1: [0.1, -0.2], W2: [[0.6, -0.9]], b2: [0.05]}
data: {inputs: [0.8, -0.5], targets: [0.25]}
training: {steps: 10}
define:
  activations: {mish: "f(x) = x*tanh(log(1 + exp(x)))"}
  losses: {pseudo_huber: "f(y, t) = sqrt(1 + (y - t)**2) - 1"}
"""


@pytest.mark.parametrize("symbolic", [False, True], ids=["values", "symbolic"])
def test_functions_of_the_user_are_derived_and_verified(symbolic: bool) -> None:
    whole = derive.make(problem(without_values(OWN) if symbolic else OWN))
    report = whole.verify()
    assert report.agree, wrong(report)
    assert whole.problem.symbolic is symbolic


# --- a matrix of small networks -------------------------------------------------------------

HIDDEN = ("identity", "logistic", "tanh", "relu", "softmax")
ENDS = (
    ("identity", "half_squared_error"),
    ("tanh", "mean_squared_error"),
    ("logistic", "binary_cross_entropy"),
    ("softmax", "categorical_cross_entropy"),
    ("softmax", "half_squared_error"),
    ("relu", "mean_squared_error"),
)
BIASES = ("each", "shared", "none")
COMBINATIONS = list(itertools.product(HIDDEN, ENDS, BIASES, (1, 2), (1, 2, 3), (True, False)))
CHOSEN = random.Random(20).sample(COMBINATIONS, 20)
Combination = tuple[str, tuple[str, str], str, int, int, bool]


def spec(combination: Combination) -> str:
    """A spec of the combination, with drawn values where it is to have values."""
    hidden, (last, loss), bias, batch, depth, valued = combination
    source = random.Random(str(combination))
    sizes = [2, *(source.choice((2, 3)) for _ in range(depth - 1)), 2]

    def numbers(*shape: int) -> object:
        if not shape:
            return round(source.uniform(-0.9, 0.9), 2)
        return [numbers(*shape[1:]) for _ in range(shape[0])]

    layers, parameters = [], {}
    for k, (before, units) in enumerate(itertools.pairwise(sizes), 1):
        activation = last if k == depth else hidden
        layers.append(f"{{dense: {units}, bias: {bias}, activation: {activation}}}")
        parameters[f"W{k}"] = numbers(units, before)
        if bias != "none":
            parameters[f"b{k}"] = numbers(units) if bias == "each" else numbers()
    lines = ["network:", "  inputs: 2", f"  layers: [{', '.join(layers)}]"]
    lines += [f"  loss: {{name: {loss}, batch: {source.choice(('mean', 'sum'))}}}"]
    lines += ["training: {steps: 3, learning_rate: 0.1}", "languages: [en]"]
    if not valued:
        return "\n".join([*lines, f"data: {{batch: {batch}}}"])
    targets = [source.choice(([1, 0], [0, 1])) for _ in range(batch)]
    lines += [f"parameters: {parameters}"]
    return "\n".join([*lines, f"data: {{inputs: {numbers(batch, 2)}, targets: {targets}}}"])


def test_the_sample_has_every_choice() -> None:
    for k, choices in enumerate((HIDDEN, ENDS, BIASES, (1, 2), (1, 2, 3), (True, False))):
        assert {combination[k] for combination in CHOSEN} == set(choices)


@pytest.mark.parametrize("combination", CHOSEN, ids=lambda c: "-".join(map(str, c)))
def test_small_networks_verify(combination: Combination) -> None:
    whole = derive.make(problem(spec(combination)))
    report = whole.verify()
    assert report.agree, wrong(report)
    assert whole.problem.symbolic is not combination[-1]
    assert whole.problem.batch == combination[3]
