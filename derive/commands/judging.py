"""The command that judges what is made of a spec, by independent routes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from derive.commands.shared import as_text, loaded, print_report
from derive.edge import FOUND, GOOD, progress
from derive.emit import USUAL, target_of
from derive.pipeline import make


def verify(options: argparse.Namespace) -> int:
    """Check everything that is made of a spec."""
    problem = loaded(options.spec)
    asked = [target_of(name).name for name in options.target]
    with progress("deriving and verifying"):
        made = replace(make(problem), targets=(*USUAL, *asked))
        report = made.verify()
        if options.kernel:
            report = replace(report, routes=(*report.routes, made.kernel))
    if options.json:
        sys.stdout.write(as_text(report))
    else:
        print_report(report)
    return GOOD if report.agree else FOUND
