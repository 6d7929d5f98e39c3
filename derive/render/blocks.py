"""What a page is made of: blocks of finished strings, in reading order.

A block's kind names the phrase that says it; phrases live in `templates/`, one book per language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from derive.render.sheet import Display, Entry
from derive.seen import SeenAsText


@dataclass(frozen=True)
class Block:
    """One piece of the page; `fields` are finished strings, displays, or lists of them."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]


@dataclass(frozen=True)
class Page(SeenAsText):
    """A language-neutral page: its blocks, and every number on it by its report name.

    `proven` are the labels of equations that a certificate proves; they carry a mark.
    """

    title: Mapping[str, str]
    blocks: tuple[Block, ...]
    numbers: Mapping[str, Entry]
    proven: frozenset[str] = frozenset()

    def displays(self) -> tuple[Display, ...]:
        """Every display of the page: what a reader of the written file must find again."""
        return tuple(display for block in self.blocks for display in displays_of(block))


def displays_of(block: Block) -> tuple[Display, ...]:
    """Every display of a block, in the order of its fields."""
    return tuple(_displays(list(block.fields.values())))


def _displays(value: Any) -> list[Display]:
    if isinstance(value, Display):
        return [value]
    if isinstance(value, list | tuple):
        return [display for part in value for display in _displays(part)]
    return []
