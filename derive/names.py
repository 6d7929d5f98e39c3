"""What may be a name: one rule for whatever a spec names, keys as well as values.

A name enters code, pages, reports and messages as it is, so nothing else may pass for one.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection

from derive.errors import shown
from derive.functions import BY_NAME

LONGEST_NAME = 60
NAME = r"[A-Za-z][A-Za-z0-9_]*"
IDENTIFIER = re.compile(rf"{NAME}\Z")
ITEM = rf"({NAME})(?:\[([\d,:\s]*)\])?"
PUBLISHED = re.compile(rf"\s*(?:d{ITEM}\s*/\s*d{ITEM}|{ITEM})\s*(\+|@\s*\d+)?\s*", re.ASCII)

GREEK = re.compile(
    r"\b(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lamda|mu|nu|xi|omicron|pi|rho"
    r"|sigma|tau|upsilon|phi|chi|psi|omega)\b"
)


def spelled(text: str) -> str:
    """A text with its Greek letters as they are written in a spec: `θ1` is theta1, `λ` lambda_."""
    word = "".join(_greek(letter) or letter for letter in text)
    return f"{word}_" if keyword.iskeyword(word) else word


def _greek(letter: str) -> str:
    """The name of a Greek letter of any shape; nothing for any other character."""
    if letter.isascii():
        return ""
    words = unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "").lower()
    found = GREEK.search(words)
    name = found[1].replace("lamda", "lambda") if found else ""
    return name.capitalize() if "capital" in words else name


def wrong_name(name: str) -> str:
    """Why a text is no name; nothing if it is one."""
    if len(name) > LONGEST_NAME:
        return f"{shown(name)} is too long for a name: it has at most {LONGEST_NAME} characters"
    if not IDENTIFIER.match(name):
        hint = f"; write {spelled(name)}" if IDENTIFIER.match(spelled(name)) else ""
        return f"{shown(name)} is no name: use letters, digits and _{hint}"
    return ""


def wrong_run(name: str) -> str:
    """Why a text is no name of a run; nothing if it is one. It may be several words."""
    if len(name) > LONGEST_NAME:
        return f"{shown(name)} is too long for a name: it has at most {LONGEST_NAME} characters"
    if not name.strip() or not name.isprintable():
        return "a run needs a name on one line, such as 'Example 2'"
    return ""


def reserved(name: str, more: Collection[str] = ()) -> bool:
    """Whether a name means something else already, in code or in the language of equations."""
    return keyword.iskeyword(name) or name in BY_NAME or name in more


def wrong_reserved(name: str) -> str:
    """What is said of a name that means something else already."""
    return f"'{name}' is a reserved word; write {name}_, or another name"


def place_of(text: str | None) -> tuple[int, ...]:
    """The indices of a published name, as `0,1` between its brackets."""
    return tuple(int(part) for part in (text or "").split(",") if part.strip())


def update_of(mark: str | None) -> int:
    """After how many updates a published name is meant, by the mark behind it: `+` or `@3`."""
    return 0 if mark is None else 1 if mark == "+" else int(mark[1:])


def wrong_published(text: str) -> str:
    """Why a text does not name a number that somebody may have printed."""
    match = PUBLISHED.fullmatch(text)
    if match is None:
        return f"{shown(text)} is no name; it is written like W[0,1], dE/dW[0,2:5] or W[0,1]@1"
    return next(filter(None, (wrong_name(match[k]) for k in (1, 3, 5) if match[k])), "")
