"""The reader: where mathematics stands, and how rows become claims."""

import pytest

from derive.proofread import Claim, Unread, read
from derive.proofread.numerals import printed_number


def _summary(text: str) -> list[tuple[str, int, str | None]]:
    """Left side, number of forms and print of each claim; `unread` for the rest."""
    return [
        (str(item.lhs), len(item.forms), item.printed)
        if isinstance(item, Claim)
        else ("unread", 0, None)
        for item in read(text)
    ]


@pytest.mark.parametrize(
    ("tex", "printed"),
    [
        ("0.0275", "0.0275"),
        ("-0.04441", "-0.04441"),
        ("0.350", "0.350"),
        (r"1.2\times 10^{-5}", "0.000012"),
        (r"-1.20 \cdot 10^{3}", "-1.20E+3"),
        (r"2.5\cdot 10^{350}", "2.5E+350"),
        ("2420357031410095017716478863.112", "2420357031410095017716478863.112"),
        (r"2.5\cdot 10^{-350}", f"0.{'0' * 349}25"),
        (r"2.5\cdot 10^{-99999}", None),
        ("0{,}5", "0.5"),
        (r"10\,000", "10000"),
        (r"\boxed{0.5}", "0.5"),
        ("(-0.5)", "-0.5"),
        ("+3", "3"),
        ("0.5 - 0.3", None),
        ("x", None),
        (r"\frac{1}{2}", None),
    ],
)
def test_printed_number(tex: str, printed: str | None) -> None:
    assert printed_number(tex) == printed


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (r"\[ x = 1 + 2 = 3. \]", [("x", 1, "3")]),
        ("$$ x = 0.5 $$", [("x", 0, "0.5")]),
        ("so $x = 0.5$ and $y$ and $z > 0$", [("x", 0, "0.5")]),
        (r"so \(x \approx 0.5\)", [("x", 0, "0.5")]),
        (r"\begin{equation}\label{eq:a} x = y \tag{1}\end{equation}", [("x", 1, None)]),
        (
            r"\begin{align*} a &= b + c \\ &= 1 + 2 = 3 \\ d &= 4 \end{align*}",
            [("a", 2, "3"), ("d", 0, "4")],
        ),
        (r"$\begin{align*} a &= b \\ &= 1 \end{align*}$", [("a", 1, "1")]),
        (
            r"\begin{equation}\label{x}\begin{aligned} a &= 1 \\[2pt] b &= 2 \end{aligned}."
            r"\end{equation}",
            [("a", 0, "1"), ("b", 0, "2")],
        ),
        (r"\begin{align} a &= 1 & b &= 2 \\ c &= 3 && \text{why} \end{align}",
         [("a", 0, "1"), ("b", 0, "2"), ("c", 0, "3")]),
        (r"\begin{alignat}{2} a &= 1, &\quad b &= 2 \end{alignat}",
         [("a", 0, "1"), ("b", 0, "2")]),
        (r"\begin{eqnarray*} a &=& 1 \\ &=& b \end{eqnarray*}", [("a", 2, None)]),
        (r"\begin{gather} a = 1 \\ b = 2 \end{gather}", [("a", 0, "1"), ("b", 0, "2")]),
        (r"\begin{multline} a = b \\ + c \\ = 3 \end{multline}", [("a", 1, "3")]),
        (r"\begin{align} a &= b \\ &\quad + c \\ &= 3 \end{align}", [("a", 1, "3")]),
        (r"\begin{align} a &= \left[ b \right. \\ &\quad \left. + c \right] \\ &= 3\end{align}",
         [("a", 1, "3")]),
        (r"\[ i_1 = 0.05,\quad i_2 = 0.1 \]", [("i_1", 0, "0.05"), ("i_2", 0, "0.1")]),
        (r"\[ a = 1, b = 2 \]", [("a", 0, "1"), ("b", 0, "2")]),
        (r"\[ a = \max(1, 2) = 2 \]", [("a", 1, "2")]),
        (r"\[ a = 1 \quad\text{and}\quad b = 2 \]", [("a", 0, "1"), ("b", 0, "2")]),
        (r"\[ s = \sum_{k=1}^{3} y_k \]", [("s", 1, None)]),
        (r"\[ x \Rightarrow y = 2 \]", [("unread", 0, None)]),
        (r"\[ x > 0 \]", [("unread", 0, None)]),
        (r"\[ k = 1, 2, 3 \]", [("unread", 0, None)]),
        (r"\[ \frac{1}{2} \]", [("1/2", 0, None)]),
        (r"\[ x = \unknown{1} \]", [("unread", 0, None)]),
        (r"\[ = 1 \]", [("unread", 0, None)]),
        (r"\[ x = 1", [("unread", 0, None)]),
        (r"\[ x = \begin{cases} 1 & \text{if } y > 0 \\ 0 \end{cases} \]", [("x", 0, None)]),
        (r"\[ \begin{aligned} a &= 1 \end{aligned} = 5 \]", [("unread", 0, None)]),
        (r"\begin{verbatim} \[ x = 1 \] \end{verbatim}", []),
        (r"\begin{tikzpicture} $x = 1$ \end{tikzpicture}", []),
        ("```\n$x = 1$\n```\n", []),
        ("% $x = 1$\n$y = 2$", [("y", 0, "2")]),
        ("50% of $y = 2$", [("y", 0, "2")]),
        ("it costs $5 and $10, and $y = 2$", [("y", 0, "2")]),
        ("\\documentclass{a}\n$x = 1$\n\\begin{document}$y = 2$ % $z = 3$\n\\end{document}",
         [("y", 0, "2")]),
        ("no mathematics", []),
    ],
)  # fmt: skip
def test_read(text: str, claims: list[tuple[str, int, str | None]]) -> None:
    assert _summary(text) == claims


def test_lines_are_those_of_the_source() -> None:
    text = "a\n% b\n\\begin{align*}\nx &= 1 \\\\\ny &= 2\n\\end{align*}\nand $z = 3$\n"
    places = [(item.where.line, item.where.environment) for item in read(text)]
    assert places == [(4, "align*"), (5, "align*"), (7, "$")]


def test_unread_says_why() -> None:
    (item,) = read(r"\[ x = \unknown \]")
    assert isinstance(item, Unread)
    assert "unknown" in item.reason
