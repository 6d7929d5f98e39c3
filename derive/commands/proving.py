"""The command that writes a certificate, and has it checked where Coq is installed."""

from __future__ import annotations

import argparse
import sys

from derive.certify import ADVICE, CheckError, check, checker
from derive.certify.route import refused
from derive.certify.run import Unfinished
from derive.commands.shared import loaded, put
from derive.edge import FOUND, GOOD, progress
from derive.errors import printable
from derive.pipeline import make


def certify(options: argparse.Namespace) -> int:
    """Write the certificate of what is made of a spec; check it."""
    made = make(loaded(options.spec, options.run))
    with progress("deriving and writing"):
        certificate = made.certificate
    put(certificate.text, options.output)
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
