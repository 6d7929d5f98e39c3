"""Numbers of a page as an author writes them."""

from __future__ import annotations

import pytest

from tests.render.model_support import told, wrong

CUBIC = "inputs: {x: 2}\nmodel:\n  - E = x + 0.044715*x**3\nloss: E"
POWERS = (
    "inputs: {x: [1, 2]}\nparameters: {w: 3}\n"
    'model: ["y[k] = (w*x[k]/2**k)**2"]\nloss: E = sum(k, y[k])'
)


@pytest.mark.parametrize(
    ("text", "said", "unsaid"),
    [
        (CUBIC, r"3 \cdot 0.044715\,x^{2}", "0.134145"),
        (POWERS, "", r"2\,2^"),
    ],
)
def test_numbers_are_written_like_the_authors(text: str, said: str, unsaid: str) -> None:
    made = told("sentences", text)
    page = " ".join(made.texts["en"].split())
    assert said in page
    assert not unsaid or unsaid not in page
    assert not wrong(made.report())
