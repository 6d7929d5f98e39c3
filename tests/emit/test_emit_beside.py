"""Tests that stand beside modules: they pass, and fail for a wrong derivative."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from derive.cli import main

TESTED = [("article", "python"), ("tiny_rnn", "numpy"), ("feedforward", "numpy")]


def run(folder: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder).stdout


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "target"), TESTED)
def test_a_module_passes_and_a_wrong_one_fails(spec: str, target: str, tmp_path: Path) -> None:
    module, test = tmp_path / 'it\'s a """.py', tmp_path / "test_of_it.py"
    command = ["code", spec, "--target", target, "-o", str(module), "--test", str(test)]
    assert main(command) == 0
    said = run(tmp_path)
    assert " passed" in said and "failed" not in said, said
    right = module.read_text("utf-8")
    changed = re.sub(r"\n    (dE_d[Ww]\w*) = (.+)\n", r"\n    \1 = 1.001 * (\2)\n", right)
    assert changed != right
    module.write_text(changed, "utf-8")
    assert " failed" in run(tmp_path)


REFUSED = [
    (["--test", "test_a.py"], "--test needs --output"),
    (["-o", "a.py", "--test", "a.py"], "two files"),
    (["-o", "a.py", "--test", "elsewhere/test_a.py"], "in the folder of its module"),
    (["--target", "c", "-o", "a.c", "--test", "test_a.py"], "modules of Python"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_what_no_test_can_stand_beside_is_refused(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["code", "neuron", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
