"""The page as a notebook: valid, the same each time, and right from top to bottom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import derive
from derive.builtin import builtin_names
from derive.cli import main
from derive.notebook.pencil import in_numbers
from derive.render.blocks import Page
from derive.render.markdown import markdown
from derive.render.sheet import Display
from derive.spec import parse_spec
from tests.sampled import sampled

SLOW = {"many_rounds", "digits"}  # a training of a minute; without numbers
CASES = sampled([name for name in builtin_names() if name not in SLOW], 8)
LITERAL = re.compile(r"== (-?\d[\d.E+-]*)|assert (-?\d[\d.E+-]*) ==")
SETTLED = re.compile(r"units\(|len\(|isclose")


def cells(text: str, kind: str) -> list[str]:
    return ["".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == kind]


def run(text: str) -> dict[str, Any]:
    """What is defined when the code of a notebook has been executed in order."""
    names: dict[str, Any] = {"__name__": "notebook"}
    for place, source in enumerate(cells(text, "code")):
        exec(compile(source, f"cell {place}", "exec"), names)
    return names


@pytest.mark.parametrize(
    ("name", "language"), [("article", "ko"), ("biases", "en"), ("tiny_rnn", "en")]
)
def test_a_notebook_is_valid_and_runs(name: str, language: str) -> None:
    made = derive.make(derive.load(name))
    text = made.notebook(language)
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert text == derive.make(derive.load(name)).notebook(language)
    run(text)
    longest = max(len(source.splitlines()) for source in cells(text, "markdown"))
    assert longest < 160 and cells(text, "markdown")[0].startswith("# ")


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_built_in_spec_runs(name: str) -> None:
    text = derive.make(derive.load(name)).notebook("en")
    nbformat.validate(nbformat.reads(text, as_version=4))
    run(text)


def test_the_text_is_that_of_the_page() -> None:
    page = derive.make(derive.load("neuron")).page
    told = cells(derive.make(derive.load("neuron")).notebook("en"), "markdown")
    own = next(k for k, each in enumerate(told) if each.startswith("This page is a notebook"))
    assert "".join("".join(told[:own] + told[own + 1 :]).split()) == "".join(
        markdown(page, "en").split()
    )


def asserted(text: str) -> Iterator[tuple[str, str]]:
    """Each assertion of a notebook, and the same with the last digit of its print changed."""
    for source in cells(text, "code"):
        for found in re.finditer(
            r"^assert (?:[^\n(]*rounded\(  #[^\n]*\n[^\n]*\n\)|[^\n]*)", source, re.M
        ):
            line = found[0]
            printed = LITERAL.search(line)
            if printed is not None and not SETTLED.search(line):
                end = printed.end(1) if printed[1] else printed.end(2)
                digit = str((int(line[end - 1]) + 1) % 10)
                yield line, f"{line[: end - 1]}{digit}{line[end:]}"


@pytest.mark.parametrize("name", ["article", "tiny_rnn"])
def test_a_number_that_is_changed_is_found(name: str) -> None:
    text = derive.make(derive.load(name)).notebook("en")
    names = run(text)
    changed = list(asserted(text))
    assert len(changed) > 15
    for right, wrong in changed:
        exec(right, names)
        with pytest.raises(AssertionError):
            exec(wrong, names)


def test_each_line_with_numbers_is_computed() -> None:
    made = derive.make(derive.load("article"))
    code = "\n".join(cells(made.notebook("en"), "code"))
    page: Page = made.page
    numbered = {d.label: d for d in page.displays() if d.result is not None}
    worked = [d for d in numbered.values() if in_numbers(d) is not None]
    assert len(worked) > 40
    assert len(re.findall(r"# \(\d+\)$", code, re.MULTILINE)) == len(worked)


@pytest.mark.parametrize(
    ("row", "python"),
    [
        (r"\frac{1}{2}(0.01 - 0.5943)^{2} + 0.1", "(0.01 - 0.5943) ** 2 / 2 + 0.1"),
        (r"(-0.3714) \times 0.2359", "(-0.3714) * 0.2359"),
        (r"0.45 - 0.5\cdot (-0.04441)", "0.45 - 0.5 * (-0.04441)"),
        (r"\frac{1}{1 + e^{-0.0275}}", "1 / (1 + math.exp(-0.0275))"),
        (r"\sqrt{0.5 + 1 \cdot 10^{-3}}", "math.sqrt(0.5 + 1e-3)"),
        (r"x\cdot 0.5", None),
        (r"\Gamma(0.5)", None),
    ],
)
def test_a_line_with_numbers_in_python(row: str, python: str | None) -> None:
    found = in_numbers(Display("eq:y", "y", ("w", f"{row} = 1"), "1"))
    assert (found and found.text) == python


def test_a_page_without_numbers_has_its_slopes_held_against_differences() -> None:
    spec = (
        "inputs: {x: {shape: [3]}}\nparameters: {W: {shape: [2, 3]}}\n"
        "model: ['y[k] = tanh(sum(i, W[k,i]*x[i]))']\nloss: E = sum(k, y[k]**2)\n"
        "training: {learning_rate: 0.1}\n"
    )
    problem = derive.build(parse_spec(spec, "spec.yaml", "spec"))
    text = derive.make(problem).notebook("en", "numpy")
    assert "assert abs(rise - square)" in text
    run(text)
    with pytest.raises(AssertionError):
        run(text.replace("step * slopes", "2 * step * slopes"))


def test_the_command_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.ipynb"
    assert (
        main(["notebook", "neuron", "--language", "ko", "--target", "numpy", "-o", str(file)]) == 0
    )
    assert "import numpy as np" in file.read_text("utf-8")
    run(file.read_text("utf-8"))
