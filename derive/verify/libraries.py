"""Route 7: the gradients of PyTorch and of JAX, where they are installed.

A graph is given to a library equation by equation, as tensors. A recurrence goes entry by entry,
and so does a graph whose tensors hold what is not finite: they also compute what a condition
excludes.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mpmath import mp

from derive.functions import ROWS
from derive.graph import Graph, Quantity
from derive.verify.algebra import Algebra, working
from derive.verify.bench import Bench
from derive.verify.doubles import within
from derive.verify.interpreter import run
from derive.verify.meaning import Key, Values
from derive.verify.report import Comparison, Route, entry, judged, skipped
from derive.verify.routes import (
    DOUBLE_TOLERANCE,
    NO_GIVEN,
    compared,
    gradient_keys,
    of_hidden_alone,
)
from derive.verify.tensors import Library, Unsupported, loss_of

Gradient = Callable[[Graph, Values, list[Key]], dict[Key, float]]


def by_library(name: str, *gradients: Gradient) -> Callable[..., Route]:
    """The route of a library, by the first of its ways that a graph allows.

    It is taken at the last of some points at which the library's doubles do not overflow.
    """

    def route(*benches: Bench) -> Route:
        try:
            importlib.import_module(name)
        except ImportError:
            return skipped(name, "not installed")
        derivation = benches[-1].derivation
        if of_hidden_alone(derivation):
            return skipped(name, NO_GIVEN)
        keys = gradient_keys(derivation)
        for bench in reversed(benches):
            by = _first(gradients, bench, keys)
            if all(map(math.isfinite, by.values())):
                break
        else:
            return skipped(name, "its doubles overflow at these values")

        def comparisons() -> Iterator[Comparison]:
            with working():
                for key in keys:
                    floor = within(bench.doubt(key), DOUBLE_TOLERANCE)
                    found, expected = bench.adjoint(key), mp.mpf(by[key])
                    yield compared(f"∂E/∂{entry(*key)}", found, expected, floor)

        return judged(name, comparisons(), DOUBLE_TOLERANCE)

    return route


def _first(gradients: tuple[Gradient, ...], bench: Bench, keys: list[Key]) -> dict[Key, float]:
    *fast, last = gradients
    for gradient in fast:
        try:
            found = gradient(bench.graph, bench.given, keys)
        except Unsupported:
            continue
        if all(map(math.isfinite, found.values())):
            return found
    return last(bench.graph, bench.given, keys)


def _functions(
    number: Callable[[float], Any], functions: dict[str, Callable[..., Any]]
) -> dict[str, Callable[..., Any]]:
    """The functions of the language, from those that a library has.

    What would lose its digits far from 0, as log(1 + exp(x)), is the library's own.
    """
    where = functions["where"]
    return functions | {
        "softplus": lambda x: functions["logaddexp"](x, number(0.0)),
        "abs": lambda x: where(x > 0, x, where(x < 0, -x, number(0.0))),  # the slope at 0 is 0
        "max": lambda a, b: where(b > a, b, a),
        "min": lambda a, b: where(b < a, b, a),
        "greater": lambda a, b: where(a > b, number(1.0), number(0.0)),
        "at_least": lambda a, b: where(a >= b, number(1.0), number(0.0)),
        "where": lambda c, a, b: where(c == 1, a, b),
    }


def _algebra(library: Library) -> Algebra:
    nothing = library.number(0.0)

    def power(base: Any, exponent: Any) -> Any:
        """A power; a root has the slope 0 at 0."""
        return nothing if base == 0 and 0 < exponent < 1 else base**exponent

    return Algebra(
        lambda value: library.number(float(value)),
        library.functions,
        decided=lambda indicator: bool(indicator == 1),
        power=power,
        divisor=library.divisor,
    )


def _table(quantity: Quantity, given: Values, place: tuple[int, ...] = ()) -> Any:
    """The values of a quantity as nested lists, whole numbers as such."""
    if len(place) < len(quantity.shape):
        steps = range(quantity.shape[len(place)])
        return [_table(quantity, given, (*place, k)) for k in steps]
    number = given[quantity.name, place]
    return int(number) if quantity.integer else float(number)


def _entries(found: Mapping[str, Any], keys: list[Key]) -> dict[Key, float]:
    """The entries of nested lists."""
    entries = {}
    for name, place in keys:
        entry = found[name]
        for k in place:
            entry = entry[k]
        entries[name, place] = float(entry)
    return entries


# --- PyTorch ---------------------------------------------------------------------------------


def _torch() -> Library:
    torch = importlib.import_module("torch")

    def number(value: Any) -> Any:
        return torch.tensor(value, dtype=torch.float64)

    names = {row.name: row.torch for row in ROWS if row.torch} | {"sign": "sign", "where": "where"}
    functions = {name: getattr(torch, own) for name, own in names.items()}
    functions |= {"logistic": torch.sigmoid, "logaddexp": torch.logaddexp}
    functions["stop_gradient"] = lambda x: x.detach()
    functions["polygamma"] = lambda n, x: torch.polygamma(int(n), x)
    return Library(torch, torch, number, _functions(number, functions))


def torch_tensors(graph: Graph, given: Values, keys: list[Key]) -> dict[Key, float]:
    """Gradients by PyTorch in double precision. Raises Unsupported."""
    library = _torch()
    tables = {
        quantity.name: library.arrays.tensor(_table(quantity, given))
        if quantity.integer
        else library.number(_table(quantity, given)).requires_grad_()
        for quantity in graph.given
    }
    _backward(loss_of(graph, tables, library))
    slopes = {name: tables[name].grad for name in dict.fromkeys(name for name, _ in keys)}
    unread = {name: library.arrays.zeros_like(tables[name]) for name in slopes}
    return _entries({n: (unread[n] if s is None else s).tolist() for n, s in slopes.items()}, keys)


def _backward(loss: Any) -> None:
    """Find the gradients of a loss; they are zero where the branches taken read nothing."""
    if loss.requires_grad:
        loss.backward()


def torch_scalars(graph: Graph, given: Values, keys: list[Key]) -> dict[Key, float]:
    """The same, entry by entry."""
    library = _torch()
    whole = {quantity.name for quantity in graph.given if quantity.integer}
    leaves = {
        key: library.number(float(v)).requires_grad_(key[0] not in whole)
        for key, v in given.items()
    }
    _backward(run(graph, dict(leaves), _algebra(library))[graph.loss.name, ()])
    return {key: 0.0 if (g := leaves[key].grad) is None else float(g) for key in keys}


# --- JAX -------------------------------------------------------------------------------------


def _jax() -> Library:
    jax = importlib.import_module("jax")
    jnp = importlib.import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)

    def number(value: Any) -> Any:
        return jnp.asarray(value, dtype=jnp.float64)

    names = {row.name: row.numpy for row in ROWS if row.numpy} | {"sign": "sign"}
    functions = {name: getattr(jnp, own) for name, own in names.items()}
    special = importlib.import_module("jax.scipy.special")
    functions |= {"erf": special.erf, "where": jnp.where, "lgamma": special.gammaln}
    functions |= {"digamma": special.digamma, "polygamma": special.polygamma}
    functions |= {"logistic": jax.nn.sigmoid, "logaddexp": jnp.logaddexp}
    functions["stop_gradient"] = jax.lax.stop_gradient
    whole = importlib.import_module("numpy")
    return Library(jnp, whole, number, _functions(number, functions))


def jax_tensors(graph: Graph, given: Values, keys: list[Key]) -> dict[Key, float]:
    """Gradients by JAX in double precision. Raises Unsupported."""
    jax, library = importlib.import_module("jax"), _jax()
    tables = {
        quantity.name: library.whole.asarray(_table(quantity, given))
        if quantity.integer
        else library.number(_table(quantity, given))
        for quantity in graph.given
    }
    moving = {name: tables[name] for name in dict.fromkeys(name for name, _ in keys)}

    def loss(moved: dict[str, Any]) -> Any:
        return loss_of(graph, {**tables, **moved}, library)

    # It runs once, so what counts is how fast it is compiled.
    options = {"xla_backend_optimization_level": 0}
    gradient = jax.jit(jax.grad(loss)).lower(moving).compile(compiler_options=options)
    return _entries({name: slope.tolist() for name, slope in gradient(moving).items()}, keys)


def jax_scalars(graph: Graph, given: Values, keys: list[Key]) -> dict[Key, float]:
    """The same, entry by entry."""
    jax, library = importlib.import_module("jax"), _jax()
    fixed = {key: library.number(float(v)) for key, v in given.items()}

    def loss(moving: list[Any]) -> Any:
        values = {**fixed, **dict(zip(keys, moving, strict=True))}
        return run(graph, values, _algebra(library))[graph.loss.name, ()]

    found = jax.grad(loss)([fixed[key] for key in keys])
    return {key: float(g) for key, g in zip(keys, found, strict=True)}


LIBRARIES = (
    by_library("torch", torch_tensors, torch_scalars),
    by_library("jax", jax_tensors, jax_scalars),
)
