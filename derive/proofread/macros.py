r"""Macros that a document defines, expanded as TeX does, within bounds.

`\newcommand`, `\renewcommand`, `\providecommand`, `\def`, `\let` and `\DeclareMathOperator` are
understood, with an optional first argument; a definition holds for what follows it. Of a macro that
never ends, or grows beyond all pages, the call stays as it is written, and cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from derive.proofread.letters import LETTER, tex_of

DEEPEST = 40
MOST_CALLS = 100_000
MOST_FAILURES = 100  # braces that are not closed, before no macro is looked for any more
FARTHEST = 100_000  # characters to where a brace is closed
LONGEST = 2_000_000  # characters that macros may come to in one document
_WORD = re.compile(r"\\([A-Za-z]+)")
_CALL = re.compile(rf"\\(?:[A-Za-z]+|.)|{LETTER}", re.DOTALL)
_ENDS_IN_WORD = re.compile(r"\\[A-Za-z]+\Z")
_PARAMETER = re.compile(r"#([1-9])")
_NAME = re.compile(r"\s*(?:\{\s*\\([A-Za-z]+)\s*\}|\\([A-Za-z]+))")
_COUNT = re.compile(r"\s*\[(\d)\]")
_PLAIN_PARAMETERS = re.compile(r"((?:#\d)*)\s*(?=\{)")
_LET = re.compile(r"\s*\\([A-Za-z]+)\s*=?\s*\\([A-Za-z]+)")
_SPACE = re.compile(r"\s*")
_DEFINES = frozenset({"newcommand", "renewcommand", "providecommand", "def", "gdef", "let"})
_DEFINES |= {"DeclareMathOperator"}


@dataclass(frozen=True)
class Macro:
    """What a command stands for: its text with #1, #2 …; the first may have a default."""

    body: str
    parameters: int = 0
    default: str | None = None


# Of packages that many documents load. A definition in the document goes before.
KNOWN = {
    "pdv": Macro(r"\frac{\partial #1}{\partial #2}", 2),
    "dv": Macro(r"\frac{d #1}{d #2}", 2),
    "abs": Macro(r"\left|#1\right|", 1),
    "norm": Macro(r"\left\|#1\right\|", 1),
    "num": Macro("#1", 1),
    "ensuremath": Macro("#1", 1),
}


@dataclass(frozen=True)
class Piece:
    """A stretch of expanded text, and where in the source it comes from."""

    start: int
    text: str
    copied: bool  # each character where it is in the source, or all of it made from one place


class Expander:
    """Expands one text after the other; what is defined in one holds in the next."""

    def __init__(self) -> None:
        self.macros = dict(KNOWN)
        self._calls, self._length = MOST_CALLS, LONGEST
        self._failures = 0

    def pieces(self, tex: str) -> Iterator[Piece]:
        """The expanded text in pieces."""
        position = 0
        for start, end, made in self._changes(tex, 0):
            yield Piece(position, tex[position:start], copied=True)
            yield Piece(start, made, copied=False)
            position = end
        yield Piece(position, tex[position:], copied=True)

    def _changes(self, tex: str, depth: int) -> Iterator[tuple[int, int, str]]:
        """Start and end of each stretch that is not what it says, and what it says instead."""
        position = 0
        while (match := _CALL.search(tex, position)) is not None:
            position = match.end()
            if not match.group().startswith("\\"):
                yield match.start(), position, tex_of(match.group())
                continue
            word = match.group()[1:]
            if self._failures > MOST_FAILURES:
                continue
            if word in _DEFINES:
                end = self._define(word, tex, position)
                self._failures += end is None
                if end is not None:
                    yield match.start(), end, " "
                    position = end
            elif word in self.macros:
                called = self._called(word, tex, position, depth)
                self._failures += called is None
                if called is not None:
                    position, made = called
                    yield match.start(), position, made

    def _define(self, word: str, tex: str, position: int) -> int | None:
        """Learn a definition, and say where it ends; None if it is none that is understood."""
        if word == "let":
            match = _LET.match(tex, position)
            if match is None:
                return None
            self.macros[match[1]] = self.macros.get(match[2], Macro(f"\\{match[2]}"))
            return match.end()
        position += tex.startswith("*", position)
        named = _NAME.match(tex, position)
        if named is None:
            return None
        count, default, position = 0, None, named.end()
        if word.endswith("def"):
            parameters = _PLAIN_PARAMETERS.match(tex, position)
            if parameters is None:
                return None
            count, position = len(parameters[1]) // 2, parameters.end()
        elif (given := _COUNT.match(tex, position)) is not None:
            count, position = int(given[1]), given.end()
            default, position = _optional(tex, position)
        body = _argument(tex, position)
        if body is None:
            return None
        text, end = body
        if word == "DeclareMathOperator":
            text = f"\\operatorname{{{text}}}"
        self.macros[named[1] or named[2]] = Macro(text, count, default)
        return end

    def _called(self, word: str, tex: str, position: int, depth: int) -> tuple[int, str] | None:
        """Where a call ends and what it comes to; None if it cannot be expanded."""
        macro = self.macros[word]
        self._calls -= 1
        if depth > DEEPEST or self._calls < 0:
            return None
        arguments = []
        if macro.default is not None:
            given, position = _optional(tex, position)
            arguments.append(macro.default if given is None else given)
        while len(arguments) < macro.parameters:
            found = _argument(tex, position)
            if found is None:
                return None
            arguments.append(found[0])
            position = found[1]
        filled = _filled(macro.body, arguments)
        self._length -= len(filled)
        if self._length < 0:
            return None
        made = self._expanded(filled, depth + 1)
        made = made.replace("\n", " ")
        ends = _ENDS_IN_WORD.search(made) and tex[position : position + 1].isalpha()
        return position, f"{made} " if ends else made

    def _expanded(self, tex: str, depth: int) -> str:
        parts, position = [], 0
        for start, end, made in self._changes(tex, depth):
            parts += [tex[position:start], made]
            position = end
            if self._length < 0:
                break
        return "".join([*parts, tex[position:]])


def _filled(body: str, arguments: list[str]) -> str:
    """The body with its arguments; what stands behind a command is kept apart from its name."""

    def argument(match: re.Match[str]) -> str:
        number = int(match[1]) - 1
        text = arguments[number] if number < len(arguments) else match.group()
        apart = text[:1].isalpha() and _ENDS_IN_WORD.search(body, 0, match.start())
        return f" {text}" if apart else text

    return _PARAMETER.sub(argument, body)


def _optional(tex: str, position: int) -> tuple[str | None, int]:
    """An argument in square brackets, and where it ends."""
    start = _end_of_space(tex, position)
    end = tex.find("]", start) if tex.startswith("[", start) else -1
    return (None, position) if end < 0 else (tex[start + 1 : end], end + 1)


def _argument(tex: str, position: int) -> tuple[str, int] | None:
    """An argument without its braces, and where it ends; None where there is none."""
    start = _end_of_space(tex, position)
    if start >= len(tex) or tex[start] == "}":
        return None
    if tex[start] != "{":
        word = _WORD.match(tex, start)
        end = word.end() if word else start + 1
        return tex[start:end], end
    depth, here = 0, start
    while here < min(len(tex), start + FARTHEST):
        depth += (tex[here] == "{") - (tex[here] == "}")
        if depth == 0:
            return tex[start + 1 : here], here + 1
        here += 2 if tex[here] == "\\" else 1
    return None


def _end_of_space(tex: str, position: int) -> int:
    match = _SPACE.match(tex, position)
    return position if match is None else match.end()
