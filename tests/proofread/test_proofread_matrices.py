"""Matrices, conditions and other marks of index form, as the proof-reader reads them."""

from __future__ import annotations

import pytest
import sympy

from derive.proofread import Claim, Kind, Policy, Unread, judge, parse_formula, read

ENTRIES = [
    (r"W = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", ["W_0,0", "W_0,1", "W_1,0", "W_1,1"]),
    (r"b = \begin{pmatrix} 1 \\ 2 \end{pmatrix}", ["b_0", "b_1"]),
    (r"W = \begin{bmatrix} 1 \\ 2 \end{bmatrix}", ["W_0,0", "W_1,0"]),
    (r"W^{+} = \begin{bmatrix} 1 & 2 \end{bmatrix}", ["W_0,0+", "W_0,1+"]),
    (r"W^{(\mathrm{xh})+} = \begin{pmatrix} 1 \end{pmatrix}", ["W^(xh)_0+"]),
    (r"\frac{\partial E}{\partial W} = \begin{bmatrix} 5 \end{bmatrix}", ["∂E/∂W_0,0"]),
    (r"K_{0,1,:,:} = \begin{bmatrix} 1 & 2 \end{bmatrix}", ["K_0,1,0,0", "K_0,1,0,1"]),
    (
        r"a = \begin{pmatrix} 1 \end{pmatrix},\qquad b = \begin{pmatrix} 2 \end{pmatrix}",
        ["a_0", "b_0"],
    ),
]


@pytest.mark.parametrize(("tex", "names"), ENTRIES)
def test_each_entry_of_a_matrix_is_a_claim(tex: str, names: list[str]) -> None:
    items = read(rf"\[{tex}\]")
    assert [str(item.lhs) for item in items if isinstance(item, Claim)] == names
    assert all(isinstance(item, Claim) and item.printed for item in items)


UNREAD = [
    r"W = \begin{bmatrix} 1 & 2 \\ 3 \end{bmatrix}",
    r"K_{0,:} = \begin{bmatrix} 1 & 2 \end{bmatrix}",
]


@pytest.mark.parametrize("tex", UNREAD)
def test_a_table_that_fits_no_name_is_reported(tex: str) -> None:
    assert any(isinstance(item, Unread) for item in read(rf"\[{tex}\]"))


def test_an_entry_printed_wrong_later_is_found() -> None:
    text = r"\[a = \begin{pmatrix} 2 \\ 3 \end{pmatrix}\] \[y = a_{0} a_{1} = 2 \cdot 3 = 7\]"
    found = [finding.kind for finding in judge(read(text), Policy(digits=4))]
    assert found == [Kind.GIVEN, Kind.GIVEN, Kind.DISAGREES]


CONDITIONS = [
    ("[3 > 2]", 1),
    (r"[2 \ge 3]", 0),
    (r"[2 \le 2]", 1),
    (r"[0 \le 4 < 3]", 0),
    (r"[0 \le 2 < 3]", 1),
    ("[2 = 2]", 1),
    (r"[2 \ne 2]", 0),
    (r"5 [1 < 2] + 1", 6),
]


@pytest.mark.parametrize(("tex", "value"), CONDITIONS)
def test_a_condition_is_one_where_it_holds(tex: str, value: int) -> None:
    assert parse_formula(tex) == value


def test_a_plain_bracket_stays_a_bracket() -> None:
    a, b = sympy.symbols("a b", real=True)
    assert parse_formula("[a + b] a") == (a + b) * a


OPAQUE = [
    r"\max_{r,s} x_{2u+r,2v+s}",
    r"\bigl[(a-2u,b-2v) = \operatorname*{arg\,max}_{r,s} x_{2u+r,2v+s}\bigr]",
    r"\bigl[a = \operatorname*{arg\,max}_{r} x_{r}\bigr]",
    r"1 + \cdots + 3",
    r"\left(\frac{\partial E}{\partial z}\right)^{\top}\,x",
    r"\mathbf{1}\,b^{\top}",
    r"x \odot y",
]


@pytest.mark.parametrize("tex", OPAQUE)
def test_index_form_is_read_and_has_no_value(tex: str) -> None:
    found = parse_formula(tex)
    assert found.free_symbols or found.atoms(sympy.core.function.AppliedUndef)
