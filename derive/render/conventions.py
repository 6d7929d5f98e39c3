"""What a reader of a page has to know: indices, ranges, slopes at kinks, and how it is rounded."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from derive.calculus import steep_at_zero
from derive.expression import Element, Largest, elements
from derive.functions import (
    absolute,
    at_least,
    floored,
    greater,
    held,
    maximum,
    minimum,
    sign,
    where,
)
from derive.graph import Equation, Graph
from derive.places import stays_on_axis
from derive.render.carried import manner
from derive.render.model_form import ModelForm, letters_in, ranges
from derive.render.sheet import Display
from derive.render.worked import Bench
from derive.signs import signs_of


def conventions(
    form: ModelForm, bench: Bench | None, displays: Sequence[Display]
) -> dict[str, object]:
    """What a reader of these displays has to know."""
    shown = "\n".join(row for display in displays for row in display.rows)
    both = (form.derivation.forward, form.derivation.backward)
    equations = [e for graph in both for e in graph.equations]
    letters = [i for e in equations for i in letters_in(e) if i.name not in form.bounds]
    return {
        "indices": bool(letters) or bool(form.bounds),
        "ranges": ranges(letters),
        "outside": any(_leaves(form, e) for e in equations),
        **_slopes(form),
        "zero_log": bench is not None and any(_meets_log_of_zero(bench, e) for e in equations),
        "condition": "[" in shown,
        "sigma": form.writer.sigma and r"\sigma" in shown,
        "delta": form.writer.delta and r"\delta_{" in shown,
        "shortened": any(display.shortened for display in displays),
        "gather": any(q.integer for q in form.problem.graph.given),
        "numeric": bench is not None,
        "too_many": bench is None and not form.problem.symbolic,
        "format": manner(form.problem.numbers),
    }


def _slopes(form: ModelForm) -> dict[str, bool]:
    """What is said of slopes where there is none, or more than one; nothing if none is taken."""
    graph = form.derivation.forward
    found = {
        "extremes": _has(graph, (maximum, minimum)),
        "absolute": _has(graph, (absolute,)),
        "root": _meets_root(graph),
        "step": _has_step(graph),
        "still": all(e.rhs == 0 for e in form.derivation.backward.equations),
        "borders": any(
            node.args[0].has(Element) and any(branch.has(Element) for branch in node.args[1:])
            for equation in graph.equations
            for node in equation.rhs.atoms(where)
        ),
        "tie": _has(graph, (Largest,)),
        "held": _has(graph, (held,)),
    }
    return dict.fromkeys(found, False) if form.problem.forward_only else found


def _meets_root(graph: Graph) -> bool:
    """Whether a root is taken of what may be zero."""
    signs = signs_of(graph)
    return any(
        steep_at_zero(power.exp) and power.base.has(Element) and not signs.positive(power.base)
        for equation in graph.equations
        for power in equation.rhs.atoms(sympy.Pow)
    )


def _has_step(graph: Graph) -> bool:
    """Whether a step of data is a number in an equation, not the condition of a choice."""

    def steps(expr: sympy.Expr) -> bool:
        if isinstance(expr, sign | floored | greater | at_least):
            return bool(expr.has(Element))
        inner = expr.args[1:] if isinstance(expr, where) else expr.args
        return any(map(steps, inner))

    return any(steps(equation.rhs) for equation in graph.equations)


def _meets_log_of_zero(bench: Bench, equation: Equation) -> bool:
    """Whether an equation multiplies logarithms, and reads a zero in one of them."""
    logs = {log for product in equation.rhs.atoms(sympy.Mul) for log in product.atoms(sympy.log)}
    read = {element.name for log in logs for element in elements(log)}
    return any(v == 0 for (name, _), v in bench.values.exact.items() if name in read)


def _has(graph: Graph, kinds: tuple[type[sympy.Basic], ...]) -> bool:
    return any(equation.rhs.has(*kinds) for equation in graph.equations)


def _leaves(form: ModelForm, equation: Equation) -> bool:
    """Whether something is read at a position that may lie outside its range."""
    quantities = form.problem.graph.quantities
    for element in elements(equation.rhs):
        axes = quantities[element.name.removeprefix("adj_")].axes
        for position, axis in zip(element.indices, axes, strict=True):
            if not position.has(Element) and not stays_on_axis(position, axis.size):
                return True
    return False
