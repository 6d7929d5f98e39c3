r"""Arithmetic of tables of numbers: `\begin{bmatrix} … \end{bmatrix}`, and lists `[1, 2]`.

What comes out is a table again, each entry a formula in TeX that is read like any other. Where it
is not said which product of two tables is meant, nothing is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derive.proofread.formula import parse_formula
from derive.proofread.functions import COMMANDS, UNARY
from derive.proofread.matrices import MatrixError
from derive.proofread.rows import CELL, ROW, cut, split_top
from derive.proofread.tokens import FormulaError

MOST_ENTRIES = 10_000
DEEPEST = 30  # of nested brackets
MOST_LISTS = 100  # of one side
LONGEST = 200_000  # characters of all entries together
_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<kind>(?:[pbBvV]|small)?matrix|array)\}(?:\s*\{[lcr|\s]*\})?"
)
_SUM = re.compile(r"[+-]")
_PRODUCT = re.compile(r"\\(?:cdot|times|odot|circ|oslash|ast|bullet)(?![A-Za-z])|[*/]")
_SIZE = re.compile(r"\\\\|\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])|\\[,;:! ]|~")
_TRANSPOSED = re.compile(
    r"\s*\^\s*(?:\{\s*)?(?:\\(?:top|intercal|mathsf\{T\}|mathrm\{T\})|T)(?:\s*\})?"
)
_COMMA = re.compile(",")
_NUMBER = re.compile(r"\s*[\d.]+\s*\Z")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Opaque(Exception):
    """A side with a name in it that may stand for a table."""


@dataclass(frozen=True)
class Grid:
    """Rows of formulas; `kind` is the environment, or `list`."""

    rows: tuple[tuple[str, ...], ...]
    kind: str

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of columns."""
        return len(self.rows), len(self.rows[0])

    @property
    def entries(self) -> list[str]:
        """All formulas, row by row."""
        return [cell for row in self.rows for cell in row]


def has_grid(tex: str) -> bool:
    """Whether a table stands in a formula; in one that is nested deep nobody looks for it."""
    plain = _plain(tex)
    if plain.count("[") > MOST_LISTS or _depth(plain) > DEEPEST:
        return False
    if _ENVIRONMENT.search(tex):
        return True
    return any(_is_list(plain, k) for k, character in enumerate(plain) if character == "[")


def _depth(tex: str) -> int:
    """How deep brackets are nested at most."""
    depth = most = 0
    for character in tex:
        depth += (character in "([{") - (character in ")]}")
        most = max(most, depth)
    return most


def grid_of(tex: str) -> Grid | str:
    """What a side comes to: a table, or one formula. Raises Opaque, MatrixError, FormulaError."""
    made = _sum(_plain(tex))
    if not isinstance(made, Grid):
        return made
    if _length(made) > LONGEST:
        raise MatrixError("a table too large to be worked out")
    return made


def _plain(tex: str) -> str:
    """A formula without the sizes of its brackets, and with its rows parted as before."""
    return _SIZE.sub(lambda found: found.group() if found.group() == "\\\\" else " ", tex)


def _sum(tex: str) -> Grid | str:
    total: Grid | str | None = None
    sign = ""
    for mark, span in cut(tex, _SUM, False):
        sign = "-" if (mark == "-") != (sign == "-") else "+"
        if not span.text.strip():
            continue
        term = _term(span.text)
        if total is None:
            total = term if sign == "+" else _each(term, lambda cell: f"-{_factor(cell)}")
        else:
            total = _added(total, sign, term)
        sign = ""
    if total is None:
        raise FormulaError("a term is missing", 0)
    return total


def _term(tex: str) -> Grid | str:
    found: Grid | str | None = None
    operator = ""
    for mark, span in cut(tex, _PRODUCT, False):
        operator = mark
        for factor in _factors(span.text):
            found = factor if found is None else _multiplied(found, operator, factor)
            operator = ""
        if operator and mark == operator and not span.text.strip():
            raise FormulaError("an operand is missing", 0)
    if found is None:
        raise FormulaError("an operand is missing", 0)
    return found


def _factors(tex: str) -> Iterator[Grid | str]:
    """The factors of a product without signs between them."""
    position = 0
    scalar = ""
    while position < len(tex):
        match = _ENVIRONMENT.match(tex, position)
        if match is not None:
            made, position = _environment(tex, match)
        elif tex[position] in _CLOSING and has_grid(tex[position : _end(tex, position)]):
            made, position = _bracketed(tex, position)
            if scalar.strip() and not _NUMBER.fullmatch(scalar):
                made, scalar = _applied(scalar, made), ""
        else:
            end = _end(tex, position) if tex[position] in _CLOSING else position + 1
            scalar += tex[position:end]
            position = end
            continue
        if scalar.strip():
            yield _number(scalar)
            scalar = ""
        transposed = _TRANSPOSED.match(tex, position)
        if transposed is not None:
            if not isinstance(made, Grid):
                raise Opaque
            made, position = _transposed(made), transposed.end()
        yield made
        if tex[position : position + 1] in ("^", "_", "'"):
            raise Opaque
    if scalar.strip():
        yield _number(scalar)


def _number(tex: str) -> str:
    """A factor that is a number. Raises Opaque for a name, which may be that of a table."""
    if parse_formula(tex).free_symbols or "(" in str(parse_formula(tex)):
        raise Opaque
    return tex.strip()


def _end(tex: str, position: int) -> int:
    """Behind the bracket that closes the one at a position."""
    opening, closing = tex[position], _CLOSING[tex[position]]
    depth = 0
    for k in range(position, len(tex)):
        depth += (tex[k] == opening) - (tex[k] == closing)
        if depth == 0:
            return k + 1
    raise FormulaError(f"{closing!r} is missing", position)


