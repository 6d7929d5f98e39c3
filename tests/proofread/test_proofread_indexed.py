"""Formulas with free indices against their tables, and pages with one character changed."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from derive.proofread.indexed import wrong_entries
from derive.proofread.policy import Policy
from derive.proofread.reader import read
from tests.proofread.changes import changes, outcome

PAGE = r"""
$$x = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}, W = \begin{bmatrix} 0.5 & 0.25 \end{bmatrix}$$
$$b_0 = 1$$
$$y_{n,h} = \sum_{i} W_{h,i} x_{n,i} + b_0$$
$$y = \begin{bmatrix} 2.00 \\ 3.50 \end{bmatrix}$$
$$E = \sum_{n,h} y_{n,h}^2$$
$$g_{n,h} = 2 y_{n,h}$$
$$v_{h,i} = \sum_{n} g_{n,h} x_{n,i} \delta_{h,h}$$
$$v = \begin{bmatrix} 25 & 36 \end{bmatrix}$$
$$s = y_{0,0} + y_{1,0} = 2.00 + 3.50 = 5.50$$
"""

FAULTS = [
    ("", "", []),
    ("3.50 \\end", "3.60 \\end", ["by its formula, y_1,0 would be 3.5"]),
    ("+ b_0$$", "- b_0$$", ["with it, y_0,0 would be 0"]),
    ("W_{h,i} x_{n,i}", "W_{h,i} x_{i,n}", ["with it, y_0,0 would be 2.25"]),
    ("25 & 36", "25 & 37", ["by its formula, v_0,1 would be 36"]),
    ("y_{0,0} + y_{1,0}", "y_{0,0} + y_{2,0}", ["there is no y_2,0 in the table y"]),
    ("y_{0,0} + y_{1,0}", "y_{0,0} - y_{1,0}", ["with it, s would be -1.5"]),
    # A name that is written with no letters is not all in its table; nor is what is in none.
    ("y_{n,h}^2", "u_{n,h}^2", []),
    ("x_{n,i} \\delta", "z_{n,i} \\delta", []),
]


@pytest.mark.parametrize(("old", "new", "words"), FAULTS)
def test_a_table_is_what_its_formula_gives(old: str, new: str, words: list[str]) -> None:
    assert old in PAGE
    text = PAGE.replace(old, new, 1) if old else PAGE
    assert list(wrong_entries(read(text), Policy()).values()) == words


def test_a_table_of_some_weights_is_not_all_of_them() -> None:
    text = r"$w = [0.5, 1]$ $y_{i} = w_{i} x$ $$o = w_3 a + w_4 b = 3$$ $w_0 = 0.5$"
    assert wrong_entries(read(text), Policy()) == {}


COUNT = int(os.environ.get("DERIVE_CHANGES", "60"))


@pytest.mark.slow
def test_one_changed_character_is_found_where_it_stands() -> None:
    """A given that is changed is found where it is used; some changes change no value."""
    told = Counter((change.kind.value, outcome(change)) for change in changes(COUNT, seed=7))
    for kind in ("digit", "sign", "operator", "subscript"):
        every = sum(number for (of, _), number in told.items() if of == kind)
        seen = every - told[kind, "missed"]
        assert seen >= 0.75 * every, told
    assert sum(n for (_, result), n in told.items() if result == "missed") <= 0.12 * COUNT, told
