"""Formulas of derivatives are held against what a document says that each name is."""

from __future__ import annotations

import pytest

import derive
from derive.proofread.behind import behind, points
from derive.proofread.claim import Claim
from derive.proofread.formulas import wrong_formula, wrong_formulas
from derive.proofread.reader import read
from derive.proofread.reading import OWN, Verdict
from derive.proofread.report import checked
from derive.spec import builtin_names
from tests.sampled import sampled

NETWORK = r"""
$$ n_1 = w_1 x_1 + w_2 x_2 + b $$
$$ n_2 = w_3 x_1 + w_4 x_2 + b $$
$$ h_1 = \sigma(n_1) $$
$$ h_2 = \sigma(n_2) $$
$$ m_1 = w_5 h_1 + w_6 h_2 + c $$
$$ m_2 = w_7 h_1 + w_8 h_2 + c $$
$$ y_1 = \sigma(m_1) $$
$$ y_2 = \sigma(m_2) $$
$$ E = \frac12 (t_1 - y_1)^2 + \frac12 (t_2 - y_2)^2 $$
"""

FORMULAS = [
    ("w_5", "(y_1-t_1) y_1 (1-y_1) h_1", None),
    ("w_5", r"\frac{\partial E}{\partial y_1} \frac{\partial y_1}{\partial m_1} h_1", None),
    ("w_5", "-(y_1-t_1) y_1 (1-y_1) h_1", "the sign is the other one"),
    ("w_5", "2(y_1-t_1) y_1 (1-y_1) h_1", "it is 2 times the derivative"),
    ("w_5", r"\frac{1}{2} (y_1-t_1) y_1 (1-y_1) h_1", "it is 1/2 times the derivative"),
    ("w_8", "(y_2-t_2) h_2", "the factor ∂y_2/∂m_2 is missing"),
    ("w_8", "(t_2-y_2) h_2", "the factor ∂y_2/∂m_2 is missing, and the sign is the other one"),
    ("w_8", "(y_2-t_2) y_2 (1-y_2) h_2 x_1", "the factor x_1 is one too many"),
    ("w_8", "(y_2-t_2) y_2 (1-y_2) h_1", "it is right with h_2 in place of h_1"),
    ("w_8", "(y_1-t_1) y_2 (1-y_2) h_2", "it is right with t_2, y_2 in place of t_1, y_1"),
    ("w_5", "(y_1-t_1) m_1 (1-m_1) h_1", "it is right with y_1 in place of m_1"),
    ("h_1", r"\frac{\partial E}{\partial m_1} w_5 + \frac{\partial E}{\partial m_2} w_7", None),
    ("h_1", r"\frac{\partial E}{\partial m_1} w_5", "the path through m_2 is missing"),
    ("b", r"\frac{\partial E}{\partial n_1}", "the path through n_2 is missing"),
    ("w_1", r"\frac{\partial E}{\partial n_1} x_2", "it is right with x_1 in place of x_2"),
    ("w_5", "(y_1-t_1)^3", None),  # not the derivative, and nobody knows why: nothing is said
    ("u", "(y_1-t_1) y_1", None),  # no formula leads from u to E
]  # fmt: skip


def claimed(by: str, formula: str) -> list[Claim]:
    text = rf"{NETWORK}$$ \frac{{\partial E}}{{\partial {by}}} = {formula} $$"
    return [item for item in read(text) if isinstance(item, Claim)]


@pytest.mark.parametrize(("by", "formula", "words"), FORMULAS)
def test_a_wrong_formula_is_explained_or_nothing_is_said(
    by: str, formula: str, words: str | None
) -> None:
    claims = claimed(by, formula)
    assert wrong_formula(claims[-1], points(behind(claims))) == words


def test_with_a_network_that_is_sure_what_is_not_explained_is_wrong_too() -> None:
    claims = claimed("w_5", "(y_1-t_1)^3")
    found = wrong_formula(claims[-1], points(behind(claims)), sure=True)
    assert found == "the two sides are not the same"


def test_a_name_with_two_meanings_has_none() -> None:
    claims = claimed("w_5", "2(y_1-t_1) y_1 (1-y_1) h_1")
    other = [item for item in read(r"$$ y_1 = 3 m_1 $$") if isinstance(item, Claim)]
    assert not wrong_formulas([*claims, *other], behind([*claims, *other]))
    same = [item for item in read(r"$$ y_1 = \frac{1}{1 + e^{-m_1}} $$") if isinstance(item, Claim)]
    assert wrong_formulas([*claims, *same], behind([*claims, *same]))


def test_formulas_that_go_round_in_a_circle_say_nothing() -> None:
    text = r"$$ a = b + w $$ $$ b = 2 a $$ $$ \frac{\partial b}{\partial w} = 5 w $$"
    items = read(text)
    assert not wrong_formulas(items, behind(items))


DOCUMENT = r"""
$w = 0.5$, $x = 0.4$, $t = 0.1$
$$ n = w x = 0.2 $$
$$ y = n^2 = 0.04 $$
$$ E = \frac12 (y - t)^2 = 0.0018 $$
$$ \frac{\partial E}{\partial w} = (y - t) x = -0.024 $$
$$ w^{+} = w - 0.5 \frac{\partial E}{\partial w} = 0.512 $$
"""


def test_numbers_of_a_wrong_formula_follow_from_it() -> None:
    found = checked("net.md", DOCUMENT)
    (fault,) = found.own
    assert fault.reason == "the factor ∂y/∂n is missing"
    following = found.consequences(fault)
    assert [(each.name, each.printed, each.expected) for each in following] == [
        ("∂E/∂w", "-0.024", "-0.0096"),
        ("w+", "0.512", "0.505"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(builtin_names(), 5))
def test_nothing_is_found_on_the_page_of_a_built_in_spec(name: str) -> None:
    for language, text in derive.make(derive.load(name)).texts.items():
        found = checked(f"{name}.{language}.tex", text)
        assert not [each for each in found.remarks if each.verdict in (*OWN, Verdict.UNREAD)]


UNSTATED = r"""
$b_{t} = p_{t} + b_{t-1}^2$, $d = p_{0} + 3$, $E = \exp(b_{0}) + d^2$, $b_{0} = 2$.

$$\frac{\partial E}{\partial p_{0}}
  = \frac{\partial E}{\partial b_{0}} + \frac{\partial E}{\partial d}$$
"""


def test_what_an_entry_without_a_formula_may_be_made_of_is_not_known() -> None:
    """Here b_0 is made of p_0, as the formula of b_t says, though it is only gone on with."""
    items = list(read(UNSTATED))
    assert wrong_formulas(items, behind(items), sure=True) == {}
    known = list(read(UNSTATED.replace("$b_{t} = p_{t} + b_{t-1}^2$, ", "")))
    assert set(wrong_formulas(known, behind(known), sure=True).values()) == {
        "the two sides are not the same"
    }
