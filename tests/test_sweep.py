"""Ordinary networks of ordinary size go through `verify`, whatever they are made of."""

from __future__ import annotations

import pytest

from tests.sampled import sampled
from tests.sweep_support import drawn, faults, faults_of_draw, of_size

FEW = (1, 2, 6)
MANY = 68  # every activation with every loss


@pytest.mark.slow
@pytest.mark.parametrize("number", FEW)
def test_some_networks(number: int) -> None:
    assert faults_of_draw(number) == [], drawn(number).name


@pytest.mark.slow
@pytest.mark.parametrize("number", sampled(range(MANY), 19))
def test_every_activation_and_loss_at_some_size(number: int) -> None:
    assert faults_of_draw(number) == [], drawn(number).name


SIZES = {
    "deep": ([2] * 65, 1, "1"),
    "long batch": ([4, 4, 4], 256, "1"),
    "wide": ([128, 128, 128], 1, "1"),
    "deep and wide": ([64] * 9, 1, "none"),
    "digits": ([784, 128, 10], 1, "none"),
}


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["network", "model"])
def test_networks_of_more_than_ordinary_size(size: str, kind: str) -> None:
    spec = of_size(kind, *SIZES[size])
    assert faults(spec) == [], spec.name
