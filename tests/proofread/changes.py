r"""One change of one character of a page: a digit, a sign, an operator or a subscript.

    python -m tests.proofread.changes 5000 [seed]

Every change is made in the mathematics of the page, where the proof-reader may look for it, and is
the smallest of its kind. What is asked of each is whether it is found on its line.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import derive
from derive.proofread.macros import Expander
from derive.proofread.reading import Verdict
from derive.proofread.report import checked
from derive.proofread.scan import passages
from derive.proofread.source import prepared
from derive.scaffold import scaffold
from derive.spec import parse_spec

PAGES = ("dense", "gru", "layer_norm", "causal_attention", "hinge")


FOUR_DIGITS = 5e-5  # of a number, that do not show


class Kind(StrEnum):
    """What is changed."""

    DIGIT = "digit"
    SIGN = "sign"
    OPERATOR = "operator"
    SUBSCRIPT = "subscript"


_NUMBER = re.compile(r"(?<![A-Za-z_{\d.,^])\d+\.\d+")
_PLUS_OR_MINUS = re.compile(r"(?<![\^{_,:])[+-](?![}\]+])")
_OPERATOR = re.compile(r"\\cdot(?![A-Za-z])|\\times(?![A-Za-z])")
_SUBSCRIPT = re.compile(r"_\{?(?P<index>(?:\d,?)+)\}?")


@dataclass(frozen=True)
class Change:
    """What is written on a page at an offset instead of something else."""

    page: str
    language: str
    kind: Kind
    offset: int
    old: str
    new: str

    def of(self, text: str) -> str:
        """The page with the change."""
        return text[: self.offset] + self.new + text[self.offset + len(self.old) :]


@cache
def page(name: str, language: str) -> str:
    """The page of a row of the library."""
    spec = parse_spec(scaffold(name, network=False), "row.yaml", "row")
    return derive.make(derive.build(spec)).texts[language]


def places(text: str) -> dict[Kind, list[tuple[int, str]]]:
    """Where something of each kind stands in the mathematics of a page, and what."""
    found: dict[Kind, list[tuple[int, str]]] = {kind: [] for kind in Kind}
    source = prepared(text, Expander())
    for passage in passages(source.text):
        body, start = passage.body or "", passage.offset
        for kind, offset, old in _of(body):
            found[kind].append((source.origin(start + offset), old))
    return found


def _of(body: str) -> Iterator[tuple[Kind, int, str]]:
    if "=" not in body or "\\rule" in body:
        return
    for match in _NUMBER.finditer(body):
        for k, character in enumerate(match.group()):
            if character.isdigit():
                yield Kind.DIGIT, match.start() + k, character
    for match in _PLUS_OR_MINUS.finditer(body):
        yield Kind.SIGN, match.start(), match.group()
    for match in _OPERATOR.finditer(body):
        yield Kind.OPERATOR, match.start(), match.group()
    for match in _SUBSCRIPT.finditer(body):
        for k, character in enumerate(match["index"]):
            if character.isdigit():
                yield Kind.SUBSCRIPT, match.start("index") + k, character


def changes(count: int, seed: int, names: Sequence[str] = PAGES) -> Iterator[Change]:
    """So many changes, of every kind as many."""
    drawn = random.Random(seed)
    spots = {(n, language): places(page(n, language)) for n in names for language in ("en", "ko")}
    for number in range(count):
        kind = list(Kind)[number % len(Kind)]
        name, language = drawn.choice([key for key in spots if spots[key][kind]])
        offset, old = drawn.choice(spots[name, language][kind])
        yield Change(name, language, kind, offset, old, _instead(kind, old, drawn))


def _instead(kind: Kind, old: str, drawn: random.Random) -> str:
    if kind is Kind.SIGN:
        return "+" if old == "-" else "-"
    if kind is Kind.OPERATOR:
        return drawn.choice(("+", "-", "/"))
    return drawn.choice([digit for digit in "0123456789" if digit != old])


def outcome(change: Change) -> str:
    """What comes of a change: found in its display or elsewhere, unread, the same, or missed."""
    text = page(change.page, change.language)
    changed = change.of(text)
    off = (Verdict.WRONG, Verdict.DIGITS)
    read = checked("page.tex", changed)
    seen = [(r.item.where, r.verdict) for r in read.remarks]
    seen += [
        (read.places[r.instead][1].where, r.verdict) for r in read.remarks if r.instead is not None
    ]

    def here(start: int, end: int) -> bool:
        return start <= change.offset < max(end, start + 1)

    line = changed.count("\n", 0, change.offset) + 1
    near = [v for w, v in seen if abs(w.line - line) <= 1 or here(w.start, w.end)]
    if any(verdict in off for verdict in near):
        return "found"
    if Verdict.UNREAD in near:
        return "unread"
    if any(verdict in off for _, verdict in seen):
        return "elsewhere"
    return "same value" if keeps_value(change) else "missed"


def keeps_value(change: Change) -> bool:
    """Whether a changed line in numbers comes to the same at four digits, as 2 / 1 and 2 · 1 do."""
    text = page(change.page, change.language)
    start = max(text.rfind(mark, 0, change.offset) for mark in ("&=", " = "))
    end = min(k for mark in (" = ", "\\\\[", r"\end{") if (k := text.find(mark, change.offset)) > 0)
    start += len(text[start:]) - len(text[start:].lstrip("&= "))
    old = text[start:end]
    before = change.offset - start
    new = old[:before] + change.new + old[before + len(change.old) :]
    values = [_value(side) for side in (old, new)]
    return None not in values and abs(values[0] - values[1]) <= FOUR_DIGITS * abs(values[0])


_BRACES = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_PYTHON = (
    (r"\\left\\lvert|\\lvert", " abs("), (r"\\right\\rvert|\\rvert", ")"),
    (r"\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z])|\\\\(?:\[\d+pt\])?|\\quad|&", " "),
    (r"\[", "("), (r"\]", ")"), (r"\\le(?![a-z])", "<="), (r"\\ge(?![a-z])", ">="),
    (r"\\cdot|\\times", "*"), (r"\\operatorname\{(\w+)\}", r" \1"), (r"\\(\w+)\(", r" \1("),
    (r"\\,", "*"), (r"\)\s*\(", ")*("),
)  # fmt: skip


def _value(side: str) -> float | None:
    """What a worked line in TeX gives; None if it is not one in numbers."""
    for _ in range(9):
        side = re.sub(rf"\\frac{_BRACES}{_BRACES}", r"((\1)/(\2))", side)
        side = re.sub(rf"\\sqrt{_BRACES}", r"sqrt(\1)", side)
        side = re.sub(rf"e\^{_BRACES}", r"exp(\1)", side)
        side = re.sub(rf"\^{_BRACES}", r"**(\1)", side)
    for pattern, python in _PYTHON:
        side = re.sub(pattern, python, side)
    known = {name: getattr(math, name) for name in ("exp", "log", "tanh", "sqrt", "sin", "cos")}
    known |= {"max": max, "min": min, "abs": abs, "sgn": lambda x: (x > 0) - (x < 0)}
    words = set(re.findall(r"[A-Za-z]+", side))
    if words - known.keys() or re.search(r"[^\w\s.+*/()<>=,-]", side):
        return None
    try:
        return float(eval(side, {"__builtins__": {}}, known))  # numbers and functions alone
    except (SyntaxError, TypeError, ArithmeticError, ValueError):
        return None


def main(arguments: Sequence[str]) -> int:
    """Measure, and print what came of each kind, and each that was not found."""
    count, seed = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0
    told: Counter[tuple[Kind, str]] = Counter()
    for change in changes(count, seed):
        result = outcome(change)
        told[change.kind, result] += 1
        if result != "found":
            text = page(change.page, change.language)
            context = change.of(text)[max(0, change.offset - 70) : change.offset + 50]
            print(result, change.kind, change.page, change.language, change.old, "→", change.new)
            print("   ", " ".join(context.split()), flush=True)
    for (kind, result), number in sorted(told.items()):
        print(f"{kind:10} {result:10} {number}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
