"""Random equations of a user: each is verified, or refused with a reason."""

from __future__ import annotations

import pytest

import derive
from derive import InputError, build
from derive.spec import parse_spec
from derive.verify.report import Status
from tests.random_models import random_model
from tests.sampled import sampled

FEW, MANY = range(12), range(12, 400)


def judged(seed: int) -> bool:
    """Whether a model is verified; False if it is refused. Anything else fails."""
    try:
        report = derive.verify(build(parse_spec(random_model(seed), "random.yaml", "random")))
    except InputError as error:
        assert str(error)
        return False
    wrong = [route for route in report.routes if route.status is Status.DISAGREES]
    assert not wrong, random_model(seed)
    return True


@pytest.mark.slow
def test_random_models_are_verified_or_refused() -> None:
    assert sum(map(judged, FEW)) > 2 * len(FEW) // 3


@pytest.mark.slow
@pytest.mark.parametrize("start", sampled(MANY[::47], 5))
def test_many_random_models_are_verified_or_refused(start: int) -> None:
    seeds = range(start, min(start + 47, MANY[-1] + 1))
    assert sum(map(judged, seeds)) > 2 * len(seeds) // 3
