"""Sheets as questions for Moodle: XML with one cloze question for each, its blanks numbers.

A blank takes what rounding on the way may lead to; that something follows from a wrong number
before it, Moodle does not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_UP, Context, Decimal
from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from markupsafe import Markup, escape

from derive.exercise.paper import content, conventions, heading, words
from derive.exercise.sheet import Question, Sheet
from derive.languages import numbers_in
from derive.numbers import decimal
from derive.render.document import without_gaps
from derive.render.korean import particle
from derive.templating import environment

BREAK = re.compile(r"\s*\\\\\s*&\s*(?:\\quad\s*)?")
INLINE = re.compile(r"\$([^$]*)\$")
DIGITS_OF_TOLERANCE = 2


def moodle(sheet: Sheet, language: str) -> str:
    """The XML of one sheet."""
    return _document([_cloze(sheet, language)], sheet, language)


def joined(files: Iterable[str], sheet: Sheet, language: str) -> str:
    """The XML of all sheets of a series from that of each."""
    questions = [
        question
        for text in files
        for question in ElementTree.fromstring(text)
        if question.get("type") == "cloze"
    ]
    return _document(questions, sheet, language)


def _document(questions: Iterable[Element], sheet: Sheet, language: str) -> str:
    quiz = Element("quiz")
    category = SubElement(quiz, "question", type="category")
    name = str(content(sheet, language, False)["title"]).replace("/", "//")
    SubElement(SubElement(category, "category"), "text").text = f"$course$/top/{name}"
    quiz.extend(questions)
    ElementTree.indent(quiz, " ")
    body = ElementTree.tostring(quiz, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _cloze(sheet: Sheet, language: str) -> Element:
    jinja = environment("sheet")
    say = words(jinja, language)
    question = Element("question", type="cloze")
    head = f"{content(sheet, language, False)['title']}: {heading(say, sheet, False)}"
    SubElement(SubElement(question, "name"), "text").text = head
    for tag, solved in (("questiontext", False), ("generalfeedback", True)):
        text = SubElement(SubElement(question, tag, format="html"), "text")
        text.text = _text(sheet, language, solved)
    SubElement(question, "penalty").text = "0"
    return question


def _text(sheet: Sheet, language: str, solved: bool) -> str:
    jinja = environment("sheet")
    jinja.filters["particle"] = particle
    text = jinja.get_template("exercise/sheet.moodle.j2").render(
        say=words(jinja, language),
        solved=solved,
        conventions=_prose(conventions(sheet, language)),
        flat=lambda tex: BREAK.sub(" ", tex),
        blank=_blank,
        **content(sheet, language, solved),
    )
    return without_gaps(numbers_in(language, text))


def _prose(tex: str) -> Markup:
    """Text with formulas between dollar signs, which Moodle has between brackets."""
    return Markup(INLINE.sub(r"\\(\1\\)", str(escape(tex))))


def _blank(question: Question) -> str:
    """The blank of a question: its points, its number, and how far an answer may be from it."""
    line = question.line
    return f"{{{question.points}:NUMERICAL:={line.text}:{rounded_up(question.tolerance)}}}"


def rounded_up(tolerance: Fraction) -> str:
    """A tolerance as a short decimal that is not below it."""
    context = Context(prec=DIGITS_OF_TOLERANCE, rounding=ROUND_UP)
    return f"{context.plus(Decimal(decimal(tolerance))).normalize():f}"
