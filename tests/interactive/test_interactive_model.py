"""The page of a model: its program gives the digits of the page, its picture shows all readings."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import derive
from derive.backprop import differentiate
from derive.build import build
from derive.cli import main
from derive.interactive.graph_picture import (
    BOX,
    MOST_NODES,
    graph_picture,
    laid_out,
    leads_back,
    strokes,
)
from derive.interactive.model import Model, model_data
from derive.languages import LANGUAGES
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.numbers import NumberFormat
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.model_form import ModelForm
from derive.render.model_update import trained, update
from derive.render.tensor_values import Values
from derive.render.worked import bench_of
from derive.scaffold import scaffold
from derive.spec import parse_spec
from tests.interactive_support import MODELS, data_of, executed, html, written
from tests.sampled import sampled

FEW = ("adam_step", "attention_by_hand", "gru_by_hand", "max_pooling", "tiny_rnn")
ROWS = tuple(dict.fromkeys((*LAYERS, *loss_names())))
RUN = """
const { data, cases } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((given) => {
  try {
    const { text, chained } = modelComputed(data, given.map((t) => t && t.map(read)), data.format);
    return { text, chained };
  } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    return { q: error.key };
  }
})));
"""


def expected(problem: Problem) -> tuple[Values, bool] | None:
    """All numbers of a page of the program, and whether they are carried rounded."""
    derivation = differentiate(problem.graph, problem.wanted)

    def tell(carrying: Problem) -> tuple[Values, bool]:
        form = ModelForm(carrying, derivation)
        bench = bench_of(form)
        assert bench is not None
        if not problem.forward_only and trained(form):
            update(form, bench.values)
        return bench.values, carrying.numbers.chained

    try:
        return carried(problem, tell)[1]
    except (ArithmeticError, ValueError):
        return None


def agree(problem: Problem, cases: list[Problem]) -> None:
    """The program in the page gives every text of the page, for each of the cases."""
    model = Model(problem, differentiate(problem.graph, problem.wanted))
    data = model_data(model)
    given = []
    for case in cases:
        values = [quantity.get("v") for quantity in data["quantities"]]
        for name, tensor in case.values.items():
            values[model.numbers[name]] = [written(tensor[place]) for place in sorted(tensor)]
        given.append(values)
    for case, found in zip(cases, executed(RUN, {"data": data, "cases": given}), strict=True):
        wanted = expected(case)
        if wanted is None:
            assert "q" in found
            continue
        values_of, chained = wanted
        assert found["chained"] == chained
        for (name, place), text in values_of.texts.items():
            where = 0
            for k, size in zip(place, model.shapes[name], strict=True):
                where = where * size + k
            assert found["text"][model.numbers[name]][where] == text, (name, place)


def changed(problem: Problem, rng: random.Random) -> Problem:
    """A problem with a few other given numbers; whole ones stay."""
    values = {name: dict(tensor) for name, tensor in problem.values.items()}
    for name in rng.sample(sorted(values), min(3, len(values))):
        if not problem.graph.quantities[name].integer:
            place = rng.choice(sorted(values[name]))
            values[name][place] = Fraction(rng.randint(-2000, 2000), 1000)
    return replace(problem, values=values)


@pytest.mark.parametrize("name", FEW)
def test_the_program_gives_the_numbers_of_the_page(name: str) -> None:
    problem = derive.load(name)
    agree(problem, [problem])


NODES = {
    "a step that only the rounding makes": """\
inputs: {x: [0.3, 0.6, 0.2]}
parameters: {w: [0.5, -0.2, 0.9], b: 0.4}
model: ["s[k] = w[k]*x[k] + b", "p[k] = softmax(k, s[k])"]
loss: E = -log(p[0])
training: {learning_rate: 0.1, optimizer: adam}
""",
    "a derivative of which only noise is left": """\
parameters: {w: [9000.1, 5900.3, 5800.7], b: 4}
constants: {c: [1.3, 3.1, 2.7]}
model: ["s[k] = 0.37*w[k] + b", "p[k] = softmax(k, s[k])"]
loss: E = sum(k, p[k]*c[k])
training: {learning_rate: 0.1, optimizer: lion}
numbers: {chained: false}
""",
    "a tie goes to the first": """\
inputs: {x: [[2, 2, 1], [0, 3, 3]]}
model: ["y[n] = max(i, x[n,i])", "z[i] = max(x[0,i], x[1,i])"]
loss: E = sum(n, y[n]**2) + sum(i, z[i]**3)
gradients: [x]
""",
    "windows with a step, and outside of the range": """\
inputs: {x: [0.5, -1, 2, 0.3, 1.2]}
parameters: {w: [0.2, -0.7, 0.4]}
model: ["y[o] = sum(k, w[k]*x[2*o + k - 1])"]
sizes: {o: 3}
loss: E = sum(o, exp(y[o])*o)
gradients: [x, w]
""",
    "places that are divided": """\
