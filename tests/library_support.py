"""Uses of the rows of the library at drawn sizes, and their graphs as whole arrays.

A use draws the sizes of the letters, the axes that `...` stands for, the settings, and whether what
is optional is wired. The tables below say what may be drawn where 1, 2 and 3 will not do; a row
that is not in them is tested, too.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import sympy
from hypothesis import strategies as st
from mpmath import mp

from derive.backprop import differentiate
from derive.expression import (
    Axis,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Total,
    total,
)
from derive.functions import BY_SYMBOL
from derive.graph import Block, Derivation, Equation, Graph, Kind, Quantity, Role
from derive.library.instantiate import Instance, instantiate
from derive.library.layers import LAYERS
from derive.library.losses import loss_layer, loss_names
from derive.library.row import Layer, Number, Signature, signature
from derive.places import Quotient, Remainder
from derive.verify.algebra import Algebra
from derive.verify.meaning import Values

ROWS: Mapping[str, Layer] = {**LAYERS, **{name: loss_layer(name)[0] for name in loss_names()}}
NAME = "u"
WEIGHTS = "weights"
LOSS = "loss"

EXTRA = ((), (2,), (1,), (2, 1), (1, 2))
EXTRA_OF: Mapping[str, tuple[tuple[int, ...], ...]] = {"batch_norm": ((2,), (3,), (2, 2))}
SIZES = (1, 2, 3)
SPACE = {"i": (3, 4), "h": (3, 4), "w": (3,), "d": (3,)}
KERNEL = {"r": (1, 2), "s": (1, 2), "e": (1, 2), "c": (1, 2), "o": (1, 2)}
SIZES_OF: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "convolution": {**SPACE, **KERNEL},
    "pooling": SPACE,
    "normalisation": {"n": (2,), "c": (1, 2), "h": (2,), "w": (1, 2)},
    "grouped_conv2d": {"k": (2, 4), "o": (2, 4)},
    "conv_transpose1d": {"i": (2, 3), "r": (2, 3)},
    "conv_transpose2d": {"h": (2, 3), "w": (2,), "r": (2, 3), "s": (2,)},
    "group_norm": {"c": (2, 4)},
    "rope": {"d": (2, 4)},
    "sinusoidal_positions": {"d": (2, 4)},
    "same_conv1d": {"r": (2, 3)},
    "same_conv2d": {"r": (2, 3), "s": (2, 3)},
    "adaptive_avg_pool1d": {"i": (2, 4)},
    "adaptive_avg_pool2d": {"h": (2, 4), "w": (2,)},
    "reflect_pad1d": {"i": (2, 3)},
    "reflect_pad2d": {"h": (2, 3), "w": (2,)},
    "circular_pad1d": {"i": (2, 3)},
    "pixel_shuffle": {"k": (4, 8), "h": (1, 2), "w": (2,)},
    "pixel_unshuffle": {"h": (2, 4), "w": (2,)},
    "grouped_query_attention": {"a": (2, 4), "g": (1, 2)},
    "sliding_window_attention": {"t": (3,), "r": (3,)},
    "mixture_of_experts": {"k": (2, 3)},
    "reshape": {"j": (2, 4)},
    "glu": {"j": (2, 4)},
    "ctc": {"t": (3, 4), "k": (3,), "u": (1, 2)},
    **{name: {"i": (2, 4)} for name, row in ROWS.items() if "heads" in row.settings},
}
SETTINGS: Mapping[str, tuple[Number, ...]] = {
    "stride": (1, 2),
    "padding": (0, 1),
    "dilation": (1, 2),
    "groups": (2, 1),
    "heads": (2, 1),
    "window": (2, 3),
    "bins": (2, 1),
    "factor": (2, 1),
    "top": (2, 1),
    "rounds": (3, 2),
    "rows": (2, 1),
    "keep": (Fraction(1, 2), Fraction(4, 5)),
    "slope": (Fraction(1, 100), Fraction(1, 5)),
    "delta": (1, Fraction(1, 2)),
    "margin": (1, Fraction(1, 5)),
    "level": (Fraction(9, 10), Fraction(1, 4)),
    "gamma": (2, 3),
    "smooth": (1, 2),
    "temperature": (1, Fraction(1, 2)),
}
PICKS = {"token": "v", "label": "o"}  # the letter of the axis that a whole number picks from
PICKS_OF = {"ctc": "k", "crf": "k"}
FIRST = {"ctc": 1}  # its class 0 is the blank
POSITIVE: Mapping[str, tuple[str, ...]] = {
    "batch_norm_inference": ("var0",),
    "binary_cross_entropy": ("y", "t"),
    "categorical_cross_entropy": ("y",),
    "label_cross_entropy": ("y",),
    "label_smoothing_cross_entropy": ("y",),
    "kl_divergence": ("y", "t"),
    "gaussian": ("var",),
    "noised": ("share",),
    "mixture_density": ("var",),
    "focal": ("y", "t"),
    "dice": ("y", "t"),
    "iou": ("y", "t"),
    "tversky": ("y", "t"),
    "negative_binomial": ("t", "r"),
}
DEFINITE = ("cholesky",)  # rows of a matrix whose pivots must be above 0
WIDE = {"hard_sigmoid": 5, "hard_tanh": 2, "hinge": 2, "squared_hinge": 2, "triplet": 2}

FLOATS = Algebra(
    float,
    {
        "exp": math.exp,
        "log": math.log,
        "tanh": math.tanh,
        "sin": math.sin,
        "cos": math.cos,
        "erf": math.erf,
        "logistic": lambda x: 1 / (1 + math.exp(-x)),
        "softplus": lambda x: math.log1p(math.exp(x)),
        "max": lambda a, b: b if b > a else a,
        "min": lambda a, b: b if b < a else a,
        "abs": abs,
        "floor": math.floor,
        "lgamma": math.lgamma,
        "digamma": lambda x: float(mp.digamma(x)),
        "polygamma": lambda n, x: float(mp.polygamma(int(n), x)),
        "sign": lambda x: float((x > 0) - (x < 0)),
        "stop_gradient": lambda x: x,
        "greater": lambda a, b: float(a > b),
        "at_least": lambda a, b: float(a >= b),
        "where": lambda c, a, b: a if c == 1 else b,
    },
)


@dataclass(frozen=True)
class Use:
    """One use of a row; `wired` tells whether what is optional is wired to a quantity.

    `numbers` stand for operands.
    """

    row: Layer
    sizes: Mapping[str, int]
    extra: tuple[int, ...]
    settings: Mapping[str, Number]
    wired: bool
    seed: int
    numbers: Mapping[str, Fraction] = field(default_factory=dict)

    def __repr__(self) -> str:
        settings = {name: str(value) for name, value in self.settings.items()}
        words = f"{dict(self.sizes)}, {self.extra}, {settings}, {self.wired}, {self.seed}"
        return f"Use({self.row.name}: {words})"

    @cached_property
    def wires(self) -> Mapping[str, Quantity]:
        """The quantities for the inputs, and for what is optional if that is wired."""
        sizes = dict(self.sizes)
        for letter, formula in self.row.sizes.items():
            if (same := re.fullmatch(r"size\((\w+)\)", formula)) and same[1] in sizes:
                sizes[letter] = sizes[same[1]]
        axes = {letter: Axis(letter, sympy.Integer(size)) for letter, size in sizes.items()}
        more = tuple(Axis(f"more{k}", sympy.Integer(size)) for k, size in enumerate(self.extra))
        made = {}
        for operand in operands(self.row):
            is_input = operand.name in {signature(text).name for text in self.row.inputs}
            if is_input or (self.wired and operand.name in self.row.optional):
                own = [axes[letter] for letter in operand.letters]
                if operand.open is not None:
                    own[operand.open : operand.open] = more
                role = Role.INPUT if is_input else Role.CONSTANT
                whole = operand.name in self.row.integers
                made[operand.name] = Quantity(
                    operand.name, operand.name, tuple(own), role, integer=whole
                )
        return made

    @cached_property
    def instance(self) -> Instance:
        wires = {**self.wires, **self.numbers}
        return instantiate(self.row, NAME, wires, self.settings, self.sizes)

    @cached_property
    def graph(self) -> Graph:
        """The row, its output weighed by given numbers and added up."""
        made = self.instance
        output = next(e for e in made.equations if e.quantity.name == made.output.name)
        weights = Quantity(WEIGHTS, WEIGHTS, made.output.axes, Role.CONSTANT, Kind.DATA)
        letters = output.indices
        seen = Element(WEIGHTS, *letters) * Element(made.output.name, *letters)
        loss = Quantity(LOSS, "E", (), Role.LOSS, Kind.ERROR)
        given = (*self.wires.values(), *made.given, weights)
        return Graph(given, (*made.equations, Equation(loss, (), total(seen, letters))))

    @cached_property
    def real(self) -> tuple[Quantity, ...]:
        """What can be differentiated by: everything given that is no whole number."""
        return tuple(q for q in self.graph.given if not q.integer and q.name != WEIGHTS)

    @cached_property
    def derivation(self) -> Derivation:
        return differentiate(self.graph, [quantity.name for quantity in self.real])

    @cached_property
    def values(self) -> Mapping[tuple[str, tuple[int, ...]], Fraction]:
        """Seeded values: no two of a quantity alike, none zero."""
        source = random.Random(self.seed)
        found: dict[tuple[str, tuple[int, ...]], Fraction] = {}
        for quantity in self.graph.given:
            name = self.local(quantity)
            at = list(places(quantity))
            if quantity.integer:
                most = self.sizes[PICKS_OF.get(self.row.name, PICKS[name])]
                first = FIRST.get(self.row.name, 0)
                drawn = [Fraction(source.randrange(first, most)) for _ in at]
            elif name in POSITIVE.get(self.row.name, ()):
                drawn = [Fraction(n, 1013) for n in source.sample(range(50, 960), len(at))]
            else:
                numbers = source.sample([*range(-900, 0), *range(1, 901)], len(at))
                drawn = [Fraction(n * WIDE.get(self.row.name, 1), 1013) for n in numbers]
            if self.row.name in DEFINITE and quantity.role is Role.INPUT:
                drawn = [v + 2 * (p[-1] == p[-2]) for p, v in zip(at, drawn, strict=True)]
            found |= {(quantity.name, place): v for place, v in zip(at, drawn, strict=True)}
        return found

    def floats(self) -> Values:
        return {key: float(value) for key, value in self.values.items()}

    def local(self, quantity: Quantity) -> str:
        """The row's own name of a quantity."""
        return quantity.name.removeprefix(f"{NAME}_")

    def nested(self, quantity: Quantity, values: Mapping[Any, Any] | None = None) -> Any:
        """The values of a quantity as nested lists."""
        table = self.values if values is None else values

        def rows(place: tuple[int, ...]) -> Any:
            if len(place) == len(quantity.shape):
                number = table[quantity.name, place]
                return int(number) if quantity.integer else float(number)
            return [rows((*place, k)) for k in range(quantity.shape[len(place)])]

        return rows(())


