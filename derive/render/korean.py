"""Korean particles after a symbol or number, chosen by how its last sign is read aloud."""

from __future__ import annotations

import re

# Whether the Korean reading ends in a consonant, and whether that consonant is ㄹ.
_DIGITS = {"0": "ㅇ", "1": "ㄹ", "3": "ㅁ", "6": "ㄱ", "7": "ㄹ", "8": "ㄹ"}
_LETTERS = {"l": "ㄹ", "m": "ㅁ", "n": "ㄴ", "r": "ㄹ"}


def particle(tex: str, pair: str) -> str:
    """`particle("w_1", "을/를")` is "을": 1 is read 일. The pair is consonant/vowel."""
    after_consonant, after_vowel = pair.split("/")
    final = _final(tex)
    if after_consonant.startswith("으로"):
        return after_consonant if final not in ("", "ㄹ") else after_vowel
    return after_consonant if final else after_vowel


def _final(tex: str) -> str:
    """The final consonant of the last syllable, digit or letter, or nothing.

    A gloss in brackets after a Korean word is not read: 교차 엔트로피(cross-entropy) ends in 피.
    """
    spoken = re.sub(r"(?<=[가-힣])\([^()]*\)$", "", tex)
    if spoken and "가" <= spoken[-1] <= "힣":
        place = (ord(spoken[-1]) - ord("가")) % 28
        return {0: "", 8: "ㄹ"}.get(place, "ㅇ")
    bare = re.sub(r"\\(mathrm|operatorname|partial|frac)\b", "", tex)
    bare = re.sub(r"\^\{[^{}]*\}", "", bare)
    signs = re.findall(r"\\[A-Za-z]+|[A-Za-z0-9]", bare)
    if not signs:
        return ""
    last = signs[-1]
    if last.startswith("\\"):
        return "ㄴ" if last in (r"\epsilon", r"\upsilon") else ""
    return _DIGITS.get(last, "") or _LETTERS.get(last.lower(), "")
