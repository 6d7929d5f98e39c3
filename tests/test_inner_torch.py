"""Built-in specs with derivatives in their losses, against PyTorch, which differentiates twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import pytest

from derive import build
from derive.backprop import differentiate
from derive.graph import adjoint_name
from derive.problem import Problem
from derive.spec import load_spec
from derive.verify.algebra import working
from derive.verify.interpreter import run
from derive.verify.sampling import spec_values

torch = pytest.importorskip("torch")
Given = Mapping[str, Any]


def slopes(y: Any, *by: Any) -> Any:
    found = torch.autograd.grad(y.sum(), by, create_graph=True)
    return found if len(found) > 1 else found[0]


def pinn_burgers(o: Given) -> Any:
    def u(x: Any, t: Any) -> Any:
        return (
            torch.tanh(torch.outer(x, o["a"]) + torch.outer(t, o["s"]) + o["b"]) @ o["v"] + o["c"]
        )

    x, t = o["x"].requires_grad_(), o["t"].requires_grad_()
    inside = u(x, t)
    u_x, u_t = slopes(inside, x, t)
    residual = u_t + inside * u_x - o["nu"] * slopes(u_x, x)
    data = u(o["x_data"], o["t_data"]) - o["u_data"]
    return (residual**2).mean() + (data**2).mean()


def maml_step(o: Given) -> Any:
    errors = []
    for x, y, z, d in zip(o["x"], o["y"], o["z"], o["d"], strict=True):
        loss = ((torch.tanh(o["w"] * x + o["b"]) - y) ** 2).mean()
        by_w, by_b = slopes(loss, o["w"], o["b"])
        w, b = o["w"] - o["beta"] * by_w, o["b"] - o["beta"] * by_b
        errors.append((torch.tanh(w * z + b) - d) ** 2)
    return torch.stack(errors).mean()


def wgan_gp(o: Given) -> Any:
    def critic(x: Any) -> Any:
        return torch.tanh(x @ o["W"].T + o["b"]) @ o["v"]

    share = o["eps"][:, None]
    between = (share * o["x"] + (1 - share) * o["z"]).requires_grad_()
    steep = slopes(critic(between), between).norm(dim=1)
    penalty = o["lambda_"] * ((steep - 1) ** 2).mean()
    return critic(o["z"]).mean() - critic(o["x"]).mean() + penalty


REFERENCES: Mapping[str, Callable[[Given], Any]] = {
    "pinn_burgers": pinn_burgers,
    "maml_step": maml_step,
    "wgan_gp": wgan_gp,
}


def _tensors(problem: Problem) -> dict[str, Any]:
    made = {}
    for quantity in problem.graph.given:
        values = [float(v) for _, v in sorted(problem.values[quantity.name].items())]
        assert len(values) == prod(quantity.shape)
        made[quantity.name] = torch.tensor(values, dtype=torch.float64).reshape(quantity.shape)
    return made


@pytest.mark.parametrize("name", REFERENCES)
def test_pytorch_finds_the_same(name: str) -> None:
    problem = build(load_spec(name))
    derivation = differentiate(problem.graph, problem.wanted)
    with working():
        given = spec_values(problem)
        assert given is not None
        forward = run(derivation.forward, given)
        backward = run(derivation.backward, forward)
    tensors = _tensors(problem)
    wanted = [tensors[q].requires_grad_() for q in problem.wanted or ()]
    loss = REFERENCES[name](tensors)
    assert loss.item() == pytest.approx(float(forward[problem.graph.loss.name, ()]), rel=1e-12)
    for q, slope in zip(problem.wanted or (), torch.autograd.grad(loss, wanted), strict=True):
        found = [float(v) for (n, _), v in sorted(backward.items()) if n == adjoint_name(q)]
        assert found == pytest.approx(slope.reshape(-1).tolist(), rel=1e-11)