inputs: {x: [[0.5, -1], [2, 0.3]], t: [1, 0.5, -1, 2, 0.7]}
parameters: {w: [0.2, -0.7]}
model: ["y[i] = x[(i - 1)//2,(i - 1)%2]*w[i//3]*t[i]*(i%2 + 1)"]
loss: E = sum(i, y[i]**2)
gradients: [x, w]
""",
    "whole numbers as places": """\
inputs: {k: [1, 0, 2, 1]}
integers: [k]
parameters: {W: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]}
model: ["y[t,d] = W[k[t],d]"]
loss: E = sum(t, d, y[t,d]**2*(t + 1))
""",
    "windows that only count": """\
inputs: {x: [0.5, -1, 2, 0.3, 1.2]}
model: ["y[o] = sum(k, x[2*o + k - 1]*(k + 1))"]
sizes: {o: 3, k: 3}
loss: E = sum(o, y[o])
gradients: [x]
""",
    "0 log 0": """\
inputs: {p: [0, 1, 0.5]}
parameters: {w: [0.3, 0.2, 0.8]}
model: ["y[i] = w[i]*p[i]*log(p[i])"]
loss: E = sum(i, y[i])
gradients: [w]
""",
    "what arrives with the factor 0": """\
inputs: {x: [0, 2]}
parameters: {w: [0, 3]}
model: ["z[i] = x[i]*w[i]", "y = sqrt(sum(i, z[i]**2))"]
loss: E = 0*y
gradients: [w]
""",
    "parameters that move in their turn": """\
inputs: {x: [1, 0.5]}
targets: {t: 0.3}
parameters: {W: [[0.2, -0.4], [0.6, 0.1]], v: [0.7, -0.3]}
model: ["h[k] = tanh(sum(i, W[k,i]*x[i]))", "y = sum(k, v[k]*h[k])"]
loss: E = (y - t)**2/2
training: {learning_rate: 0.5, steps: 3, order: layer_by_layer, optimizer: momentum}
""",
    "nothing to be differentiated": """\
inputs: {x: [1, 0.5]}
model: ["y[i] = exp(x[i])"]
""",
    "the log of a sum": """\
