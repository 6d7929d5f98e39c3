r"""Formulas for whole tables, entry by entry: `y = x - z`, `d = g \odot (1 - y \odot y)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from string import ascii_lowercase

import sympy
from sympy.core.function import AppliedUndef

from derive.proofread.entries.places import Entry, Slope, Stem
from derive.proofread.matrices import parted

_ENTRYWISE = re.compile(r"\\(?:odot|circ)(?![A-Za-z])")


def of_entries(
    sides: Sequence[tuple[sympy.Expr, str]],
    shapes: Mapping[Stem, tuple[range, ...]],
    named: Callable[[str], Entry | Slope],
) -> list[sympy.Expr] | None:
    """The sides for one entry.

    None unless all tables in them have one shape and are multiplied with nothing but `\\odot`.
    """
    tables = set()
    for form, _ in sides:
        for symbol in form.free_symbols:
            entry = named(symbol.name)
            if isinstance(entry, Slope) or entry.indices:
                return None
            if shapes.get(entry.stem):
                tables.add((symbol, shapes[entry.stem]))
    if len({shape for _, shape in tables}) != 1:
        return None
    symbols = {symbol for symbol, _ in tables}
    if any(_products(form, symbols) != len(_ENTRYWISE.findall(tex)) for form, tex in sides):
        return None
    letters = ",".join(ascii_lowercase[: len(next(iter(tables))[1])])
    changes = {symbol: _entry_of(symbol, letters) for symbol in symbols}
    return [form.xreplace(changes) for form, _ in sides]


def _entry_of(symbol: sympy.Symbol, letters: str) -> sympy.Symbol:
    name, marks = parted(symbol.name)
    return sympy.Symbol(f"{name}_{letters}{marks}", real=True)


def _products(form: sympy.Expr, tables: set[sympy.Symbol]) -> int:
    """How many products of tables there are; too many where a sum or a maximum is taken."""
    if isinstance(form, AppliedUndef):
        return 1_000
    count = sum(_products(part, tables) for part in form.args)
    inside = [part for part in form.args if part.free_symbols & tables]
    if form.is_Mul:
        count += max(0, len(inside) - 1)
    if form.is_Pow and inside and form.exp.is_Integer and form.exp > 1:
        count += int(form.exp) - 1
    return count
