"""The SymPy nodes in which equations are written: elements, bounded sums, maxima and deltas.

SymPy's own `Indexed`, `Sum` and `KroneckerDelta` evaluate, reorder and differentiate in ways that
are wrong for tensors with bound indices (`diff(Sum(x[i], (i, 0, n-1)), x[i])` is `n`), so the nodes
here are inert: they hold their arguments and do nothing on their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.symbol import Str


@dataclass(frozen=True)
class Axis:
    """A named dimension; its size is a number or a symbol."""

    name: str
    size: sympy.Expr

    @property
    def length(self) -> int:
        """The size as a number. Raises ValueError while the size is still a symbol."""
        if not self.size.is_Integer:
            raise ValueError(f"axis '{self.name}' has the symbolic size {self.size}")
        return int(self.size)


class Index(sympy.Symbol):
    """An index that knows the axis it runs over; two indices are equal if name and size are."""

    axis: Axis

    def __new__(cls, name: str, axis: Axis) -> Index:
        return _index(name, axis)

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.axis.size)

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.name, self.axis), {}


@lru_cache(maxsize=20_000)
def _index(name: str, axis: Axis) -> Index:
    """The same index is the same object: tables are looked up by it, and `is` beats `==`."""
    made: Index = sympy.Symbol.__xnew__(Index, name, integer=True)
    made.axis = axis
    return made


class _Node(sympy.Expr):
    """An inert real scalar."""

    is_commutative = True

    def _eval_is_real(self) -> bool:
        return True

    def _eval_is_extended_real(self) -> bool:
        return True


class Element(_Node):
    """One entry of a quantity: `Element("W", h, i)` is `W[h, i]`; outside its range it is zero."""

    def __new__(cls, name: str | Str, *indices: sympy.Expr | int) -> Element:
        label = name if isinstance(name, Str) else Str(name)
        made: Element = sympy.Expr.__new__(cls, label, *map(sympy.sympify, indices))
        return made

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def indices(self) -> tuple[sympy.Expr, ...]:
        return tuple(self.args[1:])

    def _sympystr(self, printer: Any) -> str:
        if not self.indices:
            return self.name
        return f"{self.name}[{', '.join(printer._print(i) for i in self.indices)}]"


class _Reduction(_Node):
    """A node that binds one index: arguments are the body and the index."""

    word: str

    def __new__(cls, body: sympy.Expr, index: Index) -> _Reduction:
        made: _Reduction = sympy.Expr.__new__(cls, body, index)
        return made

    @property
    def body(self) -> sympy.Expr:
        return self.args[0]

    @property
    def index(self) -> Index:
        return self.args[1]

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        return set(self.body.free_symbols) - {self.index}

    def _sympystr(self, printer: Any) -> str:
        return f"{self.word}({printer._print(self.index)}, {printer._print(self.body)})"


class Total(_Reduction):
    """`sum(i, body)` over the whole axis of `i`."""

    word = "sum"


def total(body: sympy.Expr, indices: tuple[Index, ...]) -> sympy.Expr:
    """The sum over several indices, the first outermost."""
    for index in reversed(indices):
        body = Total(body, index)
    return body


class LogTotalExp(_Reduction):
    """`log(sum(i, exp(body)))`, kept whole so that code can evaluate it without overflow."""

    word = "logsumexp"


class Largest(_Node):
    """`max(r, s, body)`: the largest value over several indices; a tie goes to the first."""

    def __new__(cls, body: sympy.Expr, *indices: Index) -> Largest:
        made: Largest = sympy.Expr.__new__(cls, body, *indices)
        return made

    @property
    def body(self) -> sympy.Expr:
        return self.args[0]

    @property
    def bound(self) -> tuple[Index, ...]:
        return tuple(self.args[1:])

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        return set(self.body.free_symbols) - set(self.bound)

    def _sympystr(self, printer: Any) -> str:
        return f"max({', '.join(map(printer._print, (*self.bound, self.body)))})"


class Picked(_Node):
    """1 where the value at a place, counted from 0, is the first of the largest, else 0."""

    def __new__(cls, place: int, *values: sympy.Expr) -> Picked:
        made: Picked = sympy.Expr.__new__(cls, sympy.Integer(place), *values)
        return made

    @property
    def place(self) -> int:
        return int(self.args[0])

    @property
    def values(self) -> tuple[sympy.Expr, ...]:
        return tuple(self.args[1:])


class Greatest(_Node):
    """The largest of the values written here, in this order."""

    def __new__(cls, *values: sympy.Expr) -> Greatest:
        made: Greatest = sympy.Expr.__new__(cls, *values)
        return made


class Running(_Node):
    """`prod(i, body)`, `cumsum(i, body)`: what comes together up to a position.

    It stands in an equation until that is written as a recurrence.
    """

    def __new__(
        cls, word: str | Str, body: sympy.Expr, index: Index, position: sympy.Expr
    ) -> Running:
        label = word if isinstance(word, Str) else Str(word)
        made: Running = sympy.Expr.__new__(cls, label, body, index, position)
        return made

    @property
    def word(self) -> str:
        return str(self.args[0].name)

    @property
    def body(self) -> sympy.Expr:
        return self.args[1]

    @property
    def index(self) -> Index:
        return self.args[2]

    @property
    def position(self) -> sympy.Expr:
        return self.args[3]

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        return (set(self.body.free_symbols) - {self.index}) | set(self.position.free_symbols)


class Grad(_Node):
    """`grad(f, w)`: the derivative of one entry by another.

    It stands in an equation until the derivation of it is written as equations, too.
    """

    def __new__(cls, of: sympy.Expr, by: sympy.Expr) -> Grad:
        made: Grad = sympy.Expr.__new__(cls, of, by)
        return made

    @property
    def of(self) -> sympy.Expr:
        return self.args[0]

    @property
    def by(self) -> sympy.Expr:
        return self.args[1]

    def _sympystr(self, printer: Any) -> str:
        return f"grad({printer._print(self.of)}, {printer._print(self.by)})"


class Chosen(_Node):
    """1 where the given positions are those at which `Largest` takes its value, else 0."""

    def __new__(cls, largest: Largest, *positions: sympy.Expr) -> Chosen:
        made: Chosen = sympy.Expr.__new__(cls, largest, *positions)
        return made

    @property
    def largest(self) -> Largest:
        return self.args[0]

    @property
    def positions(self) -> tuple[sympy.Expr, ...]:
        return tuple(self.args[1:])


class Delta(_Node):
    """Kronecker's delta: 1 if both arguments are equal, else 0.

    It is 0 where no places can be equal, however long the axes are: `i + 1` is never 0.
    """

    def __new__(cls, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
        left, right = sympy.sympify(left), sympy.sympify(right)
        if (left - right).is_Integer:
            return sympy.Integer(int(left == right))
        if _is_beyond(left - right):
            return sympy.S.Zero
        made: Delta = sympy.Expr.__new__(cls, left, right)
        return made


def _is_beyond(offset: sympy.Expr) -> bool:
    """Whether a sum of letters and a number is never 0, since letters are never below 0."""
    terms = offset.as_coefficients_dict()
    number = terms.pop(sympy.S.One, 0)
    return bool(number) and all(isinstance(x, Index) and c * number > 0 for x, c in terms.items())


class Inside(_Node):
    """1 if `0 <= position < size`, else 0: the guard that a solved index stays on its axis."""

    def __new__(cls, position: sympy.Expr, size: sympy.Expr) -> sympy.Expr:
        if position.is_Integer and size.is_Integer:
            return sympy.Integer(int(bool(0 <= position < size)))
        made: Inside = sympy.Expr.__new__(cls, position, size)
        return made


class Slope(_Node):
    """The partial derivative of an expression by one element, not carried out."""

    def __new__(cls, body: sympy.Expr, element: Element) -> Slope:
        made: Slope = sympy.Expr.__new__(cls, body, element)
        return made

    @property
    def body(self) -> sympy.Expr:
        return self.args[0]

    @property
    def element(self) -> Element:
        return self.args[1]


def bound_indices(node: sympy.Basic) -> tuple[Index, ...]:
    """The indices that this node itself binds."""
    if isinstance(node, _Reduction | Running):
        return (node.index,)
    return node.bound if isinstance(node, Largest) else ()


class Fresh:
    """A supply of index names that no expression of one differentiation uses."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, index: Index) -> Index:
        self._count += 1
        return Index(f"{index.name.split('#')[0]}#{self._count}", index.axis)


