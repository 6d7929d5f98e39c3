"""Worked lines: a long sum goes without its zeros, and no row is wider than the page."""

from __future__ import annotations

import pytest

from derive.render.sheet import Display
from derive.render.worked import WIDEST, widest
from derive.scaffold import scaffold
from tests.render.model_support import told


def line(x: list[int]) -> Display:
    text = (
        f"inputs: {{x: {x}}}\nparameters: {{w: {{shape: [{len(x)}], values: 0.5}}}}\n"
        'model: ["y = sum(i, x[i]*w[i])"]\nloss: E = y**2\n'
    )
    (found,) = (d for d in told(f"zeros {x}", text).page.displays() if d.label == "eq:y")
    return found


def test_a_long_sum_is_written_without_its_zeros() -> None:
    assert r"0.5\cdot 2 + 0.5\cdot 3 = 2.5" in line([0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0]).rows


def test_a_short_sum_is_written_with_its_zeros() -> None:
    assert r"0.5\cdot 0 + 0.5\cdot 2 + 0.5\cdot 3 = 2.5" in line([0, 2, 3]).rows


@pytest.mark.parametrize("name", ["mixture_density", "reflect_pad1d", "layer_norm"])
def test_no_row_is_wider_than_the_page(name: str) -> None:
    """What cannot be broken, as a sum in a logarithm, is left as a sum."""
    page = told(name, scaffold(name, network=False)).page
    assert {d.label: row for d in page.displays() for row in d.rows if widest(row) > WIDEST} == {}
