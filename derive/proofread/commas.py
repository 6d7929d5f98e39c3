r"""What a comma in a number means: `0{,}75` is three quarters, `10{,}000` may be ten thousand.

That is decided by a document as a whole. Where it is thousands, the text goes on with a sign in its
place that only thousands have; every offset stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_GROUPS = r"[1-9]\d{0,2}(?:\{,\}\d{3})+(?!\d|\{,\}|\.\d{0,3}\{)"
_THOUSANDS = re.compile(rf"(?<![\d.}}'])(?:{_GROUPS})")
_COMMA = re.compile(r"(?<!\d)\d{1,20}(?:\{,\}\d{1,20})+")
_POINT = re.compile(r"\d\.\d")
_NO_DECIMALS = re.compile(r"\d+\{,\}(?:000|\d{3}\{,\}\d{3}.*)")


def with_thousands(texts: Iterable[str]) -> list[str]:
    """The texts of a document, with its thousands told from its decimals."""
    found = list(texts)
    return [_THOUSANDS.sub(_told, text) for text in found] if _are_thousands(found) else found


def _told(number: re.Match[str]) -> str:
    return number[0].replace("{,}", "{'}")


def _are_thousands(texts: list[str]) -> bool:
    """Whether all numbers with commas can have thousands, and something tells that they do.

    That is a decimal point, or a number that would have no other decimals than zeros.
    """
    numbers = [number for text in texts for number in _COMMA.findall(text)]
    if not numbers or not all(_THOUSANDS.fullmatch(number) for number in numbers):
        return False
    points = any(_POINT.search(text) for text in texts)
    return points or any(_NO_DECIMALS.fullmatch(number) for number in numbers)
