"""Cuts a passage of mathematics into statements `lhs = form = …`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from derive.proofread.scan import Passage

_LENGTH = r"\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in|\\[A-Za-z]+)\s*\]"
ROW = re.compile(rf"\\\\\*?(?:{_LENGTH})?|\\newline\b|\\cr\b")
CELL = re.compile(r"&")
RELATION = re.compile(
    r":=|=|≈|←|\\(?:approx|simeq|coloneqq|equiv|triangleq|leftarrow|gets)(?![A-Za-z])"
)
OTHER_RELATION = re.compile(
    r"!=|[<>≤≥→]|\\(?:leq?|geq?|neq?|ll|gg|lt|gt|leqslant|geqslant|to|in|notin|sim|propto"
    r"|mapsto|(?:long|left|longleft)?rightarrow|longleftarrow|Leftarrow)(?![A-Za-z])"
)
_THEN = re.compile(r"[⇒⟹⇔]|\\(?:implies|iff|(?:Long)?(?:[Ll]eft)?[Rr]ightarrow)(?![A-Za-z])")
SEPARATOR = re.compile(rf"[,;]|\\q?quad(?![A-Za-z])|{_THEN.pattern}")
_BRACKET_SIZE = re.compile(r"\\(?:left|right)(?![A-Za-z])\s*(?:\\[{}]|.)")
_MARK = re.compile(  # what opens or closes, and commands, which hold no brackets of their own
    r"\\begin\{[^}]*\}|\\end\{[^}]*\}|\\[A-Za-z]+\*?|\\.|[{}()\[\]]", re.DOTALL
)
_OPENS = frozenset({"{", "(", "[", "\\{", "\\begin"})
_CLOSES = frozenset({"}", ")", "]", "\\}", "\\end"})
_BRACES = frozenset({"{", "}", "\\begin", "\\end"})
_PARAMETER = re.compile(r"\A\s*(?:\[[tbc]\]|\{\d+\})")
_REMARK = re.compile(
    r"(?:\\(?:text|mathrm|textrm|mbox|textit|textbf)\{[^{}]*\}|\\[,;:! ]|[\s.,;:~])*"
)
_EDGE = re.compile(r"(?:[\s.,;:~]|\\[,;:! ]|\\q?quad(?![A-Za-z]))+\Z")
_INDENT = re.compile(r"\A(?:[\s~]|\\[,;:! ]|\\q?quad(?![A-Za-z]))+")
_OPERATOR_FIRST = re.compile(r"(?:\s|\\[,;:! ]|\\q?quad)*(?:[-+*/×·]|\\(?:cdot|times)\b)")
_OPERATOR_LAST = re.compile(r"(?:[-+*/=×·]|\\(?:cdot|times|approx))\s*\Z")


class RowError(ValueError):
    """A row that is not a list of chains."""


@dataclass(frozen=True)
class Span:
    """A piece of source text and where it starts."""

    offset: int
    text: str


def split_top(text: str, separator: re.Pattern[str], *, braces_only: bool = False) -> list[Span]:
    """Split at separators outside braces, environments and (unless braces_only) brackets."""
    return [span for _, span in cut(text, separator, braces_only)]


@lru_cache(maxsize=20_000)  # the same text is cut in search of this and of that
def cut(text: str, separator: re.Pattern[str], braces_only: bool) -> tuple[tuple[str, Span], ...]:
    """The pieces between separators, each with the separator before it."""
    pieces = []
    depth, position, start, mark = 0, 0, 0, ""
    outside = _until(separator.pattern)
    while (step := (_MARK if depth else outside).search(text, position)) is not None:
        position = step.end()
        if step.lastgroup == "separator":
            pieces.append((mark, Span(start, text[start : step.start()])))
            mark, start = step.group(), position
        else:
            depth = max(0, depth + _depth_change(step.group(), braces_only))
    return (*pieces, (mark, Span(start, text[start:])))


@lru_cache
def _until(separator: str) -> re.Pattern[str]:
    """What is looked for outside all brackets: a separator, or what opens or closes one."""
    return re.compile(rf"(?P<separator>{separator})|{_MARK.pattern}", re.DOTALL)


def _depth_change(step: str, braces_only: bool) -> int:
    token = step.partition("{")[0] if step.startswith(("\\begin{", "\\end{")) else step
    if braces_only and token not in _BRACES:
        return 0
    return (token in _OPENS) - (token in _CLOSES)


def is_remark(text: str) -> bool:
    """Whether nothing but words and punctuation is written here."""
    return _REMARK.fullmatch(text) is not None


def has_relation(text: str) -> bool:
    """Whether a chain link stands outside all brackets."""
    return len(split_top(text, RELATION)) > 1


def without_edge(text: str) -> str:
    """Drop the punctuation that closes a display."""
    return _EDGE.sub("", text)


def statements(passage: Passage) -> list[Span]:
    """The statements of a passage, rows that continue a chain joined to it."""
    body = passage.body or ""
    head = _PARAMETER.match(body) if passage.environment[0].isalpha() else None
    if head is not None:
        body = " " * head.end() + body[head.end() :]
    joined: list[Span] = []
    columns: dict[int, int] = {}
    for row in split_top(body, ROW, braces_only=True):
        for column, starts_blank, span in _columns(row, passage.environment):
            index = columns.get(column)
            if index is not None and _continues(joined[index].text, span.text, starts_blank):
                joined[index] = _join(joined[index], span)
            elif not is_remark(span.text):
                columns[column] = len(joined)
                joined.append(span)
        if passage.environment.startswith("multline") and len(joined) > 1:
            joined = [_join(joined[0], joined[1])]
            columns = {0: 0}
    return [Span(passage.offset + span.offset, span.text) for span in joined]


def _columns(row: Span, environment: str) -> Iterator[tuple[int, bool, Span]]:
    cells = split_top(row.text, CELL, braces_only=True)
    step = len(cells) if environment.startswith("eqnarray") else 2
    pairs: list[tuple[int, bool, Span]] = []
    for first in range(0, len(cells), step):
        group = cells[first : first + step]
        span = Span(row.offset + group[0].offset, " ".join(cell.text for cell in group))
        starts_blank = len(group) > 1 and not group[0].text.strip()
        loose = not has_relation(span.text) and not starts_blank and not is_remark(span.text)
        if pairs and loose:
            column, blank, left = pairs[-1]
            pairs[-1] = (column, blank, _join(left, span))
        else:
            pairs.append((first, starts_blank, span))
    yield from pairs


def _continues(before: str, text: str, starts_blank: bool) -> bool:
    if is_remark(text):
        return False
    first = split_top(text, RELATION)[0].text
    opens_with_relation = len(first) < len(text) and not first.strip()
    hangs = _OPERATOR_LAST.search(before) is not None
    operator = _OPERATOR_FIRST.match(text) is not None and not has_relation(text)
    return starts_blank or opens_with_relation or hangs or operator


def _join(left: Span, right: Span) -> Span:
    # A \quad that only indents the continued row must not part it from its chain.
    return Span(left.offset, f"{without_edge(left.text)} {_INDENT.sub('', right.text)}")


def chains(statement: Span) -> list[Span]:
    """The separate chains of one statement: `a = 1,\\quad b = 2` holds two."""
    found: list[Span] = []
    leading = ""
    for mark, span in cut(statement.text, SEPARATOR, False):
        place = Span(statement.offset + span.offset, span.text)
        if is_remark(span.text):
            continue
        is_list = mark in (",", ";") and (found or leading)
        if _THEN.fullmatch(mark) and (leading or not found or not has_relation(span.text)):
            raise RowError(f"{mark} stands between what are not two equations")
        if has_relation(span.text):
            if is_list and leading:
                raise RowError("a list stands where one left side is expected")
            found.append(Span(place.offset, leading + place.text))
            leading = ""
        elif is_list:
            raise RowError("a list stands where one value is expected")
        elif found:
            found[-1] = Span(found[-1].offset, f"{found[-1].text} {span.text}")
        else:
            leading += f"{span.text} "
    return found


def other_relation(text: str) -> str | None:
    """The first relation outside brackets that makes no chain, such as `<` or an arrow."""
    sized = _BRACKET_SIZE.sub(lambda match: " " * len(match.group()), text)
    parts = list(cut(sized, OTHER_RELATION, False))
    return parts[1][0] if len(parts) > 1 else None
