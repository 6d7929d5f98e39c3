"""Equations, graphs, derivations and pages as a notebook shows them to who evaluates them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import cast

from derive.expression import reads
from derive.graph import Derivation, Equation, Graph, Quantity, Role, adjoint_name
from derive.notation import IndexNotation
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.index_writer import ROOM
from derive.render.markdown import markdown
from derive.render.model_form import ModelForm
from derive.render.pieces import width
from derive.symbols import symbol, word

LANGUAGE = "en"
AIR = r" \\[1.5ex] "


@dataclass(frozen=True)
class _Quantities:
    """As much of a graph as its notation needs."""

    quantities: Mapping[str, Quantity]
    equations: tuple[Equation, ...] = ()


@dataclass(frozen=True)
class _Told:
    """As much of a problem."""

    graph: _Quantities


class _Form(ModelForm):
    """Index form without a problem."""

    @cached_property
    def names(self) -> IndexNotation:
        return IndexNotation(self.problem.graph.quantities)


def formula(seen: Equation | Graph | Derivation) -> str:
    """What is seen of an equation, of a graph, or of both passes of a derivation."""
    match seen:
        case Derivation():
            known = _told_apart(seen.forward.quantities)
            form = _form(known, seen)
            passes = [seen.forward.equations, seen.backward.equations]
            return _display(AIR.join(_lines(form, each) for each in passes if each))
        case Graph():
            known = _told_apart({**seen.quantities, **_quantities(seen.equations, seen.quantities)})
            derivation = Derivation(seen, Graph((), ()), (), ())
            return _display(_lines(_form(known, derivation), seen.equations))
    known = _told_apart(_quantities([seen]))
    alone = Derivation(Graph((), ()), Graph((), ()), (), ())
    return _display(_lines(_form(known, alone), [seen]))


def text(page: Page) -> str:
    """What is seen of a page: all of it."""
    return markdown(page, LANGUAGE)


def _form(known: Mapping[str, Quantity], derivation: Derivation) -> ModelForm:
    told = cast(Problem, _Told(_Quantities(known, derivation.forward.equations)))
    return _Form(told, derivation)


def _quantities(
    equations: Iterable[Equation], known: Mapping[str, Quantity] = MappingProxyType({})
) -> dict[str, Quantity]:
    """The quantities of equations; of those that are only read there may be no more than a name."""
    found = dict(known) | {e.quantity.name: e.quantity for e in equations}
    for equation in equations:
        for name in reads(equation.rhs):
            found.setdefault(name, _named(name))
    for name, quantity in tuple(found.items()):
        inner = name.removeprefix(adjoint_name(""))
        slope = quantity.slope
        for other in (inner, *([slope.of, slope.by] if slope else [])):
            found.setdefault(other, _named(other))
    return found


def _named(name: str) -> Quantity:
    return Quantity(name, symbol(name, 1), (), Role.CONSTANT)


def _told_apart(known: Mapping[str, Quantity]) -> Mapping[str, Quantity]:
    """Quantities that share a symbol, as the layers of a network do, under that of their name."""
    own = {name: q for name, q in known.items() if not name.startswith(adjoint_name(""))}
    shared = Counter(q.tex for q in own.values())
    found = {
        name: replace(q, tex=symbol(name, len(q.axes)) if shared[q.tex] > 1 else _upright(q.tex))
        for name, q in own.items()
        if q.tex  # a derivative is written as a quotient
    }
    return MappingProxyType({**known, **found})


def _upright(tex: str) -> str:
    """A symbol; a word is no product of letters."""
    return word(tex) if tex.isalpha() and len(tex) > 1 else tex


def _lines(form: ModelForm, equations: Iterable[Equation]) -> str:
    return r" \\ ".join(_line(form, equation) for equation in equations)


def _line(form: ModelForm, equation: Equation) -> str:
    left = form.lhs(equation)
    return f"{left} &= {form.rows(equation.rhs, ROOM - width(left))}"


def _display(lines: str) -> str:
    return f"$$\\begin{{aligned}} {lines} \\end{{aligned}}$$"
