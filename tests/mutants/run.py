"""Mutants of the core: each must fail the tests that are named beside it.

    python -m tests.mutants.run              all of them, and the control without a mutant
    python -m tests.mutants.run collect      those whose file or fault has this word

A mutant is made in a copy of the tree; the tree itself is never changed.
"""

from __future__ import annotations

import compileall
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import Queue

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("derive", "docs", "output", "templates", "tests")
WORKERS = os.cpu_count() or 1
PATIENCE = 300  # seconds for the tests of one mutant
PASSED, FAILED = 0, 1  # exit codes of pytest


def main(words: list[str]) -> int:
    """Run the chosen mutants and, without a mutant, their tests; 1 if one is not as it must be."""
    chosen = [
        m for m in MUTANTS if not words or any(word in f"{m.file}: {m.why}" for word in words)
    ]
    jobs: list[tuple[Mutant | None, str]] = [(m, m.tests) for m in chosen]
    jobs += [(None, tests) for tests in dict.fromkeys(m.tests for m in chosen)]
    trees: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(WORKERS) as pool:
        for number in range(WORKERS):
            trees.put(copied(Path(scratch) / str(number)))
        results = [pool.submit(tested, *job, trees) for job in jobs]
        good = [report(*job, each.result()) for job, each in zip(jobs, results, strict=True)]
    print(f"{len(chosen)} mutants, {good.count(False)} of {len(good)} runs not as they must be")
    return 0 if chosen and all(good) else 1


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


def tested(mutant: Mutant | None, tests: str, trees: Queue[Path]) -> tuple[int | None, float, str]:
    """The exit code of tests in a tree with or without a mutant, seconds, and what they said."""
    tree = trees.get()
    started = time.monotonic()
    try:
        with changed(tree, mutant):
            code, said = pytest(tree, tests)
    finally:
        trees.put(tree)
    return code, time.monotonic() - started, said


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


def pytest(tree: Path, selection: str) -> tuple[int | None, str]:
    """The exit code of a selection of the fast tests in a tree, and its output; None at the end
    of patience."""
    fast = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *fast, *shlex.split(selection)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return None, f"no end after {PATIENCE} s"
    return done.returncode, done.stdout + done.stderr


def report(mutant: Mutant | None, tests: str, result: tuple[int | None, float, str]) -> bool:
    """Whether tests fail with a mutant and pass without; said in a line."""
    code, seconds, said = result
    failed = code == FAILED and "\nFAILED " in said  # a file that cannot be read tells nothing
    words = "passes" if code == PASSED else "fails" if failed else "is not tested"
    what = f"{mutant.file}: {mutant.why}" if mutant else f"no mutant: {tests}"
    good = failed if mutant else code == PASSED
    print(f"{'good' if good else 'BAD':<5}{words:<14}{seconds:4.0f} s  {what}", flush=True)
    if not good:
        print("\n".join(said.splitlines()[-30:]))
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
