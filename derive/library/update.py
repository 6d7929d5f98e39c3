"""An update as equations: the lines of an optimizer, written for each parameter that it moves."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby

import sympy

from derive.errors import LanguageError
from derive.expression import (
    Axis,
    Element,
    Fresh,
    Index,
    Largest,
    Total,
    rebuild,
    substitute,
    total,
)
from derive.functions import absolute, maximum
from derive.graph import Equation, Quantity, Role, adjoint_name
from derive.language import Scope, parse_expression
from derive.letters import tidy
from derive.library.lines import (
    DOTS,
    ENTRIES,
    GIVEN,
    PARAMETERS,
    Kind,
    Line,
    Rounding,
    lines_of,
    over,
    told_of_source,
    words_of,
)
from derive.library.row import Number
from derive.syntax import REDUCTIONS, syntax_tree

ONE = Axis("one", sympy.S.One)
LETTERS = "ijhlmnopqrstuvxyz"
EXTREME = {"max": maximum, "min": lambda a, b: -maximum(-a, -b)}
WORD = re.compile(r"[A-Za-z_]\w*")
TRIED = (("rows", "columns"), ("units",), ())  # the axes of parameters that lines are tried on


@dataclass(frozen=True)
class Moved:
    """A parameter that moves, and its gradient; without one that is 0.

    It may stand for any parameter: then `each` is the letter of a sum over all of them.
    """

    quantity: Quantity
    slope: Quantity | None
    each: Index | None = None

    @classmethod
    def of(cls, quantity: Quantity, each: Index | None = None) -> Moved:
        """A parameter with its gradient under the name of the adjoint."""
        slope = replace(quantity, name=adjoint_name(quantity.name), role=Role.ADJOINT)
        return cls(quantity, slope, each)


@dataclass(frozen=True)
class Called:
    """How what an update makes is called, and what the learning rate and its number are.

    `state` and `made` are of a parameter, before the update and on the way; `common` is of all of
    them, and `new` is what a parameter or a state is called after the update. `settings` are
    symbols of settings, where their values do not matter.
    """

    state: Callable[[str, str], str]
    made: Callable[[str, str], str]
    common: Callable[[str], str]
    new: Callable[[str], str]
    rate: sympy.Expr
    number: sympy.Expr
    settings: Mapping[str, sympy.Expr] = field(default_factory=dict)


PLAINLY = Called(
    "{}_{}".format, "{}_{}".format, "{}_now".format, "{}".format,
    sympy.Symbol("alpha", real=True), sympy.Symbol("k", real=True),
)  # fmt: skip


@dataclass(frozen=True)
class LineEquation:
    """What a line says of one parameter, or of all: `of` is the parameter."""

    line: Line
    of: str | None
    equation: Equation


def line_equations(
    equations: str,
    states: Sequence[str],
    settings: Mapping[str, Number],
    moving: Sequence[Moved],
    called: Called,
) -> tuple[LineEquation, ...]:
    """All lines for all parameters, in order. Raises LanguageError."""
    lines = lines_of(equations, states)
    numbers = {name: sympy.Rational(value) for name, value in settings.items()}
    numbers |= {**called.settings, "alpha": called.rate, "k": called.number}
    tables = [_Table(each, called, states, _words(equations), dict(numbers)) for each in moving]
    named = zip(lines, words_of(lines, states), strict=True)
    written = [_Written(line, *word) for line, word in named]
    found: list[LineEquation] = []
    for common, run in groupby(written, lambda each: each.line.kind is Kind.COMMON):
        several = list(run)
        if common:
            found += [_for_all(each, tables, called) for each in several]
        else:
            found += [_for_one(each, table, tables, called) for table in tables for each in several]
    return tuple(found)


@dataclass(frozen=True)
class _Written:
    """A line with the word for what it makes; `kept` if that goes on into the next update."""

    line: Line
    word: str
    kept: bool


def _for_all(each: _Written, tables: Sequence[_Table], called: Called) -> LineEquation:
    """A line about all parameters, which goes over each of them."""
    name = called.common(each.word)
    made = tables[0].equation(each.line, name, tables)
    for table in tables:
        table.take(each.line, made.quantity)
    return LineEquation(each.line, None, made)


def _for_one(
    each: _Written, table: _Table, tables: Sequence[_Table], called: Called
) -> LineEquation:
    of, target = table.quantity.name, each.line.target
    name = called.made(each.word, of)
    if each.kept:
        name = called.new(of if target == "w" else called.state(target, of))
    made = table.equation(each.line, name, tables)
    table.take(each.line, made.quantity)
    return LineEquation(each.line, of, made)


def tried(equations: str, states: Sequence[str], settings: Mapping[str, Number]) -> None:
    """Refuse lines that cannot be carried out. Raises LanguageError."""
    axes = {name: Axis(name, sympy.Integer(size)) for size, name in enumerate(
        ("rows", "columns", "units"), 2)}  # fmt: skip
    moving = []
    for number, names in enumerate(TRIED):
        own = tuple(axes[name] for name in names)
        quantity = Quantity(f"W{number}", "W", own, Role.PARAMETER)
        moving.append(Moved(quantity, replace(quantity, name=f"G{number}", role=Role.ADJOINT)))
    made = Called("{} of {}".format, "{} for {}".format, "all {}".format, "new {}".format,
                  Element("alpha"), sympy.Symbol("k", real=True))  # fmt: skip
    if "w" not in [line.target for line in lines_of(equations, states)]:
        raise LanguageError(equations, 0, "no line says what becomes of w")
    line_equations(equations, states, settings, moving, made)


def _words(equations: str) -> frozenset[str]:
    return frozenset(WORD.findall(equations))


@dataclass
class _Table:
    """What the names of the lines are for one parameter; it changes from line to line."""

    moved: Moved
    called: Called
    states: Sequence[str]
    taken: frozenset[str]
    variables: dict[str, sympy.Expr]
    quantities: dict[str, Quantity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own, slope = self.quantity, self.moved.slope
        self._entry("w", own)
        self._entry("g", slope or replace(own, name="", role=Role.ADJOINT))
        for state in self.states:
            name = self.called.state(state, own.name)
            self._entry(state, replace(own, name=name, role=Role.CONSTANT))

    @property
    def quantity(self) -> Quantity:
        return self.moved.quantity

    @property
    def letters(self) -> tuple[Index, ...]:
        """A letter for each axis that is no word of the lines."""
        taken = self.taken | {*GIVEN, *self.states}
        free = [letter for letter in LETTERS if letter not in taken]
        free += [f"i{k}" for k in range(len(self.quantity.axes))]
        return tuple(map(Index, free, self.quantity.axes))

    @property
    def first(self) -> Axis:
        return self.quantity.axes[0] if self.quantity.axes else ONE

    def _entry(self, name: str, quantity: Quantity) -> None:
        self.quantities[name] = quantity
        self.variables[name] = Element(quantity.name, *self.letters)

    def equation(self, line: Line, name: str, tables: Sequence[_Table]) -> Equation:
        """What a line says, under the name of what it makes."""
        indices: tuple[Index, ...] = self.letters if line.kind is Kind.ENTRY else ()
        own = {letter: Index(letter, self.first) for letter in line.letters if letter != DOTS}
        if own:
            rest = self.letters[1:] if DOTS in line.letters else ()
            indices = (*own.values(), *rest)
        rhs = self._formula(line, own, tables)
        if line.kind is Kind.ENTRY and not self.quantity.axes:
            rhs, indices = substitute(rhs, dict.fromkeys(own.values(), sympy.S.Zero), Fresh()), ()
        rhs = rebuild(rhs, _without_one).replace(sympy.Abs, absolute)
        rhs = tidy(rhs, frozenset(index.name for index in indices))
        axes = tuple(index.axis for index in indices)
        made = replace(self.quantity, name=name, axes=axes, role=Role.HIDDEN)
        if line.target in ("w", *self.states):
            made = replace(self.quantity, name=name)
        return Equation(made, indices, rhs)

    def take(self, line: Line, made: Quantity) -> None:
        """From here on the name of a line means its new value."""
        if line.kind is Kind.ENTRY:
            self._entry(line.target, made)
        elif line.kind is Kind.TABLE:
            self.quantities[line.target] = made
        else:
            self.quantities.pop(line.target, None)
            self.variables[line.target] = Element(made.name)

    def _formula(
        self, line: Line, own: Mapping[str, Index], tables: Sequence[_Table]
    ) -> sympy.Expr:
        source = " ".join(line.text.split())
        writer = _Spelled(source, self, own)
        text = ast.unparse(writer.visit(syntax_tree(source)))
        named = {
            name: _of_all(word, body, tables, line) for name, (word, body) in writer.of_all.items()
        }
        known = {**self.variables, **named, **writer.sizes}
        return self.parsed(text, line, known, writer.letters)

    def parsed(
        self,
        text: str,
        line: Line,
        variables: Mapping[str, sympy.Expr],
        letters: Mapping[str, Axis],
    ) -> sympy.Expr:
        """A formula that was spelled out; an error is told of the line as it was written."""
        try:
            found = parse_expression(text, Scope(self.quantities, letters, variables))
        except LanguageError as error:
            source = f"{line.target} = {' '.join(line.text.split())}"
            raise told_of_source(source, error) from None
        return found if self.moved.slope is not None else rebuild(found, _without_slope)


def _without_one(node: sympy.Expr) -> sympy.Expr:
    """A sum over a single value is that value."""
    if not isinstance(node, Total) or node.index.axis is not ONE:
        return node
    return substitute(node.body, {node.index: sympy.S.Zero}, Fresh())


def _without_slope(node: sympy.Expr) -> sympy.Expr:
    return sympy.S.Zero if isinstance(node, Element) and not node.name else node


def _of_all(word: str, body: str, tables: Sequence[_Table], line: Line) -> sympy.Expr:
    """A sum, a norm, a mean or an extreme over the entries of all parameters."""
    parts, count = [], sympy.S.Zero
    for table in tables:
        letters = {index.name: index.axis for index in table.letters}
        value = table.parsed(body, line, table.variables, letters)
        inner = (table.moved.each, *table.letters) if table.moved.each else table.letters
        if word == "norm":
            value = value**2
        if word in EXTREME:
            sign = 1 if word == "max" else -1
            found = Largest(sign * value, *inner) if inner else sign * value
            parts.append(sign * found)
        else:
            parts.append(total(value, inner))
        count += sympy.prod([axis.size for axis in table.quantity.axes])
    if word in EXTREME:
        return reduce(EXTREME[word], parts)
    whole = sympy.Add(*parts)
    return {"norm": sympy.sqrt(whole), "mean": whole / count}.get(word, whole)


class _Spelled(Rounding):
    """A formula of a line in the language of equations: each sum with its letters.

    What goes over all parameters gets a name instead, under which `of_all` has its parts.
    """

    def __init__(self, source: str, table: _Table, own: Mapping[str, Index]) -> None:
        super().__init__(source)
        self.table = table
        self.letters = {index.name: index.axis for index in table.letters}
        self.letters |= {name: index.axis for name, index in own.items()}
        self.of_all: dict[str, tuple[str, str]] = {}
        self.sizes: dict[str, sympy.Expr] = {}

    def fail(self, node: ast.expr, reason: str) -> LanguageError:
        return LanguageError(self.source, node.col_offset, reason)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """What goes over entries, further axes, or parameters; letters of a table are noted."""
        what = over(node)
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if what == PARAMETERS:
            if word not in ("sum", "mean", "norm", "max", "min"):
                raise self.fail(node, f"{word} does not go over all parameters")
            body = ast.unparse(self.visit(node.args[1]))
            name = f"parameters_{len(self.of_all)}"
            self.of_all[name] = word, body
            return ast.Name(name)
        if what in (ENTRIES, DOTS):
            letters = self.table.letters[0 if what == ENTRIES else 1 :]
            names = [index.name for index in letters] or [self._one()]
            return ast.Call(node.func, [*map(ast.Name, names), self.visit(node.args[1])], [])
        if word == "size" and len(node.args) == 1 and (axes := self._sized(node.args[0])):
            name = f"size_{len(self.sizes)}"
            self.sizes[name] = sympy.prod([axis.size for axis in axes])
            return ast.Name(name)
        if word in REDUCTIONS:
            self._meet(node)
        self.generic_visit(node)
        return node

    def _sized(self, argument: ast.expr) -> tuple[Axis, ...]:
        """The axes of `size(entries)`, and of `size(...)`; nothing for other arguments."""
        axes = (*self.table.quantity.axes, ONE)
        if isinstance(argument, ast.Name) and argument.id == ENTRIES:
            return axes
        dots = isinstance(argument, ast.Constant) and argument.value is Ellipsis
        return (*axes[1:], ONE) if dots else ()

    def _meet(self, node: ast.Call) -> None:
        """The letters of a sum over the first axis."""
        for argument in node.args[:-1]:
            if not isinstance(argument, ast.Name) or len(argument.id) > 1:
                continue
            if argument.id not in {*self.table.variables, *self.table.quantities}:
                self.letters[argument.id] = self.table.first
            elif node.func.id not in EXTREME:  # type: ignore[attr-defined]
                reason = f"'{argument.id}' means something else here; take another letter"
                raise self.fail(argument, reason)

    def _one(self) -> str:
        """A letter with a single value, for a sum over no axes."""
        self.letters["one"] = ONE
        return "one"

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """`X[i,...]` at the letters of the other axes."""
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        dotted = any(isinstance(p, ast.Constant) and p.value is Ellipsis for p in parts)
        if not dotted:
            self.generic_visit(node)
            return node
        places: list[ast.expr] = [self.visit(part) for part in parts[:-1]]
        if not self.table.quantity.axes:
            return node.value
        places += [ast.Name(index.name) for index in self.table.letters[1:]]
        return ast.Subscript(node.value, ast.Tuple(places) if len(places) > 1 else places[0])
