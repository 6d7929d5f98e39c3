"""Derivatives that belong to a model, `g = grad(D, x)`: each is one, like those of the loss.

For each entry that is differentiated within the model, the scalars that lead to it are a graph of
its own, whose adjoints are quantities of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from derive.certify import theorems
from derive.certify.names import part
from derive.certify.scalars import Within
from derive.certify.words import Theorem, Words
from derive.expression import Element


@dataclass(frozen=True, kw_only=True)
class WordsWithin(Words):
    """The identifiers of one such graph, whose scalars and derivatives have those of the model."""

    outer: Words
    within: Within

    def __call__(self, key: sympy.Expr) -> str:
        """A scalar, or a derivative by one."""
        return self.outer(key)

    def of(self, scalar: Element) -> str:
        """The equation of a scalar as a function."""
        return self.outer.of(scalar)

    def own(self, name: str) -> str:
        """What there is one of in each graph that is differentiated."""
        return self.named(f"own {name}", f"{name}_for_{self(self.within.of)}")

    def opened(self, scalar: Element) -> tuple[str, ...]:
        """What is unfolded to see what a derivative is computed from."""
        if scalar == self.within.of:
            return (self.adjoint(scalar),)
        entry = self.within.entries[scalar]
        return self(entry), self.of(entry)

    def about_derivative(self, scalar: Element) -> str:
        """What the theorem is about that a quantity of the model is a derivative."""
        entry, of = self.within.entries[scalar], self.within.of
        return about_within(*map(self.report, (entry, of, scalar)))

    def about_sum(self, scalar: Element) -> str:
        """What the theorem is about that it is a sum over the readers."""
        entry = self.within.entries.get(scalar, scalar)
        return f"{self.report(entry)} from those of the readers of {self.report(scalar)}"

    def adjoint(self, scalar: Element) -> str:
        """The derivative by a scalar; of what is differentiated by itself it is 1."""
        if scalar == self.within.of:
            return self.named("of by itself", f"d{self(scalar)}_d{self(scalar)}")
        return self(self.within.entries[scalar])

    def _role(self, pattern: str, scalar: Element) -> str:
        made = f"{pattern.format(self(scalar))}_for_{self(self.within.of)}"
        return self._of((pattern, scalar), lambda: made)


def about_within(entry: str, of: str, by: str) -> str:
    """What the theorem is about that a quantity of the model is a derivative."""
    return f"{entry} is the derivative of {of} by {by}"


def words_within(words: Words) -> Iterator[WordsWithin]:
    """The identifiers of each graph within a model."""
    for each in words.scalars.within:
        yield WordsWithin(
            scalars=each, names=words.names, made=words.made, outer=words, within=each
        )


def proofs(words: WordsWithin) -> tuple[list[str], tuple[Theorem, ...]]:
    """The definitions and proofs of one graph, and its theorems."""
    local, sums = list(theorems.local_theorems(words)), list(theorems.adjoint_theorems(words))
    proven = list(theorems.derivatives(words))
    text = [
        *part(f"Within the model: the derivatives of {words.report(words.within.of)}."),
        *theorems.slopes(words),
        f"Definition {words.adjoint(words.within.of)} : R := 1.",
        *(each.text for each in (*local, *sums)),
        *theorems.motion(words),
        *theorems.graph(words),
        theorems.joined(words),
        *(each.text for each in proven),
    ]
    return text, (*local, *sums, *proven)