def operands(row: Layer) -> list[Signature]:
    return [signature(text) for text in row.operands]


def places(quantity: Quantity) -> Iterator[tuple[int, ...]]:
    yield from product(*map(range, quantity.shape))


def letters_of(row: Layer) -> list[str]:
    """The letters whose sizes a use must tell."""
    found = dict.fromkeys(letter for operand in operands(row) for letter in operand.letters)
    return [letter for letter in found if letter not in row.sizes]


def _choices(row: Layer) -> dict[str, dict[str, tuple[Any, ...]]]:
    """What may be drawn for each letter, for each setting, and for the rest."""
    known = {**SIZES_OF.get(row.group, {}), **SIZES_OF.get(row.name, {})}
    is_open = any(operand.open is not None for operand in operands(row))
    extra = EXTRA_OF.get(row.name, EXTRA) if is_open else ((),)
    return {
        "sizes": {letter: known.get(letter, SIZES) for letter in letters_of(row)},
        "settings": {name: SETTINGS.get(name, (value,)) for name, value in row.settings.items()},
        "rest": {"extra": extra, "wired": (False, True) if row.optional else (False,)},
    }


def uses(row: Layer) -> st.SearchStrategy[Use]:
    """Any use of a row."""
    parts = {
        part: st.fixed_dictionaries({k: st.sampled_from(v) for k, v in table.items()})
        for part, table in _choices(row).items()
    }
    return st.builds(
        lambda sizes, settings, rest, seed: Use(
            row, sizes, rest["extra"], settings, rest["wired"], seed
        ),
        **parts,
        seed=st.integers(0, 9999),
    )


