"""Route 6, too: the sentences of a page, read from the written file.

What a heading announces has to follow it, a reference has to lead to what is said of it, a table
of quantities and the sentence on where a quantity stands have to agree with the graph, a letter
runs over the axis at which it stands, and every symbol belongs where it was told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from derive.expression import reads
from derive.graph import Derivation, Graph, Role
from derive.problem import Problem
from derive.render.blocks import Block, Page
from derive.verify.page_quantities import misdescribed, misplaced, out_of_range
from derive.verify.phrasebook import book_heads, fixed_symbols, in_book, phrases
from derive.verify.told import ToldPage, told_strings
from derive.verify.written import CELL, Sort, left_side, spaced, symbols

RULE = re.compile(r" = | - \\alpha ")  # of gradient descent, which is put together
EQUAL = re.compile(r" = ")
MANY = 6  # a longer list of what is asked for is not written out
SAID: Mapping[str, tuple[str, ...]] = {
    "setting": ("first_weight", "last_weight"),
    "given": ("inputs", "targets", "weights", "biases"),
    "delta_rule": ("delta",),
    "model_conventions": ("ranges",),
    "model_adjoint": ("ranges",),
    "model_recurrence": ("names", "letter"),
    "model_recurrence_back": ("names", "letter"),
    "model_places": ("names", "letters"),
    "model_places_back": ("names", "letters"),
    "model_upstream": ("name",),
    "model_likes": ("names",),
    "model_alike": ("names", "reads", "makes"),
    "model_update": ("parameter", "states"),
    "model_closing": ("old",),
}


def misread(
    text: str, page: Page, problem: Problem, language: str, derivation: Derivation | None
) -> str:
    """The first sentence of a page that does not say what is so, in words; empty if none."""
    written = ToldPage(text, page, problem, language, derivation)
    for check in CHECKS:
        for fault in check(written):
            return fault
    return ""


def _strangers(page: ToldPage) -> Iterator[str]:
    """Symbols and references that no block of their place tells."""
    fixed = fixed_symbols(page.language)
    told = [set(told_strings(block.fields)) for block in page.page.blocks]
    following = [piece.before for piece in page.pieces[1:]]
    for piece, (first, last), after in zip_longest(page.pieces, page.blocks, following):
        here: set[str] = set().union(*told[first : last + 1])
        reference = piece.sort is Sort.REFERENCE and not piece.text.startswith("fig:")
        if reference and piece.text not in here | {"eq:update"}:
            yield f"line {piece.line}: nothing refers to {piece.text} here"
        names = symbols(piece.text) if piece.sort is Sort.HEADING else []
        for name in [piece.text] if piece.sort is Sort.SYMBOL else names:
            if name not in here | fixed and not all(
                part in here | fixed for part in EQUAL.split(name)
            ):
                yield f"line {piece.line}: nothing is said of ${name}$ here"
            elif piece.sort is Sort.SYMBOL and not in_book(
                piece, after or "", name in here or name not in fixed, page.language
            ):
                yield f"line {piece.line}: '{spaced(piece.before)[-30:]}' does not go with ${name}$"


def _lost(page: ToldPage) -> Iterator[str]:
    """References that a block tells and the page does not make."""
    there = list(zip(page.pieces, page.blocks, strict=True))
    made, said = (
        [(p.text, range(first, last + 1)) for p, (first, last) in there if p.sort is sort]
        for sort in (Sort.REFERENCE, Sort.SYMBOL)
    )
    for k, block in enumerate(page.page.blocks):
        fields = {**block.fields}
        if fields.get("first_hidden"):  # what is known by then is told again, factor by factor
            fields.pop("known", None)
        told = {each for each in told_strings(fields) if page.owners.get(each, k) != k}
        for label in sorted(told):
            if not any(label == text and k in near for text, near in made):
                yield f"the reference to {label} was not found on the page"
        for name, label in _pairs(fields):
            if label in told and not any(name == text and k in near for text, near in said):
                yield f"${name}$ was not found on the page, but the reference to {label}"


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    """Symbols with the equations in which they are found."""
    if isinstance(value, Mapping):
        name = value.get("tex", value.get("name"))
        if isinstance(value.get("ref"), str) and isinstance(name, str):
            yield spaced(name), value["ref"]
        for part in value.values():
            yield from _pairs(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _pairs(part)


def _made_up(page: ToldPage) -> Iterator[str]:
    """Lines that no block tells, where a line is no display of its own."""
    displays = {display.label for display in page.page.displays()}
    told = [set(told_strings(block.fields)) for block in page.page.blocks]
    for piece, (first, last) in zip(page.pieces, page.blocks, strict=True):
        if piece.sort is Sort.DISPLAY and piece.label not in displays:
            here: set[str] = set().union(*told[first : last + 1])
            if piece.text not in here and not here.issuperset(RULE.split(piece.text)):
                yield f"line {piece.line}: nothing gives '{piece.text[:60]}'"


def _unannounced(page: ToldPage) -> Iterator[str]:
    """Headings that announce something else than what follows, or stand in another place."""
    for section in page.sections:
        heading, *rest = section
        follow = {left_side(piece.text) for piece in rest if piece.sort is Sort.DISPLAY}
        if not symbols(heading.text) and id(heading) not in page.opened:
            yield f"line {heading.line}: nothing has the heading '{heading.text[:60]}' here"
        for name in symbols(heading.text):
            slope, (_, shown) = page.slope(name), page.quotients.get(name, (name, name))
            alike = any(
                name in block.fields.get("names", ())
                for block in page.page.blocks
                if block.kind == "model_alike"
            )
            own = any(each == shown or each.startswith(f"{name}_") for each in follow)
            told = any(each.startswith((f"{slope}}}", f"{slope}_")) for each in follow)
            if not (told or own or (alike and not follow)):
                yield f"line {heading.line}: ${name}$ is announced, but does not follow"


def _heads(page: ToldPage) -> Iterator[str]:
    """Table heads that are neither in the phrase book nor told: a word, then what was told."""
    known = book_heads(page.language)
    for piece, (first, last) in zip(page.pieces, page.blocks, strict=True):
        if piece.sort is not Sort.HEAD or piece.text in known:
            continue
        corner, *cells = (cell.strip() for cell in CELL.split(piece.text))
        near = [block.fields for block in page.page.blocks[first : last + 1]]
        word = f'"{corner}"' in phrases(page.language) or corner in set(told_strings(near))
        if not word or [cell.strip("$") for cell in cells] not in list(_lists(near)):
            yield f"line {piece.line}: no table has the head '{piece.text[:60]}'"


def _lists(value: Any) -> Iterator[list[str]]:
    """The lists of finished strings in a block, but for the cells of a row, which are no heads."""
    parts = value.values() if isinstance(value, Mapping) else value
    if hasattr(value, "__dataclass_fields__"):
        parts = [getattr(value, name) for name in value.__dataclass_fields__ if name != "cells"]
    if isinstance(parts, str) or not isinstance(parts, Iterable):
        return
    parts = list(parts)
    if all(isinstance(each, str) for each in parts):
        yield [spaced(each) for each in parts]
    for part in parts:
        yield from _lists(part)


def _unsaid(page: ToldPage) -> Iterator[str]:
    """What the sentences of a block always name, and the page does not."""
    for k, block in enumerate(page.page.blocks):
        near = Counter(
            name
            for piece, (first, last) in zip(page.pieces, page.blocks, strict=True)
            if first <= k <= last
            for name in ([piece.text] if piece.sort is Sort.SYMBOL else symbols(piece.text))
            if piece.sort in (Sort.SYMBOL, Sort.HEADING)
        )
        named = [spaced(each) for name in SAID.get(block.kind, ()) for each in _named(block, name)]
        said = Counter(dict.fromkeys(named, 1) if block.kind == "setting" else named)
        why = block.fields.get("why") or {}
        if (
            block.kind == "update"
            and block.fields["moved"] != "same"
            and why.get("rising") == "yes"
        ):
            said.update(f"{why[each]} = {why[f'{each}_text']}" for each in ("output", "target"))
        for name, count in said.items():
            if name and near[name] < count:
                yield f"${name}$ was not found where it should be said"


def _named(block: Block, name: str) -> Iterator[str]:
    """What a field has a page name; of a layer that is told again with one output, only the new."""
    value = block.fields[name]
    if name == "makes" and len(value) == 1:
        yield value[0]["new"]
    else:
        yield from told_strings(value)


def _asked(page: ToldPage) -> Iterator[str]:
    """The sentence that says what is differentiated by what, or what is computed."""
    if not page.symbols:
        return
    problem, first = page.problem, []
    for piece in page.pieces:
        if piece.sort is Sort.HEADING:
            break
        first.append(piece.text)
    parameters = [q.name for q in problem.graph.of_role(Role.PARAMETER)]
    wanted = _computed(problem.graph) if problem.forward_only else [*(problem.wanted or parameters)]
    names = {q.name: symbol for symbol, q in page.symbols.items()}
    expected = Counter(
        names[n] for n in (*(wanted if len(wanted) <= MANY else ()), *problem.upstream)
    )
    found = Counter(first)
    if not problem.forward_only:
        del expected[page.loss]
        found = found if found.pop(page.loss, 0) else Counter([""])
    if found != expected:
        yield "the first sentences do not name what is asked for"


def _computed(graph: Graph) -> list[str]:
    """What a forward pass comes to: what is written in the spec, and none goes on with."""
    used = {n for e in graph.equations for n in reads(e.rhs) if n != e.quantity.name}
    computed = [e.quantity for e in graph.equations]
    on_the_way = {q.name for q in computed if q.slope and not q.tex}
    return [q.name for q in computed if q.name not in used | on_the_way]


CHECKS = (
    _strangers,
    _lost,
    _made_up,
    _unsaid,
    _asked,
    _unannounced,
    _heads,
    misdescribed,
    misplaced,
    out_of_range,
)
