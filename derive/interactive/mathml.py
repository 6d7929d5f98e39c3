"""TeX of the pages as MathML, with holes for the names and numbers that are put in by the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from derive.errors import InputError
from derive.render.pieces import MARKS

FIRST_HOLE = ord(MARKS[0])
ADVICE = "formulas of HTML are made by latex2mathml: pip install 'derive-by-hand[html]'"
MOST_KEPT = 20_000  # formulas; a series of exercises has many that come once
UPRIGHT = re.compile(r'(?:<mi mathvariant="normal">[^<]</mi>){2,}')
WORD = re.compile(r"<mo>([A-Za-z]{2,})</mo>")
BRACKETS = {"prefix": "&#x00028;|\\[", "postfix": "&#x00029;|\\]"}
SIGN = re.compile(  # behind a bracket, a relation or another sign a minus takes nothing away
    r'(<mo form="prefix"[^<>]*>[^<]*</mo>|<mo>&#x(?:0003D|0002C|000D7|000B7);</mo>)'
    r"<mo>(&#x02212;)</mo>"
)
TAG = re.compile(r'</?m[a-z]+(?: [a-z]+="[^"<>]*")*\s?/?>')
LOOSE = re.compile(r"[<>]|&(?!#x[0-9A-F]+;)")
LONE_ROW = re.compile(r"<mrow>(<m[ino](?: mathvariant=\"normal\")?>[^<]*</m[ino]>)</mrow>")


def hole(number: int) -> str:
    """The sign that stands for a name or a number."""
    return chr(FIRST_HOLE + number)


@lru_cache(maxsize=MOST_KEPT)
def mathml(tex: str, display: str = "inline") -> str:
    """What stands within `<math>`; of a word every letter would be a name of its own.

    In a `display` of its own, "block", a sum has its letters below its sign.
    """
    safe = tex.replace("<", r"\lt ").replace(">", r"\gt ")
    inner = re.sub(r"^<math[^>]*>|</math>$", "", _convert()(safe, display=display))
    inner = UPRIGHT.sub(lambda found: f"<mi>{re.sub('<[^<>]*>', '', found[0])}</mi>", inner)
    inner = WORD.sub(r"<mi>\1</mi>", inner)
    for form, sign in BRACKETS.items():  # in the middle of a row it would be taken for an operator
        inner = re.sub(
            f"<mo((?: stretchy=.false.)?)>({sign})</mo>", rf'<mo form="{form}"\1>\2</mo>', inner
        )
    if LOOSE.search(TAG.sub("", inner)):
        raise ValueError(f"this is no formula: {tex!r}")
    inner = SIGN.sub(r'\1<mo form="prefix">\2</mo>', inner)
    return LONE_ROW.sub(r"\1", LONE_ROW.sub(r"\1", inner))


@cache
def _convert() -> Callable[..., str]:
    """The library, which only pages of HTML need. Raises InputError if it is not installed."""
    try:
        from latex2mathml.converter import convert
    except ImportError:
        raise InputError(ADVICE) from None
    found: Callable[..., str] = convert
    return found
