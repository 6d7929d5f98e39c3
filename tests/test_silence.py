"""What was once read in silence, and gave a wrong number or none: it is refused, or it works."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import derive
from derive.cli import main
from derive.errors import InputError
from derive.spec import parse_spec

NETWORK = """
network: {inputs: [a], layers: [{dense: [b], activation: logistic}], loss: half_squared_error}
parameters: {W1: [[0.3]], b1: [0.2]}
data: {inputs: [0.5], targets: [1]}
"""
WALK = """
inputs: {x: [[1, 0.5]]}
constants: {c: [0.25, 1], d: [0.5, 2]}
model: ["y[t,k] = x[t,k] + y[t-1,k]\\nEDGES"]
loss: E = sum(t, k, y[t,k]**2)
"""


def walk(*edges: str) -> str:
    return WALK.replace("EDGES", "\\n".join(edges)).replace(
        ", d: [0.5, 2]", "" if not any("d[" in e for e in edges) else ", d: [0.5, 2]"
    )


REFUSED = {
    "a position beyond the end": (
        "parameters: {W: [1, 2]}\nloss: E = W[0] + W[2]**2\n",
        "2: loss: 'W[2]' is not there: positions count from 0, here to 1",
    ),
    "a position before the beginning": (
        "parameters: {W: [[1, 2], [3, 4]]}\nmodel: ['y = W[1,-1]*W[0,0]']\nloss: E = y\n",
        "'W[1,-1]' is not there",
    ),
    "the size as a position": (
        "inputs: {x: [1, 2]}\nmodel: ['y[t] = 2*x[t]']\nloss: E = y[size(t)]**2\n",
        "'y[2]' is not there: positions count from 0, here to 1",
    ),
    "an edge twice": (walk("y[-1,k] = c[k]", "y[-1,k] = c[k]"), "this edge is stated twice"),
    "an edge twice with two values": (walk("y[-1,k] = c[k]", "y[-1,k] = d[k]"), "stated twice"),
    "an edge twice in other words": (
        walk("y[-1,k] = c[k]", "y[-1,j] = c[j]"),
        "first by `y[-1,k] = c[k]`",
    ),
    "two definitions": (
        "inputs: {x: 1}\nmodel:\n  - d = 2*x\n  - e = d\n  - d = 3*e\nloss: E = d\n",
        "5: model.2: 'd' is defined twice; first by `d = 2*x`",
    ),
    "steps and epochs": (
        "inputs: {x: 1}\nparameters: {w: 1}\nloss: E = (w*x)**2\ntraining: {steps: 2, epochs: 3}\n",
        "give either steps or epochs, not both",
    ),
    "samples that differ from the inputs": (
        "inputs: {x: 1}\nparameters: {w: 0.5}\nloss: E = (w*x - 1)**2\nsamples: [{x: 2}]\n",
        "1: inputs.x: 'x' has other values here than in the first of the samples",
    ),
    "more entries than fit": (
        "inputs: {x: {shape: [100000, 100000]}}\nmodel: ['y = sum(i, j, x[i,j])']\n",
        "inputs.x.shape: this has 10,000,000,000 entries; a quantity has at most 10,000,000",
    ),
    "a size that is not that of an axis": (
        "inputs: {x: [1, 2, 3]}\nsizes: {i: 4}\nloss: E = sum(i, x[i])\n",
        "2: sizes.i: the index 'i' runs over 4 values but meets an axis of 'x' with 3",
    ),
    "a size that is not that of an axis of the model": (
        "inputs: {x: [1, 2, 3]}\nsizes: {i: 4}\nmodel: ['y[i] = 2*x[i]']\nloss: E = y[0]\n",
        "2: sizes.i: the index 'i' runs over 4 values but meets an axis of 'x' with 3",
    ),
    "a size that does not fit what a layer reads": (
        "inputs: {x: [1, 2, 3]}\nmodel:\n  - layer: dense\n    inputs: x\n    output: y\n"
        "    sizes: {h: 2, i: 4}\nloss: E = sum(h, y[h])\n",
        "6: model.0.sizes.i: dense 'y': the letter 'i' has 3 values in 'x' but 4 in its sizes",
    ),
    "a first sample of another shape": (
        "inputs: {x: {shape: [3]}}\nloss: E = x[0]\nsamples: [{x: [1, 2]}]\n",
        "3: samples.0.x: the shape must be 3, but here is a list of 2",
    ),
    "a Greek letter of a name": ("parameters: {theta: 1}\nloss: E = 2*θ\n", "write theta"),
    "a capital": ("parameters: {w: 1}\nloss: E = Ω*w\n", "'Ω' is not in the language; write Omega"),
    "a word of code": ("parameters: {w: 1}\nloss: E = λ*w\n", "write lambda_"),
    "a slanted letter": ("parameters: {w: 1}\nloss: E = 𝛼*w\n", "write alpha"),
    "a Greek name": (
        "parameters: {θ_1: 1}\nloss: E = 2*w\n",
        "letters, digits and _; write theta_1",
    ),
    "a Greek letter": ("parameters: {w: 1}\nloss: E = σ(w)\n", "'σ' is not in the language; write"),
    "a sign of another keyboard": ("parameters: {w: 1}\nloss: E = w × w\n", "write *"),
    "sigma": ("parameters: {w: 1}\nloss: E = sigma(w)\n", "did you mean 'logistic'?"),
    "a gradient without numbers": (
        "inputs: {x: [1]}\nmodel: ['y[i] = 2*x[i]']\nupstream: {y: {}}\n",
        "upstream.y: a gradient is given by numbers, one for all entries, or by {shape: [1]}",
    ),
}
UNDERSTOOD = {
    "samples that begin with the inputs": (
        "inputs: {x: 2}\nparameters: {w: 0.5}\nloss: E = (w*x - 2)**2\nsamples: [{x: 2}, {x: 3}]\n"
        "training: {learning_rate: 0.1}\n",
        {"E": 1},
    ),
    "the last entry in the loss": (
        "inputs: {x: [3, 1, 2]}\nmodel: ['y[t] = 2*x[t]']\nloss: E = y[size(t)-1]**2\n",
        {"E": 16},
    ),
    "a size that only the loss shows": (
        "parameters: {w: 2}\ntargets: {t: [1, 2, 3]}\nmodel: ['y[k] = w*k']\n"
        "loss: E = sum(k, (y[k] - t[k])**2)\n",
        None,
    ),
    "the smallest of many": (
        "inputs: {x: [3, 1, 2]}\nloss: E = min(i, x[i])**2\n",
        {"E": 1, "dE/dx[1]": 2, "dE/dx[0]": 0},
    ),
    "the smallest over two letters": (
        "parameters: {W: [[3, 1], [2, 5]]}\nmodel: ['y[i] = min(j, W[i,j])']\n"
        "loss: E = sum(i, y[i])*min(i, j, W[i,j])\n",
        {"E": 3, "dE/dW[0,1]": 4, "dE/dW[1,0]": 1},
    ),
    "a gradient with its shape": (
        "inputs: {x: [1, 2]}\nparameters: {w: 3}\nmodel: ['y[i] = w*x[i]']\n"
        "upstream: {y: {shape: [2], values: 2}}\n",
        {"dE/dw": 6},
    ),
    "an edge of another position": (walk("y[-1,k] = c[k]"), None),
}


def problem(text: str) -> derive.Problem:
    return derive.build(parse_spec(text.lstrip("\n"), "silent.yaml", "silent"))


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_its_place(what: str) -> None:
    text, words = REFUSED[what]
    with pytest.raises(InputError) as caught:
        problem(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("what", UNDERSTOOD)
def test_it_is_understood(what: str) -> None:
    text, expected = UNDERSTOOD[what]
    if expected is None:
        problem(text)
        return
    prints = ", ".join(f"{{name: '{k}', printed: '{v}'}}" for k, v in expected.items())
    report = derive.verify(problem(f"{text}published: [{prints}]\n"))
    assert report.agree, [route.detail for route in report.routes]


def test_a_module_that_is_checked_warns_of_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "far.yaml"
    spec.write_text(FAR)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert main(["verify", str(spec)]) == 2
    assert not seen
    assert "code holds numbers up to 1.8e+308 only" in capsys.readouterr().err


FAR = """
network:
  inputs: 1
  layers: [{dense: 2, activation: softmax}]
  loss: label_smoothing_cross_entropy
parameters: {W1: [[1], [0]], b1: [410, -440]}
data: {inputs: [[1]], targets: [[1, 0]]}
training: {optimizer: radam, order: layer_by_layer, steps: 3}
"""
