"""What is known of a document while it is read: its names, as printed and as they should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import partial

from derive.proofread.align import Template, cofactor, template, value_in
from derive.proofread.behind import Behind, Stated, above, below
from derive.proofread.claim import Claim, Item
from derive.proofread.policy import Policy
from derive.proofread.spread import Known, Ledger, rounded_copy, significant
from derive.proofread.values import FAILURES, exact_value

MOST_FORMULAS = 8  # that are remembered of one name
ROUNDED = 3  # a number with so many digits may be a rounded one, wherever it comes from


class Verdict(StrEnum):
    """What one number, or one formula without a number, came to."""

    RIGHT = "right"
    FOLLOWS = "follows"
    WRONG = "wrong"
    DIGITS = "digits"
    GIVEN = "given"
    FORMULA = "formula"
    UNREAD = "unread"


OWN = (Verdict.WRONG, Verdict.DIGITS)


@dataclass(frozen=True)
class Remark:
    """The verdict on one print.

    `place` counts the items of the document, `name` is what the number is a number of, `expected`
    what should have been printed, `value` what the operands give as they were printed, and `slack`
    how far that may be off because they were rounded; `follows` is the place in the list of remarks
    of the error that this one only goes on with, and `instead` is the place of the item that may be
    the wrong one of the two.
    """

    place: int
    item: Item
    verdict: Verdict
    name: str = ""
    printed: str = ""
    expected: str | None = None
    reason: str = ""
    follows: int | None = None
    value: Fraction | None = None
    slack: Fraction = Fraction(0)
    instead: int | None = None


@dataclass
class Reading:
    """What is known while a document is read."""

    policy: Policy
    moving: frozenset[str] = frozenset()
    measure: bool = False
    faults: Mapping[int, str] = field(
        default_factory=dict
    )  # what is wrong with a formula, by place
    network: Behind | None = None
    stated: Stated | None = None
    printed: Ledger = field(default_factory=partial(Ledger, rounded_from=ROUNDED))
    true: Ledger = field(default_factory=partial(Ledger, rounded_from=ROUNDED))
    formulas: dict[str, list[str]] = field(default_factory=dict)
    slopes: dict[str, list[str]] = field(default_factory=dict)  # derivatives of a name, by name
    off: dict[str, int] = field(default_factory=dict)
    pending: dict[str, tuple[int, Claim]] = field(default_factory=dict)
    displays: int = 0  # how many were read
    start: int = -1  # of the last
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, made: Remark) -> None:
        """Add a remark; a print that is off is remembered by its name."""
        if made.verdict in (*OWN, Verdict.FOLLOWS):
            self.off[made.name] = len(self.remarks)
        elif made.name:
            self.off.pop(made.name, None)
        self.remarks.append(made)

    def completed(self, name: str, claim: Claim) -> Claim:
        """A claim with the sides that stood in the display before, where it is only a number.

        `z = 2 \\cdot 3` and then `z = 6` are one chain on two lines.
        """
        if claim.where.start != self.start:
            self.displays, self.start = self.displays + 1, claim.where.start
        display, before = self.pending.pop(name, (0, claim))
        numeric = any(not form.free_symbols for form in claim.forms)
        if claim.printed is None and numeric:
            self.pending[name] = (self.displays, claim)
        if claim.printed is None or claim.forms or self.displays - display > 1:
            return claim
        kept = before.in_numbers()
        return replace(claim, forms=kept.forms, form_tex=kept.form_tex)

    def learn(self, name: str, printed: Known, true: Known) -> None:
        """Remember a number as it was printed and as it should be."""
        self.printed[name], self.true[name] = printed, true

    def define(self, name: str, formulas: Sequence[str]) -> None:
        """Remember what the text says that a name is."""
        known = self.formulas.setdefault(name, [])
        known += [tex for tex in formulas if tex not in known]
        del known[:-MOST_FORMULAS]
        if known and name not in self.slopes.setdefault(above(name), []):
            self.slopes[above(name)].append(name)

    def given(self, printed: str) -> Known:
        """A number that is not worked out: exact if it is short, else it may be a rounded one."""
        if len(significant(printed)) < ROUNDED:
            return Known(exact_value(printed), Fraction(0))
        return rounded_copy(printed, self.policy)

    def value_of(self, name: str) -> tuple[Fraction | None, Template | None]:
        """The value of a name by the last of its formulas whose names have values."""
        for formula in self._formulas_of(name):
            value = value_in(formula, self.true.numbers)
            if value is not None:
                return value, formula
        return (self.by_network(name) if self.stated is not None else None), None

    def by_network(self, name: str) -> Fraction | None:
        """The true value of a name by the formulas behind the document, and the numbers so far.

        If the network is stated elsewhere, by that and by the numbers that it is given there.
        """
        stated = self.stated
        if stated is None and self.network is not None:
            stated = Stated(self.network, self.true.numbers)
        if stated is not None:
            with suppress(*FAILURES):
                return stated.point.value(name)
        return None

    def _formulas_of(self, name: str) -> Iterator[Template]:
        """What the text says that a name is; a derivative also by the chain rule of another one."""
        for tex in reversed(self.formulas.get(name, [])):
            yield template(tex)
        top = above(name)
        for other in reversed(self.slopes.get(top, []) if top else []):
            for tex in reversed(self.formulas[other]):
                made = cofactor(template(tex), below(other), below(name))
                if made is not None:
                    yield made
