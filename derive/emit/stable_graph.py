"""Stable forms of a derivation: logarithms see through definitions, every move is a Step.

What a module computes is this derivation, not that of the page; the verifier proves its steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import sympy

from derive.backprop import differentiate
from derive.emit.formula import axis_of
from derive.emit.stable import stable
from derive.expression import (
    Element,
    Fresh,
    Index,
    Largest,
    LogTotalExp,
    Total,
    rebuild,
    substitute,
)
from derive.functions import erfc, log_add_exp, logistic, softplus
from derive.graph import Derivation, Equation, Graph, Kind, Quantity, Role, Step, needed
from derive.letters import tidy
from derive.places import stays_on_axis
from derive.rules import match

OPENED = "seen through a definition"
SPLIT = "relative to the largest"
CURVED = (sympy.exp, sympy.tanh, sympy.erf, erfc, logistic)
SETTLED = (LogTotalExp, log_add_exp, softplus)
LONGEST = 150  # operations; a longer expression is not looked into
DEEPEST = 4  # definitions within definitions that a logarithm sees through


def stable_derivation(
    derivation: Derivation, by: tuple[str, ...] | None, asked: Iterable[str]
) -> Derivation:
    """The derivation in stable forms, with a step for every move.

    It is derived anew from the stable forward graph if an adjoint that is `asked` for divides by
    an output, or by what an output lacks to 1: it is 0/0 once the output is 0 or 1 in floating
    point, while the derivative of the stable loss is not.
    """
    graph = derivation.forward
    work = _Work(graph.taken)
    forward = tuple([work.defined(equation) for equation in graph.equations])
    backward = derivation.backward
    steps: tuple[Step, ...] = ()
    slopes, moves = work.settled_all(backward.equations)
    if any(map(work.breaks, needed(slopes, asked))):
        again = differentiate(Graph(graph.given, forward), by)
        steps = again.steps
        slopes, moves = work.settled_all(again.backward.equations)
    naming = _Naming({**graph.quantities, **backward.quantities})
    forward = naming.beside(forward)
    slopes = naming.before(slopes)
    given = (*graph.given, *(equation.quantity for equation in forward))
    return Derivation(
        Graph(graph.given, forward),
        Graph(given, slopes),
        (),
        (*steps, *work.steps, *moves, *naming.steps),
    )


def stable_equation(equation: Equation, names: frozenset[str]) -> Equation:
    """An equation with a stable right side; `names` are no letters."""
    return _Work(names).settled(equation)


def _step(rule: str, quantity: str, before: sympy.Expr, after: sympy.Expr) -> Step:
    free = before.free_symbols | after.free_symbols
    letters = sorted((s for s in free if isinstance(s, Index)), key=str)
    return Step(rule, quantity, before, after, tuple(letters))


class _Work:
    """The definitions that are known so far, in stable form, and the steps that led there."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.known: dict[str, Equation] = {}
        self.saturating: set[str] = set()
        self.steps: list[Step] = []

    def defined(self, equation: Equation) -> Equation:
        """An equation in stable form, which those after it may look into."""
        opened = rebuild(equation.rhs, lambda node: self._divided(node, equation.quantity.name))
        made = self.settled(replace(equation, rhs=opened))
        self.known[equation.quantity.name] = made
        if _saturates(made.rhs, self.saturating):
            self.saturating.add(equation.quantity.name)
        return made

    def settled(self, equation: Equation) -> Equation:
        """An equation in stable form."""
        name = equation.quantity.name

        def record(rule: str, before: sympy.Expr, after: sympy.Expr) -> None:
            self.steps.append(_step(rule, name, before, after))

        opened = rebuild(equation.rhs, lambda node: self._opened(node, name))
        taken = self.names | {index.name for index in equation.indices}
        return replace(equation, rhs=tidy(stable(opened, record), taken))

    def _opened(self, node: sympy.Expr, name: str) -> sympy.Expr:
        """A logarithm of what is curved by definition, if that undoes the curve."""
        return self._seen_through(node, name) if isinstance(node, sympy.log) else node

    def _divided(self, node: sympy.Expr, name: str) -> sympy.Expr:
        """A quotient by a sum of exponentials that has a name, likewise."""
        divides = isinstance(node, sympy.Mul) and any(
            factor.is_Pow and factor.exp.is_negative and isinstance(factor.base, Element)
            for factor in node.args
        )
        return self._seen_through(node, name) if divides else node

    def _seen_through(self, node: sympy.Expr, name: str) -> sympy.Expr:
        opened = node
        for _ in range(DEEPEST):
            deeper = self._looked_into(opened)
            if deeper == opened or deeper.count_ops() > LONGEST:
                break
            opened = deeper
            curved = opened.has(*CURVED, *SETTLED) or self._reads_saturating([node])
            if curved and not self._holds_curve(stable(opened)):
                self.steps.append(_step(OPENED, name, node, opened))
                return opened
        return node

    def _holds_curve(self, expr: sympy.Expr) -> bool:
        """Whether what may saturate still stands in a logarithm or below a bar."""
        bars = [power.base for power in expr.atoms(sympy.Pow) if power.exp.is_negative]
        inside = [*bars, *(log.args[0] for log in expr.atoms(sympy.log))]
        return any(part.has(*CURVED) for part in inside) or self._reads_saturating(inside)

    def _reads_saturating(self, parts: Iterable[sympy.Expr]) -> bool:
        return any(read.name in self.saturating for p in parts for read in p.atoms(Element))

    def _looked_into(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression with the definitions of what it reads in the place of their names."""

        def meant(node: sympy.Expr) -> sympy.Expr:
            equation = self.known.get(node.name) if isinstance(node, Element) else None
            if equation is None or not _within(node, equation.quantity):
                return node
            change = dict(zip(equation.indices, node.indices, strict=True))
            return substitute(equation.rhs, change, Fresh())

        return rebuild(expr, meant)

    def settled_all(
        self, equations: Iterable[Equation]
    ) -> tuple[tuple[Equation, ...], tuple[Step, ...]]:
        """Equations in stable form and the steps that led there, which are not kept here."""
        before = len(self.steps)
        made = tuple([self.settled(equation) for equation in equations])
        moves = tuple(self.steps[before:])
        del self.steps[before:]
        return made, moves

    def breaks(self, equation: Equation) -> bool:
        """Whether an equation may be 0/0 or inf*0 in floating point though it never is.

        It divides by what rounds to 0, or multiplies an exponential by what makes up for it.
        """
        divisors = [p.base for p in equation.rhs.atoms(sympy.Pow) if p.exp.is_negative]
        grown = [p for p in equation.rhs.atoms(sympy.Mul) if any(map(_grows, p.args))]
        return any(base.has(*CURVED) for base in divisors) or self._reads_saturating(
            (*divisors, *grown)
        )


def _grows(factor: sympy.Expr) -> bool:
    return isinstance(factor, sympy.exp) and not factor.is_number


def _within(element: Element, quantity: Quantity) -> bool:
    """Whether an element is surely read where its definition holds; a label picks such a place."""
    pairs = zip(element.indices, quantity.axes, strict=True)
    return all(isinstance(p, Element) or stays_on_axis(p, axis.size) for p, axis in pairs)


def _saturates(expr: sympy.Expr, saturating: Collection[str]) -> bool:
    """Whether a definition comes close to 0 or to a bound without ever reaching it.

    A term of it is curved, or a product of quantities that all do so.
    """
    if isinstance(expr, Total):
        return _saturates(expr.body, saturating)
    return any(_is_curved(term, saturating) for term in sympy.Add.make_args(expr))


def _is_curved(term: sympy.Expr, saturating: Collection[str]) -> bool:
    factors = sympy.Mul.make_args(term)
    bases = [factor.as_base_exp()[0] for factor in factors if not isinstance(factor, sympy.exp)]
    reads = [base for base in bases if not base.is_number]
    return any(isinstance(factor, CURVED) for factor in (*factors, *bases)) or (
        bool(reads) and all(isinstance(f, Element) and f.name in saturating for f in reads)
    )


def _lettered(node: sympy.Expr, like: sympy.Expr) -> sympy.Expr:
    """A log-sum-exp or a maximum with the bound letter of another."""
    body, index, other = node.args[0], node.args[1], like.args[1]
    if index.axis.size != other.axis.size or other in node.free_symbols:
        return node
    return node.func(substitute(body, {index: other}, Fresh()), other)


class _Naming:
    """Log-sum-exps as quantities of their own, relative to their largest term; equal ones once.

    `exp(u - logsumexp)` would lose digits where all u are far from zero: with u = -10^9 everywhere
    the shares of a softmax would be good to 7 digits. `u - largest` is exact there.
    """

    def __init__(self, known: Mapping[str, Quantity]) -> None:
        self.known = dict(known)
        self.extra: dict[str, Equation] = {}
        self.steps: list[Step] = []

    def beside(self, equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
        """The equations, each after the quantities that it needs; they may be of a recurrence."""
        made: list[Equation] = []
        for equation in equations:
            before = len(self.extra)
            named = self._named(equation)
            made += [*list(self.extra.values())[before:], named]
        return tuple(made)

    def before(self, equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
        """The equations of the way back after the quantities that they need."""
        before = len(self.extra)
        named = tuple([self._named(equation) for equation in equations])
        return (*list(self.extra.values())[before:], *named)

    def _named(self, equation: Equation) -> Equation:
        name = equation.quantity.name
        return replace(equation, rhs=rebuild(equation.rhs, lambda node: self._split(node, name)))

    def _split(self, node: sympy.Expr, reader: str) -> sympy.Expr:
        """A log-sum-exp as the largest of its terms and what the others add."""
        if not isinstance(node, LogTotalExp) or node.body.has(-sympy.oo):
            return node  # where no choice holds, the largest is no number to be relative to
        free = tuple(sorted((s for s in node.free_symbols if isinstance(s, Index)), key=str))
        largest = self._quantity("largest", Kind.LARGEST, free, Largest(node.body, node.index))
        excess = LogTotalExp(node.body - largest, node.index)
        split = largest + self._quantity("logsum", Kind.LOG_TOTAL, free, excess)
        self.steps.append(_step(SPLIT, reader, node, split))
        return split

    def _quantity(self, word: str, kind: Kind, free: tuple[Index, ...], rhs: sympy.Expr) -> Element:
        for name, equation in self.extra.items():
            binding: dict[Index, sympy.Expr] = dict.fromkeys(equation.indices)
            if (
                match(equation.rhs, _lettered(rhs, equation.rhs), binding)
                and None not in binding.values()
            ):
                return Element(name, *binding.values())
        count = sum(equation.quantity.kind is kind for equation in self.extra.values()) + 1
        name = next(
            f"{word}{k}"
            for k in range(count, count + len(self.known) + 1)
            if f"{word}{k}" not in self.known
        )
        axes = tuple(axis_of(index, rhs, self.known) for index in free)
        quantity = Quantity(name, name, axes, Role.HIDDEN, kind)
        self.known[name] = quantity
        self.extra[name] = Equation(quantity, free, rhs)
        return Element(name, *free)
