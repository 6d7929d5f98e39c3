"""The identifiers of one certificate: the page's names, and what belongs to each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from derive.certify.names import Identifiers
from derive.certify.scalars import Scalars, adjoint_of
from derive.certify.terms import Condition
from derive.expression import Element
from derive.notation import Name, Names, derivative

WIDTH = 96


def about_derivative(report: str) -> str:
    """What the theorem is about that an adjoint is the derivative of the loss."""
    return f"dE/d{report} is the derivative of the loss"


def about_local(report: str) -> str:
    """What the theorem is about that an equation has the local derivatives stated."""
    return f"the derivatives of {report} by what it reads"


def about_every_derivative(name: str) -> str:
    """What the theorem is about that all entries of an adjoint are derivatives of the loss."""
    return f"every entry of dE/d{name} is the derivative of the loss"


def about_every_local(name: str) -> str:
    """What the theorem is about that an equation has its local derivatives at all letters."""
    return f"the derivatives of every entry of {name} by what it reads"


def about_number(report: str) -> str:
    """What the theorem of a printed number is about."""
    return f"the printed {report}"


@dataclass(frozen=True)
class Theorem:
    """A theorem of a certificate: its identifier, its text with the proof, what it is about."""

    name: str
    text: str
    about: str


@dataclass(frozen=True)
class Words:
    """The identifiers of one derivation, made when they are first asked for.

    Equations are functions of scalars if they are written out.
    """

    scalars: Scalars
    names: Names
    written_out: bool = True
    made: Identifiers = field(default_factory=Identifiers)
    known: dict[object, str] = field(default_factory=dict)

    def __call__(self, key: sympy.Expr) -> str:
        """The identifier of a scalar, or of ∂E/∂scalar."""
        return self._of(key, lambda: self.names.name(key).code)

    def of(self, scalar: Element) -> str:
        """The equation of a scalar as a function."""
        return self._role("{}_of", scalar)

    def at(self, scalar: Element) -> str:
        """The number of a scalar in the graph."""
        return self._role("at_{}", scalar)

    def moved(self, scalar: Element) -> str:
        """A scalar as a function of a movement of all of them."""
        return self._role("{}_moved", scalar)

    def rate(self, scalar: Element) -> str:
        """How fast a scalar moves in a direction."""
        return self._role("{}_rate", scalar)

    def moves(self, scalar: Element) -> str:
        """The lemma that it moves at this rate."""
        return self._role("{}_moves", scalar)

    def local(self, scalar: Element) -> str:
        """The theorem of its equation."""
        return self._role("{}_local", scalar)

    def sum(self, scalar: Element) -> str:
        """The theorem that its adjoint is a sum over its readers."""
        return self._of(("sum", scalar), lambda: f"{self.adjoint(scalar)}_sum")

    def proven(self, scalar: Element) -> str:
        """The theorem that its adjoint is the derivative of the loss."""
        return self._of(("proven", scalar), lambda: f"{self.adjoint(scalar)}_is_the_derivative")

    def own(self, name: str) -> str:
        """What there is one of in each graph that is differentiated."""
        return name

    def opened(self, scalar: Element) -> tuple[str, ...]:
        """What is unfolded to see what its adjoint is computed from."""
        return (self.adjoint(scalar),)

    def about_derivative(self, scalar: Element) -> str:
        """What the theorem is about that its adjoint is the derivative."""
        return about_derivative(self.report(scalar))

    def about_sum(self, scalar: Element) -> str:
        """What the theorem is about that its adjoint is a sum over its readers."""
        return f"dE/d{self.report(scalar)} from those of its readers"

    def adjoint(self, scalar: Element) -> str:
        """∂E/∂scalar; of the loss itself it is 1."""
        if scalar == self.scalars.loss:
            return self._of("loss by itself", lambda: f"d{self(scalar)}_d{self(scalar)}")
        return self(adjoint_of(scalar))

    def slope(self, of: Element, by: Element) -> str:
        """∂of/∂by."""
        name = self._slope(of, by)
        return self.named(name.report, name.code)

    def named(self, report: str, code: str) -> str:
        """The identifier of something that has a name of its own on the page."""
        return self._of(report, lambda: code)

    @cached_property
    def slopes(self) -> Mapping[str, sympy.Expr]:
        """The local derivatives by their names in reports."""
        return {
            self._slope(of, by).report: self.scalars.slope(of, by)
            for of, read in self.scalars.operands.items()
            for by in read
        }

    def total(self, row: Sequence[Element]) -> str:
        """The hypothesis that scalars add up to one."""
        return self._of(("total", *row), lambda: f"{self(row[0])}_and_others_are_one")

    def rest(self, row: Sequence[Element]) -> str:
        """The lemma that the last of them is what is left by the others."""
        return self._of(("rest", *row), lambda: f"{self(row[-1])}_is_the_rest")

    def condition(self, condition: Condition) -> str:
        """The hypothesis that an equation has a derivative here."""
        return self._of(condition, lambda: "away_from_the_edge")

    def report(self, key: sympy.Expr) -> str:
        """What a report calls a scalar."""
        return self.names.name(key).report

    def _slope(self, of: Element, by: Element) -> Name:
        return derivative(self.names.name(of), self.names.name(by))

    def _role(self, pattern: str, scalar: Element) -> str:
        return self._of((pattern, scalar), lambda: pattern.format(self(scalar)))

    def _of(self, key: object, name: Callable[[], str]) -> str:
        if key not in self.known:
            self.known[key] = self.made.new(name())
        return self.known[key]


def words_of(scalars: Scalars, names: Names, made: Identifiers | None = None) -> Words:
    """Identifiers, those of the scalars first: they keep their names, if none has been `made`."""
    words = Words(scalars, names, made is None, made or Identifiers())
    for scalar in (*scalars.given, *scalars.forward):
        words(scalar)
    return words


def wrapped(head: str, body: str, end: str = ".") -> str:
    """A sentence of Coq, broken where it is long."""
    line = f"{head} {body}{end}"
    if len(line) <= WIDTH:
        return line
    lines, current = [head], " "
    for word in f"{body}{end}".split(" "):
        if len(current) + len(word) >= WIDTH and current.strip():
            lines.append(current)
            current = " "
        current += f" {word}"
    return "\n".join([*lines, current])


def call(function: str, arguments: Sequence[str]) -> str:
    """A function applied to terms that stand alone."""
    return " ".join([function, *arguments])
