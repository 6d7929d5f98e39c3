"""Specs to start from: each row of the library gets one that says something and verifies."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from mpmath import mp

from derive import InputError, Problem, build
from derive.backprop import differentiate
from derive.graph import adjoint_name
from derive.library.layers import LAYERS
from derive.library.losses import BY_NAME, loss_names
from derive.pipeline import make
from derive.scaffold import scaffold
from derive.spec import parse_spec
from derive.verify.algebra import DIGITS, EXACT
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from tests.sampled import sampled

ROWS = (*LAYERS, *loss_names())
TINY = mp.mpf(10) ** -30
SHIFTS = {"y_bk"}  # added to all scores of a query alike, which a softmax does not see
SHIFTS_OF = {"cox": {"b"}}  # it compares values of one column


def made(text: str) -> Problem:
    return build(parse_spec(text, "my.yaml", "my"))


@cache
def values(name: str) -> tuple[Problem, Values]:
    """A row's spec, and every number of its forward and backward pass."""
    problem = made(scaffold(name, network=False))
    derivation = differentiate(problem.graph, problem.wanted)
    with mp.workdps(DIGITS):
        given = {
            (quantity, place): EXACT.number(number)
            for quantity, table in problem.values.items()
            for place, number in table.items()
        }
        return problem, run(derivation.backward, run(derivation.forward, given))


def table(name: str, quantity: str) -> dict[tuple[int, ...], float]:
    _, found = values(name)
    return {place: float(number) for (own, place), number in found.items() if own == quantity}


@pytest.mark.parametrize("name", ROWS)
def test_every_gradient_is_somewhere_nonzero(name: str) -> None:
    problem, found = values(name)
    moved = {own for (own, _), number in found.items() if abs(number) > TINY}
    assert problem.wanted
    still = {w for w in problem.wanted if adjoint_name(w) not in moved}
    assert still <= SHIFTS | SHIFTS_OF.get(name, set())


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ROWS, 10))
def test_everything_that_is_made_of_it_verifies(name: str) -> None:
    assert make(made(scaffold(name, network=False))).verify().agree


@pytest.mark.parametrize("name", ROWS)
def test_numbers_are_few_and_short(name: str) -> None:
    problem, _ = values(name)
    numbers = [number for table in problem.values.values() for number in table.values()]
    assert all(10 % number.denominator == 0 for number in numbers)
    assert len(numbers) <= 150
    assert max(map(len, scaffold(name, network=False).splitlines())) <= 100


@pytest.mark.parametrize("name", LAYERS)
def test_what_comes_from_above_differs_from_entry_to_entry(name: str) -> None:
    problem, _ = values(name)
    above = Counter(problem.values[problem.upstream["y"]].values())
    assert len(above) >= min(3, sum(above.values()))


@pytest.mark.parametrize("name", LAYERS)
def test_a_loss_may_stand_instead(name: str) -> None:
    text = scaffold(name, network=False)
    kept, _, rest = text.partition("upstream:")
    assert made(kept + rest[rest.index("# loss") :].removeprefix("# ")).graph.loss.name == "E"


@pytest.mark.parametrize("name", [n for n, row in LAYERS.items() if "heads" in row.settings])
def test_heads_have_the_size_two(name: str) -> None:
    problem, _ = values(name)
    assert problem.graph.quantities["y_q"].shape[-1] == 2


@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d", "maxout"])
def test_no_maximum_is_taken_twice(name: str) -> None:
    source = table(name, "y_a" if name == "maxout" else "x")
    assert len(set(source.values())) == len(source) or name == "max_pool2d"
    if name == "max_pool2d":
        for u, v in ((u, v) for u in (0, 2) for v in (0, 2)):
            assert len({source[u + r, v + s] for r in (0, 1) for s in (0, 1)}) == 4


def test_a_token_comes_twice() -> None:
    assert max(Counter(table("embedding", "token").values()).values()) == 2


def sums(found: dict[tuple[int, ...], float]) -> list[float]:
    rows: dict[tuple[int, ...], float] = {}
    for place, number in found.items():
        rows[place[:-1]] = rows.get(place[:-1], 0) + number
    return list(rows.values())


SMOOTHED = "label_smoothing_cross_entropy"


@pytest.mark.parametrize("name", [n for n, r in BY_NAME.items() if r.distribution] + [SMOOTHED])
def test_a_target_that_must_be_a_distribution_is_one(name: str) -> None:
    assert sums(table(name, "t")) == pytest.approx([1, 1])
    assert min(table(name, "t").values()) >= 0
    if not name.endswith("logits"):
        assert sums(table(name, "y")) == pytest.approx([1, 1])


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_a_hinge_gets_signs_and_both_of_its_sides(name: str) -> None:
    assert set(table(name, "t").values()) == {-1, 1}
    assert 0 < sum(number == 0 for number in table(name, "e").values()) < len(table(name, "e"))


def test_huber_gets_both_of_its_branches() -> None:
    y, t = table("huber", "y"), table("huber", "t")
    assert {abs(y[place] - t[place]) > 1 for place in y} == {True, False}


NEAR = {
    "conv": "did you mean 'conv2d' or 'conv1d'?",
    "Huber": "did you mean 'huber'?",
    "sofmax": "did you mean 'softmax'?",
    "mse": "did you mean 'mean_squared_error' or 'half_squared_error'?",
    "zzzz": "`derive layers` lists them",
}


@pytest.mark.parametrize("word", NEAR)
def test_an_unknown_name_is_answered_with_near_ones(word: str) -> None:
    with pytest.raises(InputError) as caught:
        scaffold(word, network=False)
    assert NEAR[word] in str(caught.value)
    assert str(caught.value).count("'") <= 8
