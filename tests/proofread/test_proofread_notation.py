"""What authors write: macros, letters of Unicode, tables, and marks around formulas."""

from __future__ import annotations

import json

import pytest

from derive.proofread import Claim, Unread, parse_formula, read, symbol_name
from derive.proofread.check import check
from derive.proofread.macros import Expander
from derive.proofread.policy import Policy
from derive.proofread.report import checked


def expanded(tex: str) -> str:
    return "".join("".join(piece.text for piece in Expander().pieces(tex)).split())


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"\newcommand{\yhat}{\hat{y}}\yhat + 1", r"\hat{y}+1"),
        (r"\def\dd#1#2{\frac{\partial #1}{\partial #2}}\dd Ew", r"\frac{\partialE}{\partialw}"),
        (r"\newcommand\w[2][0]{w_{#1,#2}}\w{3}+\w[1]{2}", "w_{0,3}+w_{1,2}"),
        (r"\DeclareMathOperator*{\softmax}{softmax}\softmax(x)", r"\operatorname{softmax}(x)"),
        (r"\let\e\varepsilon\e", r"\varepsilon"),
        (r"\def\a{\alpha}\a b", r"\alphab"),
        (r"\def\a{2\b}\def\b{3}\a", "23"),
        (r"\pdv{E}{w}", r"\frac{\partialE}{\partialw}"),
        (r"\renewcommand{\pdv}[2]{#2}\pdv{E}{w}", "w"),
        (r"\a \def\a{1}", r"\a"),
        ("x₁₂² − σ(ŷ) · ½", r"x_{12}^{2}-\sigma(\hat{y})\cdot\frac{1}{2}"),
        ("w₁,₂⁺ Σᵢ", r"w_{1,2}^{+}\Sigma_{i}"),
    ],
)
def test_macros_and_letters(tex: str, plain: str) -> None:
    assert expanded(tex) == plain


BOMBS = {
    "itself": r"\def\a{\a\a}\a",
    "doubling": "".join(rf"\def\{chr(97 + k)}{{\{chr(98 + k)}\{chr(98 + k)}}}" for k in range(25))
    + r"\a",
    "empty": "".join(rf"\def\{chr(97 + k)}{{\{chr(98 + k)}\{chr(98 + k)}}}" for k in range(24))
    + r"\def\y{}\a",
    "arguments": r"\def\a#1{\a{#1#1}}\a{xxxxxxxxxxxxxxxx}",
}


@pytest.mark.parametrize("tex", BOMBS.values(), ids=BOMBS.keys())
def test_a_macro_without_end_stays_within_bounds(tex: str) -> None:
    assert len(expanded(tex)) < 5_000_000


def test_a_definition_holds_in_the_cells_behind_it_and_places_stay() -> None:
    cells = [
        {"cell_type": "markdown", "source": "$\\newcommand{\\z}[1]{z_{#1}}$"},
        {"cell_type": "markdown", "source": ["text\n", "$$\\z{1} = 2 \\cdot 3 = 7$$"]},
    ]
    found = checked("note.ipynb", json.dumps({"cells": cells}))
    assert [(r.name, r.expected, found.where(r)) for r in found.own] == [
        ("z_1", "6", ("cell 2", 2))
    ]


def test_places_are_those_of_the_document() -> None:
    text = "\\newcommand{\\z}{z_{1} + z_{2} + z_{3}}\nso\n$$\\z = 1$$ and $y = 2$\n"
    first, second = read(text)
    assert text[first.where.start :].startswith("\\z")
    assert text[: first.where.end].endswith("= 1$$")
    assert text[second.where.start : second.where.end] == "y = 2$"


@pytest.mark.parametrize(
    ("tex", "name"),
    [
        (r"\frac{\partial^2 L}{\partial w^2}", "∂^2L/∂w^2"),
        (r"\frac{\partial J(W, b)}{\partial a_2}", "∂J(W,b)/∂a_2"),
        (r"\frac{\partial {loss}_t}{\partial W_h}", "∂loss_t/∂W_h"),
        (r"\frac{dE^n}{dy^n}", "dE^n/dy^n"),
        (r"\frac{\partial L}{\partial Z^{l-1}[p,q]}", "∂L/∂Z^l-1[p,q]"),
        (r"{loss}_t", "loss_t"),
        (r"Y[i,j]", "Y[i,j]"),
        (r"\yhat_1", "hat(y)_1"),
        (r"\bigtriangleup w_1", "Δw_1"),
    ],
)
def test_names(tex: str, name: str) -> None:
    assert symbol_name(tex) == name


