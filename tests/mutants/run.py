"""Mutants of the core: each must fail the tests that are named beside it.

    python -m tests.mutants.run              all of them
    python -m tests.mutants.run collect      those whose file or fault has this word

A mutant is made in a copy of the tree; the tree itself is never changed. At the end the tests that
failed are run once more, all together and without a mutant: then they must pass.
"""

from __future__ import annotations

import compileall
import importlib
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import NoReturn

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("derive", "docs", "output", "templates", "tests")
WORKERS = os.cpu_count() or 1
PATIENCE = 300  # seconds for the tests of one mutant
PASSED, FAILED = 0, 1  # exit codes of pytest
CACHE = ".remembered"  # where pytest keeps what failed
SAID = ".said"  # what it printed
OWN = ("derive", "tests")
# What every run of the tests imports, and takes a second for: imported once, before any of them.
PREPARED = ("sympy", "numpy", "pydantic", "jinja2", "yaml", "pytest")


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
    with tempfile.TemporaryDirectory() as scratch, pool_of_trees() as pool:
        runs = [pool.submit(tested, scratch, m, shlex.split(m.tests)) for m in chosen]
        outcomes = [each.result() for each in announced(chosen, runs)]
        failed = sorted({test for each in outcomes for test in each.failed})
        shares = [share for k in range(WORKERS) if (share := failed[k::WORKERS])]
        controls = [pool.submit(tested, scratch, None, share) for share in shares]
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


def pool_of_trees() -> ProcessPoolExecutor:
    """Processes that test mutants, each in a copy of its own; what they import is there already."""
    return ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=prepare)


def prepare() -> None:
    for name in PREPARED:
        importlib.import_module(name)


@cache
def copied(scratch: str) -> Path:
    """The copy of this process, compiled so that no change of a file can go unseen."""
    tree = Path(scratch) / str(os.getpid())
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, tree)
    checked = PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(tree, quiet=2, invalidation_mode=checked)
    return tree


def tested(scratch: str, mutant: Mutant | None, tests: list[str]) -> Outcome:
    """How tests end with or without a mutant; with one, at the first that fails."""
    tree = copied(scratch)
    started = time.monotonic()
    with changed(tree, mutant):
        code = run(tree, [*tests, "-x"] if mutant else tests)
    said = (tree / SAID).read_text("utf-8", "replace")
    failed = tests_that_failed(tree) if code == FAILED else ()
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


def run(tree: Path, tests: list[str]) -> int | None:
    """The exit code of a selection of the fast tests in a tree; None at the end of patience."""
    shutil.rmtree(tree / CACHE, ignore_errors=True)
    child = os.fork()
    if child == 0:
        run_and_end(
            tree, ["-q", "-m", "not slow", "--rows", "0", "-o", f"cache_dir={CACHE}", *tests]
        )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def run_and_end(tree: Path, arguments: list[str]) -> NoReturn:
    """Run tests in this process, a fork that has nothing of this project, as in a new one."""
    code = 70
    try:
        os.setsid()
        with (tree / SAID).open("wb") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        os.chdir(tree)
        os.environ["PYTHONPATH"] = str(tree)
        sys.path[:] = [str(tree), *(p for p in sys.path if p not in ("", str(ROOT)))]
        for name in [name for name in sys.modules if name.split(".")[0] in OWN]:
            del sys.modules[name]
        code = int(importlib.import_module("pytest").main(arguments))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


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
