"""Prints with the digits of a double: equal as a double, or wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import derive
from derive.verify.report import NumberRow, Status
from tests.verify_support import problem


def rows(model: str, prints: Mapping[str, str]) -> dict[str, NumberRow]:
    listed = "".join(f'  - {{name: "{n}", printed: "{p}"}}\n' for n, p in prints.items())
    made = derive.make(problem(f"{model}languages: [en]\npublished:\n{listed}"))
    report = made.verify()
    return {row.name: row for row in report.numbers if row.published is not None}


DOUBLES = [
    ("0.27999999999999997", True),
    ("0.28000000000000003", True),
    ("0.2800000000000000", True),
    ("0.27999999999999", False),
    ("0.2799999999999", False),
    ("0.27999999999991", False),
]


@pytest.mark.parametrize(("printed", "equal"), DOUBLES)
def test_a_print_of_a_double_is_equal_as_a_double(printed: str, equal: bool) -> None:
    model = (
        "inputs: {x: [0.1, 0.2, 0.3]}\nparameters: {w: [0.7, -0.3, 0.9]}\n"
        "model: ['E = sum(i, w[i]*x[i])']\n"
    )
    row = rows(model, {"E": printed})["E"]
    assert (row.status is Status.AGREES) == equal
    exactly = row.explanation == "" and printed == "0.2800000000000000"
    assert not equal or exactly or row.explanation == "equal as a double"
