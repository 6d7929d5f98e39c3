"""Worked lines: a long sum is written without its zeros, a short one with them."""

from __future__ import annotations

from derive.render.sheet import Display
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
