"""The command for exercises: it writes the sheets of a series, or marks what was answered."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path

from derive import __version__
from derive.build import build
from derive.commands.marking import mark
from derive.edge import FOUND, GOOD, progress
from derive.errors import InputError, shown
from derive.exercise.answers import blank_answers
from derive.exercise.html import html
from derive.exercise.moodle import joined, moodle
from derive.exercise.paper import paper
from derive.exercise.sheet import Blanks, Series, Sheet, series_of, sheet_of
from derive.files import Files, read_text, sweep, write
from derive.limits import MOST_DIGITS, MOST_DOCUMENT, MOST_SHEETS
from derive.runs import run_of
from derive.spec import SpecFile, parse_spec, spec_text
from derive.typeset import ADVICE, TypesetError, engine, typeset

WORTH = 8  # sheets from which on it is quicker to start further processes
TOGETHER = 4  # sheets that a process is given at a time
MANIFEST = "exercise.json"
TOLD_FAULTS = 5


@dataclass(frozen=True)
class Plan:
    """What is made of each sheet of a series; it goes from one process to another."""

    text: str
    source: str
    name: str
    run: str | None
    seed: int
    blanks: Blanks
    digits: int | None
    questions: int
    languages: tuple[str, ...]
    formats: tuple[str, ...]
    engine: str | None
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a sheet: `wrong` with its PDFs, or why it was not made."""

    wrong: tuple[str, ...] = ()
    error: str = ""


def exercise(options: argparse.Namespace) -> int:
    """Write the sheets of a series, or mark answers to them."""
    _check_numbers(options)
    text, source, name = spec_text(options.spec)
    plan = Plan(
        text,
        source,
        name,
        options.run,
        options.seed,
        Blanks(options.blanks),
        options.digits,
        options.questions,
        tuple(dict.fromkeys(options.language or ())),
        tuple(dict.fromkeys(options.to or ("latex",))),
        _engine(options),
        options.output,
    )
    if options.check:
        return mark(_series(plan), options.check, options.json)
    return _write(plan, options.count, options.processes)


def _check_numbers(options: argparse.Namespace) -> None:
    """Refuse numbers that make no sense. Raises InputError."""
    if not 1 <= options.count <= MOST_SHEETS:
        raise InputError(f"--count is between 1 and {MOST_SHEETS:,}")
    if options.digits is not None and not 1 <= options.digits <= MOST_DIGITS:
        raise InputError(f"--digits is between 1 and {MOST_DIGITS}")
    if options.questions < 1:
        raise InputError("--questions is at least 1")
    if options.processes is not None and options.processes < 1:
        raise InputError("--processes is at least 1")
    if options.json and not options.check:
        raise InputError("--json tells of marks, so it needs --check")


def _engine(options: argparse.Namespace) -> str | None:
    """What makes the PDFs, if any are asked for. Raises InputError if nothing is there."""
    if not options.pdf:
        return None
    if "latex" not in (options.to or ("latex",)):
        raise InputError("--pdf needs --to latex")
    program = engine()
    if program is None:
        raise InputError(ADVICE)
    return program


def _spec(plan: Plan) -> SpecFile:
    return run_of(parse_spec(plan.text, plan.source, plan.name), plan.run)


@cache
def _series(plan: Plan) -> Series:
    """The series of a plan, once in each process."""
    return series_of(build(_spec(plan)), plan.seed, plan.blanks, plan.digits, plan.questions)


# --- all sheets -----------------------------------------------------------------------------


def _write(plan: Plan, count: int, processes: int | None) -> int:
    """Make the sheets that are not there yet."""
    languages = plan.languages or _series(plan).problem.languages
    plan = Plan(**{**vars(plan), "languages": tuple(languages)})
    sheet_of(_series(plan), 1)  # what is wrong with a spec is said before anything is written
    _take(plan)
    todo = [k for k in range(1, count + 1) if _missing(plan, k)]
    wrong: list[str] = []
    done = 0

    def so_far() -> str:
        return f"{count - len(todo) + done} of {count} sheets"

    with progress(so_far):
        for number, outcome in zip(todo, _outcomes(plan, todo, processes), strict=True):
            if outcome.error:
                raise InputError(f"sheet {number}: {outcome.error}")
            wrong += [f"sheet {number}: {fault}" for fault in outcome.wrong]
            done += 1
    _write_whole(plan, count)
    there = count - len(todo)
    kept = f", {there} of them were there" if there else ""
    print(f"{count} sheet{'s' if count > 1 else ''} in {plan.folder}{kept}")
    for fault in wrong[:TOLD_FAULTS]:
        print(f"page fault: {fault}", file=sys.stderr)
    if len(wrong) > TOLD_FAULTS:
        print(f"and {len(wrong) - TOLD_FAULTS} more page faults", file=sys.stderr)
    return FOUND if wrong else GOOD


