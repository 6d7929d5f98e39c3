"""Lines of code that say the result of what they calculate."""

from __future__ import annotations

import pytest

from derive.proofread.report import checked

NET = "net_h1 = 0.15 * 0.05 + 0.2 * 0.1 + 0.35"
CASES = [
    (f"{NET} = 0.3775", 1, []),
    (f"# {NET} = 0.3785", 1, ["0.3775"]),
    ("x = 0.1 * 3 = 0.30000000000000004", 1, []),
    ("x = 1 / 3 = 0.33", 1, []),
    ("x = 0.333 * 3 = 0.9999", 1, []),
    ("x = (1 + 2) * 3 = 8", 1, ["9"]),
    # Nothing is said of a result, or it is another language.
    (NET, 0, []),
    ("x = y = 0.5", 0, []),
    ("x == 3 + 4 == 8", 0, []),
    ("x = 2 ** 3 = 9", 0, []),
    ("x = 2 ** 3 + 1 = 7", 0, []),
    ("x = 7 // 2 + 1 = 4.5", 0, []),
    ("x = -1 = 3", 0, []),
    ("x = sum(1 + 2) = 4", 0, []),
]


@pytest.mark.parametrize(("line", "read", "expected"), CASES)
def test_a_line_of_code_is_what_it_says(line: str, read: int, expected: list[str]) -> None:
    found = checked("note.md", f"Text\n\n```python\n{line}\n```\n\n$$a = 0.5 \\cdot 2 = 1$$\n")
    assert len(found.remarks) == 1 + read
    assert [own.expected for own in found.own] == expected
    assert [found.where(own) for own in found.own] == [("", 4)] * len(expected)


def test_outside_of_blocks_nothing_is_read() -> None:
    assert checked("note.md", "x = (1 + 2) * 3 = 8\n").remarks == ()
