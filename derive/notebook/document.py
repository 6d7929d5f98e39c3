"""Page and module → a notebook: text, and beneath it cells that compute what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import yaml

from derive.emit.layout import WIDTH, statement
from derive.notebook.cells import Cell, printed
from derive.notebook.pencil import in_numbers
from derive.notebook.program import FIRST, GRADIENTS, UPDATE, Program, Record, literal
from derive.notebook.rounding import CERTAIN, units
from derive.numbers import Rounding
from derive.problem import Problem
from derive.render.blocks import Block, Page, displays_of
from derive.render.document import without_gaps
from derive.render.markdown import Document, passages, within
from derive.templating import environment, source
from derive.theme import NO_THEME, Theme

LONG = 60  # lines of text after which its numbers are computed, and a new cell begins
STAGES: Mapping[str, frozenset[str]] = {  # before which kinds of blocks a stage is complete
    "forward": frozenset({"descent", "model_backward"}),
    "gradients": frozenset({"updates", "comparison", "model_update", "symbolic_end"}),
    "update": frozenset({"training", "model_rounds", "model_training", "table", "closing"}),
}
TOOLS = Cell("", code=True)  # where the functions stand that the cells need
POWER = re.compile(r"(.*) \\times 10\^\{(-?\d+)\}")
TRAINING = frozenset({"training", "model_training"})


def notebook(
    problem: Problem, page: Page, language: str, target: str, theme: Theme = NO_THEME
) -> str:
    """The whole notebook. `problem` has the numbers as they are carried on the page."""
    told = Notebook(problem, page, language, Program(problem, page, target), theme)
    return printed(told.cells())


@dataclass(frozen=True)
class Notebook:
    """A page told in one language, beside its program."""

    problem: Problem
    page: Page
    language: str
    program: Program
    theme: Theme = NO_THEME

    @property
    def words(self) -> Mapping[str, str]:
        return _words(self.language)

    @cached_property
    def document(self) -> Document:
        return passages(self.page, self.language, within, self.theme)

    def cells(self) -> Iterator[Cell]:
        """Text and code in turn, with the functions that the cells need."""
        told = list(self._told())
        used = any("units(" in cell.source for cell in told)
        for cell in told:
            yield Cell(self._tools(used), code=True) if cell is TOOLS else cell

    def _told(self) -> Iterator[Cell]:
        """The cells; each stage of the program stands where the page is done with it."""
        left = dict(STAGES)
        text, lines = [self.document.head], list[str]()
        opened = False
        for passage in self.document.passages:
            due = [name for name, kinds in left.items() if passage.block.kind in kinds]
            late = list(left)[: list(left).index(due[-1]) + 1] if due else []
            heads = passage.text.lstrip().startswith("## ")
            if late or (heads and opened) or "\n".join(text).count("\n") > LONG:
                yield from self._said(text, lines)
                text, lines = [], []
            if heads and not opened:
                yield from self._said(text, lines)
                text, lines, opened = [], [], True
                yield from self._opening()
            for stage in late:
                yield from self._stage(stage)
                del left[stage]
            text.append(passage.text)
            lines += self._worked(passage.block)
        yield from self._said(text, lines)
        for stage in left:
            yield from self._stage(stage)

    def _said(self, text: list[str], lines: list[str]) -> Iterator[Cell]:
        """What has been said, and its numbers once more."""
        if text:
            yield Cell(without_gaps("\n\n".join(text)))
        if lines:
            yield Cell("\n".join([f"# {self.words['line']}", *lines]), code=True)

    def _opening(self) -> Iterator[Cell]:
        """What the notebook is, its rounding, and what its functions are about."""
        yield Cell(self.words["run"])
        yield TOOLS
        for piece in self.program.beginning():
            yield Cell(without_wide_gaps(piece), code=True)

    def _tools(self, units: bool) -> str:
        numbers = self.problem.numbers
        half_up = numbers.rounding is Rounding.HALF_UP
        return (
            environment("code")
            .get_template("notebook/tools.py.j2")
            .render(
                words=self.words,
                certain=CERTAIN,
                decimals=numbers.decimals,
                digits=numbers.significant_digits or 4,
                mode="ROUND_HALF_UP" if half_up else "ROUND_HALF_EVEN",
                units=units,
            )
        )

    def _worked(self, block: Block) -> Iterator[str]:
        """The lines with numbers of a block."""
        for display in displays_of(block):
            found = in_numbers(display) if display.result is not None else None
            number = self.document.numbers.get(display.label)
            entry = next((e for e in self.page.numbers.values() if e.name.tex == display.lhs), None)
            if found is None or entry is None or entry.text is None or number is None:
                continue
            tag = f"({number})"
            apart = units(found.value, entry.text, self.problem.numbers)
            if apart is None or (apart and self.problem.numbers.chained):
                yield f"# {self.words['few'].format(name=tag)}"
            else:
                yield _worked(found.text, literal(entry.text), apart, tag)

    # --- stages -------------------------------------------------------------------------------

    def _stage(self, stage: str) -> Iterator[Cell]:
        """The functions of a stage, and their numbers."""
        program, loss = self.program, not self.problem.forward_only
        if stage == "forward":
            yield Cell(program.functions(FIRST), code=True)
            made = [f"values = forward({program.given})"]
            if self.problem.symbolic:
                made.insert(
                    0, f"{program.given} = example_parameters(seed=0), example_sample(seed=0)"
                )
            yield from self._held(made, program.values())
        elif stage == "gradients" and loss:
            yield Cell(program.functions(GRADIENTS), code=True)
            yield from self._held([f"slopes = gradients({program.given})"], program.slopes())
            if self.problem.symbolic and program.trains and program.target == "numpy":
                text = environment("code").get_template("notebook/slope.py.j2")
                yield Cell(text.render(words=self.words, names=program.names()), code=True)
        elif stage == "update" and loss and program.trains:
            yield Cell(program.functions(UPDATE), code=True)
            if not self.problem.symbolic:
                yield from self._held([program.updated()], program.new())
                yield from self._held(["again = forward(updated, SAMPLE)"], program.again())
                yield from self._trained()

    def _held(self, made: list[str], record: Record) -> Iterator[Cell]:
        """A call, and what it gives held against the page."""

        def few(name: str) -> str:
            return self.words["few"].format(name=name)

        told = self.page.numbers and not self.problem.symbolic
        found = list(self.program.held(record, few)) if told else []
        equal = [line for line, apart in found if not apart]
        apart = [line for line, apart in found if apart]
        equal = [f"\n# {self.words['module']}", *equal] if equal else []
        apart = [f"\n# {self.words['apart']}", *apart] if apart else []
        yield Cell("\n".join([*made, *equal, *apart]), code=True)

    def _trained(self) -> Iterator[Cell]:
        """The training, where the page says what it ends at."""
        for block in self.page.blocks:
            if block.kind in TRAINING:
                made = f"# {self.words['training']}\n{self.program.trained()}"
                last = POWER.sub(r"\1e\2", block["last"])
                near = f"assert math.isclose(losses[-1], {last}, rel_tol=5e-4, abs_tol=1e-12)"
                yield Cell(f"{made}\n{near}", code=True)


def _worked(text: str, right: str, apart: float, tag: str) -> str:
    """A line with numbers, and what the page prints of it."""
    body = f"units({text}, {right})" if apart else f"rounded({text})"
    result = f"{apart:g}" if apart else right
    line = f"assert {body} == {result}"
    if len(line) + len(tag) + 4 <= WIDTH:
        return f"{line}  # {tag}"
    first, *more = statement(f"assert {result} == ", body, 0)
    return "\n".join([f"{first}  # {tag}", *more])


def without_wide_gaps(text: str) -> str:
    """At most two empty lines in a row."""
    while "\n\n\n\n" in text:
        text = text.replace("\n\n\n\n", "\n\n\n")
    return text.strip("\n")


@cache
def _words(language: str) -> Mapping[str, Any]:
    """What a notebook says of its own."""
    found: Mapping[str, Any] = yaml.safe_load(source(f"notebook/{language}.yaml"))
    return found
