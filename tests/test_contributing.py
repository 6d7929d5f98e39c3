"""What is said to whoever works on the project: its examples work, and its places exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"### (.*?)\n\nIn `(.*?)`, in `ROWS`:\n\n```python\n(.*?)```\n\n```yaml\n(.*?)```", re.DOTALL
)
ROWS = re.compile(r"^ROWS.* = \(\n", re.MULTILINE)
EXAMPLES = EXAMPLE.findall(TEXT)


def test_every_example_is_found() -> None:
    assert len(EXAMPLES) == TEXT.count("\n### ") == 4


@pytest.mark.slow
@pytest.mark.parametrize(("what", "file", "row", "spec"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_a_row_is_all_that_is_needed(
    what: str, file: str, row: str, spec: str, tmp_path: Path
) -> None:
    for folder in ("derive", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    place = tmp_path / file
    source = place.read_text(encoding="utf-8")
    assert len(ROWS.findall(source)) == 1
    (tmp_path / "my.yaml").write_text(spec, encoding="utf-8")
    command = [sys.executable, "-m", "derive", "verify", "my.yaml", "--target", "c"]

    def verified() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    assert verified().returncode == 2  # the row is needed
    place.write_text(ROWS.sub(lambda found: found[0] + row, source), encoding="utf-8")
    done = verified()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "place", sorted(set(re.findall(r"`((?:derive|templates|tests)/[^`]*)`", TEXT)))
)
def test_every_place_is_there(place: str) -> None:
    assert (ROOT / place).exists()
