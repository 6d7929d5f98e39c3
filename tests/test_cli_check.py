"""`derive check`: its output in three forms, its exit codes, and documents that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from derive.cli import main

RIGHT = "$$z = 0.7 \\cdot 0.6 = 0.42$$\n"
WRONG = RIGHT.replace("0.42", "0.43")


@pytest.fixture(autouse=True)
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("right.md").write_text(RIGHT, "utf-8")
    Path("wrong.md").write_text(WRONG, "utf-8")
    Path("empty.md").write_text("no mathematics", "utf-8")
    Path("paper.pdf").write_bytes(b"%PDF-1.7\xff\xfe")
    Path("bytes.md").write_bytes(b"\xff\xfe\xfa")
    Path("folder.md").mkdir()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["right.md"], 0, "1 number: 1 right"),
        (["wrong.md"], 1, "wrong.md:1: z is printed 0.43, and should be 0.42"),
        (["right.md", "wrong.md"], 1, "right.md: 1 number"),
        (["empty.md"], 0, "0 numbers"),
        (["right.md", "--digits", "2"], 0, "2 significant digits"),
        (["right.md", "--decimals", "2"], 0, "2 decimals"),
        (["right.md", "--decimals", "0"], 2, "between 1 and"),
        (["nothing.md"], 2, "there is no file 'nothing.md'"),
        (["folder.md"], 2, "is a folder; a document is a file"),
        (["bytes.md"], 2, "is not UTF-8 text"),
        (["paper.pdf"], 2, "give its source"),
    ],
    ids=str,
)
def test_output_and_exit_codes(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == code
    told = capsys.readouterr()
    assert words in (told.err if code == 2 else told.out)


def test_json_and_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "wrong.md", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["remarks"][0]["verdict"] == "wrong"
    assert main(["check", "wrong.md", "right.md", "--sarif"]) == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["wrong"]


NETWORK = "$w = 0.5$ $x = 0.4$ $t = 0.1$ $$y = w x = 0.2$$ $$E = \\frac12 (y - t)^2 = 0.005$$\n"


def test_the_spec_of_a_document_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.md").write_text(NETWORK, "utf-8")
    assert main(["check", "net.md", "--write-spec", "net.yaml"]) == 0
    written = Path("net.yaml").read_text("utf-8")
    assert main(["verify", "net.yaml"]) == 0
    capsys.readouterr()
    assert main(["check", "net.md", "--write-spec", "net.yaml"]) == 2
    assert "already there" in capsys.readouterr().err
    assert Path("net.yaml").read_text("utf-8") == written
    assert main(["check", "right.md", "net.md", "--write-spec", "other.yaml"]) == 2
    assert "one document" in capsys.readouterr().err
    assert main(["check", "right.md", "--write-spec", "other.yaml"]) == 2
    assert "right.md states no network" in capsys.readouterr().err
    assert not Path("other.yaml").exists()


def test_a_document_is_held_against_a_spec(capsys: pytest.CaptureFixture[str]) -> None:
    Path("claims.md").write_text("$w_5 = 0.45$ and $q = 2$", "utf-8")
    assert main(["check", "claims.md", "--spec", "article"]) == 1
    printed = capsys.readouterr().out
    assert "w_5 is printed 0.45, and should be 0.35: the spec gives it another value" in printed
    assert "1 of 2 names are those of the spec" in printed
    assert main(["check", "claims.md", "--spec", "nothing.yaml"]) == 2
