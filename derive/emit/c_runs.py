"""Loops of C over the same letter as one: what one computes, the next reads while it is near."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from derive.emit.program import Assignment
from derive.emit.tree import Read, walk
from derive.expression import Index

LOOP = re.compile(r"for \(int (\w+) = 0; \w+ < \w+; \w+\+\+\) \{")
NOTHING = re.compile(r"\S* = 0\.0;|for \(int .*\{|\}")
Lines = list[str]


@dataclass
class _Run:
    """Loops over the same letter, and what they read and write."""

    head: str
    letter: str
    body: Lines = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)  # written here, each turn of the loop its own part

    def takes(self, assignment: Assignment, places: Mapping[str, str]) -> bool:
        """Whether the loop of an assignment may be part of this one."""
        target = places[assignment.quantity.name]
        if target in self.read or (target in self.written and target not in self.own):
            return False
        for node in walk(assignment.value):
            if isinstance(node, Read) and places[node.name] in self.written:
                first = node.indices[0] if node.indices else None
                here = isinstance(first, Index) and first.name == self.letter
                if not here or places[node.name] not in self.own:
                    return False
        return target not in self.own or self._leads(assignment)

    def _leads(self, assignment: Assignment) -> bool:
        return bool(assignment.loops) and assignment.loops[0].index.name == self.letter

    def add(self, lines: Lines, assignment: Assignment, places: Mapping[str, str]) -> None:
        """Takes the lines of a loop."""
        target = places[assignment.quantity.name]
        nodes = (node for node in walk(assignment.value) if isinstance(node, Read))
        self.read |= {places[node.name] for node in nodes} - self.written
        self.written.add(target)
        if self._leads(assignment):
            self.own.add(target)
        self.body += lines[1:-1]


def joined(parts: Iterable[tuple[Lines, Assignment | None]], places: Mapping[str, str]) -> Lines:
    """The lines of some assignments, with loops over the same letter joined where nothing changes.

    Recurrences stand without an assignment.
    """
    found: Lines = []
    run: _Run | None = None
    for lines, assignment in parts:
        for chunk in _chunks(lines):
            head = LOOP.fullmatch(chunk[0])
            if assignment is None or head is None:
                found += [*_closed(run), *chunk]
                run = None
                continue
            if run is not None and chunk[0] == run.head and run.takes(assignment, places):
                run.add(chunk, assignment, places)
            elif run is not None and _is_nothing(chunk, assignment, run, places):
                found += chunk
            else:
                found += _closed(run)
                run = _Run(chunk[0], head[1])
                run.add(chunk, assignment, places)
    return [*found, *_closed(run)]


def _is_nothing(chunk: Lines, assignment: Assignment, run: _Run, places: Mapping[str, str]) -> bool:
    """Whether a loop only empties a table that a run has not met, so that it may come before it."""
    target = places[assignment.quantity.name]
    untouched = target not in run.read | run.written
    return untouched and all(NOTHING.fullmatch(line.strip()) for line in chunk)


def _closed(run: _Run | None) -> Lines:
    return [] if run is None else [run.head, *run.body, "}"]


def _chunks(lines: Lines) -> Iterator[Lines]:
    """Lines as outermost loops and single statements."""
    chunk: Lines = []
    for line in lines:
        chunk.append(line)
        if line == "}" or (not line.startswith((" ", "for ", "if ")) and len(chunk) == 1):
            yield chunk
            chunk = []
    assert not chunk