def _environment(tex: str, match: re.Match[str]) -> tuple[Grid | str, int]:
    closing = f"\\end{{{match['kind']}}}"
    end = tex.find(closing, match.end())
    body = tex[match.end() : end]
    if end < 0 or "\\begin{" in body:
        raise MatrixError("a table in a table")
    rows = [row.text for row in split_top(body, ROW)]
    if not rows[-1].strip():
        rows.pop()
    cells = [[cell.text.strip() for cell in split_top(row, CELL)] for row in rows]
    return _checked(cells, match["kind"]), end + len(closing)


def _bracketed(tex: str, position: int) -> tuple[Grid | str, int]:
    end = _end(tex, position)
    if _is_list(tex, position):
        cells = [
            cell.text.strip() for cell in split_top(tex[position + 1 : end - 1], re.compile(","))
        ]
        return _checked([cells], "list"), end
    return _sum(tex[position + 1 : end - 1]), end


def _is_list(tex: str, position: int) -> bool:
    """Whether brackets at a position hold several values, and are not the index of a name."""
    before = tex[position - 1 : position]
    if tex[position] != "[" or before.isalnum() or before in ("}", "]", ")"):
        return False
    try:
        inside = tex[position + 1 : _end(tex, position) - 1]
    except FormulaError:
        return False
    return len(split_top(inside, _COMMA)) > 1 and "=" not in inside


def _checked(cells: list[list[str]], kind: str) -> Grid:
    if not cells or len({len(row) for row in cells}) != 1:
        raise MatrixError("the rows of the matrix have different lengths")
    if len(cells) * len(cells[0]) > MOST_ENTRIES:
        raise MatrixError("a table too large to be worked out")
    if any(not cell for row in cells for cell in row):
        raise MatrixError("a cell of the table is empty")
    if any(re.search(r"\\[vd]?dots|\\cdots|\\ldots|\.\.\.", cell) for row in cells for cell in row):
        raise MatrixError("a table with dots is not written out")
    return Grid(tuple(map(tuple, cells)), kind)


# --- what is done with tables -------------------------------------------------------------------


def _each(operand: Grid | str, change: Callable[[str], str]) -> Grid | str:
    if isinstance(operand, str):
        return change(operand)
    return Grid(tuple(tuple(map(change, row)) for row in operand.rows), operand.kind)


def _factor(cell: str) -> str:
    """An entry as a factor or as what is taken away."""
    return cell if _NUMBER.fullmatch(cell) else f"({cell})"


def _paired(left: Grid, right: Grid, change: Callable[[str, str], str]) -> Grid:
    if left.shape != right.shape:
        raise MatrixError("tables of different shapes stand together")
    rows = zip(left.rows, right.rows, strict=True)
    return Grid(
        tuple(tuple(change(a, b) for a, b in zip(*pair, strict=True)) for pair in rows), left.kind
    )


def _added(left: Grid | str, sign: str, right: Grid | str) -> Grid | str:
    def add(a: str, b: str) -> str:
        return f"{a} {sign} {_factor(b)}"

    if isinstance(left, Grid):
        if isinstance(right, Grid):
            return _paired(left, right, add)
        return _each(left, lambda cell: add(cell, right))
    return _each(right, lambda cell: add(left, cell))


def _times(a: str, b: str) -> str:
    return f"{_factor(a)} \\cdot {_factor(b)}"


def _multiplied(left: Grid | str, operator: str, right: Grid | str) -> Grid | str:
    if isinstance(right, str):
        if operator in ("/", "\\oslash"):
            return _each(left, lambda cell: f"{_factor(cell)} / {_factor(right)}")
        return _each(left, lambda cell: _times(cell, right))
    if isinstance(left, str):
        if operator in ("/", "\\oslash"):
            raise MatrixError("a number is divided by a table")
        return _each(right, lambda cell: _times(left, cell))
    if operator == "\\oslash":
        return _paired(left, right, lambda a, b: f"{_factor(a)} / {_factor(b)}")
    if operator in ("\\odot", "\\circ"):
        return _paired(left, right, _times)
    return _product(left, operator, right)


def _product(left: Grid, operator: str, right: Grid) -> Grid | str:
    """The product of rows and columns; that of two vectors is a number."""
    chains = left.shape[1] == right.shape[0]
    same = left.shape == right.shape
    if operator == "\\cdot" and same and min(left.shape) == 1:
        pairs = zip(left.entries, right.entries, strict=True)
        return " + ".join(_times(a, b) for a, b in pairs)
    if not chains or (same and operator) or operator in ("*", "/", "\\ast"):
        raise MatrixError("which product of the tables is meant is not said")
    if (left.shape[0] + right.shape[1]) * (_length(left) + _length(right)) > LONGEST:
        raise MatrixError("a table too large to be worked out")
    columns = list(zip(*right.rows, strict=True))
    made = tuple(
        tuple(
            " + ".join(_times(a, b) for a, b in zip(row, column, strict=True)) for column in columns
        )
        for row in left.rows
    )
    return Grid(made, left.kind if left.kind != "list" else right.kind)


def _length(grid: Grid) -> int:
    return sum(map(len, grid.entries))


def _transposed(grid: Grid) -> Grid:
    return Grid(tuple(zip(*grid.rows, strict=True)), grid.kind)


def _applied(function: str, made: Grid | str) -> Grid | str:
    """A function of each entry. Raises Opaque for one that is not known."""
    name = function.strip().removeprefix("\\")
    known = name in COMMANDS or name in UNARY
    if not known or name in ("max", "min"):
        raise Opaque
    return _each(made, lambda cell: f"{function.strip()}({cell})")
