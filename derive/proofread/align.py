"""Which number of a worked line stands for which name of the formula it works out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import count, pairwise

import sympy

from derive.proofread.formula import DOTS, parse_formula
from derive.proofread.policy import Policy, expected_value
from derive.proofread.tokens import FormulaError, TokenKind, tokenize
from derive.proofread.values import FAILURES, exact_value, value_of

_SIGNED = {
    "no": re.compile(r"(?!)"),  # a minus belongs to the formula, as in 1/(1 + e^{-x})
    "bracketed": re.compile(r"(?:(?<=\()|(?<=\\lvert))\s*-\s*(?=[\d.])"),
    "leading": re.compile(
        r"(?:(?<=[(\[{*/+])|(?<=\\times)|(?<=\\cdot)|(?<=\\lvert)|^)\s*-\s*(?=[\d.])"
    ),
}
# Two minuses in brackets are a plus: they belong to the numbers, unless the formula has them, too.
_OPENING_MINUS = re.compile(r"\(\s*-")
_LIKELY = {False: ("no", "bracketed", "leading"), True: ("bracketed", "no", "leading")}


@dataclass(frozen=True)
class Atom:
    """A name or a number of a formula, in reading order."""

    text: str
    is_name: bool

    @property
    def value(self) -> Fraction:
        """What a number is worth."""
        return exact_value(self.text)


Pairs = list[tuple[str, Atom]]


@dataclass(frozen=True)
class Template:
    """A formula whose names and numbers are numbered slots, and what stands in each."""

    shape: sympy.Expr
    atoms: tuple[Atom, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names that stand in the formula."""
        slots = {symbol.name for symbol in self.shape.free_symbols}
        return frozenset(
            atom.text
            for slot, atom in zip(_slots(), self.atoms, strict=False)
            if atom.is_name and slot in slots
        )

    def texts(self) -> dict[str, str]:
        """What is written in each slot."""
        return {slot: atom.text for slot, atom in zip(_slots(), self.atoms, strict=False)}

    def values(self, known: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """What stands in each slot, where it is known."""
        return {
            slot: known[atom.text] if atom.is_name else atom.value
            for slot, atom in zip(_slots(), self.atoms, strict=False)
            if not atom.is_name or atom.text in known
        }


def _slots() -> Iterator[str]:
    return (f"{k:04d}" for k in count(1))  # so that SymPy keeps their order


@lru_cache(maxsize=20_000)
def template(tex: str, signed: str = "no") -> Template:
    """Read a formula with a slot for each atom. Raises FormulaError."""
    atoms: list[Atom] = []
    slots = _slots()

    def slot(text: str, is_name: bool) -> sympy.Expr:
        atoms.append(Atom(text, is_name))
        return sympy.Symbol(next(slots), real=True)

    bare = _unsigned(tex, signed)
    shape = parse_formula(bare, lambda text: slot(text, False), lambda name: slot(name, True))
    if bare == tex:
        return Template(shape, tuple(atoms))
    numbers = [token for token in tokenize(bare) if token.kind is TokenKind.NUMBER]
    negative = {found.end() for found in _SIGNED[signed].finditer(tex)}
    if len(numbers) != sum(not atom.is_name for atom in atoms):
        raise FormulaError("a number is part of a name here", 0)
    tokens = iter(numbers)
    with_signs = (
        replace(atom, text=f"-{atom.text}")
        if not atom.is_name and next(tokens).position in negative
        else atom
        for atom in atoms
    )
    return Template(shape, tuple(with_signs))


def aligned(formula: str, worked: str) -> Pairs | None:
    """The number written for each name; None if the worked line is not this formula in numbers.

    Numbers of the formula itself, such as the 2 of a square, must be the same in both. A minus that
    the formula does not have belongs to a number, also where two of them cancel.
    """
    likely: Pairs | None = None
    for pairs, signed in _readings(formula, worked, _pairs):
        if pairs is not None and _unsigned(worked, signed).count("-") == formula.count("-"):
            return pairs
        likely = likely or pairs
    return likely


def _readings(
    formula: str, worked: str, matched: Callable[[Template, Template], Pairs | None]
) -> Iterator[tuple[Pairs | None, str]]:
    """What matches in the ways to read a minus of the worked line, the likeliest first."""
    try:
        left = template(formula)
        for signed in _LIKELY[_OPENING_MINUS.search(formula) is None]:
            yield matched(left, template(worked, signed)), signed
    except (FormulaError, ArithmeticError):
        return


def _unsigned(worked: str, signed: str) -> str:
    """A worked line with blanks where a minus belongs to a number."""
    return _SIGNED[signed].sub(lambda found: " " * len(found[0]), worked)


def _pairs(formula: Template, worked: Template) -> Pairs | None:
    found: dict[str, Atom] = {}
    for name, written in _matched(formula, worked) or ():
        if written.is_name or found.setdefault(name, written).value != written.value:
            return None
    return list(found.items()) or None


def _matched(formula: Template, worked: Template) -> Pairs | None:
    """What stands for each name, wherever that stands."""
    if len(formula.atoms) != len(worked.atoms) or formula.shape != worked.shape:
        return None
    both = list(zip(formula.atoms, worked.atoms, strict=True))
    numbers = [pair for pair in both if not pair[0].is_name]
    if any(written.is_name or stands.value != written.value for stands, written in numbers):
        return None
    return [(stands.text, written) for stands, written in both if stands.is_name]


def beside_dots(sides: Iterable[tuple[sympy.Expr, str]]) -> Iterator[tuple[str, Atom]]:
    """The number for each name of a sum that is not written out, in the side behind it."""
    dotted = [tex for form, tex in sides if DOTS in map(str, form.free_symbols)]
    for formula, worked in pairwise(dotted):
        yield from _beside_dots(formula, worked)


def _beside_dots(formula: str, worked: str) -> Pairs:
    """The number written for each name of such a sum, wherever that stands."""
    for found, _ in _readings(formula, worked, _matched):
        if found is not None and (DOTS, DOTS) in [(name, a.text) for name, a in found]:
            written = [(name, atom) for name, atom in found if name != DOTS]
            return [] if any(atom.is_name for _, atom in written) else written
    return []


def cofactor(formula: Template, of: str, by: str) -> Template | None:
    """What a formula of the chain rule multiplies the way from `by` down to `of` with.

    Where ∂E/∂w is a product with ∂h/∂z and ∂z/∂w, and they lead from h down to w, the rest of it
    is ∂E/∂h. None where there is no such way.
    """
    if not formula.shape.is_Mul:
        return None
    written = dict(zip(_slots(), formula.atoms, strict=False))
    steps = {}
    for factor in formula.shape.args:
        if factor.is_Symbol and written[factor.name].is_name:
            above, found, below = written[factor.name].text.replace("∂", "").partition("/")
            if found:
                steps[above] = (below, factor)
    rest, here = formula.shape, by
    while here != of:
        if here not in steps:
            return None
        here, factor = steps.pop(here)
        rest = rest / factor
    return replace(formula, shape=rest)


def value_in(formula: Template, known: Mapping[str, Fraction]) -> Fraction | None:
    """The value of a formula; None if a name of it has none, or it has none itself."""
    if not formula.names <= known.keys():
        return None
    try:
        return value_of(formula.shape, formula.values(known))
    except FAILURES:
        return None


def in_steps(formula: Template, known: Mapping[str, Fraction], policy: Policy) -> Fraction | None:
    """The value of a formula if every product and sum on the way is rounded."""
    if not formula.names <= known.keys():
        return None
    try:
        return _rounded_steps(formula.shape, formula.values(known), policy)
    except FAILURES:
        return None


def _rounded_steps(node: sympy.Expr, values: dict[str, Fraction], policy: Policy) -> Fraction:
    if not (node.is_Add or node.is_Mul):
        return value_of(node, values)
    parts = [_rounded_steps(part, values, policy) for part in _in_reading_order(node)]

    def step(left: Fraction, right: Fraction) -> Fraction:
        return expected_value(policy, left + right if node.is_Add else left * right, "0")

    return reduce(step, parts)


def _in_reading_order(node: sympy.Expr) -> Iterator[sympy.Expr]:
    """The parts of a sum or product in the order in which they were written."""

    def first(part: sympy.Expr) -> str:
        return min((symbol.name for symbol in part.free_symbols), default="")

    yield from sorted(node.args, key=first)
