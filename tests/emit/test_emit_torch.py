"""Modules of PyTorch: how they meet autograd, and what may not stand in one.

Where PyTorch is not installed only the texts are looked at.
"""

from __future__ import annotations

from typing import Any

import pytest

import derive
from derive.emit.checked import Refused, checked
from derive.emit.run import load
from derive.problem import Problem
from tests.emit.test_emit_libraries import RECURRENT, TWO_LETTERS, attacked, check
from tests.emit_support import made, of_row, source_of

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


SCHEDULED = (
    f"{SMALL}training: {{learning_rate: 0.1, steps: 4, optimizer: adam, schedule: one_cycle}}\n"
)


CHOSEN = f"{SMALL}training: {{learning_rate: '0.1*exp(-where(k > 1, 1, 2))', steps: 4}}\n"
TAKEN = """\
parameters: {names: 0.3, training: 0.2, training_: 0.5, training__: 0.7}
loss: E = names**2*training + 2*training_ + training__**3
"""


@pytest.mark.parametrize("text", [SMALL, WHOLE, SCHEDULED, CHOSEN])
def test_an_equation_is_computed(text: str) -> None:
    check(made(text), "torch")


SINGLE = ("lstm", "conv2d", "multi_head_attention", "layer_norm", "gelu", "crf")


@pytest.mark.parametrize("name", SINGLE)
def test_a_module_computes_in_singles_if_it_is_told_to(name: str) -> None:
    torch, problem = pytest.importorskip("torch"), of_row(name)
    source, found = source_of(problem, "torch"), []
    for said in ("DTYPE = torch.float64", "DTYPE = torch.float32"):
        module: dict[str, Any] = {"__name__": "emitted"}
        exec(source.replace("DTYPE = torch.float64", said), module)
        value, slopes = module["value_and_gradients"](module["PARAMETERS"], module["SAMPLE"])
        assert {each.dtype for each in (value, *slopes)} == {module["DTYPE"]}
        found.append(torch.cat([each.reshape(-1).double() for each in (value, *slopes)]))
    assert torch.allclose(*found, rtol=1e-4, atol=1e-5)


def by_autograd(problem: Problem) -> tuple[Any, dict[str, Any], list[Any]]:
    """PyTorch, a module, and its given tensors as those of which it takes derivatives."""
    torch, module = pytest.importorskip("torch"), torch_of(problem)
    held = [*module["PARAMETERS"], *module["SAMPLE"]]
    taken = zip(held, module["SLOPES"], strict=True)
    return torch, module, [each.clone().requires_grad_(bool(slope)) for each, slope in taken]


@pytest.mark.parametrize("text", [RECURRENT, TWO_LETTERS, SMALL, WHOLE])
def test_the_gradients_and_their_derivatives_are_slopes(text: str) -> None:
    torch, module, held = by_autograd(made(text))
    assert torch.autograd.gradcheck(module["Loss"].apply, held)
    assert torch.autograd.gradgradcheck(module["Loss"].apply, held)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMOOTH)
def test_the_gradients_of_a_row_and_their_derivatives_are_slopes(name: str) -> None:
    torch, module, held = by_autograd(of_row(name))
    assert torch.autograd.gradcheck(module["Loss"].apply, held)
    assert torch.autograd.gradgradcheck(module["Loss"].apply, held)


def test_a_wrong_gradient_is_no_slope() -> None:
    torch = pytest.importorskip("torch")
    problem = made(SMALL)
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
    module = torch_of(made(WHOLE))
    model = module["Model"](module["PARAMETERS"])
    assert sorted(dict(model.named_parameters())) == ["V", "loss_"]
    assert sorted(dict(model.named_buffers())) == ["half_"]
    model(module["SAMPLE"]).backward()
    assert model.loss_.grad == module["gradients"](module["PARAMETERS"], module["SAMPLE"]).dE_dloss


def test_every_parameter_has_a_name_of_its_own() -> None:
    torch, module, _ = by_autograd(made(TAKEN))
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
    with pytest.raises(Refused):
        checked(attacked("torch")(old, new))
