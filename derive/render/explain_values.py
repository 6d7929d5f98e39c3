"""Any value that is asked for, for programs: its name, place, formula, and the number itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mpmath import mp

from derive.errors import InputError, nearest
from derive.expression import Element
from derive.graph import Derivation, Equation
from derive.notation import UPDATED
from derive.numbers import Number, literal
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.drawings import Drawings
from derive.render.explain_model import Asked, asked_of, is_forward_pass
from derive.render.explain_numbers import shown
from derive.render.model_form import ModelForm
from derive.render.pieces import PLAIN, TEX
from derive.render.sheet import Key, Sheet
from derive.render.story import begin, blocks_of
from derive.render.tensor_values import places
from derive.text import line, slopes, text

CERTAIN = 30  # digits of an exact value
Value = dict[str, Any]


def explain_values(problem: Problem, derivation: Derivation, asked: str) -> list[Value]:
    """What is asked for and its derivative, each entry by itself. Raises InputError."""
    if problem.is_model:
        found = asked_of(derivation, asked)
        return carried(problem, lambda told: list(_of_model(told, derivation, found)))[1]
    return carried(problem, lambda told: list(_of_network(told, derivation, asked)))[1]


def _value(name: str, indices: list[int] | None, formula: Value | None) -> Value:
    return {"name": name, "indices": indices, "formula": formula, "exact": None, "printed": None}


def _exact(value: Number) -> str:
    """A value with many digits; a rational one as it is."""
    return literal(value) if isinstance(value, Fraction) else mp.nstr(value, CERTAIN)


# --- a network --------------------------------------------------------------------------------


def _of_network(problem: Problem, derivation: Derivation, asked: str) -> Iterator[Value]:
    """A weight, its gradient and its new value; or any other number of the page by its name."""
    plain, tex = (_sheet(problem, derivation, script) for script in (PLAIN, TEX))
    by_name = {plain.name(key).report: key for key in plain.entries}
    name = asked.strip()
    if name.startswith("dE/d"):
        name = f"dE_total/d{name.removeprefix('dE/d')}"
    if not by_name:
        raise InputError("a page without numbers is told in formulas; there is no value to print")
    if name not in by_name:
        raise InputError(f"there is no value '{asked}'; {nearest(asked, by_name)}")
    more = [f"dE_total/d{name}", f"{name}{UPDATED}"]
    for each in (name, *(other for other in more if other in by_name)):
        yield _of_key(each, by_name[each], plain, tex)


def _sheet(problem: Problem, derivation: Derivation, script: Any) -> Sheet:
    story = begin(problem, derivation, replace(script, break_line=" "))
    blocks_of(story, Drawings())
    return story.sheet


def _of_key(name: str, key: Key, plain: Sheet, tex: Sheet) -> Value:
    entry = plain.entries[key]
    form = None if entry.formula is None else plain.forms.get(key)
    formula = None
    if form is not None:
        formula = {
            "text": f"{plain.symbol(key)} = {form.write(plain.named)}",
            "latex": f"{tex.symbol(key)} = {tex.forms[key].write(tex.named)}",
        }
    indices = [int(k) for k in key.indices] if isinstance(key, Element) else None
    found = _value(name, indices, formula)
    if entry.exact is not None:
        found |= {"exact": _exact(entry.exact), "printed": entry.text}
    return found


# --- a model ----------------------------------------------------------------------------------


def _of_model(problem: Problem, derivation: Derivation, asked: Asked) -> Iterator[Value]:
    """The quantity and the derivative by it: the entry that is asked for, or all of them."""
    graph, forward_only = derivation.forward, is_forward_pass(derivation)
    names = slopes("" if forward_only else graph.loss.name)
    written = shown(problem, derivation, names, asked.update)
    form = ModelForm(problem, derivation)
    quantity = graph.quantities[asked.name]
    told: list[tuple[str, Equation | None]] = [
        (asked.name, None if quantity.given else graph.equation(asked.name))
    ]
    if not forward_only:
        adjoint = derivation.adjoint(asked.name)
        told.append((adjoint.quantity.name, adjoint))
    mark = f"@{asked.update}" if asked.update else ""
    for name, equation in told:
        formula = None
        if equation is not None:
            latex = f"{form.lhs(equation)} = {form.tex(equation.rhs)}"
            formula = {"text": line(equation, names), "latex": latex}
        if written.bench is None:
            yield _value(names(name) + mark, None, formula)
            continue
        values = written.bench.values
        for place in places(quantity) if asked.place is None else (asked.place,):
            called = text(Element(name, *place), names) + mark
            found = _value(called, list(place), formula)
            if (name, place) in values.exact:
                exact, printed = values.exact[name, place], values.texts[name, place]
                found |= {"exact": _exact(exact), "printed": printed}
            yield found
