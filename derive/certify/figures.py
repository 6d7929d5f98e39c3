"""The numbers of a page as theorems: the formula in names, and each print from those before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy

from derive.certify.printed import Printed
from derive.certify.scalars import adjoint_of
from derive.certify.terms import elements_in, number, term
from derive.certify.words import Theorem, Words, about_number, call, wrapped
from derive.expression import Element
from derive.notation import UPDATED
from derive.render.weights import ALPHA, ALPHA_NAME


@dataclass(frozen=True)
class Figures:
    """The numbers of a page, with the identifiers of what they are numbers of."""

    words: Words
    numbers: tuple[Printed, ...]
    adjoints: Mapping[str, Element]

    def name(self, key: sympy.Expr) -> str:
        """The identifier of what a key of the page stands for."""
        if isinstance(key, Element):
            return self.words(key)
        report = str(key.name)
        if report in self.adjoints:
            return self.words.adjoint(self.adjoints[report])
        return self.words.named(report, self._codes.get(report, report))

    @cached_property
    def _codes(self) -> Mapping[str, str]:
        return {each.report: each.code for each in self.numbers} | {ALPHA.name: ALPHA_NAME.code}

    def plain(self, formula: sympy.Expr) -> sympy.Expr:
        """A formula of the page with the adjoints in it as elements."""
        return formula.xreplace(self._elements)

    @cached_property
    def _elements(self) -> Mapping[sympy.Expr, Element]:
        return {sympy.Symbol(name, real=True): adjoint_of(s) for name, s in self.adjoints.items()}

    def stated(self, key: sympy.Expr) -> sympy.Expr | None:
        """What the derivation defines a key as; None for what only the page has."""
        scalars = self.words.scalars
        if isinstance(key, Element):
            return scalars.forward.get(key, scalars.adjoints.get(key))
        return self.words.slopes.get(str(key.name))

    def print_name(self, each: Printed) -> str:
        """The theorem about a print."""
        return self.words.named(f"print {each.report}", f"{self.name(each.key)}_printed")

    @property
    def uses_rate(self) -> bool:
        """Whether the learning rate is among the operands."""
        return any(ALPHA in each.operands for each in self.numbers)


def figures_of(words: Words, numbers: tuple[Printed, ...]) -> Figures:
    """The numbers of a page with what their keys stand for."""
    scalars = words.scalars
    loss = scalars.loss
    adjoints = {words.report(adjoint_of(s)): s for s in scalars.moving if s != loss}
    return Figures(words, numbers, adjoints)


def definitions(figures: Figures) -> Iterator[str]:
    """What only the page has: new parameters, the second pass."""
    for each in figures.numbers:
        if figures.stated(each.key) is None:
            value = term(each.formula, figures.name)
            yield wrapped(f"Definition {figures.name(each.key)} : R :=", value)


def told_theorems(figures: Figures) -> Iterator[Theorem]:
    """Where the page tells a formula that is not the one of the derivation: both are the same."""
    words = figures.words
    for each in figures.numbers:
        stated = figures.stated(each.key)
        formula = figures.plain(each.formula)
        if stated is None or stated == formula:
            continue
        own = figures.name(each.key)
        name = words.named(f"told {each.report}", f"{own}_as_told")
        statement = wrapped(f"Theorem {name} : {own} =", term(each.formula, figures.name))
        proof = _told_proof(words, each.key, formula)
        text = f"{statement}\nProof. {proof} Qed."
        yield Theorem(name, text, f"the formula of {each.report}")


def _told_proof(words: Words, key: sympy.Expr, formula: sympy.Expr) -> str:
    scalars = words.scalars
    by_adjoint = {adjoint_of(s): s for s in scalars.moving}
    if key in by_adjoint:
        stops = {by_adjoint[e] for e in elements_in([formula]) if e in by_adjoint}
        on_the_way = _expanded(words, by_adjoint[key], stops)
        whole = ", ".join(map(words.adjoint, on_the_way))
        sums = ", ".join(map(words.sum, on_the_way))
        return f"first [unfold {whole}; equal | rewrite {sums}; equal]."
    if isinstance(key, Element):
        read = set(elements_in([formula]))
        inner = [e for e in elements_in([scalars.forward[key]]) if e not in read]
        opened = [name for e in (key, *inner) for name in (words(e), words.of(e))]
        return f"unfold {', '.join(opened)}; equal."
    return f"unfold {words.known[str(key.name)]}; equal."


def _expanded(words: Words, scalar: Element, stops: set[Element]) -> list[Element]:
    """The scalars from whose adjoints those are left in which a page tells one."""
    found = [scalar]
    for reader in words.scalars.readers[scalar]:
        if reader not in stops and reader != words.scalars.loss:
            found += [each for each in _expanded(words, reader, stops) if each not in found]
    return found


def number_theorems(figures: Figures) -> Iterator[Theorem]:
    """Each print is what follows from the prints before it, within half a unit."""
    for each in figures.numbers:
        name = figures.print_name(each)
        value, opened = _computed(figures, each)
        shown = f"Rabs ({value} - {decimal_term(each.value)}) <= {decimal_term(each.half_unit)}"
        statement = wrapped(f"Theorem {name} :", shown)
        proof = f"Proof. {f'unfold {opened}. ' if opened else ''}printed. Qed."
        yield Theorem(name, f"{statement}\n{proof}", about_number(each.report))


def _computed(figures: Figures, each: Printed) -> tuple[str, str]:
    """The formula with the prints put in: as the function of its equation if it is that one."""
    base = _unmarked(each.key) if isinstance(each.key, Element) else each.key
    marks = {key: _unmarked(key) for key in each.operands if isinstance(key, Element)}
    forward = figures.words.scalars.forward
    known = isinstance(base, Element) and figures.words.written_out
    if known and forward.get(base) == each.formula.xreplace(marks):
        plain = {_unmarked(k): v for k, v in each.operands.items() if isinstance(k, Element)}
        function = figures.words.of(base)
        read = elements_in([forward[base]])
        return call(function, [decimal_term(plain[e]) for e in read]), function
    return term(each.formula, lambda key: decimal_term(each.operands[key])), ""


def _unmarked(key: Element) -> Element:
    return Element(key.name.removesuffix(UPDATED), *key.indices)


def decimal_term(value: Fraction) -> str:
    """A decimal as a fraction with a power of ten below, as one reads it."""
    below = 1
    while (value * below).denominator != 1 and below < 10**60:
        below *= 10
    above = value * below
    if above.denominator != 1:
        return number(sympy.Rational(value.numerator, value.denominator))
    if below == 1:
        return str(above) if above >= 0 else f"({above})"
    return f"({above} / {below})"
