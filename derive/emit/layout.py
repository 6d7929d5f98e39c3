"""Lines of at most 100 columns: long expressions are broken as the usual formatters break them.

A line that is too long is broken inside its brackets, or gets brackets of its own. What is inside
goes on one line if it fits, otherwise one line for each part between the weakest operators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WIDTH = 100
STEP = 4
OPENING, CLOSING = "([{", ")]}"
BRACKET = re.compile(r"[(\[{)\]}]")
WEAKEST_FIRST = (
    r" (?=for )",
    r"(?<=,) ",
    r" (?=if |else )",
    r" (?=(?:==|>=|<=|<|>) )",
    r" (?=[+-] )",
    r" (?=[*/@] )",
    r" (?=\*\* )",
)


def statement(head: str, body: str, indent: int = STEP, tail: str = "") -> list[str]:
    """The lines of `head` + `body` + `tail`."""
    line = f"{' ' * indent}{head}{body}{tail}"
    if len(line) <= WIDTH:
        return [line]
    before, inside = _bracketed(body)
    if inside is None:
        before, inside = _last_bracket(body, WIDTH - indent - len(head))
    if inside is None:
        before, inside, close = "(", body, ")"
    else:
        close = body[-1]
    pad = " " * indent
    listed = before != "("
    return [f"{pad}{head}{before}", *_inside(inside, indent + STEP, listed), f"{pad}{close}{tail}"]


def _last_bracket(body: str, width: int) -> tuple[str, str | None]:
    """What stands before and in the last bracket, if that is where two operands are broken."""
    pattern = _weakest(body)
    if pattern is None or len(_split(body, pattern)) != 2 or body[-1] not in CLOSING:
        return "", None
    depth = 0
    for place in range(len(body) - 1, -1, -1):
        depth += (body[place] in CLOSING) - (body[place] in OPENING)
        if depth == 0:
            fits = place + 1 <= width
            return (body[: place + 1], body[place + 1 : -1]) if fits else ("", None)
    return "", None


def _bracketed(body: str) -> tuple[str, str | None]:
    """A body that is one call, subscript, list or tuple, as what stands before and in it."""
    start = re.match(r"[\w.]*[(\[{]", body)
    if start is None:
        return "", None
    depth = 0
    for bracket in BRACKET.finditer(body):
        depth += 1 if bracket[0] in OPENING else -1
        if depth == 0:
            whole = bracket.end() == len(body)
            return (start[0], body[start.end() : -1]) if whole else ("", None)
    return "", None


def _inside(text: str, indent: int, listed: bool) -> list[str]:
    """What stands between brackets; a list that is broken ends in a comma."""
    pad = " " * indent
    if len(pad + text) <= WIDTH:
        return [pad + text]
    pattern = _weakest(text)
    if pattern is None:
        return statement("", text, indent) if _bracketed(text)[1] is not None else [pad + text]
    parts = _split(text, pattern)
    comma = pattern == WEAKEST_FIRST[1] or (listed and len(parts) == 1)
    lines = []
    for place, part in enumerate(parts):
        tail = "," if comma and place == len(parts) - 1 else ""
        lines += _part(part + tail, indent)
    return lines


def _part(part: str, indent: int) -> list[str]:
    """One part on one line, or broken at its own operators or brackets."""
    pad = " " * indent
    if len(pad + part) <= WIDTH:
        return [pad + part]
    bare = part.removesuffix(",")
    tail = part[len(bare) :]
    operator = re.match(r"(?:[+\-*/@]|\*\*|for|if|else) |\w+=", bare)
    head = operator[0] if operator else ""
    body = bare[len(head) :]
    if _bracketed(body)[1] is not None:
        return statement(head, body, indent, tail)
    pattern = _weakest(body)
    if pattern is None or head.endswith("="):
        return [pad + part]
    first, *rest = _split(body, pattern)
    lines = _part(head + first, indent)
    for each in rest:
        lines += _part(each, indent)
    lines[-1] += tail
    return lines


def _weakest(text: str) -> str | None:
    return next((p for p in WEAKEST_FIRST if len(_split(text, p)) > 1), None)


def _split(text: str, pattern: str) -> list[str]:
    """The parts of a text between the separators that stand in no bracket."""
    parts, start, depth = [], 0, 0
    for found in re.finditer(rf"{BRACKET.pattern}|{pattern}", text):
        if found[0] != " ":
            depth += 1 if found[0] in OPENING else -1
        elif depth == 0 and found.start() > start:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def indented(lines: Iterable[str], indent: int = STEP) -> list[str]:
    """Lines moved to the right."""
    return [f"{' ' * indent}{line}" if line else "" for line in lines]
