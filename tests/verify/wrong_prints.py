"""Seeded wrong prints: numbers of a spec as somebody would print them who made one known mistake.

The mistakes are made here by means of their own: by a chain rule over single entries whose slopes
are differences, by another spec, or on the values themselves. Nothing of the search is used.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

from mpmath import mp

import derive
from derive.backprop import differentiate
from derive.expression import Index
from derive.graph import Derivation, Graph, Role, adjoint_name
from derive.problem import Problem, Published
from derive.render.blocks import Page
from derive.scaffold import scaffold
from derive.spec import builtin_names
from derive.verify.algebra import working
from derive.verify.interpreter import Program, element_slope
from derive.verify.meaning import Key, Values
from derive.verify.model_numbers import model_rows
from derive.verify.report import NumberRow
from derive.verify.sampling import spec_values
from derive.verify.trajectory import Trajectory
from tests.verify_support import problem as problem_of

Fault = Callable[[Key, Key, Any, Values], Any]
Table = dict[str, Any]  # by the name of each number, what is printed for it


@dataclass(frozen=True, eq=False)
class Base:
    """A spec with its numbers, and what they are."""

    name: str
    problem: Problem
    derivation: Derivation
    given: Values

    @property
    def graph(self) -> Graph:
        return self.derivation.forward

    def trajectory(self) -> Trajectory:
        return Trajectory(self.problem, self.derivation, self.given)


@cache
def base(name: str) -> Base | None:
    """A built-in spec or a row of the library; None if it has no numbers."""
    if name in builtin_names():
        return based(derive.load(name))
    return based(problem_of(scaffold(name, False), name))


def based(problem: Problem) -> Base | None:
    """A problem with its numbers, if it is a model that has them."""
    given = spec_values(problem) if problem.is_model else None
    if given is None:
        return None
    return Base(problem.name, problem, differentiate(problem.graph, problem.wanted), given)


# --- numbers ----------------------------------------------------------------------------------


def label(name: str, place: tuple[int, ...], loss: str) -> str:
    """An entry as a spec names it."""
    entry = f"[{','.join(map(str, place))}]" if place else ""
    plain = name.removeprefix(adjoint_name(""))
    return f"{name}{entry}" if plain == name else f"d{loss}/d{plain}{entry}"


def chained(graph: Graph, values: Values, fault: Fault) -> Values:
    """All derivatives of the loss by the chain rule, entry by entry, with a fault in its slopes."""
    with working():
        readers = Program(graph).readers(values)
        found: Values = {(graph.loss.name, ()): mp.one}

        def slope(reader: Key, key: Key) -> Any:
            equation = graph.equation(reader[0])
            binding: Mapping[Index, int] = dict(zip(equation.indices, reader[1], strict=True))
            return element_slope(equation.rhs, values, binding, key)

        def adjoint(key: Key) -> Any:
            if key not in found:
                found[key] = mp.fsum(
                    adjoint(reader) * fault(reader, key, slope(reader, key), values)
                    for reader in readers.get(key, ())
                    if graph.quantities[key[0]].integer is False
                )
            return found[key]

        return {(adjoint_name(key[0]), key[1]): adjoint(key) for key in values}


def numbers(base: Base, adjoints: Values | None = None, updated: bool = True) -> Table:
    """Values, gradients and updated parameters by name; updates from the gradients given."""
    trajectory, loss = base.trajectory(), base.graph.loss.name
    values = trajectory.at(0)
    known = {q.name for q in base.graph.quantities.values() if not q.integer}
    found = {label(n, p, loss): v for (n, p), v in values.items() if n in known}
    wanted = {e.quantity.name for e in base.derivation.backward.equations}
    slopes = adjoints or values
    found |= {label(n, p, loss): slopes[n, p] for n, p in values if n in wanted}
    if updated and base.problem.training.optimizer.name == "gradient_descent":
        rate = base.problem.training.learning_rate
        for quantity in base.graph.of_role(Role.PARAMETER):
            frozen = quantity.name in base.problem.training.frozen
            adjoint = adjoint_name(quantity.name)
            for place in product(*map(range, quantity.shape)):
                if not frozen and (adjoint, place) in slopes:
                    step = slopes[adjoint, place] * rate.numerator / rate.denominator
                    found[f"{label(quantity.name, place, loss)}+"] = (
                        values[quantity.name, place] - step
                    )
    return found


# --- mistakes ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mistake:
    """What somebody printed: all numbers; and what the mistake is called, if it has a name."""

    kind: str
    table: Table
    causes: tuple[str, ...] = ()


def _is_unit(graph: Graph, name: str) -> bool:
    """Whether a quantity is an activation, entry by entry."""
    if graph.quantities[name].given:
        return False
    equation = graph.equation(name)
    text = str(equation.rhs)
    heads = ("logistic", "tanh", "maximum", "softplus", "where")
    return text.startswith(heads) and "sum(" not in text and text.count("[") <= 4


def _units(graph: Graph) -> list[str]:
    return [q.name for q in graph.quantities.values() if _is_unit(graph, q.name)]


def slope_forgotten(base: Base, source: random.Random) -> Mistake | None:
    """The slope of an activation is taken as 1."""
    units = _units(base.graph)
    if not units:
        return None
    unit = source.choice(units)

    def fault(reader: Key, key: Key, slope: Any, values: Values) -> Any:
        return mp.one if reader[0] == unit else slope

    return Mistake("slope forgotten", numbers(base, _faulty(base, fault)))


def slope_at_output(base: Base, source: random.Random) -> Mistake | None:
    """The slope of an activation is taken where its output lies."""
    units = _units(base.graph)
    if not units:
        return None
    unit = source.choice(units)

    def fault(reader: Key, key: Key, slope: Any, values: Values) -> Any:
        if reader[0] != unit:
            return slope
        equation = base.graph.equation(unit)
        binding = dict(zip(equation.indices, reader[1], strict=True))
        moved = {**values, key: values[reader]}
        return element_slope(equation.rhs, moved, binding, key)

    return Mistake("slope at the output", numbers(base, _faulty(base, fault)))


def path_missing(base: Base, source: random.Random) -> Mistake | None:
    """One of the equations that read a quantity is left out of its gradient."""
    graph = base.graph
    several = [q.name for q in graph.quantities.values() if len(graph.readers(q.name)) > 1]
    if not several:
        return None
    name = source.choice(several)
    lost = source.choice(graph.readers(name)).quantity.name

    def fault(reader: Key, key: Key, slope: Any, values: Values) -> Any:
        return mp.zero if (key[0], reader[0]) == (name, lost) else slope

    return Mistake("path missing", numbers(base, _faulty(base, fault)))


def path_turned(base: Base, source: random.Random) -> Mistake | None:
    """The gradient by one quantity has the other sign, and all that comes after it."""
    hidden = [q.name for q in base.graph.quantities.values() if not q.given and q.axes]
    if not hidden:
        return None
    name = source.choice(hidden)

    def fault(reader: Key, key: Key, slope: Any, values: Values) -> Any:
        return -slope if key[0] == name else slope

    return Mistake("sign of a path", numbers(base, _faulty(base, fault)), ("a sign",))


def one_term_missing(base: Base, source: random.Random) -> Mistake | None:
    """Of the readers of a quantity, one place is left out."""
    graph = base.graph
    wide = [e.quantity.name for e in graph.equations if max(e.quantity.shape, default=1) > 1]
    if not wide:
        return None
    lost = source.choice(wide)
    shape = graph.quantities[lost].shape
    axis = source.choice([k for k, n in enumerate(shape) if n > 1])
    place = source.randrange(shape[axis])
    inner = {
        q.name
        for q in graph.quantities.values()
        if any(e.quantity.name == lost for e in graph.readers(q.name)) and q.shape != shape
    }
    if not inner:
        return None

    def fault(reader: Key, key: Key, slope: Any, values: Values) -> Any:
        gone = reader[0] == lost and reader[1][axis] == place and key[0] in inner
        return mp.zero if gone else slope

    return Mistake("a term missing", numbers(base, _faulty(base, fault)))


def _faulty(base: Base, fault: Fault) -> Values:
    return chained(base.graph, {k: v for k, v in base.trajectory().at(0).items()
                                if k[0] in base.graph.quantities}, fault)  # fmt: skip


def scaled(base: Base, source: random.Random) -> Mistake | None:
    """All gradients are several times what they should be."""
    factor = source.choice([2, mp.mpf(1) / 2, -1, *{n for q in base.graph.quantities.values()
                                                     for n in q.shape if n > 1}])  # fmt: skip
    values = base.trajectory().at(0)
    slopes = {k: v * factor if k[0].startswith(adjoint_name("")) else v for k, v in values.items()}
    return Mistake("scaled", numbers(base, slopes))


def table_scaled(base: Base, source: random.Random) -> Mistake | None:
    """One gradient, and nothing else, is several times what it should be."""
    table = numbers(base)
    stems = sorted({name.partition("[")[0] for name in table if name.startswith("d")})
    if not stems:
        return None
    stem = source.choice(stems)
    factor = source.choice([2, mp.mpf(1) / 2, -1])
    return Mistake(
        "table scaled",
        {n: v * factor if n.partition("[")[0] == stem else v for n, v in table.items()},
    )


def transposed(base: Base, source: random.Random) -> Mistake | None:
    """A square table is printed transposed."""
    square = [q for q in base.graph.quantities.values()
              if len(q.shape) == 2 and q.shape[0] == q.shape[1] > 1]  # fmt: skip
    if not square:
        return None
    name, loss = source.choice(square).name, base.graph.loss.name
    stem = source.choice([name, f"d{loss}/d{name}"])
    table = numbers(base)

    def turned(each: str) -> str:
        if each.partition("[")[0] != stem or each.endswith("+"):
            return each
        a, b = each.partition("[")[2].rstrip("]").split(",")
        return f"{stem}[{b},{a}]"

    return Mistake("transposed", {n: table[turned(n)] for n in table})


def row_repeated(base: Base, source: random.Random) -> Mistake | None:
    """A row of a table is printed twice."""
    wide = [q for q in base.graph.quantities.values() if len(q.shape) == 2 and min(q.shape) > 1]
    if not wide:
        return None
    quantity = source.choice(wide)
    stem = source.choice([quantity.name, f"d{base.graph.loss.name}/d{quantity.name}"])
    first, second = source.sample(range(quantity.shape[0]), 2)
    table = numbers(base)

    def repeated(each: str) -> str:
        if not each.startswith(f"{stem}[{first},") or each.endswith("+"):
            return each
        return each.replace(f"[{first},", f"[{second},")

    return Mistake("row repeated", {n: table[repeated(n)] for n in table})


def uphill(base: Base, source: random.Random) -> Mistake | None:
    """Parameters are updated along the gradient."""
    return _with_step(base, lambda w, new: 2 * w - new, "uphill")


def rate_forgotten(base: Base, source: random.Random) -> Mistake | None:
    """Parameters are updated without a learning rate."""
    rate = base.problem.training.learning_rate
    share = mp.mpf(rate.denominator) / rate.numerator
    return _with_step(base, lambda w, new: w - (w - new) * share, "rate forgotten")


def rate_twice(base: Base, source: random.Random) -> Mistake | None:
    """The learning rate is applied twice."""
    rate = base.problem.training.learning_rate
    share = mp.mpf(rate.numerator) / rate.denominator
    return _with_step(base, lambda w, new: w - (w - new) * share, "rate twice")


def _with_step(base: Base, change: Callable[[Any, Any], Any], kind: str) -> Mistake | None:
    table = numbers(base)
    new = [name for name in table if name.endswith("+")]
    if not new:
        return None
    return Mistake(kind, {**table, **{n: change(table[n[:-1]], table[n]) for n in new}})


def uphill_mean(base: Base, source: random.Random) -> Mistake | None:
    """Two mistakes: a factor in all gradients, and a step along them."""
    first = scaled(base, source)
    assert first is not None
    return _stepped_up(base, first)


def _stepped_up(base: Base, first: Mistake) -> Mistake | None:
    new = [name for name in first.table if name.endswith("+")]
    if not new:
        return None
    turned = {n: 2 * first.table[n[:-1]] - first.table[n] for n in new}
    return Mistake(f"{first.kind}, uphill", {**first.table, **turned}, ("step uphill",))


MISTAKES = (
    slope_forgotten,
    slope_at_output,
    path_missing,
    path_turned,
    one_term_missing,
    scaled,
    table_scaled,
    transposed,
    row_repeated,
    uphill,
    rate_forgotten,
    rate_twice,
    uphill_mean,
)

# --- prints -----------------------------------------------------------------------------------


def printed(value: Any, digits: int) -> str:
    """A number with so many significant digits, as a plain decimal."""
    text = mp.nstr(value, digits, strip_zeros=False, min_fixed=-mp.inf, max_fixed=mp.inf)
    return text.removesuffix(".0") if value == int(value) and abs(value) < 1000 else text


def prints(table: Table, names: list[str], digits: int) -> tuple[Published, ...]:
    """Numbers of a table as they are printed."""
    return tuple(Published(name, printed(table[name], digits), "") for name in names)


def chosen(table: Table, source: random.Random, share: float = 0.7, most: int = 60) -> list[str]:
    """Whole tables of numbers, some of them, in the order in which they are computed."""
    stems = list(dict.fromkeys(_stem(name) for name in table))
    kept = {stem for stem in stems if source.random() < share}
    return [name for name in table if _stem(name) in kept][:most]


def _stem(name: str) -> str:
    return name.partition("[")[0] + ("+" if name.endswith("+") else "")


def noisy(text: str, source: random.Random) -> str:
    """A number with one digit changed to another one, not the last."""
    places = [k for k, letter in enumerate(text) if letter.isdigit()][:-1]
    if not places:
        return text
    k = source.choice(places)
    other = source.choice([d for d in "0123456789" if d != text[k]])
    return f"{text[:k]}{other}{text[k + 1 :]}"


def cases(base: Base, source: random.Random) -> Iterator[tuple[Mistake, tuple[Published, ...]]]:
    """One case of each kind of mistake that the spec can be made to have."""
    for make in MISTAKES:
        mistake = make(base, source)
        if mistake is None:
            continue
        names = chosen(mistake.table, source)
        yield mistake, prints(mistake.table, names, source.choice([4, 5, 6]))


def judged(base: Base, published: tuple[Published, ...]) -> list[NumberRow]:
    """What verification says of prints."""
    problem = replace(base.problem, published=published)
    return list(model_rows(problem, Page({}, (), {}), {}, base.trajectory()))
