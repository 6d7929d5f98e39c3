"""The sheet: what a number of the page is computed from, and how its display is laid out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import derive
from derive.expression import Element
from derive.notation import Name, notation
from derive.numbers import NumberFormat, Rounding, Zeros
from derive.render.pieces import PLAIN, TEX, width
from derive.render.sheet import LINE, Display, Sheet, values_of

NAMES = notation(derive.load("article"))
FOUR = NumberFormat()
FULL = NumberFormat(chained=False)
X1, X2 = Element("x", 0, 0), Element("x", 0, 1)
W = [Element("W1", 0, 0), Element("W1", 0, 1), Element("W1", 1, 0), Element("W1", 1, 1)]
NET, OUT = Element("net1", 0, 0), Element("out1", 0, 0)


def sheet(form: NumberFormat = FOUR, **values: str) -> Sheet:
    """A sheet with the given values by their report names."""
    made = Sheet(NAMES, form)
    for key in (X1, X2, *W):
        value = values.get(NAMES.name(key).report)
        made.give(key, Fraction(value) if value is not None else None)
    return made


def one_line(display: Display) -> str:
    return " = ".join((display.lhs, *display.rows))


# --- numbers --------------------------------------------------------------------------------------


def test_chained_numbers_are_computed_from_what_is_printed() -> None:
    """1/3 to four digits, times 3: 0.9999 by hand, 1 without rounding."""
    third, whole = sympy.Rational(1, 3) * X1, 3 * NET
    for form, expected in ((FOUR, "0.9999"), (FULL, "1")):
        page = sheet(form, i1="1")
        page.define(NET, third)
        assert page.define(OUT, whole).result == expected
        assert page.text(NET) == "0.3333"
        assert page.entries[OUT].exact == 1


def test_chains_follow_the_same_rule() -> None:
    for form, expected in ((FOUR, "0.9999"), (FULL, "1")):
        page = sheet(form, i1="1", w1="3")
        page.define(NET, X1 / 3)
        assert page.chain(OUT, [[NET, W[0]]]).result == expected


@pytest.mark.parametrize(
    ("value", "rounding", "text"),
    [
        ("0.12345", Rounding.HALF_UP, "0.1235"),
        ("0.12345", Rounding.HALF_EVEN, "0.1234"),
        ("0.12355", Rounding.HALF_EVEN, "0.1236"),
        ("-0.12345", Rounding.HALF_UP, "-0.1235"),
        ("0.99995", Rounding.HALF_UP, "1"),
        ("12345", Rounding.HALF_UP, "12350"),
        ("0.00002", Rounding.HALF_UP, "0.00002"),
        ("0.1", Rounding.HALF_UP, "0.1"),
    ],
)
def test_ties(value: str, rounding: Rounding, text: str) -> None:
    page = sheet(NumberFormat(rounding=rounding), i1=value, w1="1")
    assert page.define(NET, X1 * W[0]).result == text


def test_padded_decimals() -> None:
    form = NumberFormat(significant_digits=None, decimals=3, zeros=Zeros.PAD)
    assert sheet(form, i1="0.5", w1="0.5").define(NET, X1 * W[0]).result == "0.250"


@pytest.mark.parametrize("text", ["0.05", "-3", "1/3", "0.123456789", "0"])
def test_given_numbers_stand_as_they_were_given(text: str) -> None:
    page = sheet(i1=text)
    assert page.text(X1) == text
    assert page.entries[X1].page == Fraction(text)


@pytest.mark.parametrize(
    ("value", "form", "written"),
    [
        ("2.5e-30", FOUR, r"2.5 \cdot 10^{-30}"),
        ("-3e12", FOUR, r"-3 \cdot 10^{12}"),
        ("0.00002", FOUR, "0.00002"),
        ("2.5e-3", NumberFormat(None, decimals=4), "0.0025"),
        ("3e12", NumberFormat(None, decimals=4), "3000000000000"),
    ],
)
def test_a_number_far_from_one_is_a_power_of_ten(
    value: str, form: NumberFormat, written: str
) -> None:
    page = sheet(form, i1=value, w1="1")
    display = page.define(NET, X1 * W[0])
    assert display.result == page.text(X1) == written
    assert Fraction(page.entries[NET].text or "") == Fraction(value)


def test_values_by_report_name() -> None:
    page = sheet(i1="0.5", w1="0.2")
    page.define(NET, X1 * W[0])
    assert {k: e.text for k, e in values_of(page.entries).items() if e.text} == {
        "i1": "0.5", "w1": "0.2", "net_h1": "0.1",
    }  # fmt: skip


# --- rows -----------------------------------------------------------------------------------------


def test_formula_then_numbers_and_result() -> None:
    page = sheet(i1="0.05", i2="0.1", w1="0.15", w2="-0.2")
    display = page.define(NET, X1 * W[0] + X2 * W[1])
    assert display == Display(
        "eq:net_h1",
        r"\mathrm{net}_{h1}",
        (
            r"i_1\cdot w_1 + i_2\cdot w_2",
            r"0.05\cdot 0.15 + 0.1\cdot (-0.2) = -0.0125",
        ),
        "-0.0125",
        formula=(r"i_1\cdot w_1 + i_2\cdot w_2",),
    )


@pytest.mark.parametrize(
    ("expr", "rows"),
    [
        (X1, ("i_1", "-0.5")),
        (sympy.Integer(1), ("1",)),
        (sympy.Rational(1, 3), (r"\frac{1}{3} = 0.3333",)),
        (-X1, ("-i_1", "-(-0.5) = 0.5")),
        (X1 - X1**2, ("i_1 - i_1^{2}", "-0.5 - (-0.5)^{2} = -0.75")),
    ],
    ids=str,
)
def test_no_row_is_said_twice(expr: sympy.Expr, rows: Sequence[str]) -> None:
    assert sheet(i1="-0.5").define(NET, expr).rows == tuple(rows)


def test_without_values_only_the_formula_stands() -> None:
    display = sheet().define(NET, X1 * W[0])
    assert display.rows == (r"i_1\cdot w_1",)
    assert display.result is None
    assert NET not in sheet().entries


def test_what_depends_on_something_unknown_is_unknown() -> None:
    page = sheet(i1="1")
    page.define(NET, X1 * W[0])
    assert page.define(OUT, NET + X1).result is None
    assert page.text(OUT) is None


def test_rows_shown_before_the_formula_and_never_twice() -> None:
    page = sheet(i1="1", w1="2")
    display = page.define(NET, X1 * W[0], ["E_1", r"i_1\cdot w_1"])
    assert display.rows == ("E_1", r"i_1\cdot w_1", r"1\cdot 2 = 2")


def test_chain_in_the_given_order_with_times_signs() -> None:
    page = sheet(i1="-0.5", i2="0.25", w1="2", w2="-3")
    display = page.chain(NET, [[W[0], X1], [X2, W[1]]])
    assert display.rows == (
        r"w_1 \times i_1 + i_2 \times w_2",
        r"2 \times (-0.5) + 0.25 \times (-3) = -1.75",
    )


def test_equal_stands_on_one_line() -> None:
    page = sheet(w1="-0.4")
    slope = page.slope(NET, X1)
    text = r"\frac{\partial \mathrm{net}_{h1}}{\partial i_1} = w_1 = -0.4"
    assert page.equal(slope, W[0]) == text
    assert page.labels[slope] == "eq:dnet_h1_di1"
    assert page.equal(page.slope(NET, X2), sympy.Integer(1)).endswith("{\\partial i_2} = 1")
    unknown = sheet()
    assert unknown.equal(unknown.slope(NET, X1), W[0]) == text.removesuffix(" = -0.4")


def test_plain_text() -> None:
    page = Sheet(NAMES, FOUR, PLAIN)
    page.give(X1, Fraction(-1, 2))
    page.give(W[0], Fraction(3, 10))
    assert one_line(page.define(NET, X1 * W[0])) == "net_h1 = i1·w1 = (-0.5)·0.3 = -0.15"
    assert one_line(page.chain(OUT, [[W[0], X1]])) == "out_h1 = w1 × i1 = 0.3 × (-0.5) = -0.15"


def test_a_new_name_of_a_derivative_stays() -> None:
    page = sheet(i1="1")
    key = page.slope(NET, X1)
    page.symbols[key] = Name("d", r"\delta", "dnet/dx")
    assert page.symbol(page.slope(NET, X1)) == r"\delta"


# --- long sums ------------------------------------------------------------------------------------

SUMMANDS = st.lists(
    st.tuples(st.booleans(), st.integers(1, 999).map(lambda n: Fraction(n, 1000))),
    min_size=1,
    max_size=30,
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(SUMMANDS)
def test_a_broken_sum_keeps_all_summands_and_signs(parts: list[tuple[bool, Fraction]]) -> None:
    page = sheet()
    keys = [Element("W1", k, 0) for k in range(len(parts))]
    for key, (_, value) in zip(keys, parts, strict=True):
        page.give(key, value)
    signs = [-1 if minus else 1 for minus, _ in parts]
    expr = sympy.Add(*[s * k * X1 for s, k in zip(signs, keys, strict=True)])
    page.give(X1, Fraction(2))
    display = page.define(NET, expr)
    formula, *_ = display.rows
    lines = formula.split(TEX.break_line)
    assert all(line.startswith(("+ ", "- ")) for line in lines[1:])
    assert all(not line.endswith(("+", "-")) for line in lines)
    whole = " ".join(lines)
    written = re.findall(r"(^-|[-+] |^)\s*i_1\\cdot (w_(?:\d|\{\d+\}))", whole)
    expected = {(not minus, NAMES.name(k).tex) for k, (minus, _) in zip(keys, parts, strict=True)}
    assert {("-" not in sign, name) for sign, name in written} == expected
    assert len(written) == len(parts)
    assert display.result is not None


def test_a_sum_breaks_before_the_sign() -> None:
    page = sheet()
    names = [Element("W1", k, 0) for k in range(12)]
    for name in names:
        page.give(name, Fraction("-0.1234"))
    page.give(X1, Fraction("0.5678"))
    display = page.define(NET, sum(names[:6]) - sum(k * X1 for k in names[6:]))
    numbers = display.rows[1].split(TEX.break_line)
    assert len(numbers) > 1
    assert all(width(line) <= LINE for line in numbers)
    assert numbers[-1].startswith(r"- 0.5678\cdot (-0.1234)")
    assert numbers[0].startswith("-0.1234 + (-0.1234)")
    assert display.rows[-1] == display.result


def test_a_short_result_stays_on_the_line() -> None:
    page = sheet(i1="0.5", w1="0.2")
    assert page.define(NET, X1 * W[0]).rows[-1] == r"0.5\cdot 0.2 = 0.1"


def test_a_long_sum_in_a_product_is_broken_inside_its_bracket() -> None:
    page = sheet()
    keys = [Element("W1", k, 0) for k in range(12)]
    for key in keys:
        page.give(key, Fraction("-0.1234"))
    page.give(X1, Fraction("0.5678"))
    display = page.define(NET, (1 - X1) * sympy.Add(*[key * X1 for key in keys]))
    for row in display.rows[:2]:
        first, *others = row.split(TEX.break_line)
        assert first.startswith((r"(1 - i_1)\bigl(", r"(1 - 0.5678)\bigl("))
        assert all(line.startswith("+ ") for line in others) and others
        assert row.endswith(r"\bigr)") and row.count("(-0.1234)") in (0, 12)
        assert all(width(line) <= LINE + 2 for line in (first, *others))


def test_a_long_denominator_is_written_after_a_stroke() -> None:
    page = sheet()
    keys = [Element("W1", k, 0) for k in range(20)]
    for key in keys:
        page.give(key, Fraction("-0.1234"))
    display = page.define(NET, sympy.exp(keys[0]) / sympy.Add(*map(sympy.exp, keys)))
    assert display.rows[0].startswith(r"e^{w_1} / \bigl(e^{w_1} + e^{w_3}")
    assert display.rows[1].startswith(r"e^{-0.1234} / \bigl(e^{-0.1234} + ")
    assert display.rows[1].count(TEX.break_line) >= 1
    assert display.result == "0.05"