def fixed_use(row: Layer, number: int) -> Use:
    """The same use on every machine, drawn from the same tables."""
    source = random.Random(f"{row.name} {number}")
    drawn = {
        part: {key: source.choice(options) for key, options in table.items()}
        for part, table in _choices(row).items()
    }
    extra, wired = drawn["rest"]["extra"], drawn["rest"]["wired"]
    return Use(row, drawn["sizes"], extra, drawn["settings"], wired, number)


def as_arrays(graph: Graph, given: Mapping[str, Any], xp: Any, functions: Any) -> dict[str, Any]:
    """Every quantity of a graph as an array of `xp` (NumPy's interface), letter by letter.

    A meaning of its own, for libraries that differentiate arrays: it shares no code with the
    interpreter of the package, which goes entry by entry.
    """
    values = dict(given)
    shapes = {quantity.name: quantity.shape for quantity in graph.quantities.values()}
    meaning = _Arrays(values, shapes, xp, functions)
    for block in graph.blocks:
        if not block.step:
            equation = block.equations[0]
            values[equation.quantity.name] = meaning.table(equation, {})
        else:
            meaning.walk(block)
    return values


@dataclass(frozen=True)
class _Arrays:
    """Expressions as arrays with one axis for each index in scope, outermost first.

    Positions are NumPy's own, so that a library that traces `xp` sees them as constants.
    """

    values: dict[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    xp: Any
    functions: Mapping[str, Any]

    def table(self, equation: Equation, fixed: Mapping[Index, int]) -> Any:
        """The values of an equation for all of its indices that are not fixed."""
        free = [index for index in equation.indices if index not in fixed]
        shape = tuple(index.axis.length for index in free)
        scope: dict[Index, Any] = {k: np.asarray(n) for k, n in fixed.items()}
        for k, index in enumerate(free):
            after = [1] * (len(free) - 1 - k)
            scope[index] = np.arange(shape[k]).reshape(-1, *after)
        return self.xp.broadcast_to(self.read(equation.rhs, scope, shape), shape)

    def walk(self, block: Block) -> None:
        """A recurrence, one step at a time; what is not there yet is zero and is not read."""
        for equation in block.equations:
            name = equation.quantity.name
            self.values[name] = self.xp.zeros(self.shapes[name])
        pairs = zip(block.walks, block.walked(0), strict=True)
        orders = [range(index.axis.length)[:: walk.step] for walk, index in pairs]
        for steps in product(*orders):
            for k, equation in enumerate(block.equations):
                name = equation.quantity.name
                fixed = dict(zip(block.walked(k), steps, strict=True))
                part = self.table(equation, fixed)
                where = tuple(fixed.get(index, slice(None)) for index in equation.indices)
                self.values[name] = self.values[name].at[where].set(part)

    def read(self, expr: sympy.Expr, scope: Mapping[Index, Any], shape: tuple[int, ...]) -> Any:
        def again(node: sympy.Expr) -> Any:
            return self.read(node, scope, shape)

        match expr:
            case Element():
                return self.element(expr, scope)
            case Index():
                return np.asarray(scope[expr], dtype=float)
            case Total():
                return self.below(expr.body, (expr.index,), scope, shape).sum(-1)
            case LogTotalExp():
                body = self.below(expr.body, (expr.index,), scope, shape)
                return self.xp.log(self.xp.exp(body).sum(-1))
            case Largest():
                body = self.below(expr.body, expr.bound, scope, shape)
                return body.max(tuple(range(-len(expr.bound), 0)))
            case Delta():
                left, right = (self.position(side, scope) for side in expr.args)
                return np.asarray(left == right, dtype=float)
            case Inside():
                place, size = (self.position(side, scope) for side in expr.args)
                return np.asarray((place >= 0) & (place < size), dtype=float)
            case sympy.Add():
                return sum(map(again, expr.args))
            case sympy.Mul():
                return math.prod(map(again, expr.args))
            case sympy.Pow() if expr.exp.is_Integer:
                return again(expr.base) ** int(expr.exp)
            case sympy.Pow() if abs(expr.exp) == sympy.Rational(1, 2):
                return self.xp.sqrt(again(expr.base)) ** int(2 * expr.exp)
        if expr.is_number:
            return float(expr)
        return self.functions[BY_SYMBOL[expr.func].name](*map(again, expr.args))

    def below(
        self,
        body: sympy.Expr,
        bound: tuple[Index, ...],
        scope: Mapping[Index, Any],
        shape: tuple[int, ...],
    ) -> Any:
        """The body of a reduction, with new axes at the end for the indices that it binds."""
        ones = (1,) * len(bound)
        inner = {index: a.reshape(*a.shape, *ones) for index, a in scope.items()}
        for k, index in enumerate(bound):
            inner[index] = np.arange(index.axis.length).reshape(-1, *ones[k + 1 :])
        whole = (*shape, *(index.axis.length for index in bound))
        return self.xp.broadcast_to(self.read(body, inner, whole), whole)

    def position(self, expr: sympy.Expr, scope: Mapping[Index, Any]) -> Any:
        match expr:
            case Index():
                return scope[expr]
            case sympy.Integer():
                return np.asarray(int(expr))
            case sympy.Add():
                return sum(self.position(argument, scope) for argument in expr.args)
            case sympy.Mul():
                return math.prod(self.position(argument, scope) for argument in expr.args)
            case Element():
                return self.element(expr, scope)
            case Quotient():
                return self.position(expr.position, scope) // expr.divisor
            case Remainder():
                return self.position(expr.position, scope) % expr.divisor
        raise ValueError(f"the index {expr} is not whole")

    def element(self, expr: Element, scope: Mapping[Index, Any]) -> Any:
        """The entries that an element reads; zero beyond the range."""
        places = [self.position(position, scope) for position in expr.indices]
        if not places:
            return self.values[expr.name]
        shape = self.shapes[expr.name]
        pairs = list(zip(places, shape, strict=True))
        inside = math.prod((at >= 0) & (at < size) for at, size in pairs)
        found = self.values[expr.name][tuple(np.clip(at, 0, size - 1) for at, size in pairs)]
        return found if np.all(inside) else found * inside
