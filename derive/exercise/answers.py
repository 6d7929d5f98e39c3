"""Tables of answers: the empty one of a sheet, and what somebody filled in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from derive.errors import InputError, nearest, shown
from derive.exercise.sheet import Sheet

COLUMNS = ("sheet", "question", "answer")
NAME = "name"
LONGEST = 80  # characters of an answer that are kept


@dataclass(frozen=True)
class Filled:
    """One sheet as somebody answered it, by the numbers of the questions."""

    sheet: int
    name: str
    answers: Mapping[int, str]


def blank_answers(sheet: Sheet) -> str:
    """The table of a sheet, in which the answers are still missing."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow((*COLUMNS, NAME, "quantity", "points"))
    for question in sheet.questions:
        table.writerow((sheet.number, question.number, "", "", question.line.name, question.points))
    return text.getvalue()


def filled(source: str, text: str) -> list[Filled]:
    """The sheets of a table. Raises InputError with the line of what cannot be read.

    Semicolons between columns are understood, and then decimal commas.
    """
    found: dict[tuple[int, str], dict[int, str]] = {}
    for line, row in _rows(source, text):
        sheet, question = (_whole(source, line, column, row[column]) for column in COLUMNS[:2])
        answers = found.setdefault((sheet, row.get(NAME, "")), {})
        if question in answers:
            raise InputError(
                f"{source}:{line}: question {question} of sheet {sheet} is answered twice"
            )
        answers[question] = row["answer"][:LONGEST]
    return [Filled(sheet, name, answers) for (sheet, name), answers in found.items()]


def _rows(source: str, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Rows as mappings, with their lines."""
    head = text.partition("\n")[0]
    mark = ";" if ";" in head else ","
    table = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        columns = [each.strip().lower() for each in next(table, [])]
        for column in COLUMNS:
            if column not in columns:
                raise InputError(
                    f"{source}:1: there is no column '{column}'; {nearest(column, columns)}"
                )
        for row in table:
            if not any(each.strip() for each in row):
                continue
            if len(row) < len(columns):
                words = f"the table has {len(columns)} columns, this row {len(row)}"
                raise InputError(f"{source}:{table.line_num}: {words}")
            cells = dict(zip(columns, map(str.strip, row), strict=False))
            if mark == ";":
                cells["answer"] = cells["answer"].replace(",", ".")
            cells["answer"] = cells["answer"].replace("\N{MINUS SIGN}", "-")
            yield table.line_num, cells
    except csv.Error as error:
        raise InputError(
            f"{source}:{table.line_num}: this is no table of answers: {error}"
        ) from None


def _whole(source: str, line: int, column: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(f"{source}:{line}: the {column} must be a whole number, not {shown(text)}")
    return int(text)
