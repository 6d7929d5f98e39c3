"""Korean particles after symbols, numbers and words."""

from __future__ import annotations

import pytest

from derive.render.korean import particle

TOPIC, SUBJECT, OBJECT, WITH = "은/는", "이/가", "을/를", "과/와"
BY, CALLED = "으로/로", "이라고/라고"

# The last digit as it is read: 영 일 이 삼 사 오 육 칠 팔 구.
DIGITS = {
    "0": ("은", "이", "을", "과", "으로", "이라고"),
    "1": ("은", "이", "을", "과", "로", "이라고"),
    "2": ("는", "가", "를", "와", "로", "라고"),
    "3": ("은", "이", "을", "과", "으로", "이라고"),
    "4": ("는", "가", "를", "와", "로", "라고"),
    "5": ("는", "가", "를", "와", "로", "라고"),
    "6": ("은", "이", "을", "과", "으로", "이라고"),
    "7": ("은", "이", "을", "과", "로", "이라고"),
    "8": ("은", "이", "을", "과", "로", "이라고"),
    "9": ("는", "가", "를", "와", "로", "라고"),
}
PAIRS = (TOPIC, SUBJECT, OBJECT, WITH, BY, CALLED)


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("shape", ["{}", "0.31{}", "-2.{}", "w_{}", "w_{{1{}}}",
                                   r"\mathrm{{out}}_{{h{}}}",
                                   "w_{}^{{+}}", r"\mathrm{{net}}_{{o{}}}^{{(2)}}"])  # fmt: skip
def test_after_a_digit(digit: str, shape: str) -> None:
    found = tuple(particle(shape.format(digit), pair) for pair in PAIRS)
    assert found == DIGITS[digit]


@pytest.mark.parametrize(
    ("tex", "pair", "expected"),
    [
        ("0.3143", BY, "으로"),
        ("0.5", BY, "로"),
        ("1", BY, "로"),
        ("0.2397", SUBJECT, "이"),
        ("w_1", TOPIC, "은"),
        ("w_2", TOPIC, "는"),
        (r"\mathrm{out}_{o2} = 0.6186", TOPIC, "은"),
        (r"\alpha", TOPIC, "는"),
        (r"\delta", OBJECT, "를"),
        (r"\epsilon", OBJECT, "을"),
        (r"E_{\mathrm{total}}", BY, "로"),
        (r"E_{\mathrm{total}}", SUBJECT, "이"),
        ("x", SUBJECT, "가"),
        ("n", SUBJECT, "이"),
        ("M", BY, "으로"),
        ("l", BY, "로"),
        (r"\frac{\partial E}{\partial w_3}", OBJECT, "을"),
        ("", TOPIC, "는"),
    ],
)
def test_after_symbols(tex: str, pair: str, expected: str) -> None:
    assert particle(tex, pair) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("오차", ("는", "가", "를", "와", "로", "라고")),
        ("값", ("은", "이", "을", "과", "으로", "이라고")),
        ("학습률", ("은", "이", "을", "과", "로", "이라고")),
        ("교차 엔트로피(cross-entropy)", ("는", "가", "를", "와", "로", "라고")),
        ("더한 값(total)", ("은", "이", "을", "과", "으로", "이라고")),
    ],
)
def test_after_a_word(word: str, expected: tuple[str, ...]) -> None:
    assert tuple(particle(word, pair) for pair in PAIRS) == expected
