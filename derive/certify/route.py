"""Route: the kernel of Coq checks the certificate."""

from __future__ import annotations

from derive.certify.certificate import Certificate, certify
from derive.certify.run import CheckError, Unfinished, check, checker
from derive.errors import InputError
from derive.graph import Derivation
from derive.problem import Problem
from derive.render.blocks import Page
from derive.verify.report import Route, Status, skipped

NAME = "kernel"


def kernel_route(problem: Problem, derivation: Derivation, page: Page) -> Route:
    """What the kernel says; skipped where there is no certificate, or nothing that checks it."""
    program = checker()
    if program is None:
        return skipped(NAME, "Coq is not installed")
    try:
        certificate = certify(problem, derivation, page)
    except InputError as error:
        return skipped(NAME, str(error))
    count = len(certificate.derivatives) + len(certificate.prints)
    try:
        check(certificate.text, program)
    except Unfinished as error:
        return skipped(NAME, str(error))
    except CheckError as error:
        return Route(NAME, Status.DISAGREES, count, None, refused(certificate, error))
    return Route(NAME, Status.AGREES, count, None, certificate.summary)


def refused(certificate: Certificate, error: CheckError) -> str:
    """Where a certificate was refused, in words."""
    about = certificate.about(error.theorem)
    if about:
        return f"refused at the theorem {error.theorem} ({about}): {error}"
    return f"refused at {error.theorem}: {error}" if error.theorem else str(error)
