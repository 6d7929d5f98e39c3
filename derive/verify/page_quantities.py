"""What a page says of its quantities, against the graph: shapes, readers, ranges of letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from derive.graph import adjoint_name
from derive.verify.phrasebook import phrases
from derive.verify.told import ToldPage
from derive.verify.written import CELL, Sort, Written, left_side, symbols

RANGE = re.compile(r"0 \\le (\S+?) < (\d+)(?![\d.])")
SUM = re.compile(r"\\sum_\{(\S+?)=0\}\^\{(\d+)\}")
COMMA = re.compile(r"[,、，]")
SCALAR = re.compile(r'put\.quantities\(.*roles, "([^"]*)"')


def misdescribed(page: ToldPage) -> Iterator[str]:
    """Rows of the table of quantities with another shape or role than the graph has."""
    if not page.symbols:
        return
    table = page.text.partition("\\begin{longtable}")[2].partition("\\end{longtable}")[0]
    said: dict[tuple[str, bool], str] = {}
    described = set()
    upstream = set(page.problem.upstream.values())
    known = SCALAR.search(phrases(page.language))
    word_for_scalar = known[1] if known else ""
    for line in table.splitlines():
        cells = [cell.strip() for cell in CELL.split(line.removesuffix("\\\\").strip())]
        for k in range(0, len(cells) - 2, 3):
            symbol, shape, role = cells[k : k + 3]
            quantity = page.quantity(symbol.strip("$"))
            if quantity is None or not symbol.startswith("$"):
                continue
            described.add(quantity.name)
            sizes = r" \times ".join(str(axis.size) for axis in quantity.axes)
            expected = f"${sizes}$" if sizes else word_for_scalar
            if shape != expected:
                yield f"the shape of {symbol} is ${sizes}$, printed is {shape}"
            kind = "upstream" if quantity.name in upstream else quantity.role.value
            key = (kind, quantity.integer)
            word = said.setdefault(key, role)
            if role != word or any(v == role for each, v in said.items() if each != key):
                yield f"{symbol} is described as {role}"
            if f'"{COMMA.split(role)[0]}"' not in phrases(page.language):
                yield f"{symbol} is described as {role}, which is no role"
    for name in sorted({*page.problem.graph.quantities} - described):
        yield f"'{name}' is missing in the table of quantities"


def misplaced(page: ToldPage) -> Iterator[str]:
    """Sentences that say in which equations a quantity stands, against the graph."""
    if not page.symbols or page.problem.forward_only or page.derivation is None:
        return
    graph, derived = page.problem.graph, page.derivation.backward.quantities
    # An equation that is read on no way by which a derivative comes is not named.
    there = {graph.loss.name, *(n for n in graph.quantities if adjoint_name(n) in derived)}
    for section in page.sections:
        names = symbols(section[0].text)
        follow = [piece.sort for piece in section].index
        if len(names) != 1 or not any(p.sort is Sort.DISPLAY for p in section):
            continue
        slope = f"{page.slope(names[0])}}}"
        if all(left_side(p.text) != slope for p in section if p.sort is Sort.DISPLAY):
            continue
        sentence = [p.text for p in section[1 : follow(Sort.DISPLAY)] if p.sort is Sort.SYMBOL]
        subject = page.quantity(names[0])
        if not sentence or subject is None:
            continue
        readers = [e.quantity.name for e in graph.readers(subject.name)]
        expected = Counter([subject.name, *(each for each in readers if each in there)])
        found = Counter(q.name for each in sentence if (q := page.quantity(each)) is not None)
        loss = graph.loss.name
        del expected[loss], found[loss]
        if not readers or (set(readers) & there) == {loss}:
            continue
        if found != expected:
            words = ", ".join(dict.fromkeys(expected))
            yield f"line {section[0].line}: what is said of ${names[0]}$ should name {words}"


def out_of_range(page: ToldPage) -> Iterator[str]:
    """Letters against the ranges that the page declares, by the axes at which they stand."""
    if not page.symbols:
        return
    shared: dict[str, str] = {}
    waiting: list[Written] = []
    for piece in page.pieces:
        stated = RANGE.findall(piece.text) if piece.sort is Sort.SYMBOL else []
        if stated and not waiting and not shared:
            shared = dict(stated)
        elif stated:
            yield from _of_letters(page, waiting, shared, dict(stated))
            waiting = []
        elif piece.sort is Sort.DISPLAY and piece.label and not piece.label.startswith("eq:at-"):
            yield from _of_letters(page, waiting, shared, {})
            waiting = [piece]
    yield from _of_letters(page, waiting, shared, {})


def _of_letters(
    page: ToldPage, displays: Sequence[Written], shared: Mapping[str, str], local: Mapping[str, str]
) -> Iterator[str]:
    """The letters of a display; a sum may state the range of its own, a prime keeps that of all."""
    for display in displays:
        own = [(name, str(int(last) + 1)) for name, last in SUM.findall(display.text)]
        for letter, sizes in _uses(page, display.text):
            stated = {size for name, size in own if name == letter}
            stated |= {{**shared, **local}[letter]} if letter in {**shared, **local} else set()
            if letter.endswith("'"):
                stated = {shared[letter.rstrip("'")]} if letter.rstrip("'") in shared else set()
            if stated and sizes and not stated & sizes:
                said, there = (" or ".join(sorted(each)) for each in (stated, sizes))
                yield (
                    f"line {display.line}: {letter} is said to run over {said} places, but stands "
                    f"where there are {there}"
                )


def _uses(page: ToldPage, formula: str) -> Iterator[tuple[str, set[str]]]:
    """The letters of a formula, with the sizes that a letter at their place can have."""
    for symbol, quantity in page.symbols.items():
        if not quantity.axes:
            continue
        for match in re.finditer(rf"(?<![A-Za-z{{]){re.escape(symbol)}_\{{([^{{}}]*)\}}", formula):
            places = match[1].split(",")
            if len(places) == len(quantity.axes):
                for k, place in enumerate(places):
                    if re.fullmatch(r"[A-Za-z]'*", place):
                        yield place, page.sizes.get((quantity.name, k), set())
