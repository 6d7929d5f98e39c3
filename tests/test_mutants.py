"""The table of mutants fits the files as they are; `python -m tests.mutants.run` runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import derive
from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(derive.__file__).parents[1]


def faults(mutant: Mutant) -> Iterator[str]:
    """What is wrong with a row, in words."""
    text = (ROOT / mutant.file).read_text("utf-8")
    paths = [word for word in mutant.tests.split() if word.startswith("tests")]
    if text.count(mutant.old) != 1:
        yield f"its text stands {text.count(mutant.old)} times in {mutant.file}"
    if mutant.old == mutant.new:
        yield "it changes nothing"
    if not paths or not all((ROOT / path).exists() for path in paths):
        yield f"'{mutant.tests}' are no tests"
    try:
        compile(text.replace(mutant.old, mutant.new), mutant.file, "exec")
    except SyntaxError as error:
        yield f"it is no program: {error}"


def test_every_mutant_changes_one_place_of_its_file() -> None:
    assert not [f"{m.file}, {m.why}: {fault}" for m in MUTANTS for fault in faults(m)]


def test_no_mutant_is_there_twice() -> None:
    assert len({(m.file, m.old, m.new) for m in MUTANTS}) == len(MUTANTS)
    assert len({(m.file, m.why) for m in MUTANTS}) == len(MUTANTS)