@pytest.mark.parametrize(
    ("tex", "value"),
    [
        (r"\left\lfloor \frac{7}{2} \right\rfloor", 3),
        (r"\lceil 3.5 \rceil", 4),
        (r"6 \oslash 3", 2),
        (r"2 \circ 3 \otimes 4", 24),
        (r"50\%", 0.5),
        (r"\|{-3}\|^2", 9),
        (r"2 \color{red}{-} 1", 1),
        (r"\overbrace{1 + 2}^{three}", 3),
    ],
)
def test_values(tex: str, value: float) -> None:
    assert float(parse_formula(tex)) == value


@pytest.mark.parametrize(
    "tex", [r"\frac{df}{dx} |_{x=3}", r"f(x, W)", r"\frac{\partial}{\partial w} y", r"f(x; W)_j"]
)
def test_what_has_no_value_here_is_read(tex: str) -> None:
    parse_formula(tex)


def claims(tex: str) -> list[tuple[str, int, str | None]]:
    return [
        (str(item.lhs), len(item.forms), item.printed)
        if isinstance(item, Claim)
        else (item.reason, 0, None)
        for item in read(f"$${tex}$$")
    ]


A = r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}"
V = r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"


@pytest.mark.parametrize(
    ("tex", "found"),
    [
        (r"\boxed{a = 2}", [("a", 0, "2")]),
        (r"\therefore a = 2", [("a", 0, "2")]),
        (r"a = 1 \Rightarrow b = 2", [("a", 0, "1"), ("b", 0, "2")]),
        (r"w \leftarrow w - 1", [("w", 1, None)]),
        (r"a = 50\%", [("a", 0, "0.50")]),
        ("x = [1, 2]", [("x_0,0", 0, "1"), ("x_0,1", 0, "2")]),
        (rf"z_1 = {A} {V} = {V}", [("z_1 (row 1, column 1)", 1, "1"),
                                   ("z_1 (row 2, column 1)", 1, "2")]),
        (r"s = [1, 2] \cdot [3, 4] = 11", [("s", 1, "11")]),
        (rf"z = W {V}", [("z", 0, None)]),
        (rf"z = {A} \cdot {A}", [("which product of the tables is meant is not said", 0, None)]),
        (rf"z = {A} + {V}", [("tables of different shapes stand together", 0, None)]),
    ],
)  # fmt: skip
def test_statements(tex: str, found: list[tuple[str, int, str | None]]) -> None:
    assert claims(tex) == found


GRIDS = [
    (rf"{A} {V}", ["5", "11"]),
    (rf"{A}^T {V}", ["7", "10"]),
    (rf"2 {V} - {V}", ["1", "2"]),
    (rf"{V} \odot {V}", ["1", "4"]),
    (rf"1 - {V}", ["0", "-1"]),
    (rf"-{V} / 2", ["-0.5", "-1"]),
    (rf"\left({V} + {V}\right) \oslash {V}", ["2", "2"]),
]


@pytest.mark.parametrize(("tex", "entries"), GRIDS)
def test_tables_are_worked_out_entry_by_entry(tex: str, entries: list[str]) -> None:
    right = r" \\ ".join(entries)
    wrong = r" \\ ".join([*entries[:-1], "99"])
    for cells, verdicts in ((right, ["right", "right"]), (wrong, ["right", "wrong"])):
        items = read(rf"$$q_1 = {tex} = \begin{{pmatrix}} {cells} \end{{pmatrix}}$$")
        assert [r.verdict.value for r in check(items, Policy())] == verdicts


@pytest.mark.parametrize(
    ("use", "names"),
    [
        ("", ["w_0,0", "w_0,1"]),
        ("$w_0 = 3$", ["w_0", "w_1"]),
        ("$w_1 = 3$ $w_2 = 4$", ["w_1", "w_2"]),
        ("$w_1 = 3$", ["w (row 1, column 1)", "w (row 1, column 2)"]),
        ("$w_{1,2} = 4$", ["w_1,1", "w_1,2"]),
    ],
)
def test_an_entry_is_called_as_the_document_calls_it(use: str, names: list[str]) -> None:
    items = read(rf"$$w = \begin{{bmatrix}} 3 & 4 \end{{bmatrix}}$$ {use}")
    assert [str(item.lhs) for item in items if isinstance(item, Claim)][:2] == names