inputs: {x: [0.5, 700, -3]}
model: ["y = log(sum(i, exp(x[i])))"]
loss: E = y*y
gradients: [x]
""",
}


@pytest.mark.parametrize("kind", NODES)
def test_each_node_of_the_language_is_computed(kind: str) -> None:
    problem = build(parse_spec(NODES[kind], kind, "node"))
    assert expected(problem) is not None
    agree(problem, [problem])


@pytest.mark.slow
@pytest.mark.parametrize("chained", [True, False])
@pytest.mark.parametrize("name", sampled(MODELS, 3))
def test_and_after_edits_they_are_those_of_the_program(name: str, chained: bool) -> None:
    problem = derive.load(name)
    problem = replace(problem, numbers=replace(problem.numbers, chained=chained))
    rng = random.Random(name)
    agree(problem, [problem, *(changed(problem, rng) for _ in range(3))])


@pytest.mark.slow
@pytest.mark.parametrize("row", sampled(ROWS, 8))
def test_each_row_of_the_library_has_a_page_with_its_digits(row: str) -> None:
    problem = build(parse_spec(scaffold(row, False), row, row))
    problem = replace(problem, numbers=NumberFormat(5))
    agree(problem, [problem])
    text = derive.interactive.page(problem, differentiate(problem.graph, problem.wanted), "ko")
    assert data_of(text)["lines"]["forward"]


@pytest.mark.slow
def test_every_equation_stands_on_the_page() -> None:
    for name in FEW:
        problem = derive.load(name)
        derivation = differentiate(problem.graph, problem.wanted)
        data = data_of(html(name))
        names = [quantity["n"] for quantity in data["quantities"]]
        shown = {stage: [names[line["q"]] for line in data["lines"][stage]]
                 for stage in ("forward", "gradients")}  # fmt: skip
        assert shown["forward"] == [e.quantity.name for e in problem.graph.equations]
        assert len(shown["gradients"]) == len(derivation.backward.equations)
        assert all(line["shown"] for stage in data["lines"].values() for line in stage)


def test_a_template_has_a_hole_for_each_number() -> None:
    def holes(template: dict[str, Any]) -> None:
        marks = [c for c in template["x"] if "\ue000" <= c <= "\uf8ff"]
        assert marks == [chr(0xE000 + k) for k in range(len(template["h"]))]
        shown = re.findall("[\ue000-\uf8ff]|&#x0E0", template["m"])
        assert len(template["g"]) == len(marks) == len(shown)
        for each in template["h"]:
            if isinstance(each, dict):
                holes(each["body"])

    worked = [each["w"] for name in FEW for each in data_of(html(name))["worked"]]
    assert len(worked) > 30
    for template in worked:
        holes(template)


# --- the picture ------------------------------------------------------------------------------


@pytest.mark.parametrize("standing", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_no_box_of_a_picture_lies_on_another(name: str, standing: bool) -> None:
    graph = derive.load(name).graph
    laid = laid_out(graph, standing)
    along, across = (BOX[1], BOX[0]) if standing else BOX
    assert {*graph.quantities} == {*laid.centres}
    for one, other in combinations(graph.quantities, 2):
        (x, y), (u, v) = laid.centres[one], laid.centres[other]
        assert abs(x - u) >= along or abs(y - v) >= across, (one, other)
    ahead = {s for s in strokes(graph) if not leads_back(graph, s)}
    assert ahead <= {*laid.passes}
    assert all(laid.centres[a][0] + along < laid.centres[b][0] for a, b in ahead)


def test_every_quantity_is_a_button_and_a_large_graph_has_no_picture() -> None:
    for name in FEW:
        problem = derive.load(name)
        model = Model(problem, differentiate(problem.graph, problem.wanted))
        made = graph_picture(model, False)
        assert made.count('role="button"') == len(problem.graph.quantities) <= MOST_NODES
    many = "\n".join(f"  - y{k} = y{k - 1}*2" for k in range(1, MOST_NODES + 2))
    spec = (
        f"inputs: {{x: 1}}\nparameters: {{w: 2}}\nmodel:\n  - y0 = w*x\n{many}\nloss: E = y3**2\n"
    )
    problem = build(parse_spec(spec, "many", "many"))
    assert graph_picture(Model(problem, differentiate(problem.graph)), False) == ""


# --- large, missing ---------------------------------------------------------------------------


def large_network(size: int) -> str:
    """A network of two layers of one size, with drawn values."""
    rng = random.Random(1)

    def table(rows: int) -> list[list[float]]:
        return [[round(rng.uniform(-0.3, 0.3), 3) for _ in range(size)] for _ in range(rows)]

    spec = {
        "title": "Large",
        "network": {
            "inputs": size,
            "layers": [
                {"dense": size, "activation": "tanh"},
                {"dense": size, "activation": "logistic"},
            ],
            "loss": "half_squared_error",
        },
        "parameters": {"W1": table(size), "b1": table(1)[0], "W2": table(size), "b2": table(1)[0]},
        "data": {"inputs": table(1)[0], "targets": table(1)[0]},
        "training": {"learning_rate": 0.1, "steps": 100},
    }
    return json.dumps(spec)


def test_a_large_network_is_told_as_a_model(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text(large_network(64), "utf-8")
    file = tmp_path / "large.html"
    assert main(["html", str(tmp_path / "large.yaml"), "-o", str(file)]) == 0
    data = data_of(file.read_text("utf-8"))
    assert {"W1", "net1", "out2", "dE/dW1", "W2+"} <= {q["n"] for q in data["quantities"]}
    assert file.stat().st_size < 500_000


def test_what_has_no_numbers_has_no_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["html", "digits"]) == 2
    assert "values are missing" in capsys.readouterr().err


def test_what_is_too_large_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = {
        "inputs": {"x": [[1] * 30] * 30},
        "parameters": {"w": [[1] * 30] * 30},
        "model": ["y[a,b,c,d] = x[a,b]*w[c,d]"],
        "loss": "E = sum(a, b, c, d, y[a,b,c,d])",
    }
    (tmp_path / "large.yaml").write_text(json.dumps(spec), "utf-8")
    assert main(["html", str(tmp_path / "large.yaml")]) == 2
    assert "multiplications" in capsys.readouterr().err


def test_an_update_says_which_parameter_it_is_of() -> None:
    text = (
        "inputs: {x: [1, 2]}\nparameters: {W: [0.5, 0.2], W1: 0.3}\n"
        "loss: E = (sum(i, W[i]*x[i]) - W1)**2\n"
        "training: {learning_rate: 0.1, optimizer: momentum, steps: 2}\n"
    )
    problem = build(parse_spec(text, "spec.yaml", "spec"))
    data = model_data(Model(problem, differentiate(problem.graph, problem.wanted)))
    names = [each["n"] for each in data["quantities"]]
    of = {
        names[move["q"]]: names[move["of"]]
        for stage in data["program"]["stages"]
        for move in stage["moves"]
    }
    assert len(of) == 4
    assert {name: each for name, each in of.items() if each == "W1"}.keys() == {
        name for name in of if "W1" in name
    }


def test_what_a_graph_draws_stands_beside_it_in_every_language_and_without_numbers() -> None:
    whole = html("conv2d_by_hand")
    figures = re.findall(r"<figure>(.*?)</figure>", whole, re.DOTALL)
    assert len(figures) == 2
    for figure in figures:
        assert re.findall(r'<p lang="(\w+)">', figure) == list(LANGUAGES)
        assert "<style" not in figure
        assert 'class="number"' not in figure
        assert "$" not in figure
    assert "<figure>" not in html("one_derivative")
