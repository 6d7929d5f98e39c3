"""What several commands do: load a spec, write a file, print a report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from derive.api import load
from derive.errors import printable, quoted
from derive.files import write
from derive.problem import Problem
from derive.verify.report import Report, lines


def loaded(spec: str, run: str | None = None) -> Problem:
    """The problem of a spec, with a word on values that are missing while others are given."""
    return noted(load(spec, run))


def noted(problem: Problem) -> Problem:
    """The same for a problem that was read already."""
    words = {own: f"upstream.{name}" for name, own in problem.upstream.items()}
    given = [q.name for q in problem.graph.given]
    missing = [words.get(name, name) for name in given if name not in problem.values]
    if missing and len(missing) < len(given):
        have = "have no values" if len(missing) > 1 else "has no value"
        print(f"derive: no numbers: {quoted(missing)} {have}", file=sys.stderr)
    return problem


def written(path: Path, data: bytes) -> None:
    """Write a file that was asked for by name, and say so."""
    write(path, data)
    print(f"wrote {path}")


def put(text: str, output: Path | None) -> None:
    """Write a text to a file, or print it as it is if none was named."""
    if output is None:
        sys.stdout.write(text)
    else:
        written(output, text.encode())


def as_text(report: Report) -> str:
    """A report as JSON."""
    return json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n"


def print_report(report: Report) -> None:
    """What was verified, one line each."""
    print("verified:" if report.agree else "verification found something:")
    for line in lines(report):
        print(printable(line))
