"""The routes that judge a derivation itself: SymPy, differences, steps, other autodiff systems.

None of them uses the calculus: all they take from the program is the forward graph and what is to
be judged.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from mpmath import mp

from derive.functions import ROWS
from derive.graph import (
    Derivation,
    Equation,
    Graph,
    GraphError,
    Quantity,
    Role,
    adjoint_name,
    check,
)
from derive.verify.algebra import DIGITS, EXACT, Algebra, exact_function, slope
from derive.verify.interpreter import Key, Values, element_slope, run, value
from derive.verify.report import Comparison, Route, Status, judged, skipped

EXACT_TOLERANCE = 1e-16  # a central difference is good to 1e-24 and, across a bend, to its step
DOUBLE_TOLERANCE = 1e-9
DOUBLE_FLOOR = "1e-4"  # terms of size 1 that add up to zero leave about 1e-15
MOST_SYMPY = 8


def relative(found: Any, expected: Any, floor: str = "1e-6") -> float:
    """The distance of two values over their size; absolute below the floor, so zeros compare."""
    try:
        distance = abs(found - expected)
        size = max(abs(expected), mp.mpf(floor))
        result = float(distance / size)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return result if math.isfinite(result) else math.nan


def well_formed(derivation: Derivation, wanted: Iterable[str] | None = None) -> Route:
    """Route 1: both graphs pass the static check, and nothing `wanted` is missing.

    All parameters are wanted if nothing is said.
    """
    try:
        check(derivation.forward)
        check(derivation.backward)
    except GraphError as error:
        return Route("graph check", Status.DISAGREES, 0, math.nan, str(error))
    count = len(derivation.forward.equations) + len(derivation.backward.equations)
    parameters = [q.name for q in derivation.forward.of_role(Role.PARAMETER)]
    fault = _incomplete(derivation, parameters if wanted is None else wanted)
    if fault:
        return Route("graph check", Status.DISAGREES, count, math.nan, fault)
    return Route("graph check", Status.AGREES, count, 0.0)


def _incomplete(derivation: Derivation, wanted: Iterable[str]) -> str:
    """What a derivation lacks, in words."""
    if not derivation.backward.equations or not derivation.steps or not derivation.locals:
        return "the derivation is empty"
    found = derivation.backward.quantities
    for name in wanted:
        if adjoint_name(name) not in found:
            return f"the derivative by '{name}' is missing"
    for name in derivation.forward.quantities:
        told = any(step.quantity == name for step in derivation.steps)
        if adjoint_name(name) in found and not told:
            return f"no step leads to the derivative by '{name}'"
    return ""


def adjoints(derivation: Derivation, given: Values) -> Values:
    """What the derivation says: the backward graph at the given values."""
    with mp.workdps(DIGITS):
        return run(derivation.backward, run(derivation.forward, given))


def by_difference(graph: Graph, given: Values, key: Key) -> Any:
    """∂E/∂key as a central difference; a hidden element is moved after it is computed."""
    return slope(lambda shift: run(graph, given, moved={key: shift})[graph.loss.name, ()])


def differences(derivation: Derivation, given: Values) -> Iterator[Comparison]:
    """Route 3: every adjoint against a central difference with 50 digits."""
    found = adjoints(derivation, given)
    with mp.workdps(DIGITS):
        for quantity in derivation.forward.quantities.values():
            if adjoint_name(quantity.name) in derivation.backward.quantities:
                for key in _places(quantity):
                    expected = by_difference(derivation.forward, given, key)
                    adjoint = found[adjoint_name(key[0]), key[1]]
                    yield Comparison(f"∂E/∂{key}", relative(adjoint, expected))


def local_slopes(derivation: Derivation, given: Values) -> Iterator[Comparison]:
    """Route 3, too: every local derivative against a difference of the equation it belongs to."""
    with mp.workdps(DIGITS):
        values = run(derivation.forward, given)
        for local in derivation.locals:
            equation = derivation.forward.equation(local.of)
            own = len(local.indices)
            free = (*local.indices, *local.at)
            for place in product(*[range(index.axis.length) for index in free]):
                found = value(local.value, values, dict(zip(free, place, strict=True)), EXACT)
                binding = dict(zip(equation.indices, place[:own], strict=True))
                by = (local.by, place[own:])
                expected = element_slope(equation.rhs, values, binding, by)
                what = f"∂{local.of}{list(place[:own])}/∂{by}"
                yield Comparison(what, relative(found, expected))


def gradient_keys(derivation: Derivation) -> list[Key]:
    """Every element of everything given that was differentiated by."""
    return [
        key
        for quantity in derivation.forward.given
        if adjoint_name(quantity.name) in derivation.backward.quantities
        for key in _places(quantity)
    ]


def _places(quantity: Quantity) -> Iterator[Key]:
    for place in product(*map(range, quantity.shape)):
        yield quantity.name, place


class Above(sympy.Function):
    """1 if the first argument exceeds the second, else 0."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class Larger(sympy.Function):
    """The larger of two values, the first at a tie; SymPy's own gives a kink the slope 1/2."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        second = Above(self.args[1], self.args[0])
        return 1 - second if argindex == 1 else second


def _either(test: sympy.Expr, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    """A choice by a test that is 1 or 0; one without symbols, which SymPy refuses, is decided."""
    if test.free_symbols:
        return sympy.Piecewise((yes, sympy.Eq(test, 1)), (no, True))
    with mp.workdps(DIGITS):
        return yes if exact_function([], test, KINKS)() == 1 else no


KINKS = {"Above": lambda a, b: mp.mpf(a > b), "Larger": lambda a, b: b if b > a else a}

SYMBOLIC = Algebra(
    lambda number: sympy.Rational(number.numerator, number.denominator),
    {
        **{row.name: row.definition or row.symbol for row in ROWS},
        "max": Larger,
        "min": lambda a, b: -Larger(-a, -b),
        "abs": sympy.Abs,
        "sign": sympy.sign,
        "greater": Above,
        "at_least": lambda a, b: 1 - Above(b, a),
        "where": _either,
    },
)


def by_sympy(derivation: Derivation, points: Iterable[Values]) -> Iterator[Comparison]:
    """Route 2: the loss as one expanded formula, differentiated whole by SymPy."""
    graph = derivation.forward
    points = list(points)
    symbols = {
        (quantity.name, place): sympy.Symbol("_".join(map(str, (quantity.name, *place))), real=True)
        for quantity in graph.given
        if not quantity.integer
        for _, place in _places(quantity)
    }
    whole = {key: v for key, v in points[0].items() if graph.quantities[key[0]].integer}
    loss = run(graph, {**symbols, **whole}, SYMBOLIC)[graph.loss.name, ()]
    keys = gradient_keys(derivation)
    keys = keys[:: max(1, math.ceil(len(keys) / MOST_SYMPY))]
    slopes = exact_function(
        list(symbols.values()), [sympy.diff(loss, symbols[key]) for key in keys], KINKS
    )
    for given in points:
        found = adjoints(derivation, given)
        with mp.workdps(DIGITS):
            expected = slopes(*[given[key] for key in symbols])
            for key, slope_ in zip(keys, expected, strict=True):
                adjoint = found[adjoint_name(key[0]), key[1]]
                yield Comparison(f"∂E/∂{key}", relative(adjoint, slope_))


def steps(derivation: Derivation, given: Values) -> Iterator[Comparison]:
    """Route 4: both sides of every step, for all values of its free indices."""
    values = adjoints(derivation, given)
    with mp.workdps(DIGITS):
        for step in derivation.steps:
            for place in product(*[range(index.axis.length) for index in step.indices]):
                binding = dict(zip(step.indices, place, strict=True))
                before = value(step.before, values, binding, EXACT)
                after = value(step.after, values, binding, EXACT)
                yield Comparison(
                    f"{step.rule} of {step.quantity}{list(place)}", relative(after, before)
                )
        for equation in derivation.backward.equations:
            yield from arrivals(derivation, equation, values)


def arrivals(derivation: Derivation, equation: Equation, values: Values) -> Iterator[Comparison]:
    """The last step of a quantity against the equation it arrives at."""
    last = [s for s in derivation.steps if adjoint_name(s.quantity) == equation.quantity.name][-1:]
    for step in last:
        for place in product(*map(range, equation.quantity.shape)):
            binding = dict(zip(step.indices, place, strict=True))
            found = values[equation.quantity.name, place]
            error = relative(found, value(step.after, values, binding, EXACT))
            yield Comparison(f"last step of {step.quantity}{list(place)}", error)


def by_library(
    name: str, gradient: Callable[[Graph, Values, list[Key]], dict[Key, float]]
) -> Callable[[Derivation, Values], Route]:
    """Route 7: an autodiff library on the interpreted forward graph, if it is installed."""

    def route(derivation: Derivation, given: Values) -> Route:
        try:
            importlib.import_module(name)
        except ImportError:
            return skipped(name, "not installed")
        keys = gradient_keys(derivation)
        expected = gradient(derivation.forward, given, keys)
        found = adjoints(derivation, given)
        comparisons = [
            Comparison(
                f"∂E/∂{key}",
                relative(found[adjoint_name(key[0]), key[1]], expected[key], DOUBLE_FLOOR),
            )
            for key in keys
        ]
        return judged(name, comparisons, DOUBLE_TOLERANCE)

    return route


def _scalars(number: Callable[[float], Any], functions: dict[str, Callable[..., Any]]) -> Algebra:
    def constant(value: Fraction) -> Any:
        return number(float(value))

    where = functions["where"]
    defined: dict[str, Callable[..., Any]] = {
        "logistic": lambda x: 1 / (1 + functions["exp"](-x)),
        "softplus": lambda x: functions["log"](1 + functions["exp"](x)),
        "abs": lambda x: where(x > 0, x, where(x < 0, -x, number(0.0))),  # the slope at 0 is 0
        "max": lambda a, b: where(b > a, b, a),
        "min": lambda a, b: where(b < a, b, a),
        "greater": lambda a, b: where(a > b, number(1.0), number(0.0)),
        "at_least": lambda a, b: where(a >= b, number(1.0), number(0.0)),
        "where": lambda c, a, b: where(c == 1, a, b),
    }
    return Algebra(constant, {**functions, **defined})


def torch_gradient(graph: Graph, given: Values, keys: list[Key]) -> dict[Key, float]:
    """Gradients by PyTorch in double precision."""
    torch = importlib.import_module("torch")

    def number(value: float) -> Any:
        return torch.tensor(value, dtype=torch.float64)

    algebra = _scalars(
        number,
        {
            "exp": torch.exp,
            "log": torch.log,
            "tanh": torch.tanh,
            "sin": torch.sin,
            "cos": torch.cos,
            "erf": torch.erf,
            "sign": torch.sign,
            "where": torch.where,
        },
    )
    whole = {q.name for q in graph.given if q.integer}
    leaves = {key: number(float(v)).requires_grad_(key[0] not in whole) for key, v in given.items()}
    run(graph, dict(leaves), algebra)[graph.loss.name, ()].backward()
    return {key: 0.0 if (g := leaves[key].grad) is None else float(g) for key in keys}


def jax_gradient(graph: Graph, given: Values, keys: list[Key]) -> dict[Key, float]:
    """Gradients by JAX in double precision."""
    jax = importlib.import_module("jax")
    jnp = importlib.import_module("jax.numpy")
    scipy = importlib.import_module("jax.scipy.special")
    jax.config.update("jax_enable_x64", True)
    algebra = _scalars(
        jnp.float64,
        {
            "exp": jnp.exp,
            "log": jnp.log,
            "tanh": jnp.tanh,
            "sin": jnp.sin,
            "cos": jnp.cos,
            "erf": scipy.erf,
            "sign": jnp.sign,
            "where": jnp.where,
        },
    )
    fixed = {key: jnp.float64(float(v)) for key, v in given.items()}

    def loss(moving: list[Any]) -> Any:
        return run(graph, {**fixed, **dict(zip(keys, moving, strict=True))}, algebra)[
            graph.loss.name, ()
        ]

    found = jax.grad(loss)([fixed[key] for key in keys])
    return {key: float(g) for key, g in zip(keys, found, strict=True)}


LIBRARIES = (by_library("torch", torch_gradient), by_library("jax", jax_gradient))
