"""Worked lines: a long sum goes without its zeros, and no row is wider than the page."""

from __future__ import annotations

import pytest

import derive
from derive import InputError
from derive.expression import Element
from derive.notation import names_of
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


ASKED = {
    "attention_by_hand": ("S[1,2]", "Q[1,1]", "A[0,2]"),
    "tiny_rnn": ("h[1]",),
    "adam_step": ("q[1]",),
    "gru_by_hand": ("h[1,1]",),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_entries_that_are_asked_for_are_worked_out(name: str) -> None:
    """In place of the first ones; of a quantity, of the derivative by it, and of its new value."""
    problem = derive.load(name)
    first, other = (derive.make(problem, ["en"], shown=shown) for shown in ((), ASKED[name]))
    lefts = [{display.lhs for display in made.page.displays()} for made in (first, other)]
    names = names_of(problem)
    for asked in ASKED[name]:
        called, _, at = asked.rstrip("]").partition("[")
        element = Element(called, *map(int, at.split(",")))
        tex = names.name(element).tex
        assert any(tex in left for left in lefts[1] - lefts[0]), asked
    report = other.verify()
    assert report.agree, [r.detail for r in report.routes]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["S"], r"say which entry, such as 'S\[0,0\]'"),
        (["S[0,0]", "S[0,1]"], "one entry of S, and two are asked for"),
        (["S[2,0]"], r"'S' has no entry \[2,0\]"),
        (["S[0,0]@2"], "`derive explain SPEC 'S"),
        (["Y[0]"], "'Y'"),
    ],
)
def test_an_entry_that_cannot_be_shown_is_refused(asked: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        _ = derive.make(derive.load("attention_by_hand"), shown=asked).page
