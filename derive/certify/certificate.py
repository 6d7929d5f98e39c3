"""Problem, derivation and page → certificate: definitions, theorems and proofs for Coq."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from derive.certify import figures as numbers
from derive.certify import here, unwritten, written
from derive.certify.figures import Figures, figures_of
from derive.certify.here import Here, here_of
from derive.certify.names import Identifiers, comment, of_the_largest, part, prelude
from derive.certify.printed import MORE, Printed, printed
from derive.certify.scalars import Scalars, count, scalars_of, whole_numbers
from derive.certify.terms import Unprovable, term
from derive.certify.words import Theorem, Words, words_of
from derive.errors import InputError
from derive.expression import Greatest
from derive.graph import Derivation
from derive.notation import names_of
from derive.problem import Problem
from derive.render.blocks import Page

MOST_SCALARS = 1500
# Scalars from which on equations are not written out, if possible; recurrences are at no size.
LARGE = 300
# How much all numbers of a page may read whose equations are not written out; where a page goes on
# with unrounded ones, each needs bounds of all that it is computed from.
MOST_READ, MOST_READ_UNROUNDED = 60_000, 6_000
FURTHER = "of so many numbers a certificate has no more than can be checked in a reasonable time"
NO_BOUNDS = "so near an edge, as log(1 - y) is where y is all but 1, it has no bounds"
OF_MODEL = "its equation is taken as it is; `derive verify` compares it with differences"
AT_THE_EDGE = "it does not hold at the values of the spec: a kink, or an edge"


@dataclass(frozen=True)
class Certificate:
    """The text of a certificate, its theorems, and what has none, each with the reason."""

    text: str
    derivatives: tuple[Theorem, ...]
    prints: tuple[Theorem, ...]
    without: tuple[tuple[str, str], ...]

    @property
    def summary(self) -> str:
        """How much is proven, in a line."""
        line = f"{len(self.derivatives)} theorems, {len(self.prints)} numbers"
        return line + (f", {len(self.without)} without a theorem" if self.without else "")

    def about(self, name: str) -> str:
        """What a theorem is about, by its identifier; nothing for what is no theorem."""
        found = [t.about for t in (*self.derivatives, *self.prints) if t.name == name]
        return found[0] if found else ""


def certify(problem: Problem, derivation: Derivation, page: Page) -> Certificate:
    """The certificate of a derivation and of the numbers of its page.

    Raises InputError where no theorem can be stated at all.
    """
    if problem.forward_only or not derivation.backward.equations:
        raise InputError("nothing is differentiated here, so there is nothing to certify")
    for quantity in problem.graph.given:
        if quantity.integer and quantity.name not in problem.values:
            raise InputError(
                f"no certificate can be written: '{quantity.name}' holds whole numbers, which say "
                "where something is read, so they must have values"
            )
    size = count(derivation)
    why = ""
    if size > LARGE or any(block.step for block in derivation.forward.blocks):
        try:
            return _for_all_letters(problem, derivation, page)
        except Unprovable as error:
            why = str(error)
    if size > MOST_SCALARS:
        raise InputError(
            f"no certificate can be written: {why}, and this has {size} scalars; "
            f"at most {MOST_SCALARS} can be checked in a reasonable time"
        )
    scalars = scalars_of(problem, derivation)
    words = words_of(scalars, names_of(problem))
    try:
        _checked(scalars, words)
    except Unprovable as error:
        raise InputError(f"no certificate can be written: {error}") from error
    found, without = printed(problem, page, scalars, words.names)
    shown, further = _chosen(found, page, problem.numbers.chained)
    figures = figures_of(words, tuple(_needed(found, shown)))
    section, derivatives = written.section(words, figures)
    return _numbered(problem, figures, shown, (*without, *further), section, derivatives)


def _for_all_letters(problem: Problem, derivation: Derivation, page: Page) -> Certificate:
    """The certificate with one theorem for all letters of an equation. Raises Unprovable."""
    made = Identifiers()
    section, derivatives = unwritten.section(derivation, made)
    if problem.symbolic or not page.numbers:
        without = tuple(_of_model(problem))
        text = [*_head(problem, without), prelude(), *section]
        text += _assumptions("proven", [t.name for t in derivatives])
        return Certificate("\n".join(text) + "\n", derivatives, (), without)
    scalars = scalars_of(problem, derivation)
    words = words_of(scalars, names_of(problem), made)
    found, without = printed(problem, page, scalars, words.names)
    chosen, further = _chosen(found, page, problem.numbers.chained)
    figures = figures_of(words, tuple(_needed(found, chosen)))
    return _numbered(problem, figures, chosen, (*without, *further), section, derivatives)


def _chosen(
    found: tuple[Printed, ...], page: Page, chained: bool
) -> tuple[tuple[Printed, ...], tuple[tuple[str, str], ...]]:
    """The numbers that have a theorem if there are too many: those of equations before others."""
    shown = {display.label.removeprefix("eq:").removeprefix("at-") for display in page.displays()}
    by_key = {each.key: each for each in found if each.on_the_way or not chained}
    left = MOST_READ if chained else MOST_READ_UNROUNDED
    known: set[sympy.Expr] = set()
    kept: set[sympy.Expr] = set()
    for each in sorted(found, key=lambda each: each.code not in shown):
        new = _below(each, by_key, known)
        cost = sum(len(one.operands) + 1 for one in new)
        if cost <= left:
            left -= cost
            known |= {one.key for one in new}
            kept |= {one.key for one in new} if chained else {each.key}
    rest = len(found) - len(kept)
    further = ((f"{rest} further numbers", FURTHER),) if rest else ()
    return tuple(each for each in found if each.key in kept), further


def _below(
    each: Printed, by_key: Mapping[sympy.Expr, Printed], known: Container[sympy.Expr]
) -> list[Printed]:
    """A number with all that it is computed from, but for what is known."""
    found: dict[sympy.Expr, Printed] = {}
    waiting = [each]
    while waiting:
        one = waiting.pop()
        if one.key not in found and one.key not in known:
            found[one.key] = one
            waiting += [by_key[key] for key in one.operands if key in by_key]
    return list(found.values())


def _needed(found: Sequence[Printed], chosen: Sequence[Printed]) -> list[Printed]:
    """Some numbers with those that they are computed from, in order."""
    keys = {each.key for each in chosen}
    for each in reversed(found):
        keys |= set(each.operands) if each.key in keys else set()
    return [each for each in found if each.key in keys]


def _checked(scalars: Scalars, words: Words) -> None:
    """Raises Unprovable for a function that has no rule."""
    for formula in (*scalars.forward.values(), *scalars.adjoints.values()):
        term(formula, words)


def _numbered(
    problem: Problem,
    figures: Figures,
    shown: tuple[Printed, ...],
    without: tuple[tuple[str, str], ...],
    section: list[str],
    derivatives: tuple[Theorem, ...],
) -> Certificate:
    """A certificate with numbers of its page, after the section of the derivation."""
    at = here_of(problem, figures.words, figures)
    unrounded: tuple[Printed, ...] = ()
    if at is not None and not problem.numbers.chained:
        unrounded = tuple(each for each in shown if not each.on_the_way)
    at_values = [] if at is None else list(here.theorems(at))
    words = figures.words
    proven = {e.name for each in words.scalars.within for e in each.entries.values()}
    of_model = _of_model(problem, proven if words.written_out else ())
    missing = [*of_model, *without, *_missing(at, unrounded)]
    if at is not None and not problem.numbers.chained:
        prints = list(here.number_theorems(at, unrounded))
    else:
        prints = list(numbers.number_theorems(replace(figures, numbers=shown)))
    parts: list[str] = [*_head(problem, missing), prelude()]
    if any(rhs.has(Greatest) for rhs in words.scalars.forward.values()):
        parts.append(of_the_largest())
    parts += section
    if at is not None and (keys := here.wanted(at, unrounded)):
        bounds = (*here.definitions(at, keys), *(t.text for t in at_values))
        parts += part("At the values of the spec: bounds, and what was taken for granted.", bounds)
    if prints:
        title = "Each printed number, rounded as the page says."
        parts += part(title, [t.text for t in prints])
    parts += _assumptions("proven", [t.name for t in derivatives])
    parts += _assumptions("proven_of_numbers", [t.name for t in (*at_values, *prints)])
    theorems_ = (*derivatives, *at_values)
    return Certificate("\n".join(parts) + "\n", theorems_, tuple(prints), tuple(missing))


def _of_model(problem: Problem, proven: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """Derivatives that belong to the model, and are not proven: there are their equations."""
    for quantity in problem.graph.quantities.values():
        slope = quantity.slope
        if slope is not None and quantity.name not in proven:
            yield f"{quantity.name}, the derivative of {slope.of} by {slope.by}", OF_MODEL


def _missing(at: Here | None, unrounded: tuple[Printed, ...]) -> Iterator[tuple[str, str]]:
    """What cannot be shown at the values of the spec."""
    if at is None:
        return
    for condition in at.words.scalars.conditions:
        if at.fails(condition):
            yield condition.text(at.words), AT_THE_EDGE
    for each in unrounded:
        if each.key not in at.values:
            yield each.report, NO_BOUNDS if each.key in at.formulas else MORE


def _head(problem: Problem, missing: Iterable[tuple[str, str]]) -> Iterator[str]:
    title = problem.title.get("en") or next(iter(problem.title.values()), problem.name)
    yield comment(title)
    yield comment("Written by derive. Every theorem is checked by the kernel of Coq: coqc FILE.v")
    for entry, number in whole_numbers(problem).items():
        yield comment(f"A whole number, as the spec has it: {entry} = {number}")
    for what, why in missing:
        yield comment(f"No theorem: {what}: {why}")
    yield ""


def _assumptions(name: str, found: list[str]) -> Iterator[str]:
    """All theorems in one term, and what the kernel took for granted in them."""
    if found:
        yield ""
        yield f"Definition {name} : True :="
        yield from (f"  let _ := {each} in" for each in found)
        yield "  I."
        yield f"Print Assumptions {name}."
