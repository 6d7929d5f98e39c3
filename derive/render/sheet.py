"""The sheet: every number of the page in reading order, exact and as printed, and its display.

A key is an `Element` with numbers for indices, or a symbol for a derivative. A display is written
from the same expression that its number is computed from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from typing import TypeAlias

import sympy

from derive.expression import Element
from derive.graph import Role
from derive.notation import UPDATED, Name, Notation, derivative
from derive.numbers import (
    Number,
    NumberFormat,
    evaluate,
    going_on,
    literal,
    reason,
    summed,
    times,
    working,
)
from derive.render.formula import Writer
from derive.render.pieces import (
    TEX,
    Piece,
    Script,
    Tightness,
    join_product,
    join_sum,
    number_piece,
    width,
)

Key: TypeAlias = sympy.Expr
Chain: TypeAlias = Sequence[Sequence[Key]]
LINE = 58


@dataclass(frozen=True)
class Entry:
    """One number of the page. Without values all three are None.

    `formula` is what it was computed from, in keys of the sheet; a given number has none.
    """

    name: Name
    exact: Number | None
    page: Fraction | None
    text: str | None
    formula: sympy.Expr | None = None


@dataclass(frozen=True)
class Display:
    """An equation of the page: `lhs = row = row = …`, the last row ending with the result.

    `shortened` says that terms of a sum that are zero have been left out, `in_numbers` that the
    numbers are put in before the result. `formula` are the rows in names, without the result, where
    the equation is one of a number.
    """

    label: str
    lhs: str
    rows: tuple[str, ...]
    result: str | None
    shortened: bool = False
    in_numbers: bool = True
    formula: tuple[str, ...] = ()


Leaf: TypeAlias = Callable[[Key], Piece]


@dataclass(frozen=True)
class Form:
    """How the right side of a key is written, with any leaves, and the rows `shown` before it."""

    write: Callable[[Leaf], str]
    shown: tuple[str, ...] = ()


@dataclass
class Sheet:
    """The numbers of one page; it grows in reading order."""

    names: Notation
    format: NumberFormat
    script: Script = TEX
    entries: dict[Key, Entry] = field(default_factory=dict)
    labels: dict[Key, str] = field(default_factory=dict)
    symbols: dict[Key, Name] = field(default_factory=dict)
    forms: dict[Key, Form] = field(default_factory=dict)
    slopes: dict[Key, tuple[Key, Key]] = field(default_factory=dict)

    # --- keys -------------------------------------------------------------------------------

    def name(self, key: Key) -> Name:
        return self.symbols[key] if key in self.symbols else self.names.name(key)

    def symbol(self, key: Key) -> str:
        """How the key is written."""
        return self.script.name(self.name(key))

    def slope(self, of: Key, by: Key) -> Key:
        """The key of ∂of/∂by."""
        name = derivative(self.name(of), self.name(by))
        key = sympy.Symbol(name.report, real=True)
        self.symbols.setdefault(key, name)
        self.slopes[key] = of, by
        return key

    def label(self, key: Key) -> str:
        return "eq:" + self.name(key).code

    def text(self, key: Key) -> str | None:
        """A number as it stands on the page; None if there is none."""
        entry = self.entries.get(key)
        return None if entry is None or entry.text is None else self.written(entry.text)

    def written(self, text: str) -> str:
        """A decimal literal as the page has it: far from 1 as a power of ten."""
        return text if self.format.decimals is not None else self.script.number(text)

    # --- entries ----------------------------------------------------------------------------

    def give(self, key: Key, value: Fraction | None, name: Name | None = None) -> None:
        """A given number; it is written as it was given."""
        if name is not None:
            self.symbols[key] = name
        text = literal(value) if value is not None else None
        self.entries[key] = Entry(self.name(key), value, value, text)

    def enter(self, key: Key, expr: sympy.Expr) -> bool:
        """Put `key = expr` on the sheet without showing it; False if a value is missing."""
        self.forms[key] = Form(lambda leaf: self._sum_rows(self.writer(leaf), expr))
        known = self._known(expr)
        if known:
            self._enter(key, expr, lambda values: evaluate(expr, values))
        return known

    def define(self, key: Key, expr: sympy.Expr, shown: Sequence[str] = ()) -> Display:
        """`key = expr`; `shown` are further symbolic rows to print before the formula."""
        known = self.enter(key, expr)
        form = self.forms[key] = replace(self.forms[key], shown=tuple(shown))
        return self._display(key, form, known)

    def chain(self, key: Key, terms: Chain, shown: Sequence[str] = ()) -> Display:
        """`key = Σ Π of keys`, written with multiplication signs in the given order."""
        expr = sympy.Add(*[sympy.Mul(*term) for term in terms])
        form = self.forms[key] = Form(lambda leaf: self._chain(terms, leaf), tuple(shown))
        known = self._known(expr)
        if known:
            self._enter(key, expr, lambda values: _chain_value(terms, values))
        return self._display(key, form, known)

    def chain_tex(self, terms: Chain) -> str:
        return self._chain(terms, self.named)

    def _chain(self, terms: Chain, leaf: Leaf) -> str:
        return self._fit([(False, self._term(term, leaf)) for term in terms])

    def equal(self, key: Key, expr: sympy.Expr) -> str:
        """`key = expr = number` on one line, for a derivative that only copies a value."""
        tex = f"{self.symbol(key)} = {self.writer(self.named).tex(expr)}"
        if self.enter(key, expr) and not expr.is_number:
            tex += f" = {self.text(key)}"
        self.labels.setdefault(key, self.label(key))
        return tex

    # --- writing ----------------------------------------------------------------------------

    def writer(self, leaf: Leaf) -> Writer:
        return Writer(leaf, self.rank, self.script)

    def formula(self, expr: sympy.Expr) -> str:
        """The expression in names."""
        return self.writer(self.named).tex(expr)

    def rank(self, key: Key) -> tuple[int, ...]:
        """Data and activations before weights before derivatives; then network order."""
        if not isinstance(key, Element):
            return (2, 0)
        base = key.name.removesuffix(UPDATED)
        quantity = self.names.quantities[base]
        order = list(self.names.quantities).index(base)
        parameter = quantity.role is Role.PARAMETER
        target = quantity.role is Role.TARGET
        return (int(parameter), -1 if target else order, *map(int, key.indices))

    def named(self, key: Key) -> Piece:
        """The key as a leaf of a formula."""
        name = self.name(key)
        hold = Tightness.PRODUCT if name.flat else Tightness.ATOM
        return Piece(self.script.name(name), hold)

    def _number(self, key: Key) -> Piece:
        text = self.text(key)
        if text is None:
            raise ValueError(f"{key} has no value")
        return number_piece(text, self.script)

    def _sum_rows(self, writer: Writer, expr: sympy.Expr) -> str:
        """A formula; a long sum, or a product or quotient with one, goes on over several lines."""
        tex = writer.tex(expr)
        if width(tex) <= LINE:
            return tex
        if isinstance(expr, sympy.Add):
            return self._fit(writer.summands(expr))
        factors = [(f, *f.as_base_exp()) for f in sympy.Mul.make_args(expr)]
        sums = [f for f in factors if isinstance(f[1], sympy.Add) and abs(f[2]) == 1]
        if not sums:
            return tex
        longest, total, power = max(sums, key=lambda each: len(each[1].args))
        rest = sympy.Mul(*[f for f, *_ in factors if f != longest])
        piece = writer.piece(rest)
        bare = rest.is_Mul or piece.number  # it may begin with a minus sign
        front = piece.tex if bare else piece.within(Tightness.PRODUCT)
        front += self.script.opening if power == 1 else " / "
        opening, closing = self.script.wide
        return f"{front}{opening}{self._fit(writer.summands(total), width(front))}{closing}"

    def _term(self, term: Sequence[Key], leaf: Leaf) -> str:
        return join_product([leaf(key) for key in term], self.script.times)

    def _display(self, key: Key, form: Form, known: bool) -> Display:
        self.labels.setdefault(key, self.label(key))
        written = list(dict.fromkeys([*form.shown, form.write(self.named)]))
        formula: tuple[str, ...] = ()
        result = None
        if known:
            substituted, result = form.write(self._number), self.text(key) or ""
            if written[-1] == substituted:  # no name to put a number for
                written.pop()
            formula = tuple(written)
            if substituted == result:
                written.append(result)
            else:
                long = width(substituted) + width(result) > LINE
                written += [substituted, result] if long else [f"{substituted} = {result}"]
        symbol = self.symbol(key)
        return Display(self.label(key), symbol, tuple(written), result, formula=formula)

    def _fit(self, parts: list[tuple[bool, str]], length: int = 0) -> str:
        """A sum on one line or, if that is too long, on several; `length` is taken already."""
        lines: list[list[tuple[bool, str]]] = [[]]
        for part in parts:
            size = width(part[1]) + 3
            if lines[-1] and length + size > LINE:
                lines.append([])
                length = 0
            lines[-1].append(part)
            length += size
        rest = [
            f"{'-' if line[0][0] else '+'} {join_sum([(False, line[0][1]), *line[1:]])}"
            for line in lines[1:]
        ]
        return self.script.break_line.join([join_sum(lines[0]), *rest])

    # --- values -----------------------------------------------------------------------------

    def _known(self, expr: sympy.Expr) -> bool:
        leaves = expr.atoms(Element, sympy.Symbol) - _inner_names(expr)
        return all(k in self.entries and self.entries[k].page is not None for k in leaves)

    def _enter(
        self, key: Key, formula: Key, compute: Callable[[Callable[[Key], Number]], Number]
    ) -> None:
        try:
            with working():
                exact = compute(lambda k: _value(self.entries[k].exact))
                chained = exact
                if self.format.chained:
                    chained = going_on(lambda: compute(lambda k: _value(self.entries[k].page)))
            page, text = self.format.round(chained), self.format.text(chained)
        except (ArithmeticError, ValueError) as error:
            words = f"in the equation of {self.name(key).report}: {reason(error)}"
            raise ValueError(words) from error
        self.entries[key] = Entry(self.name(key), exact, page, text, formula)


def _value(number: Number | None) -> Number:
    if number is None:
        raise ValueError("a value is missing")
    return number


def _inner_names(expr: sympy.Expr) -> set[sympy.Basic]:
    """Symbols that are part of an element rather than leaves themselves."""
    return set().union(*[e.free_symbols for e in expr.atoms(Element)], set())


def _chain_value(terms: Chain, values: Callable[[Key], Number]) -> Number:
    return summed(reduce(times, map(values, term), Fraction(1)) for term in terms)


def values_of(entries: Mapping[Key, Entry]) -> dict[str, Entry]:
    """The entries by their name in reports."""
    return {entry.name.report: entry for entry in entries.values()}
