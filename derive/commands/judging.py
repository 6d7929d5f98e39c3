"""The command that judges what is made of a spec, by independent routes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from derive.api import load_runs
from derive.commands.shared import as_text, loaded, noted, print_report
from derive.edge import FOUND, GOOD, progress
from derive.emit import USUAL, target_of
from derive.errors import printable
from derive.pipeline import make
from derive.problem import Problem
from derive.verify.report import Report


def verify(options: argparse.Namespace) -> int:
    """Check everything that is made of a spec, of several runs each."""
    asked = tuple(target_of(name).name for name in options.target)
    runs = load_runs(options.spec) if options.run is None else {}
    if not runs:
        report = _report(loaded(options.spec, options.run), asked, options.kernel)
        if options.json:
            sys.stdout.write(as_text(report))
        else:
            print_report(report)
        return GOOD if report.agree else FOUND
    reports = {}
    for name, problem in runs.items():
        reports[name] = _report(noted(problem), asked, options.kernel)
        if not options.json:
            print(f"run '{printable(name)}'", end=" ")
            print_report(reports[name])
    if options.json:
        print(json.dumps(_as_json(reports), indent=1, ensure_ascii=False))
    return GOOD if all(report.agree for report in reports.values()) else FOUND


def _report(problem: Problem, asked: tuple[str, ...], kernel: bool) -> Report:
    with progress("deriving and verifying"):
        made = replace(make(problem), targets=(*USUAL, *asked))
        report = made.verify()
        return replace(report, routes=(*report.routes, made.kernel)) if kernel else report


def _as_json(reports: Mapping[str, Report]) -> dict[str, Any]:
    """The reports of all runs, each with its name."""
    runs = [{"name": name, **report.as_json()} for name, report in reports.items()]
    return {"agree": all(report.agree for report in reports.values()), "runs": runs}
