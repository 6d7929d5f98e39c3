"""Derivation and page → a proof that the kernel of Coq checks.

A certificate knows no layer: it is written from the graph, one theorem for each equation and one
for each printed number. Small derivations are written out, scalar by scalar (`theorems`); in large
ones sums stay sums, and a theorem holds for all letters of its equation (`unwritten`).
"""

from derive.certify.certificate import Certificate, certify
from derive.certify.marks import marked
from derive.certify.route import kernel_route
from derive.certify.run import ADVICE, CheckError, check, checker

__all__ = [
    "ADVICE",
    "Certificate",
    "CheckError",
    "certify",
    "check",
    "checker",
    "kernel_route",
    "marked",
]
