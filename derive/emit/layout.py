"""Lines of at most 100 columns: long expressions are broken as the usual formatters break them.

A line that is too long is broken inside its brackets, or gets brackets of its own. What is inside
goes on one line if it fits, otherwise one line for each part between the weakest operators.
"""

from __future__ import annotations

import re

WIDTH = 100
STEP = 4
OPENING, CLOSING = "([{", ")]}"
BRACKET = re.compile(r"[(\[{)\]}]")
COMMA = r"(?<=,) "
CHOICE = r" (?=if |else )"
WEAKEST_FIRST = (
    r" (?=for )",
    COMMA,
    CHOICE,
    r" (?=(?:==|>=|<=|<|>) )",
    r" (?=[+-] )",
    r" (?=[*/@] )",
    r" (?=\*\* )",
)


def statement(head: str, body: str, indent: int = STEP, tail: str = "") -> list[str]:
    """The lines of `head` + `body` + `tail`."""
    pad = " " * indent
    if len(pad + head + body + tail) <= WIDTH:
        return [pad + head + body + tail]
    before, inside = _bracketed(body)
    if inside is not None:
        listed = before.lstrip("-") != "("
        middle = _inside(inside, indent + STEP, listed)
        return [pad + head + before, *middle, pad + body[-1] + tail]
    if _breaks_in_brackets(body):
        return _broken_in_brackets(pad + head, body + tail, indent)
    return [f"{pad}{head}(", *_inside(body, indent + STEP, False), f"{pad}){tail}"]


def _breaks_in_brackets(body: str) -> bool:
    """Whether one operand, or two with a bracket at the outside, are broken in their brackets."""
    pattern = _weakest(body)
    if pattern is None:
        return True
    parts = len(_split(body, pattern))
    return pattern != CHOICE and parts == 2 and (body[-1] == ")" or body[0] == "(")


def _broken_in_brackets(line: str, body: str, indent: int) -> list[str]:
    """The first outer brackets that do not fit on the line are broken, and so on after them."""
    lines, done = [], 0
    for start, stop, following in _groups(body):
        line += body[done:start]
        if len(line) + following - start <= WIDTH:
            line += body[start:stop]
        else:
            listed = re.search(r"\w[(\[]$", line + body[start]) is not None
            lines += [
                line + body[start],
                *_inside(body[start + 1 : stop - 1], indent + STEP, listed),
            ]
            line = " " * indent + body[stop - 1]
        done = stop
    return [*lines, line + body[done:]]


def _groups(text: str) -> list[tuple[int, int, int]]:
    """The outer brackets: where they start and stop, and where the next line break could be."""
    spans, depth, start = [], 0, 0
    for bracket in BRACKET.finditer(text):
        if bracket[0] in OPENING:
            start = bracket.start() if depth == 0 else start
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                spans.append((start, bracket.end()))
    nexts = [*(begin + 1 for begin, _ in spans[1:]), len(text)]
    return [(*span, following) for span, following in zip(spans, nexts, strict=False)]


def _bracketed(body: str) -> tuple[str, str | None]:
    """A body that is one call, subscript, list or tuple, as what stands before and in it."""
    start = re.match(r"-?[\w.]*[(\[{]", body)
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
        if _bracketed(text)[1] is not None:
            return statement("", text, indent)
        return _part(f"{text}," if listed else text, indent)
    parts = _split(text, pattern)
    comma = pattern == COMMA or (listed and len(parts) == 1)
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
    if pattern is None:
        return _broken_in_brackets(pad + head, body + tail, indent)
    first, *rest = _split(body, pattern)
    lines = _part(head + first, indent)
    for each in (*rest[:-1], rest[-1] + tail):
        lines += _part(each, indent)
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
