"""A certificate at the values of the spec: bounds of every scalar that matters, step by step.

With them what was taken for granted is shown there, and prints of a page that goes on with
unrounded numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import sympy
from mpmath import mp
from sympy.core.symbol import Str

from derive.certify.figures import Figures, decimal_term
from derive.certify.largest import place_of_largest, value
from derive.certify.printed import Printed
from derive.certify.terms import Condition, elements_in, number, term
from derive.certify.words import Theorem, Words, about_number, call, wrapped
from derive.expression import Element, Greatest
from derive.functions import absolute, at_least, greater, maximum, minimum, where
from derive.numbers import MOST_DIGITS, MoreDigits, Number, compare, plus, real
from derive.problem import Problem
from derive.render.weights import ALPHA

PLACES = 42  # behind the point, at which bounds are rounded outwards
SMALLEST, SPARE = Fraction(1, 10**38), 4  # how far they lie from a number at least; and beyond
PLAIN = (
    *(Element, sympy.Symbol, sympy.Rational, sympy.Add, sympy.Mul, sympy.Pow, Str),
    *(absolute, at_least, greater, maximum, minimum, where, Greatest),
)
Key: TypeAlias = sympy.Expr


@dataclass(frozen=True)
class Here:
    """The values of a spec, and what is computed from them."""

    words: Words
    figures: Figures
    given: Mapping[Key, Fraction]
    formulas: Mapping[Key, Key]

    @property
    def values(self) -> Mapping[Key, Number]:
        """Every number that can be computed and told within bounds, in many digits."""
        return self._bounded[0]

    @property
    def spreads(self) -> Mapping[Key, Fraction]:
        """How far the bounds of each number lie from it, as those that it is computed from let it.

        `interval` finds wider ones than there are, for it knows not that a number is read twice.
        """
        return self._bounded[1]

    @property
    def exact(self) -> frozenset[Key]:
        """The numbers that are computed from the given ones by arithmetic and choices."""
        return frozenset(self.values) - frozenset(self.spreads)

    @cached_property
    def _bounded(self) -> tuple[Mapping[Key, Number], Mapping[Key, Fraction]]:
        """Numbers and spreads; what is so near an edge that it has no bounds is left out."""
        values: dict[Key, Number] = dict(self.given)
        spreads: dict[Key, Fraction] = {}
        exact = set(values)
        for key, formula in self.formulas.items():
            try:
                with mp.workdps(MOST_DIGITS):
                    found = value(formula, values.__getitem__)
                if _is_exact(formula, found, exact):
                    exact.add(key)
                else:
                    least = SMALLEST * max(Fraction(1), _nearby(abs(found)))
                    spreads[key] = least + SPARE * _moved(formula, values, spreads)
            except (ArithmeticError, ValueError, KeyError, MoreDigits):
                continue
            values[key] = found
        return values, spreads

    def name(self, key: Key) -> str:
        """The identifier of a number at the values of the spec."""
        return self.words.named(f"here {key}", f"{self.figures.name(key)}_here")

    def near(self, key: Key) -> str:
        """The lemma about its bounds."""
        return self.words.named(f"near {key}", f"{self.figures.name(key)}_near")

    def side(self, expr: Key) -> Number:
        """The value of an expression in known numbers. Raises KeyError if one is not known."""
        with mp.workdps(MOST_DIGITS):
            return value(expr, self.values.__getitem__)

    def fails(self, condition: Condition) -> bool:
        """Whether a condition does not hold here, as at a kink."""
        try:
            if several := condition.several:
                place = place_of_largest(several, self.side)
                others = (e for k, e in enumerate(several) if k != place)
                return any(self._order(several[place], each) <= 0 for each in others)
            order = self._order(condition.left, condition.right)
        except (KeyError, ArithmeticError, ValueError):
            return True
        return order <= 0 if condition.above else order == 0

    def _order(self, left: Key, right: Key) -> int:
        return compare(self.side(left), self.side(right))


def here_of(problem: Problem, words: Words, figures: Figures) -> Here | None:
    """The values of a spec; None where it has none."""
    if problem.symbolic:
        return None
    given: dict[Key, Fraction] = {ALPHA: Fraction(problem.training.learning_rate)}
    for scalar in words.scalars.given:
        place = tuple(int(k) for k in scalar.indices)
        given[scalar] = Fraction(problem.values[scalar.name][place])
    own = {each.key: figures.plain(each.formula) for each in figures.numbers}
    formulas = {**words.scalars.forward, **own}
    return Here(words, figures, given, formulas)


def _is_exact(formula: Key, value: Number, exact: set[Key]) -> bool:
    """Whether a number is short, and computed from such numbers by arithmetic and choices."""
    plain = all(isinstance(node, PLAIN) for node in sympy.preorder_traversal(formula))
    short = isinstance(value, Fraction) and value.denominator < 10**30
    return plain and short and exact.issuperset(keys_in(formula))


def _moved(formula: Key, known: Mapping[Key, Number], spreads: Mapping[Key, Fraction]) -> Fraction:
    """How far a formula moves when each number that it reads moves by its spread.

    As for `interval`, each place at which a number is read is a number of its own.
    """
    places: dict[Key, Key] = {}
    apart = _apart(formula, places)
    values = {place: known[key] for place, key in places.items()}
    total = Fraction(0)
    with mp.workdps(PLACES + 20):
        plain = value(apart, values.__getitem__)
        for place, key in places.items():
            if key in spreads:
                moved = {**values, place: plus(values[place], spreads[key])}
                total += _nearby(abs(real(value(apart, moved.__getitem__)) - real(plain)))
    return total


def keys_in(formula: Key) -> tuple[Key, ...]:
    """What a formula reads: elements, and the symbols of a page."""
    inside = {s for e in formula.atoms(Element) for s in e.args}
    symbols = sorted(formula.atoms(sympy.Symbol) - inside, key=str)
    return (*elements_in([formula]), *symbols)


def wanted(here: Here, prints: tuple[Printed, ...]) -> tuple[Key, ...]:
    """The numbers that conditions and prints speak of, with all below them, in order."""
    scalars = here.words.scalars
    found = {k for c in scalars.conditions for k in keys_in(c.left) + keys_in(c.right)}
    found |= {e for row in scalars.distributions for e in row} | {each.key for each in prints}
    for key in reversed(here.formulas):
        if key in found:
            found |= set(keys_in(here.formulas[key]))
    return tuple(key for key in (*here.given, *here.formulas) if key in found)


def definitions(here: Here, keys: tuple[Key, ...]) -> Iterator[str]:
    """The values of the spec, and each further number with its bounds."""
    for key in keys:
        name = here.name(key)
        if key in here.given:
            yield f"Definition {name} : R := {decimal_term(here.given[key])}."
            continue
        if key not in here.values:
            continue
        value, opened = _value(here, key)
        yield wrapped(f"Definition {name} : R :=", value)
        yield wrapped(f"Lemma {here.near(key)} :", _near(here, key))
        steps = _known(here, keys_in(here.formulas[key]))
        end = "exactly" if key in here.exact else "bounded"
        yield f"Proof. unfold {', '.join([name, *opened])}. {steps}{end}. Qed."


def _value(here: Here, key: Key) -> tuple[str, list[str]]:
    """A number by the function of its equation, or by its formula."""
    forward = here.words.scalars.forward
    if key in forward and here.words.written_out:
        read = [here.name(e) for e in elements_in([forward[key]])]
        return call(here.words.of(key), read), [here.words.of(key)]
    return term(here.formulas[key], here.name), []


def _known(here: Here, read: tuple[Key, ...]) -> str:
    """Opens what is given, and puts the bounds of the others in their place."""
    given = [here.name(k) for k in read if k in here.given]
    others = [k for k in read if k not in here.given]
    steps = f"unfold {', '.join(given)}. " if given else ""
    if others:
        steps += f"generalize {' '.join(map(here.near, others))}. "
        steps += f"generalize {' '.join(map(here.name, others))}. intros. "
    return steps


def theorems(here: Here) -> Iterator[Theorem]:
    """What was taken for granted, at the values of the spec."""
    words = here.words
    for row in words.scalars.distributions:
        name = words.named(f"here {words.total(row)}", f"{words.total(row)}_here")
        total, opened = (mark.join(map(here.name, row)) for mark in (" + ", ", "))
        text = f"{wrapped(f'Theorem {name} :', f'{total} = 1')}\nProof. unfold {opened}. lra. Qed."
        yield Theorem(name, text, f"{words.total(row)} at the values of the spec")
    for condition in words.scalars.conditions:
        if not here.fails(condition):
            yield _condition(here, condition)


def _condition(here: Here, condition: Condition) -> Theorem:
    words = here.words
    name = words.named(f"here {words.condition(condition)}", f"{words.condition(condition)}_here")
    turn, end = "", "bounded"
    if several := condition.several:
        place = place_of_largest(several, here.side)
        turn = f"apply (single_is {place}). cbn [single_at above_all nth]. "
        end = "repeat split; bounded"
    elif not condition.above:
        above = compare(here.side(condition.left), here.side(condition.right)) > 0
        turn = "apply Rgt_not_eq; unfold Rgt. " if above else "apply Rlt_not_eq. "
    statement = wrapped(f"Theorem {name} :", condition.text(here.name))
    read = tuple(dict.fromkeys(keys_in(condition.left) + keys_in(condition.right)))
    text = f"{statement}\nProof. {turn}{_known(here, read)}{end}. Qed."
    return Theorem(name, text, f"{condition.text(words)} at the values of the spec")


def number_theorems(here: Here, prints: tuple[Printed, ...]) -> Iterator[Theorem]:
    """Each print of a page that goes on with unrounded numbers, within half a unit."""
    for each in prints:
        if each.key in here.values:
            name = here.figures.print_name(each)
            value, half = decimal_term(each.value), decimal_term(each.half_unit)
            shown = f"Rabs ({here.name(each.key)} - {value}) <= {half}"
            proof = f"Proof. {_known(here, (each.key,))}printed. Qed."
            text = f"{wrapped(f'Theorem {name} :', shown)}\n{proof}"
            yield Theorem(name, text, about_number(each.report))


def _near(here: Here, key: Key) -> str:
    """What is shown of a number: its value if that is rational all the way, else its bounds."""
    name, value = here.name(key), here.values[key]
    if key in here.exact and isinstance(value, Fraction):
        return f"{name} = {decimal_term(value)}"
    near = _nearby(value)
    spread = here.spreads[key]
    low, high = (number(_rational(side)) for side in (near - spread, near + spread))
    return f"{low} <= {name} <= {high}"


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


def _nearby(value: Number) -> Fraction:
    """A number, and a little more, with as many places as bounds have."""
    with mp.workdps(MOST_DIGITS):
        return Fraction(int(mp.ceil(real(value) * mp.mpf(10) ** PLACES)), 10**PLACES)


def _apart(expr: Key, places: dict[Key, Key]) -> Key:
    """An expression in which each place where something is read has a symbol of its own."""
    if isinstance(expr, Element | sympy.Symbol):
        place = sympy.Symbol(f"place{len(places)}", real=True)
        places[place] = expr
        return place
    return expr.func(*[_apart(a, places) for a in expr.args]) if expr.args else expr
