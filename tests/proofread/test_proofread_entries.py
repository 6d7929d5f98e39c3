"""What does not fit in what a document says of its entries, and what is to blame for it."""

from __future__ import annotations

import pytest

from derive.proofread.entries.consistency import inconsistencies
from derive.proofread.entries.places import Entry, Index, Slope, entry_of
from derive.proofread.entries.ranges import declared
from derive.proofread.policy import Policy
from derive.proofread.reader import read
from derive.proofread.report import checked

PAGE = r"""
Here $0 \le u < 3,\ 0 \le r < 2$.
$$x = \begin{pmatrix} 0.5 \\ -1.2 \\ 0.8 \end{pmatrix}$$
$$k = \begin{pmatrix} 0.4 \\ 0.7 \end{pmatrix}$$
$$g = \begin{pmatrix} 0.3 \\ -0.6 \\ 0.9 \end{pmatrix}$$
$$y_{u} = \sum_{r} k_{r}\,x_{u+r}$$
$$y = \begin{pmatrix} -0.64 \\ 0.08 \\ 0.32 \end{pmatrix}$$
$$z_{u} = y_{u}^{2} + y_{u}$$
$$z = \begin{pmatrix} -0.2304 \\ 0.0864 \\ 0.4224 \end{pmatrix}$$
$$E = \sum_{u} g_{u}\,z_{u}$$
$$\frac{\partial z_{u}}{\partial y_{a}} = \delta_{u,a}\,(2\,y_{u} + 1)$$
$$\frac{\partial y_{u}}{\partial k_{a}} = x_{a+u}$$
$$\frac{\partial E}{\partial y_{u}} = g_{u}\,(2\,y_{u} + 1)$$
$$\frac{\partial E}{\partial y} = \begin{pmatrix} -0.084 \\ -0.696 \\ 1.476 \end{pmatrix}$$
$$\frac{\partial E}{\partial k_{a}} = \sum_{u} \frac{\partial E}{\partial y_{u}}\,x_{a+u}$$
$$\frac{\partial E}{\partial k} = \begin{pmatrix} 1.974 \\ -0.456 \end{pmatrix}$$
"""
DIFFER = "its sides are not the same"
FAULTS = [
    ("", "", []),
    ("0.0864", "0.0964", ["by its formula, z_1 would be 0.0864"]),
    ("1.974", "1.874", ["by its formula, ∂E/∂k_0 would be 1.974"]),
    (r"(2\,y_{u} + 1)$$", r"(2\,y_{u} - 1)$$", [DIFFER]),
    ("= x_{a+u}", "= x_{a-u}", [DIFFER]),
    # A given number that is another one but for a slip, and a definition, are blamed for the rest.
    (r"\\ 0.8 \end", r"\\ -0.8 \end", ["all that is worked out with it is that of 0.8"]),
    ("y_{u}^{2} + y", "y_{u}^{2} - y", ["the rest of the document does not fit to this formula"]),
]


def test_the_page_is_right() -> None:
    assert [remark.reason for remark in checked("page.tex", PAGE).own] == []


@pytest.mark.parametrize(("old", "new", "words"), FAULTS)
def test_what_does_not_fit_is_found(old: str, new: str, words: list[str]) -> None:
    assert old in PAGE
    text = PAGE.replace(old, new, 1) if old else PAGE
    found = inconsistencies(read(text), Policy(digits=4, chained=False), declared(text))
    assert list(found.values()) == words


def test_a_document_that_fits_nowhere_is_not_judged() -> None:
    text = PAGE.replace("x_{u+r}", "x_{u-r}").replace("y_{u}^{2} + y", "y_{u}^{3} - y")
    assert inconsistencies(read(text), Policy(digits=4, chained=False), declared(text)) == {}


RANGES = [
    (r"$0 \le t < 3,\ 1 \le k \le 2$", {"t": range(3), "k": range(1, 3)}),
    (r"$i = 1, \dots, 4$", {"i": range(1, 5)}),
    (r"$0 \le t < 3$ and $0 \le t < 2$", {}),
    (r"$0 \le t < n$ and $0.5 < x < 1$", {}),
]


@pytest.mark.parametrize(("text", "ranges"), RANGES)
def test_what_letters_run_over_is_read(text: str, ranges: dict[str, range]) -> None:
    assert declared(text) == ranges


def test_names_are_taken_apart() -> None:
    two_u = Index(0, (("u", 2), ("r", 1)))
    assert entry_of("x_2u+r,0") == Entry(("x", ""), (two_u, Index(0)))
    assert entry_of("∂E/∂w_1") == Entry(("∂E/∂w", ""), (Index(1),))
    slope = entry_of("∂y_u/∂x_a")
    assert isinstance(slope, Slope) and slope.by == Entry(("x", ""), (Index(0, (("a", 1),)),))
    word = entry_of("W_token_n,d")
    assert isinstance(word, Entry) and word.stem == ("W", "") and word.indices[0].entry
    assert entry_of("net_h1") == Entry(("net_h1", ""), ())
