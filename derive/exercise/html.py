"""A sheet, or its solution, as one HTML file; formulas are MathML with their TeX beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from derive.exercise.paper import content, conventions, heading, words
from derive.exercise.sheet import Sheet
from derive.interactive.mathml import mathml
from derive.languages import numbers_in_mathml
from derive.render.document import without_gaps
from derive.render.korean import particle
from derive.templating import environment

BREAK = re.compile(r"\s*\\\\\s*&\s*")  # where a long formula goes on in the next row
INLINE = re.compile(r"\$([^$]*)\$")
OPENING = '<math xmlns="http://www.w3.org/1998/Math/MathML"'


def html(sheet: Sheet, language: str, solved: bool) -> str:
    """The HTML of a sheet or of its solution. Raises InputError without latex2mathml."""
    jinja = environment("sheet")
    jinja.filters["particle"] = particle
    say = words(jinja, language)
    text = jinja.get_template("exercise/sheet.html.j2").render(
        language=language,
        say=say,
        solved=solved,
        heading=heading(say, sheet, solved),
        conventions=prose(conventions(sheet, language)),
        math=math,
        equation=equation,
        steps=steps,
        number=sheet.number,
        **content(sheet, language, solved),
    )
    return without_gaps(numbers_in_mathml(language, text))


def math(tex: str) -> Markup:
    """A formula in a line of text."""
    return _math(_inner(tex), tex, "")


def equation(tex: str) -> Markup:
    """An equation that may go on over several rows."""
    lhs, _, rhs = tex.partition(" = ")
    return steps(lhs, [rhs]) if BREAK.search(tex) else _math(_inner(tex), tex, ' display="block"')


def steps(lhs: str, rows: Sequence[str]) -> Markup:
    """`lhs = row = row`, a row below the other; with a sign of equality alone if there is none."""
    lines: list[tuple[str, str]] = []
    for row in rows or [""]:
        first, *more = BREAK.split(row)
        lines += [(lhs if not lines else "", f"= {first}"), *(("", each) for each in more)]
    inner = "".join(
        f"<mtr><mtd>{_inner(left)}</mtd><mtd>{_inner(right)}</mtd></mtr>" for left, right in lines
    )
    tex = " \\\\ ".join(f"{left} &{right}" for left, right in lines)
    table = f'<mtable class="steps" displaystyle="true">{inner}</mtable>'
    return _math(table, rf"\begin{{aligned}}{tex}\end{{aligned}}", "")


def prose(tex: str) -> Markup:
    """Text with formulas between dollar signs."""
    parts = INLINE.split(tex)
    return Markup("").join(
        math(part) if k % 2 else Markup(escape(part)) for k, part in enumerate(parts)
    )


def _math(inner: str, tex: str, kind: str) -> Markup:
    note = f'<annotation encoding="application/x-tex">{escape(tex, quote=False)}</annotation>'
    return Markup(f"{OPENING}{kind}><semantics><mrow>{inner}</mrow>{note}</semantics></math>")


def _inner(tex: str) -> str:
    """What stands within `<math>`, or in a cell of a table."""
    return mathml(tex, "block") if tex else ""
