"""Worked examples that others published: what is right is found right, and what is wrong wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import pytest

import derive
from derive import build
from derive.errors import InputError
from derive.pipeline import make
from derive.problem import Problem, Published
from derive.render.blocks import Page
from derive.render.carried import carried
from derive.render.model_story import tell_model
from derive.spec import parse_spec
from derive.verify.model_numbers import model_rows
from derive.verify.report import NumberRow, Status
from derive.verify.sampling import spec_values
from derive.verify.trajectory import Trajectory

PRINTED = {  # how many prints are right, and how many are known to be wrong
    "tiny_rnn": (27, 0),
    "attention_by_hand": (27, 0),
    "batch_norm_feature": (15, 0),
    "batch_norm_table": (12, 0),
    "batch_norm_backward": (16, 0),
    "softmax_by_hand": (11, 0),
    "linear_by_hand": (19, 2),
    "adam_step": (8, 1),
    "adagrad_step": (8, 0),
    "momentum_step": (4, 0),
    "adamax_step": (6, 0),
    "adadelta_step": (6, 0),
    "adadelta_without_memory": (3, 0),
    "nesterov_step": (8, 0),
    "linear_units": (14, 2),
    "conv2d_by_hand": (11, 7),
    "max_pooling": (18, 2),
    "average_pooling": (20, 0),
    "gru_by_hand": (1, 1),
    "single_neuron": (2, 0),
    "feedforward": (4, 0),
    "mean_squares": (1, 0),
    "one_derivative": (7, 0),
}
HEAVY = "gru_by_hand"  # why one of its prints is wrong takes seconds to find out
CHANGED = [
    pytest.param(name, marks=[pytest.mark.slow] if name == HEAVY else []) for name in PRINTED
]
MISPRINTED = [case for case in CHANGED if PRINTED[case.values[0]][1]]
MANY = "many_rounds"  # its 10,000 updates take seconds


@dataclass(frozen=True)
class Example:
    """A spec with everything that its published numbers are compared with."""

    problem: Problem
    page: Page
    trajectory: Trajectory

    def rows(self, change: Callable[[Published], Published] = lambda p: p) -> list[NumberRow]:
        """The rows of the published numbers, each of them changed before."""
        problem = replace(self.problem, published=tuple(map(change, self.problem.published)))
        rows = model_rows(problem, self.page, {}, self.trajectory)
        return [row for row in rows if row.published is not None]


@cache
def rows_of(name: str) -> list[NumberRow]:
    """The rows of a spec as it is."""
    return example(name).rows()


@cache
def example(name: str) -> Example:
    problem = derive.load(name)
    derivation = derive.differentiate(problem.graph, problem.wanted)
    # only where numbers are computed from rounded ones does the page know better than the graph
    page = Page({}, (), {})
    if problem.numbers.chained:
        _, page = carried(problem, lambda told: tell_model(told, derivation))
    values = spec_values(problem)
    assert values is not None
    return Example(problem, page, Trajectory(problem, derivation, values))


def shifted(published: Published) -> Published:
    """A print three units of its last digit higher; of the digits of a double, of the last sure."""
    mantissa, e, exponent = published.printed.lower().partition("e")
    whole, point, decimals = mantissa.partition(".")
    units = 3 if len(whole + decimals) < 16 else 3000
    digits = str(abs(int(whole + decimals)) + units).zfill(len(decimals) + 1)
    cut = len(digits) - len(decimals)
    sign = "-" if mantissa.startswith("-") else ""
    return replace(published, printed=f"{sign}{digits[:cut]}{point}{digits[cut:]}{e}{exponent}")


def counted(rows: list[NumberRow]) -> tuple[int, int]:
    found = [row.status for row in rows]
    return found.count(Status.AGREES), found.count(Status.MISPRINT)


@pytest.mark.parametrize("name", PRINTED)
def test_every_print_is_right_or_a_known_misprint(name: str) -> None:
    rows = rows_of(name)
    assert not [row for row in rows if row.status is Status.DISAGREES]
    assert counted(rows) == PRINTED[name]


@pytest.mark.parametrize("name", MISPRINTED)
def test_without_the_word_for_it_a_misprint_disagrees(name: str) -> None:
    known = [row.status is Status.MISPRINT for row in rows_of(name)]
    rows = example(name).rows(lambda published: replace(published, misprint=None))
    assert [row.status is Status.DISAGREES for row in rows] == known
    assert all(row.explanation for row in rows if row.status is Status.DISAGREES)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGED)
def test_a_right_print_that_is_changed_disagrees(name: str) -> None:
    before = rows_of(name)
    after = example(name).rows(shifted)
    right = [k for k, row in enumerate(before) if row.status is Status.AGREES]
    assert [after[k].name for k in right if after[k].status is Status.AGREES] == []


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_right_is_no_misprint(name: str) -> None:
    rows = rows_of(name)
    right = {(row.name, row.where) for row in rows if row.status is Status.AGREES}

    def accused(published: Published) -> Published:
        own = (published.name, published.where)
        words = f"{published.name} is wrong"  # of its own, so that no table excuses it
        return replace(published, misprint=words) if own in right else published

    found = example(name).rows(accused)
    assert all(r.status is Status.DISAGREES for r in found if (r.name, r.where) in right)


@pytest.mark.slow
@pytest.mark.long  # a training of 10,000 updates
def test_after_many_rounds() -> None:
    rows = rows_of(MANY)
    assert counted(rows) == (3, 4)
    assert len(rows) == 7


@pytest.mark.slow
@pytest.mark.long  # it looks for reasons among many of those
def test_after_many_rounds_misprints_disagree_without_the_word_for_it() -> None:
    bare = example(MANY).rows(lambda published: replace(published, misprint=None))
    assert [row.status is Status.DISAGREES for row in bare] == [
        row.status is Status.MISPRINT for row in rows_of(MANY)
    ]


PARTS = (
    "inputs: {x: [0.5, -1, 2]}\nparameters: {w: [0.3, 0, 5], V: [[1, 2], [3, 4], [5, 6]]}\n"
    "model: ['y[i] = w[i]*x[i] + sum(j, V[i,j])', 'E = sum(i, y[i]**2)/2']\npublished:\n"
)


@pytest.mark.parametrize(
    ("name", "printed", "wrong"),
    [
        ("y[:2]", "[3.15, 7]", []),
        ("y", "[3.15, null, 21]", []),
        ("y", "[3.15, ~, 20]", ["y[2]"]),
        ("dE/dV[1:,0]", "[7, 21]", []),
        ("dE/dV[0:2]", "[[null, 3.15], [7, null]]", []),
        ("dE/dV[0:2,1:]", "[[3.15], [7.5]]", ["dE/dV[1,1]"]),
        ("dy[1:]/dV[1,:1]", "[[1], [0]]", []),
    ],
)
def test_a_part_of_a_table_is_compared(name: str, printed: str, wrong: list[str]) -> None:
    text = f"{PARTS}  - {{name: '{name}', printed: {printed}}}\n"
    report = make(build(parse_spec(text, "my.yaml", "my"))).verify()
    judged = [row for row in report.numbers if row.published is not None]
    counted = sum(part.strip(" []") not in ("null", "~") for part in printed.split(","))
    assert len(judged) == counted
    assert [row.name for row in judged if row.status is Status.DISAGREES] == wrong


@pytest.mark.parametrize(
    ("name", "printed", "words"),
    [
        ("y[1:5]", "[1, 2]", r"no entry \[1:5\]: its shape is 3"),
        ("y[2:2]", "[1]", "no entry"),
        ("y[1:2:3]", "[1]", "no entry"),
        ("y[:2]", "1", "is 2; name one entry"),
        ("y[:2]", "[1, 2, 3]", "this table is not"),
        ("y", "[null, null, null]", "not even one number"),
        ("y[0]", "null", "not even one number"),
    ],
)
def test_a_part_that_is_not_there_is_refused(name: str, printed: str, words: str) -> None:
    text = f"{PARTS}  - {{name: '{name}', printed: {printed}}}\n"
    with pytest.raises(InputError, match=words):
        build(parse_spec(text, "my.yaml", "my"))
