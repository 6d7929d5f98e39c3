"""How marks of answers are told: as lines for a terminal, or as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from derive.edge import FOUND, GOOD, progress
from derive.errors import InputError, printable, shown
from derive.exercise.answers import Filled, filled
from derive.exercise.marking import Mark, Verdict, marks
from derive.exercise.sheet import Series, Sheet, sheet_of
from derive.files import read_text
from derive.limits import MOST_DOCUMENT, MOST_SHEETS


def mark(series: Series, tables: Sequence[Path], as_json: bool) -> int:
    """Mark the answers of tables, and print the marks."""
    with progress("marking"):
        marked = [
            _marked(series, str(table), each)
            for table in tables
            for each in filled(str(table), _text(table))
        ]
    if as_json:
        print(json.dumps([_data(*each) for each in marked], indent=1, ensure_ascii=False))
    else:
        for each in marked:
            print(printable("\n".join(_lines(*each))))
    full = all(one.points == one.question.points for _, _, found in marked for one in found)
    return GOOD if full else FOUND


def _text(table: Path) -> str:
    try:
        return read_text(table, "table of answers", MOST_DOCUMENT)
    except FileNotFoundError:
        raise InputError(f"there is no file {shown(str(table))}") from None


def _marked(series: Series, source: str, each: Filled) -> tuple[Filled, Sheet, list[Mark]]:
    if not 1 <= each.sheet <= MOST_SHEETS:
        raise InputError(f"{source}: there is no sheet {each.sheet}; they count from 1")
    sheet = sheet_of(series, each.sheet)
    known = {question.number for question in sheet.questions}
    for number in each.answers:
        if number not in known:
            raise InputError(
                f"{source}: sheet {each.sheet} has no question {number}, only {len(known)}; is the "
                "series the one that was answered, with its seed, --digits and --questions?"
            )
    return each, sheet, marks(sheet, each.answers)


def _lines(each: Filled, sheet: Sheet, found: Sequence[Mark]) -> Iterator[str]:
    """The points, and a line for each answer that is not simply right."""
    got = sum(one.points for one in found)
    name = f", {each.name}" if each.name else ""
    yield f"sheet {each.sheet}{name}: {got} of {sheet.points} points"
    for one in found:
        if one.verdict is not Verdict.RIGHT:
            line = one.question.line.name
            answer = f" = {one.answer}" if one.answer else ""
            points = f"{one.points} of {one.question.points}"
            yield f"  {one.question.number:>3}  {line}{answer}: {_words(one)} ({points})"


def _words(one: Mark) -> str:
    roots = ", ".join(map(str, one.roots))
    match one.verdict:
        case Verdict.FOLLOWS:
            return f"follows from {roots}"
        case Verdict.MISSING:
            return "no answer"
    if one.expected != one.question.line.text:
        return f"wrong, {one.expected} would follow from {roots}"
    return f"wrong, {one.expected} would be right"


def _data(each: Filled, sheet: Sheet, found: Sequence[Mark]) -> dict[str, Any]:
    return {
        "sheet": each.sheet,
        "name": each.name,
        "points": sum(one.points for one in found),
        "of": sheet.points,
        "marks": [
            {
                "question": one.question.number,
                "quantity": one.question.line.name,
                "answer": one.answer,
                "verdict": one.verdict.value,
                "follows_from": list(one.roots),
                "expected": one.expected,
                "points": one.points,
                "of": one.question.points,
            }
            for one in found
        ],
    }
