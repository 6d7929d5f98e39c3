"""Documents of every kind are read, each line where it stands in the file."""

from __future__ import annotations

import json

import pytest

from derive.proofread.annotate import annotated
from derive.proofread.documents import DocumentError, parts
from derive.proofread.mathml import MathMLError, tex_of_mathml
from derive.proofread.report import as_json, as_sarif, checked, document_lines

WRONG = r"z = 0.7 \cdot 0.6 = 0.43"
PAGE = """<!doctype html>
<html><head><title>$t = 1$</title><style>$s = 2$</style></head><body>
<p>Given \\(a = 0.1\\) &amp; <b>more</b><br>
<span class="katex-display"><span class="katex"><span class="katex-mathml"><math><semantics>
<mrow><mi>c</mi></mrow><annotation encoding="application/x-tex">FORMULA</annotation>
</semantics></math></span><span class="katex-html"><span>c</span></span></span></span>
<script>var q = "$$q = 1 = 2$$";</script><pre>$$p = 1 = 2$$</pre>
<script type="math/tex; mode=display">d = 2 \\cdot 2 = 4</script>
<math display="block"><mi>x</mi><mglyph/></math>
</body></html>
"""


def notebook(*cells: dict[str, object]) -> str:
    return json.dumps({"cells": cells, "nbformat": 4, "metadata": {}})