def _take(plan: Plan) -> None:
    """Take a folder for a series, or go on in it. Raises InputError if it is that of another."""
    spec = _spec(plan).spec.model_dump_json(exclude={"runs"})
    own = {
        "derive": __version__,
        "spec": plan.name,
        "sha256": hashlib.sha256(spec.encode()).hexdigest(),
        **{key: asdict(plan)[key] for key in ("seed", "blanks", "digits", "questions")},
    }
    path = plan.folder / MANIFEST
    text = json.dumps(own, indent=1, ensure_ascii=False) + "\n"
    try:
        before = read_text(path)
    except FileNotFoundError:
        write(path, text.encode())
        return
    if before != text:
        raise InputError(
            f"{shown(str(plan.folder))} holds sheets of another spec, seed or kind, which "
            f"{MANIFEST} in it tells; choose another folder with --output"
        )
    sweep(plan.folder)


def _outcomes(plan: Plan, todo: Sequence[int], processes: int | None) -> Iterator[Outcome]:
    """What becomes of sheets, in their order; several processes make them if there are many."""
    number = processes or len(os.sched_getaffinity(0))
    if number == 1 or len(todo) < WORTH:
        yield from (_make(plan, k) for k in todo)
        return
    pool = ProcessPoolExecutor(number, get_context("spawn"), initializer=_begin)
    together = 1 if plan.engine else TOGETHER
    try:
        yield from pool.map(_make, [plan] * len(todo), todo, chunksize=together)
    except BrokenProcessPool:
        raise InputError("a process was stopped; the same command goes on with the rest") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """A process that makes sheets is stopped by the one that started it, and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


# --- one sheet ------------------------------------------------------------------------------


def _names(plan: Plan, number: int) -> Iterator[tuple[str, str, str, bool]]:
    """The files of a sheet: name, format, language, whether it is the solution."""
    stem = f"{number:04d}"
    for language in plan.languages:
        for solved in (False, True):
            kind = ".solution" if solved else ""
            if "latex" in plan.formats:
                yield f"{stem}.{language}{kind}.tex", "latex", language, solved
            if plan.engine:
                yield f"{stem}.{language}{kind}.pdf", "pdf", language, solved
            if "html" in plan.formats:
                yield f"{stem}.{language}{kind}.html", "html", language, solved
        if "moodle" in plan.formats:
            yield f"{stem}.{language}.xml", "moodle", language, False
    yield f"{stem}.answers.csv", "answers", "", False


def _missing(plan: Plan, number: int) -> set[str]:
    return {name for name, *_ in _names(plan, number) if not (plan.folder / name).is_file()}


def _make(plan: Plan, number: int) -> Outcome:
    """Write what is missing of one sheet."""
    missing, wrong = _missing(plan, number), []
    try:
        sheet = sheet_of(_series(plan), number)
        with Files(plan.folder) as files:
            for name, kind, language, solved in _names(plan, number):
                if name not in missing:
                    continue
                data, faults = _content(plan, sheet, kind, language, solved)
                files.add(name, data)
                wrong += [f"{name}: {fault}" for fault in faults]
            files.commit()
    except InputError as error:
        return Outcome(error=str(error))
    return Outcome(tuple(wrong))


def _content(
    plan: Plan, sheet: Sheet, kind: str, language: str, solved: bool
) -> tuple[bytes, tuple[str, ...]]:
    """One file of a sheet, and what is wrong with it."""
    if kind == "latex":
        return paper(sheet, language, solved).encode(), ()
    if kind == "pdf":
        assert plan.engine is not None
        try:
            made = typeset(paper(sheet, language, solved), plan.engine)
        except TypesetError as error:
            raise InputError(f"the PDF could not be made: {error}") from None
        return made.pdf, made.faults
    if kind == "html":
        return html(sheet, language, solved).encode(), ()
    if kind == "moodle":
        return moodle(sheet, language).encode(), ()
    return blank_answers(sheet).encode(), ()


def _write_whole(plan: Plan, count: int) -> None:
    """Write what holds all sheets: the questions for Moodle in one file."""
    if "moodle" not in plan.formats or count < 2:
        return
    sheet = sheet_of(_series(plan), 1)
    for language in plan.languages:
        write(
            plan.folder / f"all.{language}.xml",
            joined(_texts(plan, language, count), sheet, language).encode(),
        )


def _texts(plan: Plan, language: str, count: int) -> Iterable[str]:
    for number in range(1, count + 1):
        yield read_text(plan.folder / f"{number:04d}.{language}.xml", "sheet", MOST_DOCUMENT)