def test_a_chain_may_go_on_in_the_next_display() -> None:
    text = "$$z = 2 \\cdot 3$$ $$z = {}$$"
    found = [check(read(text.format(n)), Policy())[-1].verdict.value for n in ("6", "7")]
    assert found == ["right", "wrong"]


def test_an_operand_that_is_copied_wrong_is_named() -> None:
    text = "$x = 2.125$ $y = 3$ $$z = x y = 2.135 \\cdot 3 = 6.375$$"
    found = [r for r in check(read(text), Policy()) if r.verdict.value == "wrong"]
    assert [(r.name, r.printed, r.expected) for r in found] == [("x", "2.135", "2.125")]


def test_quotations_and_links_of_markdown() -> None:
    text = "> so\n> $$\n> a = 1\n> $$\n\n\\[[see](http://x.y)\\]\n"
    assert [(str(i.lhs), i.where.line) for i in read(text) if not isinstance(i, Unread)] == [
        ("a", 3)
    ]
    assert len(read(text)) == 1


COUNTED = "\n".join(
    [
        *(rf"$${name} = \begin{{pmatrix}} 1 \\ 2 \\ 3 \end{{pmatrix}}$$" for name in "abcd"),
        *(rf"$$s_{{{name}}} = {name}_{{0}} + 1 = 2$$" for name in "abc"),
        r"$$d_{i} = a_{i}$$ $$t = d_{3} + 1 = 2$$",
    ]
)


def test_one_name_does_not_count_from_1_where_all_others_count_from_0() -> None:
    names = {str(item.lhs) for item in read(COUNTED) if isinstance(item, Claim)}
    assert {"d_0", "d_2", "a_0"} <= names
    several = COUNTED + r"$$u = d_{2} + 1 = 3$$"
    assert "d_3" in {str(item.lhs) for item in read(several) if isinstance(item, Claim)}


ROWS = [
    (r"| a | $0.6 \times 0.5$ | $0.4$ |", ["wrong"]),
    (r"| **a** | $z = 0.6 \times 0.5$ | **$\boxed{0.3}$** | so |", ["right"]),
    (r"| a | $\frac{0.6}{2}$ | 0.4 |", ["wrong"]),
    (r"| a | $1 - 0.4$ | $\approx 0.6$ |", ["right"]),
    (r"| a | $0.1 \times 0.1$ | $1 \times 10^{-2}$ |", ["right"]),
    (r"| a | $L = (-0.3775)^2$ | $0.1425$ |", ["right"]),
    (r"| a | $w$ | $\approx 0.4$ |", ["given"]),
    (r"| $w$ | $0.4$ | $0.3$ |", []),
    (r"| $w$ | $-0.4$ | $0.3$ |", []),
    (r"a $2 \cdot 3$ | $7$ b", []),
    ("```\n| a | $2 \\cdot 3$ | $7$ |\n```", []),
]


@pytest.mark.parametrize(("row", "verdicts"), ROWS)
def test_a_calculation_in_a_row_of_markdown_goes_on_to_its_number(
    row: str, verdicts: list[str]
) -> None:
    results = [r for r in check(read(f"Text\n\n{row}\n"), Policy()) if r.printed]
    assert [r.verdict.value for r in results] == verdicts


def test_a_display_that_begins_with_an_equals_sign_goes_on() -> None:
    text = "$$z = 2 \\cdot 3$$\n\n$$\n= {} $$\n\n$$ $$\n\n$$= 5$$"
    for number, verdict in (("6", "right"), ("7", "wrong")):
        results = [r for r in check(read(text.format(number)), Policy()) if r.printed]
        assert [(r.name, r.verdict.value) for r in results] == [("z", verdict)]


def test_the_size_of_a_table_is_no_product() -> None:
    text = r"$\frac{{5 - 2}}{{1}} + 1 = {} \times {}$"
    assert not [r for r in check(read(text.format(4, 4)), Policy()) if r.verdict.value == "wrong"]
    assert [r for r in check(read(text.format(3, 3)), Policy()) if r.verdict.value == "wrong"]
