r"""A comma in a number: decimals or thousands, as the document as a whole tells."""

from __future__ import annotations

import pytest

from derive.proofread.report import checked

CASES = [
    # What a text is, and the values that its lines come to.
    (r"$$a = 10{,}000 \cdot 2 = 20{,}000$$", [20000]),
    (r"$$a = 0{,}5 \cdot 2{,}250 = 1{,}125$$", [1.125]),
    (r"$$a = 1{,}250 \cdot 0.5 = 625$$", [625]),
    (r"$$a = 1{,}234{,}567.5 + 0.5 = 1{,}234{,}568$$", [1234568]),
    # Nothing tells: the comma is that of decimals.
    (r"$$a = 1{,}250 \cdot 2 = 2{,}500$$", [2.5]),
    # What one line tells holds for the others.
    (r"$$a = 1{,}250 \cdot 2 = 2{,}500$$ $$b = 0.5 \cdot 3 = 1.5$$", [2500, 1.5]),
    (r"$$a = 1{,}250 \cdot 2 = 2{,}500$$ $$b = 0{,}25 \cdot 2 = 0{,}5$$", [2.5, 0.5]),
    (r"$$a = 1{,}250 \cdot 2 = 2{,}5000$$ $$b = 10{,}000 \cdot 2 = 20{,}000$$", [2.5, 20]),
]


@pytest.mark.parametrize(("text", "values"), CASES)
def test_a_comma_is_what_the_document_tells(text: str, values: list[float]) -> None:
    found = checked("page.md", text)
    assert found.own == []
    assert [float(remark.value or 0) for remark in found.remarks] == values


def test_findings_stay_where_they_are() -> None:
    text = r"$$a = 10{,}000 \cdot 2 = 30{,}000 \quad c = 2 \cdot 3 = 7$$"
    places = [text[remark.item.where.start :] for remark in checked("page.md", text).own]
    assert [place[:2] for place in places] == ["a ", "c "]
