"""Ordinary networks of ordinary size go through `verify`, whatever they are made of."""

from __future__ import annotations

import pytest

from tests.sweep_support import drawn, faults

MANY = 68  # every activation with every loss


@pytest.mark.parametrize("number", range(0, MANY, 12))
def test_some_networks(number: int) -> None:
    spec = drawn(number)
    assert faults(spec) == [], spec.name


@pytest.mark.slow
@pytest.mark.parametrize("number", range(MANY))
def test_every_activation_and_loss_at_some_size(number: int) -> None:
    spec = drawn(number)
    assert faults(spec) == [], spec.name
