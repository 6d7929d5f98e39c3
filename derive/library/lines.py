"""The lines of an optimizer: what each gives a new value, and whether that is one for each entry.

v = mu*v + g                          an entry for each entry of the parameter
size = norm(entries, v)               one number for each parameter
all = norm(parameters, g)             one number for all parameters
A[i,j] = sum(..., v[i,...]*v[j,...])  a table over the first axis
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from derive.errors import LanguageError
from derive.names import NAME, wrong_name
from derive.syntax import REDUCTIONS, syntax_tree

GIVEN = ("w", "g", "alpha", "k")
ENTRIES, PARAMETERS = "entries", "parameters"
HEAD = re.compile(rf"\s*({NAME})\s*(?:\[([^\]]*)\])?\s*\Z")
DOTS = "..."


class Kind(Enum):
    """What a line has a value for; a `TABLE` has letters of its own."""

    COMMON = "all parameters"
    NUMBER = "each parameter"
    ENTRY = "each entry"
    TABLE = "table"


@dataclass(frozen=True)
class Line:
    """One line: what it gives a new value, its letters if they are written, and its formula."""

    target: str
    letters: tuple[str, ...]
    text: str
    kind: Kind = Kind.ENTRY


def lines_of(equations: str, states: Collection[str]) -> tuple[Line, ...]:
    """The lines of an optimizer in order. Raises LanguageError."""
    return _lines(equations, tuple(states))


@lru_cache(maxsize=200)
def _lines(equations: str, states: tuple[str, ...]) -> tuple[Line, ...]:
    kinds = {"w": Kind.ENTRY, "g": Kind.ENTRY, "alpha": Kind.COMMON, "k": Kind.COMMON}
    kinds |= dict.fromkeys(states, Kind.ENTRY)
    found = []
    for row in filter(str.strip, equations.splitlines()):
        line = _line(row)
        kind = _kind(line, kinds, states)
        if line.target in kinds and Kind.TABLE in (kinds[line.target], kind):
            reason = f"'{line.target}' has a value already; give this table another name"
            raise LanguageError(row, 0, reason)
        kinds[line.target] = kind
        found.append(Line(line.target, line.letters, line.text, kind))
    return tuple(found)


def words_of(lines: Sequence[Line], states: Collection[str]) -> tuple[tuple[str, bool], ...]:
    """The word for what each line makes, and whether that goes on into the next update.

    A name that is given a value for the second time is another one, `g2`, or the next number that
    nothing else has; so is a state on its way to its new value.
    """
    targets = [line.target for line in lines]
    taken, found = {*targets, *states}, []
    for place, target in enumerate(targets):
        final = target not in targets[place + 1 :]
        if final and target in ("w", *states):
            found.append((target, True))
            continue
        word, number = target, targets[:place].count(target) + 1
        while (number > 1 or target in states) and word in taken:
            number = max(number, 2)
            word, number = f"{target}{number}", number + 1
        taken.add(word)
        found.append((word, False))
    return tuple(found)


def _line(row: str) -> Line:
    head, sign, text = row.partition("=")
    match = HEAD.match(head)
    if not sign or match is None or wrong_name(match[1]):
        raise LanguageError(row, 0, "a line of an optimizer is written like w = w - alpha*g")
    if match[1] in (ENTRIES, PARAMETERS, "k"):
        raise LanguageError(row, 0, f"'{match[1]}' means something else here; take another name")
    letters = tuple(part.strip() for part in match[2].split(",")) if match[2] else ()
    names = [each for each in letters if each != DOTS]
    if DOTS in letters[:-1] or any(map(wrong_name, names)) or len({*names}) < len(names):
        reason = "the letters of a table are written like A[i,j] or X[i,...]"
        raise LanguageError(row, 0, reason)
    if DOTS in letters and len(names) != 1:
        raise LanguageError(row, 0, "before '...' stands one letter, that of the first axis")
    return Line(match[1], letters, text)


def _kind(line: Line, kinds: Mapping[str, Kind], states: Collection[str]) -> Kind:
    """What a line has a value for, by what it reads outside of sums over entries."""
    if line.letters and DOTS not in line.letters:
        return Kind.TABLE
    if line.letters or line.target in ("w", "g", *states):
        return Kind.ENTRY
    source = " ".join(line.text.split())
    read = {kinds[name] for name in _read(syntax_tree(source)) if name in kinds}
    words = set(re.findall(NAME, source))
    if Kind.ENTRY in read:
        return Kind.ENTRY
    if Kind.NUMBER in read or Kind.TABLE in read or ENTRIES in words:
        return Kind.NUMBER
    own = {name for name, kind in kinds.items() if kind is Kind.COMMON} - {"alpha", "k"}
    common = line.target == "alpha" or PARAMETERS in words or bool(own & words)
    return Kind.COMMON if common else Kind.ENTRY


def _read(node: ast.AST) -> Iterator[str]:
    """The names that are read as they are: not within a sum over entries or parameters."""
    if isinstance(node, ast.Call):
        if over(node) is not None:
            return
        for argument in node.args:
            yield from _read(argument)
    elif isinstance(node, ast.Name):
        yield node.id
    else:
        for child in ast.iter_child_nodes(node):
            yield from _read(child)


class Rounding(ast.NodeTransformer):
    """Writes `a // b` and `a % b` of any numbers with `floor`."""

    def __init__(self, source: str) -> None:
        self.source = source

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Every digit stays as it was written."""
        return ast.Name(ast.get_source_segment(self.source, node) or "")

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A division that is rounded down, or its remainder."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.FloorDiv | ast.Mod):
            return node
        times = ast.Call(ast.Name("floor"), [ast.BinOp(node.left, ast.Div(), node.right)], [])
        if isinstance(node.op, ast.FloorDiv):
            return times
        return ast.BinOp(node.left, ast.Sub(), ast.BinOp(node.right, ast.Mult(), times))


def told_of_source(source: str, error: LanguageError) -> LanguageError:
    """An error in a formula that was spelled out, told of the text as it was written."""
    word = re.search(r"'(\w+)'", error.reason)
    place = re.search(rf"\b{word[1]}\b", source) if word else None
    return LanguageError(source, place.start() if place else 0, error.reason)


def over(node: ast.Call) -> str | None:
    """What a reduction goes over, if that is all entries, all parameters, or further axes."""
    word = node.func.id if isinstance(node.func, ast.Name) else ""
    if word not in REDUCTIONS or len(node.args) != 2:
        return None
    match node.args[0]:
        case ast.Name(id="entries" | "parameters" as what):
            return what
        case ast.Constant(value=value) if value is Ellipsis:
            return DOTS
    return None
