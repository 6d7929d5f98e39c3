"""Pieces of code put together: brackets stand where they are needed, and only there."""

from __future__ import annotations

import pytest

from derive.emit.arithmetic import Code, Level, power, product, total

A, B, C = (Code(letter, Level.NAME) for letter in "abc")
SUM, QUOTIENT = Code("b + c", Level.SUM), Code("b / c", Level.PRODUCT)
SQUARE = power(A, 2)

WRITTEN = [
    (total([(1, A), (-1, SUM)]), "a - (b + c)"),
    (total([(1, SUM), (-1, A)]), "b + c - a"),
    (total([(-1, SUM), (1, A)]), "-(b + c) + a"),
    (total([(1, A), (-1, QUOTIENT)]), "a - b / c"),
    (total([(-1, SQUARE), (1, B)]), "-(a**2) + b"),
    (product([A, SUM], []), "a * (b + c)"),
    (product([SUM, A], []), "(b + c) * a"),
    (product([A], [B, C]), "a / (b * c)"),
    (product([A], [QUOTIENT]), "a / (b / c)"),
    (product([A, QUOTIENT], []), "a * (b / c)"),
    (power(SUM, 2), "(b + c) ** 2"),
    (power(SQUARE, 3), "(a**2) ** 3"),
]


@pytest.mark.parametrize(("code", "text"), WRITTEN, ids=[text for _, text in WRITTEN])
def test_brackets(code: Code, text: str) -> None:
    assert code.text == text
