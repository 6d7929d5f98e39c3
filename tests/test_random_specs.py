"""Random specs of the library and the language are verified, or refused in words.

python -m tests.test_random_specs KIND FIRST LAST     judges those and prints what is wrong
"""

from __future__ import annotations

import sys
import time

import pytest

import derive
from derive import InputError
from derive.spec import parse_spec
from derive.verify.report import Status
from tests.random_language import random_language
from tests.random_library import ROWS, random_network, random_row
from tests.sampled import sampled

KINDS = {"language": random_language, "network": random_network, "row": random_row}
SEEDS = [
    *(("language", seed) for seed in range(50)),
    *(("network", seed) for seed in range(20)),
    *(("row", seed) for seed in range(len(ROWS))),
]
SHARES = 12


def faults(kind: str, seed: int) -> list[str] | None:
    """What `verify` finds wrong with a spec; None if it is refused."""
    try:
        spec = parse_spec(KINDS[kind](seed), "random.yaml", "random")
        report = derive.make(derive.build(spec)).verify()
    except InputError as error:
        assert str(error)
        return None
    found = [f"{r.name}: {r.detail}" for r in report.routes if r.status is Status.DISAGREES]
    return found if found or report.agree else ["nothing agrees"]


@pytest.mark.slow
@pytest.mark.parametrize("share", sampled(range(SHARES), SHARES))
def test_random_specs_are_verified_or_refused(share: int) -> None:
    judged = {each: faults(*each) for each in SEEDS[share::SHARES]}
    assert {each: found for each, found in judged.items() if found} == {}
    refused = [each for each, found in judged.items() if found is None]
    assert len(refused) < len(judged) / 4  # of all together it is a few in a hundred


if __name__ == "__main__":
    for n in range(int(sys.argv[2]), int(sys.argv[3])):
        start = time.process_time()
        try:
            wrong = faults(sys.argv[1], n)
        except Exception as error:  # whatever happens is printed, and the sweep goes on
            wrong = [f"{type(error).__name__}: {error}"]
        told = ["refused"] if wrong is None else wrong or ["verified"]
        print(f"{time.process_time() - start:6.1f} s  {sys.argv[1]} {n}", *told, flush=True)
