"""Modules of PyTorch: what they compute, how they meet autograd, and what may not stand in one.

Where PyTorch is not installed only the texts are looked at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import derive
from derive.emit.checked import Refused, checked
from derive.emit.run import load
from derive.emit.targets import TARGETS
from derive.pipeline import Made, make
from derive.problem import Problem
from derive.scaffold import scaffold
from derive.spec import builtin_names
from derive.verify.report import Status
from tests.emit.test_emit_checked import TOP
from tests.emit.test_emit_jax import (
    CLOSE,
    RECURRENT,
    ROWS,
    TWO_LETTERS,
    numbers,
    problem_of,
    source_of,
)
from tests.emit.test_emit_models import ALL
from tests.sampled import sampled

SMOOTH = ("layer_norm", "gelu", "lstm", "multi_head_attention", "conv2d", "max_pool2d")
SMALL = "inputs: {x: 0.7}\nparameters: {w: 0.3}\nmodel: [y = exp(w*x)]\nloss: E = y\n"
WHOLE = """\
parameters: {V: [[0.1, 0.2], [0.3, 0.4], [0.5, -0.2]], loss: 0.3, half: 0.2}
inputs: {place: [2, 0]}
integers: [place]
model: ['y[n,k] = tanh(loss*V[place[n],k])']
loss: E = half*sum(n, k, y[n,k]**2)
training: {frozen: [half]}
"""


def torch_of(problem: Problem) -> dict[str, Any]:
    return dict(load(problem, source_of(problem, "torch"), "torch").namespace)


def check(problem: Problem) -> None:
    if problem.symbolic:
        return
    found, expected = (
        numbers(load(problem, source_of(problem, target), target).run())
        for target in ("torch", "numpy")
    )
    assert found == pytest.approx(expected, rel=CLOSE, abs=CLOSE, nan_ok=True)


@pytest.mark.parametrize("name", ["article", "deep", "tiny_rnn"])
def test_a_module_computes_what_that_of_numpy_does(name: str) -> None:
    pytest.importorskip("torch")
    check(derive.load(name))


SCHEDULED = (
    f"{SMALL}training: {{learning_rate: 0.1, steps: 4, optimizer: adam, schedule: one_cycle}}\n"
)


CHOSEN = f"{SMALL}training: {{learning_rate: '0.1*exp(-where(k > 1, 1, 2))', steps: 4}}\n"
TAKEN = """\
parameters: {names: 0.3, training: 0.2, training_: 0.5, training__: 0.7}
loss: E = names**2*training + 2*training_ + training__**3
"""


@pytest.mark.parametrize("text", [TWO_LETTERS, SMALL, WHOLE, SCHEDULED, CHOSEN])
def test_an_equation_is_computed(text: str) -> None:
    pytest.importorskip("torch")
    check(problem_of(text))


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ROWS, 2))
def test_a_row_is_computed(name: str) -> None:
    pytest.importorskip("torch")
    check(problem_of(scaffold(name, False)))


SINGLE = ("lstm", "conv2d", "multi_head_attention", "layer_norm", "gelu", "crf")


@pytest.mark.parametrize("name", SINGLE)
def test_a_module_computes_in_singles_if_it_is_told_to(name: str) -> None:
    torch, problem = pytest.importorskip("torch"), problem_of(scaffold(name, False))
    source, found = source_of(problem, "torch"), []
    for said in ("DTYPE = torch.float64", "DTYPE = torch.float32"):
        module: dict[str, Any] = {"__name__": "emitted"}
        exec(source.replace("DTYPE = torch.float64", said), module)
        value, slopes = module["value_and_gradients"](module["PARAMETERS"], module["SAMPLE"])
        assert {each.dtype for each in (value, *slopes)} == {module["DTYPE"]}
        found.append(torch.cat([each.reshape(-1).double() for each in (value, *slopes)]))
    assert torch.allclose(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ALL, 2))
def test_an_equation_of_any_kind_is_computed(name: str) -> None:
    pytest.importorskip("torch")
    check(problem_of(ALL[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(builtin_names(), 2))
def test_a_built_in_spec_is_computed(name: str) -> None:
    pytest.importorskip("torch")
    check(derive.load(name))


def by_autograd(problem: Problem) -> tuple[Any, dict[str, Any], list[Any]]:
    """PyTorch, a module, and its given tensors as those of which it takes derivatives."""
    torch, module = pytest.importorskip("torch"), torch_of(problem)
    held = [*module["PARAMETERS"], *module["SAMPLE"]]
    taken = zip(held, module["SLOPES"], strict=True)
    return torch, module, [each.clone().requires_grad_(bool(slope)) for each, slope in taken]


@pytest.mark.parametrize("text", [RECURRENT, TWO_LETTERS, SMALL, WHOLE])
def test_the_gradients_and_their_derivatives_are_slopes(text: str) -> None:
    torch, module, held = by_autograd(problem_of(text))
    assert torch.autograd.gradcheck(module["Loss"].apply, held)
    assert torch.autograd.gradgradcheck(module["Loss"].apply, held)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMOOTH)
def test_the_gradients_of_a_row_and_their_derivatives_are_slopes(name: str) -> None:
    torch, module, held = by_autograd(problem_of(scaffold(name, False)))
    assert torch.autograd.gradcheck(module["Loss"].apply, held)
    assert torch.autograd.gradgradcheck(module["Loss"].apply, held)


def test_a_wrong_gradient_is_no_slope() -> None:
    torch = pytest.importorskip("torch")
    problem = problem_of(SMALL)
    source = source_of(problem, "torch")
    broken = source.replace("dE_dw = ", "dE_dw = 1.01 * ")
    assert broken != source
    module = load(problem, broken, "torch").namespace
    held = [each.requires_grad_() for each in (*module["PARAMETERS"], *module["SAMPLE"])]
    assert not torch.autograd.gradcheck(module["Loss"].apply, held, raise_exception=False)


def test_a_model_is_trained_by_an_optimizer_of_pytorch() -> None:
    """It goes the way of `train`, and its loss may be part of a larger one."""
    torch, problem = pytest.importorskip("torch"), derive.load("article")
    module = torch_of(problem)
    model, sample = module["Model"](module["PARAMETERS"]), module["SAMPLE"]
    optimizer = torch.optim.SGD(model.parameters(), lr=module["LEARNING_RATE"] / 2)
    for _ in range(5):
        optimizer.zero_grad()
        (2 * model(sample) + 1).backward()
        optimizer.step()
    expected, _ = module["train"](module["PARAMETERS"], sample, module["LEARNING_RATE"], 5)
    found = dict(model.named_parameters())
    assert sorted(found) == sorted(module["Parameters"]._fields)
    for name, value in expected._asdict().items():
        assert torch.allclose(found[name], value, rtol=1e-12, atol=0)


def test_names_that_a_module_of_pytorch_has_are_left_to_it() -> None:
    """What is not trained is a buffer, and a name that is taken gets a mark."""
    pytest.importorskip("torch")
    module = torch_of(problem_of(WHOLE))
    model = module["Model"](module["PARAMETERS"])
    assert sorted(dict(model.named_parameters())) == ["V", "loss_"]
    assert sorted(dict(model.named_buffers())) == ["half_"]
    model(module["SAMPLE"]).backward()
    assert model.loss_.grad == module["gradients"](module["PARAMETERS"], module["SAMPLE"]).dE_dloss


def test_every_parameter_has_a_name_of_its_own() -> None:
    torch, module, _ = by_autograd(problem_of(TAKEN))
    model = module["Model"](module["PARAMETERS"])
    assert len(dict(model.named_parameters())) == 4
    model(module["SAMPLE"]).backward()
    found = [each.grad for each in model.parameters()]
    slopes = module["gradients"](module["PARAMETERS"], module["SAMPLE"])
    assert torch.equal(torch.stack(found), torch.stack([*slopes]))


def test_a_derivative_that_a_module_does_not_have_is_not_silently_none() -> None:
    _, module, _ = by_autograd(derive.load("article"))
    sample = [each.clone().requires_grad_() for each in module["SAMPLE"]]
    value = module["Loss"].apply(*module["PARAMETERS"], *sample)
    with pytest.raises(ValueError, match="these derivatives only: dE_dW1, dE_dW2"):
        value.backward()


@pytest.mark.slow
def test_a_module_is_a_route_of_verify() -> None:
    pytest.importorskip("torch")
    made = replace(make(problem_of(RECURRENT)), targets=("python", "torch"))
    assert verdict(made) is Status.AGREES
    right = made.modules["torch"]
    broken = right.replace("learning_rate * ", "1.01 * learning_rate * ")
    assert broken != right
    wrong = replace(made)
    vars(wrong)["modules"] = {**made.modules, "torch": broken}
    assert verdict(wrong) is Status.DISAGREES


def verdict(made: Made) -> Status:
    return next(route.status for route in made.verify().routes if route.name == "module torch")


@cache
def recurrent() -> str:
    return source_of(problem_of(RECURRENT), "torch")


def test_a_module_is_on_the_list() -> None:
    checked(recurrent())
    checked(source_of(problem_of(scaffold("gelu", False)), "torch"))
    checked(source_of(derive.load("digits"), "torch"))
    assert TARGETS["torch"].suffix == "_torch.py"


@pytest.mark.parametrize("attack", TOP)
def test_an_attack_is_refused(attack: str) -> None:
    place = recurrent().index("\n\nclass Parameters")
    with pytest.raises(Refused):
        checked(f"{recurrent()[:place]}\n{attack}\n{recurrent()[place:]}")


OF_TORCH = [
    ("import torch\n", "import torch\nimport torch.utils\n"),
    ("import torch\n", "import torch as np\n"),
    ("torch.tanh(", "torch.load("),
    ("torch.tanh(", "torch.hub.load("),
    ("torch.tanh(", "torch.special.load("),
    ("torch.tanh(", "torch.ops.load_library("),
    ("x.clone() if", "x.numpy() if"),
    ("DTYPE = torch.float64", "DTYPE = torch.load('PWNED')"),
    ("class Loss(torch.autograd.Function)", "class Loss(torch.utils.data.Dataset)"),
    ("ctx.save_for_backward(*tensors, *slopes)", "torch.save(tensors, 'PWNED')"),
    ("super().__init__()", "super().__init__(); print('PWNED')"),
    ("getattr(slopes, name, None)", "getattr(torch, name, None)"),
    ("class Model(torch.nn.Module)", "class Other(torch.nn.Module)"),
    ("class Model(", "@(lambda c: print('PWNED') or c)\nclass Model("),
    ("class Loss(", "@torch.no_grad()\nclass Loss("),
    ("    return laid", "    getattr(x, 'tofile')('PWNED')\n    return laid"),
]


@pytest.mark.parametrize(("old", "new"), OF_TORCH)
def test_an_attack_by_pytorch_is_refused(old: str, new: str) -> None:
    assert old in recurrent()
    with pytest.raises(Refused):
        checked(recurrent().replace(old, new, 1))
