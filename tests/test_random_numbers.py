"""Everyday specs with short values and with values far from 1: verified, or refused in words."""

from __future__ import annotations

import pytest

import derive
from derive import InputError, build
from derive.spec import parse_spec
from derive.verify.report import Status
from tests.random_numbers import KINDS, random_spec

FEW, MANY = range(2), range(2, 122)
PART = 20


def verified(kind: str, seed: int) -> bool:
    """Whether a spec is verified; False if it is refused. Anything else fails."""
    text = random_spec(kind, seed)
    try:
        report = derive.make(build(parse_spec(text, "random.yaml", "random"))).verify()
    except InputError as error:
        assert "<class" not in str(error)
        return False
    wrong = [(r.name, r.detail) for r in report.routes if r.status is Status.DISAGREES]
    assert not wrong, f"{wrong}\n{text}"
    return True


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_an_everyday_spec_is_verified(kind: str) -> None:
    found = [verified(kind, seed) for seed in FEW]  # all of them, not only up to the first
    assert any(found)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("start", MANY[::PART])
@pytest.mark.parametrize("kind", KINDS)
def test_many_everyday_specs_are_verified(kind: str, start: int) -> None:
    seeds = range(start, start + PART)
    assert sum(verified(kind, seed) for seed in seeds) > PART // 2
