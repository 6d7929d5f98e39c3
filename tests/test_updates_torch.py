"""Weight decay, clipping, schedules and Muon against PyTorch's, update by update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.test_updates import Arrays, made, walked

torch = pytest.importorskip("torch")
O, L, U = torch.optim, torch.optim.lr_scheduler, torch.nn.utils
RATE = 0.05
NAMES = ("W", "b", "c")
Clip = Callable[[Sequence[Any]], Any]
OPTIMIZERS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "weight_decay: {l2: 0.1}": lambda w: O.SGD(w, RATE, weight_decay=0.1),
    "weight_decay: {decoupled: 0.1}, optimizer: adam": lambda w: O.AdamW(w, RATE, weight_decay=0.1),
    "weight_decay: {l2: 0.1}, optimizer: adam": lambda w: O.Adam(w, RATE, weight_decay=0.1),
    "weight_decay: {l2: 0.1}, optimizer: nesterov": lambda w: O.SGD(
        w, RATE, momentum=0.9, nesterov=True, weight_decay=0.1
    ),
    "weight_decay: {decoupled: 0.1}, optimizer: radam": lambda w: O.RAdam(
        w, RATE, weight_decay=0.1, decoupled_weight_decay=True
    ),
    "weight_decay: {l2: 0.1}, optimizer: rmsprop": lambda w: O.RMSprop(w, RATE, weight_decay=0.1),
}
CLIPS: dict[str, Clip] = {
    "clip: {norm: 0.3, eps: 1e-6}": lambda w: U.clip_grad_norm_(w, 0.3),
    "clip: {norm: 0.2, eps: 1e-6, over: each}": lambda w: [U.clip_grad_norm_(p, 0.2) for p in w],
    "clip: {value: 0.1}": lambda w: U.clip_grad_value_(w, 0.1),
}
SCHEDULES: dict[str, Callable[[Any], Any]] = {
    "schedule: {step: {every: 2, factor: 0.3}}": lambda o: L.StepLR(o, 2, 0.3),
    "schedule: {exponential: {factor: 0.9}}": lambda o: L.ExponentialLR(o, 0.9),
    "schedule: {linear: {steps: 4, least: 0.01}}": lambda o: L.LinearLR(o, 1, 0.2, 4),
    "schedule: {polynomial: {steps: 4, power: 3}}": lambda o: L.PolynomialLR(o, 4, 3),
    "schedule: {cosine: {least: 0.01}}": lambda o: L.CosineAnnealingLR(o, 6, 0.01),
    "schedule: {warmup: {warm: 4}}": lambda o: L.LinearLR(o, 1 / 4, 1, 3),
    "schedule: {warmup_cosine: {warm: 2}}": lambda o: L.SequentialLR(
        o, [L.LinearLR(o, 1 / 2, 1, 1), L.CosineAnnealingLR(o, 4)], [2]
    ),
    "schedule: {one_cycle: {rise: 0.5}}": lambda o: L.OneCycleLR(
        o, RATE, 6, pct_start=0.5, cycle_momentum=False
    ),
}


def held(
    more: str,
    optimizer: Callable[[Sequence[Any]], Any],
    clip: Clip | None = None,
    schedule: Callable[[Any], Any] | None = None,
    names: Sequence[str] = NAMES,
) -> None:
    """Hold each update of a module to what PyTorch makes of the same parameters and gradients."""
    module = made(more)
    start = module.namespace["PARAMETERS"]._asdict()
    moved = {name: torch.tensor(np.array(start[name]), requires_grad=True) for name in names}
    reference = optimizer(list(moved.values()))
    turn = schedule(reference) if schedule else None

    def step(w: Arrays, g: Arrays, number: int) -> Arrays:
        for name, parameter in moved.items():
            parameter.grad = torch.tensor(g[name])
        if clip:
            clip(list(moved.values()))
        reference.step()
        if turn and number < 6:
            turn.step()
        return {name: parameter.detach().numpy() for name, parameter in moved.items()}

    walked(module, step)


@pytest.mark.parametrize("more", OPTIMIZERS)
def test_weights_decay_as_in_pytorch(more: str) -> None:
    held(more, OPTIMIZERS[more])


@pytest.mark.parametrize("more", CLIPS)
def test_a_gradient_is_clipped_as_in_pytorch(more: str) -> None:
    momentum = ", optimizer: momentum, weight_decay: {l2: 0.1}"
    held(more + momentum, lambda w: O.SGD(w, RATE, momentum=0.9, weight_decay=0.1), CLIPS[more])


@pytest.mark.parametrize("more", SCHEDULES)
def test_a_learning_rate_changes_as_in_pytorch(more: str) -> None:
    adam = ", optimizer: adam, weight_decay: {decoupled: 0.1}"
    held(more + adam, lambda w: O.AdamW(w, RATE, weight_decay=0.1), schedule=SCHEDULES[more])


def test_muon_is_that_of_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # which rounds to 3 digits
    more = "optimizer: muon, settings: {decay: 0.1}, frozen: [b, c], schedule: cosine"
    held(more, lambda w: O.Muon(w, RATE), schedule=lambda o: L.CosineAnnealingLR(o, 6), names=["W"])
