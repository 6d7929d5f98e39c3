"""The command: files, series that go on, processes that are killed, bad input, exit codes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from derive.api import load
from derive.cli import main
from derive.commands import exercising
from derive.commands.exercising import MANIFEST
from derive.exercise.sheet import series_of, sheet_of
from derive.interactive import mathml
from derive.typeset import engine
from tests.exercise.exercise_support import SPECS
from tests.sampled import sampled

MODEL = "inputs: {x: [0.5, 1]}\nparameters: {w: [0.2, 0.4]}\nloss: E = sum(k, w[k]*x[k])**2\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every test runs in a folder of its own; nothing temporary may be left there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(MODEL, "utf-8")
    yield tmp_path
    assert list(tmp_path.rglob(".*")) == []


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def run(*arguments: str) -> int:
    return main(["exercise", *arguments])


ALL = ("--to", "latex", "--to", "html", "--to", "moodle")


def test_a_sheet_and_its_solution_in_each_language(
    place: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run("article") == 0
    assert sorted(tree(place / "exercises")) == [
        "0001.answers.csv",
        *(f"0001.{language}{kind}.tex" for language in ("en", "ko") for kind in (".solution", "")),
        MANIFEST,
    ]
    assert capsys.readouterr().out == "1 sheet in exercises\n"


def test_every_format_that_is_asked_for(place: Path) -> None:
    pytest.importorskip("latex2mathml")
    assert run("a.yaml", *ALL, "--language", "en", "--count", "2", "-o", "s") == 0
    of_one = ["answers.csv", "en.html", "en.solution.html", "en.solution.tex", "en.tex", "en.xml"]
    expected = [f"000{k}.{name}" for k in (1, 2) for name in of_one]
    assert sorted(tree(place / "s")) == [*expected, "all.en.xml", MANIFEST]


def test_processes_and_counts_change_nothing(place: Path) -> None:
    shared = ("article", "--seed", "5", "--language", "en", "--to", "latex", "--to", "moodle")
    assert run(*shared, "--count", "7", "--processes", "1", "-o", "one") == 0
    assert run(*shared, "--count", "7", "--processes", "3", "-o", "three") == 0
    assert run(*shared, "--count", "2", "-o", "grown") == 0
    assert run(*shared, "--count", "7", "-o", "grown") == 0
    assert tree(place / "one") == tree(place / "three") == tree(place / "grown")


def test_what_is_there_stays(place: Path, capsys: pytest.CaptureFixture) -> None:
    """Answers that were filled in are not lost when a format or more sheets are asked for."""
    assert run("a.yaml", "--language", "en", "--count", "2") == 0
    answers, solution = (
        place / "exercises" / f"0001.{n}" for n in ("answers.csv", "en.solution.tex")
    )
    answers.write_text("mine", "utf-8")
    whole = solution.read_bytes()
    solution.unlink()
    capsys.readouterr()
    assert run("a.yaml", "--language", "en", "--to", "latex", "--to", "moodle", "--count", "3") == 0
    assert answers.read_text("utf-8") == "mine"
    assert solution.read_bytes() == whole
    assert run("a.yaml", "--language", "en", "--count", "3") == 0
    assert "3 sheets in exercises, 3 of them were there" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changed",
    [("--seed", "2"), ("--blanks", "steps"), ("--digits", "3"), ("--questions", "2"), ("neuron",)],
)
def test_a_folder_is_for_one_series(
    changed: tuple[str, ...], place: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run("a.yaml") == 0
    before = tree(place / "exercises")
    spec = () if changed == ("neuron",) else ("a.yaml",)
    assert run(*spec, *changed) == 2
    assert "choose another folder" in capsys.readouterr().err
    assert tree(place / "exercises") == before


def test_a_changed_spec_is_another_one(place: Path, capsys: pytest.CaptureFixture) -> None:
    assert run("a.yaml") == 0
    (place / "a.yaml").write_text(f"# a comment\n{MODEL}", "utf-8")
    assert run("a.yaml") == 0
    (place / "a.yaml").write_text(MODEL.replace("0.4", "0.3"), "utf-8")
    assert run("a.yaml") == 2


def test_what_was_half_written_is_swept(place: Path) -> None:
    assert run("a.yaml") == 0
    left = place / "exercises" / f".derive-{'0' * 32}"
    left.write_text("half", "utf-8")
    assert run("a.yaml") == 0
    there = left.exists()
    left.unlink(missing_ok=True)
    assert not there


# --- killed in the middle -------------------------------------------------------------------

COMMAND = ("article", "--seed", "3", "--count", "120", "--language", "en", "--to", "latex")


def start(folder: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "derive", "exercise", *COMMAND, "--processes", "2", "-o", folder]
    here = str(Path(exercising.__file__).parent.parent.parent)
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": here}, start_new_session=True)


def settled(group: int) -> bool:
    """Whether no process of a group is left."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("number", sampled([signal.SIGKILL, signal.SIGTERM], 2))
def test_a_series_that_was_killed_goes_on(place: Path, number: signal.Signals) -> None:
    child = start("killed")
    end = time.monotonic() + 60
    while time.monotonic() < end and len(list(place.glob("killed/*.csv"))) < 20:
        time.sleep(0.02)
    child.send_signal(number)
    child.wait(30)
    assert settled(child.pid), "processes were left behind"
    there = len(list(place.glob("killed/*.csv")))
    assert 20 <= there < 120
    if number is signal.SIGKILL:  # as if it had been while a file was written
        (place / "killed" / f".derive-{'0' * 32}").write_text("half", "utf-8")
    assert run(*COMMAND, "--processes", "2", "-o", "killed") == 0
    assert run(*COMMAND, "--processes", "1", "-o", "whole") == 0
    assert tree(place / "killed") == tree(place / "whole")
    assert len(list(place.glob("killed/*.csv"))) == 120


