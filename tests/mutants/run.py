"""Mutants of the core: each must fail the tests that are named beside it.

    python -m tests.mutants.run              all of them
    python -m tests.mutants.run collect      those whose file or fault has this word

A mutant is made in a copy of the tree; the tree itself is never changed. At the end the tests that
failed are run once more, all together and without a mutant: then they must pass.
"""

from __future__ import annotations

import compileall
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import Queue

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("derive", "docs", "output", "templates", "tests")
WORKERS = os.cpu_count() or 1
PATIENCE = 300  # seconds for the tests of one mutant
PASSED, FAILED = 0, 1  # exit codes of pytest
CACHE = ".remembered"  # where pytest keeps what failed


@dataclass(frozen=True)
class Outcome:
    """How a run of tests ended; `code` is None at the end of patience."""

    code: int | None
    seconds: float
    said: str
    failed: tuple[str, ...] = ()


def main(words: list[str]) -> int:
    """Run the chosen mutants and, without a mutant, what failed; 1 if one is not as it must be."""
    chosen = [
        m for m in MUTANTS if not words or any(word in f"{m.file}: {m.why}" for word in words)
    ]
    trees: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(WORKERS) as pool:
        for number in range(WORKERS):
            trees.put(copied(Path(scratch) / str(number)))
        runs = [pool.submit(tested, m, shlex.split(m.tests), trees) for m in chosen]
        outcomes = [each.result() for each in announced(chosen, runs)]
        failed = sorted({test for each in outcomes for test in each.failed})
        shares = [share for k in range(WORKERS) if (share := failed[k::WORKERS])]
        controls = [pool.submit(tested, None, share, trees) for share in shares]
        good = [is_good(m, each) for m, each in zip(chosen, outcomes, strict=True)]
        good += [report(None, each.result()) for each in controls]
    print(f"{len(chosen)} mutants, {good.count(False)} of {len(good)} runs not as they must be")
    return 0 if chosen and all(good) else 1


def announced(
    mutants: Sequence[Mutant], runs: Sequence[Future[Outcome]]
) -> Iterator[Future[Outcome]]:
    """The runs, each once it has ended and been reported."""
    for mutant, run in zip(mutants, runs, strict=True):
        report(mutant, run.result())
        yield run


def copied(tree: Path) -> Path:
    """A copy of what the tests need, compiled so that no change of a file can go unseen."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, tree)
    checked = PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(tree, quiet=2, invalidation_mode=checked)
    return tree


def tested(mutant: Mutant | None, tests: list[str], trees: Queue[Path]) -> Outcome:
    """How tests end in a tree with or without a mutant; with one, at the first that fails."""
    tree = trees.get()
    started = time.monotonic()
    try:
        with changed(tree, mutant):
            code, said = pytest(tree, [*tests, "-x"] if mutant else tests)
        failed = tests_that_failed(tree) if code == FAILED else ()
    finally:
        trees.put(tree)
    return Outcome(code, time.monotonic() - started, said, failed)


@contextmanager
def changed(tree: Path, mutant: Mutant | None) -> Iterator[None]:
    """A tree with one mutant in it, as it was before once it is left."""
    if mutant is None:
        yield
        return
    path = tree / mutant.file
    text = path.read_text("utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.file} does not have once: {mutant.old}"
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def pytest(tree: Path, tests: list[str]) -> tuple[int | None, str]:
    """The exit code of a selection of the fast tests in a tree, and its output; None at the end
    of patience."""
    shutil.rmtree(tree / CACHE, ignore_errors=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-o", f"cache_dir={CACHE}"]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None, f"no end after {PATIENCE} s"
    return done.returncode, done.stdout + done.stderr


def tests_that_failed(tree: Path) -> tuple[str, ...]:
    """What pytest remembers of its last run in a tree."""
    path = tree / CACHE / "v" / "cache" / "lastfailed"
    return tuple(json.loads(path.read_text("utf-8"))) if path.exists() else ()


def is_good(mutant: Mutant | None, outcome: Outcome) -> bool:
    """Whether tests fail with a mutant and pass without."""
    if mutant is None:
        return outcome.code == PASSED
    # a file that cannot be read tells nothing
    return outcome.code == FAILED and "\nFAILED " in outcome.said and bool(outcome.failed)


def report(mutant: Mutant | None, outcome: Outcome) -> bool:
    """Whether a run is as it must be; said in a line."""
    good = is_good(mutant, outcome)
    failed = outcome.code == FAILED and "\nFAILED " in outcome.said
    words = "passes" if outcome.code == PASSED else "fails" if failed else "is not tested"
    what = f"{mutant.file}: {mutant.why}" if mutant else "no mutant: what failed with one"
    print(f"{'good' if good else 'BAD':<5}{words:<14}{outcome.seconds:4.0f} s  {what}", flush=True)
    if not good:
        print("\n".join(outcome.said.splitlines()[-30:]))
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
