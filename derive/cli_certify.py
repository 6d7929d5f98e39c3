"""The command `certify`: write a certificate, and have it checked where Coq is installed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from derive.certify import ADVICE, CheckError, check, checker
from derive.certify.route import refused
from derive.certify.run import Unfinished
from derive.edge import FOUND, GOOD, progress
from derive.errors import printable
from derive.files import write
from derive.pipeline import Made


def certify_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--output", "-o", type=Path, metavar="FILE.v", help="default: print it")
    parser.add_argument("--no-check", action="store_true", help="only write it")


def certify_made(made: Made, options: argparse.Namespace) -> int:
    """Write the certificate of what was made; check it."""
    with progress("deriving and writing"):
        certificate = made.certificate
    if options.output is None:
        sys.stdout.write(certificate.text)
    else:
        write(options.output, certificate.text.encode())
        print(f"wrote {options.output}")
    out = sys.stderr if options.output is None else sys.stdout
    for what, why in certificate.without:
        print(printable(f"no theorem: {what}: {why}"), file=out)
    program = checker()
    if options.no_check or program is None:
        print(f"not checked: {certificate.summary}", file=out)
        if program is None:
            print(f"derive: {ADVICE}", file=sys.stderr)
        return GOOD
    try:
        with progress("checking"):
            check(certificate.text, program)
    except Unfinished as error:
        print(f"not checked: {error}", file=out)
        return GOOD
    except CheckError as error:
        print(printable(f"the kernel {refused(certificate, error)}"), file=out)
        return FOUND
    print(f"the kernel agrees: {certificate.summary}", file=out)
    return GOOD