DOCUMENTS = {
    "note.md": (f"# Title\n\ntext\n\n$${WRONG}$$\n", "", 5),
    "note.tex": (
        "\\documentclass{article}\n\\begin{document}\n% $$q = 1 = 2$$\n\\begin{equation}\n"
        f"{WRONG}\n\\end{{equation}}\n\\end{{document}}\n",
        "",
        5,
    ),
    "note.txt": (f"One \\[{WRONG}\\] two", "", 1),
    "note.html": (PAGE.replace("FORMULA", WRONG), "", 5),
    "page": (PAGE.replace("FORMULA", WRONG), "", 5),
    "note.ipynb": (
        notebook(
            {"cell_type": "code", "source": "$$q = 1 = 2$$", "outputs": []},
            {"cell_type": "markdown", "source": ["text\n", f"$${WRONG}$$"]},
        ),
        "cell 2",
        2,
    ),
    "out.ipynb": (
        notebook(
            {
                "cell_type": "code",
                "source": "show()",
                "outputs": [{"data": {"text/latex": [f"$${WRONG}$$"], "text/plain": ["z"]}}],
            }
        ),
        "cell 1, output",
        1,
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_error_is_found_where_it_stands(name: str) -> None:
    text, part, line = DOCUMENTS[name]
    found = checked(name, text)
    assert [(r.name, r.printed, r.expected) for r in found.own] == [("z", "0.43", "0.42")]
    assert found.where(found.own[0]) == (part, line)


def test_a_page_has_what_a_reader_sees() -> None:
    (part,) = parts("note.html", PAGE)
    assert "q" not in part.text
    assert "$t" not in part.text
    assert r"\(a = 0.1\) & more" in part.text
    assert r"\[d = 2 \cdot 2 = 4\]" in part.text
    assert part.closed == (9,)
    assert any("MathML" in line for line in document_lines(checked("note.html", PAGE)))


MATHML = [
    ("<msub><mi>z</mi><mn>1</mn></msub><mo>=</mo><mn>0.7</mn><mo>&times;</mo><mn>0.6</mn>"
     "<mo>=</mo><mn>0.43</mn>", ("z_1", "0.42")),
    ("<mover><mi>y</mi><mo>^</mo></mover><mo>=</mo><mfrac><mn>1</mn><mrow><mn>1</mn><mo>+</mo>"
     "<msup><mi>e</mi><mrow><mo>−</mo><mn>0</mn></mrow></msup></mrow></mfrac><mo>=</mo>"
     "<mn>0.6</mn>", ("hat(y)", "0.5")),
    ("<mfrac><mrow><mo>∂</mo><mi>E</mi></mrow><mrow><mo>∂</mo><msub><mi>w</mi><mn>5</mn></msub>"
     "</mrow></mfrac><mo>=</mo><mn>2</mn><mo>&InvisibleTimes;</mo><mo>(</mo><mn>3</mn><mo>)</mo>"
     "<mo>=</mo><mn>7</mn>", ("∂E/∂w_5", "6")),
    ("<mi>s</mi><mo>=</mo><msqrt><mn>4</mn></msqrt><mo>=</mo><mn>3</mn>", ("s", "2")),
]  # fmt: skip


@pytest.mark.parametrize(("inside", "found"), MATHML)
def test_mathml_without_tex_is_read(inside: str, found: tuple[str, str]) -> None:
    page = f"<html><body><p>so\n<math display='block'>{inside}</math> end</p></body></html>"
    seen = checked("note.html", page)
    assert [(r.name, r.expected, seen.where(r)[1]) for r in seen.own] == [(*found, 2)]
    made = annotated(seen, page)
    assert "</math><span" in made


@pytest.mark.parametrize(
    "source",
    [
        "<math><mi>x</math>",
        "<math><mfrac><mi>x</mi></mfrac></math>",
        "<math>" + "<mrow>" * 200 + "</mrow>" * 200 + "</math>",
        "<!DOCTYPE m [<!ENTITY a 'x'>]><math>" + "<mn>1</mn>" * 50_000 + "</math>",
        "<math><mmultiscripts><mi>x</mi></mmultiscripts></math>",
    ],
)
def test_mathml_that_is_not_understood_is_refused(source: str) -> None:
    with pytest.raises(MathMLError):
        tex_of_mathml(source)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("note.pdf", "", "give its source"),
        ("note.ipynb", "[1, 2]", "no notebook"),
        ("note.ipynb", '{"cells": [3]}', "no notebook"),
        ("note.ipynb", "no json", "no notebook"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(name: str, text: str, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        checked(name, text)


def test_the_report_marks_the_number() -> None:
    told = list(document_lines(checked("note.md", f"$${WRONG}$$")))
    assert told[0] == "note.md:1: z is printed 0.43, and should be 0.42"
    assert told[1].strip() == WRONG
    assert told[2].index("^") == told[1].index("0.43")
    assert told[-3] == "note.md: 1 number: 1 wrong"


def test_a_long_formula_is_cut_around_the_number() -> None:
    long = " + ".join(["0.5"] * 80)
    told = list(document_lines(checked("note.md", f"$$z = {long} = 40.5$$")))
    assert len(told[1]) < 120
    assert told[1][told[2].index("^") :].startswith("40.5")


def test_data_and_findings_for_a_forge() -> None:
    found = checked("note.md", f"$${WRONG}$$\n$$q = z + 1 = 0.43 + 1 = 1.43$$")
    data = as_json(found)
    assert [r["verdict"] for r in data["remarks"]] == ["wrong", "follows"]
    assert data["remarks"][1]["follows"] == 0
    assert data["good"] is False
    (result,) = as_sarif([found], "1.0")["runs"][0]["results"]
    assert result["ruleId"] == "wrong"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


HOSTILE = {
    "a tower": "$$x = 9^{9^{9^9}} = 3$$",
    "brackets": f"$$x = {'(' * 3000}1{')' * 3000} = 2$$",
    "a long number": f"$$x = {'9' * 1_000_000} = 2$$",
    "exponentials": r"$$x = \exp(\exp(\exp(100))) = 1$$",
    "dollars": "$" * 20_000,
    "openings": r"\begin{align}" * 5_000,
    "a number of two points": "$$x = 1.2.3$$",
    "an exponent": "$$x = 1e99999999999 = 3$$",
    "a print with an exponent": "$$x = 3 = 1e99999999999$$",
    "a lone point": "$$x = 2 . + 1 = 3$$",
    "a number beyond all pages": "$$x = 10^{2000} \\cdot 10^{2000} \\cdot 10^{2000} = 3$$",
    "opened lists": f"$$x = {'[' * 40_000} = 2$$",
    "a list in brackets": f"$$x = {'(' * 20_000}[1, 2]{')' * 20_000} = 2$$",
    "tables": "$$x = "
    + " ".join([r"\begin{bmatrix}" + r"\\".join(["1 & " * 60 + "1"] * 61) + r"\end{bmatrix}"] * 4)
    + " = 3$$",
    "macros": r"\def\a{\a\a}$$\a = 1$$",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_ends_quickly_and_is_never_right(text: str) -> None:
    found = checked("note.md", text)
    assert found.remarks
    assert all(r.verdict.value in ("unread", "wrong") for r in found.remarks)
