"""The border to Coq: the one place where a user's names become identifiers, and texts comments.

An identifier is made of ASCII letters, digits and underscores, whatever the name is made of, begins
with a letter (letters that a theorem binds begin with an underscore), is no word that Coq or a
certificate uses, and is given once. A comment is left only where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from derive.errors import printable

WORDS_OF_COQ = """
    Axiom CoFixpoint Definition Fixpoint Hypothesis IF Parameter Prop SProp Set Theorem Type Lemma
    Variable Variables Proof Qed Section End Print Assumptions as at cofix do else end exists exact
    exists2 fix for forall fun if in let match mod return then using where with by first rewrite
    unfold
"""
# What certificates use of the libraries, and names that each of them has; what the prelude defines
# is read from its text below.
WORDS_OF_CERTIFICATES = """
    R nat positive true false I exp ln sqrt sin cos atan PI INR IZR Rmax Rmin Rabs pow is_derive
    asin acos RInt Rsqr none_move one_moves Permutation NoDup In List field ring lra interval proven
    proven_of_numbers scalars reads read_by slope_of adjoint_of rate_of rates_hold sums_hold
    derivative_along derivative_by Derivation
"""
DEFINED = re.compile(r"^(?:Definition|Lemma|Theorem|Fixpoint|Inductive|Ltac|with) (\w+)", re.M)


@cache
def prelude() -> str:
    """What every certificate begins with: functions, rules of operations, tactics."""
    return _part("prelude.v")


@cache
def of_the_largest() -> str:
    """What those have besides in which the largest of several is taken."""
    return _part("largest.v")


def _part(name: str) -> str:
    return resources.files("derive.certify").joinpath(name).read_text("utf-8")


@cache
def reserved() -> frozenset[str]:
    """What no identifier of a certificate may be called."""
    words = (*WORDS_OF_COQ.split(), *WORDS_OF_CERTIFICATES.split())
    return frozenset((*words, *DEFINED.findall(prelude() + of_the_largest())))


def identifier(name: str) -> str:
    """A name in the letters of an identifier: `δ_1` is `u3b4_1`."""
    plain = "".join(c if re.fullmatch(r"[A-Za-z0-9_]", c) else f"u{ord(c):x}_" for c in name)
    plain = plain if re.match(r"[A-Za-z]", plain) else f"q_{plain}"
    return f"{plain}_" if plain in reserved() else plain


def comment(text: str) -> str:
    """A text as a comment of one line: nothing in it opens or ends a comment or a string."""
    line = " ".join(printable(text).split()).replace('"', "'")
    return f"(* {line.replace('(*', '( *').replace('*)', '* )')} *)"


def part(title: str, sentences: Iterable[str] = ()) -> list[str]:
    """A part of a certificate, with its title."""
    return ["", comment(f"==== {title} ===="), "", *sentences]


@dataclass
class Identifiers:
    """The identifiers of one certificate, none given twice."""

    taken: set[str] = field(default_factory=set)

    def new(self, name: str) -> str:
        """The identifier of a name, with a number behind it if it is taken."""
        base = found = identifier(name)
        number = 2
        while found in self.taken:
            found = f"{base}_{number}"
            number += 1
        self.taken.add(found)
        return found
