"""Pieces of written mathematics, and how they are put together: as TeX or as plain text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise

from derive.notation import Name
from derive.numbers import SHORT_POWER, shown


class Tightness(IntEnum):
    """How tightly a piece of TeX holds together."""

    SUM = 1
    SERIES = 2  # a sum over an index: needs brackets in a product, none as a summand
    PRODUCT = 3
    POWER = 4
    ATOM = 5


@dataclass(frozen=True)
class Piece:
    """Written mathematics and how tightly it holds; `number` if it is a written number."""

    tex: str
    hold: Tightness
    number: bool = False

    def within(self, least: Tightness) -> str:
        return self.tex if self.hold >= least else bracket(self.tex)


@dataclass(frozen=True)
class Script:
    """How the constructs of a formula are written: as TeX, or as plain text for a terminal."""

    name: Callable[[Name], str]
    fraction: Callable[[Piece, Piece], Piece]
    power: Callable[[str, Piece], Piece]
    exponential: Callable[[Piece], Piece]
    root: Callable[[Piece], Piece]
    absolute: Callable[[Piece], Piece]
    floor: Callable[[Piece], Piece]
    total: Callable[[str, Piece], Piece]
    command: Callable[[str], str]
    number: Callable[[str], str]
    dot: str
    times: str
    beside: str
    opening: str
    wide: tuple[str, str]
    break_line: str


def bracket(tex: str) -> str:
    """Round brackets that grow where the content is tall."""
    tall = r"\frac" in tex or r"\sum" in tex
    return rf"\left({tex}\right)" if tall else f"({tex})"


COMMANDS = frozenset(
    {
        *("ln", "tanh", "sin", "cos", "sinh", "cosh", "arctan", "arcsin", "arccos"),
        *("max", "min", "pi"),
    }
)


def _command(name: str) -> str:
    return f"\\{name}" if name in COMMANDS else rf"\operatorname{{{name}}}"


MANY_ZEROS = 9  # from which on a whole number is a power of ten
GAP = r"\,"
CALLED = re.compile(r"(?:\\mathrm\{\w+\}|\\sigma|(?<![\\\w])[He])$")  # functions are called so, too
BRACKET = re.compile(r"(?:\\left|\\[bB]ig+l)?[(\[]")
TEX = Script(
    name=lambda name: name.tex,
    fraction=lambda over, under: Piece(rf"\frac{{{over.tex}}}{{{under.tex}}}", Tightness.PRODUCT),
    power=lambda base, exponent: Piece(f"{base}^{{{exponent.tex}}}", Tightness.POWER),
    exponential=lambda exponent: Piece(f"e^{{{exponent.tex}}}", Tightness.POWER),
    root=lambda inside: Piece(rf"\sqrt{{{inside.tex}}}", Tightness.ATOM),
    absolute=lambda inside: Piece(rf"\left\lvert {inside.tex}\right\rvert", Tightness.ATOM),
    floor=lambda inside: Piece(rf"\left\lfloor {inside.tex}\right\rfloor", Tightness.ATOM),
    total=lambda index, body: Piece(
        rf"\sum_{{{index}}} {body.within(Tightness.SERIES)}", Tightness.SERIES
    ),
    command=_command,
    number=shown,
    dot=r"\cdot ",
    times=r" \times ",
    beside=r"\,",
    opening="",
    wide=(r"\bigl(", r"\bigr)"),
    break_line=" \\\\\n  &\\quad ",
)
PLAIN = Script(
    name=lambda name: name.report,
    fraction=lambda over, under: Piece(
        f"{over.within(Tightness.PRODUCT)}/{under.within(Tightness.POWER)}", Tightness.PRODUCT
    ),
    power=lambda base, exponent: Piece(
        f"{base}^{exponent.within(Tightness.ATOM)}", Tightness.POWER
    ),
    exponential=lambda exponent: Piece(f"e^{exponent.within(Tightness.ATOM)}", Tightness.POWER),
    root=lambda inside: Piece(f"sqrt({inside.tex})", Tightness.ATOM),
    absolute=lambda inside: Piece(f"|{inside.tex}|", Tightness.ATOM),
    floor=lambda inside: Piece(f"floor({inside.tex})", Tightness.ATOM),
    total=lambda index, body: Piece(
        f"sum over {index} of {body.within(Tightness.SERIES)}", Tightness.SERIES
    ),
    command=lambda name: name,
    number=lambda text: shown(text, SHORT_POWER),
    dot="·",
    times=" × ",
    beside="·",
    opening="·",
    wide=("(", ")"),
    break_line="\n      ",
)


def number_piece(text: str, script: Script = TEX) -> Piece:
    """A decimal literal or fraction; a negative one is as loose as a sum, so it gets brackets."""
    if "/" in text:
        over, under = text.lstrip("-").split("/")
        whole = script.fraction(Piece(over, Tightness.ATOM), Piece(under, Tightness.ATOM))
        if text.startswith("-"):
            return Piece(f"-{whole.tex}", Tightness.SUM, number=True)
        return replace(whole, number=True)
    plain = Tightness.PRODUCT if r"\cdot" in text else Tightness.ATOM
    digits = text.lstrip("-")
    zeros = len(digits) - len(digits.rstrip("0")) if digits.isdigit() else 0
    if zeros >= MANY_ZEROS and script is not PLAIN:
        share = "" if digits == f"1{'0' * zeros}" else rf"{digits[:-zeros]} \cdot "
        text = f"{text[: len(text) - len(digits)]}{share}10^{{{zeros}}}"
        plain = Tightness.PRODUCT if share else Tightness.POWER
    return Piece(text, Tightness.SUM if text.startswith("-") else plain, number=True)


def join_sum(parts: list[tuple[bool, str]]) -> str:
    """Signed summands in one line."""
    first = f"-{parts[0][1]}" if parts[0][0] else parts[0][1]
    return first + "".join(f" {'-' if minus else '+'} {tex}" for minus, tex in parts[1:])


def join_product(
    pieces: list[Piece], sign: str = TEX.dot, beside: str = "", opening: str = ""
) -> str:
    """Factors in one line: a sign between plain ones, `opening` before a bracket.

    `beside` is what stands before a function, where a dot would be one sign too many.
    """
    result = pieces[0].within(Tightness.PRODUCT)
    for before, piece in pairwise(pieces):
        last = piece is pieces[-1]
        tex = piece.within(Tightness.SERIES if last else Tightness.PRODUCT)
        bracketed = tex.startswith(("(", r"\left(")) and not tex.startswith("(-")
        digits = before.number or piece.number or tex[0].isdigit()
        if looks_called(before.tex, tex):
            result += f"{TEX.dot}{tex}"
        elif piece.hold is Tightness.SERIES or (bracketed and not piece.number):
            result += f"{opening}{tex}"
        elif beside and not (digits or piece.hold is Tightness.ATOM):
            result += f"{beside}{tex}"
        else:  # a space alone before a digit would be lost
            result += f"{TEX.dot if sign == GAP and tex[0].isdigit() else sign}{tex}"
    return result


def looks_called(before: str, tex: str) -> bool:
    """Whether a name with a bracket behind it would look like a function of what is within."""
    return bool(CALLED.search(before) and BRACKET.match(tex))


MARKS = ("\ue000", "\uf8ff")  # signs for private use, which mark a place and are not written


def width(tex: str) -> int:
    """A rough width in characters; a fraction is as wide as its wider part."""
    return _width(tex, 0)[0]


def _width(tex: str, start: int) -> tuple[int, int]:
    """The width from `start` to the closing brace or the end, and where that is."""
    count, k = 0, start
    while k < len(tex) and tex[k] != "}":
        if tex.startswith(r"\frac{", k):
            over, k = _width(tex, k + 6)
            under, k = _width(tex, k + 2)
            count += max(over, under) + 1
            k += 1
        elif tex[k] == "{":
            inner, k = _width(tex, k + 1)
            count += inner
            k += 1
        elif tex[k] == "\\":
            command = re.match(r"\\([A-Za-z]+|.)", tex[k:])
            k += command.end() if command else 1
            wide = command is not None and command[1] in _WIDE
            count += len(command[1]) if command and wide else 1
            count += command is not None and command[1] in _COMPARING
        else:
            count += tex[k] not in "_^& " and not MARKS[0] <= tex[k] <= MARKS[1]
            count += tex[k] in "<>"
            k += 1
    return count, k


_COMPARING = ("le", "ge", "ne")  # with space on both sides, as < and >
_WIDE = ("tanh", "ln", "max", "min", "sin", "cos")