def substitute(expr: sympy.Expr, change: Mapping[Index, sympy.Expr], fresh: Fresh) -> sympy.Expr:
    """Replace free indices without capture: every bound index below is renamed fresh on the way."""
    if isinstance(expr, Index):
        return change.get(expr, expr)
    if not expr.args or not (expr.free_symbols & change.keys()):
        return expr
    inner = bound_indices(expr)
    renamed = {index: fresh(index) for index in inner}
    both = {**change, **renamed}
    return expr.func(*[substitute(argument, both, fresh) for argument in expr.args])


def rebuild(expr: sympy.Expr, change: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """Apply `change` to every node from the leaves up; what `Chosen` is about stays as it is."""
    if not expr.args or isinstance(expr, Element | Chosen):
        return change(expr)
    return change(expr.func(*[rebuild(argument, change) for argument in expr.args]))


def elements(expr: sympy.Basic) -> Iterator[Element]:
    """Every element read by an expression, also in a position, in the order of a preorder walk."""
    if isinstance(expr, Element):
        yield expr
    for argument in expr.args:
        yield from elements(argument)


@lru_cache(maxsize=20_000)
def reads(expr: sympy.Basic) -> tuple[str, ...]:
    """The names of the quantities that an expression reads, first reading first."""
    return tuple(dict.fromkeys(element.name for element in elements(expr)))


def alike(left: sympy.Basic, right: sympy.Basic, renaming: dict[Index, Index]) -> bool:
    """Whether two expressions are the same up to the names of bound indices."""
    if isinstance(left, Index):
        return renaming.get(left, left) == right
    if left.func != right.func or len(left.args) != len(right.args):
        return False
    if not left.args:
        return bool(left == right)
    pairs = dict(zip(bound_indices(left), bound_indices(right), strict=True))
    if any(mine.axis.size != yours.axis.size for mine, yours in pairs.items()):
        return False
    below = {**renaming, **pairs}
    return all(alike(a, b, below) for a, b in zip(left.args, right.args, strict=True))