# --- PDFs -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.tex
@pytest.mark.parametrize("spec", sampled([*SPECS, "deep", "gru_by_hand", "attention_by_hand"], 2))
def test_pdfs_have_no_faults(spec: str, place: Path) -> None:
    if engine() is None:
        pytest.skip("no TeX")
    assert run(spec, "--pdf") == 0
    found = list(place.glob("exercises/*.pdf"))
    assert len(found) >= 2
    assert all(path.read_bytes().startswith(b"%PDF") for path in found)


# --- marks ----------------------------------------------------------------------------------


def solved(place: Path, change: dict[str, str]) -> Path:
    """The answers of a solution, some of them changed."""
    found = sheet_of(series_of(load("neuron"), 4), 2)
    path = place / "answers.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("sheet", "question", "answer", "name"))
        for q in found.questions:
            table.writerow((2, q.number, change.get(q.line.name, q.line.text), "Kim"))
    return path


def test_a_good_sheet_is_marked(place: Path, capsys: pytest.CaptureFixture) -> None:
    assert run("neuron", "--seed", "4", "--check", str(solved(place, {}))) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 1
    assert told[0].startswith("sheet 2, Kim: ")
    got, of = told[0].removesuffix(" points").split(": ")[1].split(" of ")
    assert got == of


def test_a_wrong_answer_is_told(place: Path, capsys: pytest.CaptureFixture) -> None:
    path = str(solved(place, {"net_y1": "0.9", "out_y1": ""}))
    assert run("neuron", "--seed", "4", "--check", path) == 1
    told = capsys.readouterr().out
    assert "net_y1 = 0.9: wrong, " in told
    assert "out_y1: no answer (0 of 1)" in told


def test_marks_as_json(place: Path, capsys: pytest.CaptureFixture) -> None:
    path = str(solved(place, {"net_y1": "0.9", "out_y1": "0.7109"}))  # 1/(1 + e^-0.9)
    assert run("neuron", "--seed", "4", "--json", "--check", path) == 1
    (sheet,) = json.loads(capsys.readouterr().out)
    assert (sheet["sheet"], sheet["name"]) == (2, "Kim")
    first, second = sheet["marks"][:2]
    assert (first["verdict"], first["points"]) == ("wrong", 0)
    assert (second["verdict"], second["follows_from"], second["points"]) == ("follows", [1], 1)
    assert sheet["points"] == sum(mark["points"] for mark in sheet["marks"]) == sheet["of"] - 1
    assert not (place / "exercises").exists()


def test_the_example_of_the_readme(place: Path, capsys: pytest.CaptureFixture) -> None:
    readme = (Path(exercising.__file__).parents[2] / "README.md").read_text("utf-8")
    found = sheet_of(series_of(load("article"), 7), 12)
    changed = {1: "0.4", 2: "0.5987", 5: "0.6398"}
    rows = [f"12,{q.number},{changed.get(q.number, q.line.text)},Kim" for q in found.questions]
    table = "\n".join(("sheet,question,answer,name", *rows))
    (place / "answers.csv").write_text(table, "utf-8")
    assert run("article", "--seed", "7", "--check", "answers.csv") == 1
    told = capsys.readouterr().out.splitlines()[1:4]
    assert len(told) == 3
    assert "\n".join(told) in readme


# --- bad input ------------------------------------------------------------------------------

BAD = {
    "no sheets": (("--count", "0"), "--count is between 1 and"),
    "too many sheets": (("--count", "1000000"), "--count is between 1 and"),
    "no digits": (("--digits", "0"), "--digits is between 1 and"),
    "no questions": (("--questions", "0"), "--questions is at least 1"),
    "no processes": (("--processes", "0"), "--processes is at least 1"),
    "JSON of sheets": (("--json",), "--json tells of marks"),
    "PDF of HTML": (("--pdf", "--to", "html"), "--pdf needs --to latex"),
    "no answers": (("--check", "nothing.csv"), "there is no file 'nothing.csv'"),
    "too large": (("digits",), "by hand"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_refused(kind: str, place: Path, capsys: pytest.CaptureFixture) -> None:
    arguments, words = BAD[kind]
    spec = () if arguments == ("digits",) else ("a.yaml",)
    assert run(*spec, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("derive: ")
    assert words in error
    assert not (place / "exercises").exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [("0,1,2", "there is no sheet 0"), ("1,99,2", "sheet 1 has no question 99")],
)
def test_answers_to_other_sheets_are_refused(
    rows: str, words: str, place: Path, capsys: pytest.CaptureFixture
) -> None:
    (place / "b.csv").write_text(f"sheet,question,answer\n{rows}\n", "utf-8")
    assert run("a.yaml", "--check", "b.csv") == 2
    assert words in capsys.readouterr().err


def test_a_sheet_that_cannot_be_made_is_told(place: Path, capsys: pytest.CaptureFixture) -> None:
    (place / "never.yaml").write_text("parameters: {w: 1}\nloss: E = w/(w - w)\n", "utf-8")
    assert run("never.yaml") == 2
    assert "derive: " in capsys.readouterr().err


def test_without_latex2mathml_html_says_what_to_install(
    place: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    for kept in (mathml.mathml, mathml._convert):
        kept.cache_clear()  # what another test has made of the same formulas
    assert run("a.yaml", "--to", "html") == 2
    assert "pip install 'derive-by-hand[html]'" in capsys.readouterr().err
