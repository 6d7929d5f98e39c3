"""A page as it is written beside what it was told from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from derive.expression import Index, elements
from derive.graph import Derivation, Quantity, adjoint_name
from derive.notation import IndexNotation, names_of
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.positions import letter
from derive.verify.phrasebook import book_headings
from derive.verify.written import Sort, Written, left_side, pieces, spaced, symbols


@dataclass(frozen=True)
class ToldPage:
    """A page as it is written, with what it was told from."""

    text: str
    page: Page
    problem: Problem
    language: str
    derivation: Derivation | None = None

    @cached_property
    def pieces(self) -> Sequence[Written]:
        """The page in order."""
        return pieces(self.text)

    @cached_property
    def loss(self) -> str:
        """The symbol of the loss."""
        return names_of(self.problem).loss().tex

    @cached_property
    def opened(self) -> dict[int, int]:
        """The block that each heading without a formula opens, in order."""
        book, found, now = book_headings(self.language), {}, 0
        for piece in self.pieces:
            now = max(now, self.owners.get(label_of(piece), 0))
            if piece.sort is not Sort.HEADING or symbols(piece.text):
                continue
            for k in range(now, len(self.page.blocks)):
                block = self.page.blocks[k]
                suiting = [h for h in book.get(block.kind, ()) if h.suits(piece.text, block.fields)]
                if suiting:
                    found[id(piece)] = k
                    if not suiting[0].opens:
                        self.inside.add(id(piece))
                    now = k + 1
                    break
        return found

    @cached_property
    def inside(self) -> set[int]:
        """The headings in front of which their block has already begun."""
        return set()

    @cached_property
    def sizes(self) -> dict[tuple[str, int], set[str]]:
        """Over how many places a letter runs that stands at a place of a quantity."""
        if self.derivation is None:
            return {}
        graphs = (self.derivation.forward, self.derivation.backward)
        equations = [equation for graph in graphs for equation in graph.equations]
        exprs = [e for each in equations for e in (each.lhs, each.rhs)]
        exprs += [local.value for local in self.derivation.locals]
        exprs += [step.after for step in self.derivation.steps]
        found: dict[tuple[str, int], set[str]] = {}
        for element in {e for expr in exprs for e in elements(expr)}:
            for k, index in enumerate(element.indices):
                if isinstance(index, Index):
                    name = element.name.removeprefix(adjoint_name(""))
                    found.setdefault((name, k), set()).add(str(index.axis.size))
        return found

    def quantity(self, symbol: str) -> Quantity | None:
        """The quantity of a model that a symbol with indices stands for."""
        if symbol in self.symbols:
            return self.symbols[symbol]
        bare = re.sub(r"_\{[^{}]*\}$", "", symbol)
        return self.symbols.get(bare)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The left side of every display by its label."""
        return {p.label: left_side(p.text) for p in self.pieces if p.label}

    @cached_property
    def owners(self) -> dict[str, int]:
        """The block that makes each label: the first that tells of it."""
        made = {label_of(piece) for piece in self.pieces} - {""}
        found: dict[str, int] = {}
        for k, block in enumerate(self.page.blocks):
            for each in told_strings(block.fields):
                if each in made:
                    found.setdefault(each, k)
        return found

    @cached_property
    def blocks(self) -> list[tuple[int, int]]:
        """The first and the last block that may have told each piece, by the displays beside it."""
        anchors = [
            self.opened.get(id(piece), self.owners.get(label_of(piece))) for piece in self.pieces
        ]
        first, last = [], []
        now = 0
        for anchor in anchors:
            now = now if anchor is None else anchor
            first.append(now)
        now, next_label = len(self.page.blocks) - 1, None
        for piece, anchor in zip(reversed(self.pieces), reversed(anchors), strict=True):
            now = now if anchor is None else anchor
            last.append(now)
            if label_of(piece):
                next_label = anchor
            elif piece.sort is Sort.HEADING:
                begins = next_label if anchor is None else anchor
                if begins is not None and id(piece) not in self.inside:
                    now = begins - 1
                next_label = None
        return list(zip(first, reversed(last), strict=True))

    @cached_property
    def sections(self) -> list[list[Written]]:
        """The pieces from each heading to the next; what comes before the first is left out."""
        found: list[list[Written]] = []
        for piece in self.pieces:
            if piece.sort is Sort.HEADING:
                found.append([])
            if found:
                found[-1].append(piece)
        return found

    @cached_property
    def symbols(self) -> dict[str, Quantity]:
        """The quantities of a model by their symbols."""
        names, graph = names_of(self.problem), self.problem.graph
        if not isinstance(names, IndexNotation):
            return {}
        known = graph.quantities
        whole = {names.at(name, ()).inline: quantity for name, quantity in known.items()}
        return whole | {each: known[name] for each, (name, _) in self.quotients.items()}

    @cached_property
    def quotients(self) -> dict[str, tuple[str, str]]:
        """Derivatives that belong to the model, as sentences write them: name, and in displays."""
        names, graph = names_of(self.problem), self.problem.graph
        if not isinstance(names, IndexNotation):
            return {}
        found = {}
        for equation in graph.equations:
            if not equation.quantity.tex:
                name = equation.quantity.name
                entry = names.at(name, [letter(index.name) for index in equation.indices])
                found[entry.inline] = (name, entry.tex)
        return found

    def slope(self, symbol: str) -> str:
        """How the derivative of the loss by what a symbol stands for begins."""
        by = f"{{({symbol})}}" if symbol in self.quotients else symbol
        return rf"\frac{{\partial {self.loss}}}{{\partial {by}"


def label_of(piece: Written) -> str:
    """The label that a piece is or has."""
    return piece.text if piece.sort is Sort.LABEL else piece.label


def told_strings(value: Any) -> Iterator[str]:
    """Every finished string of a block, the labels of its displays included."""
    if isinstance(value, str):
        yield spaced(value)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from told_strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from told_strings(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from told_strings(getattr(value, name))
