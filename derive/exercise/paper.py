"""A sheet, or its solution, as a LaTeX document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from derive.exercise.lines import Line
from derive.exercise.sheet import Item, Question, Sheet
from derive.languages import BABEL, numbers_in
from derive.render.blocks import Block
from derive.render.carried import manner
from derive.render.document import Book, escape, title_in, without_gaps
from derive.render.korean import particle
from derive.templating import environment


@dataclass(frozen=True)
class Group:
    """A question, or numbers that are told one after the other; `rows` the sheet shows of it."""

    question: Question | None
    rows: tuple[str, ...]
    known: tuple[str, ...]


def paper(sheet: Sheet, language: str, solved: bool) -> str:
    """The LaTeX document of a sheet or of its solution, ready for XeLaTeX or LuaLaTeX."""
    jinja = _environment()
    say = words(jinja, language)
    text = jinja.get_template("exercise/sheet.tex.j2").render(
        language=language,
        babel=BABEL.get(language, ""),
        say=say,
        solved=solved,
        heading=heading(say, sheet, solved),
        conventions=conventions(sheet, language),
        **content(sheet, language, solved),
    )
    return without_gaps(numbers_in(language, text))


def _environment() -> jinja2.Environment:
    jinja = environment("latex")
    jinja.filters |= {"particle": particle, "tex": escape}
    return jinja


def words(jinja: jinja2.Environment, language: str) -> Any:
    """What is said on a sheet in one language."""
    return jinja.get_template(f"exercise/{language}.j2").module


def heading(say: Any, sheet: Sheet, solved: bool) -> str:
    """Which sheet this is, or whose solution."""
    named = say.solution if solved else say.sheet
    return str(named(sheet.number, sheet.series.seed))


def conventions(sheet: Sheet, language: str) -> str:
    """How the equations of a model are to be read, as TeX; nothing for a network."""
    fields = sheet.told.setting.conventions
    if fields is None:
        return ""
    return Book("latex", language).say(Block("model_conventions", fields)).strip()


def content(sheet: Sheet, language: str, solved: bool) -> dict[str, Any]:
    """What is on a sheet in whatever format: formulas are TeX, and the title is plain text."""
    told, setting = sheet.told, sheet.told.setting
    title = title_in(told.title, language)
    return {
        "title": title or sheet.series.problem.name,
        "points": sheet.points,
        "format": manner(sheet.numbers),
        "missing": not all(question.formula for question in sheet.questions),
        "equations": setting.equations,
        "connections": setting.connections,
        "samples": setting.samples,
        "biased": any(each.bias for each in setting.connections),
        "tables": told.tables,
        "one_by_one": setting.conventions is None,
        "parts": [(part, list(_groups(items, solved))) for part, items in sheet.parts.items()],
    }


def _groups(items: Sequence[Item], solved: bool) -> Iterator[Group]:
    """Questions as they are, and what is told between two of them together."""
    known: list[str] = []
    for item in items:
        if isinstance(item, Line):
            known.append(_told(item, solved))
            continue
        if known:
            yield Group(None, (), tuple(known))
            known = []
        yield Group(item, item.line.formula if item.formula else (), ())
    if known:
        yield Group(None, (), tuple(known))


def _told(line: Line, solved: bool) -> str:
    """A number that is told; that of a copied answer only with the solution."""
    if not line.formula:
        return f"{line.lhs} = {line.shown}"
    link = f"{line.lhs} = {line.formula[0]}"
    return f"{link} = {line.shown}" if solved else link
