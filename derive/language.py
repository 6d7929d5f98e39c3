"""Equation text to SymPy: an `ast` walk over a closed list of node types and functions.

    dense     net[n,h] = sum(i, W[h,i]*x[n,i]) + b[h]
    softmax   p[n,o] = exp(z[n,o]) / sum(k, exp(z[n,k]))

User text is never evaluated: what is not listed here is refused with a caret under it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce

import sympy

from derive.choices import compared, decided
from derive.errors import LanguageError, nearest
from derive.expression import (
    Axis,
    Delta,
    Element,
    Fresh,
    Grad,
    Index,
    Running,
    substitute,
)
from derive.functions import BY_NAME, absolute, where
from derive.graph import Quantity, is_whole
from derive.limits import LARGEST, MOST_NESTING
from derive.places import Quotient, Remainder
from derive.powers import explodes, imaginary, vast
from derive.rules import recognise
from derive.sugar import SUGAR, reduced
from derive.syntax import (
    ALIASES,
    FUNCTIONS,
    LITERAL,
    OF_MATRICES,
    REDUCTIONS,
    RUNNING,
    call_error,
    division_words,
    divisor_words,
    function_words,
    indices,
    operator_words,
    syntax_tree,
)

CONSTANTS = {"pi": sympy.pi}
_OPERATORS: dict[type[ast.operator], Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_DIVISIONS = {ast.FloorDiv: Quotient, ast.Mod: Remainder}


@dataclass(frozen=True)
class Scope:
    """What names mean inside one text: quantities, index letters, and plain variables.

    `elsewhere` are letters of other equations, whose size may be asked for.
    """

    quantities: Mapping[str, Quantity]
    letters: Mapping[str, Axis]
    variables: Mapping[str, sympy.Expr]
    elsewhere: Mapping[str, Axis] = field(default_factory=dict)


def parse_expression(text: str, scope: Scope) -> sympy.Expr:
    """One right-hand side. Raises LanguageError for anything that is not in the language."""
    source = " ".join(text.split())
    return recognise(_Reader(source, scope).read(syntax_tree(source), 0))


def check_readings(text: str, scope: Scope, later: Collection[str] = ()) -> None:
    """Refuse what is wrong in a text whatever the sizes of its letters may be.

    `later` names quantities of which nothing is known yet. Raises LanguageError.
    """
    source = " ".join(text.split())
    reader = _Reader(source, scope)
    for node in ast.walk(syntax_tree(source)):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            if node.value.id not in later:
                reader.indexed(node)
        elif isinstance(node, ast.BinOp):
            reader.operation(node)
        elif isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name):
                raise call_error(source, node, scope.quantities)
            reader.check_function(node, node.func.id)
        elif isinstance(node, ast.Attribute):
            raise reader.foreign(node)


def column_of(reading: Element, text: str, scope: Scope) -> int | None:
    """Where in a text an element is read, if it stands there as such."""
    source = " ".join(text.split())
    for node in ast.walk(syntax_tree(source)):
        if isinstance(node, ast.Subscript) and _Reader(source, scope).read(node, 0) == reading:
            return node.col_offset
    return None


class _Reader:
    """The walk over one parsed expression; each method answers for one kind of node."""

    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.fresh = Fresh()

    def fail(self, node: ast.AST, reason: str) -> LanguageError:
        return LanguageError(self.source, getattr(node, "col_offset", 0), reason)

    def text(self, node: ast.AST) -> str:
        """The user's own words for a node, cut short."""
        words = ast.get_source_segment(self.source, node) or self.source
        return f"`{words[:40]}`"

    def read(self, node: ast.expr, depth: int) -> sympy.Expr:
        if depth > MOST_NESTING:
            reason = f"this is nested more than {MOST_NESTING} deep; give parts of it names"
            raise self.fail(node, reason)
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return self._number(node)
            case ast.Name():
                return self._name(node)
            case ast.Subscript():
                return self._element(node, depth)
            case ast.UnaryOp(op=ast.USub()):
                return -self.read(node.operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(node.operand, depth + 1)
            case ast.BinOp():
                return self._operation(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case ast.Compare(ops=[ast.Eq()]):
                return self._same(node, depth)
            case ast.Compare(ops=[ast.NotEq()]):
                return 1 - self._same(node, depth)
            case ast.Compare():
                return self._compared(node, depth, lambda holds: sympy.Integer(holds))
        raise self.foreign(node)

    def foreign(self, node: ast.expr) -> LanguageError:
        """What the language does not have."""
        reason = f"{self.text(node)} is not in the language"
        if isinstance(node, ast.Attribute) and node.attr == "T":
            reason += "; a transpose has its letters the other way round, W[i,h] for W[h,i]"
        return self.fail(node, reason)

    def _number(self, node: ast.Constant) -> sympy.Expr:
        literal = (ast.get_source_segment(self.source, node) or "").replace("_", "")
        if not LITERAL.fullmatch(literal):
            raise self.fail(node, f"'{literal[:40]}' is not a number of the language")
        number = sympy.Rational(literal)
        if number > LARGEST:
            raise self.fail(node, "this number is too large; one is at most 10^100")
        return number

    def _name(self, node: ast.Name) -> sympy.Expr:
        if node.id in self.scope.variables:
            return self.scope.variables[node.id]
        if node.id in self.scope.letters:
            return Index(node.id, self.scope.letters[node.id])
        quantity = self.scope.quantities.get(node.id)
        if quantity is not None:
            if quantity.axes:
                raise self.fail(node, f"'{node.id}' needs {indices(len(quantity.axes))}")
            return Element(quantity.name)
        if node.id in CONSTANTS:
            return CONSTANTS[node.id]
        known = {*self.scope.variables, *self.scope.quantities, *CONSTANTS}
        raise self.fail(node, f"'{node.id}' is unknown; {nearest(node.id, known)}")

    def _element(self, node: ast.Subscript, depth: int) -> sympy.Expr:
        quantity, parts = self.indexed(node)
        for part, axis in zip(parts, quantity.axes, strict=True):
            self._check_fit(part, axis, quantity.name)
        return Element(quantity.name, *[self.read(part, depth + 1) for part in parts])

    def indexed(self, node: ast.Subscript) -> tuple[Quantity, list[ast.expr]]:
        """The quantity that is read, and the positions, which must be as many as its axes."""
        if not isinstance(node.value, ast.Name):
            raise self.fail(node, "only a quantity can be indexed")
        quantity = self.scope.quantities.get(node.value.id)
        if quantity is None:
            hint = nearest(node.value.id, self.scope.quantities)
            raise self.fail(node, f"'{node.value.id}' is unknown; {hint}")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(parts) != len(quantity.axes):
            needed = indices(len(quantity.axes))
            raise self.fail(node, f"'{quantity.name}' needs {needed}, not {len(parts)}")
        return quantity, parts

    def _check_fit(self, part: ast.expr, axis: Axis, name: str) -> None:
        """A letter alone must have as many values as the axis; `i + 0` may have others."""
        letter = self.scope.letters.get(part.id) if isinstance(part, ast.Name) else None
        if letter is not None and letter.size != axis.size:
            word = self.text(part).strip("`")
            raise LanguageError(
                self.source,
                part.col_offset,
                f"the index '{word}' runs over {letter.size} values but meets an axis of "
                f"'{name}' with {axis.size}; '{word} + 0' would mean a part of it",
                word,
            )

    def _operation(self, node: ast.BinOp, depth: int) -> sympy.Expr:
        """A power, or a chain of sums and products, which is no deeper than its deepest part."""
        if isinstance(node.op, ast.Pow):
            return self._power(node, depth)
        chain, first = [node], node.left
        while isinstance(first, ast.BinOp) and not isinstance(first.op, ast.Pow):
            chain.append(first)
            first = first.left
        operations = [self.operation(part) for part in chain]
        result = self.read(first, depth + 1)
        for part, operation in zip(reversed(chain), reversed(operations), strict=True):
            right = self.read(part.right, depth + 1)
            if right == 0 and not isinstance(part.op, ast.Add | ast.Sub | ast.Mult):
                raise self.fail(part.right, "this divides by zero")
            if type(part.op) in _DIVISIONS and not is_whole(result, self.scope.quantities):
                raise self.fail(part, division_words(part))
            if type(part.op) in _DIVISIONS and not (right.is_Integer and right > 0):
                raise self.fail(part.right, divisor_words(self.text(part.right)))
            result = operation(result, right)
        return self._finite(node, result)

    def _power(self, node: ast.BinOp, depth: int) -> sympy.Expr:
        base, exponent = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
        if explodes(base, exponent):
            raise self.fail(node.right, "this power is too large for the language")
        if imaginary(base, exponent):
            raise self.fail(node, "this is not a real number")
        return self._finite(node, base**exponent)

    def operation(self, node: ast.BinOp) -> Callable[[sympy.Expr, sympy.Expr], sympy.Expr]:
        """What an operator does."""
        found = _OPERATORS.get(type(node.op)) or _DIVISIONS.get(type(node.op))
        if found is None:
            raise self.fail(node, operator_words(node, self.scope.quantities))
        return found

    def check_function(self, node: ast.Call, word: str) -> None:
        """Refuse a function that the language does not have."""
        if word not in FUNCTIONS:
            raise self.fail(node, function_words(word, node, self.scope.quantities))

    def _check_letters(self, name: str, node: ast.Call) -> None:
        """What a reduction runs over must be no quantity, and its size must be known."""
        known = {*self.scope.quantities, *self.scope.letters, *self.scope.variables}
        inside = {each.id for each in ast.walk(node.args[-1]) if isinstance(each, ast.Name)}
        for letter in node.args[:-1]:
            if not isinstance(letter, ast.Name):
                continue
            if letter.id in self.scope.quantities and name not in BY_NAME:
                reason = f"'{letter.id}' is a quantity; use another letter for the index"
                raise self.fail(letter, reason)
            if letter.id not in known and (name not in BY_NAME or letter.id in inside):
                check_readings(self.source, self.scope)  # a slip there may be the reason
                raise self.fail(
                    letter,
                    f"the size of the index '{letter.id}' is unknown, for it stands alone in no "
                    f"reading; say it under 'sizes:', as in {{{letter.id}: 3}}",
                )

    def _finite(self, node: ast.expr, result: sympy.Expr) -> sympy.Expr:
        if result.has(sympy.zoo, sympy.nan, sympy.oo):
            raise self.fail(node, "this is not finite")
        if result.has(sympy.I):
            raise self.fail(node, "this is not a real number")
        return result.replace(sympy.Abs, absolute) if result.has(sympy.Abs) else result

    def _call(self, node: ast.Call, depth: int) -> sympy.Expr:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise call_error(self.source, node, self.scope.quantities)
        if node.func.id in OF_MATRICES:  # what it is given is not written as it would be here
            self.check_function(node, node.func.id)
        name = ALIASES.get(node.func.id, node.func.id)
        if name in REDUCTIONS and self._binds(node):
            return self._reduction(name, node, depth)
        if name in REDUCTIONS and node.args:
            self._check_letters(name, node)
        if name == "where":
            return self._where(node, depth)
        if name == "size":
            return self._size(node)
        if name == "grad":
            return self._grad(node, depth)
        arguments = [self.read(argument, depth + 1) for argument in node.args]
        self.check_function(node, name)
        if name in SUGAR and len(arguments) == SUGAR[name].arity:
            return self._finite(node, SUGAR[name].made(*arguments))
        if name in ("max", "min") and len(arguments) > 2:
            return reduce(BY_NAME[name].symbol, arguments)
        row = BY_NAME.get(name)
        if row is None and name in REDUCTIONS:
            reason = f"{name} is written like {name}(i, x[i]), with index letters first"
            raise self.fail(node, reason)
        arity = row.arity if row is not None else SUGAR[name].arity if name in SUGAR else 1
        if row is None or len(arguments) != arity:
            words = "1 argument" if arity == 1 else f"{arity} arguments"
            raise self.fail(node, f"{name} takes {words}, not {len(arguments)}")
        if name == "exp" and vast(arguments[0]):
            raise self.fail(node.args[0], "this power is too large for the language")
        return self._finite(node, row.symbol(*arguments))

    def _binds(self, node: ast.Call) -> bool:
        return len(node.args) > 1 and all(
            isinstance(argument, ast.Name)
            and argument.id in self.scope.letters
            and argument.id not in self.scope.quantities
            for argument in node.args[:-1]
        )

    def _reduction(self, name: str, node: ast.Call, depth: int) -> sympy.Expr:
        body = self.read(node.args[-1], depth + 1)
        letters = [argument.id for argument in node.args[:-1] if isinstance(argument, ast.Name)]
        if len(set(letters)) != len(letters):
            raise self.fail(node, f"{name} names the same index twice")
        indices = [Index(letter, self.scope.letters[letter]) for letter in letters]
        if name == "prod" or name in RUNNING:
            return self._running(name, node, body, indices)
        return reduced(name, body, indices, self.fresh)

    def _running(
        self, name: str, node: ast.Call, body: sympy.Expr, indices: list[Index]
    ) -> sympy.Expr:
        """A product over letters, or what comes together along one that stays."""
        if name in RUNNING and len(indices) > 1:
            raise self.fail(node, f"{name} runs along one index: {name}(i, x[i])")
        for index in reversed(indices):
            walking = self.fresh(index)
            position = index if name in RUNNING else index.axis.size - 1
            body = Running(name, substitute(body, {index: walking}, self.fresh), walking, position)
        return body

    def _size(self, node: ast.Call) -> sympy.Expr:
        letter = node.args[0] if len(node.args) == 1 else None
        if not isinstance(letter, ast.Name):
            raise self.fail(node, "size is written like size(i), with an index letter")
        known = {**self.scope.elsewhere, **self.scope.letters}
        if letter.id not in known:
            reason = f"the size of '{letter.id}' is unknown; say `sizes: {{{letter.id}: 3}}`"
            raise self.fail(node, reason)
        return known[letter.id].size

    def _grad(self, node: ast.Call, depth: int) -> sympy.Expr:
        """The derivative of one entry by another, both as they are read."""
        if len(node.args) != 2:
            raise self.fail(node, "grad takes two entries, as in grad(u[n], x[n]) for ∂u/∂x")
        of, by = (self.read(argument, depth + 1) for argument in node.args)
        if not isinstance(of, Element | Grad):
            reason = "grad differentiates one entry; give this an equation of its own, as in f[n]"
            raise self.fail(node.args[0], f"{reason} = {self.text(node.args[0]).strip('`')}")
        if not isinstance(by, Element) or self.scope.quantities[by.name].integer:
            reason = "grad differentiates by one entry of a quantity that is not of whole numbers"
            raise self.fail(node.args[1], f"{reason}, as in grad(u[n], x[n])")
        return Grad(of, by)

    def _same(self, node: ast.Compare, depth: int) -> sympy.Expr:
        """1 where two positions are the same, else 0."""
        left, right = (self.read(side, depth + 1) for side in (node.left, *node.comparators))
        if not all(is_whole(side, self.scope.quantities) for side in (left, right)):
            reason = "a condition compares two values with <, <=, > or >=; == is for positions"
            raise self.fail(node, reason)
        return Delta(left, right)

    def _where(self, node: ast.Call, depth: int) -> sympy.Expr:
        if len(node.args) == 3 and isinstance(node.args[0], ast.BoolOp):
            reason = "two conditions are two choices: where(a > 0, where(b > 0, f, g), g)"
            raise self.fail(node.args[0], reason)
        if len(node.args) != 3 or not isinstance(node.args[0], ast.Compare):
            raise self.fail(node, "where is written like where(x > 0, x, 0)")
        test = node.args[0]
        if isinstance(test.ops[0], ast.Eq | ast.NotEq) and len(test.ops) == 1:
            same = self._same(test, depth)
            yes, no = node.args[1:] if isinstance(test.ops[0], ast.Eq) else node.args[:0:-1]
            if same.is_Integer:
                return self.read(yes if same else no, depth + 1)
            return where(same, self.read(yes, depth + 1), self.read(no, depth + 1))
        branches = node.args[1:]
        return self._compared(test, depth, lambda yes: self.read(branches[not yes], depth + 1))

    def _compared(
        self, test: ast.Compare, depth: int, branch: Callable[[bool], sympy.Expr]
    ) -> sympy.Expr:
        """One branch where a comparison of values holds, and the other where it does not."""
        if not all(isinstance(sign, ast.Gt | ast.Lt | ast.GtE | ast.LtE) for sign in test.ops):
            raise self.fail(test, "a condition compares two values with <, <=, > or >=")
        sides = [self.read(side, depth + 1) for side in (test.left, *test.comparators)]
        if all(side.is_Rational for side in sides):  # the other branch may have no value
            return branch(decided(test.ops, sides))
        found, no = branch(True), branch(False)
        for sign, a, b in reversed(list(zip(test.ops, sides, sides[1:], strict=False))):
            found = compared(sign, a, b, found, no)  # `a < b < c` holds where both do
        return found
